/* euclid.h: the vector kernels of Euclidean distance, and of the Manhattan and Chebyshev norm.
 *
 * The inner loops of the search, the build and the maximin order: distances, scans of
 * tiles, selection. A caller takes the table of kernels of an instruction set once per
 * call, by ct_kernels(), and then calls through its pointers.
 *
 * Each kernel is written once, in euclid_kernels.h, and compiled for every instruction set
 * (isa.h). Kernels in double return the same bits in every set. Kernels in float32 only
 * discard, with a threshold whose margin covers the rounding of all sets, so the choice of
 * the set changes the time of a search and not its result.
 */
#ifndef COVERTREE_SIMD_EUCLID_H
#define COVERTREE_SIMD_EUCLID_H

#include "core/metric/metric.h"
#include "core/simd/candidates.h"
#include "core/simd/isa.h"
#include "core/util/float.h"

#include <stddef.h>
#include <stdint.h>

enum {
    CT_GROUP = 8,           /* queries that scan a tile together */
    CT_PAIR = 2 * CT_LANES, /* points of two adjacent tiles */
    CT_ORDER_MAX = 128 /* values of the last bits of a square that order_candidates() ignores */
};

/* Tiles that may hold neighbors, with their boxes side by side. */
struct ct_nearby_tiles {
    float *lower, *upper; /* [d rows of stride] bounds of the boxes */
    size_t stride;
    int count;
    int *tile;        /* [count] */
    const float *x;   /* the points of all tiles, [d * CT_LANES] for each */
    const int *begin; /* the first position of each tile */
    const int *row;   /* the row at each position */
    int *number;      /* [count] scratch */
    float *sq;        /* [count] scratch */
};

enum {
    CT_PACKED_BOXES = 256,                        /* boxes side by side, at most */
    CT_PACKED_STRIDE = CT_PACKED_BOXES + CT_LANES /* room for a vector that runs over the end */
};

/* Boxes of tiles side by side: the lower bounds of coordinate j of all boxes, then the upper
 * bounds, then those of coordinate j + 1. */
struct ct_packed_boxes {
    float *bounds; /* [d * 2 * CT_PACKED_STRIDE] */
    int *number;   /* [CT_PACKED_STRIDE] of the tiles */
    int count;
};

/* The kernels of one instruction set. A "bit i" refers to the unsigned result. */
struct ct_kernels {
    const char *name; /* of the instruction set */

    /* The same kernels without fused multiply-add: float32 sums of squares then have the
     * same bits in every set. For searches whose result depends on them, by a budget or an
     * epsilon. */
    const struct ct_kernels *unfused;

    /* The kernels whose float32 norms are Manhattan or Chebyshev norms; they have no fused
     * multiply-add. Kernels in double and the selection are the same. NULL in these tables. */
    const struct ct_kernels *manhattan, *chebyshev;

    /* ---- double: exact distances and selection ---- */

    /* Computes out[i] [count], the squared distance of q [d] to point i of x [count x d,
     * column-major, leading dimension ld]. Returns the largest of them. */
    double (*sqdist)(const double *x, size_t ld, int d, int count, const double *q, double *out);

    /* Computes rank[i], the number of values among x [count] that come before x[i]; equal
     * values are ordered by index. O(count^2) without branches. Reads and writes up to the
     * next whole vector. */
    void (*rank)(const double *x, int count, int *rank);

    /* The same for values out of place by at most `displacement`, in time
     * O(count * displacement). Reads that number of values before the first, and up to a
     * vector more after the last: they must be no larger, or no smaller, than all of x. */
    void (*rank_nearly_sorted)(const double *x, int count, int displacement, int *rank);

    /* Returns a value within which at least k of sq [count] lie and, unless nearly equal
     * values prevent it, at most `enough`. By bisection: at most 24 passes over sq, which
     * it pads with CT_SELECT_PAD infinities. */
    double (*find_threshold_f64)(double *sq, int count, int k, int enough);

