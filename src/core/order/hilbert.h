/* hilbert.h: points in the order of a Hilbert curve, in any dimension. */
#ifndef COVERTREE_ORDER_HILBERT_H
#define COVERTREE_ORDER_HILBERT_H

#include "core/host.h"

/* Bits of a coordinate that the curve resolves: 32 at d = 1 and 2, then
 * floor(64 / d), and 1 from d = 33 on. */
int ct_hilbert_bits(int d);

/* order[i] is the index, from 0, of the point that comes i-th. Points in the
 * same cell of the curve keep their order. */
void ct_hilbert_order(const struct ct_host *host, const double *x, int n, int d, int threads,
                      int *order);

#endif
