/* ct_shelf.c: see ct_shelf.h. */
#include "ct_shelf.h"
#include "ct_blocks.h"

#include <float.h>
#include <math.h>

enum { ALIGN = 64, SOME = 64 }; /* SOME: tiles that are filled in a row */

/* Beyond this, a root may be taken for less: its products stay finite in float. */
static const double MOST_ROOT = 1e15;

void *ct_aligned(const struct ct_host *host, size_t count, size_t size)
{
    char *memory = host->alloc(count * size + ALIGN, 1);
    return memory + (ALIGN - (uintptr_t)memory % ALIGN) % ALIGN;
}

struct ct_frame ct_frame_make(const struct ct_host *host, const struct ct_residual *residual)
{
    const struct ct_latent *points = &residual->points;
    struct ct_shape shape = ct_shape(residual->kind);
    struct ct_frame frame = {
        .residual = residual,
        .shape = shape,
        .stretch = shape.squared ? sqrt(shape.scale) : shape.scale,
        .unit = 1 / sqrt(residual->variance),
        .centre = host->alloc((size_t)residual->d, sizeof(double)),
    };
    for (int j = 0; j < residual->d; j++) {
        double sum = 0;
        for (int i = 0; i < points->n; i++)
            sum += points->z[i + (size_t)j * points->n] / points->n;
        frame.centre[j] = sum;
    }
    return frame;
}

static double greater(double a, double b)
{
    return a > b ? a : b;
}

void ct_frame_extend(struct ct_frame *frame, const struct ct_latent *points, double *norm,
                     double *root)
{
    size_t stride = ct_v_stride(frame->residual->m), n = (size_t)points->n;
    for (int i = 0; i < points->n; i++) {
        double reach = 0, far = 0, v = 0;
        for (int j = 0; j < frame->residual->d; j++) {
            double z = points->z[i + j * n], centre = frame->centre[j];
            reach += (z - centre) * (z - centre);
            far += (fabs(z) + fabs(centre)) * (fabs(z) + fabs(centre));
        }
        for (size_t j = 0; j < stride; j++)
            v += points->v[i * stride + j] * points->v[i * stride + j];
        norm[i] = sqrt(v) * frame->unit;
        root[i] = points->p[i] > 0 ? fmin(sqrt(points->p[i]) * frame->unit, MOST_ROOT) : INFINITY;
        frame->reach = greater(frame->reach, sqrt(reach) * frame->stretch);
        frame->far = greater(frame->far, sqrt(far) * frame->stretch);
        frame->longest = greater(frame->longest, norm[i]);
    }
}

double ct_frame_margin(const struct ct_frame *frame, const struct ct_sieve *sieve, double norm)
{
    int d = frame->residual->d, m = frame->residual->m;
    double u = sieve->roundoff, e = DBL_EPSILON / 2, product = norm * frame->longest;
    double dots = (CT_CHUNK + m / CT_CHUNK + 8) * u + (m / CT_V_LANES + 12) * e;
    double k = (d + 24 + 2 * frame->reach) * u + (d + 24 + 8 * frame->far) * e;
    return 1.1 * (dots * product + k);
}

void ct_frame_put(const struct ct_frame *frame, const struct ct_sieve *sieve,
                  const struct ct_latent *points, int pos, int apart, char *z, char *v)
{
    const struct ct_residual *residual = frame->residual;
    sieve->put(z, apart, points->z + pos, (size_t)points->n, frame->centre, frame->stretch,
               residual->d);
    sieve->put(v, apart, points->v + pos * ct_v_stride(residual->m), 1, NULL, frame->unit,
               residual->m);
}

struct filling {
    const struct ct_frame *frame;
    const struct ct_shelf *shelf;
    const double *root;
};

/* The last point fills what is left of the last tile. */
static void fill_some(void *data, int block, int thread)
{
    const struct filling *filling = data;
    const struct ct_residual *residual = filling->frame->residual;
    const struct ct_shelf *shelf = filling->shelf;
    const struct ct_sieve *sieve = shelf->sieve;
    int lanes = sieve->lanes, first = block * SOME * lanes, last = first + SOME * lanes;
    (void)thread;
    for (int i = first; i < last && i < shelf->tiles * lanes; i++) {
        int pos = shelf->pos[i < shelf->count ? i : shelf->count - 1];
        size_t tile = (size_t)(i / lanes) * lanes, lane = (size_t)(i % lanes);
        ct_frame_put(filling->frame, sieve, &residual->points, pos, lanes,
                     shelf->z + (tile * residual->d + lane) * sieve->size,
                     shelf->v + (tile * residual->m + lane) * sieve->size);
        sieve->put(shelf->root + i * sieve->size, 1, filling->root + pos, 1, NULL, 1, 1);
    }
}

struct ct_shelf ct_shelf_make(const struct ct_host *host, const struct ct_frame *frame,
                              const struct ct_sieve *sieve, const int *pos, int count,
                              const double *root, int threads)
{
    int tiles = (count + sieve->lanes - 1) / sieve->lanes;
    size_t places = (size_t)tiles * sieve->lanes;
    struct ct_shelf shelf = {
        .sieve = sieve,
        .pos = pos,
        .count = count,
        .tiles = tiles,
        .v = ct_aligned(host, places * frame->residual->m, sieve->size),
        .z = ct_aligned(host, places * frame->residual->d, sieve->size),
        .root = ct_aligned(host, places, sieve->size),
    };
    struct filling filling = {frame, &shelf, root};
    ct_for_blocks(host, (tiles + SOME - 1) / SOME, threads, fill_some, &filling);
    return shelf;
}
