/* block_search.h: the search of one block of queries.
 *
 * Every search by distance runs these stages for each block:
 *   ct_search_begin()   load the block and form its query groups;
 *   seed                set first thresholds (seed.h, threshold.h, tile_scan.h);
 *   ct_search_block()   traverse the tree and scan what remains, or scan all tiles;
 *   results             flush the candidate buffer of each query once more.
 * The caller provides the seed and the results; both may be empty. A `struct ct_search`
 * belongs to one thread and serves all blocks of the thread: the schedule in it adapts size
 * and kind of the next block to the work of earlier blocks.
 */
#ifndef COVERTREE_SEARCH_BLOCK_SEARCH_H
#define COVERTREE_SEARCH_BLOCK_SEARCH_H

#include "core/search/product_scan.h"
#include "core/search/query_block.h"
#include "core/search/schedule.h"
#include "core/search/seed.h"
#include "core/search/single_scan.h"
#include "core/search/stats.h"
#include "core/search/tile_scan.h"
#include "core/search/traverse.h"

/* The searcher of one thread. */
struct ct_search {
    struct ct_query_block block;
    struct ct_query_groups groups;
    struct ct_product_scan products;
    struct ct_frontier frontier;
    struct ct_single_scan single;
    struct ct_schedule schedule;
    struct ct_search_recorder recorder;
};

/* Allocates a searcher for blocks of up to `queries` queries with candidate buffers of
 * `capacity`. k: the number of neighbors wanted; with k = 0 the sink receives all candidates. The
 * host's memory: O(nodes + tiles + queries * (d + capacity)). */
void ct_search_init(const struct ct_host *host, const struct ct_batch *batch, int queries,
                    int capacity, int k, struct ct_candidate_sink sink, struct ct_search *search);

/* Loads `count` queries of the batch's order from `begin` on, all active, and forms their query
 * groups. */
void ct_search_begin(struct ct_search *search, const struct ct_batch *batch, int begin, int count);

/* Scans, for every query of the block, all points that may come before the threshold of the
 * query, each point once. The caller has scanned the span `skip`, which is left out. Costs
 * one traversal per block and one per outlier, or a scan of all points. */
void ct_search_block(struct ct_search *search, struct ct_tile_span skip);

/* Traverses the tree for the active queries, within the largest of their box thresholds, and
 * counts the traversal. Returns this threshold; the remaining nodes are in
 * search->frontier. */
float ct_search_traverse(struct ct_search *search);

#endif
