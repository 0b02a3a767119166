/* error_bound.c: norms and margins; see error_bound.h for the analysis.
 *
 * Norms are computed in double from the untransformed factors, before packing, because the margin
 * decides which points are packed in float. Their own rounding is far below the surplus of the
 * margin.
 */
#include "core/residual_exact/error_bound.h"
#include "core/util/parallel_for.h"

#include <float.h>
#include <math.h>

enum { BLOCK_POINTS = 1024 }; /* points in one block of parallel work */

/* Larger roots are replaced by this value: a product of two roots stays finite in float. A root
 * that is too small lowers the filter's threshold, which is safe. */
static const double MAX_ROOT = 1e15;

/* Unlike fmax(), one instruction; no value is NaN. */
static double greater(double a, double b)
{
    return a > b ? a : b;
}

/* The parallel work of ct_error_bound_extend(). */
struct norm_task {
    const struct ct_transform *transform;
    const struct ct_factors *points;
    struct ct_point_norms norms;
    struct ct_error_bound *bound; /* [threads] of the points that the thread measured */
};

/* Norms of one block of points; raises the bound of the thread. */
static void measure_block(void *data, int block, int thread)
{
    const struct norm_task *task = data;
    const struct ct_transform *transform = task->transform;
    const struct ct_factors *points = task->points;
    struct ct_error_bound *bound = &task->bound[thread];
    size_t stride = ct_v_stride(transform->metric->m), n = (size_t)points->n;
    for (int i = block * BLOCK_POINTS; i < points->n && i - block * BLOCK_POINTS < BLOCK_POINTS;
         i++) {
        double centered = 0, raw = 0, v = 0;
        for (int j = 0; j < transform->metric->d; j++) {
            double z = points->z[i + j * n], center = transform->center[j];
            centered += (z - center) * (z - center);
            raw += (fabs(z) + fabs(center)) * (fabs(z) + fabs(center));
        }
        for (size_t j = 0; j < stride; j++)
            v += points->v[i * stride + j] * points->v[i * stride + j];
        double root = sqrt(points->p[i]) * transform->v_scale, norm = sqrt(v) * transform->v_scale;
        task->norms.v[i] = norm;
        task->norms.root[i] = points->p[i] > 0 ? fmin(root, MAX_ROOT) : INFINITY;
        bound->centered = greater(bound->centered, sqrt(centered) * transform->z_scale);
        bound->raw = greater(bound->raw, sqrt(raw) * transform->z_scale);
        bound->v = greater(bound->v, norm);
    }
}

struct ct_point_norms ct_error_bound_extend(const struct ct_host *host,
                                            const struct ct_transform *transform,
                                            const struct ct_factors *points, int threads,
                                            struct ct_error_bound *bound)
{
    struct norm_task task = {
        .transform = transform,
        .points = points,
        .norms = {host->alloc((size_t)points->n, sizeof(double)),
                  host->alloc((size_t)points->n, sizeof(double))},
        .bound = host->alloc((size_t)threads, sizeof *task.bound),
    };
    for (int thread = 0; thread < threads; thread++)
        task.bound[thread] = *bound;
    ct_parallel_for(host, (points->n + BLOCK_POINTS - 1) / BLOCK_POINTS, threads, measure_block,
                    &task);
    for (int thread = 0; thread < threads; thread++) {
        bound->centered = greater(bound->centered, task.bound[thread].centered);
        bound->raw = greater(bound->raw, task.bound[thread].raw);
        bound->v = greater(bound->v, task.bound[thread].v);
    }
    return task.norms;
}

/* The part of the margin that does not depend on v: distances, k and the constant terms of
 * differences. u is the roundoff of the filter. */
static double covariance_margin(const struct ct_transform *transform,
                                const struct ct_error_bound *bound, double u)
{
    int d = transform->metric->d;
    double e = DBL_EPSILON / 2;
    return (d + 24 + 2 * bound->centered) * u + (d + 24 + 8 * bound->raw) * e;
}

double ct_error_bound_margin(const struct ct_transform *transform,
                             const struct ct_error_bound *bound,
                             const struct ct_filter_kernels *kernels, double norm)
{
    int m = transform->metric->m;
    double u = kernels->roundoff, e = DBL_EPSILON / 2, product = norm * bound->v;
    /* 8 u and 12 e where the analysis has 4 u + 2 u and 7 e + 2 e, differences included. */
    double dot_error = (CT_CHUNK + m / CT_CHUNK + 8) * u + (m / CT_V_LANES + 12) * e;
    return 1.1 * ((dot_error + transform->rotation.orthogonality_error) * product +
                  covariance_margin(transform, bound, u));
}

double ct_negligible_limit(const struct ct_transform *transform, const struct ct_error_bound *bound,
                           const struct ct_filter_kernels *kernels)
{
    return covariance_margin(transform, bound, kernels->roundoff) < 0x1p-8 ? 0x1p-60 : -1;
}
