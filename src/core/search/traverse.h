/* traverse.h: a block of queries goes down the tree together.
 *
 * The traversal is level-synchronous. The frontier holds the nodes of a level that may
 * contain a neighbor of any query of the block; at the next level only their children are
 * evaluated. Small nodes leave the frontier and remain for the scan:
 *   joint      ct_list_common_tiles() lists the remaining tiles near the bounding box of the
 *              block, once for all queries, and query groups scan them (tile_scan.h);
 *   single     each query scans the tiles within its own threshold (single_scan.h). With an
 * epsilon, in few dimensions, or among runs of duplicates, ct_scan_nodes(): the query evaluates the
 * boxes of the remaining nodes first, nearer nodes first. The block shares the cost of the
 * traversal; the larger its bounding box, the more nodes remain. All memory is allocated once per
 * thread; a traversal allocates nothing.
 */
#ifndef COVERTREE_SEARCH_TRAVERSE_H
#define COVERTREE_SEARCH_TRAVERSE_H

#include "core/search/box_list.h"
#include "core/search/query_block.h"
#include "core/search/seed.h"

enum { CT_NODE_CHUNK = 512 }; /* remaining nodes whose boxes are copied side by side */

/* Scratch of one thread. */
struct ct_frontier {
    int max_row;                              /* the largest row eligible for an active query */
    struct ct_query_limits limits;            /* with a filter: what all active queries exclude */
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

/* Traverses the tree for the active queries of the block. The remaining nodes, in
 * frontier->nodes, have a box within the threshold of the bounding box of the block, a row
 * eligible for a query, and at most 32 tiles or no children. Costs one box evaluation per
 * child of every node on the frontier. */
void ct_traverse(struct ct_query_block *block, struct ct_frontier *frontier, float threshold);

/* Whether rows exclude a node of duplicates for the queries in the box [lower, upper]: its
 * distance is at least that of the threshold, and all rows are larger. O(d). */
int ct_excluded_by_row(const struct ct_search_context *context, int node, const double *lower,
                       const double *upper, struct ct_neighbor threshold);

/* Lists in frontier->queue the tiles of the remaining nodes within the threshold of the
 * bounding box of the block, roughly by distance. Costs one box evaluation per tile of a
 * remaining node. */
void ct_list_common_tiles(struct ct_query_block *block, struct ct_frontier *frontier,
                          float threshold);

/* Scans the remaining nodes for each active query alone, without the tiles in the span
 * `skip`. threshold: as given to ct_traverse(). Costs, per query, a box evaluation for each
 * remaining node and for each tile of a node within the threshold. */
void ct_scan_nodes(struct ct_query_block *block, struct ct_frontier *frontier, float threshold,
                   struct ct_tile_span skip);

#endif
