/* leaf_order.h: an order of a leaf's points in which each of its tiles is compact. */
#ifndef COVERTREE_TREE_LEAF_ORDER_H
#define COVERTREE_TREE_LEAF_ORDER_H

#include "core/util/float.h"

/* list[i]: the position, of those from begin on, of the point that should come
 * i-th; key is scratch for as many. */
void ct_leaf_order(const double *points, int n, int d, int begin, int size, double *key, int *list);

#endif
