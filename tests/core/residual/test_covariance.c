/* test_covariance.c: covariances have the same bits in every instruction set and are close to
 * those of the C library; cross-covariance matrices hold them row by row, padded with zeros. */
#include "check.h"
#include "clouds.h"
#include "core/residual/covariance.h"
#include "host.h"
#include "random_factors.h"

#include <math.h>
#include <string.h>

/* exp(-a) by way of the exponential covariance, whose argument is the square of a: a has few
 * bits, so that the square is exact. */
static void check_exp(void)
{
    enum { COUNT = 20000 };
    struct ct_covariance_shape shape = ct_covariance_shape(CT_EXPONENTIAL);
    double *a = keep(COUNT, sizeof *a), *first = keep(COUNT, sizeof *first), worst = 0;
    for (int i = 0; i < COUNT; i++) {
        double x = random_below(3) ? 710 * random_uniform() : ldexp(random_uniform(), -(i % 60));
        a[i] = (double)(float)x;
    }
    a[0] = 0, a[1] = 708, a[2] = nextafterf(708, 709), a[3] = 1e30, a[4] = 1e-30, a[5] = INFINITY;
    for (int level = 0; level <= (int)ct_simd_best(); level++) {
        double *k = keep(COUNT, sizeof *k);
        for (int i = 0; i < COUNT; i++)
            k[i] = a[i] * a[i];
        for (int i = 0, count; i < COUNT; i += count) {
            count = 1 + random_below(19);
            count = count < COUNT - i ? count : COUNT - i;
            kernels_of(level)->covariance(&shape, 1, count, k + i);
        }
        for (int i = 0; i < COUNT; i++) {
            double want = exp(-a[i]);
            if (a[i] <= 708)
                worst = fmax(worst, fabs(k[i] - want) / (nextafter(want, 2) - want));
        }
        if (level == 0)
            memcpy(first, k, COUNT * sizeof *k);
        check_about("exp, %s", kernels_of(level)->name);
        CHECK(memcmp(first, k, COUNT * sizeof *k) == 0);
    }
    check_about("exp, %g units in the last place", worst);
    CHECK(worst <= 2);
    double ends[] = {0, 708.0 * 708.0, 708.1 * 708.1, 1e60, INFINITY, 1e-60};
    kernels_of(0)->covariance(&shape, 1, 6, ends);
    CHECK(ends[0] == 1 && ends[1] > 0 && ends[2] == 0 && ends[3] == 0 && ends[4] == 0);
    CHECK(ends[5] == 1);
    keep_end();
}

/* Each row of the matrix against one call of ct_covariance_fill(), and that against long double,
 * by way of a problem without inducing points. */
static void check_cross(enum ct_covariance kind, int n, int d, int threads)
{
    struct factors_problem problem = random_factors(kind, n, d, 0, P_LARGE);
    const struct ct_factors *points = &problem.metric.points, *others = &problem.others;
    int wrong = 0, m = n;
    double worst = 0, variance = problem.metric.variance;
    size_t stride = (size_t)m + (size_t)random_below(20);
    double *q = keep((size_t)d, sizeof *q), *row = keep((size_t)m, sizeof *row);
    for (int level = 0; level <= (int)ct_simd_best(); level++) {
        double *cross = host.alloc((size_t)others->n * stride, sizeof *cross);
        ct_covariance_cross(&host, kernels_of(level), kind, variance, points->z, m, others->z,
                            others->n, d, stride, threads, cross);
        for (int j = 0; j < others->n; j++) {
            for (int c = 0; c < d; c++)
                q[c] = others->z[j + c * others->n];
            ct_covariance_fill(kernels_of(0), kind, variance, points->z, m, d, q, row);
            wrong += memcmp(cross + (size_t)j * stride, row, (size_t)m * sizeof *row) != 0;
            for (size_t i = (size_t)m; i < stride; i++)
                wrong += cross[(size_t)j * stride + i] != 0;
            for (int i = 0; i < m; i++)
                worst = fmax(worst, fabs((double)(row[i] - reference_covariance(&problem, i, j))));
        }
        host_end_call();
    }
    check_about("kind %d, %d points, d %d: off by %g", kind, n, d, worst / variance);
    CHECK(wrong == 0);
    CHECK(worst <= 1e-14 * variance);
    keep_end();
}

int main(void)
{
    check_exp();
    for (int i = 0; i < 40; i++)
        check_cross((enum ct_covariance)(i % 4), 1 + random_below(200), 1 + i % 7, 1 + i % 3);
    return check_done("covariance");
}
