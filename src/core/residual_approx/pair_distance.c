/* pair_distance.c: see pair_distance.h. */
#include "core/residual_approx/pair_distance.h"
#include "core/metric/euclidean.h"

#include <math.h>
#include <string.h>

/* Cache lines that are prefetched of a vector; the processor's own prefetcher loads the
 * following ones. */
enum { PREFETCH_LINES = 2, LINE_BYTES = 64 };

/* The largest quantization error of a correlation that is accepted. Beyond it, dot products
 * are exact. */
static const double MAX_ERROR = 0.02;

/* Vectors of candidates are far apart in memory: all those of a batch are fetched before the
 * first one is used. */
static inline void prefetch_vector(const void *v)
{
    for (int line = 0; line < PREFETCH_LINES; line++)
        __builtin_prefetch((const char *)v + LINE_BYTES * line);
}

/* The canonical dot product of a query and a row. */
static double exact_dot(const struct ct_pair_distances *pairs, int query, int row)
{
    const struct ct_residual_metric *metric = pairs->input.metric;
    size_t stride = ct_v_stride(metric->m);
    return pairs->input.correlation_kernels->dot(pairs->queries->v + query * stride,
                                                 metric->points.v + (row - 1) * stride, stride);
}

/* dot[i] = exact dot product of the query and row[i]. Writes whole groups of CT_DOT4_COUNT:
 * the last group is filled with its own first row. */
static void exact_dots(const struct ct_pair_distances *pairs, int query, const int *row, int count,
                       double *dot)
{
    const struct ct_residual_metric *metric = pairs->input.metric;
    size_t stride = ct_v_stride(metric->m);
    for (int i = 0; i < count; i++)
        prefetch_vector(metric->points.v + (row[i] - 1) * stride);
    for (int i = 0; i < count; i += CT_DOT4_COUNT) {
        const double *w[CT_DOT4_COUNT];
        for (int r = 0; r < CT_DOT4_COUNT; r++)
            w[r] = metric->points.v + (row[i + r < count ? i + r : i] - 1) * stride;
        pairs->input.dot4_kernels->dot_f64(pairs->queries->v + query * stride, w, stride, dot + i);
    }
}

/* The same from quantized v, by position: the sum in whole units is exact, and is scaled by
 * the units of the query and of the points. */
static void quantized_dots(const struct ct_pair_distances *pairs, struct ct_quantized query,
                           const int *pos, int count, double *dot)
{
    const struct ct_quantized *points = &pairs->input.quantized;
    size_t stride = ct_quantized_stride(pairs->input.metric->m);
    double unit = query.unit * points->unit;
    for (int i = 0; i < count; i++)
        prefetch_vector(points->v + pos[i] * stride);
    for (int i = 0; i < count; i += CT_DOT4_COUNT) {
        const int16_t *w[CT_DOT4_COUNT];
        int32_t sum[CT_DOT4_COUNT];
        for (int r = 0; r < CT_DOT4_COUNT; r++)
            w[r] = points->v + pos[i + r < count ? i + r : i] * stride;
        pairs->input.dot4_kernels->dot_i16(query.v, w, stride, sum);
        for (int r = 0; r < CT_DOT4_COUNT; r++)
            dot[i + r] = unit * sum[r];
    }
}

/* Squared Euclidean distance, with the loop unrolled for 2 and 3 coordinates. */
static inline double euclidean_sq(const double *x, const double *z, size_t stride, int d)
{
    return d == 2   ? ct_sqdist(x, 1, z, stride, 2)
           : d == 3 ? ct_sqdist(x, 1, z, stride, 3)
                    : ct_sqdist(x, 1, z, stride, d);
}

/* The coordinates of a query, of which coordinate j is at [j * stride]. */
static const double *query_z(const struct ct_pair_distances *pairs, int query, size_t *stride)
{
    if (pairs->input.query_points) {
        *stride = (size_t)pairs->queries->n;
        return pairs->queries->z + query;
    }
    *stride = 1;
    return pairs->point_data + pairs->pos_of_row[query] * ((size_t)pairs->input.metric->d + 1);
}

