/* residual_problem.c: see residual_problem.h. */
#include "residual_problem.h"
#include "host.h"

#include <math.h>
#include <string.h>

/* Above this share of a residual variance, quantized dot products are of no use. */
static const double MOST_ERROR = 0.02;

static double draw_p(enum residual_style style)
{
    double small = pow(10, -14 * random_uniform());
    if (style == WIDE_P)
        return 0.5 + 0.5 * random_uniform();
    if (style == SMALL_P)
        return random_below(8) ? small : 0;
    return random_below(8) ? 0.3 + 0.7 * random_uniform() : random_below(3) ? small : 0;
}

/* Few directions, so that correlations are of all sizes. */
static void fill_v(double *v, int m, double length, double spread)
{
    double sum = 0;
    for (int j = 0; j < (int)ct_v_stride(m); j++)
        v[j] = j < m ? 1.0 / (1 + j) + spread * random_normal() : 0;
    for (int j = 0; j < m; j++)
        sum += v[j] * v[j];
    for (int j = 0; j < m; j++)
        v[j] *= length / sqrt(sum);
}

static struct ct_factors draw_factors(const struct cloud *cloud,
                                      const struct ct_residual_metric *residual,
                                      enum residual_style style, double scale)
{
    size_t n = (size_t)cloud->n, stride = ct_v_stride(residual->m);
    double *z = keep(n * cloud->d, sizeof *z), *v = keep(n * stride, sizeof *v);
    double *p = keep(n, sizeof *p), spread = random_uniform();
    for (size_t i = 0; i < n * cloud->d; i++)
        z[i] = cloud->x[i] * scale * (i / n % 2 ? 1.25 : 1);
    for (size_t i = 0; i < n; i++) {
        int twin = i > 0 && random_below(5) == 0 ? random_below((int)i) : -1;
        p[i] = twin < 0 ? residual->variance * draw_p(style) : p[twin];
        if (twin < 0)
            fill_v(v + i * stride, residual->m, sqrt(residual->variance - p[i]), spread);
        else
            memcpy(v + i * stride, v + twin * stride, stride * sizeof *v);
    }
    return (struct ct_factors){cloud->n, z, v, p};
}

struct residual_problem residual_problem_make(const char *name, int n, int d, int m,
                                              enum residual_style style, int queries)
{
    struct residual_problem problem = {.cloud = cloud_of(name, n, d)};
    const struct ct_residual_metric *residual = &problem.residual;
    double scale = ldexp(1, random_below(6) - 3);
    problem.queries = queries_near(&problem.cloud, queries);
    problem.grown = grow(&problem.cloud, 1 + random_below(40), 1);
    problem.residual =
        (struct ct_residual_metric){.kind = (enum ct_covariance)random_below(4),
                                    .variance = ldexp(1 + random_uniform(), random_below(40) - 20),
                                    .d = d,
                                    .m = m};
    problem.residual.points = draw_factors(&problem.cloud, residual, style, scale);
    problem.foreign = draw_factors(&problem.queries, residual, style, scale);
    int16_t *v = keep((size_t)n * ct_quantized_stride(m), sizeof *v);
    problem.quantized = (struct ct_quantized){v, ct_quantization_unit(residual->points.v, m, n)};
    ct_quantize(&host, residual->points.v, m, problem.grown.tree.row, n, problem.quantized.unit, 1,
                v);
    host_end_call();
    return problem;
}

static const struct ct_factors *factors_of(const struct residual_problem *problem, int own)
{
    return own ? &problem->residual.points : &problem->foreign;
}

double residual_problem_sq(const struct residual_problem *problem, int own, int query, int row)
{
    double sq;
    int pos = row - 1;
    ct_residual_sqdist(ct_correlation_kernels(CT_SIMD_BASE), &problem->residual,
                       factors_of(problem, own), query, &pos, 1, &sq);
    return sq;
}

double residual_problem_error(const struct residual_problem *problem, int own, int query)
{
    return ct_quantization_error(problem->quantized.unit) / factors_of(problem, own)->p[query];
}

static double quantized_dot(const struct residual_problem *problem, int own, int query, int row)
{
    int m = problem->residual.m;
    const double *from = factors_of(problem, own)->v + query * ct_v_stride(m);
    double unit = own ? problem->quantized.unit : ct_quantization_unit(from, m, 1);
    int16_t *a = host.alloc(ct_quantized_stride(m), sizeof *a);
    int16_t *b = host.alloc(ct_quantized_stride(m), sizeof *b);
    long sum = 0;
    ct_quantize_vector(from, m, unit, a);
    ct_quantize_vector(problem->residual.points.v + (row - 1) * ct_v_stride(m), m,
                       problem->quantized.unit, b);
    for (int j = 0; j < m; j++)
        sum += (long)a[j] * b[j];
    return unit * problem->quantized.unit * (double)sum;
}

double residual_problem_quantized_sq(const struct residual_problem *problem, int own, int query,
                                     int row)
{
    const struct ct_residual_metric *residual = &problem->residual;
    const struct ct_factors *from = factors_of(problem, own), *points = &residual->points;
    double scale = sqrt(from->p[query]) * sqrt(points->p[row - 1]), k, q[64], z[64], rho;
    if (!(residual_problem_error(problem, own, query) < MOST_ERROR) || residual->m == 0 ||
        scale < ct_quantization_error(problem->quantized.unit) / MOST_ERROR)
        return residual_problem_sq(problem, own, query, row);
    for (int j = 0; j < residual->d; j++) {
        q[j] = from->z[query + (size_t)j * from->n];
        z[j] = points->z[row - 1 + (size_t)j * points->n];
    }
    ct_covariance_fill(ct_correlation_kernels(CT_SIMD_BASE), residual->kind, residual->variance, z,
                       1, residual->d, q, &k);
    rho = (k - quantized_dot(problem, own, query, row)) / scale;
    return 1 - fmin(1, fabs(rho));
}
