/* feature_choice.c: compares estimated costs; see feature_choice.h.
 *
 * Costs are in units of one multiply-add of the filter in float, measured on processors with
 * AVX-512: about 0.025 ns.
 */
#include "core/residual_exact/feature_choice.h"
#include "core/residual_exact/pca_rank.h"
#include "core/residual_exact/sample_pairs.h"

#include <math.h>
#include <string.h>

enum {
    SAMPLE_QUERIES = 16,
    SMALL_QUERIES = 6, /* of the sample for the small map */
    SAMPLE_POINTS = 512,
    SMALL_RANK = 64, /* of the first, small map */
    RANK = 192,
    LANDMARKS_PER_RANK = 4,
    STEP = 32, /* numbers of leading components are multiples, for the sake of the kernels */
    STEPS = RANK / STEP,
    MIN_LEADING =
        64 /* fewer save little if all goes well, and cost much for queries at the border */
};

/* A multiply-add in double, outside the filter; the test of a pair after its products; the second
 * test, of a pair that passes, apart from multiply-adds; an exact correlation, and a term of it; a
 * covariance. */
static const double F64 = 2, TEST = 8, SECOND_TEST = 1500, EXACT = 1000, EXACT_TERM = 14,
                    COVARIANCE = 50;

/* Cost of the other filter, over that of its multiply-adds: without a truncation rank, and with
 * the lowest that is common. */
static const double WHOLE_SHARE = 0.85, TRUNCATED_SHARE = 0.5;

/* What a query may spend on pairs that pass, over its cost by the other filter. */
static const double BUDGET_SHARE = 1;

/* If the small map costs more than this many times the other filter, no map pays. */
static const double SMALL_ALLOWANCE = 1.2;

/* Queries and points of the sample. */
struct feature_sample {
    const struct ct_filter *filter;
    int queries, points;
    int query[SAMPLE_QUERIES], point[SAMPLE_POINTS];
    double threshold[SAMPLE_QUERIES];
};

/* Shares of the pairs of each query that pass with 32, 64, ... leading components. */
struct pass_shares {
    int queries;
    double share[SAMPLE_QUERIES][STEPS];
};

/* About `queries` queries with their thresholds, and points. */
static void draw_sample(const struct ct_host *host, const struct ct_filter *filter, int queries,
                        int k, struct feature_sample *sample)
{
    const struct ct_factors *points = &filter->batch->metric->points;
    int half = points->n / (2 * SAMPLE_POINTS);
    sample->filter = filter;
    sample->queries = ct_sample_positions(&filter->query_norms, filter->queries->n, queries,
                                          filter->queries->n / (2 * queries), sample->query);
    sample->points =
        ct_sample_positions(&filter->point_norms, points->n, SAMPLE_POINTS, half, sample->point);
    ct_sample_thresholds(host, filter, sample->query, sample->queries, k, sample->threshold);
}

/* Adds to passed[s] 1 if the pair passes with (s + 1) * STEP components. */
static void add_pair(const struct ct_features *queries, const struct ct_features *points, int i,
                     int j, double required, double *passed)
{
    const float *x = queries->value + (size_t)i * queries->rank;
    const float *y = points->value + (size_t)j * points->rank;
    double sum = 0;
    for (int step = 0; step < points->rank / STEP; step++) {
        for (int c = step * STEP; c < (step + 1) * STEP; c++)
            sum += (double)x[c] * y[c];
        double rest = ct_features_remainder(queries, i, (step + 1) * STEP) *
                      ct_features_remainder(points, j, (step + 1) * STEP);
        passed[step] += fabs(sum) + rest >= required;
    }
}

