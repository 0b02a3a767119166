/* radix_sort.c: radix sort by bytes, the most significant byte first.
 *
 * A first pass over the keys finds the bytes that differ between keys. The pairs are distributed
 * into buckets by the most significant of these bytes. Each bucket, which usually fits into cache,
 * is distributed by the next byte, and so on; an insertion sort ends runs of few pairs. Every step
 * keeps equal keys in order. Threads share the first passes in blocks, and then the buckets.
 */
#include "core/util/radix_sort.h"
#include "core/util/parallel_for.h"

#include <string.h>

enum {
    DIGITS = 256,
    BYTES = 8,
    SMALL = 32,      /* pairs: up to this number, insertion sort is faster */
    BLOCK = 1 << 16, /* pairs of a block, at least */
    MAX_BLOCKS = 256
};

/* A sort in progress. Pairs move between `pairs` and `buffer`. */
struct radix_sort {
    struct ct_key_id *pairs, *buffer; /* [n] */
    int n, blocks;
    int digits;            /* bytes that differ between keys */
    int shift[BYTES];      /* [digits] bits to the right of each byte, least significant first */
    uint64_t *differ;      /* [blocks] bits that differ from the first key of all */
    int (*place)[DIGITS];  /* [blocks] by byte: number of pairs; then, the next place */
    int begin[DIGITS + 1]; /* first pair of each bucket */
};

/* Value of the byte of a key that begins at bit `shift`. */
static unsigned digit_of(const struct ct_key_id *pair, int shift)
{
    return (pair->key >> shift) & 0xff;
}

/* Sorts a small bucket, stably, without counting the values of bytes. */
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

/* ---- buckets ---------------------------------------------------------------- */

/* Copies pairs in the order of a byte, stably, and writes the end of each bucket. Returns 0, and
 * copies nothing, if the byte is equal in all pairs. */
static int distribute(const struct ct_key_id *from, struct ct_key_id *to, int count, int shift,
                      int *end)
{
    memset(end, 0, DIGITS * sizeof *end);
    for (int i = 0; i < count; i++)
        end[digit_of(&from[i], shift)]++;
    for (int digit = 0, next = 0; digit < DIGITS; digit++) {
        int here = end[digit];
        if (here == count)
            return 0;
        end[digit] = next;
        next += here;
    }
    for (int i = 0; i < count; i++)
        to[end[digit_of(&from[i], shift)]++] = from[i];
    return 1;
}

/* Sorts a run of pairs in `from` by the bytes from number `digit` down. The result is in `from` if
 * `stays`, else in `to`. */
static void sort_run(const struct radix_sort *sort, struct ct_key_id *from, struct ct_key_id *to,
                     int count, int digit, int stays)
{
    int end[DIGITS];
    while (digit >= 0 && count > SMALL && !distribute(from, to, count, sort->shift[digit], end))
        digit--;
    if (digit < 0 || count <= SMALL) {
        struct ct_key_id *result = stays ? from : to;
        if (!stays)
            memcpy(to, from, (size_t)count * sizeof *from);
        insertion_sort(result, digit < 0 ? 0 : count);
        return;
    }
    for (int i = 0, begin = 0; i < DIGITS; begin = end[i++])
        if (end[i] > begin)
            sort_run(sort, to + begin, from + begin, end[i] - begin, digit - 1, !stays);
}

/* Sorts the pairs of a bucket from sort->buffer into sort->pairs. */
static void sort_bucket(void *data, int bucket, int thread)
{
    const struct radix_sort *sort = data;
    int begin = sort->begin[bucket], count = sort->begin[bucket + 1] - begin;
    sort_run(sort, sort->buffer + begin, sort->pairs + begin, count, sort->digits - 2, 0);
    (void)thread;
}

/* ---- the first distribution ------------------------------------------------- */

/* The first pair of a block; n for the block after the last. */
static int block_begin(const struct radix_sort *sort, int block)
{
    return (int)((long long)sort->n * block / sort->blocks);
}

static void find_differing_bits(void *data, int block, int thread)
{
    const struct radix_sort *sort = data;
    uint64_t first = sort->pairs[0].key, differ = 0;
    for (int i = block_begin(sort, block); i < block_begin(sort, block + 1); i++)
        differ |= sort->pairs[i].key ^ first;
    sort->differ[block] = differ;
    (void)thread;
}

static void count_block(void *data, int block, int thread)
{
    const struct radix_sort *sort = data;
    int *count = sort->place[block], shift = sort->shift[sort->digits - 1];
    memset(count, 0, DIGITS * sizeof *count);
    for (int i = block_begin(sort, block); i < block_begin(sort, block + 1); i++)
        count[digit_of(&sort->pairs[i], shift)]++;
    (void)thread;
}

static void distribute_block(void *data, int block, int thread)
{
    const struct radix_sort *sort = data;
    int *place = sort->place[block], shift = sort->shift[sort->digits - 1];
    for (int i = block_begin(sort, block); i < block_begin(sort, block + 1); i++)
        sort->buffer[place[digit_of(&sort->pairs[i], shift)]++] = sort->pairs[i];
    (void)thread;
}

/* Finds the bytes that differ between keys. */
static void find_digits(const struct ct_host *host, struct radix_sort *sort, int threads)
{
    uint64_t differ = 0;
    ct_parallel_for(host, sort->blocks, threads, find_differing_bits, sort);
    for (int block = 0; block < sort->blocks; block++)
        differ |= sort->differ[block];
    for (int byte = 0; byte < BYTES; byte++)
        if (differ >> (8 * byte) & 0xff)
            sort->shift[sort->digits++] = 8 * byte;
}

/* Turns the numbers of pairs by byte and block into places, and finds the buckets. */
static void find_places(struct radix_sort *sort)
{
    int next = 0;
    for (int digit = 0; digit < DIGITS; digit++) {
        sort->begin[digit] = next;
        for (int block = 0; block < sort->blocks; block++) {
            int here = sort->place[block][digit];
            sort->place[block][digit] = next;
            next += here;
        }
    }
    sort->begin[DIGITS] = next;
}

void ct_radix_sort(const struct ct_host *host, struct ct_key_id *pairs, struct ct_key_id *buffer,
                   int n, int threads)
{
    int blocks = n / BLOCK + 1 < MAX_BLOCKS ? n / BLOCK + 1 : MAX_BLOCKS;
    struct radix_sort sort = {.pairs = pairs, .buffer = buffer, .n = n, .blocks = blocks};
    if (n < 2)
        return;
    sort.differ = host->alloc((size_t)blocks, sizeof *sort.differ);
    sort.place = host->alloc((size_t)blocks, sizeof *sort.place);
    find_digits(host, &sort, threads);
    if (sort.digits == 0)
        return;
    ct_parallel_for(host, blocks, threads, count_block, &sort);
    find_places(&sort);
    ct_parallel_for(host, blocks, threads, distribute_block, &sort);
    ct_parallel_for(host, DIGITS, threads, sort_bucket, &sort);
}
