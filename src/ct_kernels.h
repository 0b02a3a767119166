/* ct_kernels.h: the vector kernels, written once for any vector width.
 *
 * ct_simd.c includes this file once per instruction set, having defined
 *   CT_WIDTH   doubles in a vector,
 *   CT_NAME(f) the name of f for this set,
 *   CT_TARGET  the attribute that allows the set inside one function.
 * No include guard, on purpose.
 */

typedef double CT_NAME(vec) __attribute__((vector_size(8 * CT_WIDTH), aligned(8), may_alias));
typedef long long CT_NAME(mask) __attribute__((vector_size(8 * CT_WIDTH)));
#define VEC CT_NAME(vec)
#define MASK CT_NAME(mask)
#define LOAD(p) (*(const VEC *)(p))
#define STORE(p, v) (*(VEC *)(p) = (v))

CT_TARGET static inline VEC CT_NAME(max)(VEC a, VEC b)
{
    MASK more = a > b;
    return (VEC)((more & (MASK)a) | (~more & (MASK)b));
}

/* A tail shorter than a vector is done by stepping back over lanes already
 * done; only runs shorter than one vector go point by point. */
CT_TARGET static void CT_NAME(sqdist)(const double *x, size_t ld, int d, int count,
                                      const double *q, double *out)
{
    if (count < CT_WIDTH) {
        for (int i = 0; i < count; i++)
            out[i] = ct_sqdist(x + i, ld, q, 1, d);
        return;
    }
    for (int i = 0; i < count; i += CT_WIDTH) {
        if (i > count - CT_WIDTH)
            i = count - CT_WIDTH;
        VEC sum = {0};
        for (int j = 0; j < d; j++) {
            VEC gap = LOAD(x + i + j * ld) - q[j];
            sum += gap * gap;
        }
        STORE(out + i, sum);
    }
}

CT_TARGET static void CT_NAME(box_sqdist)(const double *lower, const double *upper, size_t ld,
                                          int d, int count, const double *q, double *out)
{
    if (count < CT_WIDTH) {
        for (int i = 0; i < count; i++)
            out[i] = ct_box_sqdist(lower + i, upper + i, ld, q, d);
        return;
    }
    const VEC zero = {0};
    for (int i = 0; i < count; i += CT_WIDTH) {
        if (i > count - CT_WIDTH)
            i = count - CT_WIDTH;
        VEC sum = {0};
        for (int j = 0; j < d; j++) {
            VEC below = LOAD(lower + i + j * ld) - q[j], above = q[j] - LOAD(upper + i + j * ld);
            VEC gap = CT_NAME(max)(CT_NAME(max)(below, above), zero);
            sum += gap * gap;
        }
        STORE(out + i, sum);
    }
}

static const struct ct_kernels CT_NAME(kernels) = {CT_LABEL, CT_NAME(sqdist), CT_NAME(box_sqdist)};

#undef VEC
#undef MASK
#undef LOAD
#undef STORE
#undef CT_WIDTH
#undef CT_NAME
#undef CT_TARGET
#undef CT_LABEL
