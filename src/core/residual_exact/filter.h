/* filter.h: a block of queries meets shelves of points.
 *
 * In teams, the queries meet one tile after another; a pair that the sieve lets
 * through enters the contest of its query, whose bar falls as others enter.
 */
#ifndef COVERTREE_RESIDUAL_EXACT_FILTER_H
#define COVERTREE_RESIDUAL_EXACT_FILTER_H

#include "core/residual_exact/packed_points.h"
#include "core/topk/interval_topk.h"
#include "core/util/radix_sort.h"

/* What blocks share. */
struct ct_filter {
    const struct ct_exact_batch *batch;
    struct ct_transform frame;
    const struct ct_factors *from;    /* the queries are some of these */
    struct ct_point_norms size;       /* of them */
    struct ct_point_norms point_size; /* of the points */
    double *bar;                      /* NULL, or bars that the points start with as queries */
    int most;                         /* queries in a block: a multiple of CT_GROUP */
};

/* A block of queries, and the room of a thread for it. */
struct ct_filter_block {
    const struct ct_filter *sift;
    const struct ct_key_id *query;      /* [count] whose id is the number of the query */
    int count, last;                    /* last: the largest position there is among them */
    struct ct_interval_scratch arbiter; /* its data is the block */
    struct ct_interval_topk *contest;   /* [most], but for no more queries than the batch has */
    double *bar, *level, *margin, *slack, *norm, *trifle;
    unsigned *within;      /* [most] */
    char *team_v, *team_z; /* [most] times m - rest and d, team by team */
    char *rest;            /* [most * rest] */
    double *room;          /* a team's */
    char *sums;            /* [most] times lanes */
    struct ct_residual_stats tally;
};

struct ct_filter ct_filter_make(const struct ct_host *host, const struct ct_exact_batch *batch,
                                int most);

/* For contests about the k smallest. The block must stay where it is. */
void ct_filter_block_init(const struct ct_host *host, const struct ct_filter *sift, int k,
                          struct ct_filter_block *block);

/* Which of sift->from a query is. */
int ct_filter_query_pos(const struct ct_filter *sift, int query);

void ct_filter_block_load(struct ct_filter_block *block, const struct ct_key_id *query, int count);
void ct_filter_block_scan(struct ct_filter_block *block, const struct ct_packed_points *shelf);

/* For queries without residual: all points are at distance 1, so the first enter. */
void ct_filter_block_accept_first(struct ct_filter_block *block);

#endif
