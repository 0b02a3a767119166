/* test_error_bound.c: values of the filter kernels are within the margin of those in long double,
 * with and without a truncation rank; the filter keeps every pair at its cutoff; only pairs at
 * distance 1 are negligible. In float and in double, in every instruction set. */
#include "check.h"
#include "clouds.h"
#include "core/residual_exact/packed_points.h"
#include "core/util/aligned.h"
#include "host.h"
#include "random_factors.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { ROUNDS = 7 }; /* problems for each shape and instruction set */

/* Results for one precision. */
struct findings {
    double worst_error;   /* in margins */
    int lost;             /* pairs that the filter discarded though they reach the cutoff */
    int wrong_negligible; /* pairs dropped as negligible, at a distance below 1 */
    int tail_too_long;    /* tails longer than their bound */
};

/* A problem, packed: the first tile of its points, and CT_GROUP of its other points. */
struct packed_problem {
    const struct factors_problem *problem;
    const struct ct_filter_kernels *kernels;
    struct ct_transform transform;
    struct ct_error_bound bound;
    struct ct_point_norms norms, other_norms;
    struct ct_packed_points points;
    struct ct_packed_group group;
    char *sums; /* [CT_GROUP x lanes] */
    double cutoff[CT_GROUP], margin[CT_GROUP], negligible[CT_GROUP];
};

static void pack_problem(struct packed_problem *packed,
                         const struct ct_correlation_kernels *kernels, int tail)
{
    const struct ct_residual_metric *metric = &packed->problem->metric;
    const struct ct_factors *points = &metric->points, *others = &packed->problem->others;
    size_t row = packed->kernels->lanes * packed->kernels->value_size;
    size_t group_size = CT_GROUP * packed->kernels->value_size;
    int *pos = host.alloc((size_t)points->n, sizeof *pos), query[CT_GROUP];
    packed->transform = ct_transform_make(&host, metric);
    packed->norms = ct_error_bound_extend(&host, &packed->transform, points, 2, &packed->bound);
    packed->other_norms =
        ct_error_bound_extend(&host, &packed->transform, others, 1, &packed->bound);
    if (tail > 0)
        packed->transform.rotation = ct_rotation_make(&host, kernels, points->v, points->n,
                                                      metric->m, ct_v_stride(metric->m), 1);
    packed->transform.tail = tail;
    for (int i = 0; i < points->n; i++)
        pos[i] = i;
    for (int i = 0; i < CT_GROUP; i++)
        query[i] = i;
    packed->points =
        ct_packed_points_make(&host, &packed->transform, packed->kernels, points->n, 1);
    ct_packed_points_fill(&host, &packed->transform, pos, points->n, &packed->norms, 1,
                          &packed->points);
    packed->group =
        (struct ct_packed_group){.stride = CT_GROUP,
                                 .z = ct_alloc_aligned(&host, (size_t)metric->d, group_size),
                                 .v = ct_alloc_aligned(&host, (size_t)metric->m, group_size),
                                 .tail = ct_alloc_aligned(&host, (size_t)metric->m, group_size)};
    ct_pack_group(&packed->transform, packed->kernels, others, query,
                  host.alloc(ct_transform_scratch_size(&packed->transform), sizeof(double)),
                  &packed->group);
    packed->sums = ct_alloc_aligned(&host, CT_GROUP, row);
    memset(packed->sums, 0, row * CT_GROUP);
}

/* The cutoff of each query is the correlation of one of its pairs. */
static void set_bounds(struct packed_problem *packed)
{
    const struct factors_problem *problem = packed->problem;
    const struct ct_filter_kernels *kernels = packed->kernels;
    int n = problem->metric.points.n, lanes = kernels->lanes;
    for (int j = 0; j < CT_GROUP; j++) {
        int i = random_below(n < lanes ? n : lanes);
        long double rho = fabsl(reference_covariance(problem, i, j)) / problem->metric.variance /
                          packed->norms.root[i];
        packed->margin[j] = ct_error_bound_margin(&packed->transform, &packed->bound, kernels,
                                                  packed->other_norms.v[j]);
        packed->cutoff[j] = (double)rho * (1 - 16 * kernels->roundoff);
        packed->negligible[j] = ct_negligible_limit(&packed->transform, &packed->bound, kernels) *
                                packed->other_norms.root[j];
    }
}

