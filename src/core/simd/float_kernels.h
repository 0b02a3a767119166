/* float_kernels.h: the kernels in float, written once for any vector width.
 *
 * euclid_kernels.h includes this file; what it needs to be defined is listed there. No
 * include guard, on purpose.
 */

/* What lies beyond the list, up to a whole tile, must be above the limit. */
CT_TARGET static inline int CT_NAME(count_near)(const struct ct_candidates *list, float limit)
{
    int sum = 0;
    const FVEC most = CT_FSPLAT(limit);
    for (int i = 0; i < list->count; i += FWIDTH)
        sum += CT_COUNT(CT_WITHIN(FLOAD(list->sq + i), most));
    return sum;
}

/* Keeps those of a vector whose bits are set, packed, at the end of the list. */
CT_TARGET static inline void CT_NAME(append)(struct ct_candidates *list, unsigned within, FVEC sq,
                                             FMASK pos)
{
    CT_PACK(list->sq + list->count, list->pos + list->count, within, sq, pos);
    list->count += CT_COUNT(within);
}

CT_TARGET static void CT_NAME(compact)(struct ct_candidates *list, float limit)
{
    int count = list->count;
    const FVEC most = CT_FSPLAT(limit);
    list->count = 0;
    for (int i = 0; i < count; i += FWIDTH) {
        FVEC sq = FLOAD(list->sq + i);
        unsigned within = CT_WITHIN(sq, most);
        if (count - i < FWIDTH)
            within &= (1u << (count - i)) - 1;
        CT_NAME(append)(list, within, sq, *(const FMASK *)(list->pos + i));
    }
}

/* Takes in those of a vector of points whose bits are set. */
CT_TARGET static inline void CT_NAME(take)(struct ct_candidates *list, unsigned within, FVEC sq,
                                           const int *row, int pos)
{
    static const int places[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    CT_NAME(append)(list, CT_WANTED(within, row, list), sq, *(const FMASK *)places + pos);
}
