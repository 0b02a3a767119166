/* gather.h: copies points in a given order. */
#ifndef COVERTREE_ORDER_GATHER_H
#define COVERTREE_ORDER_GATHER_H

#include "core/host.h"

/* Writes to `out` the points x [n x d, column-major] in the order `order` [n] (indices from 0), and
 * to `row` [n] their rows (from 1). `row` may be `order`. Linear time. */
void ct_gather_points(const struct ct_host *host, const double *x, int n, int d, const int *order,
                      int threads, double *out, int *row);

#endif
