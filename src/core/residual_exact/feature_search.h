/* feature_search.h: the part of an exact search that features answer.
 *
 * Queries with residual variance, in blocks along the order of the scan. A query that needs too
 * many second tests or exact correlations is left to the other filter: features do not bound its
 * correlations away from its neighbors.
 */
#ifndef COVERTREE_RESIDUAL_EXACT_FEATURE_SEARCH_H
#define COVERTREE_RESIDUAL_EXACT_FEATURE_SEARCH_H

#include "core/residual_exact/feature_filter.h"

struct ct_feature_search {
    char *answered; /* [count] 1: the query is answered; NULL without such a search */
    struct ct_residual_stats stats;
};

/* Searches the k nearest of the batch's queries. write(data, neighbors, query) takes those of one
 * query, from any thread. Polls the host. */
struct ct_feature_search
ct_feature_search(const struct ct_host *host, const struct ct_feature_filter *features, int k,
                  void (*write)(void *data, const struct ct_topk *nearest, int query), void *data);

#endif
