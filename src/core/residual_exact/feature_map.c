/* feature_map.c: a map from residual covariances with landmarks to features; see feature_map.h.
 *
 * The subspace is that of the leading eigenvectors of the landmarks' correlation matrix, by
 * orthogonal iteration. They need not be accurate: the contraction check certifies whatever W
 * results, and better eigenvectors only give smaller remainders.
 */
#include "core/residual_exact/feature_map.h"
#include "core/residual_exact/pca.h"
#include "core/util/parallel_for.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { ROUNDS = 3 }; /* rounds of orthogonal iteration */

static const double MAX_LANDMARK_R = 1e-5; /* largest r of a landmark */
/* The smallest eigenvalue of C that W keeps, and the same over the error of C: smaller ones belong
 * to useless directions, or magnify errors. */
static const double MIN_EIGENVALUE = 1e-4, MIN_EIGENVALUE_PER_ERROR = 50;
static const double MAX_CONTRACTION = 1.1; /* bound of |W rho* W'| from which on W is useless */
static const double E = DBL_EPSILON / 2;

/* Correlations of one landmark with all. */
struct correlation_task {
    const struct ct_feature_map *map;
    const int *pos;
    double *to; /* [landmarks x stride, row-major] */
    size_t stride;
};

static void correlate_landmark(void *data, int i, int thread)
{
    const struct correlation_task *task = data;
    const struct ct_residual_metric *metric = task->map->metric;
    (void)thread;
    ct_residual_rho(task->map->kernels, metric, &metric->points, task->pos[i], task->pos,
                    task->map->landmarks, task->to + i * task->stride);
}

/* to [count x ld] = from [count x terms] times the matrix whose rows are columns [columns x
 * terms]: all row-major, with rows `stride` apart. */
static void multiply_rows(const struct ct_host *host, const struct ct_feature_map *map,
                          const double *from, int count, const double *columns, int number,
                          int terms, size_t stride, int threads, double *to, size_t ld)
{
    struct ct_panel panel =
        ct_panel_make(host, &map->kernels->filter_f64, columns, 1, stride, terms, number);
    struct ct_panel_product product = {.panel = &panel,
                                       .from = from,
                                       .vector_stride = stride,
                                       .stride = 1,
                                       .count = count,
                                       .to = to,
                                       .ld = ld};
    ct_panel_multiply(host, &product, threads);
}

/* Sum of squares of a [rows x columns, row-major] matrix. */
static double sum_of_squares(const double *a, int rows, int columns, size_t stride)
{
    double sum = 0;
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++)
            sum += a[i * stride + j] * a[i * stride + j];
    return sum;
}

/* lambda, over the variance; at most 0 if J may be singular. Rounding: each element of L L' as
 * computed errs by (b + c + 4) e |L_i| |L_j|, each covariance by (d + 24) e times the variance. */
static double smallest_eigenvalue(const struct ct_host *host, const struct ct_feature_map *map,
                                  double variance, int threads)
{
    const struct ct_residual_metric *metric = map->metric;
    const struct ct_factor_origin *origin = map->origin;
    int m = metric->m, d = metric->d;
    size_t size = (size_t)m * m;
    double *covariance = host->alloc(size, sizeof(double));
    double *product = host->alloc(size, sizeof(double)), error = 0;
    struct ct_panel_product squares = {.panel = &map->factor,
                                       .from = origin->factor,
                                       .vector_stride = 1,
                                       .stride = (size_t)m,
                                       .count = m,
                                       .to = product,
                                       .ld = (size_t)m};
    ct_panel_multiply(host, &squares, threads);
    ct_covariance_cross(host, map->kernels, metric->kind, variance, origin->u, m, origin->u, m, d,
                        (size_t)m, threads, covariance);
    for (int i = 0; i < m; i++)
        covariance[(size_t)i * m + i] += origin->jitter;
    for (size_t i = 0; i < size; i++)
        error += (product[i] - covariance[i]) * (product[i] - covariance[i]);
    double rounding =
        (CT_CHUNK + m / CT_CHUNK + 8) * E * map->factor_norm * map->factor_norm + (d + 32) * E * m;
    return (origin->jitter - 1.01 * sqrt(error)) / variance - 1.1 * rounding;
}