static void run_kernels(struct packed_problem *packed, unsigned *passes, unsigned *kept)
{
    const struct ct_filter_kernels *kernels = packed->kernels;
    int rank = ct_truncation_rank(&packed->transform), tail = packed->transform.tail;
    size_t size = kernels->value_size, row = kernels->lanes * size;
    for (int from = 0, count; from < rank; from += count) {
        count = rank - from < CT_CHUNK ? rank - from : CT_CHUNK;
        kernels->add_dots(packed->points.v + from * row,
                          packed->group.v + (size_t)from * CT_GROUP * size, count, packed->sums);
    }
    struct ct_filter_input input = {.shape = &packed->transform.shape,
                                    .d = packed->problem->metric.d,
                                    .tile_z = packed->points.z,
                                    .group_z = packed->group.z,
                                    .root = packed->points.root,
                                    .tail_norm = packed->points.tail_norm,
                                    .norm = packed->points.norm,
                                    .cutoff = packed->cutoff,
                                    .margin = packed->margin,
                                    .query_tail_norm = packed->group.tail_norm,
                                    .query_norm = packed->other_norms.v,
                                    .negligible = packed->negligible};
    for (int j = 0; j < CT_GROUP; j++)
        kept[j] = ~0u;
    kernels->filter(&input, packed->sums, passes);
    kernels->drop_negligible(&input, kept);
    for (int j = 0; j < CT_GROUP && tail > 0; j++)
        kernels->subtract_tail(packed->points.tail, (size_t)tail,
                               packed->group.tail + (size_t)j * tail * size, tail,
                               ~0u >> (32 - kernels->lanes), packed->sums + j * row);
}

static double value_at(const struct ct_filter_kernels *kernels, const char *values, size_t i)
{
    return kernels->value_size == 4 ? ((const float *)values)[i] : ((const double *)values)[i];
}

/* Tails as they are packed, rounded, against the bound of their norm. */
static int count_long_tails(const struct packed_problem *packed)
{
    int tail = packed->transform.tail, lanes = packed->kernels->lanes, found = 0;
    for (int i = 0; i < lanes + CT_GROUP; i++) {
        const char *values = i < lanes ? packed->points.tail : packed->group.tail;
        size_t row = (size_t)(i < lanes ? i : i - lanes) * tail;
        long double sq = 0;
        for (int j = 0; j < tail; j++)
            sq += powl(value_at(packed->kernels, values, row + j), 2);
        found += sqrtl(sq) > (i < lanes ? value_at(packed->kernels, packed->points.tail_norm, i)
                                        : packed->group.tail_norm[i - lanes]);
    }
    return found;
}

static void check_kernels(const struct factors_problem *problem,
                          const struct ct_correlation_kernels *level,
                          const struct ct_filter_kernels *kernels, struct findings *found)
{
    struct packed_problem packed = {.problem = problem, .kernels = kernels};
    unsigned passes[CT_GROUP], kept[CT_GROUP];
    int tail = kernels->lanes * random_below(problem->metric.m / kernels->lanes + 1);
    pack_problem(&packed, level, tail);
    set_bounds(&packed);
    run_kernels(&packed, passes, kept);
    for (int j = 0; j < CT_GROUP; j++)
        for (int i = 0; i < kernels->lanes && i < problem->metric.points.n; i++) {
            double root = packed.norms.root[i], other_root = packed.other_norms.root[j];
            double got = fabs(value_at(kernels, packed.sums, (size_t)(j * kernels->lanes + i)));
            long double want =
                fabsl(reference_covariance(problem, i, j)) / problem->metric.variance;
            found->worst_error =
                fmax(found->worst_error, fabs((double)(got - want)) / packed.margin[j]);
            found->lost += !(passes[j] >> i & 1) &&
                           want / root >= packed.cutoff[j] / (1 - 16 * kernels->roundoff);
            found->wrong_negligible += !(kept[j] >> i & 1) && want / root / other_root > 0x1p-54;
        }
    found->tail_too_long += count_long_tails(&packed);
    host_end_call();
}

