/* nearby_kernels.h: the kernels of search/own_points.h, for any vector width.
 *
 * euclid_kernels.h includes this file once for each norm of an instruction set, after the file of
 * the sums, with the same macros. The loops over coordinates of 2 and 3 dimensions are unrolled.
 * No include guard, on purpose.
 */

/* Inserts sq into the k smallest squares of each lane: least [k * CT_LANES], ascending. */
CT_TARGET static inline void CT_SUMS(insert)(float *least, int k, FVEC sq)
{
    for (int r = 0; r < k; r++) {
        FVEC old = FLOAD(least + r * CT_LANES);
        FSTORE(least + r * CT_LANES, CT_FMIN(sq, old));
        sq = CT_FMAX(sq, old);
    }
}

/* Lanes are the points of the tile, so that no step has a branch. A point is not compared with
 * itself: the square in its own lane becomes infinite. */
CT_TARGET CT_INLINE void CT_SUMS(insert_points)(const float *tile, const float *other, int d,
                                                int count, int k, float *least)
{
    static const int places[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    for (int part = 0; part < CT_LANES; part += FWIDTH) {
        const FMASK place = *(const FMASK *)(places + part);
        for (int i = 0; i < count; i++) {
            FVEC sum = {0};
            for (int j = 0; j < d; j++) {
                FVEC gap = (FVEC)CT_GAP(FLOAD(tile + j * CT_LANES + part) -
                                        CT_FSPLAT(other[j * CT_LANES + i]));
                sum = (FVEC)CT_ADD_GAP(gap, sum);
            }
            FVEC sq = CT_SQUARED(sum);
            if (tile == other) {
                FMASK self = place == i;
                sq = (FVEC)(((FMASK)sq & ~self) | (self & (FMASK)CT_FSPLAT(INFINITY)));
            }
            CT_SUMS(insert)(least + part, k, sq);
        }
    }
}

CT_TARGET static void CT_SUMS(insert_tile)(const float *tile, const float *other, int d, int count,
                                           int k, float *least)
{
    if (d == 2)
        CT_SUMS(insert_points)(tile, other, 2, count, k, least);
    else if (d == 3)
        CT_SUMS(insert_points)(tile, other, 3, count, k, least);
    else
        CT_SUMS(insert_points)(tile, other, d, count, k, least);
}

/* The place of a value is the number of those before it: smaller ones, and equal ones at a lower
 * index. Values of the last vector behind the end may be anything. */
CT_TARGET static void CT_SUMS(sort_candidates)(struct ct_candidates *list, float *sq, int *pos)
{
    static const int places[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    int rank[FWIDTH];
    for (int i = 0; i < list->count; i += FWIDTH) {
        const FVEC mine = FLOAD(list->sq + i);
        const FMASK place = *(const FMASK *)places + i;
        FMASK before = {0};
        for (int j = 0; j < list->count; j++) {
            const FVEC other = CT_FSPLAT(list->sq[j]);
            before -= (FMASK)(mine > other) | ((FMASK)(mine == other) & (place > j));
        }
        *(FMASK *)rank = before;
        for (int lane = 0; lane < FWIDTH && i + lane < list->count; lane++) {
            sq[rank[lane]] = list->sq[i + lane];
            pos[rank[lane]] = list->pos[i + lane];
        }
    }
}

#ifdef CT_FLOAT_NEON

/* A list of the numbers first, then the copies. */
static void CT_SUMS(collect_nearby)(const struct ct_nearby_tiles *from, int d, const float *lower,
                                    const float *upper, float threshold, struct ct_nearby_tiles *to)
{
    to->count = CT_SUMS(boxes_within)(from->lower, from->upper, from->stride, d, from->count, lower,
                                      upper, threshold, to->number, to->sq);
    for (int i = 0; i < to->count; i++) {
        int number = to->number[i];
        to->tile[i] = from->tile[number];
        for (int j = 0; j < d; j++) {
            to->lower[i + j * to->stride] = from->lower[number + j * from->stride];
            to->upper[i + j * to->stride] = from->upper[number + j * from->stride];
        }
    }
}

static int CT_SUMS(scan_nearby)(const struct ct_nearby_tiles *nearby, int d, const float *q,
                                struct ct_candidates *list)
{
    int found =
        CT_SUMS(boxes_within)(nearby->lower, nearby->upper, nearby->stride, d, nearby->count, q, q,
                              list->threshold, nearby->number, nearby->sq);
    for (int i = 0; i < found; i++) {
        int tile = nearby->tile[nearby->number[i]], pos = nearby->begin[tile];
        if (CT_SUMS(scan_tile)(nearby->x + (size_t)tile * d * CT_LANES, d, q, nearby->row + pos,
                               pos, list))
            return -1;
    }
    return found;
}

#else

/* Packs the boxes of a vector that are within the threshold behind those found before. */
CT_TARGET CT_INLINE void CT_SUMS(collect_boxes)(const struct ct_nearby_tiles *from, int d,
                                                const float *lower, const float *upper,
                                                float threshold, struct ct_nearby_tiles *to)
{
    const FVEC zero = {0}, most = CT_FSPLAT(threshold);
    int count = 0;
    for (int i = 0; i < from->count; i += FWIDTH) {
        FVEC sum = {0};
        for (int j = 0; j < d; j++) {
            FVEC below = FLOAD(from->lower + i + j * from->stride) - CT_FSPLAT(upper[j]);
            FVEC above = CT_FSPLAT(lower[j]) - FLOAD(from->upper + i + j * from->stride);
            FVEC gap = CT_FMAX(CT_FMAX(below, above), zero);
            sum = CT_ADD_GAP(gap, sum);
        }
        const FVEC sq = CT_SQUARED(sum);
        unsigned within = CT_WITHIN(sq, most);
        if (from->count - i < FWIDTH)
            within &= (1u << (from->count - i)) - 1;
        if (!within)
            continue;
        const FMASK tile = *(const FMASK *)(from->tile + i);
        CT_PACK(to->sq + count, to->tile + count, within, sq, tile);
        for (int j = 0; j < d; j++) {
            const FVEC low = FLOAD(from->lower + i + j * from->stride);
            const FMASK high = *(const FMASK *)(from->upper + i + j * from->stride);
            CT_PACK(to->lower + count + j * to->stride, (int *)(to->upper + count + j * to->stride),
                    within, low, high);
        }
        count += CT_COUNT(within);
    }
    to->count = count;
}

CT_TARGET static void CT_SUMS(collect_nearby)(const struct ct_nearby_tiles *from, int d,
                                              const float *lower, const float *upper,
                                              float threshold, struct ct_nearby_tiles *to)
{
    if (d == 2)
        CT_SUMS(collect_boxes)(from, 2, lower, upper, threshold, to);
    else if (d == 3)
        CT_SUMS(collect_boxes)(from, 3, lower, upper, threshold, to);
    else
        CT_SUMS(collect_boxes)(from, d, lower, upper, threshold, to);
}

/* Appends the points of a tile within the threshold, whatever their rows. */
CT_TARGET CT_INLINE void CT_SUMS(scan_all_rows)(const float *tile, int d, const float *q, int pos,
                                                struct ct_candidates *list)
{
    static const int places[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const FVEC most = CT_FSPLAT(list->threshold);
    for (int part = 0; part < CT_LANES; part += FWIDTH) {
        FVEC sum = {0};
        for (int j = 0; j < d; j++) {
            FVEC gap = CT_GAP(FLOAD(tile + j * CT_LANES + part) - CT_FSPLAT(q[j]));
            sum = CT_ADD_GAP(gap, sum);
        }
        const FVEC sq = CT_SQUARED(sum);
        CT_NAME(append)(list, CT_WITHIN(sq, most), sq, *(const FMASK *)(places + part) + (pos));
    }
}

/* Compares a vector of boxes at a time, and scans their tiles at once. */
CT_TARGET CT_INLINE int CT_SUMS(scan_nearby_tiles)(const struct ct_nearby_tiles *nearby, int d,
                                                   const float *q, struct ct_candidates *list)
{
    const FVEC zero = {0}, most = CT_FSPLAT(list->threshold);
    int found = 0;
    for (int i = 0; i < nearby->count; i += FWIDTH) {
        FVEC sum = {0};
        for (int j = 0; j < d; j++) {
            const FVEC at = CT_FSPLAT(q[j]);
            FVEC below = FLOAD(nearby->lower + i + j * nearby->stride) - at;
            FVEC above = at - FLOAD(nearby->upper + i + j * nearby->stride);
            FVEC gap = CT_FMAX(CT_FMAX(below, above), zero);
            sum = CT_ADD_GAP(gap, sum);
        }
        unsigned within = CT_WITHIN(CT_SQUARED(sum), most);
        found += CT_COUNT(within);
        for (; within; within &= within - 1) {
            int tile = nearby->tile[i + __builtin_ctz(within)];
            CT_SUMS(scan_all_rows)
            (nearby->x + (size_t)tile * d * CT_LANES, d, q, nearby->begin[tile], list);
            if (list->count >= list->capacity)
                return -1;
        }
    }
    return found;
}

CT_TARGET static int CT_SUMS(scan_nearby)(const struct ct_nearby_tiles *nearby, int d,
                                          const float *q, struct ct_candidates *list)
{
    return d == 2   ? CT_SUMS(scan_nearby_tiles)(nearby, 2, q, list)
           : d == 3 ? CT_SUMS(scan_nearby_tiles)(nearby, 3, q, list)
                    : CT_SUMS(scan_nearby_tiles)(nearby, d, q, list);
}

#endif
