/* grow.h: from a cloud to its tree, as a host of the core does it. */
#ifndef GROW_H
#define GROW_H

#include "clouds.h"
#include "core/tree/build.h"
#include "core/tree/tiles.h"

/* The tree, and its arrays once more, as arrays that may be written to; all
 * kept until keep_end(). */
struct grown {
    struct ct_tree tree;
    struct ct_tree_arrays arrays;
};

struct grown grow(const struct cloud *cloud, int leaf_size, int threads);

/* With these kernels, not the best that the processor has. */
struct ct_kernels;
struct grown grow_with(const struct cloud *cloud, int leaf_size, int threads,
                       const struct ct_kernels *kernels);

/* With the points handed over in their own order, not along the curve. */
struct grown grow_unordered(const struct cloud *cloud, int leaf_size, int threads);

/* Makes the tiles of the tree's points anew, after a change of its arrays. */
void grow_tiles(struct grown *grown, int threads);

/* Memory for all parts of a tree, kept until keep_end(). Memory for tiles starts anywhere in
 * its block and ends where the block does. */
extern const struct ct_memory kept_memory;

/* Whether every array of two trees holds the same bytes. */
int grown_alike(const struct grown *a, const struct grown *b);
int trees_alike(const struct ct_tree *a, const struct ct_tree *b);

#endif
