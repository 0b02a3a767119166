/* predecessor.c: see predecessor.h. */
#include "core/search/predecessor.h"
#include "core/tree/build.h"
#include "core/tree/tiles.h"

enum {
    PREFIX_MIN = 1024, /* rows that are not worth halving */
    PREFIX_LEAF = 128  /* points of a leaf */
};

static struct ct_tree_arrays new_arrays(const struct ct_host *host, size_t nodes, size_t d)
{
    struct ct_tree_arrays a;
    int **const ints[] = {&a.center,        &a.parent,      &a.first_child, &a.next_sibling,
                          &a.subtree_begin, &a.subtree_end, &a.level,       &a.min_row};
    for (size_t i = 0; i < sizeof ints / sizeof *ints; i++)
        *ints[i] = host->alloc(nodes, sizeof(int));
    a.radius = host->alloc(nodes, sizeof(double));
    a.lower = host->alloc(nodes * d, sizeof(double));
    a.upper = host->alloc(nodes * d, sizeof(double));
    return a;
}

/* Points and rows of t up to row n, in the tree's order. */
static void gather(const struct ct_tree *t, int n, double *points, int *row)
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

/* Builds the tree of the rows of t up to n. */
static const struct ct_tree *prefix_tree(const struct ct_host *host, const struct ct_batch *batch,
                                         const struct ct_tree *t, int n)
{
    double *points = host->alloc((size_t)n * t->d, sizeof *points);
    int *row = host->alloc((size_t)n, sizeof *row);
    gather(t, n, points, row);
    const struct ct_node_list *list =
        ct_build(host, batch->kernels, points, row, n, t->d, PREFIX_LEAF, batch->threads);
    int nodes = ct_node_list_count(list);
    struct ct_tree_arrays a = new_arrays(host, (size_t)nodes, (size_t)t->d);
    ct_node_list_store(host, list, points, row, n, t->d, batch->threads, &a);
    struct ct_tree *prefix = host->alloc(1, sizeof *prefix);
    *prefix = (struct ct_tree){
        .n = n,
        .d = t->d,
        .nodes = nodes,
        .points = points,
        .row = row,
        .center = a.center,
        .parent = a.parent,
        .first_child = a.first_child,
        .next_sibling = a.next_sibling,
        .subtree_begin = a.subtree_begin,
        .subtree_end = a.subtree_end,
        .level = a.level,
        .min_row = a.min_row,
        .radius = a.radius,
        .lower = a.lower,
        .upper = a.upper,
    };
    struct ct_tiles *tiles = host->alloc(1, sizeof *tiles);
    ct_tiles_build(host, prefix, host->alloc(ct_tiles_bytes(prefix), 1), batch->threads, tiles);
    prefix->tiles = tiles;
    return prefix;
}

/* Lists the positions of the rows above `row`: all of the tree's, or the wanted ones.
 * Returns their number. */
static int list_rows_above(const struct ct_tree *t, int row, const char *wanted, int *order)
{
    int count = 0;
    for (int pos = 0; pos < t->n; pos++)
        if (t->row[pos] > row && (!wanted || wanted[t->row[pos] - 1]))
            order[count++] = pos;
    return count;
}

/* Marks the rows that the batch names [n]; returns NULL if it names all. */
static const char *mark_rows(const struct ct_host *host, const struct ct_batch *batch)
{
    if (!batch->order)
        return NULL;
    char *wanted = host->alloc((size_t)batch->tree->n, 1);
    for (int i = 0; i < batch->tree->n; i++)
        wanted[i] = 0;
    for (int i = 0; i < batch->m; i++)
        wanted[batch->tree->row[batch->order[i]] - 1] = 1;
    return wanted;
}

struct ct_predecessor_plan ct_plan_predecessors(const struct ct_host *host,
                                                const struct ct_batch *batch, int k)
{
    struct ct_predecessor_plan plan = {.parts = 0};
    const struct ct_tree *tree = batch->tree;
    const char *wanted = mark_rows(host, batch);
    int *order = host->alloc((size_t)tree->n, sizeof *order);
    for (int n = tree->n, left = batch->m; left > 0;) {
        int half = n > PREFIX_MIN && n / 8 > k ? n / 2 : 0;
        int m = list_rows_above(tree, half, wanted, order);
        if (m > 0)
            plan.part[plan.parts++] = (struct ct_predecessor_part){tree, order, m};
        order += m;
        left -= m;
        if (left > 0)
            tree = prefix_tree(host, batch, tree, half);
        n = half;
    }
    return plan;
}

struct ct_batch ct_predecessor_batch(const struct ct_predecessor_plan *plan,
                                     const struct ct_batch *batch, int part)
{
    struct ct_batch result = *batch;
    result.tree = plan->part[part].tree;
    result.order = plan->part[part].order;
    result.m = plan->part[part].m;
    result.predecessor = 1;
    result.ld = batch->ld > 0 ? batch->ld : batch->tree->n;
    return result;
}

void ct_knn_predecessors(const struct ct_host *host, const struct ct_batch *batch, int k,
                         double missing, int *index, double *distance)
{
    struct ct_predecessor_plan plan = ct_plan_predecessors(host, batch, k);
    for (int p = 0; p < plan.parts; p++) {
        struct ct_batch part = ct_predecessor_batch(&plan, batch, p);
        void *mark = host->mark ? host->mark() : NULL;
        ct_knn(host, &part, k, missing, index, distance);
        if (host->release)
            host->release(mark);
    }
}
