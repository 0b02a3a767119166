/* ct_select.c: see ct_select.h.
 *
 * Few candidates are put in place by their ranks: counting how many come before
 * each takes no branch and vectorises, and beats sorting up to a hundred or so.
 * More are spread over buckets of equal width, which leaves little out of order
 * unless they crowd; then they are split around a pivot until few are left.
 */
#include "ct_select.h"
#include "ct_distance.h"

#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

enum {
    BUCKETS = 256,
    CROWD = 32 /* candidates in one bucket that are too many to sort by exchange */
};

int ct_select_room(int k)
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

/* Ranks know squares only: those with equal roots are put in the order of rows. */
static void order_ties(double *distance, int *row, int count)
{
    for (int i = 1; i < count; i++)
        for (int j = i; j > 0 && distance[j] == distance[j - 1] && row[j] < row[j - 1]; j--)
            swap(distance, row, j, j - 1);
}

static void sort_few(double *sq, int *row, int count, const struct ct_kernels *kernels)
{
    int rank[CT_RANKED + CT_SELECT_PAD], to_row[CT_RANKED];
    double distance[CT_RANKED];
    kernels->rank(sq, count, rank);
    for (int i = 0; i < count; i++) {
        distance[rank[i]] = sqrt(sq[i]);
        to_row[rank[i]] = row[i];
    }
    memcpy(sq, distance, (size_t)count * sizeof *sq);
    memcpy(row, to_row, (size_t)count * sizeof *row);
    order_ties(sq, row, count);
}

static int bucket_of(double sq, double least, double scale)
{
    int bucket = (int)((sq - least) * scale);
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

/* The greatest bucket's size; start[b]: what lies in buckets below b. */
static int count_buckets(const double *sq, int count, double least, double scale, int *start)
{
    int size[BUCKETS] = {0}, most = 0;
    for (int i = 0; i < count; i++)
        size[bucket_of(sq[i], least, scale)]++;
    start[0] = 0;
    for (int b = 0; b < BUCKETS; b++) {
        start[b + 1] = start[b] + size[b];
        most = size[b] > most ? size[b] : most;
    }
    return most;
}

/* Sorts up to CT_SPREAD candidates by buckets; returns 0 if they crowd. */
static int spread(double *sq, int *row, int count)
{
    double least = sq[0], greatest = sq[0], by_bucket[CT_SPREAD];
    int start[BUCKETS + 1], to_row[CT_SPREAD];
    for (int i = 1; i < count; i++) {
        least = sq[i] < least ? sq[i] : least;
        greatest = sq[i] > greatest ? sq[i] : greatest;
    }
    double scale = BUCKETS / (greatest - least);
    if (!(scale < 1e300) || !(scale > 1e-300) ||
        count_buckets(sq, count, least, scale, start) > CROWD)
        return 0;
    for (int i = 0; i < count; i++) {
        int place = start[bucket_of(sq[i], least, scale)]++;
        by_bucket[place] = sqrt(sq[i]);
        to_row[place] = row[i];
    }
    memcpy(sq, by_bucket, (size_t)count * sizeof *sq);
    memcpy(row, to_row, (size_t)count * sizeof *row);
    for (int i = 1; i < count; i++)
        for (int j = i; j > 0 && (sq[j] < sq[j - 1] || (sq[j] == sq[j - 1] && row[j] < row[j - 1]));
             j--)
            swap(sq, row, j, j - 1);
    return 1;
}

/* The longer part is left to the loop, so the recursion stays shallow. A part may
 * be finished before its neighbour, whose squares it must leave alone: a kernel
 * reads beyond its end, but only counts what is within. */
void ct_sort_found(double *sq, int *row, int count, const struct ct_kernels *kernels)
{
    while (count > CT_RANKED) {
        if (count <= CT_SPREAD && spread(sq, row, count))
            return;
        int place = split(sq, row, count), rest = count - place - 1;
        sq[place] = sqrt(sq[place]);
        if (place < rest) {
            ct_sort_found(sq, row, place, kernels);
            sq += place + 1;
            row += place + 1;
            count = rest;
        } else {
            ct_sort_found(sq + place + 1, row + place + 1, rest, kernels);
            count = place;
        }
    }
    sort_few(sq, row, count, kernels);
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

struct ct_found ct_select_kth(double *sq, int *row, int count, int k)
{
    int last = 0;
    take_smallest(sq, row, count, k);
    for (int i = 1; i < k; i++)
        if (before(sq, row, last, i))
            last = i;
    return (struct ct_found){sq[last], row[last]};
}

static void keep_within(struct ct_nearest *nearest, double limit)
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

/* A square that k candidates, and not many more, are within, by bisection. */
static double bisect(struct ct_nearest *nearest, const struct ct_kernels *kernels)
{
    int k = nearest->k, within = nearest->count;
    double below = 0, limit = 0;
    for (int i = 0; i < nearest->count; i++)
        limit = nearest->sq[i] > limit ? nearest->sq[i] : limit;
    for (int i = 0; i < CT_SELECT_PAD; i++)
        nearest->sq[nearest->count + i] = INFINITY;
    for (int pass = 0; pass < 24 && within > enough(k); pass++) {
        double middle = below + (limit - below) / 2;
        int count = kernels->count_within(nearest->sq, nearest->count, middle);
        if (count < k) {
            below = middle;
        } else {
            limit = middle;
            within = count;
        }
    }
    return limit;
}

/* Many equal distances leave nothing to bisect: then rows decide, one by one. So
 * they do at zero, where a bar that knows the row spares a search all duplicates. */
struct ct_found ct_select_trim(struct ct_nearest *nearest, const struct ct_kernels *kernels)
{
    if (nearest->count < nearest->k)
        return (struct ct_found){INFINITY, INT_MAX};
    double limit = bisect(nearest, kernels);
    keep_within(nearest, ct_sq_limit(sqrt(limit)));
    if (limit > 0 && nearest->count <= enough(nearest->k))
        return (struct ct_found){limit, INT_MAX};
    struct ct_found kth = ct_select_kth(nearest->sq, nearest->row, nearest->count, nearest->k);
    nearest->count = nearest->k;
    return kth;
}

void ct_select_finish(struct ct_nearest *nearest, const struct ct_kernels *kernels)
{
    if (nearest->count - 8 > nearest->k)
        ct_select_trim(nearest, kernels);
    ct_sort_found(nearest->sq, nearest->row, nearest->count, kernels);
    if (nearest->count > nearest->k)
        nearest->count = nearest->k;
}
