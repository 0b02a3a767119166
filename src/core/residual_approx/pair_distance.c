/* pair_distance.c: see pair_distance.h. */
#include "core/residual_approx/pair_distance.h"
#include "core/metric/euclidean.h"

#include <math.h>
#include <string.h>

enum { LINES = 2 }; /* of a row that are fetched ahead */

/* Correlations in so much doubt are had from v itself. */
static const double UNCLEAR = 0.02;

/* Rows far apart in memory arrive while others are met; what follows the first lines
 * of a row, the processor foresees. */
static inline void fetch(const void *row)
{
    for (int line = 0; line < LINES; line++)
        __builtin_prefetch((const char *)row + 64 * line);
}

static double dot_fine(const struct ct_pair_distances *pairs, int line, int row)
{
    const struct ct_approx_search *walk = pairs->walk;
    size_t stride = ct_v_stride(walk->residual->m);
    return walk->dots->dot(pairs->from->v + line * stride,
                           walk->residual->points.v + (row - 1) * stride, stride);
}

static void dots_fine(const struct ct_pair_distances *pairs, int line, const int *row, int count,
                      double *to)
{
    const struct ct_approx_search *walk = pairs->walk;
    size_t stride = ct_v_stride(walk->residual->m);
    for (int c = 0; c < count; c++)
        fetch(walk->residual->points.v + (row[c] - 1) * stride);
    for (int c = 0; c < count; c += CT_DOT4_COUNT) {
        const double *w[CT_DOT4_COUNT];
        for (int r = 0; r < CT_DOT4_COUNT; r++)
            w[r] = walk->residual->points.v + (row[c + r < count ? c + r : c] - 1) * stride;
        walk->rows->dot_f64(pairs->from->v + line * stride, w, stride, to + c);
    }
}

static void dots_coarse(const struct ct_pair_distances *pairs, struct ct_quantized query,
                        const int *place, int count, double *to)
{
    const struct ct_approx_search *walk = pairs->walk;
    size_t stride = ct_quantized_stride(walk->residual->m);
    double unit = query.unit * walk->coarse.unit;
    for (int c = 0; c < count; c++)
        fetch(walk->coarse.v + place[c] * stride);
    for (int c = 0; c < count; c += CT_DOT4_COUNT) {
        const int16_t *w[CT_DOT4_COUNT];
        int32_t dot[CT_DOT4_COUNT];
        for (int r = 0; r < CT_DOT4_COUNT; r++)
            w[r] = walk->coarse.v + place[c + r < count ? c + r : c] * stride;
        walk->rows->dot_i16(query.v, w, stride, dot);
        for (int r = 0; r < CT_DOT4_COUNT; r++)
            to[c + r] = unit * dot[r];
    }
}

/* Few dimensions are unrolled. */
static inline double sqdist(const double *x, const double *z, size_t step, int d)
{
    return d == 2   ? ct_sqdist(x, 1, z, step, 2)
           : d == 3 ? ct_sqdist(x, 1, z, step, 3)
                    : ct_sqdist(x, 1, z, step, d);
}

void ct_pair_distances_sq(const struct ct_pair_distances *pairs, int line,
                          struct ct_quantized query, const int *row, int count, double *sq)
{
    const struct ct_residual_metric *residual = pairs->walk->residual;
    const struct ct_factors *from = pairs->from;
    const struct ct_covariance_shape shape = ct_covariance_shape(residual->kind);
    double dot[CT_PAIR_BATCH + CT_DOT4_COUNT], scale[CT_PAIR_BATCH], root = sqrt(from->p[line]);
    size_t d = (size_t)residual->d;
    int place[CT_PAIR_BATCH];
    const double *z = from->z + line;
    size_t step = (size_t)from->n;
    if (!pairs->walk->foreign) {
        z = pairs->spot + pairs->place[line] * (d + 1);
        step = 1;
    }
    for (int c = 0; c < count; c++) {
        place[c] = pairs->place[row[c] - 1];
        __builtin_prefetch(pairs->spot + place[c] * (d + 1));
    }
    if (residual->m > 0 && query.v)
        dots_coarse(pairs, query, place, count, dot);
    else if (residual->m > 0)
        dots_fine(pairs, line, row, count, dot);
    else
        memset(dot, 0, sizeof dot);
    double clear = query.v ? ct_quantization_error(pairs->walk->coarse.unit) / UNCLEAR : 0;
    for (int c = 0; c < count; c++) {
        const double *spot = pairs->spot + place[c] * (d + 1);
        sq[c] = sqdist(spot, z, step, residual->d);
        scale[c] = root * spot[d];
        if (scale[c] < clear && scale[c] > 0)
            dot[c] = dot_fine(pairs, line, row[c]);
    }
    pairs->walk->dots->covariance(&shape, residual->variance, count, sq);
    for (int c = 0; c < count; c++)
        sq[c] = 1 - fabs(ct_cov_to_rho(sq[c] - dot[c], scale[c]));
}

double ct_pair_quantization_error(const struct ct_pair_distances *pairs, int line)
{
    return ct_quantization_error(pairs->walk->coarse.unit) / pairs->from->p[line];
}

struct ct_quantized ct_pair_quantize_query(const struct ct_pair_distances *pairs, int line,
                                           int16_t *buffer)
{
    const struct ct_approx_search *walk = pairs->walk;
    struct ct_quantized query = {NULL, walk->coarse.unit};
    int m = walk->residual->m;
    if (!walk->coarse.v || !(ct_pair_quantization_error(pairs, line) < UNCLEAR))
        return query;
    query.v = buffer;
    if (!walk->foreign) {
        query.v = walk->coarse.v + pairs->place[line] * ct_quantized_stride(m);
    } else {
        const double *v = walk->foreign->v + line * ct_v_stride(m);
        query.unit = ct_quantization_unit(v, m, 1);
        ct_quantize_vector(v, m, query.unit, buffer);
    }
    return query;
}

static const int *list_places(const struct ct_host *host, const struct ct_tree *t)
{
    int *place = host->alloc((size_t)t->n, sizeof *place);
    for (int pos = 0; pos < t->n; pos++)
        place[t->row[pos] - 1] = pos;
    return place;
}

static const double *list_spots(const struct ct_host *host, const struct ct_tree *t,
                                const struct ct_factors *points, int d)
{
    double *spot = host->alloc((size_t)t->n * ((size_t)d + 1), sizeof *spot), *to = spot;
    for (int pos = 0; pos < t->n; pos++) {
        int line = t->row[pos] - 1;
        for (int j = 0; j < d; j++)
            *to++ = points->z[line + (size_t)j * points->n];
        *to++ = sqrt(points->p[line]);
    }
    return spot;
}

struct ct_pair_distances ct_pair_distances_make(const struct ct_host *host,
                                                const struct ct_approx_search *walk,
                                                const struct ct_tree *t)
{
    const struct ct_factors *points = &walk->residual->points;
    return (struct ct_pair_distances){
        .walk = walk,
        .from = walk->foreign ? walk->foreign : points,
        .place = list_places(host, t),
        .spot = list_spots(host, t, points, walk->residual->d),
    };
}
