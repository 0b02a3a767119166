/* schedule.h: how the next block is searched: its size, jointly or singly, tree or scan.
 *
 * The schedule of a thread converts the work of each block to cycles, by the cost model in
 * schedule.c, and decides for the next block
 *   size       queries per block: larger while the traversal, shared by the block, costs more
 *              than the choice among the remaining nodes, smaller in the opposite case;
 *   join       whether query groups scan the tiles that the block has in common, which
 *              is cheaper in few dimensions, or each query chooses tiles on its own;
 *   scan       whether to scan all tiles for a number of blocks, without a traversal,
 *              because traversals excluded too few tiles to pay.
 * Decisions change the time of a search, never a result. They depend on counts of boxes and
 * tiles only, not on a clock and not on the statistics for the user. A decision costs a few
 * arithmetic operations per block.
 */
#ifndef COVERTREE_SEARCH_SCHEDULE_H
#define COVERTREE_SEARCH_SCHEDULE_H

#include "core/search/query.h"
#include "core/search/stats.h"

enum {
    CT_JOIN_TRIAL = 64, /* blocks between two trials of the less favored kind of scan */
    CT_JOIN_CREDIT = 8  /* times in a row after which one kind is favored without comparison */
};

struct ct_schedule {
    const struct ct_tree *tree;
    enum ct_search_mode mode;
    int fixed_size;  /* whether the caller chose the block size */
    int block_size;  /* queries of the next block, at most */
    int joined;      /* whether the last block was scanned jointly */
    int join_credit; /* how often that was cheaper recently, -CT_JOIN_CREDIT to +CT_JOIN_CREDIT */
    int since_trial; /* blocks since the less favored kind was tried */
    double single_cost; /* [cycles] running mean of one query's scan on its own; 0: unknown */
    int scans_left;     /* blocks to scan before the next traversal */
    int scan_length;    /* blocks to scan when a traversal next fails to pay, 8 to 256 */
};

/* Returns the schedule of a thread at the beginning of a batch. The batch may fix the block
 * size or the mode; an epsilon fixes the size at 1. */
struct ct_schedule ct_schedule_start(const struct ct_batch *batch);

/* Returns the size of the next block: at most `most` of the queries from `begin` up to `end`.
 * Blocks of own points consist of whole tiles, whose bounding boxes are small. */
int ct_schedule_size(const struct ct_schedule *schedule, const struct ct_batch *batch, int begin,
                     int end, int most);

/* Whether the next block scans all tiles. */
int ct_schedule_scans(const struct ct_schedule *schedule);

/* Counts a block that scanned all tiles. */
void ct_schedule_count_scan(struct ct_schedule *schedule);

/* Whether to consider a joint scan for this block; if so, list the common tiles and ask
 * ct_schedule_joins(). Not for a single query, and not among duplicate runs: there each
 * query excludes most nodes by row. */
int ct_schedule_considers_join(struct ct_schedule *schedule, int queries, int duplicate_runs);

/* Whether a joint scan of the common tiles is cheaper than single scans. */
int ct_schedule_joins(struct ct_schedule *schedule, int common_tiles);

/* Adapts the schedule to the work of a block of queries after its scan. */
void ct_schedule_learn(struct ct_schedule *schedule, const struct ct_search_work *work,
                       int queries);

#endif
