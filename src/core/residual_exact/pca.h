/* pca.h: vectors v, turned so that their leading numbers carry most of them.
 *
 * An orthogonal turn leaves dot products as they are. The directions are those of
 * the Gram matrix of some vectors, by orthogonal iteration: each round multiplies
 * with the matrix and makes orthonormal again, the leading ones first. With Q of
 * the directions and e = 2^-53, the dot product of two turned vectors is off from
 * that of the vectors, over the product of their norms, by
 *
 *   directions     |Q'Q - I|, as computed, and m (b + c + 8) e for computing it;
 *   turning        2 sqrt(m) (b + c + 8) e, sums being as those of a sieve: of at
 *                  most b = CT_CHUNK terms, of which c are added up.
 */
#ifndef COVERTREE_RESIDUAL_EXACT_PCA_H
#define COVERTREE_RESIDUAL_EXACT_PCA_H

#include "core/simd/correlation.h"
#include "core/tree/tree.h"

/* A matrix, packed for products with teams of vectors. */
struct ct_panel {
    const struct ct_filter_kernels *sieve; /* in double: it multiplies */
    int terms, columns;
    double *tiles; /* [terms * lanes] for each run of columns */
};

struct ct_rotation {
    int m;
    struct ct_panel panel; /* a column for each direction */
    double off;            /* as above */
};

/* The turn for `count` vectors, [count * stride] one after another. */
struct ct_rotation ct_rotation_make(const struct ct_host *host,
                                    const struct ct_correlation_kernels *dots,
                                    const double *vectors, int count, int m, size_t stride,
                                    int threads);

/* Doubles of room that a team needs. */
size_t ct_rotation_scratch_size(const struct ct_rotation *turn);

/* to[i * m, ...] = vector i of a team, v[i] times scale, turned. */
void ct_rotate_group(const struct ct_rotation *turn, const double *const *v, double scale,
                     double *room, double *to);

#endif