/* Replaces the lower triangle of a [n x n, row-major] by its Cholesky factor. A row whose pivot is
 * below `least` becomes 0, the pivot included. */
static void factor_in_place(double *a, int n, double least)
{
    for (int i = 0; i < n; i++) {
        double *x = a + (size_t)i * n;
        for (int j = 0; j <= i; j++) {
            const double *y = a + (size_t)j * n;
            double sum = x[j];
            for (int t = 0; t < j; t++)
                sum -= x[t] * y[t];
            x[j] = j < i ? (y[j] > 0 ? sum / y[j] : 0) : sum > least ? sqrt(sum) : 0;
        }
        for (int j = 0; j < i && x[i] == 0; j++)
            x[j] = 0;
    }
}

/* Replaces the rows of w [rank x n] by rows that are orthonormal in the inner product of C: w
 * becomes M^-1 w, where w C w' = M M'. Rows that would magnify rounding become 0. gram [rank x
 * rank]: w C w'. */
static void whiten(double *gram, int rank, double least, double *w, int n, size_t stride)
{
    factor_in_place(gram, rank, least);
    for (int i = 0; i < rank; i++) {
        double *x = w + i * stride, pivot = gram[(size_t)i * rank + i];
        for (int j = 0; j < i; j++) {
            double factor = gram[(size_t)i * rank + j];
            const double *y = w + j * stride;
            for (int t = 0; t < n; t++)
                x[t] -= factor * y[t];
        }
        for (int t = 0; t < n; t++)
            x[t] = pivot > 0 ? x[t] / pivot : 0;
    }
}

/* Leading eigenvectors of C [landmarks x stride], as rows of w [rank x stride], whitened. `spare`
 * is as large as w. Starts from evenly spaced rows of C. */
static void find_subspace(const struct ct_host *host, const struct ct_feature_map *map,
                          const double *c, size_t stride, int threads, double *w, double *spare)
{
    int n = map->landmarks, rank = map->rank;
    double *gram = host->alloc((size_t)rank * rank, sizeof(double));
    memset(spare, 0, rank * stride * sizeof(double));
    for (int i = 0; i < rank; i++)
        memcpy(spare + i * stride, c + (size_t)n * i / rank * stride, n * sizeof(double));
    for (int round = 0; round < ROUNDS; round++) {
        ct_orthonormalize(host, map->kernels, spare, w, rank, n, stride);
        memset(spare, 0, rank * stride * sizeof(double));
        multiply_rows(host, map, w, rank, c, n, n, stride, threads, spare, stride);
    }
    multiply_rows(host, map, w, rank, spare, rank, n, stride, threads, gram, (size_t)rank);
    whiten(gram, rank, fmax(MIN_EIGENVALUE, MIN_EIGENVALUE_PER_ERROR * map->error), w, n, stride);
}

/* The largest sum of absolute values of a row of a [n x n]: a bound of its norm, if symmetric. */
static double largest_row_sum(const double *a, int n)
{
    double largest = 0;
    for (int i = 0; i < n; i++) {
        double sum = 0;
        for (int j = 0; j < n; j++)
            sum += fabs(a[(size_t)i * n + j]);
        largest = fmax(largest, sum);
    }
    return largest;
}

static int is_zero(const double *x, int n)
{
    int i = 0;
    while (i < n && x[i] == 0)
        i++;
    return i == n;
}

/* Divides w by the root of a bound of |w rho* w'|; sets map->norm. Returns 0 if the bound is
 * useless. */
