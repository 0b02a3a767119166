/* seed.c: see seed.h.
 *
 * The descent is greedy and does not backtrack: the leaf found is not always the nearest,
 * but close enough for a first threshold. Exactness comes from the search afterwards.
 */
#include "core/search/seed.h"
#include "core/metric/euclidean.h"

#include <math.h>

/* Returns the child of a node whose center is nearest to q; on ties the first child. */
static int nearest_child(const struct ct_tree *t, int node, const double *q)
{
    int nearest = -1;
    double least = INFINITY;
    for (int c = ct_first_child(t, node); c >= 0; c = t->next_sibling[c] - 1) {
        double sq = ct_sqdist(t->points + t->center[c] - 1, (size_t)t->n, q, 1, t->d);
        if (nearest < 0 || sq < least) {
            nearest = c;
            least = sq;
        }
    }
    return nearest;
}

/* Among duplicates the descent leads to the smallest rows, and the span grows towards
 * larger rows: the threshold from the seed then excludes all further duplicates. Of a leaf
 * with many tiles the first tiles suffice. */
struct ct_tile_span ct_seed_tiles(const struct ct_query_block *block, int i, int points)
{
    const struct ct_tree *t = block->context.tree;
    const struct ct_tiles *tiles = t->tiles;
    int node = 0, most = points / CT_LANES + 2;
    while (t->first_child[node] > 0)
        node = nearest_child(t, node, block->q + (size_t)i * t->d);
    struct ct_tile_span span = {tiles->first_tile[node], tiles->end_tile[node]};
    if (span.end - span.first > most)
        span.end = span.first + most;
    while (tiles->begin[span.end] - tiles->begin[span.first] < points) {
        if (span.end < tiles->count)
            span.end++;
        else if (span.first > 0)
            span.first--;
        else
            break;
    }
    return span;
}
