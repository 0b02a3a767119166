/* sort.c: candidates in the order of (distance, row); see select.h.
 *
 * With a thousand neighbors or more, the sort is a fifth of the time of a search. Three methods,
 * by the number of candidates. Up to about forty: ranks, because to count how many candidates
 * come before each takes no branch and vectorizes. Up to about two thousand: buckets of equal
 * width, which leave little out of order unless many candidates fall into one bucket. Otherwise:
 * the candidates are divided into parts of equal width, in place, until the parts are short. No
 * step compares two candidates that are far apart, so that the time does not depend on a good
 * pivot.
 */
#include "core/topk/select.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum {
    RANK_MAX = 40,          /* candidates that ranks sort faster than buckets */
    BUCKET_SORT_MAX = 2048, /* candidates that buckets sort, at most */
    PER_BUCKET = 2,         /* candidates of a bucket, on average */
    BUCKETS = BUCKET_SORT_MAX / PER_BUCKET,
    BUCKET_MAX = 32, /* candidates of one bucket; with more, divide instead */
    RANKED = 256,    /* candidates of the buckets that are ranked at a time */
    PARTS = 64,      /* parts of one division, */
    PER_PART = 512   /* of this many candidates on average, if PARTS suffice */
};

/* The least and the greatest of some values. */
struct range {
    double least, greatest;
};

/* Sorts a run of at most CT_RANK_SORT_MAX rows of candidates with the same value. */
static void order_run(int *row, int count, const struct ct_kernels *kernels)
{
    double number[CT_RANK_SORT_MAX + CT_SELECT_PAD];
    int rank[CT_RANK_SORT_MAX + CT_SELECT_PAD];
    for (int i = 0; i < count; i++)
        number[i] = row[i];
    for (int i = count; i < count + CT_SELECT_PAD; i++)
        number[i] = INFINITY;
    kernels->rank(number, count, rank);
    for (int i = 0; i < count; i++)
        row[rank[i]] = (int)number[i];
}

/* Sorts runs of equal values by row, which ranks and buckets ignore. */
static void order_ties(const double *value, int *row, int count, const struct ct_kernels *kernels)
{
    for (int end = 1; end < count; end++) {
        int begin = end - 1;
        if (value[end] != value[begin])
            continue;
        while (end < count && value[end] == value[begin])
            end++;
        order_run(row + begin, end - begin, kernels);
    }
}

/* The rank of a candidate is its place in the sorted array. */
void ct_sort_by_rank(double *values, int *row, int count, const struct ct_kernels *kernels)
{
    int rank[CT_RANK_SORT_MAX + CT_SELECT_PAD], to_row[CT_RANK_SORT_MAX];
    double to[CT_RANK_SORT_MAX];
    kernels->rank(values, count, rank);
    for (int i = 0; i < count; i++) {
        to[rank[i]] = values[i];
        to_row[rank[i]] = row[i];
    }
    memcpy(values, to, (size_t)count * sizeof *values);
    memcpy(row, to_row, (size_t)count * sizeof *row);
    order_ties(values, row, count, kernels);
}

/* Returns the range of at least four values, by four independent chains of comparisons. */
static struct range find_range(const double *value, int count)
{
    double low[4], high[4];
    for (int lane = 0; lane < 4; lane++)
        low[lane] = high[lane] = value[lane];
    for (int i = 4; i < count; i += 4)
        for (int lane = 0, from = i < count - 4 ? i : count - 4; lane < 4; lane++) {
            double one = value[from + lane];
            low[lane] = one < low[lane] ? one : low[lane];
            high[lane] = one > high[lane] ? one : high[lane];
        }
    struct range range = {low[0], high[0]};
    for (int lane = 1; lane < 4; lane++) {
        range.least = low[lane] < range.least ? low[lane] : range.least;
        range.greatest = high[lane] > range.greatest ? high[lane] : range.greatest;
    }
    return range;
}

/* Turns sizes [count] into the sums of the sizes before each. Returns the largest size. */
static int sum_sizes(int *size, int count)
{
    int most = 0, begin = 0;
    for (int i = 0; i < count; i++) {
        int own = size[i];
        size[i] = begin;
        begin += own;
        most = own > most ? own : most;
    }
    return most;
}

/* ---- buckets ---------------------------------------------------------------- */

/* Copies values that are out of place by less than `most` to their places. Before and behind them
 * are BUCKET_MAX and more values that are no larger, and no smaller. */
static void place_nearly_sorted(const double *from, const int *from_row, int count, int most,
                                double *value, int *row, const struct ct_kernels *kernels)
{
    int rank[RANKED + CT_SELECT_PAD];
    for (int begin = 0; begin < count; begin += RANKED) {
        int size = count - begin < RANKED ? count - begin : RANKED;
        kernels->rank_nearly_sorted(from + begin, size, most - 1, rank);
        for (int i = 0; i < size; i++) {
            value[begin + rank[i]] = from[begin + i];
            row[begin + rank[i]] = from_row[begin + i];
        }
    }
}

/* Sorts between 4 and BUCKET_SORT_MAX candidates by buckets. Returns 0, with nothing
 * changed, if more than BUCKET_MAX fall into one bucket. Spread over the buckets, a candidate
 * is out of place by less than the size of its bucket, and ranks within that distance sort
 * exactly. Not inlined, so that its 37 KB of stack are free before a part of it is sorted. */
