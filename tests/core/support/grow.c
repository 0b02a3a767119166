/* grow.c: see grow.h. */
#include "grow.h"
#include "core/order/hilbert.h"
#include "core/simd/euclid.h"
#include "host.h"

#include <string.h>

static void *kept_alloc(void *context, enum ct_array array, size_t count, size_t size)
{
    static size_t shift;
    (void)context;
    if (array != CT_NO_ARRAY || size != 1)
        return keep(count, size);
    shift = (shift + 23) % 64;
    return (char *)keep(count + shift, 1) + shift;
}

const struct ct_memory kept_memory = {kept_alloc, NULL};

void grow_tiles(struct grown *grown, int threads)
{
    grown->tree.tiles = ct_tiles_build(&host, &grown->tree, &kept_memory, threads);
}

/* order: NULL for that of the cloud. */
static struct grown grow_in_order(const struct cloud *cloud, const int *order, int leaf_size,
                                  int threads, const struct ct_kernels *kernels)
{
    int n = cloud->n, d = cloud->d;
    struct ct_build_options options = {kernels, leaf_size, threads, &kept_memory};
    struct grown grown = {.arrays = {.n = n,
                                     .d = d,
                                     .points = keep((size_t)n * d, sizeof(double)),
                                     .row = keep((size_t)n, sizeof(int))}};
    for (int i = 0; i < n; i++) {
        int from = order ? order[i] : i;
        grown.arrays.row[i] = from + 1;
        for (int j = 0; j < d; j++)
            grown.arrays.points[i + (size_t)j * n] = cloud->x[from + (size_t)j * n];
    }
    grown.tree = ct_tree_build(&host, &options, &grown.arrays);
    host_end_call();
    return grown;
}

struct grown grow_with(const struct cloud *cloud, int leaf_size, int threads,
                       const struct ct_kernels *kernels)
{
    int *order = keep((size_t)cloud->n, sizeof *order);
    ct_hilbert_order(&host, cloud->x, cloud->n, cloud->d, threads, order);
    return grow_in_order(cloud, order, leaf_size, threads, kernels);
}

struct grown grow(const struct cloud *cloud, int leaf_size, int threads)
{
    return grow_with(cloud, leaf_size, threads, ct_kernels(ct_simd_best()));
}

struct grown grow_unordered(const struct cloud *cloud, int leaf_size, int threads)
{
    return grow_in_order(cloud, NULL, leaf_size, threads, ct_kernels(ct_simd_best()));
}

int trees_alike(const struct ct_tree *a, const struct ct_tree *b)
{
    int alike = a->n == b->n && a->d == b->d && a->nodes == b->nodes;
#define COMPARE_ARRAY(NAME, name, type, shape)                                                     \
    alike = alike &&                                                                               \
            memcmp(a->name, b->name,                                                               \
                   ct_array_length(CT_ARRAY_##NAME, a->n, a->d, a->nodes) * sizeof *a->name) == 0;
    CT_TREE_ARRAYS(COMPARE_ARRAY)
    return alike;
}

int grown_alike(const struct grown *a, const struct grown *b)
{
    return trees_alike(&a->tree, &b->tree);
}
