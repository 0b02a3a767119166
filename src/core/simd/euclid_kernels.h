/* euclid_kernels.h: the kernels of euclid.h, written once for any vector width.
 *
 * Vectors are those of the compiler (__attribute__((vector_size))): arithmetic and
 * comparisons are C operators, so that one source serves every instruction set. Kernels in
 * double perform the operations of metric/euclidean.h in the same order in every lane, which
 * gives the same bits in every set. Tails need no code of their own: arrays are padded, or
 * the last vector overlaps the previous one.
 *
 * euclid.c includes this file once per instruction set, having defined
 *   CT_LABEL, CT_NAME(f)  the name of the set, and the name of function f for it,
 *   CT_TARGET             the attribute that enables the set inside a function,
 *   CT_WIDTH              doubles of a vector; a vector holds twice as many floats,
 *   CT_FMA(a, b, c)       a * b + c in float, fused or not,
 *   CT_UNFUSED(f)         if CT_FMA fuses: the name of f for the set without fusing,
 *   CT_FSPLAT(x)          a float in each lane,
 *   CT_FMAX(a, b), CT_FMIN(a, b)  the larger and the smaller of two floats in each lane,
 *   CT_LARGER_SQUARE(a, b), CT_SMALLER_SQUARE(a, b)  the same for floats of at least 0,
 *   CT_COUNT_BELOW(a, b)  the number of integers of a that are less than those of b,
 *   CT_WITHIN(a, b)       a bit for each float of a that is at most that of b,
 *   CT_DWITHIN(a, b)      the same for doubles,
 *   CT_COUNT(bits)        the number of bits set,
 *   CT_SET_INTS(to, bits, value)  sets the ints of `to` whose bits are set,
 *   CT_PACK(sq, pos, bits, a, b)  stores the floats of a and the ints of b whose bits are
 *                         set, packed, at sq and pos; may overwrite a vector beyond them,
 *   CT_ELIGIBLE(bits, row, list)  the bits whose rows are eligible for a query,
 *   CT_SCALED(x, q, i, sum)  x * q[i] + sum in float, fused or not,
 *   CT_QUERIES_IN_REGISTERS  4 or 8 queries whose sums with two vectors of points fit in registers;
 * or CT_FLOAT_NEON in place of those from CT_FMAX to CT_ELIGIBLE, except CT_WITHIN, CT_DWITHIN and
 * CT_SET_INTS.
 * No include guard, on purpose.
 */

/* Vectors of doubles and of floats, and of integers of the same width: comparisons give -1 or
 * 0 in each integer lane, so that a mask is also a count, negated. */
typedef double CT_NAME(vec) __attribute__((vector_size(8 * CT_WIDTH), aligned(8), may_alias));
typedef long long CT_NAME(mask) __attribute__((vector_size(8 * CT_WIDTH), aligned(8), may_alias));
typedef float CT_NAME(fvec) __attribute__((vector_size(8 * CT_WIDTH), aligned(4), may_alias));
typedef int CT_NAME(fmask) __attribute__((vector_size(8 * CT_WIDTH), aligned(4), may_alias));
#define VEC CT_NAME(vec)
#define MASK CT_NAME(mask)
#define FVEC CT_NAME(fvec)
#define FMASK CT_NAME(fmask)
/* Unaligned loads and stores. The types may alias any other type, which allows to read
 * arrays through them. */
#define LOAD(p) (*(const VEC *)(p))
#define STORE(p, v) (*(VEC *)(p) = (v))
#define FLOAD(p) (*(const FVEC *)(p))
#define FSTORE(p, v) (*(FVEC *)(p) = (v))
#define FWIDTH (2 * CT_WIDTH)

/* The larger of two values in each lane; the largest value of all lanes. */
CT_TARGET CT_INLINE VEC CT_NAME(larger)(VEC a, VEC b)
{
    MASK more = (MASK)(a > b);
    return (VEC)(((MASK)a & more) | ((MASK)b & ~more));
}

