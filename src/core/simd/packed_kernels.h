/* packed_kernels.h: the kernels of search/single_scan.h, for any vector width.
 *
 * euclid_kernels.h includes this file once for each norm of an instruction set, after the file of
 * the sums, with the same macros. No include guard, on purpose.
 */

#ifdef CT_FLOAT_NEON
#define CT_PACK CT_PACK_PLAIN
#define CT_COUNT(bits) __builtin_popcount(bits)
#endif

CT_TARGET static int CT_SUMS(pack_boxes)(const float *lower, const float *upper, size_t stride,
                                         int d, unsigned chosen, int first, const float *q_lower,
                                         const float *q_upper, float threshold,
                                         struct ct_packed_boxes *to)
{
    static const int places[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const FVEC zero = {0}, most = CT_FSPLAT(threshold);
    int count = to->count;
    for (int part = 0; part < CT_LANES; part += FWIDTH) {
        FVEC sum = {0};
        for (int j = 0; j < d; j++) {
            FVEC below = FLOAD(lower + part + j * stride) - CT_FSPLAT(q_upper[j]);
            FVEC above = CT_FSPLAT(q_lower[j]) - FLOAD(upper + part + j * stride);
            FVEC gap = CT_FMAX(CT_FMAX(below, above), zero);
            sum = (FVEC)CT_ADD_GAP(gap, sum);
        }
        const FVEC sq = CT_SQUARED(sum);
        unsigned within = CT_WITHIN(sq, most) & chosen >> part & ((1u << FWIDTH) - 1);
        if (!within)
            continue;
        const FMASK number = *(const FMASK *)(places + part) + first;
        float ignored[FWIDTH];
        CT_PACK(ignored, to->number + count, within, sq, number);
        for (int j = 0; j < d; j++) {
            float *at = to->bounds + (size_t)2 * j * CT_PACKED_STRIDE + count;
            const FVEC low = FLOAD(lower + part + j * stride);
            const FMASK high = *(const FMASK *)(upper + part + j * stride);
            CT_PACK(at, (int *)(at + CT_PACKED_STRIDE), within, low, high);
        }
        count += CT_COUNT(within);
    }
    to->count = count;
    return count > CT_PACKED_BOXES - CT_LANES;
}

/* The gap between a coordinate of the query and an interval is the difference to the nearest value
 * of the interval. */
CT_TARGET static void CT_SUMS(list_packed)(const struct ct_packed_boxes *boxes, int d,
                                           const float *q, float threshold,
                                           struct ct_candidates *list)
{
    const FVEC most = CT_FSPLAT(threshold);
    int found = list->count;
    for (int i = 0; i < boxes->count; i += FWIDTH) {
        const float *at = boxes->bounds + i;
        unsigned present = (1u << FWIDTH) - 1;
        FVEC sum = {0};
        if (boxes->count - i < FWIDTH)
            present = (1u << (boxes->count - i)) - 1;
        for (int j = 0; j < d;) {
            for (int stop = CT_STOP(j, d); j < stop; j++, at += 2 * CT_PACKED_STRIDE) {
                const FVEC x = CT_FSPLAT(q[j]);
                FVEC nearest = CT_FMIN(CT_FMAX(x, FLOAD(at)), FLOAD(at + CT_PACKED_STRIDE));
                FVEC gap = (FVEC)CT_GAP(x - nearest);
                sum = (FVEC)CT_ADD_GAP(gap, sum);
            }
            if (j < d && !(CT_WITHIN(CT_SQUARED(sum), most) & present))
                break;
        }
        const FVEC sq = CT_SQUARED(sum);
        unsigned within = CT_WITHIN(sq, most) & present;
        const FMASK number = *(const FMASK *)(boxes->number + i);
        CT_PACK(list->sq + found, list->pos + found, within, sq, number);
        found += CT_COUNT(within);
    }
    list->count = found;
}

/* The remaining lanes of the list move to places that were read before. */
CT_TARGET static void CT_SUMS(move_within)(struct ct_candidates *list, float threshold,
                                           struct ct_candidates *inside)
{
    const FVEC most = CT_FSPLAT(threshold);
    int count = list->count, kept = 0, moved = 0;
    for (int i = 0; i < count; i += FWIDTH) {
        const FVEC sq = FLOAD(list->sq + i);
        const FMASK pos = *(const FMASK *)(list->pos + i);
        unsigned within = CT_WITHIN(sq, most), all = (1u << FWIDTH) - 1;
        if (count - i < FWIDTH)
            all = (1u << (count - i)) - 1;
        CT_PACK(inside->sq + moved, inside->pos + moved, within & all, sq, pos);
        CT_PACK(list->sq + kept, list->pos + kept, ~within & all, sq, pos);
        moved += CT_COUNT(within & all);
        kept += CT_COUNT(~within & all);
    }
    list->count = kept;
    inside->count = moved;
}

#ifdef CT_FLOAT_NEON

static int CT_SUMS(scan_tiles)(const float *x, const int *begin, const int *row, int d,
                               const float *q, const int *tile, int count,
                               struct ct_candidates *list)
{
    for (int p = 0; p < count; p++)
        if (CT_SUMS(scan_tile)(x + (size_t)tile[p] * d * CT_LANES, d, q, row + begin[tile[p]],
                               begin[tile[p]], list))
            return p + 1;
    return count;
}
#undef CT_PACK
#undef CT_COUNT

#else

CT_TARGET static int CT_SUMS(scan_tiles)(const float *x, const int *begin, const int *row, int d,
                                         const float *q, const int *tile, int count,
                                         struct ct_candidates *list)
{
    const FVEC most = CT_FSPLAT(list->threshold);
    for (int p = 0; p < count; p++) {
        for (int part = 0; part < CT_LANES; part += FWIDTH) {
            const float *at = x + (size_t)tile[p] * d * CT_LANES + part;
            FVEC sum = {0};
            for (int j = 0; j < d;) {
                for (int stop = CT_STOP(j, d); j < stop; j++) {
                    FVEC gap = CT_GAP(FLOAD(at + j * CT_LANES) - CT_FSPLAT(q[j]));
                    sum = CT_ADD_GAP(gap, sum);
                }
                if (j < d && !CT_WITHIN(CT_SQUARED(sum), most))
                    break;
            }
            const FVEC sq = CT_SQUARED(sum);
            unsigned within = CT_WITHIN(sq, most);
            if (within) {
                int pos = begin[tile[p]] + part;
                CT_NAME(append_eligible)(list, within, sq, row + pos, pos);
            }
        }
        if (list->count >= list->capacity)
            return p + 1;
    }
    return count;
}

#endif
