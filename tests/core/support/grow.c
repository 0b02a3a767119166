/* grow.c: see grow.h. */
#include "grow.h"
#include "core/order/hilbert.h"
#include "core/simd/euclid.h"
#include "host.h"

#include <string.h>

static void make_arrays(struct ct_tree_arrays *arrays, int nodes, int d)
{
    int **ints[] = {&arrays->center,        &arrays->parent,      &arrays->first_child,
                    &arrays->next_sibling,  &arrays->subtree_end, &arrays->level,
                    &arrays->subtree_begin, &arrays->min_row};
    for (size_t i = 0; i < sizeof ints / sizeof *ints; i++)
        *ints[i] = keep((size_t)nodes, sizeof(int));
    arrays->radius = keep((size_t)nodes, sizeof(double));
    arrays->lower = keep((size_t)nodes * d, sizeof(double));
    arrays->upper = keep((size_t)nodes * d, sizeof(double));
}

static struct ct_tree tree_of(const struct grown *grown, int n, int d, int nodes)
{
    const struct ct_tree_arrays *a = &grown->arrays;
    struct ct_tree tree = {.n = n,
                           .d = d,
                           .nodes = nodes,
                           .points = grown->points,
                           .row = grown->row,
                           .center = a->center,
                           .parent = a->parent,
                           .first_child = a->first_child,
                           .next_sibling = a->next_sibling,
                           .subtree_begin = a->subtree_begin,
                           .subtree_end = a->subtree_end,
                           .level = a->level,
                           .min_row = a->min_row,
                           .radius = a->radius,
                           .lower = a->lower,
                           .upper = a->upper};
    return tree;
}

/* Memory of just the size asked for, that starts anywhere and ends where its
 * block does. */
void grow_tiles(struct grown *grown, int threads)
{
    static int shift;
    struct ct_tiles *tiles = keep(1, sizeof *tiles);
    size_t bytes = ct_tiles_bytes(&grown->tree);
    shift = (shift + 23) % 64;
    char *memory = keep(bytes + (size_t)shift, 1);
    ct_tiles_build(&host, &grown->tree, memory + shift, threads, tiles);
    grown->tree.tiles = tiles;
}

/* order: NULL for that of the cloud. */
static struct grown grow_in_order(const struct cloud *cloud, const int *order, int leaf_size,
                                  int threads, const struct ct_kernels *kernels)
{
    int n = cloud->n, d = cloud->d;
    struct grown grown = {.points = keep((size_t)n * d, sizeof(double)),
                          .row = keep((size_t)n, sizeof(int))};
    for (int i = 0; i < n; i++) {
        int from = order ? order[i] : i;
        grown.row[i] = from + 1;
        for (int j = 0; j < d; j++)
            grown.points[i + (size_t)j * n] = cloud->x[from + (size_t)j * n];
    }
    struct ct_node_list *cells =
        ct_build(&host, kernels, grown.points, grown.row, n, d, leaf_size, threads);
    int nodes = ct_node_list_count(cells);
    make_arrays(&grown.arrays, nodes, d);
    ct_node_list_store(&host, cells, grown.points, grown.row, n, d, threads, &grown.arrays);
    grown.tree = tree_of(&grown, n, d, nodes);
    grow_tiles(&grown, threads);
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

static int ints_alike(const int *a, const int *b, int count)
{
    return memcmp(a, b, (size_t)count * sizeof *a) == 0;
}

static int doubles_alike(const double *a, const double *b, int count, int columns)
{
    return memcmp(a, b, (size_t)count * columns * sizeof *a) == 0;
}

int grown_alike(const struct grown *one, const struct grown *other)
{
    const struct ct_tree *a = &one->tree, *b = &other->tree;
    int nodes = a->nodes;
    return nodes == b->nodes && a->n == b->n && a->d == b->d && ints_alike(a->row, b->row, a->n) &&
           ints_alike(a->center, b->center, nodes) && ints_alike(a->parent, b->parent, nodes) &&
           ints_alike(a->first_child, b->first_child, nodes) &&
           ints_alike(a->next_sibling, b->next_sibling, nodes) &&
           ints_alike(a->subtree_begin, b->subtree_begin, nodes) &&
           ints_alike(a->subtree_end, b->subtree_end, nodes) &&
           ints_alike(a->level, b->level, nodes) && ints_alike(a->min_row, b->min_row, nodes) &&
           doubles_alike(a->points, b->points, a->n, a->d) &&
           doubles_alike(a->radius, b->radius, nodes, 1) &&
           doubles_alike(a->lower, b->lower, nodes, a->d) &&
           doubles_alike(a->upper, b->upper, nodes, a->d);
}