CT_TARGET CT_INLINE double CT_NAME(largest_lane)(VEC x)
{
    double most = x[0];
    for (int lane = 1; lane < CT_WIDTH; lane++)
        most = x[lane] > most ? x[lane] : most;
    return most;
}

/* The last vector overlaps the previous one. Needs a vector of points. */
CT_TARGET CT_INLINE double CT_NAME(sqdist_vectors)(const double *x, size_t ld, int d, int count,
                                                   const double *q, double *out)
{
    VEC far = {0};
    for (int i = 0; i < count; i += CT_WIDTH) {
        if (i > count - CT_WIDTH)
            i = count - CT_WIDTH;
        VEC sum = {0};
        for (int j = 0; j < d; j++) {
            VEC gap = LOAD(x + i + j * ld) - q[j];
            sum += gap * gap;
        }
        STORE(out + i, sum);
        far = CT_NAME(larger)(sum, far);
    }
    return CT_NAME(largest_lane)(far);
}

/* The loops over coordinates of 2 and 3 dimensions are unrolled. */
CT_TARGET static double CT_NAME(sqdist)(const double *x, size_t ld, int d, int count,
                                        const double *q, double *out)
{
    if (count >= CT_WIDTH && d == 2)
        return CT_NAME(sqdist_vectors)(x, ld, 2, count, q, out);
    if (count >= CT_WIDTH && d == 3)
        return CT_NAME(sqdist_vectors)(x, ld, 3, count, q, out);
    if (count >= CT_WIDTH)
        return CT_NAME(sqdist_vectors)(x, ld, d, count, q, out);
    double most = 0;
    for (int i = 0; i < count; i++) {
        out[i] = ct_sqdist(x + i, ld, q, 1, d);
        most = out[i] > most ? out[i] : most;
    }
    return most;
}

/* Each lane counts the values that come before its value: smaller values, and equal values
 * at a lower index. In earlier vectors every equal value counts, in later vectors none; only
 * within the vector of the lane indices are compared. */
CT_TARGET static void CT_NAME(rank)(const double *x, int count, int *rank)
{
    static const long long places[] = {0, 1, 2, 3, 4, 5, 6, 7};
    const MASK place = *(const MASK *)places;
    for (int i = 0; i < count; i += CT_WIDTH) {
        VEC mine = LOAD(x + i);
        MASK before = {0};
        int own = i + CT_WIDTH < count ? i + CT_WIDTH : count;
        for (int j = 0; j < i; j++)
            before -= (MASK)(mine >= x[j]);
        for (int j = i; j < own; j++)
            before -= (MASK)(mine > x[j]) | ((MASK)(mine == x[j]) & (place > (long long)j - i));
        for (int j = own; j < count; j++)
            before -= (MASK)(mine > x[j]);
        for (int lane = 0; lane < CT_WIDTH; lane++)
            rank[i + lane] = (int)((const long long *)&before)[lane];
    }
}

/* A value moves up by the number of smaller values after it, and down by the number of
 * larger ones before it; both lie within the displacement. */
CT_TARGET static void CT_NAME(rank_nearly_sorted)(const double *x, int count, int displacement,
                                                  int *rank)
{
    static const long long places[] = {0, 1, 2, 3, 4, 5, 6, 7};
    for (int i = 0; i < count; i += CT_WIDTH) {
        VEC mine = LOAD(x + i);
        MASK place = *(const MASK *)places + i;
        for (int j = 1; j <= displacement; j++)
            place += (MASK)(LOAD(x + i - j) > mine) - (MASK)(LOAD(x + i + j) < mine);
        for (int lane = 0; lane < CT_WIDTH; lane++)
            rank[i + lane] = (int)((const long long *)&place)[lane];
    }
}

/* Returns how many of x are at most the threshold. Reads up to the next whole vector,
 * whose values must be above it. */
CT_TARGET static inline int CT_NAME(count_within_f64)(const double *x, int count, double threshold)
{
    MASK within = {0};
    int sum = 0;
    for (int i = 0; i < count; i += CT_WIDTH)
        within -= (MASK)(LOAD(x + i) <= threshold);
    for (int lane = 0; lane < CT_WIDTH; lane++)
        sum += (int)((const long long *)&within)[lane];
    return sum;
}

