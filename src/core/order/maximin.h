/* maximin.h: points in maximin order, each as far as can be from those before. */
#ifndef COVERTREE_ORDER_MAXIMIN_H
#define COVERTREE_ORDER_MAXIMIN_H

#include "core/host.h"

struct ct_kernels;

/* The mean of each column of x, [n * d] by column: its first value and the mean
 * difference from that, which is finite wherever squared distances are. */
void ct_centroid(const double *x, int n, int d, double *centroid);

/* order[0] is the point, from 0, nearest to q; order[i] the one whose squared
 * distance to the nearest of those before is the largest. Of points with equal
 * ones, that which comes first in x. The same for any number of threads. */
void ct_maximin_order(const struct ct_host *host, const struct ct_kernels *kernels, const double *x,
                      int n, int d, const double *q, int threads, int *order);

#endif
