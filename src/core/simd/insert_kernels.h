/* insert_kernels.h: the k smallest distances of the points of a tile, for any vector width.
 *
 * euclid_kernels.h includes this file once for each norm of an instruction set, after the file of
 * the sums, with the same macros. Lanes are the points of the tile, so that no step has a branch.
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

/* A point is not compared with itself: the square in its own lane becomes infinite. */
CT_TARGET static void CT_SUMS(insert_tile)(const float *tile, const float *other, int d, int count,
                                           int k, float *least)
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
