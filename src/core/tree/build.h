/* build.h: from points to a tree.
 *
 * One call builds everything that a search needs: nodes, arrays, float32 tiles. The tree is
 * the same for any number of threads and any instruction set. It depends on the order of the
 * points, because ties are broken by position. Build and search are faster if the points are
 * in the order of a space-filling curve (order/hilbert.h).
 */
#ifndef COVERTREE_TREE_BUILD_H
#define COVERTREE_TREE_BUILD_H

#include "core/tree/tree.h"

struct ct_kernels;

struct ct_build_options {
    const struct ct_kernels *kernels;
    int leaf_size;                  /* a node with more points is split, where a split succeeds */
    int threads;                    /* at least 1 */
    const struct ct_memory *memory; /* of arrays and tiles; NULL: the host's memory */
};

/* Builds the tree of n >= 1 finite points in d >= 1 dimensions.
 *
 * Needs n, d, points [n x d, column-major] and row [n] in `arrays`. Permutes points and row,
 * alike and in place, into tree order; allocates the arrays of the nodes from
 * options->memory, in the order of CT_TREE_ARRAYS, and fills these. Returns the tree over the
 * arrays, with tiles and without prefix trees.
 *
 * Costs about n x (centers of a split) x depth distances. Takes 16 bytes of the host's memory for
 * each point, 48 bytes for each node, and up to 128 KB and
 * the coordinates of 64 + sqrt(n) points for each thread; with options->memory,
 * releases them before it builds the tiles. If the host leaves a callback by a long jump, `arrays`
 * holds no tree. */
struct ct_tree ct_tree_build(const struct ct_host *host, const struct ct_build_options *options,
                             struct ct_tree_arrays *arrays);

/* The same for points x [n x d, column-major], in the order of the Hilbert curve if `hilbert`, else
 * in the order of their rows. Fills arrays->points and row, whose memory also serves for the sort.
 * The sort takes 4 bytes more for each point whose key agrees with another point's in the first 32
 * bits, and 36 bytes with d = 1. */
struct ct_tree ct_tree_build_from(const struct ct_host *host,
                                  const struct ct_build_options *options, const double *x,
                                  int hilbert, struct ct_tree_arrays *arrays);

/* Returns the tree over filled arrays, without tiles and prefix trees. Constant time. */
struct ct_tree ct_tree_of_arrays(const struct ct_tree_arrays *arrays);

#endif
