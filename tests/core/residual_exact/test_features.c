/* test_features.c: dot products of features are as close to residual correlations as their bounds
 * say, with all components and with some; also where v is wrong, residual variances are at the
 * rounding level, points repeat or carry noise. For smooth covariance functions the bounds are
 * tight. Searches by features find what sorting finds. */
#include "check.h"
#include "clouds.h"
#include "core/residual_exact/exact_search.h"
#include "core/residual_exact/feature_map.h"
#include "core/search/query.h"
#include "host.h"
#include "oracle.h"
#include "random_factors.h"
#include "true_factors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How the bounds of all pairs of points and others turned out. */
struct findings {
    int broken;       /* pairs beyond their bound */
    double unbounded; /* share of points that have none */
    double looseness; /* mean bound of a pair, of points that have one */
    int rank;
};

static double bound_of_pair(const struct ct_features *a, int i, const struct ct_features *b, int j,
                            int leading)
{
    return ct_features_remainder(a, i, leading) * ct_features_remainder(b, j, leading) +
           a->error[i] + b->error[j];
}

static void check_pair(const struct ct_features *a, int i, const struct ct_features *b, int j,
                       double rho, struct findings *found)
{
    long double sum = 0;
    for (int c = 0; c <= a->rank; c++) {
        double error = fabs((double)(sum - (long double)rho));
        if (c % 32 == 0)
            found->broken += error > bound_of_pair(a, i, b, j, c);
        if (c < a->rank)
            sum += (long double)a->value[i * a->rank + c] * b->value[j * b->rank + c];
    }
    if (!a->unbounded[i] && !b->unbounded[j])
        found->looseness += bound_of_pair(a, i, b, j, a->rank);
}

static int *rows_in_order(int n)
{
    int *order = keep((size_t)n, sizeof *order);
    for (int i = 0; i < n; i++)
        order[i] = i;
    return order;
}

/* Features of all points and others at one instruction set, against canonical correlations. */
static struct findings find(const struct true_factors *problem, int rank, int level)
{
    const struct ct_residual_metric *metric = &problem->metric;
    int n = metric->points.n, others = problem->others.n, bounded = 0;
    int *order = rows_in_order(n);
    struct findings found = {0};
    struct ct_exact_batch batch = {.metric = metric,
                                   .count = n,
                                   .threads = 1 + random_below(3),
                                   .kernels = ct_kernels((enum ct_simd_level)level),
                                   .correlation_kernels = kernels_of(level),
                                   .origin = &problem->origin};
    struct ct_transform transform = ct_transform_make(&host, metric);
    struct ct_error_bound bound = {0};
    struct ct_point_norms norms =
        ct_error_bound_extend(&host, &transform, &metric->points, 1, &bound);
    struct ct_point_norms other_norms =
        ct_error_bound_extend(&host, &transform, &problem->others, 1, &bound);
    struct ct_feature_map map = ct_feature_map_make(&host, &batch, &norms, order, 4 * rank, rank);
    found.rank = map.rank;
    if (map.rank > 0) {
        struct ct_features a =
            ct_features_make(&host, &map, &metric->points, &norms, order, n, batch.threads);
        struct ct_features b = ct_features_make(&host, &map, &problem->others, &other_norms, order,
                                                others, batch.threads);
        for (int i = 0; i < n; i++)
            for (int j = 0; j < others; j++) {
                double rho;
                ct_residual_rho(kernels_of(0), metric, &problem->others, j, &i, 1, &rho);
                check_pair(&a, i, &b, j, rho, &found);
                bounded += !a.unbounded[i] && !b.unbounded[j];
            }
        found.unbounded = 1 - (double)bounded / ((double)n * others);
        found.looseness /= bounded > 0 ? bounded : 1;
    }
    host_end_call();
    return found;
}

/* Whether nearly all points have residual variance, so that landmarks are not short. */
static int is_rich(const struct ct_factors *points)
{
    int none = 0;
    for (int i = 0; i < points->n; i++)
        none += points->p[i] == 0;
    return none < points->n / 8;
}

