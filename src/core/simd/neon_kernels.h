/* neon_kernels.h: the float32 kernels of a candidate buffer, for 64-bit ARM.
 *
 * NEON has no mask registers, and a bit per lane costs several instructions. So the 16
 * points of a tile are compared in four vectors, the outcomes are narrowed to four bits per
 * point of one 64-bit number, and for most tiles this number is 0. euclid_kernels.h
 * includes this file in place of float_kernels.h, and neon_sum_kernels.h in place of
 * sum_kernels.h. No include guard, on purpose.
 */

/* CT_LANES floats in four registers: one float per point of a tile. */
struct lanes {
    float32x4_t a, b, c, d;
};

/* Loads CT_LANES floats from any address. */
static inline struct lanes load_lanes(const float *p)
{
    return (struct lanes){vld1q_f32(p), vld1q_f32(p + 4), vld1q_f32(p + 8), vld1q_f32(p + 12)};
}

/* Returns the least of four values in each lane; NaN only where all four are NaN. */
static inline float32x4_t least_four(struct lanes x)
{
    return vminnmq_f32(vminnmq_f32(x.a, x.b), vminnmq_f32(x.c, x.d));
}

/* Returns four bits for each of 16 floats, set where it is at most the limit: outcomes of 32
 * bits per lane lose their upper halves twice (uzp1), and a shift that narrows keeps four of
 * the remaining eight bits. */
static inline uint64_t within_lanes(struct lanes x, float32x4_t limit)
{
    uint16x8_t ab = vuzp1q_u16(vreinterpretq_u16_u32(vcleq_f32(x.a, limit)),
                               vreinterpretq_u16_u32(vcleq_f32(x.b, limit)));
    uint16x8_t cd = vuzp1q_u16(vreinterpretq_u16_u32(vcleq_f32(x.c, limit)),
                               vreinterpretq_u16_u32(vcleq_f32(x.d, limit)));
    uint8x16_t all = vuzp1q_u8(vreinterpretq_u8_u16(ab), vreinterpretq_u8_u16(cd));
    return vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(all), 4)), 0);
}

/* Returns sixteen bits for each of four floats, set where it is at most the limit: enough to
 * tell whether any of them is, and which. */
static inline uint64_t within_four(float32x4_t x, float32x4_t limit)
{
    return vget_lane_u64(vreinterpret_u64_u16(vmovn_u32(vcleq_f32(x, limit))), 0);
}

/* Returns, negated and lane by lane, how many of 16 floats are at most the limit: a comparison
 * that holds is -1 as an integer. */
static inline uint32x4_t minus_within(struct lanes x, float32x4_t limit)
{
    return vaddq_u32(vaddq_u32(vcleq_f32(x.a, limit), vcleq_f32(x.b, limit)),
                     vaddq_u32(vcleq_f32(x.c, limit), vcleq_f32(x.d, limit)));
}

/* Returns how many of sq are at most the threshold. Reads up to the next whole tile, whose
 * values must be above it. */
static inline int CT_NAME(count_within_f32)(const float *sq, int count, float threshold)
{
    uint32x4_t sum = vdupq_n_u32(0);
    for (int i = 0; i < count; i += CT_LANES)
        sum = vaddq_u32(sum, minus_within(load_lanes(sq + i), vdupq_n_f32(threshold)));
    return -(int)vaddvq_u32(sum);
}

/* packing[bits]: the bytes of a vector that hold the lanes whose bits are set, packed. */
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

/* Four candidates at a time: a table look-up by the bits moves the candidates kept to the
 * front of a vector. A store may overwrite a vector beyond the candidates kept, which the
 * loop has already read. */
static void CT_NAME(compact)(struct ct_candidates *list, float threshold)
{
    static const uint8_t bits[16] = {0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4};
    static const uint32_t values[] = {1, 2, 4, 8}, places[] = {0, 1, 2, 3};
    const uint32x4_t value = vld1q_u32(values), place = vld1q_u32(places);
    int count = list->count, kept = 0;
    for (int i = 0; i < count; i += 4) {
        float32x4_t sq = vld1q_f32(list->sq + i);
        uint32x4_t within = vcleq_f32(sq, vdupq_n_f32(threshold));
        within = vandq_u32(within, vcltq_u32(place, vdupq_n_u32((uint32_t)(count - i))));
        uint32_t which = vaddvq_u32(vandq_u32(within, value));
        uint8x16_t from = vld1q_u8(packing[which]);
        uint8x16_t pos = vreinterpretq_u8_s32(vld1q_s32(list->pos + i));
        vst1q_f32(list->sq + kept,
                  vreinterpretq_f32_u8(vqtbl1q_u8(vreinterpretq_u8_f32(sq), from)));
        vst1q_s32(list->pos + kept, vreinterpretq_s32_u8(vqtbl1q_u8(pos, from)));
        kept += bits[which];
    }
    list->count = kept;
}

/* Appends the points of a tile that are within the threshold and have an eligible row. Every
 * point within the threshold is stored at the end of the buffer; the count grows only if the
 * row is eligible, so that no branch depends on rows. Returns whether the buffer is full. */
static inline int append_lanes(struct ct_candidates *list, struct lanes sum, const int *row,
                               int pos)
{
    uint64_t within = within_lanes(sum, vdupq_n_f32(list->threshold)) & 0x1111111111111111u;
    float sums[CT_LANES];
    int count = list->count, skip_row = list->skip_row, max_row = list->max_row;
    vst1q_f32(sums, sum.a);
    vst1q_f32(sums + 4, sum.b);
    vst1q_f32(sums + 8, sum.c);
    vst1q_f32(sums + 12, sum.d);
    for (; within; within &= within - 1) {
        int lane = __builtin_ctzll(within) / 4;
        list->sq[count] = sums[lane];
        list->pos[count] = pos + lane;
        count += (row[lane] <= max_row) & (row[lane] != skip_row);
    }
    list->count = count;
    return count >= list->capacity;
}
