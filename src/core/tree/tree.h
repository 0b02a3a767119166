/* tree.h: the core of covertree: one tree, its memory, its invariants.
 *
 * A node is a cell of points around its center. Nodes are numbered breadth first,
 * so siblings are neighbours; points are stored so that a node is one run:
 *
 *   node     0 ............................................ the root: all points
 *            1 ............ 2 ....... 3 ................... its children, in point order
 *            4 .... 5 ..... 6 . 7 ... 8 ..... 9 .... 10 ... theirs
 *   position |p p p|p p p p|p p|p p p|p p p p|p p p |p p p| one column per coordinate
 *
 * Siblings' runs are in the order in which the build found their first points; a
 * leaf's points are in the order that leaf_order.h chooses, by row if they coincide.
 *
 * Every array of a tree is an R vector that users may export, so stored links
 * are 1-based with 0 for "none". In code, `node` and `pos` count from 0; `row`
 * is the user's and counts from 1 everywhere.
 *
 * With cover(l) = 2^(l/4), a node i that has children keeps
 *   nesting     the children split i's run of points; exactly one has i's center;
 *   covering    radius[i], the largest distance of a point of i to the center, is
 *               at most cover(level[i]), and level[i] is the least such level;
 *   descent     a child's level is below its parent's;
 *   separation  centers of siblings are farther apart than cover(c - 1), where c is
 *               the highest level among them.
 * A node of coinciding points has radius 0 and no level; its children, if any,
 * cut it into runs by row and are exempt from descent and separation.
 */
#ifndef COVERTREE_TREE_TREE_H
#define COVERTREE_TREE_TREE_H

#include "core/util/float.h"

#include "core/host.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#define CT_NO_LEVEL INT_MIN /* R's NA_integer_ */

struct ct_tree {
    int n, d, nodes;
    const double *points; /* [n * d] by column, in tree order */
    const int *row;       /* [n] */
    const int *center;    /* [nodes] position of the center */
    const int *parent, *first_child, *next_sibling;
    const int *subtree_begin, *subtree_end; /* first and last position, inclusive */
    const int *level, *min_row;             /* min_row: the smallest row in the subtree */
    const double *radius;
    const double *lower, *upper;  /* [nodes * d] by column: the bounding box */
    const struct ct_tiles *tiles; /* derived: the points as the search reads them */
};

static inline int ct_node_begin(const struct ct_tree *t, int node)
{
    return t->subtree_begin[node] - 1;
}

static inline int ct_node_end(const struct ct_tree *t, int node)
{
    return t->subtree_end[node];
}

/* Children are numbered in a row, from ct_first_child() on. */
static inline int ct_first_child(const struct ct_tree *t, int node)
{
    return t->first_child[node] - 1;
}

static inline int ct_count_children(const struct ct_tree *t, int node)
{
    int child = ct_first_child(t, node), last = child;
    while (t->next_sibling[last] > 0)
        last++;
    return last - child + 1;
}

#endif
