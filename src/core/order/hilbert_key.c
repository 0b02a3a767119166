/* hilbert_key.c: Skilling's transform (AIP Conf. Proc. 707, 2004).
 *
 * The transform turns the coordinates of a cell into the curve's index in "transposed" form: the
 * bits of the index, most significant first, run through the top bits of all coordinates, then
 * through the next bits, down to the last. Every step is a loop over the points of a chunk, which
 * compilers vectorize.
 */
#include "core/order/hilbert_key.h"
#include "core/util/float.h"

#include <string.h>

int ct_hilbert_bits(int d)
{
    int bits = 64 / d;
    return bits > 32 ? 32 : bits < 1 ? 1 : bits;
}

int ct_hilbert_short_bits(int d)
{
    int bits = 32 / d;
    return bits > 31 ? 31 : bits;
}

int ct_hilbert_key_words(int d)
{
    return (int)(((size_t)d * ct_hilbert_bits(d) + 63) / 64);
}

/* For the points of a chunk: where bit b of the second coordinate is set, flips the lower bits
 * of the first coordinate; where the bit is not set, exchanges the lower bits of both. This undoes
 * the reflections that the curve makes inside each half. Without branches: compilers vectorize the
 * loop over points. */
static void undo_reflection(uint32_t *restrict first, uint32_t *restrict other, int b)
{
    uint32_t lower_bits = ((uint32_t)1 << b) - 1;
    for (int i = 0; i < CT_KEY_CHUNK; i++) {
        uint32_t set = 0 - ((other[i] >> b) & 1);
        uint32_t differ = (first[i] ^ other[i]) & lower_bits & ~set;
        first[i] ^= differ | (lower_bits & set);
        other[i] ^= differ;
    }
}

/* The same with coordinate `first` in both places; a function of its own, because `restrict`
 * excludes equal arguments. */
static void undo_flip(uint32_t *first, int b)
{
    uint32_t lower_bits = ((uint32_t)1 << b) - 1;
    for (int i = 0; i < CT_KEY_CHUNK; i++)
        first[i] ^= lower_bits & (0 - ((first[i] >> b) & 1));
}

/* cell[i] ^= other[i] for the points of a chunk. */
static void xor_into(uint32_t *restrict cell, const uint32_t *restrict other)
{
    for (int i = 0; i < CT_KEY_CHUNK; i++)
        cell[i] ^= other[i];
}

/* Turns the coordinates of cells into the transposed index, in place: undoes reflections from the
 * top bit down, then takes the Gray code across and along the last of the coordinates. */
static void transpose_index(uint32_t *cell, int d, int bits)
{
    for (int b = bits - 1; b > 0; b--) {
        undo_flip(cell, b);
        for (int j = 1; j < d; j++)
            undo_reflection(cell, cell + (size_t)j * CT_KEY_CHUNK, b);
    }
    for (int j = 1; j < d; j++)
        xor_into(cell + (size_t)j * CT_KEY_CHUNK, cell + (size_t)(j - 1) * CT_KEY_CHUNK);
    uint32_t flip[CT_KEY_CHUNK] = {0}, *last = cell + (size_t)(d - 1) * CT_KEY_CHUNK;
    for (int b = bits - 1; b > 0; b--)
        for (int i = 0; i < CT_KEY_CHUNK; i++)
            flip[i] ^= (((uint32_t)1 << b) - 1) & (0 - ((last[i] >> b) & 1));
    for (int j = 0; j < d; j++)
        xor_into(cell + (size_t)j * CT_KEY_CHUNK, flip);
}

/* Writes 32 bits of each point's transposed index, from bit `first` on, to half [CT_KEY_CHUNK];
 * zeros after the end of the index. Halves of words keep all loops over points in 32-bit lanes. Bit
 * i of the index is bit (bits - 1 - i / d) of coordinate i % d. */
static void pack_half(const uint32_t *cell, int d, int bits, size_t first, uint32_t *half)
{
    size_t all = (size_t)d * bits, end = first + 32 < all ? first + 32 : all;
    int missing = first < all ? 32 - (int)(end - first) : 0;
    memset(half, 0, CT_KEY_CHUNK * sizeof *half);
    for (size_t at = first; at < end; at++) {
        const uint32_t *from = cell + at % d * CT_KEY_CHUNK;
        int b = bits - 1 - (int)(at / d);
        for (int i = 0; i < CT_KEY_CHUNK; i++)
            half[i] = half[i] << 1 | ((from[i] >> b) & 1);
    }
    for (int i = 0; i < CT_KEY_CHUNK; i++)
        half[i] <<= missing;
}

