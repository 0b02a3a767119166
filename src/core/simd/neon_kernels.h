/* neon_kernels.h: the kernels in float for 64-bit ARM, a whole tile at a time.
 *
 * NEON has no mask registers: bits cost several instructions. So the 16 points of a
 * tile are compared in four vectors, their outcomes are narrowed to four bits a point in
 * one 64-bit number, and most tiles end there. euclid_kernels.h includes this file instead
 * of float_kernels.h, and neon_sum_kernels.h instead of sum_kernels.h. No include guard,
 * on purpose.
 */

/* 16 floats, as many as a tile has points. */
struct lanes {
    float32x4_t a, b, c, d;
};

static inline struct lanes load_lanes(const float *p)
{
    return (struct lanes){vld1q_f32(p), vld1q_f32(p + 4), vld1q_f32(p + 8), vld1q_f32(p + 12)};
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
static inline int CT_NAME(count_near)(const struct ct_candidates *list, float limit)
{
    uint32x4_t sum = vdupq_n_u32(0);
    for (int i = 0; i < list->count; i += CT_LANES)
        sum = vaddq_u32(sum, minus_within(load_lanes(list->sq + i), vdupq_n_f32(limit)));
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
static void CT_NAME(compact)(struct ct_candidates *list, float limit)
{
    static const uint8_t bits[16] = {0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4};
    static const uint32_t values[] = {1, 2, 4, 8}, places[] = {0, 1, 2, 3};
    const uint32x4_t value = vld1q_u32(values), place = vld1q_u32(places);
    int count = list->count, kept = 0;
    for (int i = 0; i < count; i += 4) {
        float32x4_t sq = vld1q_f32(list->sq + i);
        uint32x4_t within = vcleq_f32(sq, vdupq_n_f32(limit));
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

/* Takes in those of a tile's points that are within the limit, and wanted. Returns
 * whether the list is full. */
static inline int take_lanes(struct ct_candidates *list, struct lanes sum, const int *row, int pos)
{
    uint64_t within = within_lanes(sum, vdupq_n_f32(list->threshold)) & 0x1111111111111111u;
    float sums[CT_LANES];
    int count = list->count, self = list->skip_row, last = list->max_row;
    vst1q_f32(sums, sum.a);
    vst1q_f32(sums + 4, sum.b);
    vst1q_f32(sums + 8, sum.c);
    vst1q_f32(sums + 12, sum.d);
    for (; within; within &= within - 1) {
        int lane = __builtin_ctzll(within) / 4;
        list->sq[count] = sums[lane];
        list->pos[count] = pos + lane;
        count += (row[lane] <= last) & (row[lane] != self);
    }
    list->count = count;
    return count >= list->capacity;
}
