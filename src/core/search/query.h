/* query.h: batches of queries. */
#ifndef COVERTREE_SEARCH_QUERY_H
#define COVERTREE_SEARCH_QUERY_H

#include "core/tree/tree.h"

struct ct_kernels;
struct ct_budget;

/* CT_SEARCH_AUTO takes the tree, and scans where the tree excludes too little. */
enum ct_search_mode { CT_SEARCH_AUTO, CT_SEARCH_TREE, CT_SEARCH_SCAN };

/* The queries of a call: m points, or m of the tree's own points, which
 * never find themselves. `order` says which query is answered when; results
 * do not depend on it. */
struct ct_batch {
    const struct ct_tree *tree;
    const double *query; /* [lines * d] by column; NULL: the tree's own points */
    int lines;           /* points in query, of which order names m; 0: m */
    const int *order;    /* [m] numbers of queries, or positions of own points, which
                          * ascend; NULL with query NULL: all, in the tree's order */
    int predecessor;     /* whether own points find only rows below theirs */
    int m, threads;
    const int *slot; /* where a query's results go; NULL: to the line of its number or row */
    int ld; /* lines of a result matrix, of which own points fill that of their row; 0: m */
    const struct ct_kernels *kernels;
    double epsilon; /* neighbours may be farther than the true ones by this share; above 0 each
                     * query goes alone, so that its answer does not depend on others */
    const struct ct_budget *budget; /* of points that a query may meet; NULL: no limit */
    int *evaluated;                 /* [ld] with a budget: points that each evaluated; or NULL */
    int block; /* queries that go together, at most CT_BLOCK; 0: as the work suggests */
    enum ct_search_mode mode;
    struct ct_search_stats *tally; /* NULL, or where to add up what was done */
};

enum { CT_BLOCK = 64 }; /* the most queries in a block */

enum ct_phase { CT_PHASE_SEED, CT_PHASE_DESCENT, CT_PHASE_SCAN, CT_PHASE_SELECTION, CT_PHASES };

/* What a batch took. Boxes and tiles count once for each query that evaluated them; the
 * boxes by which a block finds the tiles that it has in common are not counted. */
struct ct_search_stats {
    long long blocks[7];  /* blocks of up to 1, 2, 4, ..., 64 queries that descended */
    long long scans;      /* blocks that scanned */
    long long nodes;      /* boxes of nodes that evaluated a block on its way down */
    long long candidates; /* nodes that a block kept, */
    long long cached;     /* and how often a query took one without a descent of its own */
    long long boxes;      /* boxes of tiles that evaluated a query which picked */
    long long tiles;      /* tiles that evaluated a query, alone or in a team */
    long long distances;  /* of points to queries, in double, for what floats left */
    long long evaluated,
        useful; /* with a budget: points evaluated, and those of use when they were, */
    long long climbs, stopped_early; /* steps climbed, and queries that ended before a limit */
    double seconds[CT_PHASES];       /* summed over threads */
};

/* index and distance are [ld * k] by column, rows of the tree and distances in
 * order of (distance, row); where there are fewer than k points, CT_NO_ROW and
 * `missing` fill the rest. */
#define CT_NO_ROW INT_MIN
void ct_knn(const struct ct_host *host, const struct ct_batch *batch, int k, double missing,
            int *index, double *distance);

/* Takes what was found for one query, instead of the results: rows in order of
 * (distance, row), and `line` of the results. Several threads call at once. */
struct ct_result_sink {
    void (*take)(const struct ct_result_sink *taker, int thread, int line, const int *row,
                 int found);
    /* After each block of queries. */
    void (*done)(const struct ct_result_sink *taker, int thread);
};

/* The same, handed to a taker. */
void ct_knn_to_sink(const struct ct_host *host, const struct ct_batch *batch, int k,
                    const struct ct_result_sink *taker);

/* The same for the tree's own points, of which each finds the nearest among the rows
 * below its own. */
void ct_knn_predecessors(const struct ct_host *host, const struct ct_batch *batch, int k,
                         double missing, int *index, double *distance);

/* Searches parts of the batch, each in a tree of which about half of the points or
 * more are predecessors of each query, for searches that look at k points or so. */
struct ct_searcher {
    void (*search)(const struct ct_host *host, const struct ct_batch *some,
                   const struct ct_searcher *searcher);
};
void ct_predecessors(const struct ct_host *host, const struct ct_batch *batch, int k,
                     const struct ct_searcher *searcher);

/* Counts the points within the radius of each query, until their total exceeds `most`:
 * count[i] is a number from before, or -1 where query i is to be counted, and stays -1
 * where counting stopped before it. Returns the total. */
long long ct_radius_count(const struct ct_host *host, const struct ct_batch *batch, double radius,
                          long long most, int *count);

/* index[i] and distance[i]: [count[i]] each, filled in order of (distance, row)
 * if sorted, else in the order the tree is walked. */
void ct_radius_fill(const struct ct_host *host, const struct ct_batch *batch, double radius,
                    int sorted, const int *count, int *const *index, double *const *distance);

#endif
