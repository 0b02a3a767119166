/* subset.c: see subset.h.
 *
 * Each prefix tree is built from the points of the next larger one, so copying all of them
 * reads fewer than 2 n points.
 */
#include "core/tree/subset.h"
#include "core/tree/build.h"

enum {
    MIN_ROWS = 1024,       /* a tree of at most 1024 rows is not halved */
    POINTS_PER_RESULT = 8, /* a tree of at most 8 k points is not halved */
    PREFIX_LEAF_SIZE = 128
};

int ct_count_prefix_trees(int n, int k)
{
    int count = 0;
    for (; n > MIN_ROWS && n / POINTS_PER_RESULT > k; n /= 2)
        count++;
    return count;
}

/* Returns the rank of a row; without ranks, the row. */
static inline int rank_of(const int *rank, int row)
{
    return rank ? rank[row - 1] : row;
}

/* Copies the n points with ranks up to `most`, and their rows, in tree order: neighbors
 * along a curve stay neighbors. points: [n x d, column-major]; row: [n]. */
static void copy_up_to_rank(const struct ct_tree *t, const int *rank, int most, int n,
                            double *points, int *row)
{
    for (int j = 0; j < t->d; j++) {
        const double *from = t->points + (size_t)j * t->n;
        double *to = points + (size_t)j * n;
        for (int pos = 0; pos < t->n; pos++)
            if (rank_of(rank, t->row[pos]) <= most)
                *to++ = from[pos];
    }
    for (int pos = 0; pos < t->n; pos++)
        if (rank_of(rank, t->row[pos]) <= most)
            *row++ = t->row[pos];
}

/* Builds the tree of the n points with ranks up to `most`. The scratch of a build is released if
 * the tree lies elsewhere. */
static struct ct_tree build_up_to_rank(const struct ct_host *host, const struct ct_tree *tree,
                                       const int *rank, int most, int n,
                                       const struct ct_build_options *options)
{
    const struct ct_memory *memory = options->memory;
    size_t coordinates = (size_t)n * tree->d;
    struct ct_tree_arrays arrays = {
        .n = n,
        .d = tree->d,
        .points = ct_memory_alloc(host, memory, CT_ARRAY_POINTS, coordinates, sizeof(double)),
        .row = ct_memory_alloc(host, memory, CT_ARRAY_ROW, (size_t)n, sizeof(int)),
    };
    copy_up_to_rank(tree, rank, most, n, arrays.points, arrays.row);
    void *mark = memory && host->mark ? host->mark() : NULL;
    struct ct_tree first = ct_tree_build(host, options, &arrays);
    if (memory && host->release)
        host->release(mark);
    return first;
}

const struct ct_tree *ct_build_prefix_trees(const struct ct_host *host, const struct ct_tree *tree,
                                            int count, const struct ct_kernels *kernels,
                                            int threads, const struct ct_memory *memory)
{
    struct ct_build_options options = {
        .kernels = kernels, .leaf_size = PREFIX_LEAF_SIZE, .threads = threads, .memory = memory};
    struct ct_tree *prefix =
        ct_memory_alloc(host, memory, CT_NO_ARRAY, (size_t)count, sizeof *prefix);
    for (int i = 0; i < count; i++) {
        const struct ct_tree *larger = i > 0 ? &prefix[i - 1] : tree;
        int n = larger->n / 2;
        prefix[i] = build_up_to_rank(host, larger, NULL, n, n, &options);
    }
    return prefix;
}

struct ct_tree ct_build_tree_up_to_rank(const struct ct_host *host, const struct ct_tree *tree,
                                        const int *rank, int most, int count,
                                        const struct ct_kernels *kernels, int threads)
{
    struct ct_build_options options = {
        .kernels = kernels, .leaf_size = PREFIX_LEAF_SIZE, .threads = threads};
    return build_up_to_rank(host, tree, rank, most, count, &options);
}
