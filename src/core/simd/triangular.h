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

/* Both kernels compute rows terms, ..., terms + CT_PANEL_STEP - 1 of the panel x. l points to the
 * first of CT_PANEL_STEP consecutive lanes of a panel; l and x may be the same panel.
 * CT_PANEL_STEP * CT_PANEL * terms multiplications and subtractions. */
struct ct_triangular_kernels {
    /* Subtracts from element (terms + i, lane) of x the products of element (r, i) of l and
     * element (r, lane) of x, for r = 0, ..., terms - 1 in this order. */
    void (*subtract)(const double *l, int terms, double *x);

    /* The same, and then the forward substitution within the rows: row terms + i loses its products
     * with rows terms, ..., terms + i - 1, and is divided by element (terms + i, i) of l. */
    void (*solve)(const double *l, int terms, double *x);
};

/* The kernels of an instruction set level, or of the best lower level that the compiler
 * supports. Static memory; constant time. */
const struct ct_triangular_kernels *ct_triangular_kernels(enum ct_simd_level level);

#endif
