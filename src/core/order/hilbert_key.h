/* hilbert_key.h: keys of points along a Hilbert curve, from the cells of a grid.
 *
 * The grid has 2^bits cells a side. A key is the index of a cell along the curve, of d * bits bits,
 * followed by zeros. The leading bits of a key depend on the leading bits of the coordinates only,
 * so a short key is the beginning of the key. Keys are computed for CT_KEY_CHUNK points at a time.
 * cell: [CT_KEY_CHUNK x d, column-major] coordinates of the cells; overwritten.
 */
#ifndef COVERTREE_ORDER_HILBERT_KEY_H
#define COVERTREE_ORDER_HILBERT_KEY_H

#include <stddef.h>
#include <stdint.h>

enum { CT_KEY_CHUNK = 64 };

/* Bits of each coordinate in a key. 64 bits in all keep the key in one word up to d = 64; more than
 * 32 bits of a coordinate do not fit into a uint32_t. */
int ct_hilbert_bits(int d);

/* Bits of each coordinate in a short key, of 32 bits; a cell fits into an int. 0: there are no
 * short keys. */
int ct_hilbert_short_bits(int d);

/* Words of 64 bits in a key. */
int ct_hilbert_key_words(int d);

/* Computes short keys [CT_KEY_CHUNK] of cells of ct_hilbert_short_bits(d) bits. */
void ct_hilbert_short_keys(uint32_t *cell, int d, uint32_t *key);

/* Computes keys [CT_KEY_CHUNK x words, column-major] of cells of ct_hilbert_bits(d) bits, the most
 * significant word first. */
void ct_hilbert_keys(uint32_t *cell, int d, uint64_t *key);

#endif
