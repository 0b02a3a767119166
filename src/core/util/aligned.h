/* aligned.h: memory that starts at a cache line, for arrays that vector kernels read.
 *
 * A vector load that spans two cache lines costs two loads; the host aligns to 16 bytes only.
 */
#ifndef COVERTREE_UTIL_ALIGNED_H
#define COVERTREE_UTIL_ALIGNED_H

#include "core/host.h"

#include <stdint.h>

enum { CT_CACHE_LINE = 64 }; /* bytes */

/* count * size bytes at a multiple of CT_CACHE_LINE, from host->alloc(): 64 bytes more. */
static inline void *ct_alloc_aligned(const struct ct_host *host, size_t count, size_t size)
{
    char *memory = host->alloc(count * size + CT_CACHE_LINE, 1);
    return memory + (CT_CACHE_LINE - (uintptr_t)memory % CT_CACHE_LINE) % CT_CACHE_LINE;
}

#endif
