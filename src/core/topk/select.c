/* select.c: the k smallest of many candidates; see select.h. */
#include "core/topk/select.h"
#include "core/metric/euclidean.h"

#include <limits.h>
#include <math.h>
#include <stdint.h>

int ct_select_capacity(int k)
{
    return k < INT_MAX / 2 - 64 ? k + k / 2 + 8 : INT_MAX - CT_SELECT_PAD;
}

/* Whether candidate i comes before candidate j in the order. */
static int comes_before(const double *sq, const int *row, int i, int j)
{
    double a = sqrt(sq[i]), b = sqrt(sq[j]);
    return a < b || (a == b && row[i] < row[j]);
}

/* Exchanges two candidates. */
static void swap_candidates(double *sq, int *row, int i, int j)
{
    double keep = sq[i];
    sq[i] = sq[j];
    sq[j] = keep;
    int keep_row = row[i];
    row[i] = row[j];
    row[j] = keep_row;
}

/* Returns an index below count that is a hash of count and salt, so that no regular input,
 * such as distances that fall and rise again along a line, makes bad pivots. */
static int scattered_index(int count, uint32_t salt)
{
    uint32_t mixed = ((uint32_t)count ^ salt) * 2654435761u;
    return (int)((mixed ^ mixed >> 15) % (uint32_t)count);
}

/* Partitions count >= 3 candidates around the median of three. Returns its place p: smaller
 * candidates are before p, larger ones behind. */
static int partition(double *sq, int *row, int count)
{
    int middle = count / 2, last = count - 1, place = 0;
    swap_candidates(sq, row, 0, scattered_index(count, 0x5bd1e995u));
    swap_candidates(sq, row, middle, scattered_index(count, 0x27d4eb2fu));
    swap_candidates(sq, row, last, scattered_index(count, 0x165667b1u));
    if (comes_before(sq, row, middle, 0))
        swap_candidates(sq, row, middle, 0);
    if (comes_before(sq, row, last, middle)) {
        swap_candidates(sq, row, last, middle);
        if (comes_before(sq, row, middle, 0))
            swap_candidates(sq, row, middle, 0);
    }
    swap_candidates(sq, row, middle, last);
    for (int i = 0; i < last; i++)
        if (comes_before(sq, row, i, last))
            swap_candidates(sq, row, place++, i);
    swap_candidates(sq, row, place, last);
    return place;
}

/* Moves the k smallest of count candidates to the front, in no order: quickselect. The part
 * that contains the k-th is partitioned further; an insertion sort ends the last three. */
static void move_smallest_to_front(double *sq, int *row, int count, int k)
{
    while (count > 3 && k < count) {
        int place = partition(sq, row, count);
        if (k <= place) {
            count = place;
        } else {
            sq += place + 1;
            row += place + 1;
            count -= place + 1;
            k -= place + 1;
        }
    }
    for (int i = 1; k < count && i < count; i++)
        for (int j = i; j > 0 && comes_before(sq, row, j, j - 1); j--)
            swap_candidates(sq, row, j, j - 1);
}

/* The k-th is the last, in the order, of the k candidates at the front. */
struct ct_neighbor ct_select_kth(double *sq, int *row, int count, int k)
{
    int last = 0;
    move_smallest_to_front(sq, row, count, k);
    for (int i = 1; i < k; i++)
        if (comes_before(sq, row, last, i))
            last = i;
    return (struct ct_neighbor){sq[last], row[last]};
}

/* Drops candidates beyond the squared threshold. Every candidate is stored; the count grows
 * only if it is within, so that no branch depends on distances. */
static void drop_beyond(struct ct_topk *topk, double threshold)
{
    int kept = 0;
    for (int i = 0; i < topk->count; i++) {
        double sq = topk->sq[i];
        topk->row[kept] = topk->row[i];
        topk->sq[kept] = sq;
        kept += sq <= threshold;
    }
    topk->count = kept;
}

/* Returns the number of candidates that compaction may leave. */
static int enough_candidates(int k)
{
    return k + k / 8 + 1;
}

/* The bisection compares squares: the threshold is widened to all squares with the same root,
 * because distances decide. If too many distances are equal for a bisection to separate,
 * rows decide: the k-th candidate is found exactly. So it is at distance 0, where a threshold with
 * a row spares a search all further duplicates. */
struct ct_neighbor ct_topk_compact(struct ct_topk *topk, const struct ct_kernels *kernels)
{
    int k = topk->k;
    if (topk->count < k)
        return (struct ct_neighbor){INFINITY, INT_MAX};
    double sq = kernels->find_threshold_f64(topk->sq, topk->count, k, enough_candidates(k));
    drop_beyond(topk, ct_sq_threshold(sqrt(sq)));
    if (sq > 0 && topk->count <= enough_candidates(k))
        return (struct ct_neighbor){sq, INT_MAX};
    struct ct_neighbor kth = ct_select_kth(topk->sq, topk->row, topk->count, k);
    topk->count = k;
    return kth;
}

/* Compaction first, unless there is almost nothing to drop. */
void ct_topk_finish(struct ct_topk *topk, const struct ct_kernels *kernels)
{
    if (topk->count - 8 > topk->k)
        ct_topk_compact(topk, kernels);
    ct_sort_neighbors(topk->sq, topk->row, topk->count, kernels);
    if (topk->count > topk->k)
        topk->count = topk->k;
}
