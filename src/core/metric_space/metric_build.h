/* metric_build.h: builds a tree over objects of which only the distances are known.
 *
 * Farthest-first traversal, as in tree/split.h. A new center asks for the distances of those
 * points only that may be nearer to it than to their present center, by the bounds of the pivots:
 * one call for each center.
 */
#ifndef COVERTREE_METRIC_SPACE_METRIC_BUILD_H
#define COVERTREE_METRIC_SPACE_METRIC_BUILD_H

#include "core/metric_space/metric_tree.h"

/* Returns the tree of the objects 1 .. n, with arrays from the host. A node of more than leaf_size
 * points is split. The number of pivots is lower than asked for if there are fewer distinct
 * objects. Evaluates pivots * n distances, and a few for each point and level of the tree. */
struct ct_metric_tree ct_metric_build(const struct ct_host *host, struct ct_distance_function *f,
                                      int n, int leaf_size, int pivots);

#endif
