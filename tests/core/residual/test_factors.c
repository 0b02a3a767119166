/* test_factors.c: the factors v and p of points.
 *
 * Against their definition, element by element and bit by bit, in every instruction set and with
 * any number of threads; against a dense computation in long double; residual correlations of
 * duplicates; and the host leaving by a long jump at each poll and at each allocation.
 */
#include "check.h"
#include "clouds.h"
#include "core/residual/factors.h"
#include "host.h"

#include <math.h>
#include <string.h>

static const double JITTER = 1e-2;

struct problem {
    struct ct_inducing inducing;
    struct cloud points;
    int level, threads, failed;
    double jitter;
    double *factor, *v, *p; /* results */
};

static size_t v_size(const struct problem *problem)
{
    return (size_t)problem->points.n * ct_v_stride(problem->inducing.m);
}

static struct problem make_problem(enum ct_covariance kind, int n, int d, int m)
{
    struct problem problem = {.points = cloud_of("normal", n, d), .threads = 1, .jitter = JITTER};
    struct cloud inducing = cloud_of("normal", m, d);
    problem.inducing = (struct ct_inducing){kind, 1.75, inducing.x, m, d};
    problem.factor = keep((size_t)m * m, sizeof *problem.factor);
    problem.v = keep(v_size(&problem), sizeof *problem.v);
    problem.p = keep((size_t)n, sizeof *problem.p);
    return problem;
}

static void run(void *data)
{
    struct problem *problem = data;
    enum ct_simd_level level = (enum ct_simd_level)problem->level;
    problem->failed = ct_inducing_factor(&host, level, &problem->inducing, problem->jitter,
                                         problem->threads, problem->factor);
    if (problem->failed == 0)
        ct_residual_factors(&host, level, &problem->inducing, problem->factor, problem->points.x,
                            problem->points.n, problem->threads, problem->v, problem->p);
}

static double covariance(const struct problem *problem, const struct cloud *points, int i, int r)
{
    const struct ct_inducing *inducing = &problem->inducing;
    double x[64], u[64], k;
    for (int j = 0; j < inducing->d; j++) {
        x[j] = points->x[i + (size_t)j * points->n];
        u[j] = inducing->u[r + (size_t)j * inducing->m];
    }
    ct_covariance_fill(ct_correlation_kernels(CT_SIMD_BASE), inducing->kind, inducing->variance, u,
                       1, inducing->d, x, &k);
    return k;
}

/* x[i] = (x[i] - sum over r < i of l[i, r] x[r]) / l[i, i], product by product. */
static void substitute(const double *l, int m, int order, double *x)
{
    for (int i = 0; i < order; i++) {
        for (int r = 0; r < i; r++)
            x[i] -= l[i + (size_t)r * m] * x[r];
        x[i] /= l[i + (size_t)i * m];
    }
}

static struct problem expected(const struct problem *problem)
{
    struct problem want = *problem;
    const struct ct_inducing *inducing = &problem->inducing;
    struct cloud u = {"inducing", inducing->m, inducing->d, (double *)inducing->u};
    int m = inducing->m;
    size_t stride = ct_v_stride(m);
    double *row = keep(stride + 1, sizeof *row);
    want.factor = keep((size_t)m * m, sizeof *want.factor);
    want.v = keep(v_size(problem), sizeof *want.v);
    want.p = keep((size_t)problem->points.n, sizeof *want.p);
    memset(want.factor, 0, (size_t)m * m * sizeof *want.factor);
    for (int i = 0; i < m; i++) {
        for (int r = 0; r <= i; r++)
            row[r] = covariance(problem, &u, i, r) + (r == i ? problem->jitter : 0);
        substitute(want.factor, m, i, row);
        for (int r = 0; r < i; r++)
            row[i] -= row[r] * row[r];
        row[i] = sqrt(row[i]);
        for (int r = 0; r <= i; r++)
            want.factor[i + (size_t)r * m] = row[r];
    }
    for (int i = 0; i < problem->points.n; i++) {
        double *v = want.v + (size_t)i * stride;
        memset(v, 0, stride * sizeof *v);
        for (int r = 0; r < m; r++)
            v[r] = covariance(problem, &problem->points, i, r);
        substitute(want.factor, m, m, v);
        want.p[i] = inducing->variance - ct_correlation_kernels(CT_SIMD_BASE)->dot(v, v, stride);
    }
    return want;
}

/* p = k(x, x) - k(x, u) K^-1 k(u, x), by Gaussian elimination of the bordered matrix in long
 * double: without a Cholesky factor and without v. Takes covariances in double. */
