/* gather.h: copies points in a given order. */
#ifndef COVERTREE_ORDER_GATHER_H
#define COVERTREE_ORDER_GATHER_H

#include "core/host.h"

/* Writes the points x [n x d, column-major] in the order `order` [n] of indices from 0 to out, and
 * their rows from 1 to row [n]. Linear. */
void ct_gather_points(const struct ct_host *host, const double *x, int n, int d, const int *order,
                      int threads, double *out, int *row);

#endif
