/* predecessor.c: the nearest among the rows below a query's own.
 *
 * Of a tree of all points, most are not wanted by a query whose row is small. So
 * the second half of the rows search the tree, and the first half a tree of their
 * own, which is halved again in the same way: of the points that a query meets,
 * about every other is wanted at worst, and all the trees together are twice the
 * first.
 */
#include "core/search/query.h"
#include "core/tree/build.h"
#include "core/tree/tiles.h"

enum {
    FEW = 1024, /* rows that are not worth halving */
    LEAF = 128  /* points of a leaf */
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

static struct ct_tree first_rows(const struct ct_host *host, const struct ct_batch *batch, int n)
{
    const struct ct_tree *t = batch->tree;
    double *points = host->alloc((size_t)n * t->d, sizeof *points);
    int *row = host->alloc((size_t)n, sizeof *row);
    gather(t, n, points, row);
    const struct ct_node_list *cells =
        ct_build(host, batch->kernels, points, row, n, t->d, LEAF, batch->threads);
    int nodes = ct_node_list_count(cells);
    struct ct_tree_arrays a = new_arrays(host, (size_t)nodes, (size_t)t->d);
    ct_node_list_store(host, cells, points, row, n, t->d, batch->threads, &a);
    struct ct_tree first = {
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
    ct_tiles_build(host, &first, host->alloc(ct_tiles_bytes(&first), 1), batch->threads, tiles);
    first.tiles = tiles;
    return first;
}

/* The positions, of all or of the batch's, of the rows above `row`. */
static int list_above(const struct ct_tree *t, int row, const char *wanted, int *order)
{
    int count = 0;
    for (int pos = 0; pos < t->n; pos++)
        if (t->row[pos] > row && (!wanted || wanted[t->row[pos] - 1]))
            order[count++] = pos;
    return count;
}

/* Which rows the batch asks for; NULL for all. */
static const char *list_wanted(const struct ct_host *host, const struct ct_batch *batch)
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

void ct_predecessors(const struct ct_host *host, const struct ct_batch *batch, int k,
                     const struct ct_searcher *searcher)
{
    struct ct_batch some = *batch;
    struct ct_tree first;
    const char *wanted = list_wanted(host, batch);
    int *order = host->alloc((size_t)batch->tree->n, sizeof *order);
    some.predecessor = 1;
    some.order = order;
    some.ld = batch->ld > 0 ? batch->ld : batch->tree->n;
    for (int n = batch->tree->n; n > 0;) {
        int half = n > FEW && n / 8 > k ? n / 2 : 0;
        some.m = list_above(some.tree, half, wanted, order);
        void *mark = host->mark ? host->mark() : NULL;
        if (some.m > 0)
            searcher->search(host, &some, searcher);
        if (host->release)
            host->release(mark);
        if (half > 0) {
            first = first_rows(host, &some, half);
            some.tree = &first;
        }
        n = half;
    }
}

struct nearest {
    struct ct_searcher searcher; /* first: the search is handed to nearest() */
    int k;
    double missing;
    int *index;
    double *distance;
};

static void nearest(const struct ct_host *host, const struct ct_batch *some,
                    const struct ct_searcher *searcher)
{
    const struct nearest *to = (const struct nearest *)searcher;
    ct_knn(host, some, to->k, to->missing, to->index, to->distance);
}

void ct_knn_predecessors(const struct ct_host *host, const struct ct_batch *batch, int k,
                         double missing, int *index, double *distance)
{
    struct nearest to = {{nearest}, k, missing, index, distance};
    ct_predecessors(host, batch, k, &to.searcher);
}
