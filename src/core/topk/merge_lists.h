/* merge_lists.h: one list of neighbors per query, from the lists of several searches.
 *
 * Used where processes search disjoint sets of points, and one of them merges their results. Costs
 * O(k) for each list of a query, and for each thread a copy of the lists of a run of queries.
 */
#ifndef COVERTREE_TOPK_MERGE_LISTS_H
#define COVERTREE_TOPK_MERGE_LISTS_H

#include "core/host.h"

/* The lists of k neighbors that one search found for some queries, each ordered by (distance, row).
 * Rows are integers or, where there are too many for these, doubles. */
struct ct_neighbor_lists {
    const int *line; /* [count] ascending: which query of the whole, from 1 */
    int count;
    const int *row;         /* [count x k, column-major] or NULL */
    const double *wide_row; /* the same as doubles, if row is NULL */
    const double *distance; /* [count x k, column-major]; NaN after the last neighbor */
};

/* The lists of all queries, [lines x k, column-major]. */
struct ct_merged_lists {
    int lines, k;
    int *row;         /* or NULL */
    double *wide_row; /* if row is NULL */
    double *distance;
};

/* Writes to every line of `to` the first k neighbors by (distance, row) of all lists of the line.
 * All rows of a line are distinct. Where there are fewer, the row INT_MIN, or `missing` in
 * wide_row, and the distance `missing` fill the rest. */
void ct_merge_lists(const struct ct_host *host, const struct ct_neighbor_lists *lists, int count,
                    int threads, double missing, const struct ct_merged_lists *to);

#endif
