/* farthest_first.h: chooses the centers of the children of a node, by farthest-first traversal.
 *
 * The point that is farthest from all centers chosen before becomes the next center, until every
 * point is within the cover radius of a lower level. Every point joins the nearest center, and the
 * earlier center in case of ties.
 */
#ifndef COVERTREE_TREE_FARTHEST_FIRST_H
#define COVERTREE_TREE_FARTHEST_FIRST_H

#include "core/tree/build_state.h"

/* Sets state->sqdist to the squared distances of the points of a node to its center,
 * state->assigned to 0, and radius and level of the node; if `summaries`, prepares
 * ct_choose_centers() in ct_node_buffer(). One pass. */
void ct_measure_node(const struct ct_build_state *state, struct ct_build_node *node, int summaries);

/* Returns the largest number of centers in a node, with which a traversal fails that has not
 * reached the next level down. */
int ct_max_centers(int points);

/* Chooses the centers of the children, writes their positions to ct_split_children(), and the index
 * of the child of each point to state->assigned. Returns the number of centers; 0 if the points are
 * not within the cover radius of the next level of a moderate number of centers. Then all
 * distances are nearly equal, as in many dimensions, and scanning the points is cheaper than
 * descending. Needs ct_measure_node() with summaries before.
 *
 * Costs at most one pass for each center. In few dimensions most chunks of points are too far from
 * a new center to be compared. */
int ct_choose_centers(const struct ct_build_state *state, const struct ct_build_node *node);

#endif
