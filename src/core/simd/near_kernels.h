/* near_kernels.h: the kernels of search/own_points.h, for any vector width.
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

#ifdef CT_FLOAT_NEON

/* A list of the tiles first: their number is not known to be below that of a vector. */
static int CT_SUMS(scan_near)(const struct ct_near_tiles *near, int d, const float *q,
                              struct ct_candidates *list)
{
    int found = CT_SUMS(boxes_within)(near->lower, near->upper, near->stride, d, near->count, q, q,
                                      list->threshold, near->number, near->sq);
    for (int i = 0; i < found; i++) {
        int tile = near->tile[near->number[i]], pos = near->begin[tile];
        if (CT_SUMS(scan_tile)(near->x + (size_t)tile * d * CT_LANES, d, q, near->row + pos, pos,
                               list))
            return -1;
    }
    return found;
}

#else

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
        CT_NAME(append)(list, CT_WITHIN(sq, most), sq,
                        *(const FMASK *)(places + part) + (pos));
    }
}

/* Compares a vector of boxes at a time, and scans their tiles at once. */
CT_TARGET CT_INLINE int CT_SUMS(scan_near_tiles)(const struct ct_near_tiles *near, int d,
                                                 const float *q, struct ct_candidates *list)
{
    const FVEC zero = {0}, most = CT_FSPLAT(list->threshold);
    int found = 0;
    for (int i = 0; i < near->count; i += FWIDTH) {
        FVEC sum = {0};
        for (int j = 0; j < d; j++) {
            const FVEC at = CT_FSPLAT(q[j]);
            FVEC below = FLOAD(near->lower + i + j * near->stride) - at;
            FVEC above = at - FLOAD(near->upper + i + j * near->stride);
            FVEC gap = CT_FMAX(CT_FMAX(below, above), zero);
            sum = CT_ADD_GAP(gap, sum);
        }
        unsigned within = CT_WITHIN(CT_SQUARED(sum), most);
        found += CT_COUNT(within);
        for (; within; within &= within - 1) {
            int tile = near->tile[i + __builtin_ctz(within)];
            CT_SUMS(scan_all_rows)(near->x + (size_t)tile * d * CT_LANES, d, q, near->begin[tile],
                                   list);
            if (list->count >= list->capacity)
                return -1;
        }
    }
    return found;
}

CT_TARGET static int CT_SUMS(scan_near)(const struct ct_near_tiles *near, int d, const float *q,
                                        struct ct_candidates *list)
{
    return d == 2   ? CT_SUMS(scan_near_tiles)(near, 2, q, list)
           : d == 3 ? CT_SUMS(scan_near_tiles)(near, 3, q, list)
                    : CT_SUMS(scan_near_tiles)(near, d, q, list);
}

#endif
