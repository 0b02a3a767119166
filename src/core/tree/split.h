/* split.h: splits a node of a tree under construction into children.
 *
 * Used by build.c for every node. A split costs one pass over the node's points for each
 * chosen center.
 */
#ifndef COVERTREE_TREE_SPLIT_H
#define COVERTREE_TREE_SPLIT_H

#include "core/tree/build_state.h"

/* Measures a node: radius and level. Splits the node if it has more than leaf_size points and
 * a split succeeds: sets node->children, fills ct_split_children(), and moves the points of each
 * child into one run. Otherwise the node is a leaf; the points of a leaf of at most leaf_size
 * points move into the order of leaf_order.h. */
void ct_split_node(const struct ct_build_state *state, struct ct_build_node *node);

/* Makes `root` a node of all points. The center is the point nearest to the centroid: the
 * radius is then about half the radius around a point at the border. Costs two passes over the
 * points. Needs a shared split. */
void ct_build_root(const struct ct_build_state *state, struct ct_build_node *root);

#endif
