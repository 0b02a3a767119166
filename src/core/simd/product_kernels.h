/* product_kernels.h: float32 squared distances by matrix products, for any vector width.
 *
 * euclid_kernels.h includes this file once per instruction set, and lists what it needs to be
 * defined. Per pair and coordinate one multiply-add, where a sum of squared differences needs a
 * subtraction as well; and each load of a point or a query serves several products.
 * core/search/product_scan.h bounds the rounding errors: change both together. No include guard,
 * on purpose.
 */

CT_TARGET static void CT_NAME(half_squares)(const float *tile, int d, int tiles, float *half)
{
    for (int t = 0; t < tiles; t++)
        for (int part = 0; part < CT_LANES; part += FWIDTH) {
            const float *x = tile + (size_t)t * d * CT_LANES + part;
            FVEC sum = {0};
            for (int j = 0; j < d; j++, x += CT_LANES)
                sum = CT_FMA(FLOAD(x), FLOAD(x), sum);
            FSTORE(half + t * CT_LANES + part, sum * CT_FSPLAT(-.5f));
        }
}

/* The sums a_i and b_i of query i and two vectors of points x and y stay in registers. Macros,
 * because arrays of sums do not. */
#define START(i) FVEC a##i = a, b##i = b
#define STEP(i) (a##i = CT_SCALED(x, q, i, a##i), b##i = CT_SCALED(y, q, i, b##i))
/* The sum that is compared: with `mutual`, the larger of the two half thresholds is added. */
#define COMPARED(i, sum, half_threshold)                                                           \
    (mutual ? (FVEC)((sum) + CT_FMAX(half_threshold, CT_FSPLAT(q_half_threshold[first + (i)])))    \
            : (FVEC)(sum))
#define KEEP(i)                                                                                    \
    least_value = CT_FSPLAT(least[first + (i)]);                                                   \
    bits = CT_WITHIN(least_value, COMPARED(i, a##i, threshold_a)) |                                \
           CT_WITHIN(least_value, COMPARED(i, b##i, threshold_b)) << FWIDTH;                       \
    if (bits) {                                                                                    \
        FSTORE(value + (first + (i)) * CT_PAIR + part, a##i);                                      \
        FSTORE(value + (first + (i)) * CT_PAIR + part + FWIDTH, b##i);                             \
        within[first + (i)] |= bits << part;                                                       \
        any |= 1u << (first + (i));                                                                \
    }

/* A pass multiplies two vectors of points by CT_QUERIES_IN_REGISTERS queries. A vector lies in
 * one of the two tiles. Coordinates of a query are `stride` apart. */
CT_TARGET CT_INLINE unsigned
CT_NAME(any_products)(const float *tile, int d, const float *half, const float *group, int stride,
                      const float *least, int mutual, const float *half_threshold,
                      const float *q_half_threshold, float *value, unsigned *within)
{
    FVEC least_value, threshold_a = {0}, threshold_b = {0};
    unsigned bits, any = 0;
    for (int i = 0; i < CT_GROUP; i++)
        within[i] = 0;
    for (int part = 0; part < CT_PAIR; part += 2 * FWIDTH)
        for (int first = 0; first < CT_GROUP; first += CT_QUERIES_IN_REGISTERS) {
            int next = part + FWIDTH;
            const float *p = tile + part / CT_LANES * (size_t)d * CT_LANES + part % CT_LANES;
            const float *r = tile + next / CT_LANES * (size_t)d * CT_LANES + next % CT_LANES;
            const float *q = group + first;
            const FVEC a = FLOAD(half + part), b = FLOAD(half + next);
            START(0);
            START(1);
            START(2);
            START(3);
#if CT_QUERIES_IN_REGISTERS == 8
            START(4);
            START(5);
            START(6);
            START(7);
#endif
            for (int j = 0; j < d; j++, p += CT_LANES, r += CT_LANES, q += stride) {
                FVEC x = FLOAD(p), y = FLOAD(r);
                STEP(0), STEP(1), STEP(2), STEP(3);
#if CT_QUERIES_IN_REGISTERS == 8
                STEP(4), STEP(5), STEP(6), STEP(7);
#endif
            }
            if (mutual) {
                threshold_a = FLOAD(half_threshold + part);
                threshold_b = FLOAD(half_threshold + next);
            }
            KEEP(0)
            KEEP(1)
            KEEP(2)
            KEEP(3)
#if CT_QUERIES_IN_REGISTERS == 8
            KEEP(4)
            KEEP(5)
            KEEP(6)
            KEEP(7)
#endif
        }
    return any;
}

CT_TARGET static unsigned CT_NAME(pair_products)(const float *tile, int d, const float *half,
                                                 const float *group, const float *least,
                                                 float *value, unsigned *within)
{
    return CT_NAME(any_products)(tile, d, half, group, CT_GROUP, least, 0, NULL, NULL, value,
                                 within);
}

CT_TARGET static unsigned CT_NAME(mutual_products)(const float *tile, int d, const float *half,
                                                   const float *half_threshold, const float *group,
                                                   const float *least,
                                                   const float *q_half_threshold, float *value,
                                                   unsigned *within)
{
    return CT_NAME(any_products)(tile, d, half, group, CT_LANES, least, 1, half_threshold,
                                 q_half_threshold, value, within);
}

#undef START
#undef STEP
#undef COMPARED
#undef KEEP
