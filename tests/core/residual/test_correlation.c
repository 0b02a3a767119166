/* test_correlation.c: residual correlations have the same bits in every instruction set, and if
 * the points change places; they are close to those of long double. */
#include "check.h"
#include "clouds.h"
#include "core/residual/correlation.h"
#include "host.h"
#include "random_factors.h"

#include <math.h>
#include <string.h>

static void check_rho(enum ct_covariance kind, int d, int m)
{
    enum { N = 90 };
    struct factors_problem problem = random_factors(kind, N, d, m, P_MIXED);
    const struct ct_factors *others = &problem.others, *points = &problem.metric.points;
    struct factors_problem swapped = {{kind, problem.metric.variance, d, m, *others}, *points};
    int pos[N], bits = 0, asymmetric = 0, squares = 0;
    double rho[N], again[N], worst = 0;
    for (int i = 0; i < N; i++)
        pos[i] = N - 1 - i;
    for (int j = 0; j < others->n; j++) {
        ct_residual_rho(kernels_of(0), &problem.metric, others, j, pos, N, rho);
        for (int level = 1; level <= (int)ct_simd_best(); level++) {
            ct_residual_rho(kernels_of(level), &problem.metric, others, j, pos, N, again);
            bits += memcmp(rho, again, sizeof rho) != 0;
        }
        for (int i = 0; i < N; i++) {
            double scale = sqrt(points->p[pos[i]] * others->p[j]) / problem.metric.variance;
            double off = fabs((double)(rho[i] - reference_rho(&problem, pos[i], j)));
            worst = fmax(worst, scale > 0 ? off * fmin(scale, 1) : off > 0);
            ct_residual_rho(kernels_of(0), &swapped.metric, points, pos[i], &j, 1, again);
            asymmetric += again[0] != rho[i];
        }
        ct_residual_sqdist(kernels_of(0), &problem.metric, others, j, pos, N, again);
        for (int i = 0; i < N; i++)
            squares += again[i] != 1 - fabs(rho[i]);
    }
    check_about("kind %d, d %d, m %d: off by %g", kind, d, m, worst);
    CHECK(bits == 0);
    CHECK(asymmetric == 0);
    CHECK(squares == 0);
    CHECK(worst < 1e-12);
    keep_end();
}

int main(void)
{
    static const int ms[] = {0, 1, 7, 70, 200};
    CHECK(ct_cov_to_rho(1, 0) == 0 && ct_cov_to_rho(3, 2) == 1 && ct_cov_to_rho(-3, 2) == -1);
    for (int i = 0; i < 20; i++)
        check_rho((enum ct_covariance)(i % 4), 1 + i % 6, ms[i / 4]);
    return check_done("correlation");
}
