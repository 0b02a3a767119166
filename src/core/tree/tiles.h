/* tiles.h: the points in float32, in blocks of 16, for searches.
 *
 * A tile is a run of at most CT_LANES points of one leaf, stored coordinate by coordinate in
 * float32: one vector load reads one coordinate of all points of the tile. Tiles and nodes
 * have bounding boxes in the same floats. Tiles are derived from the arrays of a tree and take
 * about half of their memory. saveRDS() omits tiles; the file of a tree contains their floats.
 *
 * Float32 distances never decide an answer. A search discards a point if the float32 squared
 * distance exceeds ct_f32_threshold(), a value with room for all rounding errors. For the
 * remaining points ct_f32_distance_bound() gives an upper bound of the distance, again with room
 * for all rounding errors, so that a threshold can be lowered without distances in double.
 *
 * Coordinates are relative to the center of the root's box (the origin) and scaled by a power
 * of two into [-1, 1]. With u = 2^-24, the float32 value of a coordinate of a point has an error
 * of at most u/2. Hence a point or a corner of a box has an error of at most sqrt(d) u/2; a query
 * with coordinates of at most r in absolute value has an error of at most r sqrt(d) u/2.
 * Summing d squares in float32 has a relative error of less than (d + 2) u.
 *
 * The Manhattan norm has an error of at most d u/2, and its square, in float32, a relative error of
 * less than (2 d + 3) u. The errors of the Chebyshev norm are at most those of the Euclidean norm.
 */
#ifndef COVERTREE_TREE_TILES_H
#define COVERTREE_TREE_TILES_H

#include "core/metric/metric.h"
#include "core/simd/candidates.h"
#include "core/tree/tree.h"

#include <math.h>
#include <stddef.h>

/* Boxes, column-major: coordinate j of box i is at [i + j * stride]. A vector load may run
 * past the last box by less than CT_LANES floats. */
struct ct_boxes {
    float *lower, *upper;
    size_t stride;
};

struct ct_tiles {
    int count;               /* tiles */
    double scale;            /* of coordinates and distances: a power of two */
    double inverse_scale;    /* 1 / scale */
    double coordinate_error; /* sqrt(d) u: twice the error of a point [tile units] */
    double sum_factor;       /* 1 + 2 (d + 8) u: over twice the relative error of a sum */
    double manhattan_error;  /* d u: twice the error of a point in the Manhattan norm */
    double underflow_error;  /* of a distance in double if squares underflow [tile units] */
    double *origin;          /* [d] center of the root's box, in the user's units */
    float *x;                /* [count x d x CT_LANES]; NaN in the unused lanes of a tile */
    int *begin;              /* [count + 1] first position of each tile; n at the end */
    int *first_tile;         /* [nodes] first tile of each node */
    int *end_tile;           /* [nodes] last tile of each node + 1 */
    struct ct_boxes tile;    /* [count] boxes of the tiles */
    struct ct_boxes node;    /* [nodes] boxes of the nodes */
};

/* Number of tiles of a leaf of `size` points. Tile t of a leaf begins at size * t / tiles. */
static inline int ct_count_leaf_tiles(int size)
{
    return (size + CT_LANES - 1) / CT_LANES;
}

/* Builds the tiles of a tree in memory from `memory` (NULL: the host's). Needs the arrays of
 * the tree only. Costs one pass over the points, shared by `threads` threads, and about
 * 4 n d + 8 nodes (1 + d) bytes. */
const struct ct_tiles *ct_tiles_build(const struct ct_host *host, const struct ct_tree *tree,
                                      const struct ct_memory *memory, int threads);

/* The arrays of floats of tiles, which a file can hold: the coordinates, then the bounds of the
 * tiles and of the nodes. */
enum {
    CT_TILE_X,
    CT_TILE_LOWER,
    CT_TILE_UPPER,
    CT_NODE_LOWER,
    CT_NODE_UPPER,
    CT_TILE_FLOATS /* number of such arrays */
};

/* Sets length [CT_TILE_FLOATS] to the number of floats in each array of the tiles of a tree.
 * Needs valid links (ct_validate_arrays()). Costs one pass over the nodes. */
void ct_tiles_lengths(const struct ct_tree *tree, size_t *length);

/* Sets floats [CT_TILE_FLOATS] to the arrays of floats of the tiles. */
void ct_tiles_floats(const struct ct_tiles *tiles, const float **floats);

/* Returns tiles over arrays of floats that ct_tiles_build() made for the same tree. Neither
 * copies nor changes them. Costs one pass over the nodes, and about 4 n / 12 + 8 nodes bytes from
 * `memory`. With other floats, of these lengths, searches are memory-safe, but may miss neighbors.
 */
const struct ct_tiles *ct_tiles_over(const struct ct_host *host, const struct ct_tree *tree,
                                     const struct ct_memory *memory, float *const *floats);

/* Writes the float32 coordinates of a query, or of a corner of a box of queries, to q_f32
 * [d]. Returns the largest absolute coordinate in units of the tiles, but at least 1: the
 * `max_coord` of the functions below. */
double ct_tiles_q_f32(const struct ct_tiles *tiles, int d, const double *q, float *q_f32);

/* Threshold of float32 squared distances, by a norm: every point within `distance` [user's units]
 * of a query with this max_coord has a float32 squared distance of at most the threshold. Infinite
 * where squares might overflow. */
float ct_f32_threshold(const struct ct_tiles *tiles, enum ct_norm norm, double max_coord,
                       double distance);

/* Upper bound of distances [user's units]: no point with the float32 squared distance `sq` to
 * a query with this max_coord has a larger distance, not even by the canonical
 * distance in double. If canonical squares overflow, the claim holds for a comparison of
 * squares with ct_sq_threshold() of the bound. */
double ct_f32_distance_bound(const struct ct_tiles *tiles, enum ct_norm norm, double max_coord,
                             float sq);

/* What ct_f32_widen() needs to know of the tiles and the norm. */
struct ct_f32_margin {
    double factor, error;
};

struct ct_f32_margin ct_f32_margin(const struct ct_tiles *tiles, enum ct_norm norm);

/* Threshold of float32 squared distances between points of the tree: every point that is not
 * farther than a point with the float32 squared distance `sq` has at most this one. */
static inline float ct_f32_widen(struct ct_f32_margin margin, float sq)
{
    double bound = sqrt(sq * margin.factor) + margin.error;
    return (float)(bound * bound * margin.factor);
}

#endif