/* Shares of the pairs of the sample that the search would filter. */
static struct pass_shares measure_shares(const struct ct_host *host,
                                         const struct feature_sample *sample,
                                         const struct ct_feature_map *map)
{
    const struct ct_filter *filter = sample->filter;
    const struct ct_exact_batch *batch = filter->batch;
    struct ct_features queries = ct_features_make(host, map, filter->queries, &filter->query_norms,
                                                  sample->query, sample->queries, batch->threads);
    struct ct_features points =
        ct_features_make(host, map, &batch->metric->points, &filter->point_norms, sample->point,
                         sample->points, batch->threads);
    struct pass_shares shares = {.queries = sample->queries};
    for (int i = 0; i < sample->queries; i++) {
        double pairs = 0;
        for (int j = 0; j < sample->points; j++) {
            int x = sample->query[i], y = sample->point[j];
            if (!batch->query_points && (x == y || (batch->predecessors && x < y)))
                continue;
            add_pair(&queries, &points, i, j, 1 - sample->threshold[i], shares.share[i]);
            pairs++;
        }
        for (int step = 0; step < STEPS; step++)
            shares.share[i][step] = pairs > 0 ? shares.share[i][step] / pairs : 1;
    }
    return shares;
}

static double exact_cost(const struct ct_exact_batch *batch)
{
    return EXACT + EXACT_TERM * batch->metric->m;
}

/* Mean cost of a pair with this many leading components of a map of this rank. Queries that go
 * beyond their budget cost it in vain. */
static double pair_cost(const struct ct_exact_batch *batch, const struct pass_shares *shares,
                        int leading, int rank, double other_cost)
{
    double sum = 0;
    for (int i = 0; i < shares->queries; i++) {
        const double *share = shares->share[i];
        double passes = share[leading / STEP - 1] * (SECOND_TEST + rank - leading) +
                        share[rank / STEP - 1] * exact_cost(batch);
        double budget = BUDGET_SHARE * other_cost;
        sum += passes < budget ? passes : budget + other_cost;
    }
    return leading + TEST + sum / (shares->queries > 0 ? shares->queries : 1);
}

/* Cost of the map and of the features of points and queries. */
static double feature_cost(const struct ct_exact_batch *batch)
{
    double m = batch->metric->m, landmarks = LANDMARKS_PER_RANK * RANK;
    double points = batch->metric->points.n + (batch->query_points ? batch->count : 0);
    double map = landmarks * landmarks * (EXACT_TERM * m + EXACT + 6 * F64 * RANK);
    return map +
           points * (F64 * (RANK * (landmarks + m) + m * m / 2) + (landmarks + m) * COVARIANCE);
}

/* Pairs that a search filters: half of all for predecessors. */
static double pairs_of_search(const struct ct_exact_batch *batch)
{
    double pairs = (double)batch->count * batch->metric->points.n;
    return batch->predecessors ? pairs / 2 : pairs;
}

/* The number of leading components with the least cost, or 0 if the other filter costs less. */
static int cheapest_leading(const struct ct_exact_batch *batch, const struct pass_shares *shares,
                            int rank, double other_cost)
{
    double least = other_cost - feature_cost(batch) / pairs_of_search(batch);
    int best = 0;
    for (int leading = MIN_LEADING; leading <= rank; leading += STEP) {
        double cost = pair_cost(batch, shares, leading, rank, other_cost);
        if (cost < least) {
            best = leading;
            least = cost;
        }
    }
    return best;
}

/* Whether the costs can be in favor of features at all, with tests that nothing passes. */
static int may_pay(const struct ct_exact_batch *batch, double other_cost)
{
    static const struct pass_shares none;
    return batch->count > 0 && cheapest_leading(batch, &none, RANK, other_cost) > 0;
}

/* A map of this rank; its rank is 0 where there is none. */
static struct ct_feature_map make_map(const struct ct_host *host, const struct ct_filter *filter,
                                      const int *order, int rank)
{
    return ct_feature_map_make(host, filter->batch, &filter->point_norms, order,
                               rank * LANDMARKS_PER_RANK, rank);
}

/* What a search by features would be like. */
struct feature_plan {
    struct ct_scan_order order;
    struct ct_feature_map map;
    int leading;       /* the number of leading components that pay; 0: none */
    double pair_cost;  /* of a pair, apart from the features themselves */
    double other_cost; /* of a pair, by the other filter */
};

