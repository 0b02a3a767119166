/* tree.h: a tree: numbering, memory, invariants.
 *
 * A compressed cover tree. A node is a set of points around a center, which is one of the
 * points. Nodes are numbered breadth first: siblings have consecutive numbers. Points are
 * stored in an order that makes the points of every node one run of positions:
 *
 *   node     0 ............................................ the root: all points
 *            1 ............ 2 ....... 3 ................... children of the root
 *            4 .... 5 ..... 6 . 7 ... 8 ..... 9 .... 10 ... next generation
 *   position |p p p|p p p p|p p|p p p|p p p p|p p p |p p p| one column per coordinate
 *
 * The runs of siblings are in the order of their first points before the split; the
 * points of a leaf are in the order of leaf_order.h, by row if they coincide.
 *
 * Every array of a tree (arrays.h) is a vector that users may export: stored links are
 * 1-based with 0 for "none". In code, `node` and `pos` count from 0; `row` is the user's
 * number of a point and counts from 1 everywhere.
 *
 * With the cover radius cover(l) = 2^(l/4), a node i that has children keeps
 *   nesting     the children split i's run of points; exactly one has i's center;
 *   covering    radius[i], the largest distance of a point of i to the center, is
 *               at most cover(level[i]), and level[i] is the least level with that property;
 *   descent     a child's level is below the parent's;
 *   separation  centers of siblings are farther apart than cover(c - 1), where c is
 *               the highest level among the siblings.
 * A node of coinciding points has radius 0 and no level; the children, if any,
 * are runs by row and are exempt from descent and separation.
 */
#ifndef COVERTREE_TREE_TREE_H
#define COVERTREE_TREE_TREE_H

#include "core/tree/arrays.h"

#include "core/host.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#define CT_NO_LEVEL INT_MIN /* R's NA_integer_ */

/* A tree, read only, shared by all threads of a search. The struct owns no memory.
 * `tiles` and `prefix` are derived from the arrays and are not saved with them. */
#define CT_ARRAY_POINTER(NAME, name, type, shape) const type *name;
struct ct_tree {
    int n, d, nodes;                 /* points, coordinates of a point, nodes; each at least 1 */
    CT_TREE_ARRAYS(CT_ARRAY_POINTER) /* documented in arrays.h */
    const struct ct_tiles *tiles;    /* the points in float32, for searches; see tiles.h */
    const struct ct_tree *prefix;    /* [ct_count_prefix_trees(n, 0)] trees of the first n/2,
                                      * n/4, ... rows (subset.h); NULL until they are built */
};
#undef CT_ARRAY_POINTER

/* First position of a node's points, from 0. */
static inline int ct_node_begin(const struct ct_tree *t, int node)
{
    return t->subtree_begin[node] - 1;
}

/* Last position of a node's points, from 0, plus 1. */
static inline int ct_node_end(const struct ct_tree *t, int node)
{
    return t->subtree_end[node];
}

/* First child of a node; -1 for a leaf. The next children have the next numbers. */
static inline int ct_first_child(const struct ct_tree *t, int node)
{
    return t->first_child[node] - 1;
}

/* Number of children of a node that has children. Time proportional to this number. */
static inline int ct_count_children(const struct ct_tree *t, int node)
{
    int child = ct_first_child(t, node), last = child;
    while (t->next_sibling[last] > 0)
        last++;
    return last - child + 1;
}

#endif
