/* checksum.h: checksums of vectors: does a file give back the saved values?
 *
 * XXH64 (Yann Collet's xxHash, 64 bits): several gigabytes a second. Values count as their
 * bytes on a little-endian machine: all machines agree. A checksum
 * finds accidents, not intent.
 */
#ifndef COVERTREE_UTIL_CHECKSUM_H
#define COVERTREE_UTIL_CHECKSUM_H

#include "core/util/float.h"

#include <stddef.h>
#include <stdint.h>

/* Each returns the XXH64 of `count` values. The seed may be another checksum: several vectors
 * then have a joint checksum. */
uint64_t ct_checksum_doubles(const double *value, size_t count, uint64_t seed);
uint64_t ct_checksum_ints(const int *value, size_t count, uint64_t seed);
uint64_t ct_checksum_bytes(const char *value, size_t count, uint64_t seed);

#endif
