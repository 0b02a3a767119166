/* ct_walk.h: one query's way through the tree.
 *
 * The walk visits every leaf that may hold a point closer than the limit, near
 * ones first, and hands it to `leaf`, which may lower the limit. What `leaf`
 * does makes it a search for k neighbours, a search in a radius, or a count.
 * ct_scan makes the same calls for every point: the walk without a tree.
 */
#ifndef CT_WALK_H
#define CT_WALK_H

#include "ct.h"
#include "ct_simd.h"

enum { CT_TILE = 128 }; /* points, or boxes, whose distances are taken in one go */

struct ct_visit {
    double sq; /* squared distance to the node's box */
    int node;
};

struct ct_walk {
    const struct ct_tree *tree;
    const struct ct_kernels *kernels;
    double *q; /* [d] */
    /* A node is skipped when its box is beyond sq_limit, or at it with no row
     * below limit_row: the tie rule, which keeps duplicates cheap. */
    double sq_limit;
    int limit_row;
    /* Takes the squared distances of the points from begin up to end, at most
     * CT_TILE of them. */
    void (*leaf)(struct ct_walk *walk, int begin, int end, const double *sq);
    struct ct_visit *stack; /* [tree->stack_size] */
};

void ct_walk(struct ct_walk *walk);
void ct_scan(struct ct_walk *walk);

#endif