static void check_margins(enum ct_covariance kind, int d, int m)
{
    for (int level = 0; level <= (int)ct_simd_best(); level++) {
        const struct ct_correlation_kernels *kernels = kernels_of(level);
        struct findings f64 = {0}, f32 = {0};
        for (int round = 0; round < ROUNDS; round++) {
            struct factors_problem problem =
                random_factors(kind, 1 + random_below(64), d, m, (enum p_style)((d + round) % 3));
            check_kernels(&problem, kernels, &kernels->filter_f64, &f64);
            check_kernels(&problem, kernels, &kernels->filter_f32, &f32);
            keep_end();
        }
        check_about("kind %d, d %d, m %d, %s: errors of %g and %g margins", kind, d, m,
                    kernels->name, f64.worst_error, f32.worst_error);
        CHECK(f64.worst_error <= 1);
        CHECK(f32.worst_error <= 1);
        CHECK(f64.lost + f32.lost == 0);
        CHECK(f64.wrong_negligible + f32.wrong_negligible == 0);
        CHECK(f64.tail_too_long + f32.tail_too_long == 0);
    }
}

/* The margin is of use: with small coordinates and |v| of at most 1, below 1e-4 in float. The bound
 * covers every point. */
static void check_norms(void)
{
    struct factors_problem problem = random_factors(CT_MATERN52, 3000, 3, 40, P_MIXED);
    const struct ct_factors *points = &problem.metric.points;
    for (int threads = 1; threads < 4; threads++) {
        struct ct_transform transform = ct_transform_make(&host, &problem.metric);
        struct ct_error_bound bound = {.v = 0};
        struct ct_point_norms norms =
            ct_error_bound_extend(&host, &transform, points, threads, &bound);
        int wrong = 0, at_bound = 0;
        for (int i = 0; i < points->n; i++) {
            double root = sqrt(points->p[i] / problem.metric.variance);
            double scaled = points->p[i] > 0 ? norms.root[i] / root : 1;
            wrong += norms.v[i] > bound.v || norms.v[i] > 1 + 1e-12;
            wrong += points->p[i] > 0 ? fabs(scaled - 1) > 1e-12 : !isinf(norms.root[i]);
            at_bound += norms.v[i] == bound.v;
        }
        bound.centered = bound.raw = 1;
        check_about("norms of %d points, %d threads", points->n, threads);
        CHECK(wrong == 0 && at_bound > 0);
        CHECK(ct_error_bound_margin(&transform, &bound, &kernels_of(0)->filter_f32, 1) < 1e-4);
        CHECK(ct_error_bound_margin(&transform, &bound, &kernels_of(0)->filter_f64, 1) < 1e-12);
        CHECK(ct_negligible_limit(&transform, &bound, &kernels_of(0)->filter_f32) > 0);
        bound.raw = 1e15;
        CHECK(ct_negligible_limit(&transform, &bound, &kernels_of(0)->filter_f32) == -1);
        host_end_call();
    }
    keep_end();
}

int main(void)
{
    static const int ms[] = {0, 1, 7, 70, 200};
    for (int i = 0; i < 20; i++)
        check_margins((enum ct_covariance)(i % 4), 1 + i % 6, ms[i / 4]);
    check_norms();
    return check_done("error_bound");
}
