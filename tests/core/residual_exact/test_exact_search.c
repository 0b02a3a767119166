/* test_exact_search.c: residual correlations have the same bits at every level, near
 * those of long doubles, and the scan finds what sorting all of them finds: any
 * covariance, any residual variance, own points, some of them or others, in float
 * and in double, for any number of threads. Sieves let through what they must. */
#include "check.h"
#include "clouds.h"
#include "core/residual/correlation.h"
#include "core/residual_exact/packed_points.h"
#include "core/search/query.h"
#include "host.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct ct_correlation_kernels *dots_of(int level)
{
    return ct_correlation_kernels((enum ct_simd_level)level);
}

/* ---- exp ---- */

/* exp(-a) as the exponential covariance has it, of a distance whose square has a
 * root: squares of short numbers. */
static void check_exp(void)
{
    enum { MANY = 20000 };
    struct ct_covariance_shape shape = ct_covariance_shape(CT_EXPONENTIAL);
    double *a = keep(MANY, sizeof *a), *first = keep(MANY, sizeof *first), worst = 0;
    for (int i = 0; i < MANY; i++) {
        double x = random_below(3) ? 710 * random_uniform() : ldexp(random_uniform(), -(i % 60));
        a[i] = (double)(float)x;
    }
    a[0] = 0, a[1] = 708, a[2] = nextafterf(708, 709), a[3] = 1e30, a[4] = 1e-30, a[5] = INFINITY;
    for (int level = 0; level <= (int)ct_simd_best(); level++) {
        double *k = keep(MANY, sizeof *k);
        for (int i = 0; i < MANY; i++)
            k[i] = a[i] * a[i];
        for (int i = 0, count; i < MANY; i += count) {
            count = 1 + random_below(19);
            count = count < MANY - i ? count : MANY - i;
            dots_of(level)->covariance(&shape, 1, count, k + i);
        }
        for (int i = 0; i < MANY; i++) {
            double want = exp(-a[i]);
            if (a[i] <= 708)
                worst = fmax(worst, fabs(k[i] - want) / (nextafter(want, 2) - want));
        }
        if (level == 0)
            memcpy(first, k, MANY * sizeof *k);
        check_about("exp, %s", dots_of(level)->name);
        CHECK(memcmp(first, k, MANY * sizeof *k) == 0);
    }
    check_about("exp, %g units in the last place", worst);
    CHECK(worst <= 2);
    double ends[] = {0, 708.0 * 708.0, 708.1 * 708.1, 1e60, INFINITY, 1e-60};
    dots_of(0)->covariance(&shape, 1, 6, ends);
    CHECK(ends[0] == 1 && ends[1] > 0 && ends[2] == 0 && ends[3] == 0 && ends[4] == 0);
    CHECK(ends[5] == 1);
    keep_end();
}

/* ---- problems ---- */

struct problem {
    struct ct_residual_metric residual;
    struct ct_factors others;
};

static struct ct_factors copy_some(const struct ct_factors *points, int d, int m, int n)
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

/* Residual variances: 1, about, or from 1 down to 1e-14 and 0. */
static double some_p(int style)
{
    if (style == 0)
        return 0.5 + 0.5 * random_uniform();
    if (style == 1)
        return random_below(8)   ? 0.3 + 0.7 * random_uniform()
               : random_below(3) ? pow(10, -14 * random_uniform())
                                 : 0;
    return random_below(8) ? pow(10, -14 * random_uniform()) : 0;
}

/* v . v = variance - p, as it is where there is no nugget. Directions are few, so
 * correlations are of all sizes, and beyond 1. */
static void fill_v(double *v, int m, double variance, double p, double spread)
{
    double sum = 0;
    for (int j = 0; j < (int)ct_v_stride(m); j++)
        v[j] = j < m ? 1.0 / (1 + j) + spread * random_normal() : 0;
    for (int j = 0; j < m; j++)
        sum += v[j] * v[j];
    for (int j = 0; j < m; j++)
        v[j] *= sqrt(variance - p) / sqrt(sum);
}

