/* dot4_kernels.h: the kernels of dot4.h, for one instruction set.
 *
 * dot4.c includes this file once per instruction set. It defines before
 *   CT_NAME(f), CT_TARGET     as in correlation_kernels.h,
 *   BYTES                     bytes of a vector,
 * and, where the set has integer vectors,
 *   INT_VEC, INT_LOAD(p)      a vector of BYTES / 2 int16, or of BYTES / 4 int32; loads int16,
 *   INT_MULTIPLY_ADD(s, x, y) adds to each int32 of s the products of two int16 of x and y,
 *   INT_SUM(s)                the sum of all int32 of s.
 * No include guard, on purpose.
 */
/* ---- double ---- */

typedef double CT_NAME(vec) __attribute__((vector_size(BYTES), aligned(sizeof(double)), may_alias));
#define VEC CT_NAME(vec)
#define WIDTH ((int)(BYTES / sizeof(double)))
#define LOAD(p) (*(const VEC *)(p))
#define STORE(p, x) (*(VEC *)(p) = (x))
/* Adds the upper half of 2 * half partial sums to the lower half. */
#define FOLD(half)                                                                                 \
    for (int i = 0; i < (half); i++)                                                               \
    sum[i] += sum[i + (half)]

/* The partial sums of exact_dot() in correlation_kernels.h, in the same order, for four vectors:
 * eight independent sums, two for each vector. */
CT_TARGET static void CT_NAME(dot_f64)(const double *v, const double *const *w, size_t length,
                                       double *to)
{
    double sums[CT_DOT4_COUNT][CT_V_LANES]; /* partial sums of each product */
    for (int part = 0; part < CT_V_LANES; part += 2 * WIDTH) {
        VEC a0 = {0}, b0 = {0}, c0 = {0}, d0 = {0}, a1 = {0}, b1 = {0}, c1 = {0}, d1 = {0};
        for (size_t i = (size_t)part; i < length; i += CT_V_LANES) {
            VEC x0 = LOAD(v + i), x1 = LOAD(v + i + WIDTH);
            a0 += x0 * LOAD(w[0] + i);
            a1 += x1 * LOAD(w[0] + i + WIDTH);
            b0 += x0 * LOAD(w[1] + i);
            b1 += x1 * LOAD(w[1] + i + WIDTH);
            c0 += x0 * LOAD(w[2] + i);
            c1 += x1 * LOAD(w[2] + i + WIDTH);
            d0 += x0 * LOAD(w[3] + i);
            d1 += x1 * LOAD(w[3] + i + WIDTH);
        }
        STORE(sums[0] + part, a0);
        STORE(sums[0] + part + WIDTH, a1);
        STORE(sums[1] + part, b0);
        STORE(sums[1] + part + WIDTH, b1);
        STORE(sums[2] + part, c0);
        STORE(sums[2] + part + WIDTH, c1);
        STORE(sums[3] + part, d0);
        STORE(sums[3] + part + WIDTH, d1);
    }
    /* Halves are added up as in exact_dot(): 8, 4, 2 and 1 partial sums. */
    for (int r = 0; r < CT_DOT4_COUNT; r++) {
        double *sum = sums[r];
        FOLD(CT_V_LANES / 2);
        FOLD(CT_V_LANES / 4);
        FOLD(CT_V_LANES / 8);
        FOLD(CT_V_LANES / 16);
        to[r] = sum[0];
    }
}

/* ---- int16 ----
 *
 * Integer sums do not depend on the order of operations. */
#ifdef INT_VEC
CT_TARGET static void CT_NAME(dot_i16)(const int16_t *v, const int16_t *const *w, size_t length,
                                       int32_t *to)
{
    INT_VEC a = {0}, b = {0}, c = {0}, d = {0}; /* partial sums of the four products */
    for (size_t i = 0; i < length; i += BYTES / 2) {
        INT_VEC x = INT_LOAD(v + i);
        a = INT_MULTIPLY_ADD(a, x, INT_LOAD(w[0] + i));
        b = INT_MULTIPLY_ADD(b, x, INT_LOAD(w[1] + i));
        c = INT_MULTIPLY_ADD(c, x, INT_LOAD(w[2] + i));
        d = INT_MULTIPLY_ADD(d, x, INT_LOAD(w[3] + i));
    }
    to[0] = INT_SUM(a);
    to[1] = INT_SUM(b);
    to[2] = INT_SUM(c);
    to[3] = INT_SUM(d);
}
#else
static void CT_NAME(dot_i16)(const int16_t *v, const int16_t *const *w, size_t length, int32_t *to)
{
    for (int r = 0; r < CT_DOT4_COUNT; r++) {
        to[r] = 0;
        for (size_t i = 0; i < length; i++)
            to[r] += (int32_t)v[i] * w[r][i];
    }
}
#endif

#undef FOLD
#undef VEC
#undef WIDTH
#undef LOAD
#undef STORE
#undef INT_VEC
#undef INT_LOAD
#undef INT_MULTIPLY_ADD
#undef INT_SUM
#undef BYTES
#undef CT_NAME
#undef CT_TARGET
