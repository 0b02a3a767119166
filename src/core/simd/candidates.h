/* candidates.h: what a query has met within its limit, in the tiles' floats.
 *
 * Points are appended as tiles are met: their squares in float and where they
 * are. When the list is full, the search at hand makes room. Doubles are for
 * what is left in the end.
 */
#ifndef COVERTREE_SIMD_CANDIDATES_H
#define COVERTREE_SIMD_CANDIDATES_H

enum { CT_LANES = 16 }; /* points in a tile: one vector of the widest instruction set */

struct ct_candidates {
    float *sq; /* [full + CT_CANDIDATE_PAD] */
    int *pos;  /* [full + CT_CANDIDATE_PAD] */
    int count, full;
    float limit;    /* nothing above this is wanted, */
    int self, last; /* nor the row `self`, nor rows after `last` */
};

enum { CT_CANDIDATE_PAD = 32 }; /* a whole tile goes in below `full`, and vectors run over */

#endif
