/* pca.h: an orthogonal rotation that moves most of v into its leading components.
 *
 * A rotation leaves dot products as they are. Its axes approximate the eigenvectors of the Gram
 * matrix of sample vectors, from the largest eigenvalue down (PCA without centering), so a
 * truncated dot product of leading components is close to the whole. Used by the exact residual
 * search if pca_rank.h chooses so.
 *
 * Orthogonal iteration: each of two rounds multiplies by the Gram matrix and orthonormalizes,
 * leading axes first, by Householder reflections. Costs about count * m^2 + 5 m^3 multiply-adds.
 *
 * Error: with Q the matrix of axes, as stored, and e = 2^-53, the dot product of two rotated
 * vectors differs from that of the vectors, over the product of their norms, by at most
 *
 *   axes       |Q'Q - I| (Frobenius norm), as computed, and m (b + c + 8) e for computing it;
 *   rotation   2 sqrt(m) (b + c + 8) e. Sums are those of the filter kernels in double: of at
 *              most b = CT_CHUNK terms, of which c are added up.
 *
 * ct_rotation holds the sum of both as its orthogonality error.
 */
#ifndef COVERTREE_RESIDUAL_EXACT_PCA_H
#define COVERTREE_RESIDUAL_EXACT_PCA_H

#include "core/residual_exact/panel.h"

/* A rotation of vectors of m components: the first axes have the largest variance in the sample. */
struct ct_rotation {
    int m;
    struct ct_panel panel;      /* [m x m] a column for each axis */
    double orthogonality_error; /* bound of the relative error of dot products; see above */
};

/* The rotation for `count` >= 1 sample vectors of m >= 1 components: vectors [count x stride,
 * row-major], padded with zeros; stride is a multiple of CT_V_LANES. Polls the host; allocates
 * about 5 m * stride doubles. */
struct ct_rotation ct_rotation_make(const struct ct_host *host,
                                    const struct ct_correlation_kernels *kernels,
                                    const double *vectors, int count, int m, size_t stride,
                                    int threads);

/* Householder QR: to [count x stride, row-major] = orthonormal vectors of which the first i span
 * the first i vectors of y, for each i <= count. y [count x stride, row-major] holds vectors of m
 * >= count components, padded with zeros, and is left with the normals of the reflections. About
 * 2 count^2 m multiply-adds; polls the host. */
void ct_orthonormalize(const struct ct_host *host, const struct ct_correlation_kernels *kernels,
                       double *y, double *to, int count, int m, size_t stride);

/* Doubles of scratch that ct_rotate_group() needs. */
size_t ct_rotation_scratch_size(const struct ct_rotation *rotation);

/* to [CT_GROUP x m, row-major] = the vectors v[i] of a group, times scale, rotated.
 * CT_GROUP * m^2 multiply-adds. */
void ct_rotate_group(const struct ct_rotation *rotation, const double *const *v, double scale,
                     double *scratch, double *to);

#endif
