/* ct_pairs.c: see ct_pairs.h. */
#include "ct_pairs.h"
#include "ct_distance.h"
#include "ct_parallel.h"

#include <math.h>

enum { LINES = 6 }; /* of a row that are fetched ahead */

/* Share of the variance below which a query's residual drowns in the rounding of floats. */
static const double CLEAR = 1e-3;

/* Rows far apart in memory arrive while others are met; what follows the first lines
 * of a row, the processor foresees. */
static inline void fetch(const void *row)
{
    for (int line = 0; line < LINES; line++)
        __builtin_prefetch((const char *)row + 64 * line);
}

static void dots_fine(const struct ct_pairs *pairs, int line, const int *row, int count, double *to)
{
    const struct ct_walk *walk = pairs->walk;
    size_t stride = ct_v_stride(walk->residual->m);
    for (int c = 0; c < count; c++)
        fetch(walk->residual->points.v + (row[c] - 1) * stride);
    for (int c = 0; c < count; c += CT_ROWS) {
        const double *w[CT_ROWS];
        for (int r = 0; r < CT_ROWS; r++)
            w[r] = walk->residual->points.v + (row[c + r < count ? c + r : c] - 1) * stride;
        walk->rows->fine(pairs->from->v + line * stride, w, stride, to + c);
    }
}

static void dots_coarse(const struct ct_pairs *pairs, const float *query, const int *place,
                        int count, double *to)
{
    const struct ct_walk *walk = pairs->walk;
    size_t stride = ct_row_stride(walk->residual->m);
    for (int c = 0; c < count; c++)
        fetch(walk->single + place[c] * stride);
    for (int c = 0; c < count; c += CT_ROWS) {
        const float *w[CT_ROWS];
        float dot[CT_ROWS];
        for (int r = 0; r < CT_ROWS; r++)
            w[r] = walk->single + place[c + r < count ? c + r : c] * stride;
        walk->rows->coarse(query, w, stride, dot);
        for (int r = 0; r < CT_ROWS; r++)
            to[c + r] = dot[r];
    }
}

void ct_pairs_rho(const struct ct_pairs *pairs, int line, const float *query, const int *row,
                  int count, double *rho)
{
    const struct ct_residual *residual = pairs->walk->residual;
    const struct ct_latent *from = pairs->from;
    const struct ct_shape shape = ct_shape(residual->kind);
    double dot[CT_WAVE + CT_ROWS] = {0}, root = sqrt(from->p[line]);
    size_t d = (size_t)residual->d;
    int place[CT_WAVE];
    for (int c = 0; c < count; c++) {
        place[c] = pairs->place[row[c] - 1];
        rho[c] = ct_sqdist(pairs->spot + place[c] * (d + 1), 1, from->z + line, (size_t)from->n,
                           residual->d);
    }
    pairs->walk->dots->covariance(&shape, residual->variance, count, rho);
    if (residual->m > 0 && query)
        dots_coarse(pairs, query, place, count, dot);
    else if (residual->m > 0)
        dots_fine(pairs, line, row, count, dot);
    for (int c = 0; c < count; c++) {
        double scale = root * pairs->spot[place[c] * (d + 1) + d];
        double its = scale > 0 ? (rho[c] - dot[c]) / scale : 0;
        rho[c] = its > 1 ? 1 : its < -1 ? -1 : its;
    }
}

const float *ct_pairs_query(const struct ct_pairs *pairs, int line, float *query)
{
    const struct ct_walk *walk = pairs->walk;
    int m = walk->residual->m;
    if (!walk->single || pairs->from->p[line] < CLEAR * walk->residual->variance)
        return NULL;
    if (!walk->foreign)
        return walk->single + pairs->place[line] * ct_row_stride(m);
    ct_walk_single(walk->foreign->v + line * ct_v_stride(m), m, NULL, 1, 1, query);
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
                                const struct ct_latent *points, int d)
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

void ct_walk_single(const double *v, int m, const int *row, int n, int threads, float *to)
{
    size_t stride = ct_v_stride(m), to_stride = ct_row_stride(m);
    CT_PRAGMA(omp parallel for if (threads > 1) num_threads(threads) schedule(static))
    for (int i = 0; i < n; i++) {
        const double *from = v + (row ? row[i] - 1 : i) * stride;
        for (size_t j = 0; j < to_stride; j++)
            to[i * to_stride + j] = j < stride ? (float)from[j] : 0;
    }
    (void)threads;
}

struct ct_pairs ct_pairs_make(const struct ct_host *host, const struct ct_walk *walk,
                              const struct ct_tree *t)
{
    const struct ct_latent *points = &walk->residual->points;
    return (struct ct_pairs){
        .walk = walk,
        .from = walk->foreign ? walk->foreign : points,
        .place = list_places(host, t),
        .spot = list_spots(host, t, points, walk->residual->d),
    };
}
