/* filtered_seed.h: first thresholds of a block whose queries exclude points by a filter.
 *
 * A threshold comes from eligible points only: from those in the seed tiles, or from a query whose
 * eligible points are eligible for this query, too.
 */
#ifndef COVERTREE_SEARCH_FILTERED_SEED_H
#define COVERTREE_SEARCH_FILTERED_SEED_H

#include "core/search/block_search.h"

/* The query that a thread answered last. */
struct ct_last_query {
    const double *q; /* [d] */
    double distance; /* of the k-th neighbor; infinite without one */
    struct ct_query_limits limits;
};

/* Sets a first threshold for every query of a block without an epsilon: finite, unless fewer than k
 * points within its max_distance are eligible. Returns the tiles scanned. */
struct ct_tile_span ct_seed_filtered(struct ct_search *search, const struct ct_last_query *last);

#endif
