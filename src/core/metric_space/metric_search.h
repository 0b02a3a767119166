/* metric_search.h: the state of a search; internal to metric_space/.
 *
 *   metric_search.c   one query goes down the tree
 *   metric_seed.c     first thresholds
 *   metric_result.c   results, thresholds, which pairs are wanted
 *   metric_queries.c    the loop over the queries
 */
#ifndef COVERTREE_METRIC_SPACE_METRIC_SEARCH_H
#define COVERTREE_METRIC_SPACE_METRIC_SEARCH_H

#include "core/metric_space/metric_query.h"
#include "core/metric_space/pivots.h"

/* A candidate is wanted if (lower bound or distance, row) is before the threshold. */
struct ct_metric_threshold {
    double distance;
    int row;
};

static inline int ct_wants(struct ct_metric_threshold threshold, double distance, int row)
{
    return distance < threshold.distance || (distance == threshold.distance && row < threshold.row);
}

/* A node that is not visited yet, or whose center has no distance yet. */
struct ct_metric_visit {
    double bound;    /* of the distances from the query to the node's points */
    double distance; /* from the query to the center; negative: not known */
    int node;
    int place; /* of the center in the batch of evaluations */
};

/* A point that no bound has excluded so far. */
struct ct_metric_candidate {
    double bound;
    int pos;
};

/* The query that is answered at present. */
struct ct_metric_current {
    int number; /* of the query, from 0 */
    int from;   /* as the distance function takes it */
    int pos;    /* -1 for a foreign query */
    int row;    /* 0 for a foreign query */
    int max_row;
    const double *pivot; /* [pivots] distances to the pivots */
};

/* The results, and the thresholds of candidates. */
struct ct_metric_results {
    int k;                                      /* length of a sorted list; 0: for a radius */
    int *index, *found;                         /* [k x count] rows; [count] length of each list */
    double *distance;                           /* [k x count] */
    struct ct_metric_pairs *pairs;              /* for a radius */
    struct ct_metric_threshold *threshold;      /* [count] of each query */
    struct ct_metric_threshold *node_threshold; /* [nodes] the last of the node's points, if
                                                 * distances are used for both objects */
};

/* Points that are evaluated for a first threshold. */
struct ct_metric_seeds {
    int count;     /* of each query; 0: none */
    int *pos;      /* [count x n] positions of each point's seeds, increasing; NULL unless distances
                    * are used for both objects */
    double *bound; /* [n] scratch */
};

/* Nodes that the current query has to visit: at once, or after the evaluation of their centers. */
struct ct_metric_frontier {
    struct ct_metric_visit *stack, *waiting; /* [nodes] */
    int stack_size, waiting_size;
};

/* Points of leaves that no bound has excluded. */
struct ct_metric_list {
    struct ct_metric_candidate *point, *sorted; /* [n] */
    int size;
};

/* The state of one search: what all queries share, then the memory of the current query. Needs O(n)
 * memory; the host owns all of it. */
struct ct_metric_search {
    const struct ct_host *host;
    const struct ct_metric_batch *batch;
    const struct ct_metric_tree *t;
    struct ct_pivots pivots; /* by position, not by object */
    double largest;          /* distance of a point to a pivot */
    int *pos_of;             /* [n] position of each object (row - 1) */
    int *leaf_of;            /* [n] leaf of each position */
    int scanning;            /* whether all pairs are evaluated */
    struct ct_metric_current query;
    int *seen;       /* [n] number + 1 of the last query that evaluated this position */
    double *foreign; /* [pivots] distances of a foreign query */
    struct ct_metric_results results;
    struct ct_metric_seeds seeds;
    struct ct_metric_frontier frontier;
    struct ct_metric_list listed;
    struct ct_distance_batch asked; /* the next call */
};

/* metric_result.c */

/* Returns a search without results, with scratch for all points and nodes. */
struct ct_metric_search ct_metric_search_new(const struct ct_host *host,
                                             const struct ct_metric_batch *batch);

/* Takes a distance between the query and the point at a position; used for both if so agreed. */
void ct_metric_offer(struct ct_metric_search *s, int pos, double distance);

/* Whether a pair whose distance is at least `bound` is wanted by the query, or by the point if
 * distances are used for both. The point must be eligible. */
int ct_metric_wants_pair(const struct ct_metric_search *s, int pos, double bound);

/* The same for any point of a node. */
int ct_metric_wants_node(const struct ct_metric_search *s, int node, double bound);

/* The greatest distance that ct_metric_wants_pair() or ..._node() may accept. */
double ct_metric_pair_limit(const struct ct_metric_search *s, int pos);
double ct_metric_node_limit(const struct ct_metric_search *s, int node);

/* Whether the point at a position may be a neighbor, and has not been a query itself if distances
 * are used for both. */
int ct_metric_is_eligible(const struct ct_metric_search *s, int pos);

/* Computes s->results.node_threshold from the thresholds of the points. O(n). */
void ct_metric_update_nodes(struct ct_metric_search *s);

/* metric_search.c */

/* Makes a query the current one. A foreign query is compared with all pivots, unless all points are
 * to be evaluated. */
void ct_metric_begin_query(struct ct_metric_search *s, int number);

/* Adds a point to the batch of evaluations. */
void ct_metric_ask(struct ct_metric_search *s, int pos);

/* Evaluates the batch, and offers the distances. */
void ct_metric_flush(struct ct_metric_search *s);

/* Whether the distance to a position follows from stored distances; then writes it. */
int ct_metric_known(const struct ct_metric_search *s, int pos, double *distance);

/* Evaluates all pairs that are wanted. */
void ct_metric_descend(struct ct_metric_search *s);

/* metric_seed.c */

/* Evaluates points near the query, for a first threshold. */
void ct_metric_seed_query(struct ct_metric_search *s);

/* The same for all points of the tree, before the first query. Fills s->seeds.pos. */
void ct_metric_seed_all(struct ct_metric_search *s);

/* Whether the points at two positions were compared by ct_metric_seed_all(). */
int ct_metric_is_seeded(const struct ct_metric_search *s, int a, int b);

#endif