/* ---- float32 -------------------------------------------------------------- */

/* The kernels that compute norms exist once for each norm; for the Euclidean norm twice if the set
 * has fused multiply-add: with it, and without, as in a set that has none. */
#ifdef CT_FLOAT_NEON
#include "core/simd/neon_kernels.h"
#define CT_SUM_KERNELS "core/simd/neon_sum_kernels.h"
#define CT_FABS(x) vabsq_f32(x)
#define CT_LARGER(a, b) vmaxq_f32(a, b)
#define CT_SMALLER_SQUARE(a, b) CT_FMIN(a, b)
#define CT_COUNT_BELOW(a, b) -vaddvq_s32((int32x4_t)((a) < (b)))
#define CT_LARGER_SQUARE(a, b) CT_FMAX(a, b)
#define CT_FMAX(a, b) (FVEC) vmaxq_f32((float32x4_t)(a), (float32x4_t)(b))
#define CT_FMIN(a, b) (FVEC) vminq_f32((float32x4_t)(a), (float32x4_t)(b))
#else
#include "core/simd/float_kernels.h"
#define CT_SUM_KERNELS "core/simd/sum_kernels.h"
#define CT_FABS(x) (FVEC)((FMASK)(x)&0x7fffffff)
#define CT_LARGER(a, b) CT_FMAX(a, b)
#endif

#include "core/simd/selection_kernels.h"

#define CT_SUMS CT_NAME
#define CT_GAP(difference) (difference)
#define CT_ADD_GAP(gap, sum) CT_FMA(gap, gap, sum)
#define CT_SQUARED(sum) (sum)
#include CT_SUM_KERNELS
#include "core/simd/nearby_kernels.h"
#include "core/simd/packed_kernels.h"
#undef CT_SUMS
#undef CT_ADD_GAP
#ifdef CT_UNFUSED
#define CT_SUMS CT_UNFUSED
#define CT_ADD_GAP(gap, sum) ((gap) * (gap) + (sum))
#include CT_SUM_KERNELS
#include "core/simd/nearby_kernels.h"
#include "core/simd/packed_kernels.h"
#undef CT_SUMS
#undef CT_ADD_GAP
#endif
#undef CT_GAP
#undef CT_SQUARED

#define CT_GAP(difference) CT_FABS(difference)
#define CT_SQUARED(sum) ((sum) * (sum))
#define CT_MANHATTAN_NAME(f) CT_NAME(f##_manhattan)
#define CT_SUMS CT_MANHATTAN_NAME
#define CT_ADD_GAP(gap, sum) ((gap) + (sum))
#include CT_SUM_KERNELS
#include "core/simd/nearby_kernels.h"
#include "core/simd/packed_kernels.h"
#undef CT_SUMS
#undef CT_ADD_GAP
/* The second operand is NaN if one of the two is: then so is the result. */
#define CT_CHEBYSHEV_NAME(f) CT_NAME(f##_chebyshev)
#define CT_SUMS CT_CHEBYSHEV_NAME
#define CT_ADD_GAP(gap, sum) CT_LARGER(sum, gap)
#include CT_SUM_KERNELS
#include "core/simd/nearby_kernels.h"
#include "core/simd/packed_kernels.h"
#undef CT_SUMS
#undef CT_ADD_GAP
#undef CT_GAP
#undef CT_SQUARED
#undef CT_SUM_KERNELS

#include "core/simd/assign_kernels.h"
#include "core/simd/product_kernels.h"

/* ---- thresholds ------------------------------------------------------------- */

#define CT_REAL double
#define CT_BISECT CT_NAME(bisect_f64)
#define CT_COUNT_WITHIN CT_NAME(count_within_f64)
#include "core/simd/bisect_kernels.h"
#undef CT_REAL
#undef CT_BISECT
#undef CT_COUNT_WITHIN
#define CT_REAL float
#define CT_BISECT CT_NAME(bisect_f32)
#define CT_COUNT_WITHIN CT_NAME(count_within_f32)
#include "core/simd/bisect_kernels.h"
#undef CT_REAL
#undef CT_BISECT
#undef CT_COUNT_WITHIN

