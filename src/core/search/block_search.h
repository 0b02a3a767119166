/* block_search.h: one block of queries, from loading to full candidate buffers.
 *
 * The stages, of which a caller runs the first three and the last:
 *   ct_search_begin()   load the block and form its query groups;
 *   seed                the caller's: first thresholds (seed.h, threshold.h, tile_scan.h);
 *   ct_search_block()   traverse the tree and scan what remains, or scan all tiles;
 *   results             the caller's: flush each query's candidates once more.
 * A `struct ct_search` belongs to one thread and serves all its blocks. The schedule it
 * keeps decides size and kind of the next block from the work of those before.
 */
#ifndef COVERTREE_SEARCH_BLOCK_SEARCH_H
#define COVERTREE_SEARCH_BLOCK_SEARCH_H

#include "core/search/query_block.h"
#include "core/search/schedule.h"
#include "core/search/seed.h"
#include "core/search/stats.h"
#include "core/search/tile_scan.h"
#include "core/search/traverse.h"

struct ct_search {
    struct ct_query_block block;
    struct ct_query_groups groups;
    struct ct_frontier frontier;
    struct ct_schedule schedule;
    struct ct_search_recorder recorder;
};

/* Allocates the searcher of one thread, for blocks of up to `queries` queries with
 * candidate buffers of `capacity`. k: neighbors wanted; or 0, and the sink receives all
 * candidates. The host's memory: O(nodes + tiles + queries * (d + capacity)). */
void ct_search_init(const struct ct_host *host, const struct ct_batch *batch, int queries,
                    int capacity, int k, struct ct_candidate_sink sink, struct ct_search *search);

/* Loads `count` queries of the batch's order from `begin` on, all active with infinite
 * thresholds, and forms their query groups. */
void ct_search_begin(struct ct_search *search, const struct ct_batch *batch, int begin, int count);

/* Scans, for every query of the block, at least each point that may come before its
 * threshold, each point once, except those in the span `skip`, which the caller scanned. */
void ct_search_block(struct ct_search *search, struct ct_tile_span skip);

/* Traverses the tree for the active queries within their largest box threshold, which it
 * returns, and counts the block. The remaining nodes are in search->frontier. */
float ct_search_traverse(struct ct_search *search);

#endif
