/* filter.h: a block of queries against packed points.
 *
 * The inner part of the exact residual search. Query groups and tiles are multiplied by the
 * filter kernels. A pair that passes enters the interval top-k of its query, with bounds of its
 * squared distance; full buffers are compacted, and the threshold and hence the cutoff of the
 * query tighten. Exact correlations are computed only by the interval top-k.
 *
 * Per pair: the truncation rank in multiply-adds, and a covariance. Per pair that passes: the
 * tail, if any, and an insertion.
 */
#ifndef COVERTREE_RESIDUAL_EXACT_FILTER_H
#define COVERTREE_RESIDUAL_EXACT_FILTER_H

#include "core/residual_exact/exact_batch.h"
#include "core/residual_exact/packed_points.h"
#include "core/topk/interval_topk.h"
#include "core/util/radix_sort.h"

/* What all blocks of a call share. */
struct ct_filter {
    const struct ct_exact_batch *batch;
    struct ct_transform transform;
    struct ct_error_bound bound;
    const struct ct_factors *queries;  /* the batch's query points, or the metric's own points */
    struct ct_point_norms query_norms; /* of `queries` */
    struct ct_point_norms point_norms; /* of the metric's points */
    const double *initial_threshold;   /* [queries->n] or NULL: see initial_thresholds.h */
    int block_size;                    /* most queries of a block: a multiple of CT_GROUP */
};

/* Queries in the layout of the filter kernels, group by group, and their bounds. */
struct ct_packed_queries {
    char *v, *z;              /* [groups x truncation rank x CT_GROUP], [groups x d x CT_GROUP] */
    char *tail;               /* [block_size x tail, row-major] */
    double *tail_norm, *norm; /* [block_size] */
    double *cutoff, *margin, *negligible; /* [block_size] see struct ct_filter_input */
};

/* A block of queries, and the scratch of a thread for it. */
struct ct_filter_block {
    const struct ct_filter *filter;
    const struct ct_key_id *query; /* [count] id: number of the query in the batch */
    int count, last_pos;           /* last_pos: largest position of a query of the block */
    struct ct_packed_queries packed;
    double *threshold;                /* [block_size] squared distance; larger is no neighbor */
    struct ct_interval_topk *topk;    /* [block_size], but made for at most batch->count */
    struct ct_interval_scratch found; /* found.nearest: the neighbors of a finished query */
    unsigned *passes;                 /* [block_size] lanes of the tile that passed the filter */
    char *sums;                       /* [block_size x lanes] filter values of the tile */
    double *scratch;                  /* of ct_pack_group() */
    struct ct_residual_stats stats;
};

/* Prepares a call: transform without rotation, norms, error bound. O(n (m + d)), in parallel. */
struct ct_filter ct_filter_make(const struct ct_host *host, const struct ct_exact_batch *batch,
                                int block_size);

/* Position of a query among filter->queries. */
static inline int ct_filter_query_pos(const struct ct_filter *filter, int query)
{
    return filter->batch->row ? filter->batch->row[query] - 1 : query;
}

/* Allocates a thread's block, for the k nearest. The transform must be final. */
void ct_filter_block_init(const struct ct_host *host, const struct ct_filter *filter, int k,
                          struct ct_filter_block *block);

/* Starts a block of count <= block_size queries, without candidates. */
void ct_filter_block_load(struct ct_filter_block *block, const struct ct_key_id *query, int count);

/* Packs the block's queries for these kernels. Needed before the first scan of points in another
 * precision. */
void ct_filter_block_pack(struct ct_filter_block *block, const struct ct_filter_kernels *kernels);

/* Filters all pairs of the block's queries and the packed points. With predecessors, stops at the
 * first tile after the last query. */
void ct_filter_block_scan(struct ct_filter_block *block, const struct ct_packed_points *points);

/* For queries without residual variance, in place of ct_filter_block_scan(): all distances are 1,
 * so the first k rows that the query may find are its neighbors. */
void ct_filter_block_accept_first(struct ct_filter_block *block);

/* Makes room in the full candidate buffer of query i, and tightens its threshold. */
void ct_filter_block_compact(struct ct_filter_block *block, int i);

/* Ends the search of query i of the block: its neighbors, by (distance, row). The result is valid
 * until the next call. */
const struct ct_topk *ct_filter_block_finish(struct ct_filter_block *block, int i);

#endif
