/* metric_queries.c: the loop over the queries; see metric_query.h.
 *
 * If the queries are all objects of the tree, they are answered in the order of positions: query at
 * position p is compared with the positions after p, and its distances serve both objects. So a
 * list is complete only after the last query. Other queries are complete one after the other.
 *
 * A query of the k nearest by the tree starts with k evaluations around it (metric_seed.c), then
 * goes down the tree. A query for a radius has its threshold from the start.
 */
#include "core/metric_space/metric_search.h"

#include <limits.h>
#include <math.h>

enum {
    UPDATES = 64, /* updates of the thresholds of nodes in a search */
    TRIAL = 64    /* queries after which a search may change to a scan */
};

/* A search whose queries evaluate more than this share of the pairs changes to a scan: bounds and
 * many small calls cost more than the evaluations that they save. */
static const double scan_share = 0.9;

/* Compares the query with all eligible points that it was not compared with before: one call, up to
 * n - 1 evaluations. */
static void scan_query(struct ct_metric_search *s)
{
    for (int pos = 0; pos < s->t->n; pos++)
        if (ct_metric_is_eligible(s, pos) && !ct_metric_is_seeded(s, s->query.pos, pos))
            ct_metric_ask(s, pos);
    ct_metric_flush(s);
}

/* One query, by the tree. Returns the number of points that may be compared with it. */
static int traverse_query(struct ct_metric_search *s)
{
    int n = s->t->n;
    if (s->batch->all) {
        ct_metric_descend(s);
        return n - 1 - s->query.pos;
    }
    if (s->seeds.count > 0)
        ct_metric_seed_query(s);
    ct_metric_descend(s);
    return s->query.max_row < n ? s->query.max_row : n - (s->query.pos >= 0);
}

/* Answers all queries. Polls after each. Thresholds of nodes are updated UPDATES times, O(n) each:
 * between updates they are larger than necessary, which costs evaluations but no results. Once the
 * trial shows that the tree saves too little, the remaining queries are scans. */
static void run_queries(struct ct_metric_search *s)
{
    const struct ct_host *host = s->host;
    const struct ct_metric_batch *batch = s->batch;
    int count = batch->count;
    s->scanning = batch->mode == CT_METRIC_SCAN;
    if (s->seeds.count > 0 && batch->all && !s->scanning)
        ct_metric_seed_all(s);
    double before = batch->f->evaluations, pairs = 0;
    for (int i = 0; i < count; i++) {
        if (batch->all && i % (count / UPDATES + 1) == 0)
            ct_metric_update_nodes(s);
        ct_metric_begin_query(s, batch->all ? s->t->row[i] - 1 : i);
        if (s->scanning)
            scan_query(s);
        else
            pairs += traverse_query(s);
        if (batch->mode == CT_METRIC_AUTO && i >= TRIAL &&
            batch->f->evaluations - before > scan_share * pairs)
            s->scanning = 1;
        if (s->results.pairs && (double)s->results.pairs->count > s->results.pairs->limit)
            return;
        host->poll();
        ct_report(host, (i + 1.0) / count);
    }
}

/* Sets the thresholds of all queries: to their max_distance `by_query`, or to `distance`. Every row
 * is before INT_MAX. */
static void set_thresholds(struct ct_metric_search *s, const double *by_query, double distance)
{
    for (int i = 0; i < s->batch->count; i++)
        s->results.threshold[i] =
            (struct ct_metric_threshold){by_query ? by_query[i] : distance, INT_MAX};
}

void ct_metric_knn(const struct ct_host *host, const struct ct_metric_batch *batch, int k,
                   int *index, double *distance, int *found)
{
    struct ct_metric_search s = ct_metric_search_new(host, batch);
    int most = batch->tree->n - (batch->row ? 1 : 0);
    s.results.k = k;
    s.seeds.count = k < most ? k : most;
    s.results.index = index;
    s.results.distance = distance;
    s.results.found = found;
    for (int i = 0; i < batch->count; i++)
        found[i] = 0;
    set_thresholds(&s, batch->max_distance, INFINITY);
    run_queries(&s);
}

void ct_metric_radius(const struct ct_host *host, const struct ct_metric_batch *batch,
                      double radius, struct ct_metric_pairs *pairs)
{
    struct ct_metric_search s = ct_metric_search_new(host, batch);
    s.results.pairs = pairs;
    set_thresholds(&s, NULL, radius);
    run_queries(&s);
}
