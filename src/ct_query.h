/* ct_query.h: batches of queries. */
#ifndef CT_QUERY_H
#define CT_QUERY_H

#include "ct.h"

enum ct_search { CT_SEARCH_TREE, CT_SEARCH_SCAN };

/* The queries of a call: m points by column, or the tree's own points, which
 * never find themselves. `order` says which query is answered when; results
 * do not depend on it. */
struct ct_batch {
    const struct ct_tree *tree;
    const double *query; /* [m * d] by column; NULL: the tree's own points */
    const int *order;    /* [m]; NULL with query NULL: the order of the tree */
    int m, threads;
    int block; /* queries that a thread answers in a row; the results do not depend on it */
    enum ct_search search;
};

/* index and distance are [m * k] by column, rows of the tree and distances in
 * order of (distance, row); where there are fewer than k points, CT_NO_ROW and
 * `missing` fill the rest. */
#define CT_NO_ROW INT_MIN
void ct_knn(const struct ct_host *host, const struct ct_batch *batch, int k, double missing,
            int *index, double *distance);

/* count[i]: points within the radius of query i. */
void ct_radius_count(const struct ct_host *host, const struct ct_batch *batch, double radius,
                     int *count);

/* index[i] and distance[i]: [count[i]] each, filled in order of (distance, row)
 * if sorted, else in the order the tree is walked. */
void ct_radius_fill(const struct ct_host *host, const struct ct_batch *batch, double radius,
                    int sorted, const int *count, int *const *index, double *const *distance);

#endif
