/* triangular.h: the inner loops of Cholesky factorization and triangular systems.
 *
 * Matrices lie in panels of CT_PANEL columns: row r of a panel is CT_PANEL consecutive doubles.
 * A panel of right-hand sides holds one of them in each lane. A panel of a lower triangular matrix
 * L holds CT_PANEL rows of L, one in each lane: row r of the panel is column r of L.
 *
 * Kernels are vectorized across the lanes of x. Every element is a chain of operations in one
 * order, with two roundings for each product that is subtracted. The bits are the same in every
 * instruction set.
 */
#ifndef COVERTREE_SIMD_TRIANGULAR_H
#define COVERTREE_SIMD_TRIANGULAR_H

#include "core/simd/isa.h"

#include <stddef.h>

enum {
    CT_PANEL = 16,     /* lanes of a panel */
    CT_PANEL_STEP = 8, /* rows that a kernel computes together; half a panel */
};

/* Kernels that compute CT_PANEL_STEP consecutive rows `to` of a panel. l points to the first of
 * CT_PANEL_STEP consecutive lanes of a panel. */
struct ct_triangular_kernels {
    /* Subtracts from element (i, lane) of `to` the products of element (r, i) of l and element
     * (r, lane) of x, for r = 0, ..., terms - 1 in this order. `to` is no row of l or x before row
     * `terms`. CT_PANEL_STEP * CT_PANEL * terms multiplications and subtractions. */
    void (*subtract)(const double *l, const double *x, int terms, double *to);

    /* Forward substitution: row i of `to` loses its products with rows 0, ..., i - 1 of `to`, and
     * is divided by element (i, i) of l. */
    void (*solve)(const double *l, double *to);
};

/* The kernels of an instruction set level, or of the best lower level that the compiler
 * supports. Static memory; constant time. */
const struct ct_triangular_kernels *ct_triangular_kernels(enum ct_simd_level level);

#endif
