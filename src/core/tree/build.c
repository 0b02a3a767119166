/* build.c: the tree, top down.
 *
 * The calling thread splits the large cells (split.h). The cells that remain are
 * independent branches, which threads share; a branch takes its cells from a pool. In
 * the end the cells are numbered breadth first. Every choice depends on distances and
 * positions only, never on which thread came first, so the tree is the same for any
 * number of threads.
 */
#include "core/tree/build.h"
#include "core/tree/split.h"
#include "core/util/parallel.h"
#include "core/util/parallel_for.h"

enum {
    BRANCHES = 8,        /* branches for each thread, at least about */
    LARGE_CELL = 1 << 18 /* coordinates of the points of a cell that is always large */
};

/* Appends the children of a cell that was just split to the pool. Returns the first of
 * them, or -1 if the pool has no room: then the cell waits. */
static int append_children(const struct ct_build_state *b, int number)
{
    struct ct_node_list *pool = b->pool;
    struct ct_build_node *parent = &pool->cell[number];
    int children = parent->children, begin = parent->begin, first;
    CT_PRAGMA(omp atomic capture)
    {
        first = pool->count;
        pool->count += children;
    }
    if (first > pool->room - children)
        return -1;
    parent->first_child = first;
    for (int r = 0; r < children; r++) {
        int chosen = b->kid[parent->begin + r].ranked;
        const struct ct_split_child *kid = &b->kid[parent->begin + chosen];
        if (chosen == 0)
            parent->nest = first + r;
        pool->cell[first + r] = (struct ct_build_node){
            .begin = begin, .end = kid->begin, .center = kid->center, .parent = number};
        begin = kid->begin;
    }
    return first;
}

/* Splits the cells of a branch, one after the other, while the pool has room. Cells that
 * wait are a list, linked by their first_child. */
static void grow_branch(void *data, int branch, int thread)
{
    const struct ct_build_state *b = data;
    int *pending = &b->pending[branch];
    while (*pending >= 0) {
        struct ct_build_node *cell = &b->pool->cell[*pending];
        int next = cell->first_child;
        if (cell->children == 0)
            ct_split_node(b, cell);
        int first = cell->children > 0 ? append_children(b, *pending) : 0;
        if (first < 0)
            return;
        for (int c = first; c < first + cell->children; c++) {
            b->pool->cell[c].first_child = next;
            next = c;
        }
        *pending = next;
    }
    (void)thread;
}
/* Splits the large cells. Returns how many cells are left to be split as branches, and
 * lists them. */
static int grow_trunk(struct ct_build_state *b)
{
    struct ct_node_list *pool = b->pool;
    long long large = b->n / (BRANCHES * (long long)b->threads), unpolled = 0;
    int branches = 0;
    large = large * b->d < LARGE_CELL ? large : LARGE_CELL / b->d;
    b->unpolled = &unpolled;
    for (int i = 0; i < pool->count; i++) {
        struct ct_build_node *cell = &pool->cell[i];
        if (cell->end - cell->begin <= large) {
            branches++;
            continue;
        }
        ct_split_node(b, cell);
        ct_node_list_reserve(b->host, pool, cell->children);
        if (cell->children > 0)
            append_children(b, i);
    }
    b->unpolled = NULL;
    b->pending = b->host->alloc((size_t)branches, sizeof *b->pending);
    for (int i = 0, branch = 0; i < pool->count; i++) {
        struct ct_build_node *cell = &pool->cell[i];
        if (cell->end - cell->begin > large)
            continue;
        cell->first_child = -1;
        b->pending[branch++] = i;
    }
    return branches;
}

static int is_pending(const struct ct_build_state *b, int branches)
{
    for (int branch = 0; branch < branches; branch++)
        if (b->pending[branch] >= 0)
            return 1;
    return 0;
}

/* Cells breadth first; centers where the leaves have left them, for points moved on after
 * their cell was split: the center of a cell with children is that of the child that keeps
 * it. */
static struct ct_node_list *number_cells(const struct ct_build_state *b)
{
    struct ct_node_list *cells = ct_node_list_new(b->host, b->pool->count);
    cells->cell[cells->count++] = b->pool->cell[0];
    for (int i = 0; i < cells->count; i++) {
        struct ct_build_node *cell = &cells->cell[i];
        const struct ct_build_node *child = b->pool->cell + cell->first_child;
        if (cell->children == 0)
            continue;
        cell->nest += cells->count - cell->first_child;
        cell->first_child = cells->count;
        for (int c = 0; c < cell->children; c++) {
            cells->cell[cells->count] = child[c];
            cells->cell[cells->count++].parent = i;
        }
    }
    for (int i = cells->count - 1; i >= 0; i--)
        if (cells->cell[i].children > 0)
            cells->cell[i].center = cells->cell[cells->cell[i].nest].center;
    return cells;
}

/* Room for cells that is mostly enough. */
static int pool_size(int n, int leaf_size)
{
    long long most = 2LL * n, size = 6LL * (n / leaf_size) + 64;
    size = size < most ? size : most;
    return size < INT_MAX ? (int)size : INT_MAX;
}

struct ct_node_list *ct_build(const struct ct_host *host, const struct ct_kernels *kernels,
                              double *points, int *row, int n, int d, int leaf_size, int threads)
{
    struct ct_build_state b = {
        .host = host,
        .kernels = kernels,
        .points = points,
        .row = row,
        .n = n,
        .d = d,
        .leaf_size = leaf_size,
        .threads = threads,
        .sqdist = host->alloc((size_t)n, sizeof(double)),
        .owner = host->alloc((size_t)n, sizeof(int)),
        .spare = host->alloc((size_t)n, sizeof(double)),
        .kid = host->alloc((size_t)n, sizeof(struct ct_split_child)),
        .at = host->alloc((size_t)threads * d, sizeof(double)),
        .pool = ct_node_list_new(host, pool_size(n, leaf_size)),
    };
    ct_build_root(&b, &b.pool->cell[b.pool->count++]);
    int branches = grow_trunk(&b);
    while (is_pending(&b, branches)) {
        ct_parallel_for(host, branches, threads, grow_branch, &b);
        if (b.pool->count > b.pool->room) {
            b.pool->count = b.pool->room;
            ct_node_list_reserve(host, b.pool, b.pool->room / 2 + 1);
        }
    }
    return number_cells(&b);
}