static void check_bounds(struct true_factors_style style, int rank)
{
    struct true_factors problem = true_factors_make(&style);
    for (int level = 0; level <= (int)ct_simd_best(); level++) {
        struct findings found = find(&problem, rank, level);
        check_about("kind %d, n %d, d %d, m %d, lengthscale %g, jitter %g, nugget %g, none %g, %s: "
                    "%d broken, %.3f unbounded, bound %.4f",
                    style.kind, style.n, style.d, style.m, style.lengthscale, style.jitter,
                    style.nugget, style.none, kernels_of(level)->name, found.broken,
                    found.unbounded, found.looseness);
        CHECK(found.broken == 0);
        if (style.jitter >= 1e-7 && is_rich(&problem.metric.points)) {
            CHECK(found.rank == rank);
            CHECK(found.unbounded < 0.02);
        }
        if (style.kind == CT_RBF && style.d == 1 && style.lengthscale > 0.1 && found.rank > 0)
            CHECK(found.looseness < 0.05);
    }
    keep_end();
}

/* v is not what its origin says: off by `error`. The bounds must hold, or there are none. */
static void check_wrong_factors(double error)
{
    struct true_factors_style style = {CT_RBF, 400, 2, 40, 0.8, 1e-6, 0, 1e-12};
    struct true_factors problem = true_factors_make(&style);
    double *v = (double *)problem.metric.points.v, scale = error * sqrt(problem.metric.variance);
    for (int i = 0; i < 400; i++)
        for (int j = 0; j < 40; j++)
            v[i * ct_v_stride(40) + j] += i % 3 == 0 ? scale * random_normal() : 0;
    struct findings found = find(&problem, 32, (int)ct_simd_best());
    check_about("v off by %g: %d broken, rank %d, %.3f unbounded", error, found.broken, found.rank,
                found.unbounded);
    CHECK(found.broken == 0);
    CHECK(error < 1e-6 || found.rank == 0 || found.unbounded > 0.2);
    keep_end();
}

/* The origin does not belong to the problem: no map, or true bounds. */
static void check_wrong_origin(void)
{
    struct true_factors_style style = {CT_MATERN52, 300, 2, 30, 0.8, 1e-6, 0, 1e-12};
    struct true_factors problem = true_factors_make(&style);
    double *factor = (double *)problem.origin.factor;
    check_about("wrong origin");
    factor[3] *= 1.01;
    CHECK(find(&problem, 32, 0).rank == 0);
    factor[3] /= 1.01;
    problem.origin.jitter = 0;
    CHECK(find(&problem, 32, 0).rank == 0);
    keep_end();
}

/* The neighbors of one query by sorting: index and distance [k]. */
static void sort_all(const struct ct_exact_batch *batch, int query, int k, int *index,
                     double *distance)
{
    const struct ct_factors *points = &batch->metric->points;
    int own = !batch->query_points, at = batch->row ? batch->row[query] - 1 : query, found = 0;
    struct neighbor *neighbors = malloc(sizeof *neighbors * (size_t)points->n);
    for (int i = 0; i < points->n; i++) {
        double rho;
        if (own && (i == at || (batch->predecessors && i > at)))
            continue;
        ct_residual_rho(kernels_of(0), batch->metric, own ? points : batch->query_points, at, &i, 1,
                        &rho);
        neighbors[found++] = (struct neighbor){sqrt(1 - fabs(rho)), i + 1};
    }
    qsort(neighbors, (size_t)found, sizeof *neighbors, oracle_compare);
    for (int j = 0; j < k; j++) {
        index[j] = j < found ? neighbors[j].row : CT_NO_ROW;
        distance[j] = j < found ? neighbors[j].distance : -1;
    }
    free(neighbors);
}

/* Searches with and without features, at every instruction set, against sorting. */
static void check_batch(struct ct_exact_batch batch, int k, const char *about)
{
    size_t size = (size_t)batch.count * k;
    int *index = keep(size, sizeof *index), *want = keep((size_t)k, sizeof *want), wrong = 0;
    double *distance = keep(size, sizeof *distance), *far = keep((size_t)k, sizeof *far);
    for (int level = 0; level <= (int)ct_simd_best(); level++) {
        batch.threads = 1 + level;
        batch.kernels = ct_kernels((enum ct_simd_level)level);
        batch.correlation_kernels = kernels_of(level);
        ct_exact_search(&host, &batch, k, -1, index, distance);
        host_end_call();
        for (int i = 0; i < batch.count; i++) {
            sort_all(&batch, i, k, want, far);
            for (int j = 0; j < k; j++)
                wrong += index[i + (size_t)j * batch.count] != want[j] ||
                         distance[i + (size_t)j * batch.count] != far[j];
        }
    }
    check_about("%s, n %d, k %d: %d wrong", about, batch.metric->points.n, k, wrong);
    CHECK(wrong == 0);
}