static long double reference_p(const struct problem *problem, int point)
{
    int m = problem->inducing.m;
    struct cloud u = {"inducing", m, problem->inducing.d, (double *)problem->inducing.u};
    size_t ld = (size_t)m + 1;
    long double *a = keep(ld * ld, sizeof *a);
    for (int i = 0; i <= m; i++)
        for (int r = 0; r <= m; r++) {
            const struct cloud *points = i < m ? &u : &problem->points;
            a[i * ld + r] = r < m   ? covariance(problem, points, i < m ? i : point, r)
                            : i < m ? covariance(problem, &problem->points, point, i)
                                    : problem->inducing.variance;
            if (i == r && i < m)
                a[i * ld + r] += problem->jitter;
        }
    for (int r = 0; r < m; r++)
        for (int i = r + 1; i <= m; i++)
            for (int j = m; j >= r; j--)
                a[i * ld + j] -= a[i * ld + r] / a[r * ld + r] * a[r * ld + j];
    return a[m * ld + m];
}

static void check_problem(int kind, int n, int d, int m)
{
    struct problem problem = make_problem((enum ct_covariance)kind, n, d, m);
    struct problem want = expected(&problem);
    for (problem.level = 0; problem.level <= (int)ct_simd_best(); problem.level++)
        for (problem.threads = 1; problem.threads <= 3; problem.threads++) {
            check_about("kind %d, n %d, d %d, m %d, level %d, %d threads", kind, n, d, m,
                        problem.level, problem.threads);
            CHECK(host_run(run, &problem, 0, 0) && problem.failed == 0);
            CHECK(memcmp(problem.factor, want.factor, (size_t)m * m * sizeof(double)) == 0);
            CHECK(memcmp(problem.v, want.v, v_size(&problem) * sizeof(double)) == 0);
            CHECK(memcmp(problem.p, want.p, (size_t)n * sizeof(double)) == 0);
        }
    for (int i = 0; i < n && m <= 65; i += 1 + n / 3) {
        long double error = fabsl(reference_p(&problem, i) - want.p[i]);
        check_about("kind %d, n %d, d %d, m %d, p %g off by %Lg", kind, n, d, m, want.p[i], error);
        CHECK(error <= 1e-13L * problem.inducing.variance);
    }
    keep_end();
}

/* The residual correlation of a point and its duplicate is 1, up to one rounding, however small
 * p is: the covariance is p itself. */
static void check_duplicates(int kind)
{
    enum { N = 40, M = 50 };
    struct problem problem = make_problem((enum ct_covariance)kind, N, 2, M);
    int pos[N];
    double rho[N];
    problem.jitter = 1e-8;
    for (int i = 0; i < N / 2; i++) /* near inducing points */
        for (int j = 0; j < 2; j++)
            problem.points.x[i + j * N] = problem.inducing.u[i + j * M] + 1e-3 * random_normal();
    CHECK(host_run(run, &problem, 0, 0) && problem.failed == 0);
    struct ct_residual_metric metric = {(enum ct_covariance)kind,
                                        problem.inducing.variance,
                                        2,
                                        M,
                                        {N, problem.points.x, problem.v, problem.p}};
    for (int i = 0; i < N; i++) {
        pos[i] = i;
        if (!(problem.p[i] > 0))
            problem.p[i] = 0;
    }
    for (int i = 0; i < N; i++) {
        ct_residual_rho(ct_correlation_kernels(ct_simd_best()), &metric, &metric.points, i, pos, N,
                        rho);
        check_about("duplicates, kind %d, p %g, rho 1 - %g", kind, problem.p[i], 1 - rho[i]);
        CHECK(problem.p[i] > 0 ? rho[i] > 1 - 1e-15 : rho[i] == 0);
    }
    keep_end();
}

static void check_not_positive(void)
{
    struct problem problem = make_problem(CT_RBF, 5, 1, 70);
    double *u = (double *)problem.inducing.u;
    u[65] = u[3];
    problem.jitter = -1e-3;
    check_about("negative jitter");
    CHECK(host_run(run, &problem, 0, 0) && problem.failed > 1 && problem.failed <= 66);
    keep_end();
}

static void check_interrupt(int n, int m, int threads)
{
    struct problem problem = make_problem(CT_MATERN32, n, 2, m), want = expected(&problem);
    problem.threads = threads;
    for (int by_poll = 0; by_poll <= 1; by_poll++) {
        int times = 0;
        while (!host_run(run, &problem, by_poll ? times + 1 : 0, by_poll ? 0 : times + 1))
            times++;
        check_about("n %d, m %d, left at each %s", n, m, by_poll ? "poll" : "allocation");
        CHECK(times >= 4);
        CHECK(memcmp(problem.v, want.v, v_size(&problem) * sizeof(double)) == 0);
    }
    keep_end();
}

int main(void)
{
    static const int sizes[] = {0, 1, 15, 16, 17, 63, 64, 65};
    enum { SIZES = sizeof sizes / sizeof *sizes };
    for (int i = 0; i < SIZES; i++)
        for (int j = 1; j < SIZES; j++)
            check_problem((i + j) % 4, sizes[j], 1 + (i * SIZES + j) % 5, sizes[i]);
    check_problem(CT_MATERN52, 200, 3, 512);
    check_problem(CT_EXPONENTIAL, 40, 20, 1100);
    for (int kind = 0; kind < 4; kind++)
        check_duplicates(kind);
    check_not_positive();
    check_interrupt(300, 100, 1);
    check_interrupt(300, 100, 3);
    return check_done("factors");
}
