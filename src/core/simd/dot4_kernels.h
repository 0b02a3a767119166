/* dot4_kernels.h: one vector and CT_DOT4_COUNT others, written once for any width.
 *
 * dot4.c includes this file with CT_NAME(f), CT_TARGET and BYTES (of a vector) defined;
 * and with WHOLE, WHOLE_LOAD, WHOLE_ADD (of products of 16 bits to sums of 32) and
 * WHOLE_SUM for vectors of whole numbers, where there are such. No include guard, on
 * purpose.
 */
typedef double CT_NAME(vec) __attribute__((vector_size(BYTES), aligned(sizeof(double)), may_alias));
#define VEC CT_NAME(vec)
#define WIDTH ((int)(BYTES / sizeof(double)))
#define LOAD(p) (*(const VEC *)(p))
#define STORE(p, x) (*(VEC *)(p) = (x))
#define FOLD(half)                                                                                 \
    for (int i = 0; i < (half); i++)                                                               \
    sum[i] += sum[i + (half)]

CT_TARGET static void CT_NAME(fine)(const double *v, const double *const *w, size_t stride,
                                    double *to)
{
    double sums[CT_DOT4_COUNT][CT_V_LANES];
    for (int part = 0; part < CT_V_LANES; part += 2 * WIDTH) {
        VEC a0 = {0}, b0 = {0}, c0 = {0}, d0 = {0}, a1 = {0}, b1 = {0}, c1 = {0}, d1 = {0};
        for (size_t i = (size_t)part; i < stride; i += CT_V_LANES) {
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
    for (int r = 0; r < CT_DOT4_COUNT; r++) {
        double *sum = sums[r];
        FOLD(CT_V_LANES / 2);
        FOLD(CT_V_LANES / 4);
        FOLD(CT_V_LANES / 8);
        FOLD(CT_V_LANES / 16);
        to[r] = sum[0];
    }
}

#ifdef WHOLE
CT_TARGET static void CT_NAME(coarse)(const int16_t *v, const int16_t *const *w, size_t stride,
                                      int32_t *to)
{
    WHOLE a = {0}, b = {0}, c = {0}, d = {0};
    for (size_t i = 0; i < stride; i += BYTES / 2) {
        WHOLE x = WHOLE_LOAD(v + i);
        a = WHOLE_ADD(a, x, WHOLE_LOAD(w[0] + i));
        b = WHOLE_ADD(b, x, WHOLE_LOAD(w[1] + i));
        c = WHOLE_ADD(c, x, WHOLE_LOAD(w[2] + i));
        d = WHOLE_ADD(d, x, WHOLE_LOAD(w[3] + i));
    }
    to[0] = WHOLE_SUM(a);
    to[1] = WHOLE_SUM(b);
    to[2] = WHOLE_SUM(c);
    to[3] = WHOLE_SUM(d);
}
#else
static void CT_NAME(coarse)(const int16_t *v, const int16_t *const *w, size_t stride, int32_t *to)
{
    for (int r = 0; r < CT_DOT4_COUNT; r++) {
        to[r] = 0;
        for (size_t i = 0; i < stride; i++)
            to[r] += (int32_t)v[i] * w[r][i];
    }
}
#endif

#undef FOLD
#undef VEC
#undef WIDTH
#undef LOAD
#undef STORE
#undef WHOLE
#undef WHOLE_LOAD
#undef WHOLE_ADD
#undef WHOLE_SUM
#undef BYTES
#undef CT_NAME
#undef CT_TARGET
