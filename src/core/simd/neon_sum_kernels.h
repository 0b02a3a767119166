/* neon_sum_kernels.h: the float32 kernels that compute norms, for 64-bit ARM.
 *
 * euclid_kernels.h includes this file with the same macros as sum_kernels.h, which says what they
 * mean. No include guard, on purpose.
 */

/* Adds the gaps of one coordinate between the points of a tile and a query: q holds the coordinate
 * of the query in each lane. */
static inline struct lanes CT_SUMS(add_gaps)(struct lanes sum, struct lanes x, float32x4_t q)
{
    struct lanes gap = {CT_GAP(vsubq_f32(x.a, q)), CT_GAP(vsubq_f32(x.b, q)),
                        CT_GAP(vsubq_f32(x.c, q)), CT_GAP(vsubq_f32(x.d, q))};
    return (struct lanes){CT_ADD_GAP(gap.a, sum.a), CT_ADD_GAP(gap.b, sum.b),
                          CT_ADD_GAP(gap.c, sum.c), CT_ADD_GAP(gap.d, sum.d)};
}

/* The squared norms, by the sums over all coordinates. */
static inline struct lanes CT_SUMS(squared)(struct lanes sum)
{
    return (struct lanes){CT_SQUARED(sum.a), CT_SQUARED(sum.b), CT_SQUARED(sum.c),
                          CT_SQUARED(sum.d)};
}

/* All 16 points at a time: the four chains of additions overlap. The tile ends early once the
 * least sum, which is NaN only if all are, exceeds the threshold. */
static int CT_SUMS(scan_tile)(const float *tile, int d, const float *q, const int *row, int pos,
                              struct ct_candidates *list)
{
    struct lanes sum = {0}, sq = {0};
    for (int j = 0; j < d;) {
        for (int stop = CT_STOP(j, d); j < stop; j++)
            sum = CT_SUMS(add_gaps)(sum, load_lanes(tile + j * CT_LANES), vdupq_n_f32(q[j]));
        sq = CT_SUMS(squared)(sum);
        if (!within_four(least_four(sq), vdupq_n_f32(list->threshold)))
            return 0;
    }
    return append_lanes(list, sq, row, pos);
}

/* Scans a tile for half of a group: the sums of four queries fill 16 of the 32 registers. One
 * comparison of the four least sums decides for most tiles that no query has a candidate.
 * Returns a bit for each query with a full buffer. */
static inline unsigned CT_SUMS(scan_half_group)(const float *tile, int d, const float *q,
                                                const int *row, int pos,
                                                struct ct_candidates *const *list)
{
    struct lanes s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
    for (int j = 0; j < d; j++) {
        struct lanes x = load_lanes(tile + j * CT_LANES);
        float32x4_t at = vld1q_f32(q + j * CT_GROUP);
        s0 = CT_SUMS(add_gaps)(s0, x, vdupq_laneq_f32(at, 0));
        s1 = CT_SUMS(add_gaps)(s1, x, vdupq_laneq_f32(at, 1));
        s2 = CT_SUMS(add_gaps)(s2, x, vdupq_laneq_f32(at, 2));
        s3 = CT_SUMS(add_gaps)(s3, x, vdupq_laneq_f32(at, 3));
    }
    s0 = CT_SUMS(squared)(s0);
    s1 = CT_SUMS(squared)(s1);
    s2 = CT_SUMS(squared)(s2);
    s3 = CT_SUMS(squared)(s3);
    float32x4_t limit = {list[0]->threshold, list[1]->threshold, list[2]->threshold,
                         list[3]->threshold};
    float32x4_t least = vpminnmq_f32(vpminnmq_f32(least_four(s0), least_four(s1)),
                                     vpminnmq_f32(least_four(s2), least_four(s3)));
    uint64_t within = within_four(least, limit);
    unsigned full = 0;
    if (!within)
        return full;
    if (within & 0xffff)
        full |= (unsigned)append_lanes(list[0], s0, row, pos);
    if (within >> 16 & 0xffff)
        full |= (unsigned)append_lanes(list[1], s1, row, pos) << 1;
    if (within >> 32 & 0xffff)
        full |= (unsigned)append_lanes(list[2], s2, row, pos) << 2;
    if (within >> 48)
        full |= (unsigned)append_lanes(list[3], s3, row, pos) << 3;
    return full;
}

/* Two halves: eight queries would not fit in the registers. */
static unsigned CT_SUMS(scan_tile_group)(const float *tile, int d, const float *q, const int *row,
                                         int pos, struct ct_candidates *const *list)
{
    unsigned full = CT_SUMS(scan_half_group)(tile, d, q, row, pos, list);
    return full | CT_SUMS(scan_half_group)(tile, d, q + 4, row, pos, list + 4) << 4;
}

/* Adds the gaps of one coordinate, between four boxes and the queries' box. */
static inline float32x4_t CT_SUMS(add_gap)(float32x4_t sum, const float *lower, const float *upper,
                                           float32x4_t q_lower, float32x4_t q_upper)
{
    float32x4_t below = vsubq_f32(vld1q_f32(lower), q_upper);
    float32x4_t above = vsubq_f32(q_lower, vld1q_f32(upper));
    float32x4_t gap = vmaxnmq_f32(vmaxnmq_f32(below, above), vdupq_n_f32(0));
    return CT_ADD_GAP(gap, sum);
}

/* Eight boxes at a time, in two chains of additions that overlap. */
static int CT_SUMS(boxes_within)(const float *lower, const float *upper, size_t stride, int d,
                                 int count, const float *q_lower, const float *q_upper,
                                 float threshold, int *number, float *sq)
{
    const float32x4_t most = vdupq_n_f32(threshold);
    int found = 0;
    for (int i = 0; i < count; i += 8) {
        float32x4_t sum = vdupq_n_f32(0), next = sum;
        for (int j = 0; j < d;) {
            for (int stop = CT_STOP(j, d); j < stop; j++) {
                size_t at = (size_t)i + j * stride;
                float32x4_t low = vdupq_n_f32(q_lower[j]), high = vdupq_n_f32(q_upper[j]);
                sum = CT_SUMS(add_gap)(sum, lower + at, upper + at, low, high);
                next = CT_SUMS(add_gap)(next, lower + at + 4, upper + at + 4, low, high);
            }
            if (j < d && !within_four(CT_SQUARED(vminnmq_f32(sum, next)), most))
                break;
        }
        sum = CT_SQUARED(sum);
        next = CT_SQUARED(next);
        uint16x8_t both =
            vcombine_u16(vmovn_u32(vcleq_f32(sum, most)), vmovn_u32(vcleq_f32(next, most)));
        uint64_t within = vget_lane_u64(vreinterpret_u64_u8(vmovn_u16(both)), 0);
        if (count - i < 8)
            within &= ((uint64_t)1 << 8 * (count - i)) - 1;
        float sums[8];
        vst1q_f32(sums, sum);
        vst1q_f32(sums + 4, next);
        for (within &= 0x0101010101010101u; within; within &= within - 1) {
            int lane = __builtin_ctzll(within) / 8;
            number[found] = i + lane;
            sq[found++] = sums[lane];
        }
    }
    return found;
}
