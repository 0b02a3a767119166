/* metric_result.c: results and thresholds; see metric_search.h.
 *
 * A threshold is a pair (distance, row). A candidate that is not before the threshold of a query
 * cannot be among its results. For a radius the thresholds are constant, (radius, INT_MAX). For the
 * k nearest, the threshold of a query is the k-th entry of its list as soon as the list is full.
 *
 * If distances are used for both objects, the threshold of a node is the last one of its points: a
 * bound beyond it excludes all pairs of the current query with these points, in both directions.
 * Thresholds only decrease. So a node's threshold may be too large until the next update, but
 * never too small.
 */
#include "core/metric_space/metric_search.h"
#include "core/topk/sorted_list.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/* Returns the pivots by position: the number of each position's pivot [n], and the distances of the
 * tree [pivots x n], which are not copied. O(n). */
static struct ct_pivots pivots_by_position(const struct ct_host *host, struct ct_metric_tree t,
                                           double tolerance)
{
    int *number = host->alloc((size_t)t.n, sizeof *number);
    for (int pos = 0; pos < t.n; pos++)
        number[pos] = -1;
    for (int j = 0; j < t.pivots; j++)
        number[t.pivot[j] - 1] = j;
    return (struct ct_pivots){.count = t.pivots,
                              .stride = t.pivots,
                              .tolerance = tolerance,
                              .number = number,
                              .distance = t.pivot_distance};
}

struct ct_metric_search ct_metric_search_new(const struct ct_host *host,
                                             const struct ct_metric_batch *batch)
{
    const struct ct_metric_tree *t = batch->tree;
    size_t n = (size_t)t->n, nodes = (size_t)t->nodes, count = (size_t)batch->count;
    struct ct_metric_search s = {
        .host = host,
        .batch = batch,
        .t = t,
        .pivots = pivots_by_position(host, *t, batch->f->tolerance),
        .pos_of = host->alloc(n, sizeof *s.pos_of),
        .leaf_of = host->alloc(n, sizeof *s.leaf_of),
        .seen = host->alloc(n, sizeof *s.seen),
        .foreign = host->alloc((size_t)t->pivots, sizeof *s.foreign),
        .results.threshold = host->alloc(count, sizeof(struct ct_metric_threshold)),
        .results.node_threshold =
            host->alloc(batch->all ? nodes : 0, sizeof(struct ct_metric_threshold)),
        .seeds.bound = host->alloc(n, sizeof(double)),
        .frontier.stack = host->alloc(nodes, sizeof(struct ct_metric_visit)),
        .frontier.waiting = host->alloc(nodes, sizeof(struct ct_metric_visit)),
        .listed.point = host->alloc(n, sizeof(struct ct_metric_candidate)),
        .listed.sorted = host->alloc(n, sizeof(struct ct_metric_candidate)),
        .asked = ct_distance_batch_new(host, t->n),
    };
    memset(s.seen, 0, n * sizeof *s.seen);
    for (int pos = 0; pos < t->n; pos++)
        s.pos_of[t->row[pos] - 1] = pos;
    for (int j = 0; j < t->pivots; j++)
        s.largest = t->upper[j] > s.largest ? t->upper[j] : s.largest;
    for (int node = 0; node < t->nodes; node++)
        if (t->first_child[node] == 0)
            for (int pos = t->subtree_begin[node] - 1; pos < t->subtree_end[node]; pos++)
                s.leaf_of[pos] = node;
    return s;
}

/* Adds a pair to the results of a radius search. The room doubles when it is full; the host
 * releases earlier arrays after the call. */
static void append_pair(struct ct_metric_search *s, struct ct_metric_pair pair)
{
    struct ct_metric_pairs *pairs = s->results.pairs;
    if (pairs->found) {
        pairs->found[pair.query]++;
        pairs->count++;
        return;
    }
    if (pairs->count == pairs->capacity) {
        size_t capacity = pairs->capacity > 0 ? 2 * pairs->capacity : 1024;
        struct ct_metric_pair *larger = s->host->alloc(capacity, sizeof *larger);
        if (pairs->count > 0)
            memcpy(larger, pairs->pair, pairs->count * sizeof *larger);
        pairs->pair = larger;
        pairs->capacity = capacity;
    }
    pairs->pair[pairs->count++] = pair;
}

