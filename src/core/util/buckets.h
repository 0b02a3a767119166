/* buckets.h: the places of values that several threads distribute into buckets, stably.
 *
 * Threads share the values in blocks of consecutive values. Each block counts its values in each
 * bucket; ct_find_places() turns the numbers into places.
 */
#ifndef COVERTREE_UTIL_BUCKETS_H
#define COVERTREE_UTIL_BUCKETS_H

#include "core/host.h"
#include "core/util/float.h"

enum {
    CT_BUCKETS = 256,          /* a power of 2 */
    CT_BUCKET_BLOCK = 1 << 16, /* values of a block, at least */
    CT_BUCKET_BLOCKS = 256     /* at most */
};

struct ct_buckets {
    int n, blocks;
    int (*place)[CT_BUCKETS];  /* [blocks] by bucket: number of values; then, the next place */
    int begin[CT_BUCKETS + 1]; /* first place of each bucket */
};

/* Returns the buckets of n values, with memory for the numbers of values: up to 262 KB. */
static inline struct ct_buckets ct_buckets_new(const struct ct_host *host, int n)
{
    int blocks = n / CT_BUCKET_BLOCK + 1;
    blocks = blocks < CT_BUCKET_BLOCKS ? blocks : CT_BUCKET_BLOCKS;
    struct ct_buckets buckets = {.n = n, .blocks = blocks};
    buckets.place = host->alloc((size_t)blocks, sizeof *buckets.place);
    return buckets;
}

/* The first value of a block; n for the block after the last. */
static inline int ct_bucket_block(const struct ct_buckets *buckets, int block)
{
    return (int)((long long)buckets->n * block / buckets->blocks);
}

/* Turns the numbers of values by bucket and block into places, and finds the first place of each
 * bucket. */
static inline void ct_find_places(struct ct_buckets *buckets)
{
    int next = 0;
    for (int bucket = 0; bucket < CT_BUCKETS; bucket++) {
        buckets->begin[bucket] = next;
        for (int block = 0; block < buckets->blocks; block++) {
            int here = buckets->place[block][bucket];
            buckets->place[block][bucket] = next;
            next += here;
        }
    }
    buckets->begin[CT_BUCKETS] = next;
}

#endif
