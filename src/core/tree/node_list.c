/* node_list.c: growing the list of cells, and turning it into a tree's arrays.
 *
 * Boxes and smallest rows are gathered from the points in the leaves and from
 * the children above them; children have higher numbers, so one sweep from the
 * last cell to the first meets every child before its parent.
 */
#include "core/tree/node_list.h"
#include "core/tree/build.h"
#include "core/util/column_range.h"
#include "core/util/parallel_for.h"

#include <string.h>

struct ct_node_list *ct_node_list_new(const struct ct_host *host, int room)
{
    struct ct_node_list *cells = host->alloc(1, sizeof *cells);
    *cells = (struct ct_node_list){host->alloc((size_t)room, sizeof *cells->cell), 0, room};
    return cells;
}

void ct_node_list_reserve(const struct ct_host *host, struct ct_node_list *cells, int more)
{
    if (cells->room - cells->count >= more)
        return;
    long long room = 2LL * cells->room + more;
    if (room > INT_MAX)
        room = INT_MAX;
    struct ct_build_node *grown = host->alloc((size_t)room, sizeof *grown);
    memcpy(grown, cells->cell, (size_t)cells->count * sizeof *grown);
    cells->cell = grown;
    cells->room = (int)room;
}

int ct_node_list_count(const struct ct_node_list *cells)
{
    return cells->count;
}

static void store_links(const struct ct_node_list *cells, struct ct_tree_arrays *out)
{
    for (int i = 0; i < cells->count; i++) {
        const struct ct_build_node *cell = &cells->cell[i];
        out->center[i] = cell->center + 1;
        out->parent[i] = cell->parent + 1;
        out->subtree_begin[i] = cell->begin + 1;
        out->subtree_end[i] = cell->end;
        out->level[i] = cell->level;
        out->radius[i] = cell->radius;
        out->first_child[i] = cell->children > 0 ? cell->first_child + 1 : 0;
        int last = i + 1 == cells->count || cells->cell[i + 1].parent != cell->parent;
        out->next_sibling[i] = last ? 0 : i + 2;
    }
}

static void store_extent(const struct ct_node_list *cells, const double *x, double *lower,
                         double *upper)
{
    for (int i = cells->count - 1; i >= 0; i--) {
        const struct ct_build_node *cell = &cells->cell[i];
        if (cell->children == 0) {
            ct_column_range(x + cell->begin, cell->end - cell->begin, &lower[i], &upper[i]);
            continue;
        }
        double least = lower[cell->first_child], most = upper[cell->first_child];
        for (int c = cell->first_child + 1; c < cell->first_child + cell->children; c++) {
            least = lower[c] < least ? lower[c] : least;
            most = upper[c] > most ? upper[c] : most;
        }
        lower[i] = least;
        upper[i] = most;
    }
}

static void store_min_row(const struct ct_node_list *cells, const int *row, int *min_row)
{
    for (int i = cells->count - 1; i >= 0; i--) {
        const struct ct_build_node *cell = &cells->cell[i];
        int leaf = cell->children == 0;
        const int *from = leaf ? row + cell->begin : min_row + cell->first_child;
        int count = leaf ? cell->end - cell->begin : cell->children, least = from[0];
        for (int c = 1; c < count; c++)
            least = from[c] < least ? from[c] : least;
        min_row[i] = least;
    }
}

struct storing {
    const struct ct_node_list *cells;
    const double *points;
    int n;
    struct ct_tree_arrays *out;
};

static void store_column(void *data, int j, int thread)
{
    const struct storing *storing = data;
    size_t at = (size_t)j * storing->cells->count;
    store_extent(storing->cells, storing->points + (size_t)j * storing->n, storing->out->lower + at,
                 storing->out->upper + at);
    (void)thread;
}

void ct_node_list_store(const struct ct_host *host, const struct ct_node_list *cells,
                        const double *points, const int *row, int n, int d, int threads,
                        struct ct_tree_arrays *out)
{
    struct storing storing = {cells, points, n, out};
    store_links(cells, out);
    store_min_row(cells, row, out->min_row);
    ct_parallel_for(host, d, threads, store_column, &storing);
}
