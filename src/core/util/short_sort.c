/* short_sort.c: see short_sort.h.
 *
 * A run that fits into cache is sorted by digits of 8 to 12 bits, the least significant first. A
 * longer run is first distributed into 256 buckets by the most significant byte, each bucket again
 * if it does not fit. Threads share the first distribution in blocks, and then the buckets.
 */
#include "core/util/short_sort.h"
#include "core/util/buckets.h"
#include "core/util/parallel_for.h"

#include <string.h>

enum {
    KEY_BITS = 32,       /* above the ids */
    MAX_DIGIT_BITS = 12, /* of a run of LONG words or more; 16 KB of counters */
    SHORT_DIGIT_BITS = 8,
    LONG = 1 << 12,
    CACHED = 1 << 16, /* words of a run that fits into cache */
    SMALL = 24,       /* words: up to this number, insertion sort is faster */
};

/* The digit of `bits` bits from bit `shift` of a word on. */
static unsigned digit_of(uint64_t word, int shift, int bits)
{
    return (unsigned)(word >> shift) & ((1u << bits) - 1);
}

static void insertion_sort(uint64_t *words, int count)
{
    for (int i = 1; i < count; i++) {
        uint64_t word = words[i];
        int at = i;
        for (; at > 0 && ct_packed_key(words[at - 1]) > ct_packed_key(word); at--)
            words[at] = words[at - 1];
        words[at] = word;
    }
}

/* Copies words in the order of a digit, stably. end: [1 << bits], becomes the end of the words of
 * each digit. Returns 0, and copies nothing, if the digit is equal in all words. */
static int distribute(const uint64_t *from, uint64_t *to, int count, int shift, int bits, int *end)
{
    memset(end, 0, sizeof *end << bits);
    for (int i = 0; i < count; i++)
        end[digit_of(from[i], shift, bits)]++;
    if (end[digit_of(from[0], shift, bits)] == count)
        return 0;
    for (int digit = 0, next = 0; digit < 1 << bits; digit++) {
        int here = end[digit];
        end[digit] = next;
        next += here;
    }
    for (int i = 0; i < count; i++)
        to[end[digit_of(from[i], shift, bits)]++] = from[i];
    return 1;
}

/* Sorts a run of words in `from` by the lower `bits` bits of the keys, the least significant digit
 * first. The result is in `from` if `stays`, else in `to`. */
static void sort_cached(uint64_t *from, uint64_t *to, int count, int bits, int stays)
{
    int end[1 << MAX_DIGIT_BITS], most = count < LONG ? SHORT_DIGIT_BITS : MAX_DIGIT_BITS;
    int digits = (bits + most - 1) / most;
    uint64_t *result = stays ? from : to;
    for (int digit = 0, done = 0; digit < digits; digit++) {
        int width = (bits - done) / (digits - digit);
        if (distribute(from, to, count, KEY_BITS + done, width, end)) {
            uint64_t *other = from;
            from = to;
            to = other;
        }
        done += width;
    }
    if (from != result)
        memcpy(result, from, (size_t)count * sizeof *from);
}

/* Sorts a run of words in `from` by the lower `bits` bits of the keys. The result is in `from` if
 * `stays`, else in `to`. */
static void sort_run(uint64_t *from, uint64_t *to, int count, int bits, int stays)
{
    int end[CT_BUCKETS];
    while (bits > 0 && count > CACHED && !distribute(from, to, count, KEY_BITS + bits - 8, 8, end))
        bits -= 8;
    if (count > SMALL && count <= CACHED) {
        sort_cached(from, to, count, bits, stays);
        return;
    }
    if (bits == 0 || count <= SMALL) {
        if (!stays)
            memcpy(to, from, (size_t)count * sizeof *from);
        insertion_sort(stays ? from : to, bits == 0 ? 0 : count);
        return;
    }
    for (int i = 0, begin = 0; i < CT_BUCKETS; begin = end[i++])
        if (end[i] > begin)
            sort_run(to + begin, from + begin, end[i] - begin, bits - 8, !stays);
}

/* ---- threads ---------------------------------------------------------------- */

/* A sort of many words in progress. */
struct short_sort {
    uint64_t *words, *buffer;  /* [n] */
    struct ct_buckets buckets; /* by the first byte of the key */
};

static void count_block(void *data, int block, int thread)
{
    const struct short_sort *sort = data;
    int *count = sort->buckets.place[block];
    memset(count, 0, CT_BUCKETS * sizeof *count);
    int end = ct_bucket_block(&sort->buckets, block + 1);
    for (int i = ct_bucket_block(&sort->buckets, block); i < end; i++)
        count[sort->words[i] >> 56]++;
    (void)thread;
}

static void distribute_block(void *data, int block, int thread)
{
    const struct short_sort *sort = data;
    int *place = sort->buckets.place[block];
    int end = ct_bucket_block(&sort->buckets, block + 1);
    for (int i = ct_bucket_block(&sort->buckets, block); i < end; i++)
        sort->buffer[place[sort->words[i] >> 56]++] = sort->words[i];
    (void)thread;
}

/* Sorts the words of a bucket from sort->buffer into sort->words. */
static void sort_bucket(void *data, int bucket, int thread)
{
    const struct short_sort *sort = data;
    int begin = sort->buckets.begin[bucket], count = sort->buckets.begin[bucket + 1] - begin;
    sort_run(sort->buffer + begin, sort->words + begin, count, KEY_BITS - 8, 0);
    (void)thread;
}

void ct_short_sort(const struct ct_host *host, uint64_t *words, uint64_t *buffer, int n,
                   int threads)
{
    if (n <= CACHED) {
        sort_run(words, buffer, n, KEY_BITS, 1);
        return;
    }
    struct short_sort sort = {words, buffer, ct_buckets_new(host, n)};
    int blocks = sort.buckets.blocks;
    ct_parallel_for(host, blocks, threads, count_block, &sort);
    ct_find_places(&sort.buckets);
    ct_parallel_for(host, blocks, threads, distribute_block, &sort);
    ct_parallel_for(host, CT_BUCKETS, threads, sort_bucket, &sort);
}
