/* radix_sort.h: stable radix sort of 64-bit keys with an int each.
 *
 * Used for Hilbert keys and for grouping queries. Linear in the number of keys; leading bits with
 * the same value in all keys cost nothing.
 */
#ifndef COVERTREE_UTIL_RADIX_SORT_H
#define COVERTREE_UTIL_RADIX_SORT_H

#include "core/host.h"

#include <stdint.h>

/* A key to sort by, and the number of what it belongs to. */
struct ct_key_id {
    uint64_t key;
    int id;
    int bucket; /* of the sort */
};

/* Sorts pairs [n] by key, ascending, equal keys in their given order. buffer: [n] scratch. Takes
 * up to 262 KB from the host. The same result for any number of threads. */
void ct_radix_sort(const struct ct_host *host, struct ct_key_id *pairs, struct ct_key_id *buffer,
                   int n, int threads);

#endif
