/* stats.h: what a search did, and how long each of its phases took.
 *
 * Statistics are for the user: no decision of a search depends on them. Scans and
 * traversals count in a `struct ct_search_work`, at a cost of one integer addition per
 * tile or node. The recorder of a thread collects the work of each block; it reads the
 * clock at the end of each phase, and only if the caller asked for statistics.
 */
#ifndef COVERTREE_SEARCH_STATS_H
#define COVERTREE_SEARCH_STATS_H

/* The phases of a block: thresholds from the seed tiles, traversal of the tree, scan of
 * the tiles that remain, exact distances and selection. */
enum ct_phase { CT_PHASE_SEED, CT_PHASE_DESCENT, CT_PHASE_SCAN, CT_PHASE_SELECTION, CT_PHASES };

enum { CT_BLOCK_SIZES = 7 }; /* classes of block sizes: up to 1, 2, 4, ..., 64 queries */

/* Totals of one batch. A box or a tile counts once for each query that evaluates it. Tile
 * boxes evaluated for a whole block (ct_list_common_tiles()) do not count. */
struct ct_search_stats {
    long long blocks[CT_BLOCK_SIZES]; /* traversals, by size class of the block */
    long long scans;                  /* blocks that scanned every tile instead */
    long long nodes;                  /* node boxes evaluated in traversals, once per block */
    long long candidates;             /* nodes that remained after traversals */
    long long cache_hits;             /* nodes that queries took from a shared traversal */
    long long boxes;                  /* tile boxes evaluated by single queries */
    long long tiles;                  /* tiles scanned, by single queries and by query groups */
    long long distances;              /* exact distances, in double */
    long long evaluated;              /* under a budget: points evaluated, */
    long long useful;                 /* points among the k nearest when evaluated, */
    long long escalations;            /* steps beyond the first, */
    long long early_stops;            /* queries that stopped before their limit */
    double seconds[CT_PHASES];        /* per phase, summed over threads */
};

/* The work of one block, or of one part of it; the fields are those of the statistics. */
struct ct_search_work {
    long long nodes, candidates, cache_hits, boxes, tiles, distances;
};

/* The statistics of one thread. */
struct ct_search_recorder {
    struct ct_search_stats stats;
    int timed;          /* whether to read the clock */
    double phase_start; /* [s] when the current phase began */
};

/* Adds the totals `more` to `stats`. */
void ct_search_stats_add(struct ct_search_stats *stats, const struct ct_search_stats *more);

/* Returns a recorder with all totals 0; `timed`: whether to read the clock. */
struct ct_search_recorder ct_search_recorder_start(int timed);

/* Ends a phase: adds the time since the end of the previous phase. Costs one reading of
 * the clock, or nothing if the recorder is not timed. */
void ct_search_end_phase(struct ct_search_recorder *recorder, enum ct_phase phase);

/* Counts one traversal by a block of `queries` queries. */
void ct_search_record_block(struct ct_search_recorder *recorder, int queries);

/* Adds the work to the totals and sets it to 0. */
void ct_search_record_work(struct ct_search_recorder *recorder, struct ct_search_work *work);

#endif
