/* nearby_kernels.h: the kernels of search/own_points.h, for any vector width.
 *
 * euclid_kernels.h includes this file once for each norm of an instruction set, after the file of
 * the sums, with the same macros. The loops over coordinates of 2 and 3 dimensions are unrolled.
 * No include guard, on purpose.
 */

/* Sets sq [CT_LANES] to the squares of a vector of the points of a tile, from `part` on, to each of
 * `count` points of another tile. A point is not compared with itself: the square in its own lane
 * becomes infinite. */
CT_TARGET CT_INLINE void CT_SUMS(square_points)(const float *tile, const float *other, int d,
                                                int part, int count, FVEC *sq)
{
    static const int places[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const FMASK place = *(const FMASK *)(places + part);
    for (int i = 0; i < count; i++) {
        FVEC sum = {0};
        for (int j = 0; j < d; j++) {
            FVEC gap = (FVEC)CT_GAP(FLOAD(tile + j * CT_LANES + part) -
                                    CT_FSPLAT(other[j * CT_LANES + i]));
            sum = (FVEC)CT_ADD_GAP(gap, sum);
        }
        sq[i] = CT_SQUARED(sum);
        if (tile == other) {
            FMASK self = place == i;
            sq[i] = (FVEC)(((FMASK)sq[i] & ~self) | (self & (FMASK)CT_FSPLAT(INFINITY)));
        }
    }
}

CT_TARGET static void CT_SUMS(insert_tile)(const float *tile, const float *other, int d, int count,
                                           int k, float *least)
{
    FVEC sq[CT_LANES];
    for (int part = 0; part < CT_LANES; part += FWIDTH) {
        if (d == 2)
            CT_SUMS(square_points)(tile, other, 2, part, count, sq);
        else if (d == 3)
            CT_SUMS(square_points)(tile, other, 3, part, count, sq);
        else
            CT_SUMS(square_points)(tile, other, d, part, count, sq);
        CT_NAME(insert_squares)(sq, count, k, least + part);
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

/* The sum over the gaps of a vector of points, or of boxes, to a query. The coordinates of a query
 * of 2 or 3 dimensions stay in registers: at0, at1, at2. */
#define CT_ADD_POINTS(j, at)                                                                       \
    gap = CT_GAP(FLOAD(tile + (j)*CT_LANES + part) - (at)), sum = CT_ADD_GAP(gap, sum)
#define CT_ADD_BOXES(j, at)                                                                        \
    below = FLOAD(nearby->lower + i + (j)*nearby->stride) - (at),                                  \
    above = (at)-FLOAD(nearby->upper + i + (j)*nearby->stride),                                    \
    below = CT_FMAX(CT_FMAX(below, above), zero), sum = CT_ADD_GAP(below, sum)

/* Appends the points of a tile within the threshold, whatever their rows. */
CT_TARGET CT_INLINE void CT_SUMS(scan_all_rows)(const float *tile, int d, const float *q, FVEC at0,
                                                FVEC at1, FVEC at2, int pos,
                                                struct ct_candidates *list)
{
    static const int places[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const FVEC most = CT_FSPLAT(list->threshold);
    for (int part = 0; part < CT_LANES; part += FWIDTH) {
        FVEC sum = {0}, gap;
        CT_ADD_POINTS(0, at0);
        if (d > 1)
            CT_ADD_POINTS(1, at1);
        if (d > 2)
            CT_ADD_POINTS(2, at2);
        for (int j = 3; j < d; j++)
            CT_ADD_POINTS(j, CT_FSPLAT(q[j]));
        const FVEC sq = CT_SQUARED(sum);
        CT_NAME(append)(list, CT_WITHIN(sq, most), sq, *(const FMASK *)(places + part) + (pos));
    }
}

/* Compares a vector of boxes at a time, and scans their tiles at once. The compiler keeps the copy
 * of the buffer in registers. */
CT_TARGET CT_INLINE int CT_SUMS(scan_nearby_tiles)(const struct ct_nearby_tiles *nearby, int d,
                                                   const float *q, struct ct_candidates *filled)
{
    struct ct_candidates list = *filled;
    const FVEC zero = {0}, most = CT_FSPLAT(list.threshold);
    const FVEC at0 = CT_FSPLAT(q[0]), at1 = CT_FSPLAT(q[d > 1 ? 1 : 0]),
               at2 = CT_FSPLAT(q[d > 2 ? 2 : 0]);
    int found = 0;
    for (int i = 0; i < nearby->count; i += FWIDTH) {
        FVEC sum = {0}, below, above;
        CT_ADD_BOXES(0, at0);
        if (d > 1)
            CT_ADD_BOXES(1, at1);
        if (d > 2)
            CT_ADD_BOXES(2, at2);
        for (int j = 3; j < d; j++)
            CT_ADD_BOXES(j, CT_FSPLAT(q[j]));
        unsigned within = CT_WITHIN(CT_SQUARED(sum), most);
        found += CT_COUNT(within);
        for (; within; within &= within - 1) {
            int tile = nearby->tile[i + __builtin_ctz(within)];
            CT_SUMS(scan_all_rows)
            (nearby->x + (size_t)tile * d * CT_LANES, d, q, at0, at1, at2, nearby->begin[tile],
             &list);
            if (list.count >= list.capacity) {
                filled->count = list.count;
                return -1;
            }
        }
    }
    filled->count = list.count;
    return found;
}

#undef CT_ADD_POINTS
#undef CT_ADD_BOXES

CT_TARGET static int CT_SUMS(scan_nearby)(const struct ct_nearby_tiles *nearby, int d,
                                          const float *q, struct ct_candidates *list)
{
    return d == 2   ? CT_SUMS(scan_nearby_tiles)(nearby, 2, q, list)
           : d == 3 ? CT_SUMS(scan_nearby_tiles)(nearby, 3, q, list)
                    : CT_SUMS(scan_nearby_tiles)(nearby, d, q, list);
}

#endif