static void check_searches(struct true_factors_style style, int k)
{
    struct true_factors problem = true_factors_make(&style);
    struct ct_residual_stats stats = {0};
    int some = 1 + random_below(60), *row = keep((size_t)some, sizeof *row);
    for (int i = 0; i < some; i++)
        row[i] = 1 + random_below(style.n);
    struct ct_exact_batch batch = {.metric = &problem.metric,
                                   .count = style.n,
                                   .origin = &problem.origin,
                                   .features = CT_FEATURES_ALWAYS,
                                   .stats = &stats};
    check_batch(batch, k, "all");
    CHECK(stats.filtered_f32 > 0);
    batch.predecessors = 1;
    check_batch(batch, k, "predecessors");
    batch.row = row;
    batch.count = some;
    check_batch(batch, k, "some predecessors");
    batch.predecessors = 0;
    check_batch(batch, k, "some");
    batch.row = NULL;
    batch.query_points = &problem.others;
    batch.count = problem.others.n;
    check_batch(batch, k, "others");
    keep_end();
}

/* Estimated costs: none where features cannot pay; the same for any number of threads. */
static void check_costs(void)
{
    struct true_factors_style style = {CT_RBF, 9000, 2, 250, 1.2, 1e-6, 0, 1e-12};
    struct true_factors problem = true_factors_make(&style);
    struct ct_exact_batch batch = {.metric = &problem.metric,
                                   .count = style.n,
                                   .threads = 1,
                                   .kernels = ct_kernels(CT_SIMD_BASE),
                                   .correlation_kernels = kernels_of(0),
                                   .origin = &problem.origin};
    struct ct_exact_costs one = ct_exact_search_costs(&host, &batch, 10), three, few, unknown;
    batch.threads = 3;
    three = ct_exact_search_costs(&host, &batch, 10);
    batch.origin = NULL;
    unknown = ct_exact_search_costs(&host, &batch, 10);
    batch.origin = &problem.origin;
    batch.query_points = &problem.others;
    batch.count = problem.others.n;
    few = ct_exact_search_costs(&host, &batch, 10);
    batch.query_points = NULL;
    batch.count = style.n;
    struct ct_exact_costs least = ct_exact_search_least_costs(&batch);
    host_end_call();
    check_about("costs %g, %g of a query, %g of a correlation", one.query, three.query,
                one.correlation);
    CHECK(one.query == three.query && isfinite(one.query));
    CHECK(one.query > 64.0 * style.n && one.correlation > 250);
    CHECK(isinf(unknown.query) && isinf(few.query));
    CHECK(least.query <= one.query && least.query > one.query / 4);
    CHECK(least.correlation == one.correlation);
    keep_end();
}

int main(void)
{
    check_costs();
    static const double jitters[] = {1e-4, 1e-6, 1e-7, 1e-9, 1e-11};
    for (int i = 0; i < 40; i++)
        check_bounds(
            (struct true_factors_style){.kind = (enum ct_covariance)(i % 4),
                                        .n = 300 + random_below(200),
                                        .d = 1 + i % 3,
                                        .m = 1 + random_below(60),
                                        .lengthscale = pow(10, random_uniform() * 2 - 1.3),
                                        .jitter = jitters[i % 5],
                                        .nugget = i % 3 ? 0 : pow(10, -9 * random_uniform()),
                                        .none = i % 2 ? 1e-15 : jitters[i % 5]},
            i % 2 ? 32 : 64);
    for (int i = 0; i < 8; i++)
        check_wrong_factors(pow(10, -15 + 2 * i));
    check_wrong_origin();
    for (int i = 0; i < 10; i++)
        check_searches((struct true_factors_style){.kind = (enum ct_covariance)(i % 4),
                                                   .n = 200 + random_below(200),
                                                   .d = 1 + i % 3,
                                                   .m = 1 + random_below(60),
                                                   .lengthscale = pow(10, random_uniform() - 0.7),
                                                   .jitter = jitters[i % 3],
                                                   .nugget = i % 3 ? 0 : 1e-5,
                                                   .none = i % 2 ? 1e-13 : jitters[i % 3]},
                       1 + random_below(20));
    return check_done("features");
}
