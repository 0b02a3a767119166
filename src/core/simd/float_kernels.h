/* float_kernels.h: the float32 kernels of a candidate buffer, for any vector width.
 *
 * euclid_kernels.h includes this file and lists what it needs to be defined. No include
 * guard, on purpose.
 */

/* Returns how many of sq are at most the threshold. Reads up to the next whole vector,
 * whose values must be above it. */
CT_TARGET static inline int CT_NAME(count_within_f32)(const float *sq, int count, float threshold)
{
    int sum = 0;
    const FVEC most = CT_FSPLAT(threshold);
    for (int i = 0; i < count; i += FWIDTH)
        sum += CT_COUNT(CT_WITHIN(FLOAD(sq + i), most));
    return sum;
}

/* Appends the lanes whose bits are set, packed. Both stores may overwrite a whole vector,
 * which the padding of the buffer allows. */
CT_TARGET static inline void CT_NAME(append)(struct ct_candidates *list, unsigned bits, FVEC sq,
                                             FMASK pos)
{
    CT_PACK(list->sq + list->count, list->pos + list->count, bits, sq, pos);
    list->count += CT_COUNT(bits);
}

/* In place: no vector is written beyond the end of the last vector read. Lanes beyond the last
 * candidate are masked, because they may hold anything. */
CT_TARGET static void CT_NAME(compact)(struct ct_candidates *list, float threshold)
{
    int count = list->count;
    const FVEC most = CT_FSPLAT(threshold);
    list->count = 0;
    for (int i = 0; i < count; i += FWIDTH) {
        FVEC sq = FLOAD(list->sq + i);
        unsigned within = CT_WITHIN(sq, most);
        if (count - i < FWIDTH)
            within &= (1u << (count - i)) - 1;
        CT_NAME(append)(list, within, sq, *(const FMASK *)(list->pos + i));
    }
}

/* Appends the points of a vector, at positions pos, pos + 1, ..., whose bits are set and
 * whose rows are eligible. */
CT_TARGET static inline void CT_NAME(append_eligible)(struct ct_candidates *list, unsigned within,
                                                      FVEC sq, const int *row, int pos)
{
    static const int places[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    CT_NAME(append)(list, CT_ELIGIBLE(within, row, list), sq, *(const FMASK *)places + pos);
}
