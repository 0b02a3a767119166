/* metric_tree.h: a cover tree over objects of which only the distances are known.
 *
 * Nodes, numbering and invariants are those of tree/tree.h. There are no coordinates: in place of
 * boxes, each node has ranges of distances. The pivots are a few objects, far from each other,
 * whose distances to all objects are stored. |d(q, pivot) - d(x, pivot)| is a lower bound of
 * d(q, x) that needs no evaluation.
 */
#ifndef COVERTREE_METRIC_SPACE_METRIC_TREE_H
#define COVERTREE_METRIC_SPACE_METRIC_TREE_H

#include "core/host.h"
#include "core/metric_space/distance_function.h"

/* ARRAY(name, type, shape) for each array, in the order of a saved list of arrays. Matrices are
 * column-major. Positions and nodes are stored 1-based, with 0 for "none".
 *
 *   row              user's row of each position, from 1
 *   center .. radius as in tree/arrays.h
 *   to_parent        distance of the node's center to the center of the parent; 0 for the root
 *   nearest          smallest and
 *   farthest           largest distance of the node's points to the center of the parent
 *   to_center        distance of each point to the center of its leaf
 *   pivot            positions of the pivots; the first is the center of the root
 *   pivot_distance   distances of each point to the pivots
 *   lower, upper     ranges of these distances over the node's points
 */
#define CT_METRIC_ARRAYS(ARRAY)                                                                    \
    ARRAY(row, int, CT_OF_POINTS)                                                                  \
    ARRAY(center, int, CT_OF_NODES)                                                                \
    ARRAY(parent, int, CT_OF_NODES)                                                                \
    ARRAY(first_child, int, CT_OF_NODES)                                                           \
    ARRAY(next_sibling, int, CT_OF_NODES)                                                          \
    ARRAY(subtree_begin, int, CT_OF_NODES)                                                         \
    ARRAY(subtree_end, int, CT_OF_NODES)                                                           \
    ARRAY(level, int, CT_OF_NODES)                                                                 \
    ARRAY(min_row, int, CT_OF_NODES)                                                               \
    ARRAY(radius, double, CT_OF_NODES)                                                             \
    ARRAY(to_parent, double, CT_OF_NODES)                                                          \
    ARRAY(nearest, double, CT_OF_NODES)                                                            \
    ARRAY(farthest, double, CT_OF_NODES)                                                           \
    ARRAY(to_center, double, CT_OF_POINTS)                                                         \
    ARRAY(pivot, int, CT_OF_PIVOTS)                                                                \
    ARRAY(pivot_distance, double, CT_PIVOTS_BY_POINTS)                                             \
    ARRAY(lower, double, CT_PIVOTS_BY_NODES)                                                       \
    ARRAY(upper, double, CT_PIVOTS_BY_NODES)

enum ct_metric_shape {
    CT_OF_POINTS,
    CT_OF_NODES,
    CT_OF_PIVOTS,
    CT_PIVOTS_BY_POINTS, /* [pivots x n] */
    CT_PIVOTS_BY_NODES   /* [pivots x nodes] */
};

/* Read only; the struct owns no memory. */
#define CT_METRIC_POINTER(name, type, shape) const type *name;
struct ct_metric_tree {
    int n, nodes, pivots; /* each at least 1 */
    CT_METRIC_ARRAYS(CT_METRIC_POINTER)
};
#undef CT_METRIC_POINTER

/* Returns the number of elements of an array. */
size_t ct_metric_length(const struct ct_metric_tree *t, enum ct_metric_shape shape);

/* Returns the name of the first array that a search must not read, because a link leaves the
 * tree or a distance is not finite; NULL if there is none. A tree that passes is safe to search;
 * whether its distances are those of the objects is another question. O(pivots n). */
const char *ct_metric_tree_check(const struct ct_host *host, const struct ct_metric_tree *t);

/* The distances of each pivot and the next 4, to each other and to all points, keep the triangle
 * inequality, or f->refuse() is called. O(pivots n), no evaluations. */
void ct_check_pivots(const struct ct_metric_tree *t, struct ct_distance_function *f);

/* Distances of the point at a position to all pivots. */
static inline const double *ct_pivot_distances(const struct ct_metric_tree *t, int pos)
{
    return t->pivot_distance + (size_t)pos * (size_t)t->pivots;
}

#endif
