/* ct_rows.h: dot products of one vector with a few others that lie anywhere.
 *
 * In double they are the exact ones of ct_dots.h, to the bit. In float they have as
 * fixed an order of operations, so they are the same in every instruction set, too:
 * partial sum i takes the terms i, i + CT_ROW_LANES, ...; then halves are added up.
 */
#ifndef CT_ROWS_H
#define CT_ROWS_H

#include "ct_simd.h"

enum {
    CT_ROWS = 4,       /* vectors that are met together */
    CT_ROW_LANES = 32, /* partial sums in float; vectors are padded to such runs */
};

/* to[i] = dot product of v and w[i], i < CT_ROWS, of `stride` numbers. */
struct ct_rows {
    void (*fine)(const double *v, const double *const *w, size_t stride, double *to);
    void (*coarse)(const float *v, const float *const *w, size_t stride, float *to);
};

/* The kernels of a level; of a lower one, if the compiler does not know it. */
const struct ct_rows *ct_rows(enum ct_simd_level level);

/* From one point's floats to the next. */
static inline size_t ct_row_stride(int m)
{
    return ((size_t)m + CT_ROW_LANES - 1) / CT_ROW_LANES * CT_ROW_LANES;
}

#endif
