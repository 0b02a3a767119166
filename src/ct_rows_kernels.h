/* ct_rows_kernels.h: one vector and CT_ROWS others, written once for any width.
 *
 * ct_rows.c includes this file with CT_NAME(f), CT_TARGET, REAL, LANES (partial sums)
 * and BYTES (of a vector) defined. No include guard, on purpose.
 */
typedef REAL CT_NAME(vec) __attribute__((vector_size(BYTES), aligned(sizeof(REAL)), may_alias));
#define VEC CT_NAME(vec)
#define WIDTH ((int)(BYTES / sizeof(REAL)))
#define LOAD(p) (*(const VEC *)(p))
#define STORE(p, x) (*(VEC *)(p) = (x))
#define FOLD(half)                                                                                 \
    for (int i = 0; i < (half); i++)                                                               \
    sum[i] += sum[i + (half)]

CT_TARGET static void CT_NAME(rows)(const REAL *v, const REAL *const *w, size_t stride, REAL *to)
{
    REAL sums[CT_ROWS][LANES];
    for (int part = 0; part < LANES; part += WIDTH) {
        VEC a = {0}, b = {0}, c = {0}, d = {0};
        for (size_t i = (size_t)part; i < stride; i += LANES) {
            VEC x = LOAD(v + i);
            a += x * LOAD(w[0] + i);
            b += x * LOAD(w[1] + i);
            c += x * LOAD(w[2] + i);
            d += x * LOAD(w[3] + i);
        }
        STORE(sums[0] + part, a);
        STORE(sums[1] + part, b);
        STORE(sums[2] + part, c);
        STORE(sums[3] + part, d);
    }
    for (int r = 0; r < CT_ROWS; r++) {
        REAL *sum = sums[r];
        FOLD(LANES / 2);
        FOLD(LANES / 4);
        FOLD(LANES / 8);
        FOLD(LANES / 16);
        FOLD(LANES / 32);
        to[r] = sum[0];
    }
}

#undef FOLD
#undef VEC
#undef WIDTH
#undef LOAD
#undef STORE
#undef CT_NAME
#undef REAL
#undef LANES
