/* cholesky.h: Cholesky factorization and triangular systems, with one order of operations.
 *
 * For the factors of correlation.h. No BLAS: there, the order of the operations and with it the
 * last bits depend on the library, the processor and the number of threads. Here, with L L' = A and
 * L x = b, every element is
 *
 *   L_jj = sqrt(A_jj - L_j0 L_j0 - L_j1 L_j1 - ...),
 *   L_ij = (A_ij - L_i0 L_j0 - L_i1 L_j1 - ...) / L_jj,   i > j,
 *   x_i = (b_i - L_i0 x_0 - L_i1 x_1 - ...) / L_ii,
 *
 * evaluated from left to right; every operation rounds once. The bits are the same in every
 * instruction set, with any number of threads and any compiler.
 *
 * Matrices lie in panels (simd/triangular.h). A panel of right-hand sides of order m has
 * ct_padded_order(m) rows: those from m on are 0.
 */
#ifndef COVERTREE_RESIDUAL_CHOLESKY_H
#define COVERTREE_RESIDUAL_CHOLESKY_H

#include "core/host.h"
#include "core/simd/triangular.h"

/* A lower triangular matrix of order m. Panel i holds rows i * CT_PANEL, ... of the matrix, as
 * far as the diagonal: [(i + 1) * CT_PANEL x CT_PANEL]. Rows from m on are those of the unit
 * matrix. */
struct ct_triangular {
    int m;
    double *panels; /* one after another; about m (m + 32) / 2 doubles */
};

/* m rounded up to a multiple of CT_PANEL. */
static inline int ct_padded_order(int m)
{
    return m + (CT_PANEL - m % CT_PANEL) % CT_PANEL;
}

/* Returns the lower triangle of a [m x m, column-major] in panels. What lies above the diagonal is
 * not read. Memory from the host. */
struct ct_triangular ct_triangular_pack(const struct ct_host *host, const double *a, int m);

/* Writes a matrix to l [m x m, column-major], with zeros above the diagonal. */
void ct_triangular_unpack(const struct ct_triangular *matrix, double *l);

/* Replaces the lower triangle of a symmetric matrix A by its Cholesky factor L, in place. Returns
 * 0; or the order of the first leading minor that is not positive, or not a number: then there is
 * no factor, and the values are of no use. m^3 / 6 multiply-adds, in parallel; polls the host. */
int ct_cholesky(const struct ct_host *host, const struct ct_triangular_kernels *kernels,
                struct ct_triangular *matrix, int threads);

/* Replaces the right-hand sides x [panels x ct_padded_order(m) x CT_PANEL] by the solutions of
 * L x = b. CT_PANEL * m^2 / 2 multiply-adds for each panel, on the calling thread. L is read
 * once for all panels: with 4 or more, little time goes into reading it. */
void ct_triangular_solve(const struct ct_triangular_kernels *kernels,
                         const struct ct_triangular *matrix, int panels, double *x);

#endif
