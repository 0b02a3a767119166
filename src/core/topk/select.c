/* select.c: see select.h.
 *
 * With many neighbors, selection takes most of the time of a k-NN search. Hence three
 * methods to sort, by the number of candidates. Up to about a hundred: ranks, because to
 * count how many candidates come before each takes no branch and vectorizes. Up to about a
 * thousand: buckets of equal width, which leave little out of order unless many candidates
 * fall into one bucket. Otherwise: partition around a pivot until the parts are short.
 */
#include "core/topk/select.h"
#include "core/metric/euclidean.h"

#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

/* On average a bucket has at most four candidates; BUCKET_MAX allows for uneven distances. */
enum {
    BUCKETS = 256,
    BUCKET_MAX = 32 /* candidates of one bucket; with more, partition instead */
};

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

/* Sorts runs of equal distances by row, which ranks and buckets ignore. */
static void order_ties(double *distance, int *row, int count)
{
    for (int i = 1; i < count; i++)
        for (int j = i; j > 0 && distance[j] == distance[j - 1] && row[j] < row[j - 1]; j--)
            swap_candidates(distance, row, j, j - 1);
}

/* The rank of a candidate is its place in the sorted array. */
void ct_sort_by_rank(double *sq, int *row, int count, const struct ct_kernels *kernels)
{
    int rank[CT_RANK_SORT_MAX + CT_SELECT_PAD], to_row[CT_RANK_SORT_MAX];
    double to[CT_RANK_SORT_MAX];
    kernels->rank(sq, count, rank);
    for (int i = 0; i < count; i++) {
        to[rank[i]] = sq[i];
        to_row[rank[i]] = row[i];
    }
    memcpy(sq, to, (size_t)count * sizeof *sq);
    memcpy(row, to_row, (size_t)count * sizeof *row);
    order_ties(sq, row, count);
}

/* Finds the least and the greatest of at least four squares, in four independent chains of
 * comparisons. */
static void find_range(const double *sq, int count, double *least, double *greatest)
{
    double low[4], high[4];
    for (int lane = 0; lane < 4; lane++)
        low[lane] = high[lane] = sq[lane];
    for (int i = 4; i < count; i += 4)
        for (int lane = 0, from = i < count - 4 ? i : count - 4; lane < 4; lane++) {
            double value = sq[from + lane];
            low[lane] = value < low[lane] ? value : low[lane];
            high[lane] = value > high[lane] ? value : high[lane];
        }
    *least = low[0];
    *greatest = high[0];
    for (int lane = 1; lane < 4; lane++) {
        *least = low[lane] < *least ? low[lane] : *least;
        *greatest = high[lane] > *greatest ? high[lane] : *greatest;
    }
}

/* Sets start[b] to the number of candidates in buckets below b. Returns the size of the
 * largest bucket. */
static int count_buckets(const uint16_t *bucket, int count, int *start)
{
    int most = 0, begin = 0;
    for (int b = 0; b < BUCKETS; b++)
        start[b] = 0;
    for (int i = 0; i < count; i++)
        start[bucket[i]]++;
    for (int b = 0; b < BUCKETS; b++) {
        int size = start[b];
        start[b] = begin;
        begin += size;
        most = size > most ? size : most;
    }
    return most;
}

/* Sorts between 4 and CT_BUCKET_SORT_MAX candidates by buckets. Returns 0, with nothing
 * changed, if more than BUCKET_MAX fall into one bucket. Spread over the buckets, a candidate
 * is out of place by less than the size of its bucket, and ranks within that distance sort
 * exactly. */
static int sort_by_buckets(double *sq, int *row, int count, const struct ct_kernels *kernels)
{
    double least, greatest, padded[BUCKET_MAX + CT_BUCKET_SORT_MAX + BUCKET_MAX + CT_SELECT_PAD];
    double *by_bucket = padded + BUCKET_MAX;
    int start[BUCKETS], to_row[CT_BUCKET_SORT_MAX], rank[CT_BUCKET_SORT_MAX + CT_SELECT_PAD];
    uint16_t bucket[CT_BUCKET_SORT_MAX];
    find_range(sq, count, &least, &greatest);
    double scale = (BUCKETS - 1) / (greatest - least);
    if (!(scale < 1e300) || !(scale > 1e-300))
        return 0;
    for (int i = 0; i < count; i++)
        bucket[i] = (uint16_t)((sq[i] - least) * scale);
    int most = count_buckets(bucket, count, start);
    if (most > BUCKET_MAX)
        return 0;
    for (int i = 0; i < count; i++) {
        int place = start[bucket[i]]++;
        by_bucket[place] = sqrt(sq[i]);
        to_row[place] = row[i];
    }
    for (int i = 0; i < BUCKET_MAX; i++)
        padded[i] = 0;
    for (int i = 0; i < BUCKET_MAX + CT_SELECT_PAD; i++)
        by_bucket[count + i] = INFINITY;
    kernels->rank_nearly_sorted(by_bucket, count, most - 1, rank);
    for (int i = 0; i < count; i++) {
        sq[rank[i]] = by_bucket[i];
        row[rank[i]] = to_row[i];
    }
    order_ties(sq, row, count);
    return 1;
}

/* The loop continues with the longer part, so that the recursion stays shallow. A part is
 * complete before its neighbor begins, whose squares must not change: kernels may read
 * beyond the end of a part, but count only what belongs to it. */
void ct_sort_neighbors(double *sq, int *row, int count, const struct ct_kernels *kernels)
{
    while (count > CT_RANK_SORT_MAX) {
        if (count <= CT_BUCKET_SORT_MAX && sort_by_buckets(sq, row, count, kernels))
            return;
        int place = partition(sq, row, count), rest = count - place - 1;
        sq[place] = sqrt(sq[place]);
        if (place < rest) {
            ct_sort_neighbors(sq, row, place, kernels);
            sq += place + 1;
            row += place + 1;
            count = rest;
        } else {
            ct_sort_neighbors(sq + place + 1, row + place + 1, rest, kernels);
            count = place;
        }
    }
    for (int i = 0; i < count; i++)
        sq[i] = sqrt(sq[i]);
    ct_sort_by_rank(sq, row, count, kernels);
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
