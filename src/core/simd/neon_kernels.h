/* neon_kernels.h: the kernels in float for 64-bit ARM, a whole tile at a time.
 *
 * NEON has no mask registers: bits cost several instructions. So the 16 points of a
 * tile are compared in four vectors, their outcomes are narrowed to four bits a point in
 * one 64-bit number, and most tiles end there. euclid_kernels.h includes this file instead
 * of float_kernels.h. No include guard, on purpose.
 */

/* 16 floats, as many as a tile has points. */
struct lanes {
    float32x4_t a, b, c, d;
};

static inline struct lanes load_lanes(const float *p)
{
    return (struct lanes){vld1q_f32(p), vld1q_f32(p + 4), vld1q_f32(p + 8), vld1q_f32(p + 12)};
}

static inline struct lanes add_square(struct lanes sum, struct lanes x, float32x4_t q)
{
    struct lanes gap = {vsubq_f32(x.a, q), vsubq_f32(x.b, q), vsubq_f32(x.c, q), vsubq_f32(x.d, q)};
    return (struct lanes){vfmaq_f32(sum.a, gap.a, gap.a), vfmaq_f32(sum.b, gap.b, gap.b),
                          vfmaq_f32(sum.c, gap.c, gap.c), vfmaq_f32(sum.d, gap.d, gap.d)};
}

/* In each lane the least of four; numbers, where there are such. */
static inline float32x4_t least_four(struct lanes x)
{
    return vminnmq_f32(vminnmq_f32(x.a, x.b), vminnmq_f32(x.c, x.d));
}

/* Four bits for each of 16 floats that is at most the limit. */
static inline uint64_t within_lanes(struct lanes x, float32x4_t limit)
{
    uint16x8_t ab = vuzp1q_u16(vreinterpretq_u16_u32(vcleq_f32(x.a, limit)),
                               vreinterpretq_u16_u32(vcleq_f32(x.b, limit)));
    uint16x8_t cd = vuzp1q_u16(vreinterpretq_u16_u32(vcleq_f32(x.c, limit)),
                               vreinterpretq_u16_u32(vcleq_f32(x.d, limit)));
    uint8x16_t all = vuzp1q_u8(vreinterpretq_u8_u16(ab), vreinterpretq_u8_u16(cd));
    return vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(all), 4)), 0);
}

/* Sixteen bits for each of four floats that is at most the limit. */
static inline uint64_t within_four(float32x4_t x, float32x4_t limit)
{
    return vget_lane_u64(vreinterpret_u64_u16(vmovn_u32(vcleq_f32(x, limit))), 0);
}

/* Negative counts, lane by lane, of 16 floats that are at most the limit. */
static inline uint32x4_t minus_within(struct lanes x, float32x4_t limit)
{
    return vaddq_u32(vaddq_u32(vcleq_f32(x.a, limit), vcleq_f32(x.b, limit)),
                     vaddq_u32(vcleq_f32(x.c, limit), vcleq_f32(x.d, limit)));
}

/* What lies beyond the list, up to a whole tile, must be above the limit. */
static inline int CT_NAME(count_near)(const struct ct_near *near, float limit)
{
    uint32x4_t sum = vdupq_n_u32(0);
    for (int i = 0; i < near->count; i += CT_LANES)
        sum = vaddq_u32(sum, minus_within(load_lanes(near->sq + i), vdupq_n_f32(limit)));
    return -(int)vaddvq_u32(sum);
}

/* Which bytes of a vector make up the numbers whose bits are set, packed. */
#define PLACE(i) 4 * (i), 4 * (i) + 1, 4 * (i) + 2, 4 * (i) + 3
static const uint8_t packing[16][16] = {
    {0},
    {PLACE(0)},
    {PLACE(1)},
    {PLACE(0), PLACE(1)},
    {PLACE(2)},
    {PLACE(0), PLACE(2)},
    {PLACE(1), PLACE(2)},
    {PLACE(0), PLACE(1), PLACE(2)},
    {PLACE(3)},
    {PLACE(0), PLACE(3)},
    {PLACE(1), PLACE(3)},
    {PLACE(0), PLACE(1), PLACE(3)},
    {PLACE(2), PLACE(3)},
    {PLACE(0), PLACE(2), PLACE(3)},
    {PLACE(1), PLACE(2), PLACE(3)},
    {PLACE(0), PLACE(1), PLACE(2), PLACE(3)},
};
#undef PLACE

/* Numbers are packed four at a time: vectors beyond the list may hold anything. */
static void CT_NAME(keep_near)(struct ct_near *near, float limit)
{
    static const uint8_t bits[16] = {0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4};
    static const uint32_t values[] = {1, 2, 4, 8}, places[] = {0, 1, 2, 3};
    const uint32x4_t value = vld1q_u32(values), place = vld1q_u32(places);
    int count = near->count, kept = 0;
    for (int i = 0; i < count; i += 4) {
        float32x4_t sq = vld1q_f32(near->sq + i);
        uint32x4_t within = vcleq_f32(sq, vdupq_n_f32(limit));
        within = vandq_u32(within, vcltq_u32(place, vdupq_n_u32((uint32_t)(count - i))));
        uint32_t which = vaddvq_u32(vandq_u32(within, value));
        uint8x16_t from = vld1q_u8(packing[which]);
        uint8x16_t pos = vreinterpretq_u8_s32(vld1q_s32(near->pos + i));
        vst1q_f32(near->sq + kept,
                  vreinterpretq_f32_u8(vqtbl1q_u8(vreinterpretq_u8_f32(sq), from)));
        vst1q_s32(near->pos + kept, vreinterpretq_s32_u8(vqtbl1q_u8(pos, from)));
        kept += bits[which];
    }
    near->count = kept;
}

