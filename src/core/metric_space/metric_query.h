/* metric_query.h: searches in a metric that is known only by a function.
 *
 * Both searches evaluate a pair of objects only if no lower bound excludes it, and no pair
 * twice. Queries are answered one after the other. A query asks for the distances to many objects
 * in one call: those whose lower bounds are least first, because their distances exclude others.
 *
 * If the queries are all objects of the tree, a distance serves both objects of the pair. Then the
 * queries are answered in the order of positions, and each is compared with later positions only.
 */
#ifndef COVERTREE_METRIC_SPACE_METRIC_QUERY_H
#define COVERTREE_METRIC_SPACE_METRIC_QUERY_H

#include "core/metric_space/metric_tree.h"

enum ct_metric_mode {
    CT_METRIC_AUTO, /* by the tree, unless nearly all pairs are evaluated nevertheless */
    CT_METRIC_TREE,
    CT_METRIC_SCAN /* evaluates all pairs */
};

/* All queries of a call. They are answered one after another, because the distance function may be
 * an R function. */
struct ct_metric_batch {
    const struct ct_metric_tree *tree;
    struct ct_distance_function *f;
    int count;       /* queries */
    const int *row;  /* [count] the queries, objects of the tree; NULL: foreign queries */
    int all;         /* whether `row` is 1 .. n: the distances are used for both objects */
    int predecessor; /* whether neighbors must have rows below that of the query */
    const double *max_distance; /* [count] of ct_metric_knn(): farther objects are no neighbors;
                                 * NULL: no limit */
    enum ct_metric_mode mode;
};

/* Writes the k nearest of each query by (distance, row) and their number, at most k.
 * index, distance: [k x count]. found: [count]. An object is not its own neighbor. */
void ct_metric_knn(const struct ct_host *host, const struct ct_metric_batch *batch, int k,
                   int *index, double *distance, int *found);

/* A pair within the radius. */
struct ct_metric_pair {
    double distance;
    int query; /* from 0 */
    int row;
};

/* The pairs within a radius, in the order in which they are found. `pair` doubles when it is full.
 */
struct ct_metric_pairs {
    struct ct_metric_pair *pair;
    size_t count, capacity;
    double limit; /* the search ends as soon as there are more pairs */
    int *
        found; /* [count] pairs of each query, 0 on entry: pairs are counted, not stored; or NULL */
};

/* Collects, or counts, all pairs at a distance of at most `radius`, in no order. Ends early if
 * there are more than pairs->limit. */
void ct_metric_radius(const struct ct_host *host, const struct ct_metric_batch *batch,
                      double radius, struct ct_metric_pairs *pairs);

#endif
