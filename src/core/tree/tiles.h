/* tiles.h: the points once more, small and in blocks, for searching only.
 *
 * A tile is a run of at most CT_LANES points of one leaf, stored coordinate by
 * coordinate in float, so that one vector load brings one coordinate of all its
 * points. Floats only discard: points whose float square exceeds a limit with room
 * for all rounding are out. Of the others the float square tells how far away they
 * are at most, again with room, so that limits can be lowered without doubles.
 *
 * Coordinates are taken from the origin of the root's box and scaled by a power
 * of two into [-1, 1]. With u = 2^-24 the float of such a coordinate is off by at
 * most u/2, so that of a point or a box by at most sqrt(d) u/2; that of a query
 * at most r away from the origin in each coordinate by r times that. Adding d
 * squares in float is off by less than (d + 2) u, relatively.
 */
#ifndef COVERTREE_TREE_TILES_H
#define COVERTREE_TREE_TILES_H

#include "core/simd/candidates.h"

#include <stddef.h>

struct ct_host;
struct ct_tree;

/* Boxes by column: coordinate j of box i is at [i + j * stride]. Vectors may run
 * over the end_tile box by less than CT_LANES. */
struct ct_boxes {
    float *lower, *upper;
    size_t stride;
};

struct ct_tiles {
    int count;
    double scale,
        inverse_scale; /* what multiplies distances from the origin: a power of two; 1 / scale */
    double coordinate_error, sum_factor,
        underflow_error; /* of limits, for rounding; see ct_f32_threshold */
    double *origin;      /* [d] */
    float *x;            /* [count * d * CT_LANES]; NaN where a tile is not full */
    int *begin;          /* [count + 1] the first_tile position of each tile */
    int *first_tile,
        *end_tile; /* [nodes] a node's tiles: from first_tile up to, not including, end_tile */
    struct ct_boxes tile; /* the boxes of the tiles, */
    struct ct_boxes node; /* and those of the nodes, in the same floats */
};

/* How many tiles a leaf of so many points has: from the first_tile on, tile t begins at
 * size * t / tiles. */
static inline int ct_count_leaf_tiles(int size)
{
    return (size + CT_LANES - 1) / CT_LANES;
}

/* Bytes that the tiles of a tree take. */
size_t ct_tiles_bytes(const struct ct_tree *tree);

/* Makes the tiles of a tree in memory of that many bytes. */
void ct_tiles_build(const struct ct_host *host, const struct ct_tree *tree, void *memory,
                    int threads, struct ct_tiles *tiles);

/* A query, or a corner of a box of queries, in the tiles' floats; returns its
 * greatest distance from the origin in any coordinate, in their units. */
double ct_tiles_q_f32(const struct ct_tiles *tiles, int d, const double *q, float *placed);

/* The limit for float squares that keeps every point within distance tau of a
 * query that is at most reach from the origin in every coordinate. */
float ct_f32_threshold(const struct ct_tiles *tiles, double reach, double tau);

/* The other way: no point with that float square is farther than this from such a
 * query, even by its distance in double; if squares overflow there, by ct_sq_threshold. */
double ct_f32_distance_bound(const struct ct_tiles *tiles, double reach, float sq);

#endif
