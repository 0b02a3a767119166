/* filter_kernels.h: the kernels of a sieve, for any instruction set and either
 * precision.
 *
 * correlation_kernels.h includes this file having defined
 *   SIEVE(f)              the name of f,
 *   REAL, WIDTH           the numbers, and how many are in a vector,
 *   VEC, MASK             vectors of them, and of unsigned integers of their size,
 *   SPLAT(x)              a number in each lane,
 *   FUSED(a, b, c)        a * b + c, fused or not,
 *   SCALED(x, q, i, sum)  x * q[i] + sum, fused or not,
 *   SQRT(a), MIN(a, b)    roots, and the less of each two,
 *   LESS(a, b)            a bit for each number of a that is less than that of b.
 * All of these are undefined again at its end. No include guard, on purpose.
 */

#define LANES (128 / (int)sizeof(REAL))
#define DECAY(a, linear, quadratic) SIEVE(decay)(a, linear, quadratic)
#include "core/simd/exp_kernels.h"

static void SIEVE(put)(void *to, int apart, const double *from, size_t from_apart,
                       const double *centre, double scale, int count)
{
    REAL *out = to;
    for (int i = 0; i < count; i++)
        out[(size_t)i * apart] = (REAL)((from[i * from_apart] - (centre ? centre[i] : 0)) * scale);
}

#define START(i) VEC a##i = {0}, b##i = {0}
#define STEP(i) (a##i = SCALED(x, q, i, a##i), b##i = SCALED(y, q, i, b##i))
#define ADD(i)                                                                                     \
    (STORE(sum + (i)*LANES, LOAD(sum + (i)*LANES) + a##i),                                         \
     STORE(sum + (i)*LANES + WIDTH, LOAD(sum + (i)*LANES + WIDTH) + b##i))

CT_TARGET static void SIEVE(dots)(const void *tile, const void *team, int count, void *sums)
{
    for (int pass = 0; pass < LANES / (2 * WIDTH) * (CT_GROUP / CT_ABREAST); pass++) {
        int part = pass / (CT_GROUP / CT_ABREAST) * 2 * WIDTH;
        int first = pass % (CT_GROUP / CT_ABREAST) * CT_ABREAST;
        const REAL *p = (const REAL *)tile + part, *q = (const REAL *)team + first;
        REAL *sum = (REAL *)sums + first * LANES + part;
        START(0);
        START(1);
        START(2);
        START(3);
#if CT_ABREAST == 8
        START(4);
        START(5);
        START(6);
        START(7);
#endif
        for (int i = 0; i < count; i++, p += LANES, q += CT_GROUP) {
            VEC x = LOAD(p), y = LOAD(p + WIDTH);
            STEP(0), STEP(1), STEP(2), STEP(3);
#if CT_ABREAST == 8
            STEP(4), STEP(5), STEP(6), STEP(7);
#endif
        }
        ADD(0), ADD(1), ADD(2), ADD(3);
#if CT_ABREAST == 8
        ADD(4), ADD(5), ADD(6), ADD(7);
#endif
    }
}

/* Distances so large that the covariance vanishes are cut off. */
CT_TARGET static inline VEC SIEVE(covariance)(const struct ct_filter_input *meeting, int query,
                                              int part)
{
    const struct ct_covariance_shape *shape = meeting->shape;
    const REAL *p = (const REAL *)meeting->tile + part, *q = (const REAL *)meeting->team + query;
    VEC a = {0};
    for (int j = 0; j < meeting->d; j++) {
        VEC gap = LOAD(p + (size_t)j * LANES) - SPLAT(q[(size_t)j * CT_GROUP]);
        a = FUSED(gap, gap, a);
    }
    a = MIN(shape->squared ? a : SQRT(a), SPLAT(MOST));
    return DECAY(a, SPLAT((REAL)shape->linear), SPLAT((REAL)shape->quadratic));
}

CT_TARGET static void SIEVE(within)(const struct ct_filter_input *meeting, void *sums,
                                    unsigned *within)
{
    for (int query = 0; query < CT_GROUP; query++) {
        REAL *sum = (REAL *)sums + query * LANES;
        const REAL *root = meeting->root, *slack = meeting->slack;
        VEC level = SPLAT((REAL)meeting->level[query]),
            margin = SPLAT((REAL)meeting->margin[query]),
            share = SPLAT((REAL)meeting->query_slack[query]);
        unsigned out = 0;
        for (int part = 0; part < LANES; part += WIDTH) {
            VEC rest = SIEVE(covariance)(meeting, query, part) - LOAD(sum + part);
            VEC size = (VEC)((MASK)rest << 1 >> 1);
            VEC least = FUSED(LOAD(root + part), level, -margin);
            STORE(sum + part, rest);
            out |= LESS(size, FUSED(LOAD(slack + part), -share, least)) << part;
        }
        within[query] = ~out & (~0u >> (32 - LANES));
    }
}

CT_TARGET static void SIEVE(finish)(const void *points, const void *query, int count,
                                    unsigned which, void *sums)
{
    const REAL *q = query;
    for (; which; which &= which - 1) {
        int lane = __builtin_ctz(which);
        const REAL *p = (const REAL *)points + (size_t)lane * count;
        for (int i = 0; i < count;) {
            int end = count - i < 4 * CT_CHUNK ? count : i + 4 * CT_CHUNK;
            VEC a = {0}, b = {0};
            for (; i < end; i += 2 * WIDTH) {
                a = FUSED(LOAD(p + i), LOAD(q + i), a);
                b = FUSED(LOAD(p + i + WIDTH), LOAD(q + i + WIDTH), b);
            }
            REAL parts[WIDTH];
            STORE(parts, a + b);
            for (int half = WIDTH / 2; half > 0; half /= 2)
                for (int j = 0; j < half; j++)
                    parts[j] += parts[j + half];
            ((REAL *)sums)[lane] -= parts[0];
        }
    }
}

CT_TARGET static void SIEVE(drop_trifles)(const struct ct_filter_input *meeting, unsigned *within)
{
    const REAL *root = meeting->root, *norm = meeting->norm;
    for (int query = 0; query < CT_GROUP; query++) {
        VEC trifle = SPLAT((REAL)meeting->trifle[query]),
            length = SPLAT((REAL)meeting->query_norm[query]);
        unsigned out = 0;
        for (int part = 0; part < LANES; part += WIDTH) {
            VEC k = SIEVE(covariance)(meeting, query, part);
            VEC most = FUSED(LOAD(norm + part), length, k);
            out |= LESS(most, LOAD(root + part) * trifle) << part;
        }
        within[query] &= ~out;
    }
}

#undef LANES
#undef DECAY
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
#undef DECAY_FLOAT
#undef SIEVE
#undef FUSED
#undef SCALED
#undef MOST
