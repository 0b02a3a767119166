/* random_factors.c: see random_factors.h. */
#include "random_factors.h"
#include "clouds.h"
#include "host.h"

#include <math.h>
#include <string.h>

/* n points of others, drawn with replacement; every other one is moved a little. */
static struct ct_factors draw_others(const struct ct_factors *points, int d, int m, int n)
{
    size_t stride = ct_v_stride(m);
    double *z = keep((size_t)n * d, sizeof *z), *v = keep(n * stride, sizeof *v);
    double *p = keep((size_t)n, sizeof *p);
    for (int i = 0; i < n; i++) {
        int from = random_below(points->n);
        for (int j = 0; j < d; j++)
            z[i + j * n] = points->z[from + j * points->n] + (i % 2 ? 0.1 * random_normal() : 0);
        memcpy(v + i * stride, points->v + from * stride, stride * sizeof *v);
        p[i] = points->p[from];
    }
    return (struct ct_factors){n, z, v, p};
}

static double draw_p(enum p_style style)
{
    if (style == P_LARGE)
        return 0.5 + 0.5 * random_uniform();
    if (style == P_MIXED)
        return random_below(8)   ? 0.3 + 0.7 * random_uniform()
               : random_below(3) ? pow(10, -14 * random_uniform())
                                 : 0;
    return random_below(8) ? pow(10, -14 * random_uniform()) : 0;
}

/* Fills v with a vector of squared norm variance - p, as it is where there is no nugget. All
 * vectors are near one direction: correlations have all sizes, some beyond 1. */
static void draw_v(double *v, int m, double variance, double p, double spread)
{
    double sum = 0;
    for (int j = 0; j < (int)ct_v_stride(m); j++)
        v[j] = j < m ? 1.0 / (1 + j) + spread * random_normal() : 0;
    for (int j = 0; j < m; j++)
        sum += v[j] * v[j];
    for (int j = 0; j < m; j++)
        v[j] *= sqrt(variance - p) / sqrt(sum);
}

struct factors_problem random_factors(enum ct_covariance kind, int n, int d, int m,
                                      enum p_style style)
{
    double variance = ldexp(1 + random_uniform(), random_below(40) - 20);
    double offset = random_below(3) ? 0 : 1000 * random_normal(), spread = random_uniform();
    double scale = ldexp(1, random_below(8) - 4);
    size_t stride = ct_v_stride(m);
    double *z = keep((size_t)n * d, sizeof *z), *v = keep(n * stride, sizeof *v);
    double *p = keep((size_t)n, sizeof *p);
    for (int i = 0; i < n; i++) {
        int twin = i > 0 && random_below(5) == 0 ? random_below(i) : -1;
        p[i] = twin < 0 ? variance * draw_p(style) : p[twin];
        for (int j = 0; j < d; j++)
            z[i + j * n] = twin < 0 ? offset + scale * random_normal() : z[twin + j * n];
        if (twin < 0)
            draw_v(v + i * stride, m, variance, p[i], spread);
        else
            memcpy(v + i * stride, v + twin * stride, stride * sizeof *v);
    }
    struct factors_problem problem = {.metric = {kind, variance, d, m, {n, z, v, p}}};
    problem.others = draw_others(&problem.metric.points, d, m, 37);
    return problem;
}

long double reference_covariance(const struct factors_problem *problem, int i, int j)
{
    const struct ct_residual_metric *r = &problem->metric;
    const struct ct_factors *x = &r->points, *y = &problem->others;
    long double sq = 0, dot = 0, a = 0, k = 0;
    for (int c = 0; c < r->d; c++) {
        long double gap = (long double)x->z[i + c * x->n] - y->z[j + c * y->n];
        sq += gap * gap;
    }
    for (int c = 0; c < r->m; c++)
        dot += (long double)x->v[i * ct_v_stride(r->m) + c] * y->v[j * ct_v_stride(r->m) + c];
    if (r->kind == CT_RBF)
        k = expl(-sq / 2);
    if (r->kind == CT_EXPONENTIAL)
        k = expl(-sqrtl(sq));
    if (r->kind == CT_MATERN32)
        a = sqrtl(3 * sq), k = (1 + a) * expl(-a);
    if (r->kind == CT_MATERN52)
        a = sqrtl(5 * sq), k = (1 + a + a * a / 3) * expl(-a);
    return r->variance * k - dot;
}

long double reference_rho(const struct factors_problem *problem, int i, int j)
{
    long double scale = sqrtl((long double)problem->metric.points.p[i] * problem->others.p[j]);
    long double rho = scale > 0 ? reference_covariance(problem, i, j) / scale : 0;
    return rho > 1 ? 1 : rho < -1 ? -1 : rho;
}
