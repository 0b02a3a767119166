/* select.c: see select.h.
 *
 * Few candidates are put in place by their ranks: counting how many come before
 * each takes no branch and vectorises, and beats sorting up to a hundred or so.
 * More are spread over buckets of equal width, which leaves little out of order
 * unless they crowd; then they are split around a pivot until few are left.
 */
#include "core/topk/select.h"
#include "core/metric/euclidean.h"

#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

enum {
    BUCKETS = 256,
    CROWD = 32 /* candidates in one bucket that are too many */
};

int ct_select_capacity(int k)
{
    return k < INT_MAX / 2 - 64 ? k + k / 2 + 8 : INT_MAX - CT_SELECT_PAD;
}

/* Whether candidate i comes before candidate j. */
static int before(const double *sq, const int *row, int i, int j)
{
    double a = sqrt(sq[i]), b = sqrt(sq[j]);
    return a < b || (a == b && row[i] < row[j]);
}

static void swap(double *sq, int *row, int i, int j)
{
    double keep = sq[i];
    sq[i] = sq[j];
    sq[j] = keep;
    int keep_row = row[i];
    row[i] = row[j];
    row[j] = keep_row;
}

/* A place below count, far from regular in count: patterns in the input, such as
 * distances that fall and rise again along a line, find no echo in it. */
static int some_place(int count, uint32_t salt)
{
    uint32_t mixed = ((uint32_t)count ^ salt) * 2654435761u;
    return (int)((mixed ^ mixed >> 15) % (uint32_t)count);
}

/* Splits count >= 3 candidates around the middle one of three: returns a place p
 * with what comes before the p-th before it, and the others behind it. */
static int split(double *sq, int *row, int count)
{
    int middle = count / 2, last = count - 1, place = 0;
    swap(sq, row, 0, some_place(count, 0x5bd1e995u));
    swap(sq, row, middle, some_place(count, 0x27d4eb2fu));
    swap(sq, row, last, some_place(count, 0x165667b1u));
    if (before(sq, row, middle, 0))
        swap(sq, row, middle, 0);
    if (before(sq, row, last, middle)) {
        swap(sq, row, last, middle);
        if (before(sq, row, middle, 0))
            swap(sq, row, middle, 0);
    }
    swap(sq, row, middle, last);
    for (int i = 0; i < last; i++)
        if (before(sq, row, i, last))
            swap(sq, row, place++, i);
    swap(sq, row, place, last);
    return place;
}

/* Ranks know no rows: those at equal distances are put in the order of rows. */
static void order_ties(double *distance, int *row, int count)
{
    for (int i = 1; i < count; i++)
        for (int j = i; j > 0 && distance[j] == distance[j - 1] && row[j] < row[j - 1]; j--)
            swap(distance, row, j, j - 1);
}

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

/* The least and the greatest of at least four squares: four at a time, none of which
 * waits for another. */
static void find_range(const double *sq, int count, double *least, double *greatest)
{
    double low[4], high[4];
    for (int lane = 0; lane < 4; lane++)
        low[lane] = high[lane] = sq[lane];
    for (int i = 4; i < count; i += 4)
        for (int lane = 0, from = i < count - 4 ? i : count - 4; lane < 4; lane++) {
            double its = sq[from + lane];
            low[lane] = its < low[lane] ? its : low[lane];
            high[lane] = its > high[lane] ? its : high[lane];
        }
    *least = low[0];
    *greatest = high[0];
    for (int lane = 1; lane < 4; lane++) {
        *least = low[lane] < *least ? low[lane] : *least;
        *greatest = high[lane] > *greatest ? high[lane] : *greatest;
    }
}

/* The greatest bucket's size; start[b]: what lies in buckets below b. */
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

/* Sorts at least four and up to CT_BUCKET_SORT_MAX candidates by buckets; returns 0 if they crowd.
 * Within its bucket, a candidate is out of place by less than the size of that. */
