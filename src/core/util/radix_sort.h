/* radix_sort.h: stable radix sort of 64-bit keys that carry an int. */
#ifndef COVERTREE_UTIL_RADIX_SORT_H
#define COVERTREE_UTIL_RADIX_SORT_H

#include "core/host.h"

#include <stdint.h>

struct ct_key_id {
    uint64_t key;
    int id;
};

/* Sorts pairs by key, equal keys in their given order; spare has room for n
 * more. The same result for any number of threads. */
void ct_radix_sort(const struct ct_host *host, struct ct_key_id *pairs, struct ct_key_id *spare,
                   int n, int threads);

#endif
