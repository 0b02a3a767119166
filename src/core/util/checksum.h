/* checksum.h: checksums of vectors, to tell whether a file gave back what was saved.
 *
 * XXH64 (Yann Collet's xxHash, 64 bits), which reads several gigabytes a second. It is
 * taken of the bytes that the values have on a little-endian machine, so that all machines
 * agree. It finds accidents, not intent.
 */
#ifndef COVERTREE_UTIL_CHECKSUM_H
#define COVERTREE_UTIL_CHECKSUM_H

#include "core/util/float.h"

#include <stddef.h>
#include <stdint.h>

/* XXH64 of count values with a seed, which may be another checksum: so several vectors have
 * one. */
uint64_t ct_checksum_doubles(const double *value, size_t count, uint64_t seed);
uint64_t ct_checksum_ints(const int *value, size_t count, uint64_t seed);
uint64_t ct_checksum_bytes(const char *value, size_t count, uint64_t seed);

#endif
