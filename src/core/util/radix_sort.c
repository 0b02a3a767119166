/* radix_sort.c: radix sort by bytes: the most significant byte first, then within buckets.
 *
 * A first pass over the keys counts the values of every byte. Bytes with the same value in all
 * keys are left out. The pairs are distributed into buckets by the most significant remaining byte;
 * each bucket, which usually fits into cache, is sorted by the remaining bytes, least significant
 * first. Every step keeps equal keys in order. Buckets are independent; threads share the buckets.
 */
#include "core/util/radix_sort.h"
#include "core/util/parallel_for.h"

#include <string.h>

enum {
    DIGITS = 256,
    BYTES = 8,
    SMALL = 48 /* pairs: below, insertion sort is faster */
};

/* A sort in progress. Pairs move between `pairs` and `buffer`. */
struct radix_sort {
    struct ct_key_id *pairs, *buffer; /* [n] */
    int digits;                       /* bytes that differ between keys */
    int shift[BYTES];      /* [digits] bits to the right of each byte, least significant first */
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

/* Copies pairs in the order of a byte, stably. Returns 0, and copies nothing, if the byte is
 * equal in all pairs. */
static int distribute(const struct ct_key_id *from, struct ct_key_id *to, int count, int shift)
{
    int place[DIGITS] = {0};
    for (int i = 0; i < count; i++)
        place[digit_of(&from[i], shift)]++;
    for (int digit = 0, next = 0; digit < DIGITS; digit++) {
        int here = place[digit];
        if (here == count)
            return 0;
        place[digit] = next;
        next += here;
    }
    for (int i = 0; i < count; i++)
        to[place[digit_of(&from[i], shift)]++] = from[i];
    return 1;
}

/* Sorts the pairs of a bucket from sort->buffer into sort->pairs. */
static void sort_bucket(void *data, int bucket, int thread)
{
    const struct radix_sort *sort = data;
    int begin = sort->begin[bucket], count = sort->begin[bucket + 1] - begin;
    struct ct_key_id *from = sort->buffer + begin, *to = sort->pairs + begin;
    for (int i = 0; i < sort->digits - 1 && count > SMALL; i++)
        if (distribute(from, to, count, sort->shift[i])) {
            struct ct_key_id *swap = from;
            from = to;
            to = swap;
        }
    if (from == sort->buffer + begin)
        memcpy(to, from, (size_t)count * sizeof *from);
    if (count <= SMALL)
        insertion_sort(to, count);
    (void)thread;
}

/* Finds the bytes that differ between keys, and the buckets of the most significant byte. */
static void find_digits(struct radix_sort *sort, int n)
{
    int count[BYTES][DIGITS] = {{0}};
    sort->digits = 0;
    for (int i = 0; i < n; i++)
        for (int byte = 0; byte < BYTES; byte++)
            count[byte][digit_of(&sort->pairs[i], 8 * byte)]++;
    for (int byte = 0; byte < BYTES; byte++)
        if (count[byte][digit_of(&sort->pairs[0], 8 * byte)] < n)
            sort->shift[sort->digits++] = 8 * byte;
    if (sort->digits == 0)
        return;
    const int *top = count[sort->shift[sort->digits - 1] / 8];
    sort->begin[0] = 0;
    for (int digit = 0; digit < DIGITS; digit++)
        sort->begin[digit + 1] = sort->begin[digit] + top[digit];
}

/* One distribution on the calling thread, then the buckets on all threads. */
void ct_radix_sort(const struct ct_host *host, struct ct_key_id *pairs, struct ct_key_id *buffer,
                   int n, int threads)
{
    struct radix_sort sort = {.pairs = pairs, .buffer = buffer};
    if (n < 2)
        return;
    find_digits(&sort, n);
    host->poll();
    if (sort.digits == 0)
        return;
    distribute(pairs, buffer, n, sort.shift[sort.digits - 1]);
    ct_parallel_for(host, DIGITS, threads, sort_bucket, &sort);
}
