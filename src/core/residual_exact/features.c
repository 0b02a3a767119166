/* features.c: feature vectors of points, block by block; see feature_map.h.
 *
 * The features of a point are the difference of two products, f - g: its covariances with the
 * landmarks times one matrix, and its v times another, both divided by the root of the residual
 * variance. A point takes O(landmarks rank + m rank + m^2) operations; points of a block share each
 * pass over the matrices. A point whose bounds leave the range of the analysis is marked
 * "unbounded": its features are 0, and its remainder exceeds every bound, so that it always passes.
 */
#include "core/residual_exact/feature_map.h"
#include "core/util/parallel_for.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum {
    BLOCK_GROUPS = 8, /* groups of points that share a pass over the panels */
    BLOCK_POINTS = BLOCK_GROUPS * CT_GROUP
};

/* Limits of the analysis in feature_map.h, and a remainder beyond all others. */
static const double MAX_LENGTH = 1.05, MAX_ERROR = 0.01, NO_BOUND = 1e15, LEAST_REMAINDER = 1e-6;
static const double E = DBL_EPSILON / 2;

/* Scratch of a thread, for the points of a block. */
struct feature_scratch {
    double *point;      /* [d] coordinates of a point */
    double *covariance; /* [max(landmarks, m)] of a point */
    double *landmark;   /* [groups x landmarks x CT_GROUP] packed covariances */
    double *v;          /* [groups x m x CT_GROUP] packed v */
    double *inducing;   /* [points x m, row-major] covariances with the inducing points */
    double *product;    /* [points x m, row-major] L v */
    double *f, *g;      /* [points x rank, row-major] both parts of the features */
    double *sums;       /* of ct_panel_multiply_groups() */
};

/* The parallel work of ct_features_make(): the features of the points at `pos`. */
struct feature_task {
    const struct ct_feature_map *map;
    const struct ct_factors *points;
    const struct ct_point_norms *norms;
    const int *pos;
    struct ct_features features;
    struct feature_scratch *scratch; /* [threads] */
};

/* Returns the scratch of a thread: BLOCK_POINTS (landmarks + 3 m + 2 rank) doubles and a few. */
static struct feature_scratch make_scratch(const struct ct_host *host,
                                           const struct ct_feature_map *map)
{
    size_t landmarks = (size_t)map->landmarks, m = (size_t)map->metric->m, rank = (size_t)map->rank;
    size_t most = landmarks > m ? landmarks : m;
    return (struct feature_scratch){
        .point = host->alloc((size_t)map->metric->d, sizeof(double)),
        .covariance = host->alloc(most, sizeof(double)),
        .landmark = host->alloc(BLOCK_POINTS * landmarks, sizeof(double)),
        .v = host->alloc(BLOCK_POINTS * m, sizeof(double)),
        .inducing = host->alloc(BLOCK_POINTS * m, sizeof(double)),
        .product = host->alloc(BLOCK_POINTS * m, sizeof(double)),
        .f = host->alloc(BLOCK_POINTS * rank, sizeof(double)),
        .g = host->alloc(BLOCK_POINTS * rank, sizeof(double)),
        .sums = host->alloc(ct_panel_scratch_size(&map->factor, BLOCK_GROUPS), sizeof(double)),
    };
}

/* Packs v and covariances of the point with index i within the block. */
static void pack_point(const struct feature_task *task, struct feature_scratch *s, int i, int pos)
{
    const struct ct_feature_map *map = task->map;
    const struct ct_residual_metric *metric = map->metric;
    const struct ct_filter_kernels *f64 = &map->kernels->filter_f64;
    int m = metric->m, landmarks = map->landmarks, group = i / CT_GROUP, lane = i % CT_GROUP;
    double *q = s->point, *v = s->v + (size_t)group * m * CT_GROUP + lane;
    for (int j = 0; j < metric->d; j++)
        q[j] = task->points->z[pos + (size_t)j * task->points->n];
    f64->pack(v, CT_GROUP, task->points->v + pos * ct_v_stride(m), 1, NULL,
              1 / sqrt(metric->variance), m);
    ct_covariance_fill(map->kernels, metric->kind, metric->variance, map->origin->u, m, metric->d,
                       q, s->inducing + (size_t)i * m);
    if (map->rank == 0)
        return;
    ct_covariance_fill(map->kernels, metric->kind, metric->variance, map->z, landmarks, metric->d,
                       q, s->covariance);
    f64->pack(s->landmark + (size_t)group * landmarks * CT_GROUP + lane, CT_GROUP, s->covariance, 1,
              NULL, 1 / metric->variance, landmarks);
}

/* A bound of |k_u(x) - L v_x|, over the variance, for point i of the block with this norm of v. */
static double solve_error(const struct ct_feature_map *map, const struct feature_scratch *s, int i,
                          double norm)
{
    int m = map->metric->m, d = map->metric->d;
    double sum = 0, per_variance = 1 / map->metric->variance;
    double root_variance = sqrt(per_variance);
    for (int j = 0; j < m; j++) {
        double gap = s->inducing[(size_t)i * m + j] * per_variance -
                     s->product[(size_t)i * m + j] * root_variance;
        sum += gap * gap;
    }
    return 1.01 * sqrt(sum) + 1.1 * ((CT_CHUNK + m / CT_CHUNK + 12) * E * map->factor_norm * norm +
                                     (d + 36) * E * sqrt(m));
}

