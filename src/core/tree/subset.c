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

/* Copies the points and rows of the first n rows of a tree, in tree order: neighbors
 * along a curve stay neighbors. points: [n x d, column-major]; row: [n]. */
static void copy_first_rows(const struct ct_tree *t, int n, double *points, int *row)
{
    for (int j = 0; j < t->d; j++) {
        const double *from = t->points + (size_t)j * t->n;
        double *to = points + (size_t)j * n;
        for (int pos = 0; pos < t->n; pos++)
            if (t->row[pos] <= n)
                *to++ = from[pos];
    }
    for (int pos = 0; pos < t->n; pos++)
        if (t->row[pos] <= n)
            *row++ = t->row[pos];
}

/* Builds the tree of the first n rows of `tree`. The scratch of a build is released if the
 * tree lies elsewhere. */
static struct ct_tree build_first_rows(const struct ct_host *host, const struct ct_tree *tree,
                                       int n, const struct ct_build_options *options)
{
    const struct ct_memory *memory = options->memory;
    size_t coordinates = (size_t)n * tree->d;
    struct ct_tree_arrays arrays = {
        .n = n,
        .d = tree->d,
        .points = ct_memory_alloc(host, memory, CT_ARRAY_POINTS, coordinates, sizeof(double)),
        .row = ct_memory_alloc(host, memory, CT_ARRAY_ROW, (size_t)n, sizeof(int)),
    };
    copy_first_rows(tree, n, arrays.points, arrays.row);
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
        prefix[i] = build_first_rows(host, larger, larger->n / 2, &options);
    }
    return prefix;
}
