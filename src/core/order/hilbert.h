/* hilbert.h: points in the order of a Hilbert curve, in any dimension.
 *
 * Neighbors along the curve are near each other in space. The build of a tree and the search
 * of a batch go along the curve: consecutive points read mostly the same memory.
 */
#ifndef COVERTREE_ORDER_HILBERT_H
#define COVERTREE_ORDER_HILBERT_H

#include "core/host.h"

/* Writes the order of the points x [n x d, column-major] to order [n]: order[i] is the index,
 * from 0, of the i-th point along the curve. Points in the same cell of the curve keep their order.
 * The same for any number of threads. Costs O(n d bits). Up to d = 32, takes 16 n bytes from the
 * host, and 36 bytes for each point whose key agrees with another point's in the first 32 bits, for
 * each point if most points are of this kind; beyond, 8 n (w + 3) bytes, where w = ceil(d bits /
 * 64), the words of a key. */
void ct_hilbert_order(const struct ct_host *host, const double *x, int n, int d, int threads,
                      int *order);

/* The same with scratch from the caller: `first` and `second`, aligned for doubles, of point_bytes
 * for each point. 16 bytes suffice for everything but 4 bytes for each tie, and, if a key has more
 * than one word, 8 n (w - 1) bytes. 8 bytes, up to d = 32 only, leave 36 bytes for each tie. */
void ct_hilbert_order_in(const struct ct_host *host, const double *x, int n, int d, int threads,
                         size_t point_bytes, void *first, void *second, int *order);

#endif