    /* ---- float32: the candidate buffer of a query. "Distance" is the norm of the table. ---- */

    /* The same for the squares of a candidate buffer: 0 if k of them are 0; the buffer's
     * threshold if fewer than k lie within it. */
    float (*find_threshold)(struct ct_candidates *list, int k, int enough);

    /* Keeps the candidates within the threshold, in their order. */
    void (*compact)(struct ct_candidates *list, float threshold);

    /* Scans a tile [d * CT_LANES] of points at positions pos, pos + 1, ... with the rows
     * row: appends those within the threshold of the query q [d], with an eligible row, to
     * its buffer, which must not be full. Returns whether the buffer is full then. */
    int (*scan_tile)(const float *tile, int d, const float *q, const int *row, int pos,
                     struct ct_candidates *list);

    /* The same for CT_GROUP queries: coordinate j of query i is q[j * CT_GROUP + i]. Bit i:
     * whether the buffer of query i is full. */
    unsigned (*scan_tile_group)(const float *tile, int d, const float *q, const int *row, int pos,
                                struct ct_candidates *const *list);

    /* ---- float32: squared distances by matrix products, for CT_GROUP queries and CT_PAIR points.
     * The distance is Euclidean in every table, and not that of the norm. ---- */

    /* Computes half[i] [tiles * CT_LANES], minus half the squared norm of point i of `tiles`
     * adjacent tiles; NaN for absent points. */
    void (*half_squares)(const float *tile, int d, int tiles, float *half);

    /* For two adjacent tiles: value[i * CT_PAIR + lane] = the dot product of query i and the point
     * in a lane, plus half[lane]: half of |q|^2 - |q - x|^2. Bit lane of within[i]: whether the
     * value is at least least[i]. Returns a bit for each query with such points; value is set
     * for these queries only. q as in scan_tile_group(). */
    unsigned (*pair_products)(const float *tile, int d, const float *half, const float *q,
                              const float *least, float *value, unsigned *within);

    /* The same for CT_GROUP points of one tile as queries, coordinate j of query i at
     * q[j * CT_LANES + i], and for thresholds of both: half_threshold [CT_PAIR] and
     * q_half_threshold [CT_GROUP] are half the thresholds of squares of the points and of the
     * queries, and q_half [CT_GROUP] half the squared norms of the queries. Bit lane of within[i]:
     * whether the squared distance is within the larger one of the two thresholds, that is, whether
     * value + max(half_threshold, q_half_threshold) is at least q_half. */
    unsigned (*mutual_products)(const float *tile, int d, const float *half,
                                const float *half_threshold, const float *q, const float *q_half,
                                const float *q_half_threshold, float *value, unsigned *within);

    /* Lists the boxes, of `count` [d rows of stride], whose squared distance to the box
     * [q_lower, q_upper] is within the threshold: their numbers and squared distances.
     * Returns how many. Reads boxes up to the next multiple of CT_LANES. */
    int (*boxes_within)(const float *lower, const float *upper, size_t stride, int d, int count,
                        const float *q_lower, const float *q_upper, float threshold, int *number,
                        float *sq);

    /* Appends, of CT_LANES boxes from `lower` and `upper` [d rows of stride] on, those in the bits
     * of `chosen` that are within the threshold of the box [q_lower, q_upper]; the first one has
     * the number `first`. Returns whether there is no room for as many again. */
    int (*pack_boxes)(const float *lower, const float *upper, size_t stride, int d, unsigned chosen,
                      int first, const float *q_lower, const float *q_upper, float threshold,
                      struct ct_packed_boxes *to);
    /* Appends to a list the numbers and squared distances of the boxes within the threshold of a
     * point q [d]. */
    void (*list_packed)(const struct ct_packed_boxes *boxes, int d, const float *q, float threshold,
                        struct ct_candidates *list);
    /* Moves what is within the threshold from a list to `inside`, which is overwritten. */
    void (*move_within)(struct ct_candidates *list, float threshold, struct ct_candidates *inside);
    /* scan_tile() for the tiles tile [count] of x, where tile t has the positions from begin[t] on.
     * Stops when the buffer is full. Returns the number of tiles scanned. */
    int (*scan_tiles)(const float *x, const int *begin, const int *row, int d, const float *q,
                      const int *tile, int count, struct ct_candidates *list);
    /* For each point i of a tile [d * CT_LANES]: inserts its squared distances to `count` points of
     * another tile into the k smallest so far, ascending: least[i], least[CT_LANES + i], ... If
     * the two tiles are the same, a point has no distance to itself. */
    void (*insert_tile)(const float *tile, const float *other, int d, int count, int k,
                        float *least);

