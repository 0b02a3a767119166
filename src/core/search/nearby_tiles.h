/* nearby_tiles.h: the cells of a tree, and the tiles around a cell and around a tile.
 *
 * A cell is a node of at most CT_CELL_TILES tiles with a larger parent, or a larger leaf. Used by
 * own_points.h: all points of a cell share one traversal of the tree, and all points of a tile
 * share a list of tiles with their boxes side by side.
 */
#ifndef COVERTREE_SEARCH_NEARBY_TILES_H
#define COVERTREE_SEARCH_NEARBY_TILES_H

#include "core/search/box_list.h"
#include "core/search/stats.h"
#include "core/simd/euclid.h"
#include "core/tree/tiles.h"

enum {
    CT_CELL_TILES = 32,  /* tiles of a cell that is not a leaf */
    CT_NEARBY_MAX = 4096 /* tiles around a cell, at most */
};

/* Scratch of one thread. */
struct ct_nearby_search {
    const struct ct_tree *tree;
    const struct ct_kernels *kernels;     /* for the norm of the metric */
    struct ct_box_list level, next_level; /* [nodes] nodes around the cell */
    struct ct_box_list found;             /* [CT_NEARBY_MAX] tiles around the cell */
    float *lower, *upper;                 /* [d] the box of the cell or tile */
    struct ct_nearby_tiles cell, tile;    /* the tiles around the cell, and around the tile */
};

/* Allocates the scratch: O(nodes + d * CT_NEARBY_MAX) of the host's memory. */
void ct_nearby_init(const struct ct_host *host, const struct ct_tree *tree,
                    const struct ct_kernels *kernels, struct ct_nearby_search *search);

static inline int ct_count_tiles(const struct ct_tiles *tiles, int node)
{
    return tiles->end_tile[node] - tiles->first_tile[node];
}

/* Lists the cells in the order of their tiles. Returns their number. cell: [tiles]. */
int ct_list_cells(const struct ct_tree *tree, int *cell);

/* Lists in search->cell the tiles within the threshold of the box of a cell. Returns 0 if there may
 * be more than CT_NEARBY_MAX. Costs a traversal of the tree, which `work` counts. */
int ct_list_around_cell(struct ct_nearby_search *search, int cell, float threshold,
                        struct ct_search_work *work);

/* Lists in search->tile the tiles of search->cell within the threshold of the box of a tile. */
void ct_list_around_tile(struct ct_nearby_search *search, int tile, float threshold);

#endif