void ct_pair_distances_sq(const struct ct_pair_distances *pairs, int query,
                          struct ct_quantized quantized, const int *row, int count, double *sq)
{
    const struct ct_residual_metric *metric = pairs->input.metric;
    const struct ct_covariance_shape shape = ct_covariance_shape(metric->kind);
    double dot[CT_PAIR_BATCH + CT_DOT4_COUNT], scale[CT_PAIR_BATCH];
    double root = sqrt(pairs->queries->p[query]);
    size_t d = (size_t)metric->d, stride;
    int pos[CT_PAIR_BATCH];
    const double *z = query_z(pairs, query, &stride);
    for (int i = 0; i < count; i++) {
        pos[i] = pairs->pos_of_row[row[i] - 1];
        __builtin_prefetch(pairs->point_data + pos[i] * (d + 1));
    }
    if (metric->m > 0 && quantized.v)
        quantized_dots(pairs, quantized, pos, count, dot);
    else if (metric->m > 0)
        exact_dots(pairs, query, row, count, dot);
    else
        memset(dot, 0, sizeof dot);
    /* A pair gets an exact dot product if 0 < sqrt(p_x p_y) < least; at 0 rho is 0 anyway. */
    double least = quantized.v ? ct_quantization_error(pairs->input.quantized.unit) / MAX_ERROR : 0;
    for (int i = 0; i < count; i++) {
        const double *point = pairs->point_data + pos[i] * (d + 1);
        sq[i] = euclidean_sq(point, z, stride, metric->d);
        scale[i] = root * point[d];
        if (scale[i] < least && scale[i] > 0)
            dot[i] = exact_dot(pairs, query, row[i]);
    }
    pairs->input.correlation_kernels->covariance(&shape, metric->variance, count, sq);
    for (int i = 0; i < count; i++)
        sq[i] = 1 - fabs(ct_cov_to_rho(sq[i] - dot[i], scale[i]));
}

double ct_pair_quantization_error(const struct ct_pair_distances *pairs, int query)
{
    return ct_quantization_error(pairs->input.quantized.unit) / pairs->queries->p[query];
}

struct ct_quantized ct_pair_quantize_query(const struct ct_pair_distances *pairs, int query,
                                           int16_t *buffer)
{
    struct ct_quantized quantized = {NULL, pairs->input.quantized.unit};
    int m = pairs->input.metric->m;
    if (!pairs->input.quantized.v || !(ct_pair_quantization_error(pairs, query) < MAX_ERROR))
        return quantized;
    quantized.v = buffer;
    if (!pairs->input.query_points) {
        quantized.v = pairs->input.quantized.v + pairs->pos_of_row[query] * ct_quantized_stride(m);
    } else {
        const double *v = pairs->queries->v + query * ct_v_stride(m);
        quantized.unit = ct_quantization_unit(v, m, 1);
        ct_quantize_vector(v, m, quantized.unit, buffer);
    }
    return quantized;
}

/* The position of every row. */
static const int *invert_rows(const struct ct_host *host, const struct ct_tree *t)
{
    int *pos_of_row = host->alloc((size_t)t->n, sizeof *pos_of_row);
    for (int pos = 0; pos < t->n; pos++)
        pos_of_row[t->row[pos] - 1] = pos;
    return pos_of_row;
}

/* Coordinates and root of the residual variance side by side: one or two cache lines for a
 * candidate in few dimensions, where the columns of z and p are d + 1 lines. */
static const double *copy_point_data(const struct ct_host *host, const struct ct_tree *t,
                                     const struct ct_factors *points, int d)
{
    double *data = host->alloc((size_t)t->n * ((size_t)d + 1), sizeof *data), *to = data;
    for (int pos = 0; pos < t->n; pos++) {
        int row = t->row[pos];
        for (int j = 0; j < d; j++)
            *to++ = points->z[row - 1 + (size_t)j * points->n];
        *to++ = sqrt(points->p[row - 1]);
    }
    return data;
}

struct ct_pair_distances ct_pair_distances_make(const struct ct_host *host,
                                                const struct ct_pair_input *input,
                                                const struct ct_tree *tree)
{
    const struct ct_factors *points = &input->metric->points;
    return (struct ct_pair_distances){
        .input = *input,
        .queries = input->query_points ? input->query_points : points,
        .pos_of_row = invert_rows(host, tree),
        .point_data = copy_point_data(host, tree, points, input->metric->d),
    };
}