static int contract(const struct ct_host *host, struct ct_feature_map *map, const double *c,
                    size_t stride, int threads, double *w, double *spare)
{
    int n = map->landmarks, rank = map->rank;
    double *gram = host->alloc((size_t)rank * rank, sizeof(double));
    multiply_rows(host, map, w, rank, w, rank, n, stride, threads, gram, (size_t)rank);
    double sums = (CT_CHUNK + n / CT_CHUNK + 8) * E;
    double squared_norm =
        largest_row_sum(gram, rank) + rank * sums * sum_of_squares(w, rank, n, stride);
    multiply_rows(host, map, w, rank, c, n, n, stride, threads, spare, stride);
    multiply_rows(host, map, w, rank, spare, rank, n, stride, threads, gram, (size_t)rank);
    for (int i = 0; i < rank; i++)
        gram[(size_t)i * rank + i] -= is_zero(w + i * stride, n) ? 0 : 1;
    double rounding = 2.2 * sums * sum_of_squares(w, rank, n, stride) * n;
    double bound = 1 + sqrt(sum_of_squares(gram, rank, rank, (size_t)rank)) + rounding +
                   squared_norm * map->error;
    if (!(bound < MAX_CONTRACTION))
        return 0;
    double scale = (1 - 16 * E) / sqrt(bound);
    for (size_t i = 0; i < rank * stride; i++)
        w[i] *= scale;
    map->norm = sqrt(squared_norm) * (1 + 16 * E);
    return 1;
}

/* Makes both panels from W [rank x stride], which becomes W'. */
static void make_panels(const struct ct_host *host, struct ct_feature_map *map, const int *pos,
                        const double *root, double *w, size_t stride, int threads)
{
    const struct ct_residual_metric *metric = map->metric;
    const struct ct_filter_kernels *f64 = &map->kernels->filter_f64;
    int n = map->landmarks, rank = map->rank, m = metric->m, d = metric->d;
    size_t v_stride = ct_v_stride(m);
    double *v = host->alloc((size_t)n * v_stride, sizeof(double)),
           scale = 1 / sqrt(metric->variance);
    double *product = host->alloc((size_t)rank * m, sizeof(double));
    for (int i = 0; i < rank; i++)
        for (int j = 0; j < n; j++)
            w[i * stride + j] /= root[j];
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++)
            v[i * v_stride + j] = metric->points.v[pos[i] * v_stride + j] * scale;
    struct ct_panel panel = ct_panel_make(host, f64, v, v_stride, 1, n, m);
    struct ct_panel_product multiply = {.panel = &panel,
                                        .from = w,
                                        .vector_stride = stride,
                                        .stride = 1,
                                        .count = rank,
                                        .to = product,
                                        .ld = (size_t)m};
    ct_panel_multiply(host, &multiply, threads);
    map->landmark_map = ct_panel_make(host, f64, w, 1, stride, n, rank);
    map->inducing_map = ct_panel_make(host, f64, product, 1, (size_t)m, m, rank);
    /* Covariances; and three sums: W' k, W' V, and the product of that and v. */
    int terms = n > m ? n : m;
    map->rounding = 1.1 * (d + 32 + 3 * (CT_CHUNK + terms / CT_CHUNK + 12)) * E * sqrt(n) *
                    sqrt(sum_of_squares(w, rank, n, stride));
}

/* Fills pos with about `wanted` evenly spaced points of `order` that have residual variance;
 * returns their count. */
static int choose_landmarks(const struct ct_point_norms *norms, const int *order, int n, int wanted,
                            int *pos)
{
    int count = 0;
    for (int i = 0; i < wanted; i++) {
        int at = order[(int)((2LL * i + 1) * n / (2LL * wanted))];
        if (!isinf(norms->root[at]))
            pos[count++] = at;
    }
    return count;
}

