/* true_factors.c: see true_factors.h. */
#include "true_factors.h"
#include "clouds.h"
#include "host.h"

#include <math.h>
#include <string.h>

/* Solves L x = b in place; l [m x m, column-major]. */
static void solve(const double *l, int m, double *x)
{
    for (int i = 0; i < m; i++) {
        for (int j = 0; j < i; j++)
            x[i] -= l[i + (size_t)j * m] * x[j];
        x[i] /= l[i + (size_t)i * m];
    }
}

static void cholesky(double *l, int m)
{
    for (int i = 0; i < m; i++) {
        double diagonal = l[i + (size_t)i * m];
        for (int j = 0; j < i; j++) {
            double sum = l[i + (size_t)j * m];
            for (int t = 0; t < j; t++)
                sum -= l[i + (size_t)t * m] * l[j + (size_t)t * m];
            l[i + (size_t)j * m] = sum / l[j + (size_t)j * m];
            l[j + (size_t)i * m] = 0;
            diagonal -= l[i + (size_t)j * m] * l[i + (size_t)j * m];
        }
        l[i + (size_t)i * m] = sqrt(diagonal);
    }
}

static void fill(const struct true_factors *problem, const double *z, int n, int at, double *k)
{
    const struct ct_residual_metric *r = &problem->metric;
    double q[16];
    for (int j = 0; j < r->d; j++)
        q[j] = z[at + (size_t)j * n];
    ct_covariance_fill(ct_correlation_kernels(CT_SIMD_BASE), r->kind, r->variance,
                       problem->origin.u, r->m, r->d, q, k);
}

static struct ct_factors factors_of(const struct true_factors *problem,
                                    const struct true_factors_style *style, const double *z, int n)
{
    int m = style->m;
    double variance = problem->metric.variance;
    size_t stride = ct_v_stride(m);
    double *v = keep(n * stride, sizeof *v), *p = keep((size_t)n, sizeof *p);
    memset(v, 0, n * stride * sizeof *v);
    for (int i = 0; i < n; i++) {
        double *x = v + i * stride, rest = variance;
        fill(problem, z, n, i, x);
        solve(problem->origin.factor, m, x);
        for (int j = 0; j < m; j++)
            rest -= x[j] * x[j];
        p[i] = rest > style->none * variance ? rest + style->nugget * variance : 0;
    }
    return (struct ct_factors){n, z, v, p};
}

struct true_factors true_factors_make(const struct true_factors_style *style)
{
    int n = style->n, d = style->d, m = style->m, others = 37;
    double variance = ldexp(1 + random_uniform(), random_below(40) - 20);
    double offset = random_below(3) ? 0 : 100 * random_normal();
    double *z = keep((size_t)n * d, sizeof *z), *q = keep((size_t)others * d, sizeof *q);
    double *u = keep((size_t)m * d, sizeof *u), *l = keep((size_t)m * m, sizeof *l);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < d; j++)
            z[i + j * n] =
                i % 7 == 6 ? z[i / 2 + j * n] : (offset + random_normal()) / style->lengthscale;
    for (int i = 0; i < others; i++) {
        int from = random_below(n);
        for (int j = 0; j < d; j++)
            q[i + j * others] = z[from + j * n] + (i % 3 ? pow(0.1, i % 5) * random_normal() : 0);
    }
    for (int i = 0; i < m; i++) /* no two are equal: i * n / m is no multiple of 7 less 1 */
        for (int j = 0; j < d; j++) {
            int at = (int)((long long)i * n / m);
            u[i + j * m] = z[(at % 7 == 6 ? at - 1 : at) + j * n];
        }
    struct true_factors problem = {.metric = {style->kind, variance, d, m, {n, z, NULL, NULL}},
                                   .origin = {u, l, style->jitter * variance}};
    for (int i = 0; i < m; i++) {
        fill(&problem, u, m, i, l + (size_t)i * m);
        l[i + (size_t)i * m] += problem.origin.jitter;
    }
    cholesky(l, m);
    problem.metric.points = factors_of(&problem, style, z, n);
    problem.others = factors_of(&problem, style, q, others);
    return problem;
}
