/* traverse.h: a block of queries goes down the tree together.
 *
 * The traversal is level-synchronous. The frontier holds the nodes of one level that may
 * contain a neighbor of some query of the block; only their children are evaluated at the
 * next level. Small nodes leave the frontier and remain, for the scan that follows:
 *   jointly    ct_list_common_tiles() lists the remaining tiles near the block's bounding
 *              box, once for the whole block, and query groups scan them (tile_scan.h);
 *   singly     ct_scan_nodes() lets each query choose among the remaining nodes and their
 *              tiles by its own distance to their boxes.
 * All memory is allocated once per thread; a traversal allocates nothing.
 */
#ifndef COVERTREE_SEARCH_TRAVERSE_H
#define COVERTREE_SEARCH_TRAVERSE_H

#include "core/search/box_list.h"
#include "core/search/query_block.h"
#include "core/search/seed.h"

enum { CT_NODE_CHUNK = 512 }; /* remaining nodes whose boxes are copied side by side */

/* Scratch of one thread. */
struct ct_frontier {
    int max_row;                              /* the largest row that an active query wants */
    double *lower, *upper;                    /* [d] bounding box of the active queries */
    float *lower_f32, *upper_f32;             /* [d] the same in tile units */
    struct ct_box_list level, next_level;     /* nodes alive at a level and at the next */
    struct ct_box_list nodes, sorted_nodes;   /* the remaining nodes, as found and by distance */
    int duplicate_runs;                       /* nodes among them in duplicate runs */
    struct ct_boxes chunk;                    /* [CT_NODE_CHUNK] boxes of remaining nodes */
    struct ct_box_list chosen, sorted_chosen; /* positions in the chunk near one query */
    struct ct_box_list tiles;                 /* tiles of a node near one query */
    struct ct_box_list common, queue;         /* tiles near the block, as found and by distance */
};

/* Allocates the scratch: O(nodes + tiles) of the host's memory. */
void ct_frontier_init(const struct ct_host *host, const struct ct_tree *tree,
                      struct ct_frontier *frontier);

/* Traverses the tree for the active queries of the block. Leaves in frontier->nodes the
 * remaining nodes: those with a box within the threshold of the block's bounding box, a
 * row that some query wants and at most 32 tiles or no children. */
void ct_traverse(struct ct_query_block *block, struct ct_frontier *frontier, float threshold);

/* Lists the tiles of the remaining nodes within the threshold of the block's bounding box
 * in frontier->queue, roughly by distance. One box evaluation per remaining tile. */
void ct_list_common_tiles(struct ct_query_block *block, struct ct_frontier *frontier,
                          float threshold);

/* Scans the remaining nodes for each active query alone: the query evaluates the boxes of
 * the nodes and of their tiles, and scans the tiles within its threshold except those in
 * the span `skip`. */
void ct_scan_nodes(struct ct_query_block *block, struct ct_frontier *frontier, float threshold,
                   struct ct_tile_span skip);

#endif
