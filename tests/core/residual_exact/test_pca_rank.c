/* test_pca_rank.c: a truncation rank is chosen where v lies near a subspace, and none where all
 * directions matter; a demanded tail is kept to multiples and to m. */
#include "check.h"
#include "clouds.h"
#include "core/residual_exact/pca_rank.h"
#include "host.h"
#include "random_factors.h"

#include <math.h>
#include <string.h>

/* n points so far apart that covariances vanish: |rho| is the cosine of two vectors v. They lie in
 * a subspace: in the first `rank` of m components, before a reflection in each plane (j, m - 1 -
 * j). */
static struct ct_residual_metric draw_metric(int n, int m, int rank)
{
    size_t stride = ct_v_stride(m);
    double *z = keep((size_t)n * 2, sizeof *z), *v = keep(n * stride, sizeof *v);
    double *p = keep((size_t)n, sizeof *p);
    memset(v, 0, n * stride * sizeof *v);
    for (int i = 0; i < n; i++) {
        double sq = 0, *x = v + i * stride;
        z[i] = 100 * random_normal();
        z[i + n] = 100 * random_normal();
        p[i] = 0.5;
        for (int j = 0; j < rank; j++)
            x[j] = random_normal();
        for (int j = 0; j < m / 2; j++) {
            double a = x[j], b = x[m - 1 - j];
            x[j] = 0.6 * a + 0.8 * b;
            x[m - 1 - j] = 0.8 * a - 0.6 * b;
        }
        for (int j = 0; j < m; j++)
            sq += x[j] * x[j];
        for (int j = 0; j < m; j++)
            x[j] *= sqrt(0.5 / sq);
    }
    return (struct ct_residual_metric){CT_EXPONENTIAL, 1, 2, m, {n, z, v, p}};
}

/* The tail that is chosen. */
static int chosen_tail(const struct ct_residual_metric *metric, int count, int predecessors,
                       int tail, int level)
{
    struct ct_exact_batch batch = {.metric = metric,
                                   .count = count,
                                   .predecessors = predecessors,
                                   .threads = 2,
                                   .kernels = ct_kernels((enum ct_simd_level)level),
                                   .correlation_kernels = kernels_of(level),
                                   .tail = tail};
    struct ct_filter filter = ct_filter_make(&host, &batch, 64);
    ct_choose_truncation_rank(&host, &filter, &batch.correlation_kernels->filter_f64, 5);
    int chosen = filter.transform.tail;
    CHECK(ct_truncation_rank(&filter.transform) + chosen == metric->m);
    CHECK(chosen == 0 || filter.transform.rotation.m == metric->m);
    host_end_call();
    return chosen;
}

static void check_measured(int m, int rank)
{
    struct ct_residual_metric metric = draw_metric(1500, m, rank);
    for (int level = 0; level <= (int)ct_simd_best(); level++)
        for (int predecessors = 0; predecessors < 2; predecessors++) {
            int tail = chosen_tail(&metric, 1500, predecessors, CT_TAIL_MEASURED, level);
            check_about("m %d, rank %d, predecessors %d, %s: tail %d", m, rank, predecessors,
                        kernels_of(level)->name, tail);
            CHECK(tail % 32 == 0 && tail <= m);
            if (rank <= m / 8)
                CHECK(tail >= m / 2 && tail <= m - rank);
            if (rank == m)
                CHECK(tail <= m / 4);
            CHECK(chosen_tail(&metric, 8 * m - 1, predecessors, CT_TAIL_MEASURED, level) == 0);
        }
    keep_end();
}

static void check_demanded(void)
{
    struct ct_residual_metric metric = draw_metric(80, 70, 20), small = draw_metric(80, 31, 3);
    check_about("demanded tails");
    CHECK(chosen_tail(&metric, 5, 0, CT_TAIL_NONE, 0) == 0);
    CHECK(chosen_tail(&metric, 5, 0, 31, 0) == 0);
    CHECK(chosen_tail(&metric, 5, 0, 32, 0) == 32);
    CHECK(chosen_tail(&metric, 5, 0, 63, 0) == 32);
    CHECK(chosen_tail(&metric, 5, 0, 64, 0) == 64);
    CHECK(chosen_tail(&metric, 5, 0, 1000, 0) == 64);
    CHECK(chosen_tail(&small, 5, 0, 1000, 0) == 0);
    keep_end();
}

int main(void)
{
    check_measured(128, 8);
    check_measured(128, 128);
    check_measured(160, 20);
    check_demanded();
    return check_done("pca_rank");
}
