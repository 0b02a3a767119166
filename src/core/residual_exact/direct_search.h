/* direct_search.h: exact correlations of a few queries with all points, without a filter.
 *
 * Preparing a filter reads all points and packs them. For a few queries, that costs more than
 * the exact correlations of all pairs. Queries share the reading of v.
 *
 * Costs n exact correlations for each query. Allocates 12 bytes for each of about 1.5 k candidates,
 * for each query and thread.
 */
#ifndef COVERTREE_RESIDUAL_EXACT_DIRECT_SEARCH_H
#define COVERTREE_RESIDUAL_EXACT_DIRECT_SEARCH_H

#include "core/residual_exact/exact_batch.h"
#include "core/topk/select.h"

enum { CT_DIRECT_QUERIES = 16 }; /* queries for which this is faster than a filter, at most */

/* Finds the k nearest of the queries with these numbers in the batch, `count` of them.
 * write(data, neighbors, query) takes the neighbors of one query, with distances in `sq`. Polls the
 * host. */
void ct_direct_search(const struct ct_host *host, const struct ct_exact_batch *batch,
                      const int *query, int count, int k,
                      void (*write)(void *data, const struct ct_topk *nearest, int query),
                      void *data);

#endif
