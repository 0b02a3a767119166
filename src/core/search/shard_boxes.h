/* shard_boxes.h: which shards of a forest can hold neighbors of a query.
 *
 * Points are divided into shards, each with a tree of its own, maybe in another process. The host
 * keeps the bounding box of each shard, and the boxes of nodes of its tree that together contain
 * all points of the shard. If a query has an upper bound of the distance of its neighbors, it
 * searches only the shards with a box within this bound. Consecutive queries are compared in
 * groups: if the queries of a group are near each other, O(shards * d) per group, and O(boxes * d)
 * for each shard near the group.
 */
#ifndef COVERTREE_SEARCH_SHARD_BOXES_H
#define COVERTREE_SEARCH_SHARD_BOXES_H

#include "core/host.h"
#include "core/metric/metric.h"

struct ct_shard_boxes {
    int shards, d, boxes;
    const double *lower, *upper;         /* [shards x d, column-major] bounding boxes */
    const int *begin;                    /* [shards + 1] the boxes of shard s: begin[s] and on */
    const double *box_lower, *box_upper; /* [boxes x d, column-major] */
};

/* Writes to nearest [count] the shard, from 1, with the smallest norm from each query
 * [count x d, column-major] to its bounding box; among several such shards, the one with the
 * nearest middle of the box. O(shards * d) per query. */
void ct_find_nearest_shards(const struct ct_host *host, const struct ct_shard_boxes *boxes,
                            const struct ct_metric *metric, const double *q, int count, int threads,
                            int *nearest);

/* Queries [count x d, column-major]. */
struct ct_shard_queries {
    const double *q;
    int count;
    const double *limit; /* [count] largest distance of a neighbor */
    const int *own;      /* [count] the first shard of the query, from 1, which has answered it */
};

/* Writes to is_near [count x shards, row-major] whether each query must search each shard: whether
 * a box of the shard lies within the limit of the query. 0 for the first shard of a query. Never 0
 * if a point of another shard has a distance of at most the limit. */
void ct_find_near_shards(const struct ct_host *host, const struct ct_shard_boxes *boxes,
                         const struct ct_metric *metric, const struct ct_shard_queries *queries,
                         int threads, char *is_near);

#endif
