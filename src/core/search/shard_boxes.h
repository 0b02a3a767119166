/* shard_boxes.h: which parts of a forest can hold neighbors of a query.
 *
 * Points are divided into shards, each with a tree of its own, maybe in another process. The host
 * keeps the bounding box of each shard, and the boxes of some nodes of its tree that contain all of
 * its points. A query that knows a bound of the distance of its neighbors asks only the shards of
 * which a box lies within it. Queries are compared in groups of consecutive ones: if these are near
 * each other, O(shards * d) per group, and O(boxes * d) for a shard near the group.
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

/* Returns the shard whose bounding box has the smallest norm from q [d]; of several, the one whose
 * box has the nearest middle. */
int ct_nearest_shard(const struct ct_shard_boxes *boxes, const struct ct_metric *metric,
                     const double *q);

/* Queries [count x d, column-major]. */
struct ct_shard_queries {
    const double *q;
    int count;
    const double *limit; /* [count] largest distance of a neighbor */
    const int *own;      /* [count] the shard, from 1, that was asked before */
};

/* Writes to is_near [count x shards, row-major] whether each query must ask each shard: whether a
 * box of it lies within the query's limit, and it is not the query's own. Never 0 if a point of
 * another shard has a distance of at most the limit. */
void ct_find_near_shards(const struct ct_host *host, const struct ct_shard_boxes *boxes,
                         const struct ct_metric *metric, const struct ct_shard_queries *queries,
                         int threads, char *is_near);

#endif