/* Measures the sample with a small map, and with the whole map if that may pay. */
static void measure_plan(const struct ct_host *host, const struct ct_filter *filter, int k,
                         struct feature_plan *plan)
{
    const struct ct_exact_batch *batch = filter->batch;
    const int *order = plan->order.pos;
    struct feature_sample sample;
    plan->map = make_map(host, filter, order, SMALL_RANK);
    if (plan->map.rank == 0)
        return;
    draw_sample(host, filter, SMALL_QUERIES, k, &sample);
    struct pass_shares shares = measure_shares(host, &sample, &plan->map);
    if (cheapest_leading(batch, &shares, SMALL_RANK, SMALL_ALLOWANCE * plan->other_cost) == 0)
        return;
    plan->map = make_map(host, filter, order, RANK);
    if (plan->map.rank == 0)
        return;
    draw_sample(host, filter, SAMPLE_QUERIES, k, &sample);
    shares = measure_shares(host, &sample, &plan->map);
    plan->leading = cheapest_leading(batch, &shares, RANK, plan->other_cost);
    if (plan->leading > 0)
        plan->pair_cost = pair_cost(batch, &shares, plan->leading, RANK, plan->other_cost);
}

/* The cheapest plan, or the one that is demanded. */
static struct feature_plan make_plan(const struct ct_host *host, const struct ct_filter *filter,
                                     double f64_share, int k)
{
    const struct ct_exact_batch *batch = filter->batch;
    int truncate = ct_can_truncate(batch->count, batch->metric->m);
    struct feature_plan plan = {.other_cost = (truncate ? TRUNCATED_SHARE : WHOLE_SHARE) *
                                              (1 + (F64 - 1) * f64_share) *
                                              (batch->metric->m + COVARIANCE)};
    int demanded = batch->features == CT_FEATURES_ALWAYS;
    if (!batch->origin || batch->features == CT_FEATURES_NEVER ||
        !(demanded || may_pay(batch, plan.other_cost)))
        return plan;
    plan.order = ct_scan_order_make(host, filter);
    if (!demanded) {
        measure_plan(host, filter, k, &plan);
        return plan;
    }
    plan.map = make_map(host, filter, plan.order.pos, STEP);
    plan.leading = plan.map.rank > 0 ? STEP : 0;
    return plan;
}

int ct_choose_features(const struct ct_host *host, const struct ct_filter *filter, double f64_share,
                       int k, struct ct_feature_filter *features)
{
    const struct ct_exact_batch *batch = filter->batch;
    struct feature_plan plan = make_plan(host, filter, f64_share, k);
    if (plan.leading == 0)
        return 0;
    *features = ct_feature_filter_make(host, filter, &plan.order, &plan.map, plan.leading);
    features->second_cost = SECOND_TEST + plan.map.rank - plan.leading;
    features->exact_cost = exact_cost(batch);
    features->budget = BUDGET_SHARE * plan.other_cost * batch->metric->points.n;
    return 1;
}

struct ct_exact_costs ct_feature_costs(const struct ct_host *host, const struct ct_filter *filter,
                                       double f64_share, int k)
{
    const struct ct_exact_batch *batch = filter->batch;
    struct feature_plan plan = make_plan(host, filter, f64_share, k);
    struct ct_exact_costs costs = {INFINITY, exact_cost(batch)};
    if (plan.leading > 0)
        costs.query =
            (plan.pair_cost * pairs_of_search(batch) + feature_cost(batch)) / batch->count;
    return costs;
}

struct ct_exact_costs ct_least_feature_costs(const struct ct_exact_batch *batch)
{
    double pairs = pairs_of_search(batch) * (MIN_LEADING + TEST);
    return (struct ct_exact_costs){(pairs + feature_cost(batch)) / batch->count, exact_cost(batch)};
}
