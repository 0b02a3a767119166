/* query_block.h: a block of neighboring queries, with threshold and candidates of each.
 *
 * A search answers up to CT_BLOCK queries together. For each query the block keeps its
 * coordinates, the threshold and the candidate buffer. Every stage of a search works on
 * the block: tile_scan.h and traverse.h add candidates, threshold.h lowers thresholds and
 * empties buffers.
 *
 * Scans compare float32 squared distances, in the units of the tiles (tree/tiles.h), with
 * a float32 threshold that includes the rounding margin. Exact distances, in double, are
 * computed only for candidates that pass.
 */
#ifndef COVERTREE_SEARCH_QUERY_BLOCK_H
#define COVERTREE_SEARCH_QUERY_BLOCK_H

#include "core/search/query.h"
#include "core/search/row_filter.h"
#include "core/search/stats.h"
#include "core/topk/select.h"
#include "core/tree/tiles.h"
#include "core/tree/tree.h"

/* Receives the candidates of a search with fixed thresholds: the content of a candidate
 * buffer, with exact squared distances, in no order. A candidate may lie beyond the
 * threshold by less than the rounding margin of float32. */
struct ct_candidate_sink {
    void *data;
    /* query: index in the block; row and sq: [count] */
    void (*add)(void *data, int query, const int *row, const double *sq, int count);
};

/* What a search needs throughout a call; constant. */
struct ct_search_context {
    const struct ct_tree *tree;
    struct ct_metric metric;
    const struct ct_kernels *kernels; /* for the norm of the metric */
    int k;                            /* neighbors wanted; 0: every point within the threshold */
    struct ct_candidate_sink sink;    /* receives the candidates if k = 0 */
    const unsigned char *removed; /* [n] not 0 for a row, from 0, that is no neighbor; or NULL */
    const struct ct_row_filter *filter; /* excludes points for each query; or NULL */
    const int *key;    /* [n] what a scan of a tile compares: the rows, or the keys of the filter */
    double box_factor; /* 1 / (1 + epsilon): a box must be nearer than the threshold
                        * by this factor */
};

/* Queries are numbered i = 0, ..., count - 1. */
struct ct_query_block {
    struct ct_search_context context;
    struct ct_search_work work; /* since the recorder last collected it */
    int count;                  /* queries */
    int active[CT_BLOCK];       /* [active_count] the queries that search at present */
    int active_count;
    int line[CT_BLOCK];                        /* [count] lines of the results */
    double *q;                                 /* [CT_BLOCK * d] coordinates, query after query */
    float *q_f32;                              /* [CT_BLOCK * d] the same in tile units */
    double reach[CT_BLOCK];                    /* largest |coordinate| of q_f32, at least 1 */
    double max_distance[CT_BLOCK];             /* of neighbors; INFINITY: no limit */
    struct ct_neighbor threshold[CT_BLOCK];    /* later neighbors are not wanted */
    float box_threshold[CT_BLOCK];             /* farther boxes are not evaluated */
    float sq_error[CT_BLOCK];                  /* of squares by products (product_scan.h); or 0 */
    int max_row[CT_BLOCK];                     /* larger rows are not wanted */
    struct ct_query_limits limits[CT_BLOCK];   /* with a filter: what each query excludes */
    struct ct_candidates candidates[CT_BLOCK]; /* with the float32 threshold of each query */
    double *exact_sq;                          /* [capacity + CT_LANES + CT_SELECT_PAD] and */
    int *exact_row;                            /* [capacity + CT_LANES] of one query's candidates */
};

/* Allocates an empty buffer of candidates, or of tiles, in the host's memory. Its thresholds are
 * set when a query is loaded. */
struct ct_candidates ct_candidates_new(const struct ct_host *host, int capacity);

/* Allocates a block for up to `queries` queries, whose candidate buffers are flushed at
 * `capacity` candidates. The host's memory: O(queries * (d + capacity)). */
void ct_query_block_init(const struct ct_host *host, const struct ct_search_context *context,
                         int queries, int capacity, struct ct_query_block *block);

/* Loads the `count` queries of the batch's order from `begin` on. All are active, with empty
 * candidate buffers. Thresholds are the starts of the batch, or its
 * max_distance, otherwise infinite. O(count * d). */
void ct_query_block_load(struct ct_query_block *block, const struct ct_batch *batch, int begin,
                         int count);

/* Returns the line of the results for entry `place` of the batch's order. */
int ct_result_line(const struct ct_batch *batch, int place);

/* Sets the threshold of query i and the float32 thresholds that follow from it. */
void ct_set_threshold(struct ct_query_block *block, int i, struct ct_neighbor threshold);

/* Whether the threshold of query i is below the one it was loaded with: k points lie within it. */
static inline int ct_is_tightened(const struct ct_query_block *block, int i)
{
    return block->threshold[i].sq < ct_sq_threshold(block->max_distance[i]);
}

/* Returns the largest box threshold of the active queries. */
float ct_max_box_threshold(const struct ct_query_block *block);

/* Computes the exact squared distances, by the metric, and the rows of all candidates of query i,
 * in the order of the buffer, in block->exact_sq and block->exact_row. O(candidates * d). */
void ct_exact_distances(struct ct_query_block *block, int i);

/* Drops the candidates of query i whose rows are removed, or which the filter excludes.
 * O(candidates). */
void ct_drop_ineligible(struct ct_query_block *block, int i);

/* Returns how many of k neighbors query i can have: at most the number of points of the
 * tree, without the query, and at most the number of eligible rows. */
static inline int ct_reachable_neighbors(const struct ct_query_block *block, int i, int k)
{
    int others = block->context.tree->n - (block->candidates[i].skip_row > 0);
    int eligible = block->max_row[i] < others ? block->max_row[i] : others;
    return k < eligible ? k : eligible;
}

#endif
