/* ct_simd.h: the vector kernels and the choice among them.
 *
 * Each kernel exists once, in ct_kernels.h, and is compiled for every
 * instruction set the compiler knows; the processor decides at run time which
 * one is used. Kernels in double give the same bits in every set. Kernels in
 * float only tell what may be discarded, with a margin that covers the rounding
 * of all of them, so the choice shows in time only.
 */
#ifndef CT_SIMD_H
#define CT_SIMD_H

#include <stddef.h>

enum ct_simd_level { CT_SIMD_BASE, CT_SIMD_AVX2, CT_SIMD_AVX512, CT_SIMD_LEVELS };

enum { CT_TEAM = 8 }; /* queries that meet a tile together */

struct ct_kernels {
    const char *name;
    /* out[i] = squared distance of q to point i of count; ld doubles lie
     * between the columns of x. */
    void (*sqdist)(const double *x, size_t ld, int d, int count, const double *q, double *out);
    /* rank[i] = how many of x[0, count) come before x[i]; equals by place. */
    void (*rank)(const double *x, int count, int *rank);
    /* How many of x[0, count) are at most the limit; what follows x, up to a
     * whole vector, must be above it. */
    int (*count_within)(const double *x, int count, double limit);
    /* Bit i of the result: point i, of at most CT_LANES, is within the limit of q;
     * their squared distances in sq, which has room for CT_LANES. */
    unsigned (*points_within)(const double *x, size_t ld, int d, int count, const double *q,
                              double limit, double *sq);
    /* Bit i of the result: point i of the tile is within the limit of q. */
    unsigned (*tile_within)(const float *tile, int d, const float *q, float limit);
    /* The same for CT_TEAM queries; coordinate j of query i is q[j * CT_TEAM + i]. */
    void (*tile_within_team)(const float *tile, int d, const float *q, const float *limit,
                             unsigned *within);
    /* Writes the numbers and the squared distances of the boxes, of count, within
     * the limit of the box from q_lower to q_upper; returns how many. Reads boxes
     * up to the next multiple of CT_LANES. */
    int (*boxes_within)(const float *lower, const float *upper, size_t stride, int d, int count,
                        const float *q_lower, const float *q_upper, float limit, int *number,
                        float *sq);
    /* Bit i of the result: the squared distance of q to box i of CT_LANES is less
     * than sq[i]. Columns lie CT_LANES apart. */
    unsigned (*boxes_nearer)(const double *lower, const double *upper, int d, const double *q,
                             const double *sq);
    /* Where the squared distance of q to point i of CT_LANES is less than sq[i], it
     * takes its place. Columns lie CT_LANES apart. */
    void (*lower_sqdist)(const double *x, int d, const double *q, double *sq);
    /* Bit i of the result: none of x[0, CT_LANES) is larger than x[i]. */
    unsigned (*largest)(const double *x);
};

enum ct_simd_level ct_simd_best(void);
/* The kernels of a level; of a lower one, if the compiler does not know it. */
const struct ct_kernels *ct_kernels(enum ct_simd_level level);

#endif
