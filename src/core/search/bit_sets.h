/* bit_sets.h: Hamming and Jaccard distance of sets of bits, for the pair scan.
 *
 * A set of d possible elements takes d bits. Distances equal the distances of metric/manhattan.h
 * and metric/jaccard.h bit for bit, because they come from the same counts. d / 64 operations for
 * each pair.
 */
#ifndef COVERTREE_SEARCH_BIT_SETS_H
#define COVERTREE_SEARCH_BIT_SETS_H

#include "core/host.h"
#include "core/simd/popcount.h"

/* n sets: word w of set i is bits[i + w * n]. */
struct ct_bit_sets {
    int n, words;
    uint64_t *bits; /* [n x words] */
    int *size;      /* [n] elements */
};

/* Packs the rows of x [n x d, column-major], whose elements are the values other than 0. Set
 * row[i] - 1 is row i of x; NULL: in the order of x. O(n d). */
struct ct_bit_sets ct_pack_bits(const struct ct_host *host, const double *x, const int *row, int n,
                                int d);

struct ct_bit_pairs {
    struct ct_bit_sets points, query; /* with the same number of words */
    int jaccard;                      /* Jaccard distance, otherwise Hamming */
    ct_common_bits *common_bits;
};

/* Distances for struct ct_pair_scan. data: a struct ct_bit_pairs. Two empty sets have the Jaccard
 * distance 0. */
void ct_bits_compare(const void *data, int at, int begin, int count, double *distance);

#endif
