/* test_exact_search.c: the exact search finds the neighbors that sorting all canonical distances
 * finds: any covariance, any residual variance, own points, some of them or others, with and
 * without truncation rank, in float and in double, for any number of threads. */
#include "check.h"
#include "clouds.h"
#include "core/residual_exact/exact_search.h"
#include "core/search/query.h"
#include "host.h"
#include "oracle.h"
#include "random_factors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct queries {
    const struct ct_factors *others;
    const int *row;
    int count, predecessors;
    int whole; /* 1: without a truncation rank */
};

/* Fills near with all points that a query may find, by (distance, row); returns their count. */
static int sort_all(const struct ct_residual_metric *metric, const struct queries *queries,
                    int query, struct neighbor *neighbors)
{
    const struct ct_factors *points = &metric->points;
    int own = !queries->others, found = 0;
    int at = queries->row ? queries->row[query] - 1 : query;
    for (int i = 0; i < points->n; i++) {
        double rho;
        if (own && (i == at || (queries->predecessors && i > at)))
            continue;
        ct_residual_rho(kernels_of(0), metric, own ? points : queries->others, at, &i, 1, &rho);
        neighbors[found++] = (struct neighbor){sqrt(1 - fabs(rho)), i + 1};
    }
    qsort(neighbors, (size_t)found, sizeof *neighbors, oracle_compare);
    return found;
}

/* By a few of the combinations of instruction set, precision, tail and threads; the many calls of
 * this function have them all. */
static void check_search(const struct ct_residual_metric *metric, struct queries queries, int k)
{
    enum { ROUNDS = 18 };
    size_t size = (size_t)queries.count * k;
    int *want = keep(size, sizeof *want), wrong = 0;
    double *want_distance = keep(size, sizeof *want_distance);
    struct neighbor *neighbors = keep((size_t)metric->points.n, sizeof *neighbors);
    for (int i = 0; i < queries.count; i++) {
        int found = sort_all(metric, &queries, i, neighbors);
        for (int j = 0; j < k; j++) {
            want[i + (size_t)j * queries.count] = j < found ? neighbors[j].row : CT_NO_ROW;
            want_distance[i + (size_t)j * queries.count] = j < found ? neighbors[j].distance : -1;
        }
    }
    for (int i = 0; i < 3; i++) {
        int round = random_below(ROUNDS);
        int level = round % 3 <= (int)ct_simd_best() ? round % 3 : 0;
        struct ct_residual_stats stats = {0};
        int *index = host.alloc(size, sizeof *index);
        double *distance = host.alloc(size, sizeof *distance);
        struct ct_exact_batch batch = {
            .metric = metric,
            .query_points = queries.others,
            .row = queries.row,
            .count = queries.count,
            .predecessors = queries.predecessors,
            .threads = 1 + random_below(3),
            .precision = (enum ct_precision)(round / 3 % 3),
            .tail = round % 2 == 0  ? CT_TAIL_MEASURED
                    : queries.whole ? CT_TAIL_NONE
                                    : random_below(metric->m + 40) - 1,
            .kernels = ct_kernels((enum ct_simd_level)level),
            .correlation_kernels = kernels_of(level),
            .stats = &stats,
        };
        ct_exact_search(&host, &batch, k, -1, index, distance);
        wrong += memcmp(index, want, size * sizeof *index) != 0;
        wrong += memcmp(distance, want_distance, size * sizeof *distance) != 0;
        wrong += batch.precision == CT_PRECISION_F64 && stats.filtered_f32 > 0;
        wrong += batch.precision == CT_PRECISION_F32 && stats.filtered_f64 > 0;
        host_end_call();
    }
    check_about("kind %d, n %d, d %d, m %d, k %d, %s, %d queries%s", metric->kind, metric->points.n,
                metric->d, metric->m, k,
                queries.others ? "others"
                : queries.row  ? "some"
                               : "all",
                queries.count, queries.predecessors ? ", predecessors" : "");
    CHECK(wrong == 0);
}

