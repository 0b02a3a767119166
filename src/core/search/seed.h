/* seed.h: the tiles where a query lies, to scan first.
 *
 * A search begins with a run of tiles around a query, found by a greedy descent. The
 * points there give a first threshold, which is usually close to the final one.
 */
#ifndef COVERTREE_SEARCH_SEED_H
#define COVERTREE_SEARCH_SEED_H

#include "core/search/query_block.h"

/* A run of tiles, from `first` up to, not including, `end`. */
struct ct_tile_span {
    int first, end;
};

static inline int ct_span_contains(struct ct_tile_span span, int tile)
{
    return tile >= span.first && tile < span.end;
}

/* Returns the tiles of the leaf at the end of a greedy descent to the center nearest to
 * query i, extended until they hold at least `points` points, or all of the tree. Costs
 * one exact distance per child of every node on the path. */
struct ct_tile_span ct_seed_tiles(const struct ct_query_block *block, int i, int points);

#endif
