/* leaf_order.h: orders the points of a leaf so that the boxes of the tiles are small.
 *
 * Used by the build for every leaf of more than one tile. Costs O(d s log t) for s points in
 * t tiles. A search then discards more tiles by their boxes.
 */
#ifndef COVERTREE_TREE_LEAF_ORDER_H
#define COVERTREE_TREE_LEAF_ORDER_H

#include "core/util/float.h"

struct ct_kernels;

/* Writes the positions begin, ..., begin + size - 1 to order [size], in their new order.
 * points: [n x d, column-major]; key: [size] scratch. The order depends on the coordinates
 * and on the present order of the points only. */
void ct_leaf_order(const struct ct_kernels *kernels, const double *points, int n, int d, int begin,
                   int size, double *key, int *order);

#endif