/* The bisection starts from the largest value, so that all of them lie within. */
CT_TARGET static double CT_NAME(find_threshold_f64)(double *sq, int count, int k, int enough)
{
    double most = 0;
    for (int i = 0; i < count; i++)
        most = sq[i] > most ? sq[i] : most;
    STORE(sq + count, (double)INFINITY - (VEC){0});
    return CT_NAME(bisect_f64)(sq, count, most, k, enough);
}

/* The bisection starts from the threshold of the buffer or, if that is infinite, from the
 * largest square. Duplicates at distance 0 need no bisection. */
CT_TARGET static float CT_NAME(find_threshold)(struct ct_candidates *list, int k, int enough)
{
    float most = list->threshold;
    for (int i = 0; i < CT_LANES; i += FWIDTH)
        FSTORE(list->sq + list->count + i, CT_FSPLAT(INFINITY));
    if (most == INFINITY) {
        most = 0;
        for (int i = 0; i < list->count; i++)
            most = list->sq[i] > most ? list->sq[i] : most;
    }
    if (CT_NAME(count_within_f32)(list->sq, list->count, 0) >= k)
        return 0;
    return CT_NAME(bisect_f32)(list->sq, list->count, most, k, enough);
}

/* ---- the maximin order ------------------------------------------------------ */

/* At most one of the two differences is positive: the sum of their positive parts is the
 * gap to the box, to the bit. */
CT_TARGET static unsigned CT_NAME(boxes_nearer)(const double *lower, const double *upper, int d,
                                                const double *q, const double *sq)
{
    unsigned farther = 0;
    for (int part = 0; part < CT_LANES; part += CT_WIDTH) {
        VEC sum = {0};
        for (int j = 0; j < d; j++) {
            VEC below = LOAD(lower + (size_t)j * CT_LANES + part) - q[j];
            VEC above = q[j] - LOAD(upper + (size_t)j * CT_LANES + part);
            VEC gap =
                (VEC)((MASK)(below > 0) & (MASK)below) + (VEC)((MASK)(above > 0) & (MASK)above);
            sum += gap * gap;
        }
        farther |= CT_DWITHIN(LOAD(sq + part), sum) << part;
    }
    return ~farther & ((1u << CT_LANES) - 1);
}

/* Two vectors at a time: two independent chains of additions overlap. Stops early once no
 * sum can be less than the previous minimum, because sums only grow. */
CT_TARGET static void CT_NAME(min_sqdist)(const double *x, int d, const double *q, double *sq)
{
    for (int part = 0; part < CT_LANES; part += 2 * CT_WIDTH) {
        VEC s0 = {0}, s1 = {0}, m0 = LOAD(sq + part), m1 = LOAD(sq + part + CT_WIDTH);
        for (int j = 0; j < d;) {
            for (int stop = CT_STOP(j, d); j < stop; j++) {
                const double *at = x + (size_t)j * CT_LANES + part;
                VEC g0 = LOAD(at) - q[j], g1 = LOAD(at + CT_WIDTH) - q[j];
                s0 += g0 * g0;
                s1 += g1 * g1;
            }
            if (j < d && (CT_DWITHIN(m0, s0) & CT_DWITHIN(m1, s1)) == (1u << CT_WIDTH) - 1)
                break;
        }
        MASK n0 = (MASK)(s0 < m0), n1 = (MASK)(s1 < m1);
        STORE(sq + part, (VEC)(((MASK)s0 & n0) | ((MASK)m0 & ~n0)));
        STORE(sq + part + CT_WIDTH, (VEC)(((MASK)s1 & n1) | ((MASK)m1 & ~n1)));
    }
}

/* The largest value first, across vectors and then across lanes; a second pass compares each
 * value with it. */