/* Takes a candidate of a query (from 0) if it is before the query's threshold. For the k nearest,
 * inserts it in O(k), and lowers the threshold if the list is full then. */
static void offer_to(struct ct_metric_search *s, int query, double distance, int row)
{
    if (!ct_wants(s->results.threshold[query], distance, row))
        return;
    if (s->results.k == 0) {
        append_pair(s, (struct ct_metric_pair){distance, query, row});
        return;
    }
    size_t begin = (size_t)query * (size_t)s->results.k;
    struct ct_sorted_list list = {s->results.distance + begin, s->results.index + begin,
                                  s->results.k, s->results.found[query]};
    ct_sorted_list_insert(&list, distance, row);
    s->results.found[query] = list.count;
    if (list.count == s->results.k)
        s->results.threshold[query] =
            (struct ct_metric_threshold){list.sq[s->results.k - 1], list.row[s->results.k - 1]};
}

void ct_metric_offer(struct ct_metric_search *s, int pos, double distance)
{
    int row = s->t->row[pos];
    offer_to(s, s->query.number, distance, row);
    if (s->batch->all)
        offer_to(s, row - 1, distance, s->query.row);
}

int ct_metric_wants_pair(const struct ct_metric_search *s, int pos, double bound)
{
    int row = s->t->row[pos];
    return ct_wants(s->results.threshold[s->query.number], bound, row) ||
           (s->batch->all && ct_wants(s->results.threshold[row - 1], bound, s->query.row));
}

int ct_metric_wants_node(const struct ct_metric_search *s, int node, double bound)
{
    int min_row = s->t->min_row[node];
    if (min_row > s->query.max_row ||
        (s->batch->all && s->t->subtree_end[node] - 1 <= s->query.pos))
        return 0;
    return ct_wants(s->results.threshold[s->query.number], bound, min_row) ||
           (s->batch->all && ct_wants(s->results.node_threshold[node], bound, s->query.row));
}

double ct_metric_pair_limit(const struct ct_metric_search *s, int pos)
{
    double limit = s->results.threshold[s->query.number].distance;
    if (!s->batch->all)
        return limit;
    double other = s->results.threshold[s->t->row[pos] - 1].distance;
    return other > limit ? other : limit;
}

double ct_metric_node_limit(const struct ct_metric_search *s, int node)
{
    double limit = s->results.threshold[s->query.number].distance;
    if (!s->batch->all)
        return limit;
    double other = s->results.node_threshold[node].distance;
    return other > limit ? other : limit;
}

int ct_metric_is_eligible(const struct ct_metric_search *s, int pos)
{
    if (s->batch->all)
        return pos > s->query.pos;
    return pos != s->query.pos && s->t->row[pos] <= s->query.max_row;
}

/* Returns the later of two thresholds, by (distance, row). */
static struct ct_metric_threshold later(struct ct_metric_threshold a, struct ct_metric_threshold b)
{
    return ct_wants(a, b.distance, b.row) ? a : b;
}

/* Children have larger numbers than their parent: in descending order of numbers, the thresholds of
 * all children are known before that of the parent. Each point counts once, in its leaf. */
void ct_metric_update_nodes(struct ct_metric_search *s)
{
    const struct ct_metric_tree *t = s->t;
    for (int node = t->nodes - 1; node >= 0; node--) {
        struct ct_metric_threshold most = {-1, 0};
        int child = t->first_child[node];
        for (; child > 0; child = t->next_sibling[child - 1])
            most = later(s->results.node_threshold[child - 1], most);
        if (t->first_child[node] == 0)
            for (int pos = t->subtree_begin[node] - 1; pos < t->subtree_end[node]; pos++)
                most = later(s->results.threshold[t->row[pos] - 1], most);
        s->results.node_threshold[node] = most;
    }
}
