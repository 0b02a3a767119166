/* direct_search.h: exact correlations of a few queries with all points, without a filter.
 *
 * A filter needs packed points. For few queries, packing all points costs more than the exact
 * correlations of all pairs. The queries share each read of v.
 *
 * Costs n exact correlations for each query. Allocates 12 bytes for each of about 1.5 k candidates,
 * for each query and thread.
 */
#ifndef COVERTREE_RESIDUAL_EXACT_DIRECT_SEARCH_H
#define COVERTREE_RESIDUAL_EXACT_DIRECT_SEARCH_H

#include "core/residual_exact/exact_batch.h"
#include "core/topk/select.h"

enum {
    CT_DIRECT_QUERIES = 16
}; /* largest number of queries for which this search is faster than a
    * filter */

/* Finds the k nearest neighbors of `count` queries, given by their numbers in the batch. Calls
 * write(data, neighbors, query) with the neighbors of one query, which have distances in `sq`.
 * Polls the host. */
void ct_direct_search(const struct ct_host *host, const struct ct_exact_batch *batch,
                      const int *query, int count, int k,
                      void (*write)(void *data, const struct ct_topk *nearest, int query),
                      void *data);

#endif
