/* move.h: moves the points of a node to new positions within the node. */
#ifndef COVERTREE_TREE_MOVE_H
#define COVERTREE_TREE_MOVE_H

#include "core/tree/build_state.h"

/* A run of positions. */
struct ct_run {
    int begin, end; /* first position, last position + 1 */
};

/* Moves the points of a node, and their rows, to the positions in state->assigned. `largest` is the
 * run of the new positions of the child with most points, whose points stay in their order; empty
 * if there are no children. Overwrites state->sqdist and state->buffer of the node. One pass over
 * each column if nearly all points are in the largest child, otherwise two. */
void ct_move_points(const struct ct_build_state *state, const struct ct_point_blocks *node,
                    struct ct_run largest);

#endif