static void check_searches(enum ct_covariance kind, int n, int d, int m, enum p_style style)
{
    struct factors_problem problem = random_factors(kind, n, d, m, style);
    int some = 1 + random_below(100), *row = keep((size_t)some, sizeof *row);
    int k = 1 + random_below(20);
    for (int i = 0; i < some; i++)
        row[i] = 1 + random_below(n);
    check_search(&problem.metric, (struct queries){.count = n}, k);
    check_search(&problem.metric, (struct queries){.count = n, .predecessors = 1}, k);
    check_search(&problem.metric, (struct queries){NULL, row, some, random_below(2), 0}, k);
    check_search(&problem.metric, (struct queries){&problem.others, NULL, 37, 0, 0}, k);
    if (n < 100)
        check_search(&problem.metric, (struct queries){NULL, NULL, n, random_below(2), 0}, n + 2);
    keep_end();
}

/* Points so far apart that nearly all covariances are exactly 0, and v other than 0 for every
 * fiftieth point: ties at distance 1, between which the row decides. The search computes few of
 * their exact correlations. */
static void check_ties(enum ct_covariance kind, int n, int m, enum p_style style)
{
    struct factors_problem problem = random_factors(kind, n, 2, m, style);
    struct ct_residual_metric *r = &problem.metric;
    double *z = keep((size_t)n * 2, sizeof *z), *v = keep(n * ct_v_stride(m), sizeof *v);
    for (int i = 0; i < 2 * n; i++)
        z[i] = 1000 * random_normal();
    for (size_t i = 0; i < n * ct_v_stride(m); i++)
        v[i] = i / ct_v_stride(m) % 50 == 7 ? r->points.v[i] : 0;
    r->points.z = z;
    r->points.v = v;
    for (int predecessors = 0; predecessors < 2; predecessors++) {
        struct ct_residual_stats stats = {0};
        check_search(r, (struct queries){NULL, NULL, n, predecessors, 0}, 9);
        struct ct_exact_batch batch = {.metric = r,
                                       .count = n,
                                       .predecessors = predecessors,
                                       .threads = 2,
                                       .kernels = ct_kernels(ct_simd_best()),
                                       .correlation_kernels = kernels_of((int)ct_simd_best()),
                                       .stats = &stats};
        int *index = host.alloc((size_t)n * 9, sizeof *index);
        double *distance = host.alloc((size_t)n * 9, sizeof *distance);
        ct_exact_search(&host, &batch, 9, -1, index, distance);
        check_about("ties, %d of %d: %g exact a query", predecessors, n, (double)stats.exact / n);
        CHECK(stats.exact < 100LL * n);
        host_end_call();
    }
    keep_end();
}

/* Few queries, some of them repeated: without a filter, and against points in several portions. */
static void check_few(enum ct_covariance kind, int n, int m, enum p_style style)
{
    static const int counts[] = {1, 2, 16, 17, 39};
    struct factors_problem problem = random_factors(kind, n, 3, m, style);
    int large = n > 1000; /* then without rotations, which take long, and with the most queries */
    for (int i = large ? 4 : 0; i < 5; i++) {
        int *row = keep((size_t)counts[i], sizeof *row);
        for (int j = 0; j < counts[i]; j++)
            row[j] = j % 5 == 4 ? row[j - 1] : 1 + random_below(n);
        check_search(&problem.metric, (struct queries){NULL, row, counts[i], i % 2, large},
                     1 + 7 * i);
    }
    check_search(&problem.metric,
                 (struct queries){&problem.others, NULL, large ? 37 : 16, 0, large},
                 n < 50 ? n + 1 : 5);
    keep_end();
}

int main(void)
{
    static const int ms[] = {0, 1, 7, 70, 200}, ns[] = {1, 2, 40, 90, 260};
    for (int i = 0; i < 40; i++)
        check_searches((enum ct_covariance)(i % 4), ns[random_below(5)], 1 + i % 6, ms[i % 5],
                       (enum p_style)(i % 3));
    check_searches(CT_MATERN32, 700, 3, 16, P_MIXED);
    check_searches(CT_MATERN52, 600, 2, 33, P_SMALL);
    check_searches(CT_EXPONENTIAL, 700, 2, 70, P_LARGE);
    for (int i = 0; i < 3; i++)
        check_few((enum ct_covariance)(i + 1), 313 + i, 3 * i, (enum p_style)i);
    check_few(CT_RBF, 20, 20, P_MIXED);
    check_few(CT_MATERN52, 3100, 400, P_MIXED);
    for (int i = 0; i < 4; i++)
        check_ties((enum ct_covariance)i, 600, 35 * (i % 2), (enum p_style)(i % 2));
    return check_done("exact_search");
}