    /* Copies the tiles whose boxes are within the threshold of the box [lower, upper] from one list
     * to another. The copy may overwrite a vector beyond its end. */
    void (*collect_nearby)(const struct ct_nearby_tiles *from, int d, const float *lower,
                           const float *upper, float threshold, struct ct_nearby_tiles *to);

    /* Sets order [count] to the indices of the candidates by ascending squares, which are compared
     * without their last bits (CT_ORDER_MAX). Of at most CT_ORDER_MAX - CT_LANES candidates. Reads
     * up to the next whole vector. O(count^2) without branches. */
    void (*order_candidates)(const struct ct_candidates *list, int *order);

    /* Appends the points within the threshold of a query q [d] to its buffer, whatever their rows,
     * from all tiles whose boxes are within it. The first bounds behind the last box, up to a whole
     * vector, must be infinite. Returns the number of these tiles; or -1, before
     * the end, if the buffer is full. */
    int (*scan_nearby)(const struct ct_nearby_tiles *nearby, int d, const float *q,
                       struct ct_candidates *list);

    /* ---- double, CT_LANES at a time: the maximin order ---- */

    /* Bit i: whether the squared distance of q [d] to box i is less than sq[i]. lower, upper:
     * [CT_LANES x d, column-major]. */
    unsigned (*boxes_nearer)(const double *lower, const double *upper, int d, const double *q,
                             const double *sq);

    /* Sets sq[i] to the squared distance of q [d] to point i of x [CT_LANES x d,
     * column-major], where that is less. */
    void (*min_sqdist)(const double *x, int d, const double *q, double *sq);

    /* Bit i: whether no value of x [CT_LANES] is larger than x[i]. */
    unsigned (*largest)(const double *x);

    /* ---- double: the build of a tree ---- */

    /* Where the squared distance of q [d] to point i of x [count x d, column-major, leading
     * dimension ld] is less than sq[i], sets sq[i] to it and assigned[i] to `child`. Returns the
     * largest of sq [count]. */
    double (*assign_nearer)(const double *x, size_t ld, int d, int count, const double *q,
                            int child, double *sq, int *assigned);

    /* Computes the smallest and the largest of each coordinate [d] of the points x [count x d,
     * column-major, leading dimension ld], count >= 1. The sign of a zero is that of any of them.
     */
    void (*box)(const double *x, size_t ld, int d, int count, double *lower, double *upper);

    /* Bit i of *at_most and *at_least: whether x[i] [count <= 64] is at most, and at least, `to`.
     */
    void (*compare_f64)(const double *x, int count, double to, uint64_t *at_most,
                        uint64_t *at_least);
};

/* Returns the kernels of a level; of a lower level if the compiler does not know it. */
const struct ct_kernels *ct_kernels(enum ct_simd_level level);

/* Returns the kernels for a norm, of the instruction set of a Euclidean table. */
static inline const struct ct_kernels *ct_norm_kernels(const struct ct_kernels *kernels,
                                                       enum ct_norm norm)
{
    return norm == CT_MANHATTAN   ? kernels->manhattan
           : norm == CT_CHEBYSHEV ? kernels->chebyshev
                                  : kernels;
}

#endif