static int spread(double *sq, int *row, int count, const struct ct_kernels *kernels)
{
    double least, greatest, padded[CROWD + CT_BUCKET_SORT_MAX + CROWD + CT_SELECT_PAD];
    double *by_bucket = padded + CROWD;
    int start[BUCKETS], to_row[CT_BUCKET_SORT_MAX], rank[CT_BUCKET_SORT_MAX + CT_SELECT_PAD];
    uint16_t bucket[CT_BUCKET_SORT_MAX];
    find_range(sq, count, &least, &greatest);
    double scale = (BUCKETS - 1) / (greatest - least);
    if (!(scale < 1e300) || !(scale > 1e-300))
        return 0;
    for (int i = 0; i < count; i++)
        bucket[i] = (uint16_t)((sq[i] - least) * scale);
    int most = count_buckets(bucket, count, start);
    if (most > CROWD)
        return 0;
    for (int i = 0; i < count; i++) {
        int place = start[bucket[i]]++;
        by_bucket[place] = sqrt(sq[i]);
        to_row[place] = row[i];
    }
    for (int i = 0; i < CROWD; i++)
        padded[i] = 0;
    for (int i = 0; i < CROWD + CT_SELECT_PAD; i++)
        by_bucket[count + i] = INFINITY;
    kernels->rank_nearly_sorted(by_bucket, count, most - 1, rank);
    for (int i = 0; i < count; i++) {
        sq[rank[i]] = by_bucket[i];
        row[rank[i]] = to_row[i];
    }
    order_ties(sq, row, count);
    return 1;
}

/* The longer part is left to the loop, so the recursion stays shallow. A part may
 * be finished before its neighbour, whose squares it must leave alone: a kernel
 * reads beyond its end, but only counts what is within. */
void ct_sort_neighbors(double *sq, int *row, int count, const struct ct_kernels *kernels)
{
    while (count > CT_RANK_SORT_MAX) {
        if (count <= CT_BUCKET_SORT_MAX && spread(sq, row, count, kernels))
            return;
        int place = split(sq, row, count), rest = count - place - 1;
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

/* Brings the k smallest of count to the front, in no order. */
static void take_smallest(double *sq, int *row, int count, int k)
{
    while (count > 3 && k < count) {
        int place = split(sq, row, count);
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
        for (int j = i; j > 0 && before(sq, row, j, j - 1); j--)
            swap(sq, row, j, j - 1);
}

struct ct_neighbor ct_select_kth(double *sq, int *row, int count, int k)
{
    int last = 0;
    take_smallest(sq, row, count, k);
    for (int i = 1; i < k; i++)
        if (before(sq, row, last, i))
            last = i;
    return (struct ct_neighbor){sq[last], row[last]};
}

static void keep_within(struct ct_topk *nearest, double limit)
{
    int kept = 0;
    for (int i = 0; i < nearest->count; i++) {
        double sq = nearest->sq[i];
        nearest->row[kept] = nearest->row[i];
        nearest->sq[kept] = sq;
        kept += sq <= limit;
    }
    nearest->count = kept;
}

/* How many candidates may be left where k are wanted. */
static int enough(int k)
{
    return k + k / 8 + 1;
}

/* Many equal distances leave nothing to bisect: then rows decide, one by one. So
 * they do at zero, where a bar that knows the row spares a search all duplicates. */
struct ct_neighbor ct_select_trim(struct ct_topk *nearest, const struct ct_kernels *kernels)
{
    if (nearest->count < nearest->k)
        return (struct ct_neighbor){INFINITY, INT_MAX};
    double limit =
        kernels->find_threshold_f64(nearest->sq, nearest->count, nearest->k, enough(nearest->k));
    keep_within(nearest, ct_sq_threshold(sqrt(limit)));
    if (limit > 0 && nearest->count <= enough(nearest->k))
        return (struct ct_neighbor){limit, INT_MAX};
    struct ct_neighbor kth = ct_select_kth(nearest->sq, nearest->row, nearest->count, nearest->k);
    nearest->count = nearest->k;
    return kth;
}

void ct_select_finish(struct ct_topk *nearest, const struct ct_kernels *kernels)
{
    if (nearest->count - 8 > nearest->k)
        ct_select_trim(nearest, kernels);
    ct_sort_neighbors(nearest->sq, nearest->row, nearest->count, kernels);
    if (nearest->count > nearest->k)
        nearest->count = nearest->k;
}
