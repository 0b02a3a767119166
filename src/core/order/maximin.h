/* maximin.h: points in maximin order: each as far as possible from all earlier points.
 *
 * The order of Vecchia approximations (farthest-first order). Exact, not approximate; ties are
 * broken by row.
 */
#ifndef COVERTREE_ORDER_MAXIMIN_H
#define COVERTREE_ORDER_MAXIMIN_H

#include "core/host.h"

struct ct_kernels;

/* Writes the mean of each column of x [n x d, column-major] to centroid [d]: the first value
 * plus the mean difference from the first value. Finite wherever squared distances are finite. */
void ct_centroid(const double *x, int n, int d, double *centroid);

/* Writes the first `count` points of the maximin order of x [n x d, column-major] to order [count],
 * as indices from 0; count <= n. order[0] is the point nearest to q [d]; order[i] is the point with
 * the largest squared distance to the nearest of order[0], ..., order[i - 1]; ties go to the
 * smallest index. The same for any kernels and number of threads.
 *
 * In few dimensions a chosen point is compared with few points; in many, with nearly all:
 * n^2 / 2 distances for all n points, shared by the threads. Takes about 8 n (d + 2) bytes from the
 * host, and the memory of ct_hilbert_order(). */
void ct_maximin_order(const struct ct_host *host, const struct ct_kernels *kernels, const double *x,
                      int n, int d, const double *q, int count, int threads, int *order);

#endif
