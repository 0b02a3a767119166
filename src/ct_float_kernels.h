/* ct_float_kernels.h: the kernels in float, written once for any vector width.
 *
 * ct_kernels.h includes this file; what it needs to be defined is listed there. No
 * include guard, on purpose.
 */

/* What lies beyond the list, up to a whole tile, must be above the limit. */
CT_TARGET static inline int CT_NAME(count_near)(const struct ct_near *near, float limit)
{
    int sum = 0;
    const FVEC most = CT_FSPLAT(limit);
    for (int i = 0; i < near->count; i += FWIDTH)
        sum += CT_COUNT(CT_WITHIN(FLOAD(near->sq + i), most));
    return sum;
}

/* Keeps those of a vector whose bits are set, packed, at the end of the list. */
CT_TARGET static inline void CT_NAME(append)(struct ct_near *near, unsigned within, FVEC sq,
                                             FMASK pos)
{
    CT_PACK(near->sq + near->count, near->pos + near->count, within, sq, pos);
    near->count += CT_COUNT(within);
}

CT_TARGET static void CT_NAME(keep_near)(struct ct_near *near, float limit)
{
    int count = near->count;
    const FVEC most = CT_FSPLAT(limit);
    near->count = 0;
    for (int i = 0; i < count; i += FWIDTH) {
        FVEC sq = FLOAD(near->sq + i);
        unsigned within = CT_WITHIN(sq, most);
        if (count - i < FWIDTH)
            within &= (1u << (count - i)) - 1;
        CT_NAME(append)(near, within, sq, *(const FMASK *)(near->pos + i));
    }
}

/* Takes in those of a vector of points whose bits are set. */
CT_TARGET static inline void CT_NAME(take)(struct ct_near *near, unsigned within, FVEC sq,
                                           const int *row, int pos)
{
    static const int places[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    CT_NAME(append)(near, CT_WANTED(within, row, near), sq, *(const FMASK *)places + pos);
}

CT_TARGET static int CT_NAME(tile_meet)(const float *tile, int d, const float *q, const int *row,
                                        int pos, struct ct_near *near)
{
    const FVEC most = CT_FSPLAT(near->limit);
    for (int part = 0; part < CT_LANES; part += FWIDTH) {
        FVEC sum = {0};
        for (int j = 0; j < d;) {
            for (int stop = CT_STOP(j, d); j < stop; j++) {
                FVEC gap = FLOAD(tile + j * CT_LANES + part) - CT_FSPLAT(q[j]);
                sum = CT_FMA(gap, gap, sum);
            }
            if (j < d && !CT_WITHIN(sum, most))
                break;
        }
        unsigned within = CT_WITHIN(sum, most);
        if (within)
            CT_NAME(take)(near, within, sum, row + part, pos + part);
    }
    return near->count >= near->full;
}

#define CT_MEMBER(i, sum)                                                                          \
    if ((within = CT_WITHIN(sum, CT_FSPLAT(near[i]->limit))))                                      \
    CT_NAME(take)(near[i], within, sum, row + part, pos + part)

CT_TARGET static unsigned CT_NAME(team_meet)(const float *tile, int d, const float *q,
                                             const int *row, int pos, struct ct_near *const *near)
{
    const FVEC zero = {0};
    unsigned within, full = 0;
    for (int part = 0; part < CT_LANES; part += FWIDTH) {
        FVEC s0 = zero, s1 = zero, s2 = zero, s3 = zero, s4 = zero, s5 = zero, s6 = zero, s7 = zero;
        for (int j = 0; j < d; j++) {
            const float *at = q + j * CT_TEAM;
            FVEC x = FLOAD(tile + j * CT_LANES + part), gap;
            gap = x - CT_FSPLAT(at[0]), s0 = CT_FMA(gap, gap, s0);
            gap = x - CT_FSPLAT(at[1]), s1 = CT_FMA(gap, gap, s1);
            gap = x - CT_FSPLAT(at[2]), s2 = CT_FMA(gap, gap, s2);
            gap = x - CT_FSPLAT(at[3]), s3 = CT_FMA(gap, gap, s3);
            gap = x - CT_FSPLAT(at[4]), s4 = CT_FMA(gap, gap, s4);
            gap = x - CT_FSPLAT(at[5]), s5 = CT_FMA(gap, gap, s5);
            gap = x - CT_FSPLAT(at[6]), s6 = CT_FMA(gap, gap, s6);
            gap = x - CT_FSPLAT(at[7]), s7 = CT_FMA(gap, gap, s7);
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
    for (int i = 0; i < CT_TEAM; i++)
        full |= (unsigned)(near[i]->count >= near[i]->full) << i;
    return full;
}

#undef CT_MEMBER

CT_TARGET static int CT_NAME(boxes_within)(const float *lower, const float *upper, size_t stride,
                                           int d, int count, const float *q_lower,
                                           const float *q_upper, float limit, int *number,
                                           float *sq)
{
    int found = 0;
    const FVEC zero = {0}, most = CT_FSPLAT(limit);
    for (int i = 0; i < count; i += FWIDTH) {
        FVEC sum = {0};
        for (int j = 0; j < d;) {
            for (int stop = CT_STOP(j, d); j < stop; j++) {
                FVEC below = FLOAD(lower + i + j * stride) - CT_FSPLAT(q_upper[j]);
                FVEC above = CT_FSPLAT(q_lower[j]) - FLOAD(upper + i + j * stride);
                FVEC gap = CT_FMAX(CT_FMAX(below, above), zero);
                sum = CT_FMA(gap, gap, sum);
            }
            if (j < d && !CT_WITHIN(sum, most))
                break;
        }
        unsigned within = CT_WITHIN(sum, most);
        if (count - i < FWIDTH)
            within &= (1u << (count - i)) - 1;
        float sums[FWIDTH];
        FSTORE(sums, sum);
        for (; within; within &= within - 1) {
            int lane = __builtin_ctz(within);
            number[found] = i + lane;
            sq[found++] = sums[lane];
        }
    }
    return found;
}
