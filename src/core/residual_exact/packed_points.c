/* packed_points.c: see packed_points.h. */
#include "core/residual_exact/packed_points.h"
#include "core/util/parallel_for.h"

#include <float.h>
#include <math.h>

enum {
    ALIGN = 64,
    SOME = 64,  /* tiles that are filled in a row */
    MANY = 1024 /* points that are taken notice of in a row */
};

/* Beyond this, a root may be taken for less: its products stay finite in float. */
static const double MOST_ROOT = 1e15;

void *ct_alloc_aligned(const struct ct_host *host, size_t count, size_t size)
{
    char *memory = host->alloc(count * size + ALIGN, 1);
    return memory + (ALIGN - (uintptr_t)memory % ALIGN) % ALIGN;
}

struct ct_transform ct_transform_make(const struct ct_host *host,
                                      const struct ct_residual_metric *residual)
{
    const struct ct_factors *points = &residual->points;
    struct ct_covariance_shape shape = ct_covariance_shape(residual->kind);
    struct ct_transform frame = {
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

/* What a thread has met. */
struct farthest {
    double reach, far, longest;
};

struct extending {
    const struct ct_transform *frame;
    const struct ct_factors *points;
    struct ct_point_norms sizes;
    struct farthest *met; /* [threads] */
};

static void extend_some(void *data, int block, int thread)
{
    const struct extending *extending = data;
    const struct ct_transform *frame = extending->frame;
    const struct ct_factors *points = extending->points;
    struct farthest *met = &extending->met[thread];
    size_t stride = ct_v_stride(frame->residual->m), n = (size_t)points->n;
    for (int i = block * MANY; i < points->n && i - block * MANY < MANY; i++) {
        double reach = 0, far = 0, v = 0;
        for (int j = 0; j < frame->residual->d; j++) {
            double z = points->z[i + j * n], centre = frame->centre[j];
            reach += (z - centre) * (z - centre);
            far += (fabs(z) + fabs(centre)) * (fabs(z) + fabs(centre));
        }
        for (size_t j = 0; j < stride; j++)
            v += points->v[i * stride + j] * points->v[i * stride + j];
        double root = sqrt(points->p[i]) * frame->unit, norm = sqrt(v) * frame->unit;
        extending->sizes.norm[i] = norm;
        extending->sizes.root[i] = points->p[i] > 0 ? fmin(root, MOST_ROOT) : INFINITY;
        met->reach = greater(met->reach, sqrt(reach) * frame->stretch);
        met->far = greater(met->far, sqrt(far) * frame->stretch);
        met->longest = greater(met->longest, norm);
    }
}

struct ct_point_norms ct_error_bound_extend(const struct ct_host *host, struct ct_transform *frame,
                                            const struct ct_factors *points, int threads)
{
    struct extending extending = {
        .frame = frame,
        .points = points,
        .sizes = {host->alloc((size_t)points->n, sizeof(double)),
                  host->alloc((size_t)points->n, sizeof(double))},
        .met = host->alloc((size_t)threads, sizeof *extending.met),
    };
    for (int thread = 0; thread < threads; thread++)
        extending.met[thread] = (struct farthest){frame->reach, frame->far, frame->longest};
    ct_parallel_for(host, (points->n + MANY - 1) / MANY, threads, extend_some, &extending);
    for (int thread = 0; thread < threads; thread++) {
        frame->reach = greater(frame->reach, extending.met[thread].reach);
        frame->far = greater(frame->far, extending.met[thread].far);
        frame->longest = greater(frame->longest, extending.met[thread].longest);
    }
    return extending.sizes;
}

/* What k is off by, and what other terms come to that do not depend on v. */
static double margin_of_k(const struct ct_transform *frame, double u)
{
    int d = frame->residual->d;
    double e = DBL_EPSILON / 2;
    return (d + 24 + 2 * frame->reach) * u + (d + 24 + 8 * frame->far) * e;
}

double ct_error_bound_margin(const struct ct_transform *frame,
                             const struct ct_filter_kernels *sieve, double norm)
{
    int m = frame->residual->m;
    double u = sieve->roundoff, e = DBL_EPSILON / 2, product = norm * frame->longest;
    double dots = (CT_CHUNK + m / CT_CHUNK + 8) * u + (m / CT_V_LANES + 12) * e;
    return 1.1 * ((dots + frame->turn.off) * product + margin_of_k(frame, u));
}

double ct_negligible_limit(const struct ct_transform *frame, const struct ct_filter_kernels *sieve)
{
    return margin_of_k(frame, sieve->roundoff) < 0x1p-8 ? 0x1p-60 : -1;
}

size_t ct_transform_scratch_size(const struct ct_transform *frame)
{
    size_t turned = (size_t)CT_GROUP * frame->residual->m;
    return frame->rest > 0 ? ct_rotation_scratch_size(&frame->turn) + turned : 0;
}

/* Twice the numbers' rounding, and that of a product, is too much. */
static double slack_of(const double *rest, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += rest[i] * rest[i];
    return sqrt(sum) * (1 + 4 * FLT_EPSILON) * (1 + count * DBL_EPSILON);
}

static void put_turned(const struct ct_transform *frame, const struct ct_filter_kernels *sieve,
                       const double *const *v, double *room, struct ct_packed_group *seats)
{
    int m = frame->residual->m, rest = frame->rest, lead = m - rest;
    double *turned = room + ct_rotation_scratch_size(&frame->turn);
    ct_rotate_group(&frame->turn, v, frame->unit, room, turned);
    for (int i = 0; i < CT_GROUP; i++, turned += m) {
        sieve->pack(seats->v + i * sieve->value_size, seats->apart, turned, 1, NULL, 1, lead);
        sieve->pack(seats->rest + (size_t)i * rest * sieve->value_size, 1, turned + lead, 1, NULL,
                    1, rest);
        seats->slack[i] = slack_of(turned + lead, rest);
    }
}

void ct_pack_group(const struct ct_transform *frame, const struct ct_filter_kernels *sieve,
                   const struct ct_factors *points, const int *pos, double *room,
                   struct ct_packed_group *seats)
{
    const struct ct_residual_metric *residual = frame->residual;
    const double *v[CT_GROUP];
    for (int i = 0; i < CT_GROUP; i++) {
        v[i] = points->v + pos[i] * ct_v_stride(residual->m);
        sieve->pack(seats->z + i * sieve->value_size, seats->apart, points->z + pos[i],
                    (size_t)points->n, frame->centre, frame->stretch, residual->d);
    }
    if (frame->rest > 0) {
        put_turned(frame, sieve, v, room, seats);
        return;
    }
    for (int i = 0; i < CT_GROUP; i++) {
        sieve->pack(seats->v + i * sieve->value_size, seats->apart, v[i], 1, NULL, frame->unit,
                    residual->m);
        seats->slack[i] = 0;
    }
}

struct filling {
    const struct ct_transform *frame;
    const struct ct_packed_points *shelf;
    const struct ct_point_norms *sizes;
    double *room; /* that of a team for each thread */
};

/* The last point fills what is left of the last tile. */
static void fill_team(const struct filling *filling, int first, double *room)
{
    const struct ct_residual_metric *residual = filling->frame->residual;
    const struct ct_packed_points *shelf = filling->shelf;
    const struct ct_filter_kernels *sieve = shelf->sieve;
    int lanes = sieve->lanes, pos[CT_GROUP], rest = filling->frame->rest;
    size_t size = sieve->value_size, tile = (size_t)(first / lanes) * lanes,
           lane = (size_t)first - tile;
    struct ct_packed_group seats = {
        .apart = lanes,
        .z = shelf->z + (tile * residual->d + lane) * size,
        .v = shelf->v + (tile * (residual->m - rest) + lane) * size,
        .rest = shelf->rest + (size_t)first * rest * size,
    };
    for (int i = 0; i < CT_GROUP; i++)
        pos[i] = shelf->pos[first + i < shelf->count ? first + i : shelf->count - 1];
    ct_pack_group(filling->frame, sieve, &residual->points, pos, room, &seats);
    sieve->pack(shelf->slack + first * size, 1, seats.slack, 1, NULL, 1, CT_GROUP);
    for (int i = 0; i < CT_GROUP; i++) {
        size_t at = (first + i) * size;
        sieve->pack(shelf->root + at, 1, filling->sizes->root + pos[i], 1, NULL, 1, 1);
        sieve->pack(shelf->norm + at, 1, filling->sizes->norm + pos[i], 1, NULL, 1, 1);
    }
}

static void fill_some(void *data, int block, int thread)
{
    const struct filling *filling = data;
    int lanes = filling->shelf->sieve->lanes, last = filling->shelf->tiles * lanes;
    int first = block * SOME * lanes,
        end = last - first < SOME * lanes ? last : first + SOME * lanes;
    double *room = filling->room + thread * ct_transform_scratch_size(filling->frame);
    for (; first < end; first += CT_GROUP)
        fill_team(filling, first, room);
}

struct ct_packed_points ct_packed_points_make(const struct ct_host *host,
                                              const struct ct_transform *frame,
                                              const struct ct_filter_kernels *sieve, const int *pos,
                                              int count, const struct ct_point_norms *sizes,
                                              int threads)
{
    int tiles = (count + sieve->lanes - 1) / sieve->lanes;
    size_t places = (size_t)tiles * sieve->lanes, rest = (size_t)frame->rest;
    struct ct_packed_points shelf = {
        .sieve = sieve,
        .pos = pos,
        .count = count,
        .tiles = tiles,
        .v = ct_alloc_aligned(host, places * (frame->residual->m - rest), sieve->value_size),
        .rest = ct_alloc_aligned(host, places * rest, sieve->value_size),
        .z = ct_alloc_aligned(host, places * frame->residual->d, sieve->value_size),
        .root = ct_alloc_aligned(host, places, sieve->value_size),
        .slack = ct_alloc_aligned(host, places, sieve->value_size),
        .norm = ct_alloc_aligned(host, places, sieve->value_size),
    };
    double *room = host->alloc(threads * ct_transform_scratch_size(frame), sizeof *room);
    struct filling filling = {frame, &shelf, sizes, room};
    ct_parallel_for(host, (tiles + SOME - 1) / SOME, threads, fill_some, &filling);
    return shelf;
}
