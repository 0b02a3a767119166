/* schedule.h: how the next block is searched: its size, jointly or singly, tree or scan.
 *
 * The schedule of a thread learns from its own counters: the work of each traversal, that
 * it converts to cycles by the one cost model in schedule.c. It decides
 *   size       queries per block: more while the traversal, shared by the block, costs more
 *              than the choice among the remaining nodes, fewer in the opposite case;
 *   join       whether query groups scan the tiles that the block has in common, which
 *              is cheaper in few dimensions, or each query chooses its own;
 *   scan       whether to scan all tiles for a number of blocks, without the tree, because
 *              traversals excluded too little to pay for themselves.
 * None of these decisions changes a result.
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
    int block_size;  /* queries of the next block, before limits */
    int joined;      /* whether the last block was scanned jointly */
    int join_credit; /* how often that was cheaper recently, -CT_JOIN_CREDIT to +CT_JOIN_CREDIT */
    int since_trial; /* blocks since the less favored kind was tried */
    double single_cost; /* [cycles] running mean of one query's scan on its own; 0: unknown */
    int scans_left;     /* blocks to scan before the next traversal */
    int scan_length;    /* blocks to scan when a traversal next fails to pay, 8 to 256 */
};

/* Returns the schedule of a thread at the beginning of a batch. */
struct ct_schedule ct_schedule_start(const struct ct_batch *batch);

/* Returns the size of the next block, of the queries from `begin` up to `end` and at most
 * `most`. The tree's own points go by whole tiles, whose boxes are small. */
int ct_schedule_size(const struct ct_schedule *schedule, const struct ct_batch *batch, int begin,
                     int end, int most);

/* Whether the next block scans all tiles. */
int ct_schedule_scans(const struct ct_schedule *schedule);

/* Counts a block that scanned all tiles. */
void ct_schedule_count_scan(struct ct_schedule *schedule);

/* Whether to consider a joint scan for this block: then its common tiles must be listed
 * for ct_schedule_joins(). Never for a single query, nor among duplicate runs, of which
 * each query should skip what its own threshold excludes. */
int ct_schedule_considers_join(struct ct_schedule *schedule, int queries, int duplicate_runs);

/* Whether the block scans its common tiles jointly, which is the cheaper kind. */
int ct_schedule_joins(struct ct_schedule *schedule, int common_tiles);

/* Adapts the schedule to the work of a block of queries after its scan. */
void ct_schedule_learn(struct ct_schedule *schedule, const struct ct_search_work *work,
                       int queries);

#endif
