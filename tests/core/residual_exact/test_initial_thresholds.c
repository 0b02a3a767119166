/* test_initial_thresholds.c: no initial threshold is below the k-th distance among all points that
 * the query may find; most are near it. */
#include "check.h"
#include "clouds.h"
#include "core/residual_exact/initial_thresholds.h"
#include "host.h"
#include "random_factors.h"

#include <math.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The k-th smallest distance, INFINITY with fewer points. */
static double kth_distance(const struct ct_residual_metric *metric, int self, int predecessors,
                           int k, double *sq)
{
    int count = 0;
    for (int i = 0; i < metric->points.n; i++)
        if (i != self && !(predecessors && i > self))
            ct_residual_sqdist(kernels_of(0), metric, &metric->points, self, &i, 1, &sq[count++]);
    qsort(sq, (size_t)count, sizeof *sq, compare);
    return k <= count ? sqrt(sq[k - 1]) : INFINITY;
}

/* Row i + 1 is a query if i % every == 0. */
static void check_thresholds(const struct ct_residual_metric *metric, int k, int predecessors,
                             int every, int threads)
{
    int n = metric->points.n, *row = keep((size_t)n, sizeof *row), count = 0;
    int too_small = 0, not_queries = 0, finite = 0, possible = 0;
    double *threshold = host.alloc((size_t)n, sizeof *threshold), *sq = keep((size_t)n, sizeof *sq);
    for (int i = 0; i < n; i += every)
        row[count++] = i + 1;
    struct ct_exact_batch batch = {.metric = metric,
                                   .row = every > 1 ? row : NULL,
                                   .count = count,
                                   .predecessors = predecessors,
                                   .threads = threads,
                                   .kernels = ct_kernels(ct_simd_best()),
                                   .correlation_kernels = kernels_of((int)ct_simd_best())};
    ct_initial_thresholds(&host, &batch, k, threshold);
    for (int i = 0; i < n; i++) {
        if (i % every > 0) {
            not_queries += threshold[i] == -1;
            continue;
        }
        double kth = kth_distance(metric, i, predecessors, k, sq);
        too_small += !(sqrt(threshold[i]) >= kth);
        finite += isfinite(threshold[i]);
        possible += isfinite(kth);
    }
    check_about("n %d, k %d, predecessors %d, every %d: %d of %d finite", n, k, predecessors, every,
                finite, possible);
    CHECK(too_small == 0);
    CHECK(not_queries == n - count);
    CHECK(finite <= possible && finite >= possible / 2);
    host_end_call();
}

int main(void)
{
    static const int ns[] = {1, 2, 60, 300, 900};
    for (int i = 0; i < 30; i++) {
        int n = ns[i % 5], k = 1 + random_below(i % 4 ? 12 : n);
        struct factors_problem problem = random_factors((enum ct_covariance)(i % 4), n, 1 + i % 3,
                                                        20 * (i % 3), (enum p_style)(i % 3));
        for (int predecessors = 0; predecessors < 2; predecessors++)
            check_thresholds(&problem.metric, k, predecessors, 1 + i % 2 * 2, 1 + i % 3);
        keep_end();
    }
    return check_done("initial_thresholds");
}
