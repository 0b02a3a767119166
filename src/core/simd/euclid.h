/* euclid.h: the vector kernels and the choice among them.
 *
 * Each kernel exists once, in euclid_kernels.h, and is compiled for every
 * instruction set the compiler knows; the processor decides at run time which
 * one is used. Kernels in double give the same bits in every set. Kernels in
 * float only tell what may be discarded, with a margin that covers the rounding
 * of all of them, so the choice shows in time only.
 */
#ifndef COVERTREE_SIMD_EUCLID_H
#define COVERTREE_SIMD_EUCLID_H

#include "core/simd/candidates.h"
#include "core/util/float.h"

#include <stddef.h>

/* A processor has the levels from the base up to its best one: those of x86, or NEON. */
enum ct_simd_level { CT_SIMD_BASE, CT_SIMD_AVX2, CT_SIMD_AVX512, CT_SIMD_NEON = CT_SIMD_AVX2 };

enum { CT_GROUP = 8 }; /* queries that meet a tile together */

struct ct_kernels {
    const char *name;
    /* The same without fused multiply-add: sums of squares in float are then the same at
     * every level. For searches whose answer depends on them: by budget or epsilon. */
    const struct ct_kernels *unfused;
    /* out[i] = squared distance of q to point i of count; ld doubles lie
     * between the columns of x. */
    void (*sqdist)(const double *x, size_t ld, int d, int count, const double *q, double *out);
    /* rank[i] = how many of x[0, count) come before x[i]; equals by place. */
    void (*rank)(const double *x, int count, int *rank);
    /* The same for values that are out of place by at most `reach`; so far beyond both
     * ends, too, they are in order. */
    void (*rank_nearly_sorted)(const double *x, int count, int reach, int *rank);
    /* How many of x[0, count) are at most the limit; what follows x, up to a
     * whole vector, must be above it. */
    int (*count_within)(const double *x, int count, double limit);
    /* A square that at least k and, if nearly equal ones allow, at most `enough`
     * points of a list are within: 0 if k are; the limit if fewer are within that. */
    float (*find_threshold)(struct ct_candidates *near, int k, int enough);
    /* Keeps what is within the limit. */
    void (*compact)(struct ct_candidates *near, float limit);
    /* A query, whose list is not full, meets a tile, whose points have these rows and
     * lie from pos on: takes in those within its limit. Returns whether the list is full. */
    int (*scan_tile)(const float *tile, int d, const float *q, const int *row, int pos,
                     struct ct_candidates *near);
    /* The same for CT_GROUP queries; coordinate j of query i is q[j * CT_GROUP + i].
     * Bit i of the result: the list of query i is full. */
    unsigned (*scan_tile_group)(const float *tile, int d, const float *q, const int *row, int pos,
                                struct ct_candidates *const *near);
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
    void (*min_sqdist)(const double *x, int d, const double *q, double *sq);
    /* Bit i of the result: none of x[0, CT_LANES) is larger than x[i]. */
    unsigned (*largest)(const double *x);
};

enum ct_simd_level ct_simd_best(void);
/* The kernels of a level; of a lower one, if the compiler does not know it. */
const struct ct_kernels *ct_kernels(enum ct_simd_level level);

#endif
