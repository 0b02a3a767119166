/* product_points.h: the points of a tree for products, each with a threshold and candidates.
 *
 * The float32 coordinates are packed in blocks of CT_LANES adjacent positions, without gaps. Half
 * of the threshold of squares is stored, because a product is compared with half of a square. The
 * bound of the error of a square is derived in own_products.h.
 */
#ifndef COVERTREE_SEARCH_PRODUCT_POINTS_H
#define COVERTREE_SEARCH_PRODUCT_POINTS_H

#include "core/host.h"
#include "core/simd/candidates.h"
#include "core/tree/tree.h"

struct ct_kernels;

enum { CT_PRODUCT_MAX_K = 32 }; /* the largest k */

/* Arrays of points have an element for each position up to a multiple of CT_PAIR. */
struct ct_product_points {
    const struct ct_tree *tree;
    const struct ct_kernels *kernels;
    int k;
    int blocks;            /* blocks of CT_LANES points, an even number */
    int capacity;          /* of a candidate buffer */
    float error;           /* bound of the error of a square [tile units] */
    float *x;              /* [blocks x d x CT_LANES]; NaN for absent points */
    float *half;           /* minus half the squared norm of each point, and */
    float *half_sq;        /* half the squared norm [tile units] */
    float *half_threshold; /* half the threshold of squares; -INFINITY for absent points and points
                              left */
    int *count;            /* candidates of each point */
    float *sq;             /* [capacity] squares of the candidates of each point [tile units], */
    int *pos;              /* [capacity] and their positions */
};

/* Returns the points of a tree without thresholds and candidates. Needs k of at most
 * CT_PRODUCT_MAX_K. Costs one pass over the points, shared by `threads` threads. The host's memory:
 * n (4 d + 16 k + 240) bytes. */
struct ct_product_points ct_product_points_new(const struct ct_host *host, const struct ct_tree *t,
                                               const struct ct_kernels *kernels, int k,
                                               int threads);

/* Sets the first threshold of each point of a block, from the points of the next blocks; -INFINITY
 * where the error of a square is not small compared with the threshold. O(k (k + d)) operations for
 * each point. Needs more than k points. */
void ct_product_thresholds(const struct ct_product_points *points, int block);

/* Lowers the threshold of a point to about the k-th of its candidates, and drops the candidates
 * beyond it. Does nothing with fewer than k candidates. A point that keeps almost all is left: its
 * threshold becomes -INFINITY. `list`: scratch of the same capacity, with padding. */
void ct_product_tighten(const struct ct_product_points *points, struct ct_candidates *list,
                        int point);

/* Appends a candidate to the buffer of a point, if it is within the threshold. */
static inline void ct_product_append(const struct ct_product_points *points,
                                     struct ct_candidates *list, int point, int other, float sq)
{
    if (!(sq <= 2 * points->half_threshold[point]))
        return;
    size_t at = (size_t)point * (size_t)points->capacity + (size_t)points->count[point];
    points->sq[at] = sq;
    points->pos[at] = other;
    if (++points->count[point] == points->capacity)
        ct_product_tighten(points, list, point);
}

#endif
