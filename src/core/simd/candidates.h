/* candidates.h: the candidate buffer of one query.
 *
 * A scan appends the points of a tile within the query's threshold: float32 squared
 * distances and positions. When the buffer is full the search makes room, by a lower
 * threshold or by moving candidates on. Exact distances are computed only for candidates
 * that remain at the end.
 */
#ifndef COVERTREE_SIMD_CANDIDATES_H
#define COVERTREE_SIMD_CANDIDATES_H

enum { CT_LANES = 16 }; /* points of a tile: one vector of the widest instruction set */

/* A whole tile may be appended below the capacity, and vector stores run over the end. */
enum { CT_CANDIDATE_PAD = 32 };

struct ct_candidates {
    float *sq;       /* [capacity + CT_CANDIDATE_PAD] squared distances, in tile units */
    int *pos;        /* [capacity + CT_CANDIDATE_PAD] positions in the tree */
    int count;       /* candidates, up to capacity + CT_LANES - 1 after a scan */
    int capacity;    /* from this count on the buffer is full */
    float threshold; /* larger squares are not candidates */
    int skip_row;    /* the query's own row, which is no candidate; or 0 */
    int max_row;     /* larger rows are no candidates */
};

#endif