/* Keeps the landmarks whose factors are accurate; sets their coordinates and sums of r and a. */
static void measure_landmarks(const struct ct_host *host, struct ct_feature_map *map,
                              const struct ct_point_norms *norms, int *pos, int threads)
{
    const struct ct_factors *points = &map->metric->points;
    int d = map->metric->d, count = 0;
    double r = 0, a = 0;
    struct ct_features bounds =
        ct_features_make(host, map, points, norms, pos, map->landmarks, threads);
    for (int i = 0; i < map->landmarks; i++)
        if (bounds.r[i] < MAX_LANDMARK_R) {
            r += bounds.r[i] * bounds.r[i];
            a += bounds.length[i] * bounds.length[i];
            pos[count++] = pos[i];
        }
    map->landmarks = count;
    map->landmark_r = sqrt(r) * (1 + count * DBL_EPSILON);
    map->landmark_a = sqrt(a) * (1 + count * DBL_EPSILON);
    map->z = host->alloc((size_t)count * d, sizeof(double));
    for (int j = 0; j < d; j++)
        for (int i = 0; i < count; i++)
            map->z[i + (size_t)j * count] = points->z[pos[i] + (size_t)j * points->n];
}

/* A bound of the difference of C and rho* (Frobenius norm): errors of v, and canonical rounding.
 * root [landmarks]: roots of p over the variance. */
static double correlation_error(const struct ct_feature_map *map, const double *root)
{
    double inverse = 0, r = map->landmark_r;
    double canonical = (map->metric->m / CT_V_LANES + map->metric->d + 40) * E;
    for (int i = 0; i < map->landmarks; i++)
        inverse += 1 / (root[i] * root[i]);
    return 1.1 * (2 * r * map->landmark_a + r * r + canonical * inverse);
}

/* The matrix W, from the landmarks at pos; 0 if its bounds are useless. */
static int make_map(const struct ct_host *host, struct ct_feature_map *map,
                    const struct ct_point_norms *norms, const int *pos, int threads)
{
    int n = map->landmarks;
    size_t stride = ct_v_stride(n), size = map->rank * stride;
    double *c = host->alloc(n * stride, sizeof(double)), *root = host->alloc(n, sizeof(double));
    double *w = host->alloc(size, sizeof(double)), *spare = host->alloc(size, sizeof(double));
    struct correlation_task task = {map, pos, c, stride};
    memset(c, 0, n * stride * sizeof(double));
    ct_parallel_for(host, n, threads, correlate_landmark, &task);
    for (int i = 0; i < n; i++)
        root[i] = norms->root[pos[i]];
    map->error = correlation_error(map, root);
    find_subspace(host, map, c, stride, threads, w, spare);
    if (!contract(host, map, c, stride, threads, w, spare))
        return 0;
    make_panels(host, map, pos, root, w, stride, threads);
    return 1;
}

struct ct_feature_map ct_feature_map_make(const struct ct_host *host,
                                          const struct ct_exact_batch *batch,
                                          const struct ct_point_norms *norms, const int *order,
                                          int landmarks, int rank)
{
    const struct ct_residual_metric *metric = batch->metric;
    const struct ct_factor_origin *origin = batch->origin;
    struct ct_feature_map none = {0}, map = {.metric = metric,
                                             .origin = origin,
                                             .kernels = batch->correlation_kernels};
    int n = metric->points.n, m = metric->m;
    if (!origin || m == 0 || n < landmarks)
        return none;
    map.factor = ct_panel_make(host, &map.kernels->filter_f64, origin->factor, (size_t)m, 1, m, m);
    map.factor.triangular = 1;
    map.factor_norm = sqrt(sum_of_squares(origin->factor, m, m, (size_t)m) / metric->variance);
    map.lambda = smallest_eigenvalue(host, &map, metric->variance, batch->threads);
    if (!(map.lambda > 0))
        return none;
    int *pos = host->alloc((size_t)landmarks, sizeof *pos);
    map.landmarks = choose_landmarks(norms, order, n, landmarks, pos);
    measure_landmarks(host, &map, norms, pos, batch->threads);
    map.rank = rank;
    if (map.landmarks <= rank || !make_map(host, &map, norms, pos, batch->threads))
        return none;
    return map;
}
