/* filter_kernels.h: the filter kernels of correlation.h, for one instruction set and precision.
 *
 * correlation_kernels.h includes this file twice, for float and double. It defines before
 *   FILTER(f)             the name of function f,
 *   REAL, WIDTH           the type of a value, and the values of a vector,
 *   VEC, MASK             vectors of REAL, and of unsigned integers of the same size,
 *   SPLAT(x)              x in each lane,
 *   FUSED(a, b, c)        a * b + c, with one or two roundings,
 *   SCALED(x, q, i, sum)  x * q[i] + sum, with one or two roundings,
 *   SQRT(a), MIN(a, b)    square root and minimum, lane by lane,
 *   LESS(a, b)            an unsigned integer with bit i set if a[i] < b[i],
 *   MAX_ARGUMENT          the largest argument of the exponential function.
 * The end of this file undefines all of them. No include guard, on purpose.
 *
 * Time per pair: `count` multiply-adds in add_dots(), d + 20 in filter(). Sums stay in registers
 * for a chunk, and are added to memory once per chunk.
 *
 * error_bound.h of core/residual_exact bounds the rounding errors of these kernels: change
 * both together.
 */

/* Points of a tile: 128 bytes, two cache lines, for each component. A tile is a whole number of
 * pairs of vectors in every instruction set. */
#define LANES (128 / (int)sizeof(REAL))
#define EXP_COVARIANCE(a, linear, quadratic) FILTER(exp_covariance)(a, linear, quadratic)
#include "core/simd/exp_kernels.h"

/* The only kernel in plain C: packing is a small share of the time. */
static void FILTER(pack)(void *to, int to_stride, const double *from, size_t from_stride,
                         const double *center, double scale, int count)
{
    REAL *out = to;
    for (int i = 0; i < count; i++)
        out[(size_t)i * to_stride] =
            (REAL)((from[i * from_stride] - (center ? center[i] : 0)) * scale);
}

/* Registers of add_dots(): the sums a_i and b_i of query i and two vectors of points x and y. STEP
 * adds the products of one component, ADD adds the sums to memory. Macros, because arrays of sums
 * do not stay in registers. */