/* Takes in those of a tile's points that are within the limit, and wanted. Returns
 * whether the list is full. */
static inline int take_lanes(struct ct_near *near, struct lanes sum, const int *row, int pos)
{
    uint64_t within = within_lanes(sum, vdupq_n_f32(near->limit)) & 0x1111111111111111u;
    float sums[CT_LANES];
    int count = near->count, self = near->self, last = near->last;
    vst1q_f32(sums, sum.a);
    vst1q_f32(sums + 4, sum.b);
    vst1q_f32(sums + 8, sum.c);
    vst1q_f32(sums + 12, sum.d);
    for (; within; within &= within - 1) {
        int lane = __builtin_ctzll(within) / 4;
        near->sq[count] = sums[lane];
        near->pos[count] = pos + lane;
        count += (row[lane] <= last) & (row[lane] != self);
    }
    near->count = count;
    return count >= near->full;
}

static int CT_NAME(tile_meet)(const float *tile, int d, const float *q, const int *row, int pos,
                              struct ct_near *near)
{
    struct lanes sum = {0};
    for (int j = 0; j < d;) {
        for (int stop = CT_STOP(j, d); j < stop; j++)
            sum = add_square(sum, load_lanes(tile + j * CT_LANES), vdupq_n_f32(q[j]));
        if (!within_four(least_four(sum), vdupq_n_f32(near->limit)))
            return 0;
    }
    return take_lanes(near, sum, row, pos);
}

/* Half of a team: the sums for a tile fill 16 of the 32 registers. */
static inline unsigned half_meet(const float *tile, int d, const float *q, const int *row, int pos,
                                 struct ct_near *const *near)
{
    struct lanes s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
    for (int j = 0; j < d; j++) {
        struct lanes x = load_lanes(tile + j * CT_LANES);
        float32x4_t at = vld1q_f32(q + j * CT_TEAM);
        s0 = add_square(s0, x, vdupq_laneq_f32(at, 0));
        s1 = add_square(s1, x, vdupq_laneq_f32(at, 1));
        s2 = add_square(s2, x, vdupq_laneq_f32(at, 2));
        s3 = add_square(s3, x, vdupq_laneq_f32(at, 3));
    }
    float32x4_t limit = {near[0]->limit, near[1]->limit, near[2]->limit, near[3]->limit};
    float32x4_t least = vpminnmq_f32(vpminnmq_f32(least_four(s0), least_four(s1)),
                                     vpminnmq_f32(least_four(s2), least_four(s3)));
    uint64_t which = within_four(least, limit);
    unsigned full = 0;
    if (!which)
        return full;
    if (which & 0xffff)
        full |= (unsigned)take_lanes(near[0], s0, row, pos);
    if (which >> 16 & 0xffff)
        full |= (unsigned)take_lanes(near[1], s1, row, pos) << 1;
    if (which >> 32 & 0xffff)
        full |= (unsigned)take_lanes(near[2], s2, row, pos) << 2;
    if (which >> 48)
        full |= (unsigned)take_lanes(near[3], s3, row, pos) << 3;
    return full;
}

static unsigned CT_NAME(team_meet)(const float *tile, int d, const float *q, const int *row,
                                   int pos, struct ct_near *const *near)
{
    unsigned full = half_meet(tile, d, q, row, pos, near);
    return full | half_meet(tile, d, q + 4, row, pos, near + 4) << 4;
}

static inline float32x4_t add_gap(float32x4_t sum, const float *lower, const float *upper,
                                  float32x4_t q_lower, float32x4_t q_upper)
{
    float32x4_t below = vsubq_f32(vld1q_f32(lower), q_upper);
    float32x4_t above = vsubq_f32(q_lower, vld1q_f32(upper));
    float32x4_t gap = vmaxnmq_f32(vmaxnmq_f32(below, above), vdupq_n_f32(0));
    return vfmaq_f32(sum, gap, gap);
}

static int CT_NAME(boxes_within)(const float *lower, const float *upper, size_t stride, int d,
                                 int count, const float *q_lower, const float *q_upper, float limit,
                                 int *number, float *sq)
{
    const float32x4_t most = vdupq_n_f32(limit);
    int found = 0;
    for (int i = 0; i < count; i += 8) {
        float32x4_t sum = vdupq_n_f32(0), next = sum;
        for (int j = 0; j < d;) {
            for (int stop = CT_STOP(j, d); j < stop; j++) {
                size_t at = (size_t)i + j * stride;
                float32x4_t low = vdupq_n_f32(q_lower[j]), high = vdupq_n_f32(q_upper[j]);
                sum = add_gap(sum, lower + at, upper + at, low, high);
                next = add_gap(next, lower + at + 4, upper + at + 4, low, high);
            }
            if (j < d && !within_four(vminnmq_f32(sum, next), most))
                break;
        }
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