static struct problem some_problem(enum ct_covariance kind, int n, int d, int m, int style)
{
    double variance = ldexp(1 + random_uniform(), random_below(40) - 20);
    double offset = random_below(3) ? 0 : 1000 * random_normal(), spread = random_uniform();
    double scale = ldexp(1, random_below(8) - 4);
    size_t stride = ct_v_stride(m);
    double *z = keep((size_t)n * d, sizeof *z), *v = keep(n * stride, sizeof *v);
    double *p = keep((size_t)n, sizeof *p);
    for (int i = 0; i < n; i++) {
        int twin = i > 0 && random_below(5) == 0 ? random_below(i) : -1;
        p[i] = twin < 0 ? variance * some_p(style) : p[twin];
        for (int j = 0; j < d; j++)
            z[i + j * n] = twin < 0 ? offset + scale * random_normal() : z[twin + j * n];
        if (twin < 0)
            fill_v(v + i * stride, m, variance, p[i], spread);
        else
            memcpy(v + i * stride, v + twin * stride, stride * sizeof *v);
    }
    struct problem problem = {.residual = {kind, variance, d, m, {n, z, v, p}}};
    problem.others = copy_some(&problem.residual.points, d, m, 37);
    return problem;
}

/* ---- one correlation ---- */

/* Covariance less product, of point i and other j. */
static long double naive_rest(const struct problem *problem, int i, int j)
{
    const struct ct_residual_metric *r = &problem->residual;
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

static long double naive_rho(const struct problem *problem, int i, int j)
{
    long double scale = sqrtl((long double)problem->residual.points.p[i] * problem->others.p[j]);
    long double rho = scale > 0 ? naive_rest(problem, i, j) / scale : 0;
    return rho > 1 ? 1 : rho < -1 ? -1 : rho;
}

static void check_rho(enum ct_covariance kind, int d, int m)
{
    enum { N = 90 };
    struct problem problem = some_problem(kind, N, d, m, 1);
    const struct ct_factors *others = &problem.others, *points = &problem.residual.points;
    struct problem turned = {{kind, problem.residual.variance, d, m, *others}, *points};
    int pos[N], bits = 0, turns = 0;
    double rho[N], again[N], worst = 0;
    for (int i = 0; i < N; i++)
        pos[i] = N - 1 - i;
    for (int j = 0; j < others->n; j++) {
        ct_residual_rho(dots_of(0), &problem.residual, others, j, pos, N, rho);
        for (int level = 1; level <= (int)ct_simd_best(); level++) {
            ct_residual_rho(dots_of(level), &problem.residual, others, j, pos, N, again);
            bits += memcmp(rho, again, sizeof rho) != 0;
        }
        for (int i = 0; i < N; i++) {
            double scale = sqrt(points->p[pos[i]] * others->p[j]) / problem.residual.variance;
            double off = fabs((double)(rho[i] - naive_rho(&problem, pos[i], j)));
            worst = fmax(worst, scale > 0 ? off * fmin(scale, 1) : off > 0);
            ct_residual_rho(dots_of(0), &turned.residual, points, pos[i], &j, 1, again);
            turns += again[0] != rho[i];
        }
    }
    check_about("kind %d, d %d, m %d: off by %g", kind, d, m, worst);
    CHECK(bits == 0);
    CHECK(turns == 0);
    CHECK(worst < 1e-12);
    keep_end();
}

/* ---- sieves ---- */

/* What a sieve makes of a shelf's first tile and of some queries. */
struct sieved {
    double worst; /* error, in margins */
    int lost;     /* pairs that are wrongly kept out, at levels all around them */
    int trifles;  /* pairs that are, and are not nearly at distance 1 */
};

/* Turns v, of which `rest` numbers are to be met last. */
static void turn_frame(struct ct_transform *frame, const struct ct_correlation_kernels *dots,
                       int rest)
{
    const struct ct_residual_metric *r = frame->residual;
    if (rest > 0)
        frame->turn =
            ct_rotation_make(&host, dots, r->points.v, r->points.n, r->m, ct_v_stride(r->m), 1);
    frame->rest = rest;
}

static void sieve_some(const struct problem *problem, const struct ct_correlation_kernels *dots,
                       const struct ct_filter_kernels *sieve, int rest, struct sieved *sieved)
{
    const struct ct_residual_metric *r = &problem->residual;
    const struct ct_factors *points = &r->points, *others = &problem->others;
    struct ct_transform frame = ct_transform_make(&host, r);
    double level[CT_GROUP], margin[CT_GROUP], trifle[CT_GROUP];
    unsigned within[CT_GROUP], all[CT_GROUP];
    int pos[64], query[CT_GROUP] = {0, 1, 2, 3, 4, 5, 6, 7}, lead = r->m - rest;
    size_t row = sieve->lanes * sieve->value_size;
    for (int i = 0; i < points->n; i++)
        pos[i] = i;
    struct ct_point_norms size = ct_error_bound_extend(&host, &frame, points, 2);
    struct ct_point_norms other = ct_error_bound_extend(&host, &frame, others, 1);
    turn_frame(&frame, dots, rest);
    struct ct_packed_points shelf =
        ct_packed_points_make(&host, &frame, sieve, pos, points->n, &size, 1);
    struct ct_packed_group seats = {
        .apart = CT_GROUP,
        .z = ct_alloc_aligned(&host, (size_t)r->d * CT_GROUP, sieve->value_size),
        .v = ct_alloc_aligned(&host, (size_t)r->m * CT_GROUP, sieve->value_size),
        .rest = ct_alloc_aligned(&host, (size_t)r->m * CT_GROUP, sieve->value_size)};
    char *sums = ct_alloc_aligned(&host, CT_GROUP, row);
    memset(sums, 0, row * CT_GROUP);
    ct_pack_group(&frame, sieve, others, query,
                  host.alloc(ct_transform_scratch_size(&frame), sizeof(double)), &seats);
    for (int j = 0; j < CT_GROUP; j++) {
        int near = random_below(points->n < sieve->lanes ? points->n : sieve->lanes);
        long double least = fabsl(naive_rest(problem, near, j)) / r->variance / size.root[near];
        margin[j] = ct_error_bound_margin(&frame, sieve, other.norm[j]);
        level[j] = (double)least * (1 - 16 * sieve->roundoff);
        trifle[j] = ct_negligible_limit(&frame, sieve) * other.root[j];
        all[j] = ~0u;
    }
    for (int from = 0, count; from < lead; from += count) {
        count = lead - from < CT_CHUNK ? lead - from : CT_CHUNK;
        sieve->add_dots(shelf.v + from * row, seats.v + (size_t)from * CT_GROUP * sieve->value_size,
                        count, sums);
    }
    struct ct_filter_input meeting = {&frame.shape, r->d,        shelf.z,    seats.z,
                                      shelf.root,   shelf.slack, shelf.norm, level,
                                      margin,       seats.slack, other.norm, trifle};
    sieve->filter(&meeting, sums, within);
    sieve->drop_negligible(&meeting, all);
    for (int j = 0; j < CT_GROUP; j++) {
        if (rest > 0)
            sieve->subtract_tail(shelf.rest, seats.rest + (size_t)j * rest * sieve->value_size,
                                 rest, ~0u >> (32 - sieve->lanes), sums + j * row);
        for (int i = 0; i < sieve->lanes && i < points->n; i++) {
            const char *sum = sums + j * row + i * sieve->value_size;
            double got = fabs(sieve->value_size == 4 ? *(const float *)sum : *(const double *)sum);
            long double want = fabsl(naive_rest(problem, i, j)) / r->variance;
            sieved->worst = fmax(sieved->worst, fabs((double)(got - want)) / margin[j]);
            sieved->lost += !(within[j] >> i & 1) &&
                            want / size.root[i] >= level[j] / (1 - 16 * sieve->roundoff);
            sieved->trifles += !(all[j] >> i & 1) && want / size.root[i] / other.root[j] > 0x1p-54;
        }
    }
    host_end_call();
}

static int some_rest(int m, int lanes)
{
    return lanes * random_below(m / lanes + 1);
}

static void check_sieves(enum ct_covariance kind, int d, int m)
{
    for (int level = 0; level <= (int)ct_simd_best(); level++) {
        const struct ct_correlation_kernels *dots = dots_of(level);
        struct sieved fine = {0}, coarse = {0};
        for (int round = 0; round < 20; round++) {
            struct problem problem = some_problem(kind, 1 + random_below(64), d, m, round % 3);
            sieve_some(&problem, dots, &dots->filter_f64, some_rest(m, dots->filter_f64.lanes),
                       &fine);
            sieve_some(&problem, dots, &dots->filter_f32, some_rest(m, dots->filter_f32.lanes),
                       &coarse);
            keep_end();
        }
        check_about("sieve, kind %d, d %d, m %d, %s: %g and %g of the margins", kind, d, m,
                    dots->name, fine.worst, coarse.worst);
        CHECK(fine.worst <= 1);
        CHECK(coarse.worst <= 1);
        CHECK(fine.lost + coarse.lost == 0);
        CHECK(fine.trifles + coarse.trifles == 0);
    }
}

/* ---- scans ---- */

struct way {
    int level, threads;
    enum ct_precision precision;
};

struct asked {
    const struct ct_factors *foreign;
    const int *row;
    int count, predecessors;
};

struct near {
    double distance;
    int row;
};

static int nearer(const void *a, const void *b)
{
    const struct near *x = a, *y = b;
    if (x->distance != y->distance)
        return x->distance < y->distance ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Fills near with all that a query may find, in order; returns how many. */
static int find_all(const struct ct_residual_metric *residual, const struct asked *asked, int query,
                    struct near *near)
{
    const struct ct_factors *points = &residual->points;
    int own = !asked->foreign, found = 0;
    int at = asked->row ? asked->row[query] - 1 : query;
    for (int i = 0; i < points->n; i++) {
        double rho;
        if (own && (i == at || (asked->predecessors && i > at)))
            continue;
        ct_residual_rho(dots_of(0), residual, own ? points : asked->foreign, at, &i, 1, &rho);
        near[found++] = (struct near){sqrt(1 - fabs(rho)), i + 1};
    }
    qsort(near, (size_t)found, sizeof *near, nearer);
    return found;
}

static void check_scan(const struct ct_residual_metric *residual, struct asked asked, int k)
{
    size_t size = (size_t)asked.count * k;
    int *want = keep(size, sizeof *want), wrong = 0;
    double *want_distance = keep(size, sizeof *want_distance);
    struct near *near = keep((size_t)residual->points.n, sizeof *near);
    for (int i = 0; i < asked.count; i++) {
        int found = find_all(residual, &asked, i, near);
        for (int j = 0; j < k; j++) {
            want[i + (size_t)j * asked.count] = j < found ? near[j].row : CT_NO_ROW;
            want_distance[i + (size_t)j * asked.count] = j < found ? near[j].distance : -1;
        }
    }
    for (int round = 0; round < 12; round++) {
        int level = round % 3 <= (int)ct_simd_best() ? round % 3 : 0;
        struct ct_residual_stats tally = {0};
        int *index = host.alloc(size, sizeof *index);
        double *distance = host.alloc(size, sizeof *distance);
        struct ct_exact_batch batch = {
            .residual = residual,
            .foreign = asked.foreign,
            .row = asked.row,
            .count = asked.count,
            .predecessors = asked.predecessors,
            .threads = 1 + (round + round / 3) % 3,
            .precision = (enum ct_precision)(round / 3 % 3),
            .rest = round % 2 ? random_below(residual->m + 40) - 1 : 0,
            .kernels = ct_kernels((enum ct_simd_level)level),
            .dots = dots_of(level),
            .tally = &tally,
        };
        ct_exact_search(&host, &batch, k, -1, index, distance);
        wrong += memcmp(index, want, size * sizeof *index) != 0;
        wrong += memcmp(distance, want_distance, size * sizeof *distance) != 0;
        wrong += batch.precision == CT_PRECISION_F64 && tally.coarse > 0;
        wrong += batch.precision == CT_PRECISION_F32 && tally.fine > 0;
        host_end_call();
    }
    check_about("kind %d, n %d, d %d, m %d, k %d, %s, %d queries%s", residual->kind,
                residual->points.n, residual->d, residual->m, k,
                asked.foreign ? "others"
                : asked.row   ? "some"
                              : "all",
                asked.count, asked.predecessors ? " and what precedes them" : "");
    CHECK(wrong == 0);
}

static void check_scans(enum ct_covariance kind, int n, int d, int m, int style)
{
    struct problem problem = some_problem(kind, n, d, m, style);
    int some = 1 + random_below(100), *row = keep((size_t)some, sizeof *row);
    int k = 1 + random_below(20);
    for (int i = 0; i < some; i++)
        row[i] = 1 + random_below(n);
    check_scan(&problem.residual, (struct asked){NULL, NULL, n, 0}, k);
    check_scan(&problem.residual, (struct asked){NULL, NULL, n, 1}, k);
    check_scan(&problem.residual, (struct asked){NULL, row, some, random_below(2)}, k);
    check_scan(&problem.residual, (struct asked){&problem.others, NULL, 37, 0}, k);
    if (n < 100)
        check_scan(&problem.residual, (struct asked){NULL, NULL, n, random_below(2)}, n + 2);
    keep_end();
}

/* Points so far apart that nearly all correlations are exactly 0, with few v that
 * are not: ties at distance 1, told apart by rows, and of which few are looked at. */
static void check_ties(enum ct_covariance kind, int n, int m, int style)
{
    struct problem problem = some_problem(kind, n, 2, m, style);
    struct ct_residual_metric *r = &problem.residual;
    double *z = keep((size_t)n * 2, sizeof *z), *v = keep(n * ct_v_stride(m), sizeof *v);
    for (int i = 0; i < 2 * n; i++)
        z[i] = 1000 * r->points.z[i];
    for (size_t i = 0; i < n * ct_v_stride(m); i++)
        v[i] = i / ct_v_stride(m) % 50 == 7 ? r->points.v[i] : 0;
    r->points.z = z;
    r->points.v = v;
    for (int predecessors = 0; predecessors < 2; predecessors++) {
        struct ct_residual_stats tally = {0};
        check_scan(r, (struct asked){NULL, NULL, n, predecessors}, 9);
        struct ct_exact_batch batch = {.residual = r,
                                       .count = n,
                                       .predecessors = predecessors,
                                       .threads = 2,
                                       .kernels = ct_kernels(ct_simd_best()),
                                       .dots = dots_of((int)ct_simd_best()),
                                       .tally = &tally};
        int *index = host.alloc((size_t)n * 9, sizeof *index);
        double *distance = host.alloc((size_t)n * 9, sizeof *distance);
        ct_exact_search(&host, &batch, 9, -1, index, distance);
        check_about("ties, %d of %d: %g exact a query", predecessors, n, (double)tally.exact / n);
        CHECK(tally.exact < 100LL * n);
        host_end_call();
    }
    keep_end();
}

int main(void)
{
    static const int ms[] = {0, 1, 7, 70, 200}, ns[] = {1, 2, 40, 90, 260};
    check_exp();
    for (int i = 0; i < 20; i++)
        check_rho((enum ct_covariance)(i % 4), 1 + i % 6, ms[i / 4]);
    for (int i = 0; i < 20; i++)
        check_sieves((enum ct_covariance)(i % 4), 1 + i % 6, ms[i / 4]);
    for (int i = 0; i < 60; i++)
        check_scans((enum ct_covariance)(i % 4), ns[random_below(5)], 1 + i % 6, ms[i % 5], i % 3);
    check_scans(CT_MATERN32, 700, 3, 16, 1);
    check_scans(CT_MATERN52, 600, 2, 33, 2);
    check_scans(CT_EXPONENTIAL, 700, 2, 70, 0);
    for (int i = 0; i < 4; i++)
        check_ties((enum ct_covariance)i, 600, 35 * (i % 2), i % 2);
    return check_done("exact_search");
}
