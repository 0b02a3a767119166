/* radix_sort.c: radix sort by bytes, the most significant byte first.
 *
 * Many pairs are first distributed into buckets between keys of a sample, which are of similar
 * sizes even if most keys differ in a few low bits only. Threads share this step in blocks, and
 * then the buckets. Each bucket, which usually fits into cache, is distributed by the highest eight
 * bits in which its keys differ, each part of it in the same way, and so on; an insertion sort ends
 * runs of few pairs. Every step keeps equal keys in order.
 */
#include "core/util/radix_sort.h"
#include "core/util/buckets.h"
#include "core/util/parallel_for.h"

#include <string.h>

enum {
    DIGITS = 256,
    SMALL = 32,       /* pairs: up to this number, insertion sort is faster */
    CACHED = 1 << 16, /* pairs: up to this number, one thread sorts them without buckets */
    SAMPLE = 8,       /* keys of the sample for each bucket */
};

/* A sort of many pairs in progress. */
struct radix_sort {
    struct ct_key_id *pairs, *buffer; /* [n] */
    struct ct_buckets buckets;
    uint64_t splitter[CT_BUCKETS]; /* [CT_BUCKETS - 1] smallest key of each bucket but the first */
};

/* ---- runs --------------------------------------------------------------------- */

/* Sorts a small run, stably, without counting the values of digits. */
static void insertion_sort(struct ct_key_id *pairs, int count)
{
    for (int i = 1; i < count; i++) {
        struct ct_key_id pair = pairs[i];
        int at = i;
        for (; at > 0 && pairs[at - 1].key > pair.key; at--)
            pairs[at] = pairs[at - 1];
        pairs[at] = pair;
    }
}

/* Sets *shift to the number of bits to the right of the highest eight bits in which keys differ.
 * Returns 0 if all keys are equal. */
static int find_digit(const struct ct_key_id *pairs, int count, int *shift)
{
    uint64_t differ = 0;
    for (int i = 1; i < count; i++)
        differ |= pairs[i].key ^ pairs[0].key;
    *shift = 0;
    for (uint64_t rest = differ >> 8; rest > 0; rest >>= 1)
        ++*shift;
    return differ > 0;
}

/* Copies pairs in the order of the digit at bit `shift`, stably. Writes the end of the pairs of
 * each digit. Needs keys that are equal to the left of the digit. */
static void distribute(const struct ct_key_id *from, struct ct_key_id *to, int count, int shift,
                       int *end)
{
    memset(end, 0, DIGITS * sizeof *end);
    for (int i = 0; i < count; i++)
        end[from[i].key >> shift & 0xff]++;
    for (int digit = 0, next = 0; digit < DIGITS; digit++) {
        int here = end[digit];
        end[digit] = next;
        next += here;
    }
    for (int i = 0; i < count; i++)
        to[end[from[i].key >> shift & 0xff]++] = from[i];
}

/* Sorts a run of pairs in `from`. The result is in `from` if `stays`, else in `to`. */
static void sort_run(struct ct_key_id *from, struct ct_key_id *to, int count, int stays)
{
    int shift, end[DIGITS];
    if (count <= SMALL || !find_digit(from, count, &shift)) {
        if (!stays)
            memcpy(to, from, (size_t)count * sizeof *from);
        insertion_sort(stays ? from : to, count <= SMALL ? count : 0);
        return;
    }
    distribute(from, to, count, shift, end);
    for (int i = 0, begin = 0; i < DIGITS; begin = end[i++])
        if (end[i] > begin)
            sort_run(to + begin, from + begin, end[i] - begin, !stays);
}

/* ---- buckets ------------------------------------------------------------------ */

/* Finds the smallest keys of the buckets in a sample of the pairs. */
static void find_splitters(struct radix_sort *sort)
{
    struct ct_key_id sample[CT_BUCKETS * SAMPLE], spare[CT_BUCKETS * SAMPLE];
    for (int i = 0; i < CT_BUCKETS * SAMPLE; i++)
        sample[i] = sort->pairs[(int)((long long)sort->buckets.n * i / (CT_BUCKETS * SAMPLE))];
    sort_run(sample, spare, CT_BUCKETS * SAMPLE, 1);
    for (int bucket = 1; bucket < CT_BUCKETS; bucket++)
        sort->splitter[bucket - 1] = sample[bucket * SAMPLE].key;
}

/* Returns the bucket of a key: the number of splitters that are at most the key. */
static int bucket_of(const struct radix_sort *sort, uint64_t key)
{
    int bucket = 0;
    for (int step = CT_BUCKETS / 2; step > 0; step /= 2)
        bucket += key >= sort->splitter[bucket + step - 1] ? step : 0;
    return bucket;
}

static void count_block(void *data, int block, int thread)
{
    const struct radix_sort *sort = data;
    int *count = sort->buckets.place[block];
    memset(count, 0, CT_BUCKETS * sizeof *count);
    int end = ct_bucket_block(&sort->buckets, block + 1);
    for (int i = ct_bucket_block(&sort->buckets, block); i < end; i++) {
        int bucket = bucket_of(sort, sort->pairs[i].key);
        sort->pairs[i].bucket = bucket;
        count[bucket]++;
    }
    (void)thread;
}

static void distribute_block(void *data, int block, int thread)
{
    const struct radix_sort *sort = data;
    int *place = sort->buckets.place[block];
    int end = ct_bucket_block(&sort->buckets, block + 1);
    for (int i = ct_bucket_block(&sort->buckets, block); i < end; i++)
        sort->buffer[place[sort->pairs[i].bucket]++] = sort->pairs[i];
    (void)thread;
}

/* Sorts the pairs of a bucket from sort->buffer into sort->pairs. */
static void sort_bucket(void *data, int bucket, int thread)
{
    const struct radix_sort *sort = data;
    int begin = sort->buckets.begin[bucket], end = sort->buckets.begin[bucket + 1];
    sort_run(sort->buffer + begin, sort->pairs + begin, end - begin, 0);
    (void)thread;
}

void ct_radix_sort(const struct ct_host *host, struct ct_key_id *pairs, struct ct_key_id *buffer,
                   int n, int threads)
{
    if (n <= CACHED) {
        sort_run(pairs, buffer, n, 1);
        return;
    }
    struct radix_sort sort = {pairs, buffer, .buckets = ct_buckets_new(host, n)};
    int blocks = sort.buckets.blocks;
    find_splitters(&sort);
    ct_parallel_for(host, blocks, threads, count_block, &sort);
    ct_find_places(&sort.buckets);
    ct_parallel_for(host, blocks, threads, distribute_block, &sort);
    ct_parallel_for(host, CT_BUCKETS, threads, sort_bucket, &sort);
}
