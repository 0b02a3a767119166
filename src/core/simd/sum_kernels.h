/* sum_kernels.h: the float32 kernels that compute norms, for any vector width.
 *
 * euclid_kernels.h includes this file once for each norm of an instruction set, having defined
 *   CT_SUMS(f)            the name of f,
 *   CT_GAP(difference)    the gap of two coordinates by their difference,
 *   CT_ADD_GAP(gap, sum)  the sum with another gap; for the Euclidean norm gap * gap + sum, fused
 *                         or not; for the Chebyshev norm the larger of the two,
 *   CT_SQUARED(sum)       the squared norm, by the sum over all coordinates,
 * beside what it lists itself. With CT_ADD_GAP not fused every instruction set rounds in the same
 * way, so that a budget or an epsilon gives the same answer on every processor. Sums never fall,
 * and are NaN if a gap is NaN. No include guard, on purpose.
 */

/* Most tiles of a single query fail on the first coordinates: a vector of points ends early
 * once no sum can pass, because sums only grow. CT_STOP says after how many coordinates to
 * compare. Absent points of a tile have NaN coordinates; comparisons with NaN are false, so
 * that absent points never pass. */
CT_TARGET static int CT_SUMS(scan_tile)(const float *tile, int d, const float *q, const int *row,
                                        int pos, struct ct_candidates *list)
{
    const FVEC most = CT_FSPLAT(list->threshold);
    for (int part = 0; part < CT_LANES; part += FWIDTH) {
        FVEC sum = {0};
        for (int j = 0; j < d;) {
            for (int stop = CT_STOP(j, d); j < stop; j++) {
                FVEC gap = CT_GAP(FLOAD(tile + j * CT_LANES + part) - CT_FSPLAT(q[j]));
                sum = CT_ADD_GAP(gap, sum);
            }
            if (j < d && !CT_WITHIN(CT_SQUARED(sum), most))
                break;
        }
        const FVEC sq = CT_SQUARED(sum);
        unsigned within = CT_WITHIN(sq, most);
        if (within)
            CT_NAME(append_eligible)(list, within, sq, row + part, pos + part);
    }
    return list->count >= list->capacity;
}

/* Appends the points of the current vector within the threshold of query i. The branch is
 * rarely taken: most tiles hold no candidate of most queries. */
#define CT_MEMBER(i, sum)                                                                          \
    sq = CT_SQUARED(sum);                                                                          \
    if ((within = CT_WITHIN(sq, CT_FSPLAT(list[i]->threshold))))                                   \
    CT_NAME(append_eligible)(list[i], within, sq, row + part, pos + part)

/* The sums of eight queries stay in registers during the loop over coordinates: one load of
 * the tile serves eight queries, and eight independent chains of additions overlap. A group
 * does not end early: one of its queries usually needs all coordinates. */
CT_TARGET static unsigned CT_SUMS(scan_tile_group)(const float *tile, int d, const float *q,
                                                   const int *row, int pos,
                                                   struct ct_candidates *const *list)
{
    const FVEC zero = {0};
    FVEC sq;
    unsigned within, full = 0;
    for (int part = 0; part < CT_LANES; part += FWIDTH) {
        FVEC s0 = zero, s1 = zero, s2 = zero, s3 = zero, s4 = zero, s5 = zero, s6 = zero, s7 = zero;
        for (int j = 0; j < d; j++) {
            const float *at = q + j * CT_GROUP;
            FVEC x = FLOAD(tile + j * CT_LANES + part), gap;
            gap = CT_GAP(x - CT_FSPLAT(at[0])), s0 = CT_ADD_GAP(gap, s0);
            gap = CT_GAP(x - CT_FSPLAT(at[1])), s1 = CT_ADD_GAP(gap, s1);
            gap = CT_GAP(x - CT_FSPLAT(at[2])), s2 = CT_ADD_GAP(gap, s2);
            gap = CT_GAP(x - CT_FSPLAT(at[3])), s3 = CT_ADD_GAP(gap, s3);
            gap = CT_GAP(x - CT_FSPLAT(at[4])), s4 = CT_ADD_GAP(gap, s4);
            gap = CT_GAP(x - CT_FSPLAT(at[5])), s5 = CT_ADD_GAP(gap, s5);
            gap = CT_GAP(x - CT_FSPLAT(at[6])), s6 = CT_ADD_GAP(gap, s6);
            gap = CT_GAP(x - CT_FSPLAT(at[7])), s7 = CT_ADD_GAP(gap, s7);
        }
        CT_MEMBER(0, s0);
        CT_MEMBER(1, s1);
        CT_MEMBER(2, s2);
        CT_MEMBER(3, s3);
        CT_MEMBER(4, s4);
        CT_MEMBER(5, s5);
        CT_MEMBER(6, s6);
        CT_MEMBER(7, s7);
    }
    for (int i = 0; i < CT_GROUP; i++)
        full |= (unsigned)(list[i]->count >= list[i]->capacity) << i;
    return full;
}

#undef CT_MEMBER

/* The gap to a box, per coordinate, is the larger of the two differences, or 0 if both are
 * negative. A vector of boxes ends early like a vector of points. */
CT_TARGET static int CT_SUMS(boxes_within)(const float *lower, const float *upper, size_t stride,
                                           int d, int count, const float *q_lower,
                                           const float *q_upper, float threshold, int *number,
                                           float *sq)
{
    int found = 0;
    const FVEC zero = {0}, most = CT_FSPLAT(threshold);
    for (int i = 0; i < count; i += FWIDTH) {
        FVEC sum = {0};
        for (int j = 0; j < d;) {
            for (int stop = CT_STOP(j, d); j < stop; j++) {
                FVEC below = FLOAD(lower + i + j * stride) - CT_FSPLAT(q_upper[j]);
                FVEC above = CT_FSPLAT(q_lower[j]) - FLOAD(upper + i + j * stride);
                FVEC gap = CT_FMAX(CT_FMAX(below, above), zero);
                sum = CT_ADD_GAP(gap, sum);
            }
            if (j < d && !CT_WITHIN(CT_SQUARED(sum), most))
                break;
        }
        const FVEC square = CT_SQUARED(sum);
        unsigned within = CT_WITHIN(square, most);
        if (count - i < FWIDTH)
            within &= (1u << (count - i)) - 1;
        float sums[FWIDTH];
        FSTORE(sums, square);
        for (; within; within &= within - 1) {
            int lane = __builtin_ctz(within);
            number[found] = i + lane;
            sq[found++] = sums[lane];
        }
    }
    return found;
}
