/* short_sort.h: stable sort of 32-bit keys with an int each, packed in one word.
 *
 * Used for the leading bits of Hilbert keys. Linear in the number of keys. Moves half as much
 * memory as radix_sort.h, and takes fewer steps.
 */
#ifndef COVERTREE_UTIL_SHORT_SORT_H
#define COVERTREE_UTIL_SHORT_SORT_H

#include "core/host.h"
#include "core/util/float.h"

#include <stdint.h>

/* A key with a number: the key is the upper half of the word. */
static inline uint64_t ct_pack_key(uint32_t key, int id)
{
    return (uint64_t)key << 32 | (uint32_t)id;
}

static inline uint32_t ct_packed_key(uint64_t packed)
{
    return (uint32_t)(packed >> 32);
}

static inline int ct_packed_id(uint64_t packed)
{
    return (int)(uint32_t)packed;
}

/* Sorts words [n] by key, ascending, equal keys in their given order. buffer: [n] scratch. Takes up
 * to 262 KB from the host. The same result for any number of threads. */
void ct_short_sort(const struct ct_host *host, uint64_t *words, uint64_t *buffer, int n,
                   int threads);

#endif
