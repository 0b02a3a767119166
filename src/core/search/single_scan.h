/* single_scan.h: after a traversal, each query scans the tiles within its own threshold.
 *
 * Used between few dimensions, where neighboring queries need the same tiles, and many, where
 * boxes exclude little. The boxes of the tiles near the block are copied side by side, once for all
 * queries. A query compares them CT_LANES at a time and lists the tiles within its threshold. The
 * nearest of these give a lower threshold, which excludes most of the others.
 */
#ifndef COVERTREE_SEARCH_SINGLE_SCAN_H
#define COVERTREE_SEARCH_SINGLE_SCAN_H

#include "core/search/query_block.h"
#include "core/search/seed.h"
#include "core/search/traverse.h"

/* Scratch of one thread. */
struct ct_single_scan {
    unsigned short *chosen; /* [tiles / CT_LANES + 1] bit i of run r: whether tile CT_LANES * r + i
                             * belongs to a remaining node; all 0 between two scans */
    int next, last;         /* the runs that are not packed yet, from `next` up to `last` */
    struct ct_packed_boxes *pack; /* [most_packs] boxes of the tiles near the block */
    int most_packs;
    struct ct_candidates tiles,
        within; /* tiles near a query: numbers, squared distances of boxes */
};

/* Whether single queries compare packed boxes: in more than 3 dimensions. In fewer, the nodes
 * exclude most tiles before (ct_scan_nodes()). */
static inline int ct_packs_boxes(const struct ct_tree *tree)
{
    return tree->d > 3;
}

/* Allocates the scratch: O(tiles + d * min(tiles, 16384)) of the host's memory. */
void ct_single_scan_init(const struct ct_host *host, const struct ct_tree *tree,
                         struct ct_single_scan *scan);

/* Scans the tiles of the remaining nodes for each active query alone, without the tiles in the span
 * `skip`. Costs a box evaluation for each tile of a remaining node, and, per query, for each tile
 * near the block. */
void ct_scan_singly(struct ct_query_block *block, struct ct_frontier *frontier,
                    struct ct_single_scan *scan, struct ct_tile_span skip);

#endif