#define START(i) VEC a##i = {0}, b##i = {0}
#define STEP(i) (a##i = SCALED(x, q, i, a##i), b##i = SCALED(y, q, i, b##i))
#define ADD(i)                                                                                     \
    (STORE(sum + (i)*LANES, LOAD(sum + (i)*LANES) + a##i),                                         \
     STORE(sum + (i)*LANES + WIDTH, LOAD(sum + (i)*LANES + WIDTH) + b##i))

/* A pass multiplies two vectors of points by CT_QUERIES_IN_REGISTERS queries: the sums stay
 * in registers. */
CT_TARGET static void FILTER(add_dots)(const void *tile, const void *group, int count, void *sums)
{
    /* Passes: all parts of the tile (two vectors each) by all parts of the group. */
    for (int pass = 0; pass < LANES / (2 * WIDTH) * (CT_GROUP / CT_QUERIES_IN_REGISTERS); pass++) {
        int part = pass / (CT_GROUP / CT_QUERIES_IN_REGISTERS) * 2 * WIDTH;
        int first = pass % (CT_GROUP / CT_QUERIES_IN_REGISTERS) * CT_QUERIES_IN_REGISTERS;
        const REAL *p = (const REAL *)tile + part, *q = (const REAL *)group + first;
        REAL *sum = (REAL *)sums + first * LANES + part;
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
        for (int i = 0; i < count; i++, p += LANES, q += CT_GROUP) {
            VEC x = LOAD(p), y = LOAD(p + WIDTH);
            STEP(0), STEP(1), STEP(2), STEP(3);
#if CT_QUERIES_IN_REGISTERS == 8
            STEP(4), STEP(5), STEP(6), STEP(7);
#endif
        }
        ADD(0), ADD(1), ADD(2), ADD(3);
#if CT_QUERIES_IN_REGISTERS == 8
        ADD(4), ADD(5), ADD(6), ADD(7);
#endif
    }
}

/* Covariances of one query and WIDTH points from lane `part` on. Arguments above MAX_ARGUMENT
 * count as MAX_ARGUMENT: both covariances are below 1e-34, far less than any margin. */
CT_TARGET static inline VEC FILTER(covariance)(const struct ct_filter_input *input, int query,
                                               int part)
{
    const struct ct_covariance_shape *shape = input->shape;
    const REAL *p = (const REAL *)input->tile_z + part, *q = (const REAL *)input->group_z + query;
    VEC a = {0};
    for (int j = 0; j < input->d; j++) {
        VEC gap = LOAD(p + (size_t)j * LANES) - SPLAT(q[(size_t)j * CT_GROUP]);
        a = FUSED(gap, gap, a);
    }
    a = MIN(shape->squared ? a : SQRT(a), SPLAT(MAX_ARGUMENT));
    return EXP_COVARIANCE(a, SPLAT((REAL)shape->linear), SPLAT((REAL)shape->quadratic));
}

/* The shifts clear the sign bit: the absolute value. Comparisons with NaN are false, so a pair
 * whose sum is NaN passes. */
CT_TARGET static void FILTER(filter)(const struct ct_filter_input *input, void *sums,
                                     unsigned *passes)
{
    for (int query = 0; query < CT_GROUP; query++) {
        REAL *sum = (REAL *)sums + query * LANES;
        const REAL *root = input->root, *tail_norm = input->tail_norm;
        VEC cutoff = SPLAT((REAL)input->cutoff[query]), margin = SPLAT((REAL)input->margin[query]),
            query_tail_norm = SPLAT((REAL)input->query_tail_norm[query]);
        unsigned below = 0; /* lanes below the required value */
        for (int part = 0; part < LANES; part += WIDTH) {
            /* The dot product gives way to the difference: callers read it for passing pairs. */
            VEC difference = FILTER(covariance)(input, query, part) - LOAD(sum + part);
            VEC absolute = (VEC)((MASK)difference << 1 >> 1);
            VEC required = FUSED(LOAD(root + part), cutoff, -margin);
            STORE(sum + part, difference);
            below |= LESS(absolute, FUSED(LOAD(tail_norm + part), -query_tail_norm, required))
                     << part;
        }
        passes[query] = ~below & (~0u >> (32 - LANES));
    }
}

CT_TARGET static void FILTER(filter_dots)(const struct ct_filter_input *input, const void *sums,
                                          unsigned *passes)
{
    for (int query = 0; query < CT_GROUP; query++) {
        const REAL *sum = (const REAL *)sums + query * LANES, *tail_norm = input->tail_norm;
        VEC required = SPLAT((REAL)(input->cutoff[query] - input->margin[query])),
            query_tail_norm = SPLAT((REAL)input->query_tail_norm[query]);
        unsigned below = 0;
        for (int part = 0; part < LANES; part += WIDTH) {
            VEC absolute = (VEC)((MASK)LOAD(sum + part) << 1 >> 1);
            below |= LESS(absolute, FUSED(LOAD(tail_norm + part), -query_tail_norm, required))
                     << part;
        }
        passes[query] = ~below & (~0u >> (32 - LANES));
    }
}

/* One pair at a time, because few pairs pass. Sums of 4 * CT_CHUNK products, each spread over
 * 2 * WIDTH partial sums, are subtracted one after another. */
CT_TARGET static void FILTER(subtract_tail)(const void *tails, size_t stride,
                                            const void *query_tail, int count, unsigned passes,
                                            void *sums)
{
    const REAL *q = query_tail;
    for (; passes; passes &= passes - 1) {
        int lane = __builtin_ctz(passes);
        const REAL *p = (const REAL *)tails + lane * stride;
        for (int i = 0; i < count;) {
            int end = count - i < 4 * CT_CHUNK ? count : i + 4 * CT_CHUNK;
            VEC a = {0}, b = {0};
            for (; i < end; i += 2 * WIDTH) {
                a = FUSED(LOAD(p + i), LOAD(q + i), a);
                b = FUSED(LOAD(p + i + WIDTH), LOAD(q + i + WIDTH), b);
            }
            /* The sum of the lanes, by halves. */
            REAL parts[WIDTH];
            STORE(parts, a + b);
            for (int half = WIDTH / 2; half > 0; half /= 2)
                for (int j = 0; j < half; j++)
                    parts[j] += parts[j + half];
            ((REAL *)sums)[lane] -= parts[0];
        }
    }
}

/* Computes the covariances again, because `sums` of filter() holds differences by now. */
CT_TARGET static void FILTER(drop_negligible)(const struct ct_filter_input *input, unsigned *passes)
{
    const REAL *root = input->root, *norm = input->norm;
    for (int query = 0; query < CT_GROUP; query++) {
        VEC negligible = SPLAT((REAL)input->negligible[query]),
            query_norm = SPLAT((REAL)input->query_norm[query]);
        unsigned below = 0;
        for (int part = 0; part < LANES; part += WIDTH) {
            VEC k = FILTER(covariance)(input, query, part);
            VEC bound = FUSED(LOAD(norm + part), query_norm, k);
            below |= LESS(bound, LOAD(root + part) * negligible) << part;
        }
        passes[query] &= ~below;
    }
}

#undef LANES
#undef EXP_COVARIANCE
#undef START
#undef STEP
#undef ADD

#undef REAL
#undef VEC
#undef MASK
#undef WIDTH
#undef SPLAT
#undef SQRT
#undef MIN
#undef LESS
#undef EXP_FLOAT
#undef FILTER
#undef FUSED
#undef SCALED
#undef MAX_ARGUMENT