/* Sets length and r of a point: see step 3 of the analysis. */
static void bound_point(const struct feature_task *task, const struct feature_scratch *s, int i,
                        int at)
{
    const struct ct_feature_map *map = task->map;
    const struct ct_features *features = &task->features;
    int pos = task->pos[at];
    double root = task->norms->root[pos], norm = task->norms->v[pos];
    features->length[at] = features->r[at] = 0;
    if (isinf(root))
        return;
    double r = solve_error(map, s, i, norm) / (root * sqrt(map->lambda)) * (1 + 16 * E);
    /* The norm of v has the rounding of m + 8 operations. */
    double share = fmax(0, 1 - norm * norm) + 2 * (map->metric->m + 32) * E * (1 + norm * norm);
    features->r[at] = r;
    features->length[at] = (r + sqrt(share / (root * root) + 2 * r * r)) * (1 + 16 * E);
}

/* Rounds the features of a point to float and sets its error. */
static void finish_point(const struct feature_task *task, const struct feature_scratch *s, int i,
                         int at)
{
    const struct ct_feature_map *map = task->map;
    const struct ct_features *features = &task->features;
    int pos = task->pos[at], rank = map->rank, m = map->metric->m;
    double root = task->norms->root[pos], length = features->length[at], r = features->r[at];
    double sum = 0, canonical = (m / CT_V_LANES + map->metric->d + 40) * E;
    float *value = features->value + (size_t)at * rank;
    for (int j = 0; j < rank; j++) {
        value[j] = isinf(root)
                       ? 0
                       : (float)((s->f[(size_t)i * rank + j] - s->g[(size_t)i * rank + j]) / root);
        sum += (double)value[j] * value[j];
    }
    features->omega[at] = features->error[at] = features->unbounded[at] = 0;
    if (isinf(root))
        return;
    double omega =
        1.01 * (map->norm * (length * map->landmark_r + r * (map->landmark_a + map->landmark_r)) +
                map->rounding / root + FLT_EPSILON / 2 * sqrt(sum)) +
        FLT_MIN;
    double error = 1.06 * (r + omega) + canonical / (2 * root * root);
    features->omega[at] = omega;
    features->error[at] = error;
    if (!(length <= MAX_LENGTH && error <= MAX_ERROR && task->norms->v[pos] < 1.01)) {
        memset(value, 0, rank * sizeof *value);
        features->unbounded[at] = 1;
        features->error[at] = 0;
    }
}

/* One block of points: packs, multiplies, and bounds. The last block may be incomplete: then its
 * last point fills it. */
static void features_of_block(void *data, int block, int thread)
{
    const struct feature_task *task = data;
    const struct ct_feature_map *map = task->map;
    struct feature_scratch *s = &task->scratch[thread];
    int first = block * BLOCK_POINTS, left = task->features.count - first, m = map->metric->m;
    int count = left < BLOCK_POINTS ? left : BLOCK_POINTS;
    int groups = (count + CT_GROUP - 1) / CT_GROUP;
    size_t rank = (size_t)map->rank;
    for (int i = 0; i < groups * CT_GROUP; i++)
        pack_point(task, s, i, task->pos[first + (i < count ? i : count - 1)]);
    ct_panel_multiply_groups(&map->factor, s->v, groups, s->sums, s->product, (size_t)m);
    for (int i = 0; i < count; i++)
        bound_point(task, s, i, first + i);
    if (rank == 0)
        return;
    ct_panel_multiply_groups(&map->landmark_map, s->landmark, groups, s->sums, s->f, rank);
    ct_panel_multiply_groups(&map->inducing_map, s->v, groups, s->sums, s->g, rank);
    for (int i = 0; i < count; i++)
        finish_point(task, s, i, first + i);
}

struct ct_features ct_features_make(const struct ct_host *host, const struct ct_feature_map *map,
                                    const struct ct_factors *points,
                                    const struct ct_point_norms *norms, const int *pos, int count,
                                    int threads)
{
    size_t n = (size_t)count;
    struct feature_task task = {
        .map = map,
        .points = points,
        .norms = norms,
        .pos = pos,
        .features = {.count = count,
                     .rank = map->rank,
                     .value = host->alloc(n * map->rank, sizeof(float)),
                     .length = host->alloc(n, sizeof(double)),
                     .r = host->alloc(n, sizeof(double)),
                     .omega = host->alloc(n, sizeof(double)),
                     .error = host->alloc(n, sizeof(double)),
                     .unbounded = host->alloc(n, 1)},
        .scratch = host->alloc((size_t)threads, sizeof *task.scratch),
    };
    for (int thread = 0; thread < threads; thread++)
        task.scratch[thread] = make_scratch(host, map);
    ct_parallel_for(host, (count + BLOCK_POINTS - 1) / BLOCK_POINTS, threads, features_of_block,
                    &task);
    return task.features;
}

double ct_features_remainder(const struct ct_features *features, int i, int leading)
{
    const float *value = features->value + (size_t)i * features->rank;
    double sum = 0, length = features->length[i];
    if (features->unbounded[i])
        return NO_BOUND;
    if (length == 0)
        return 0;
    for (int j = 0; j < leading; j++)
        sum += (double)value[j] * value[j];
    double norm = fmax(0, sqrt(sum) * (1 - (leading + 8) * E) - features->omega[i]);
    return fmax(LEAST_REMAINDER,
                sqrt(fmax(0, length * length - norm * norm)) * (1 + 4 * FLT_EPSILON));
}
