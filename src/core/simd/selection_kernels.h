/* selection_kernels.h: the kernels of search/own_points.h that compute no norm, for any vector
 * width.
 *
 * euclid_kernels.h includes this file once for each instruction set. No include guard, on purpose.
 */

/* Inserts a square into one of the ranks, which stays in a register. */
#define CT_RANK(rank)                                                                              \
    larger = CT_LARGER_SQUARE(next, rank), rank = CT_SMALLER_SQUARE(next, rank), next = larger

/* Inserts squares [count] into `ranks` adjacent ranks of a vector of lanes: least [ranks *
 * CT_LANES]. Replaces each square by the one that belongs to the further ranks. */
CT_TARGET CT_INLINE void CT_NAME(insert_ranks)(FVEC *sq, int count, int ranks, float *least)
{
    FVEC first = FLOAD(least), second = {0}, third = {0}, fourth = {0}, larger;
    if (ranks > 1)
        second = FLOAD(least + CT_LANES);
    if (ranks > 2)
        third = FLOAD(least + 2 * CT_LANES);
    if (ranks > 3)
        fourth = FLOAD(least + 3 * CT_LANES);
    for (int i = 0; i < count; i++) {
        FVEC next = sq[i];
        CT_RANK(first);
        if (ranks > 1)
            CT_RANK(second);
        if (ranks > 2)
            CT_RANK(third);
        if (ranks > 3)
            CT_RANK(fourth);
        sq[i] = next;
    }
    FSTORE(least, first);
    if (ranks > 1)
        FSTORE(least + CT_LANES, second);
    if (ranks > 2)
        FSTORE(least + 2 * CT_LANES, third);
    if (ranks > 3)
        FSTORE(least + 3 * CT_LANES, fourth);
}

#undef CT_RANK

/* Inserts squares [count] into the k smallest of each lane: least [k * CT_LANES], ascending. Four
 * ranks at a time fit in registers. Changes sq. */
CT_TARGET static inline void CT_NAME(insert_squares)(FVEC *sq, int count, int k, float *least)
{
    for (; k > 3; k -= 4, least += 4 * CT_LANES)
        CT_NAME(insert_ranks)(sq, count, 4, least);
    if (k == 3)
        CT_NAME(insert_ranks)(sq, count, 3, least);
    else if (k == 2)
        CT_NAME(insert_ranks)(sq, count, 2, least);
    else if (k == 1)
        CT_NAME(insert_ranks)(sq, count, 1, least);
}

/* The keys are the squares, as integers, with the index of the candidate in the last bits: all are
 * different. The rank of a candidate is the number of smaller keys. Absent candidates get the
 * largest key. */
CT_TARGET static void CT_NAME(order_candidates)(const struct ct_candidates *list, int *order)
{
    static const int places[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const int count = list->count;
    int key[CT_ORDER_MAX];
    FMASK first = {0};
    for (int i = 0; i < count; i += FWIDTH) {
        const FMASK index = *(const FMASK *)places + i;
        FMASK keys = (*(const FMASK *)(list->sq + i) & ~(CT_ORDER_MAX - 1)) | index;
        const FMASK absent = (FMASK)(index >= count);
        keys = (keys & ~absent) | (absent & INT_MAX);
        first = i == 0 ? keys : first;
        *(FMASK *)(key + i) = keys;
    }
    for (int i = 0; i < count; i++) {
        const FMASK mine = (FMASK){0} + key[i];
        int rank = CT_COUNT_BELOW(first, mine);
        for (int j = FWIDTH; j < count; j += FWIDTH)
            rank += CT_COUNT_BELOW(*(const FMASK *)(key + j), mine);
        order[rank] = i;
    }
}