__attribute__((noinline)) static int sort_by_buckets(double *value, int *row, int count,
                                                     struct range range,
                                                     const struct ct_kernels *kernels)
{
    double padded[BUCKET_MAX + BUCKET_SORT_MAX + BUCKET_MAX + CT_SELECT_PAD];
    double *by_bucket = padded + BUCKET_MAX;
    int start[BUCKETS] = {0}, to_row[BUCKET_SORT_MAX], buckets = count / PER_BUCKET;
    uint16_t bucket[BUCKET_SORT_MAX];
    double scale = (buckets - 1) / (range.greatest - range.least);
    if (!(scale < 1e300) || !(scale > 1e-300))
        return 0;
    for (int i = 0; i < count; i++) {
        bucket[i] = (uint16_t)((value[i] - range.least) * scale);
        start[bucket[i]]++;
    }
    int most = sum_sizes(start, buckets);
    if (most > BUCKET_MAX)
        return 0;
    for (int i = 0; i < count; i++) {
        int place = start[bucket[i]]++;
        by_bucket[place] = value[i];
        to_row[place] = row[i];
    }
    for (int i = 0; i < BUCKET_MAX; i++)
        padded[i] = 0;
    for (int i = 0; i < BUCKET_MAX + CT_SELECT_PAD; i++)
        by_bucket[count + i] = INFINITY;
    place_nearly_sorted(by_bucket, to_row, count, most, value, row, kernels);
    order_ties(value, row, count, kernels);
    return 1;
}

/* ---- parts ------------------------------------------------------------------ */

/* How values are divided: by their differences from the least, or by their bits, which are in the
 * order of the values, and nearly in proportion to their logarithms. */
struct division {
    int by_bits, parts, shift;
    double least, scale;
    uint64_t least_bits;
};

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Returns the part of a value: larger values are not in earlier parts. */
static inline int part_of(const struct division *division, double value)
{
    if (division->by_bits)
        return (int)((bits_of(value) - division->least_bits) >> division->shift);
    return (int)((value - division->least) * division->scale);
}

/* Returns a division of different values of 0 or more into parts of equal width. */
static struct division divide_by_difference(struct range range, int count)
{
    int parts = count / PER_PART;
    parts = parts < 8 ? 8 : parts < PARTS ? parts : PARTS;
    return (struct division){.parts = parts,
                             .least = range.least,
                             .scale = (parts - 1) / (range.greatest - range.least)};
}

/* Each division by bits shortens the range of bits to 1 / 32 or less. Hence repeated divisions end,
 * whatever the values. */
static struct division divide_by_bits(struct range range)
{
    struct division division = {
        .by_bits = 1, .parts = PARTS, .least_bits = bits_of(range.least + 0.0)};
    while ((bits_of(range.greatest) - division.least_bits) >> division.shift >= PARTS)
        division.shift++;
    return division;
}

/* Sets start[p] to the number of candidates in parts before p. Returns the size of the largest
 * part. */
static int count_parts(const struct division *division, const double *value, int count, int *start)
{
    for (int p = 0; p <= division->parts; p++)
        start[p] = 0;
    for (int i = 0; i < count; i++)
        start[part_of(division, value[i])]++;
    return sum_sizes(start, division->parts + 1);
}

/* Moves every candidate to its part, by exchanges. */
static void move_to_parts(const struct division *division, const int *start, double *value,
                          int *row)
{
    int next[PARTS];
    memcpy(next, start, sizeof next);
    for (int p = 0; p < division->parts; p++)
        while (next[p] < start[p + 1]) {
            int at = next[p];
            double moving = value[at];
            int moving_row = row[at];
            for (int to; (to = part_of(division, moving)) != p;) {
                int place = next[to]++;
                double other = value[place];
                int other_row = row[place];
                value[place] = moving;
                row[place] = moving_row;
                moving = other;
                moving_row = other_row;
            }
            value[at] = moving;
            row[at] = moving_row;
            next[p]++;
        }
}

/* ---- the sort --------------------------------------------------------------- */

static void sort_values(double *value, int *row, int count, const struct ct_kernels *kernels);

/* Sorts candidates of one value by their rows. */
static void sort_rows(double *value, int *row, int count, const struct ct_kernels *kernels)
{
    double common = value[0];
    for (int i = 0; i < count; i++)
        value[i] = row[i];
    sort_values(value, row, count, kernels);
    for (int i = 0; i < count; i++)
        value[i] = common;
}

/* Divides candidates of different values into parts and sorts these. The difference divides most
 * values best; bits divide values of very different size, and infinite ones. */
static void sort_by_parts(double *value, int *row, int count, struct range range,
                          const struct ct_kernels *kernels)
{
    int start[PARTS + 1];
    struct division division = divide_by_difference(range, count);
    int by_difference = division.scale < 1e300 && division.scale > 1e-300;
    if (!by_difference || count_parts(&division, value, count, start) > count - count / 4) {
        division = divide_by_bits(range);
        count_parts(&division, value, count, start);
    }
    move_to_parts(&division, start, value, row);
    for (int p = 0; p < division.parts; p++)
        sort_values(value + start[p], row + start[p], start[p + 1] - start[p], kernels);
}

/* Sorts by (value, row). A part is complete before its neighbor begins, whose values must not
 * change: kernels may read beyond the end of a part, but count only what belongs to it. */
static void sort_values(double *value, int *row, int count, const struct ct_kernels *kernels)
{
    if (count <= RANK_MAX) {
        ct_sort_by_rank(value, row, count, kernels);
        return;
    }
    struct range range = find_range(value, count);
    if (range.least == range.greatest)
        sort_rows(value, row, count, kernels);
    else if (count > BUCKET_SORT_MAX || !sort_by_buckets(value, row, count, range, kernels))
        sort_by_parts(value, row, count, range, kernels);
}

void ct_sort_neighbors(double *sq, int *row, int count, const struct ct_kernels *kernels)
{
    for (int i = 0; i < count; i++)
        sq[i] = sqrt(sq[i]);
    sort_values(sq, row, count, kernels);
}