CT_TARGET static unsigned CT_NAME(largest)(const double *x)
{
    VEC most = LOAD(x);
    for (int part = CT_WIDTH; part < CT_LANES; part += CT_WIDTH) {
        VEC other = LOAD(x + part);
        MASK more = (MASK)(other > most);
        most = (VEC)(((MASK)other & more) | ((MASK)most & ~more));
    }
    double one = most[0];
    for (int lane = 1; lane < CT_WIDTH; lane++)
        one = most[lane] > one ? most[lane] : one;
    const VEC all = one - (VEC){0};
    unsigned within = 0;
    for (int part = 0; part < CT_LANES; part += CT_WIDTH)
        within |= CT_DWITHIN(all, LOAD(x + part)) << part;
    return within;
}

/* ---- the table -------------------------------------------------------------- */

/* The kernels of the set; `sums` names those that compute norms. */
#define CT_TABLE(sums, unfused, manhattan, chebyshev)                                              \
    {                                                                                              \
        CT_LABEL, unfused, manhattan, chebyshev, CT_NAME(sqdist), CT_NAME(rank),                   \
            CT_NAME(rank_nearly_sorted), CT_NAME(find_threshold_f64), CT_NAME(find_threshold),     \
            CT_NAME(compact), sums(scan_tile), sums(scan_tile_group), CT_NAME(half_squares),       \
            CT_NAME(pair_products), CT_NAME(mutual_products), sums(boxes_within),                  \
            sums(pack_boxes), sums(list_packed), sums(move_within), sums(scan_tiles),              \
            sums(insert_tile), sums(collect_nearby), CT_NAME(order_candidates), sums(scan_nearby), \
            CT_NAME(boxes_nearer), CT_NAME(min_sqdist), CT_NAME(largest), CT_NAME(assign_nearer),  \
            CT_NAME(box), CT_NAME(compare_f64),                                                    \
    }
#define CT_EUCLIDEAN_TABLE(sums, unfused)                                                          \
    CT_TABLE(sums, unfused, &CT_MANHATTAN_NAME(kernels), &CT_CHEBYSHEV_NAME(kernels))

static const struct ct_kernels CT_MANHATTAN_NAME(kernels) = CT_TABLE(CT_MANHATTAN_NAME,
                                                                     &CT_MANHATTAN_NAME(kernels),
                                                                     NULL, NULL);
static const struct ct_kernels CT_CHEBYSHEV_NAME(kernels) = CT_TABLE(CT_CHEBYSHEV_NAME,
                                                                     &CT_CHEBYSHEV_NAME(kernels),
                                                                     NULL, NULL);
#ifdef CT_UNFUSED
static const struct ct_kernels CT_UNFUSED(kernels) = CT_EUCLIDEAN_TABLE(CT_UNFUSED,
                                                                        &CT_UNFUSED(kernels));
static const struct ct_kernels CT_NAME(kernels) = CT_EUCLIDEAN_TABLE(CT_NAME, &CT_UNFUSED(kernels));
#else
static const struct ct_kernels CT_NAME(kernels) = CT_EUCLIDEAN_TABLE(CT_NAME, &kernels_base);
#endif

#undef CT_EUCLIDEAN_TABLE
#undef CT_MANHATTAN_NAME
#undef CT_CHEBYSHEV_NAME
#undef CT_FABS
#undef CT_LARGER
#undef CT_TABLE
#undef CT_UNFUSED
#undef VEC
#undef MASK
#undef FVEC
#undef FMASK
#undef LOAD
#undef STORE
#undef FLOAD
#undef FSTORE
#undef FWIDTH
#undef CT_LABEL
#undef CT_NAME
#undef CT_TARGET
#undef CT_WIDTH
#undef CT_FLOAT_NEON
#undef CT_FMA
#undef CT_FSPLAT
#undef CT_FMAX
#undef CT_FMIN
#undef CT_SMALLER_SQUARE
#undef CT_COUNT_BELOW
#undef CT_LARGER_SQUARE
#undef CT_WITHIN
#undef CT_DWITHIN
#undef CT_COUNT
#undef CT_PACK
#undef CT_ELIGIBLE
#undef CT_SET_INTS
#undef CT_SCALED
#undef CT_QUERIES_IN_REGISTERS
