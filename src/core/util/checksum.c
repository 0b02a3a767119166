/* checksum.c: see checksum.h.
 *
 * XXH64 reads words of 64 bits, four at a time (a stripe), and mixes the rest word by word.
 * Arithmetic puts values together to words, independently of the byte order of the machine; on a
 * little-endian machine compilers turn this into plain loads.
 */
#include "core/util/checksum.h"

#include <string.h>

/* The five primes of XXH64. */
static const uint64_t P1 = 0x9E3779B185EBCA87, P2 = 0xC2B2AE3D27D4EB4F, P3 = 0x165667B19E3779F9,
                      P4 = 0x85EBCA77C2B2AE63, P5 = 0x27D4EB2F165667C5;

enum { STRIPE = 4 }; /* words in a stripe */

/* Rotates a word to the left by 1 to 63 bits. */
static inline uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

/* One round of XXH64. */
static inline uint64_t mix(uint64_t sum, uint64_t word)
{
    return rotate(sum + word * P2, 31) * P1;
}

/* Value i of an array of values of `size` bytes: 8, 4 or 1. */
static inline uint64_t value_at(const char *from, size_t i, size_t size)
{
    uint64_t wide;
    uint32_t half;
    if (size == sizeof wide) {
        memcpy(&wide, from + i * size, sizeof wide);
        return wide;
    }
    if (size == sizeof half) {
        memcpy(&half, from + i * size, sizeof half);
        return half;
    }
    return (unsigned char)from[i];
}

/* Puts the values from i on together to a word of `bytes` bytes, the first value in the
 * lowest bits. */
static inline uint64_t word_at(const char *from, size_t i, size_t size, size_t bytes)
{
    uint64_t word = value_at(from, i, size);
    for (size_t at = size; at < bytes; at += size)
        word |= value_at(from, i + at / size, size) << 8 * at;
    return word;
}

/* Mixes the whole stripes, in four independent lanes. */
static inline uint64_t mix_stripes(const char *from, size_t size, size_t stripes, uint64_t seed)
{
    const size_t step = 8 / size;
    uint64_t a = seed + P1 + P2, b = seed + P2, c = seed, d = seed - P1;
    for (size_t s = 0, i = 0; s < stripes; s++, i += STRIPE * step) {
        a = mix(a, word_at(from, i, size, 8));
        b = mix(b, word_at(from, i + step, size, 8));
        c = mix(c, word_at(from, i + 2 * step, size, 8));
        d = mix(d, word_at(from, i + 3 * step, size, 8));
    }
    uint64_t all = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
    all = (all ^ mix(0, a)) * P1 + P4;
    all = (all ^ mix(0, b)) * P1 + P4;
    all = (all ^ mix(0, c)) * P1 + P4;
    return (all ^ mix(0, d)) * P1 + P4;
}

/* XXH64 of count values of `size` bytes: stripes, then words, then a half word, then bytes. */
static inline uint64_t checksum(const char *from, size_t count, size_t size, uint64_t seed)
{
    size_t bytes = count * size, stripes = bytes / (8 * STRIPE), at = stripes * 8 * STRIPE;
    uint64_t sum = stripes > 0 ? mix_stripes(from, size, stripes, seed) : seed + P5;
    sum += bytes;
    for (; at + 8 <= bytes; at += 8)
        sum = rotate(sum ^ mix(0, word_at(from, at / size, size, 8)), 27) * P1 + P4;
    if (at + 4 <= bytes) {
        sum = rotate(sum ^ word_at(from, at / size, size, 4) * P1, 23) * P2 + P3;
        at += 4;
    }
    for (; at < bytes; at++)
        sum = rotate(sum ^ value_at(from, at, 1) * P5, 11) * P1;
    sum = (sum ^ sum >> 33) * P2;
    sum = (sum ^ sum >> 29) * P3;
    return sum ^ sum >> 32;
}

uint64_t ct_checksum_doubles(const double *value, size_t count, uint64_t seed)
{
    return checksum((const char *)value, count, sizeof *value, seed);
}

uint64_t ct_checksum_ints(const int *value, size_t count, uint64_t seed)
{
    return checksum((const char *)value, count, sizeof *value, seed);
}

uint64_t ct_checksum_bytes(const char *value, size_t count, uint64_t seed)
{
    return checksum(value, count, 1, seed);
}
