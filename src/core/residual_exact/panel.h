/* panel.h: products of a packed matrix and many vectors, in double.
 *
 * The matrix products of the exact residual search: Gram matrices, rotations, feature maps. The
 * kernel is add_dots() of the filter kernels in double, so a product runs at the speed of the
 * filter. An element of a product is a sum of at most b = CT_CHUNK terms, of which c are added up;
 * with e = 2^-53, its error is at most (b + c + 4) e times the sum of the absolute terms.
 */
#ifndef COVERTREE_RESIDUAL_EXACT_PANEL_H
#define COVERTREE_RESIDUAL_EXACT_PANEL_H

#include "core/host.h"
#include "core/simd/correlation.h"

/* A matrix [terms x columns], packed in tiles for products with groups of vectors. */
struct ct_panel {
    const struct ct_filter_kernels *kernels; /* of double: add_dots() multiplies */
    int terms, columns;
    int triangular; /* 1: column c has zeros after term c, which products skip by tiles */
    double *tiles;  /* [columns / lanes, rounded up, x terms x lanes]; 0 beyond `columns` */
};

/* Packs a matrix whose entry (t, c) is from[t * row_stride + c * column_stride]. */
struct ct_panel ct_panel_make(const struct ct_host *host, const struct ct_filter_kernels *kernels,
                              const double *from, size_t row_stride, size_t column_stride,
                              int terms, int columns);

/* Doubles of scratch that ct_panel_multiply_groups() needs. */
size_t ct_panel_scratch_size(const struct ct_panel *panel, int groups);

/* to[i * ld + c] = the product of vector i and column c of the panel, i < groups * CT_GROUP.
 * packed [groups x terms x CT_GROUP]: component t of vector i of a group has index
 * t * CT_GROUP + i. A tile of the panel is read once for all groups. */
void ct_panel_multiply_groups(const struct ct_panel *panel, const double *packed, int groups,
                              double *scratch, double *to, size_t ld);

/* A product of `count` vectors and a panel: to [count x ld, row-major]. */
struct ct_panel_product {
    const struct ct_panel *panel;
    const double *from;
    size_t vector_stride, stride; /* between vectors of `from`, and between their components */
    int count;
    double *to;
    size_t ld; /* >= columns */
};

/* Computes the product, in parallel. Polls the host; allocates terms + columns doubles for each of
 * CT_GROUP vectors a thread. */
void ct_panel_multiply(const struct ct_host *host, const struct ct_panel_product *product,
                       int threads);

#endif