/* Returns the lower 16 bits of `value`, or the lower 10, with one or two zeros between them. */
static uint32_t spread_by_2(uint32_t value)
{
    value = (value | value << 8) & 0x00ff00ff;
    value = (value | value << 4) & 0x0f0f0f0f;
    value = (value | value << 2) & 0x33333333;
    return (value | value << 1) & 0x55555555;
}

static uint32_t spread_by_3(uint32_t value)
{
    value = (value | value << 16) & 0x030000ff;
    value = (value | value << 8) & 0x0300f00f;
    value = (value | value << 4) & 0x030c30c3;
    return (value | value << 2) & 0x09249249;
}

/* Returns the lower 16 bits of two values, or the lower 10 of three, in turn. */
static uint32_t interleave_2(uint32_t a, uint32_t b)
{
    return spread_by_2(a) << 1 | spread_by_2(b);
}

static uint32_t interleave_3(uint32_t a, uint32_t b, uint32_t c)
{
    return spread_by_3(a) << 2 | spread_by_3(b) << 1 | spread_by_3(c);
}

void ct_hilbert_short_keys(uint32_t *cell, int d, uint32_t *key)
{
    const uint32_t *a = cell, *b = cell + CT_KEY_CHUNK, *c = b + CT_KEY_CHUNK;
    transpose_index(cell, d, ct_hilbert_short_bits(d));
    if (d == 2)
        for (int i = 0; i < CT_KEY_CHUNK; i++)
            key[i] = interleave_2(a[i], b[i]);
    else if (d == 3)
        for (int i = 0; i < CT_KEY_CHUNK; i++)
            key[i] = interleave_3(a[i], b[i], c[i]) << 2;
    else
        pack_half(cell, d, ct_hilbert_short_bits(d), 0, key);
}

/* Packs the only word of keys in 2 dimensions: coordinates of 16 + 16 bits. */
static void pack_2(const uint32_t *a, const uint32_t *b, uint64_t *key)
{
    for (int i = 0; i < CT_KEY_CHUNK; i++)
        key[i] = (uint64_t)interleave_2(a[i] >> 16, b[i] >> 16) << 32 |
                 interleave_2(a[i] & 0xffff, b[i] & 0xffff);
}

/* The same in 3 dimensions: coordinates of 10 + 10 + 1 bits. */
static void pack_3(const uint32_t *a, const uint32_t *b, const uint32_t *c, uint64_t *key)
{
    const uint32_t low = 0x3ff;
    for (int i = 0; i < CT_KEY_CHUNK; i++) {
        uint64_t first = interleave_3(a[i] >> 11, b[i] >> 11, c[i] >> 11);
        uint64_t next = interleave_3(a[i] >> 1 & low, b[i] >> 1 & low, c[i] >> 1 & low);
        key[i] = first << 34 | next << 4 | (a[i] & 1) << 3 | (b[i] & 1) << 2 | (c[i] & 1) << 1;
    }
}

void ct_hilbert_keys(uint32_t *cell, int d, uint64_t *key)
{
    int bits = ct_hilbert_bits(d), words = ct_hilbert_key_words(d);
    uint32_t high[CT_KEY_CHUNK], low[CT_KEY_CHUNK];
    transpose_index(cell, d, bits);
    if (d == 2)
        pack_2(cell, cell + CT_KEY_CHUNK, key);
    else if (d == 3)
        pack_3(cell, cell + CT_KEY_CHUNK, cell + 2 * CT_KEY_CHUNK, key);
    else
        for (int word = 0; word < words; word++, key += CT_KEY_CHUNK) {
            pack_half(cell, d, bits, (size_t)word * 64, high);
            pack_half(cell, d, bits, (size_t)word * 64 + 32, low);
            for (int i = 0; i < CT_KEY_CHUNK; i++)
                key[i] = (uint64_t)high[i] << 32 | low[i];
        }
}
