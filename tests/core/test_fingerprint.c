/* test_fingerprint.c: hashes of the results of a fixed set of cases.
 *
 * Compares one line "name hash" for each case with those of fingerprint.txt, in the
 * working directory; with the argument --print, prints them. The data of a case come
 * from integer and IEEE arithmetic only, so the hashes are the same on every processor.
 * Each case runs at every dispatch level: on one thread at the lowest, and, where there are
 * threads, on 2 at the next and on 3 at the best one.
 */
#include "check.h"
#include "core/order/hilbert.h"
#include "core/order/maximin.h"
#include "core/residual/factors.h"
#include "core/residual_approx/approx_search.h"
#include "core/residual_exact/exact_search.h"
#include "core/search/filtered_knn.h"
#include "core/search/own_products.h"
#include "core/search/query.h"
#include "core/simd/euclid.h"
#include "grow.h"
#include "host.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#ifdef _OPENMP
enum { MOST_THREADS = 3 };
#else
enum { MOST_THREADS = 1 };
#endif

/* ---- hash: 64-bit FNV-1a over values, lowest byte first ---- */

static uint64_t hash;

static void hash_word(uint64_t word)
{
    for (int byte = 0; byte < 8; byte++) {
        hash ^= word >> 8 * byte & 0xff;
        hash *= 0x100000001b3u;
    }
}

static void hash_ints(const int *x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hash_word((uint32_t)x[i]);
}

static void hash_doubles(const double *x, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t word;
        memcpy(&word, &x[i], sizeof word);
        hash_word(x[i] != x[i] ? 0x7ff8000000000000u : word);
    }
}

/* ---- data ---- */

static uint64_t state;

/* Marsaglia's xorshift64, in [0, 1) with 32 bits. */
static double next_uniform(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 32) / 4294967296.0;
}

static double next_normal(void)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += next_uniform();
    return sum;
}

enum shape { UNIFORM, NORMAL, CLUSTERS, GRID, DUPLICATES, COLLINEAR, SAME, HUGE_SCALE, TINY_SCALE };

static double coordinate(enum shape shape, int i, int j)
{
    switch (shape) {
    case UNIFORM:
        return next_uniform();
    case NORMAL:
        return next_normal();
    case CLUSTERS:
        return i % 5 * (j + 1) % 4 + 0.01 * next_normal();
    case GRID:
        return j == 0 ? i % 25 : j == 1 ? i / 25 % 25 : i / 625;
    case DUPLICATES:
        return i * 5 % 97 * (j + 2) % 31 / 4.0;
    case COLLINEAR:
        return 37 * i % 151 * (j + 1) / 8.0;
    case SAME:
        return 1.5 * j - 1;
    case HUGE_SCALE:
        return 1e150 * next_normal();
    case TINY_SCALE:
        return 1e-140 * next_normal();
    }
    return 0;
}

static const struct shaped {
    const char *name;
    enum shape shape;
    int n, d, leaf;
} shapes[] = {
    {"uniform-2", UNIFORM, 3000, 2, 128},
    {"uniform-3", UNIFORM, 3000, 3, 32},
    {"normal-1", NORMAL, 1200, 1, 16},
    {"normal-5", NORMAL, 2000, 5, 64},
    {"normal-9", NORMAL, 1500, 9, 128},
    {"normal-16", NORMAL, 2100, 16, 128},
    {"normal-24", NORMAL, 1200, 24, 128},
    {"normal-70", NORMAL, 600, 70, 128},
    {"clusters-3", CLUSTERS, 2000, 3, 16},
    {"grid-3", GRID, 2000, 3, 32},
    {"duplicates-2", DUPLICATES, 1500, 2, 8},
    {"collinear-3", COLLINEAR, 900, 3, 4},
    {"same-2", SAME, 500, 2, 16},
    {"huge-2", HUGE_SCALE, 700, 2, 16},
    {"tiny-2", TINY_SCALE, 700, 2, 16},
    {"one-3", NORMAL, 1, 3, 128},
    {"two-2", UNIFORM, 2, 2, 1},
};

static const struct shaped residual_shapes[] = {
    {"residual-uniform-2", UNIFORM, 700, 2, 64},
    {"residual-uniform-3", UNIFORM, 800, 3, 64},
    {"residual-clusters-3", CLUSTERS, 600, 3, 32},
    {"residual-same-2", SAME, 200, 2, 16},
};

static struct cloud make_cloud(const struct shaped *s)
{
    struct cloud cloud = {s->name, s->n, s->d, keep((size_t)s->n * s->d, sizeof(double))};
    state = 88172645463325252u + (uint64_t)(s->n * 100 + s->d);
    for (int j = 0; j < s->d; j++)
        for (int i = 0; i < s->n; i++)
            cloud.x[i + (size_t)j * s->n] = coordinate(s->shape, i, j);
    return cloud;
}

/* Queries halfway between pairs of points, and some of the points themselves. */
static struct cloud make_queries(const struct cloud *cloud, int m)
{
    struct cloud queries = {"queries", m, cloud->d, keep((size_t)m * cloud->d, sizeof(double))};
    for (int i = 0; i < m; i++) {
        size_t a = (size_t)(i * 7 % cloud->n), b = i % 3 ? (size_t)(i * 31 % cloud->n) : a;
        for (int j = 0; j < cloud->d; j++) {
            const double *x = cloud->x + (size_t)j * cloud->n;
            queries.x[i + (size_t)j * m] = x[a] / 2 + x[b] / 2;
        }
    }
    return queries;
}

/* ---- cases ---- */

struct setting {
    enum ct_simd_level level;
    int threads;
};

struct problem {
    struct cloud cloud, queries;
    struct grown grown;
    struct ct_residual_metric residual; /* points by row */
    struct ct_factors foreign;
    int leaf;
};

/* In the order of the table of arrays. */
static void hash_tree(const struct ct_tree *t)
{
    hash_word((uint64_t)t->nodes);
#define HASH_int hash_ints
#define HASH_double hash_doubles
#define HASH_ARRAY(NAME, name, type, shape)                                                        \
    HASH_##type(t->name, ct_array_length(CT_ARRAY_##NAME, t->n, t->d, t->nodes));
    CT_TREE_ARRAYS(HASH_ARRAY)
}

static void build(struct problem *p, struct setting s)
{
    struct grown grown = grow_with(&p->cloud, p->leaf, s.threads, ct_kernels(s.level));
    hash_tree(&grown.tree);
}

static void hilbert(struct problem *p, struct setting s)
{
    int *order = host.alloc((size_t)p->cloud.n, sizeof *order);
    ct_hilbert_order(&host, p->cloud.x, p->cloud.n, p->cloud.d, s.threads, order);
    hash_ints(order, (size_t)p->cloud.n);
}

static void maximin(struct problem *p, struct setting s)
{
    int n = p->cloud.n, d = p->cloud.d;
    double *center = host.alloc((size_t)d, sizeof *center);
    int *order = host.alloc((size_t)n, sizeof *order);
    ct_centroid(p->cloud.x, n, d, center);
    ct_maximin_order(&host, ct_kernels(s.level), p->cloud.x, n, d, center, n, s.threads, order);
    hash_doubles(center, (size_t)d);
    hash_ints(order, (size_t)n);
}

static struct ct_batch batch_of(struct problem *p, struct setting s, int foreign)
{
    struct ct_batch batch = {.tree = &p->grown.tree,
                             .count = p->cloud.n,
                             .threads = s.threads,
                             .kernels = ct_kernels(s.level)};
    if (foreign) {
        int *order = host.alloc((size_t)p->queries.n, sizeof *order);
        ct_hilbert_order(&host, p->queries.x, p->queries.n, p->queries.d, s.threads, order);
        batch.query = p->queries.x;
        batch.order = order;
        batch.count = p->queries.n;
    }
    return batch;
}

typedef void search(const struct ct_host *, const struct ct_batch *, int, double, int *, double *);

static void run_search(search *search, struct ct_batch *batch, int k)
{
    size_t size = (size_t)batch->count * k;
    int *index = host.alloc(size, sizeof *index);
    double *distance = host.alloc(size, sizeof *distance);
    search(&host, batch, k, NAN, index, distance);
    hash_ints(index, size);
    hash_doubles(distance, size);
}

static void knn_tree(struct problem *p, struct setting s)
{
    struct ct_batch own = batch_of(p, s, 0), other = batch_of(p, s, 1);
    run_search(ct_knn, &own, 1);
    run_search(ct_knn, &own, 10);
    run_search(ct_knn, &other, 30);
}

static void knn_scan(struct problem *p, struct setting s)
{
    struct ct_batch own = batch_of(p, s, 0), other = batch_of(p, s, 1);
    own.mode = other.mode = CT_SEARCH_SCAN;
    run_search(ct_knn, &own, 1);
    run_search(ct_knn, &own, 10);
    run_search(ct_knn, &other, 30);
}

static void predecessors(struct problem *p, struct setting s)
{
    struct ct_batch batch = batch_of(p, s, 0);
    run_search(ct_knn_predecessors, &batch, 12);
}

/* As R asks: a search that may miss neighbors takes one query at a time. */
static void epsilon(struct problem *p, struct setting s)
{
    for (int foreign = 0; foreign < 2; foreign++) {
        struct ct_batch batch = batch_of(p, s, foreign);
        batch.mode = CT_SEARCH_TREE;
        batch.block = 1;
        batch.epsilon = 0.5;
        run_search(ct_knn, &batch, 10);
    }
}

static void budgets(struct problem *p, struct setting s)
{
    static const int limit[] = {40, 100, 300};
    for (int i = 0; i < 4; i++) {
        struct ct_budget budget = {.steps = 3,
                                   .limit = limit,
                                   .escalate = 0.015,
                                   .stop = 0.002,
                                   .window = 16,
                                   .diverse = i % 2};
        struct ct_batch batch = batch_of(p, s, i / 2);
        batch.budget = &budget;
        batch.evaluated = host.alloc((size_t)batch.count, sizeof(int));
        run_search(ct_knn, &batch, 8);
        hash_ints(batch.evaluated, (size_t)batch.count);
    }
}

/* Values from 1 to `most` for the points or the queries. */
static int *draw_values(int count, int factor, int most)
{
    int *value = host.alloc((size_t)count, sizeof *value);
    for (int i = 0; i < count; i++)
        value[i] = 1 + (int)((long long)i * factor % most);
    return value;
}

/* kinds: ranks 1, groups 2, a window 4, in a set of bits. */
static struct ct_row_limits limits_of(const struct problem *p, int kinds, int foreign)
{
    enum { RANKS = 211, GROUPS = 6 };
    int n = p->cloud.n, m = foreign ? p->queries.n : n;
    struct ct_row_limits limits = {.window = kinds & 4 ? 7 : -1};
    if (kinds & 1) {
        int *most = draw_values(m, foreign ? 53 : 97, RANKS);
        for (int i = 0; i < m; i++)
            most[i]--;
        limits.ranks = RANKS;
        limits.rank = draw_values(n, 97, RANKS);
        limits.max_rank = most;
    }
    if (kinds & 2) {
        limits.groups = GROUPS;
        limits.group = draw_values(n, 5, GROUPS);
        limits.query_group = draw_values(m, 5, GROUPS);
    }
    return limits;
}

static void row_filter(struct problem *p, struct setting s)
{
    static const int kinds[] = {1, 2, 4, 7};
    for (int i = 0; i < 6; i++) {
        struct ct_batch batch = batch_of(p, s, i > 3);
        struct ct_row_limits limits = limits_of(p, i > 3 ? i - 3 : kinds[i], i > 3);
        size_t size = (size_t)batch.count * 8;
        int *index = host.alloc(size, sizeof *index);
        double *distance = host.alloc(size, sizeof *distance);
        ct_knn_filtered(&host, &batch, &limits, 8, NAN, index, distance);
        hash_ints(index, size);
        hash_doubles(distance, size);
    }
}

static double radius_of(const struct problem *p)
{
    const struct ct_tree *t = &p->grown.tree;
    return t->n > 2 ? t->radius[0] / (t->d > 3 ? 2 : 8) : 10;
}

static void radius(struct problem *p, struct setting s)
{
    for (int foreign = 0; foreign < 2; foreign++) {
        struct ct_batch batch = batch_of(p, s, foreign);
        int *count = host.alloc((size_t)batch.count, sizeof *count);
        int **index = host.alloc((size_t)batch.count, sizeof *index);
        double **distance = host.alloc((size_t)batch.count, sizeof *distance);
        for (int i = 0; i < batch.count; i++)
            count[i] = -1;
        ct_radius_count(&host, &batch, radius_of(p), LLONG_MAX, count);
        for (int i = 0; i < batch.count; i++) {
            index[i] = host.alloc((size_t)count[i], sizeof **index);
            distance[i] = host.alloc((size_t)count[i], sizeof **distance);
        }
        ct_radius_fill(&host, &batch, radius_of(p), 1, count, index, distance);
        hash_ints(count, (size_t)batch.count);
        for (int i = 0; i < batch.count; i++) {
            hash_ints(index[i], (size_t)count[i]);
            hash_doubles(distance[i], (size_t)count[i]);
        }
    }
}

/* The searches by another metric than the Euclidean one. */
static void search_by(struct problem *p, struct setting s, struct ct_metric metric)
{
    struct ct_batch own = batch_of(p, s, 0), other = batch_of(p, s, 1);
    own.metric = other.metric = metric;
    run_search(ct_knn, &own, 10);
    run_search(ct_knn, &other, 30);
    run_search(ct_knn_predecessors, &own, 12);
    own.epsilon = 0.5;
    own.mode = CT_SEARCH_TREE;
    run_search(ct_knn, &own, 10);
}

static void manhattan(struct problem *p, struct setting s)
{
    search_by(p, s, (struct ct_metric){.norm = CT_MANHATTAN});
}

static void chebyshev(struct problem *p, struct setting s)
{
    search_by(p, s, (struct ct_metric){.norm = CT_CHEBYSHEV});
}

/* Points moved to the unit sphere; the center of the sphere has no direction and gets one. */
static void arc(struct problem *p, struct setting s)
{
    struct problem sphere = *p;
    struct cloud *clouds[] = {&sphere.cloud, &sphere.queries};
    for (int c = 0; c < 2; c++) {
        const struct cloud from = *clouds[c];
        size_t n = (size_t)from.n;
        double *x = clouds[c]->x = keep(n * from.d, sizeof *x);
        for (size_t i = 0; i < n; i++) {
            double sum = 0, most = 0;
            for (int j = 0; j < from.d; j++)
                most = fmax(most, fabs(from.x[i + j * n]));
            for (int j = 0; j < from.d; j++) {
                x[i + j * n] = most > 0 ? from.x[i + j * n] / most : 1;
                sum += x[i + j * n] * x[i + j * n];
            }
            for (int j = 0; j < from.d; j++)
                x[i + j * n] /= sqrt(sum);
        }
    }
    sphere.grown = grow_with(&sphere.cloud, p->leaf, s.threads, ct_kernels(s.level));
    search_by(&sphere, s,
              (struct ct_metric){.measure = CT_ARC, .sphere = p->cloud.d, .radius = 6371.0088});
}

/* ---- residual correlation ---- */

/* The factors of all points, with the first m points as the inducing ones. */
static void residual_factors(struct problem *p, struct setting s)
{
    int n = p->cloud.n, d = p->cloud.d, m = p->residual.m, failed;
    size_t size = (size_t)n * ct_v_stride(m);
    double *u = host.alloc((size_t)m * d, sizeof *u), *v = host.alloc(size, sizeof *v);
    double *factor = host.alloc((size_t)m * m, sizeof *factor),
           *q = host.alloc((size_t)n, sizeof *q);
    for (int i = 0; i < m * d; i++)
        u[i] = p->cloud.x[i % m + (size_t)(i / m) * n];
    for (int kind = 0; kind < 4; kind++) {
        struct ct_inducing inducing = {(enum ct_covariance)kind, 1.5, u, m, d};
        failed = ct_inducing_factor(&host, s.level, &inducing, 1e-3, s.threads, factor);
        CHECK(failed == 0);
        ct_residual_factors(&host, s.level, &inducing, factor, p->cloud.x, n, s.threads, v, q);
        hash_doubles(factor, (size_t)m * m);
        hash_doubles(v, size);
        hash_doubles(q, (size_t)n);
    }
}

static struct ct_factors make_factors(const struct cloud *cloud, int m, double least_p)
{
    size_t stride = ct_v_stride(m);
    double *v = keep(stride * cloud->n, sizeof *v), *p = keep((size_t)cloud->n, sizeof *p);
    for (int i = 0; i < cloud->n; i++) {
        double *row = v + stride * i, sum = 0;
        for (size_t j = 0; j < stride; j++) {
            row[j] = j < (size_t)m ? 1.0 / (1 + (double)j) + next_normal() : 0;
            sum += row[j] * row[j];
        }
        p[i] = i % 29 == 5 ? 0 : least_p + (1 - least_p) * next_uniform();
        for (size_t j = 0; j < stride && p[i] < 1; j++)
            row[j] *= sqrt((1 - p[i]) / sum);
    }
    return (struct ct_factors){cloud->n, cloud->x, v, p};
}

static void residual_exact(struct problem *p, struct setting s)
{
    for (int i = 0; i < 6; i++) {
        struct ct_residual_metric residual = p->residual;
        residual.kind = (enum ct_covariance)(i % 4);
        struct ct_exact_batch batch = {
            .metric = &residual,
            .query_points = i == 4 ? &p->foreign : NULL,
            .count = i == 4 ? p->foreign.n : p->cloud.n,
            .predecessors = i == 5,
            .threads = s.threads,
            .kernels = ct_kernels(s.level),
            .correlation_kernels = ct_correlation_kernels(s.level),
        };
        size_t size = (size_t)batch.count * 12;
        int *index = host.alloc(size, sizeof *index);
        double *distance = host.alloc(size, sizeof *distance);
        ct_exact_search(&host, &batch, 12, NAN, index, distance);
        hash_ints(index, size);
        hash_doubles(distance, size);
    }
}

static void hash_approx_results(const struct ct_approx_results *results, int k)
{
    size_t size = (size_t)results->ld * k;
    hash_ints(results->index, size);
    hash_doubles(results->distance, size);
    hash_ints(results->evaluated, (size_t)results->ld);
    for (int i = 0; i < results->ld; i++)
        hash_word((uint32_t)(results->stopped_early[i] ? -1 - results->step[i] : results->step[i]));
}

static void run_approx(struct problem *p, struct setting s, int foreign, int quantized,
                       int predecessor, const struct ct_budget *budget)
{
    enum { K = 12 };
    struct ct_batch batch = batch_of(p, s, foreign);
    size_t size = (size_t)batch.count * K, m = (size_t)batch.count;
    const struct ct_residual_metric *metric = &p->residual;
    struct ct_pair_input input = {.metric = metric,
                                  .query_points = foreign ? &p->foreign : NULL,
                                  .correlation_kernels = ct_correlation_kernels(s.level),
                                  .dot4_kernels = ct_dot4_kernels(s.level)};
    struct ct_approx_options options = {.k = K,
                                        .patience = 1,
                                        .budget = budget,
                                        .first_round = 48,
                                        .max_candidates = p->cloud.n,
                                        .missing = NAN};
    batch.predecessors = predecessor;
    if (quantized) {
        int n = p->cloud.n;
        int16_t *v = host.alloc(ct_quantized_stride(metric->m) * n, sizeof *v);
        input.quantized =
            (struct ct_quantized){v, ct_quantization_unit(metric->points.v, metric->m, n)};
        ct_quantize(&host, metric->points.v, metric->m, p->grown.tree.row, n, input.quantized.unit,
                    s.threads, v);
    }
    struct ct_approx_results results = {.ld = batch.count,
                                        .index = host.alloc(size, sizeof(int)),
                                        .distance = host.alloc(size, sizeof(double)),
                                        .evaluated = host.alloc(m, sizeof(int)),
                                        .step = host.alloc(m, sizeof(int)),
                                        .stopped_early = host.alloc(m, sizeof(int))};
    ct_approx_search(&host, &batch, &input, &options, &results);
    hash_approx_results(&results, K);
}

static void residual_approximate(struct problem *p, struct setting s)
{
    for (int coarse = 0; coarse < 2; coarse++) {
        run_approx(p, s, 0, coarse, 0, NULL);
        run_approx(p, s, 0, coarse, 1, NULL);
        run_approx(p, s, 1, coarse, 0, NULL);
    }
}

static void residual_budget(struct problem *p, struct setting s)
{
    static const int limit[] = {40, 100, 300};
    for (int diverse = 0; diverse < 2; diverse++) {
        struct ct_budget budget = {.steps = 3,
                                   .limit = limit,
                                   .escalate = 0.015,
                                   .stop = 0.002,
                                   .window = 16,
                                   .diverse = diverse};
        run_approx(p, s, 0, 0, 0, &budget);
        run_approx(p, s, 0, 1, 1, &budget);
    }
}

/* ---- running ---- */

struct one {
    const char *name;
    void (*run)(struct problem *, struct setting);
};

static const struct one cases[] = {
    {"tree", build},
    {"hilbert", hilbert},
    {"maximin", maximin},
    {"knn", knn_tree},
    {"knn-scan", knn_scan},
    {"predecessor", predecessors},
    {"epsilon", epsilon},
    {"budget", budgets},
    {"radius", radius},
    {"manhattan", manhattan},
    {"chebyshev", chebyshev},
    {"arc", arc},
    {"row-filter", row_filter},
};

static const struct one residual_cases[] = {
    {"factors", residual_factors},
    {"exact", residual_exact},
    {"approximate", residual_approximate},
    {"budget", residual_budget},
};

static FILE *expected; /* NULL: lines are printed */

/* Prints a line, or compares it with the next one of the file. */
static void report(const char *line)
{
    char wanted[128] = "";
    if (!expected) {
        puts(line);
        return;
    }
    if (!fgets(wanted, sizeof wanted, expected))
        wanted[0] = 0;
    wanted[strcspn(wanted, "\n")] = 0;
    check_about("expected %s, got %s", wanted[0] ? wanted : "no more lines", line);
    CHECK(strcmp(line, wanted) == 0);
}

static void run_case(struct problem *p, const char *group, const struct one *one)
{
    uint64_t first = 0;
    char line[128];
    int best = (int)ct_simd_best();
    for (int i = 0; i <= best || i < MOST_THREADS; i++) {
        struct setting setting = {(enum ct_simd_level)(i < best ? i : best), 1};
        setting.threads += i < MOST_THREADS ? i : MOST_THREADS - 1;
        hash = 0xcbf29ce484222325u;
        one->run(p, setting);
        host_end_call();
        if (i == 0)
            first = hash;
        check_about("%s-%s: %s, %d threads", group, one->name, ct_kernels(setting.level)->name,
                    setting.threads);
        CHECK(hash == first);
    }
    snprintf(line, sizeof line, "%s-%s %016llx", group, one->name, (unsigned long long)first);
    report(line);
}

static int by_products; /* shapes whose own points are multiplied in pairs by a scan */

static void run_shape(const struct shaped *shaped)
{
    struct problem p = {.cloud = make_cloud(shaped), .leaf = shaped->leaf};
    p.queries = make_queries(&p.cloud, 200);
    p.grown = grow(&p.cloud, shaped->leaf, 1);
    struct ct_batch own = batch_of(&p, (struct setting){ct_simd_best(), 1}, 0);
    by_products += ct_suits_own_products(&own, 10);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        run_case(&p, shaped->name, &cases[i]);
    keep_end();
}

/* Residual variances are 0 or from least_p to 1. */
static void run_residual(const struct shaped *shaped, int m, double least_p)
{
    struct problem p = {.cloud = make_cloud(shaped), .leaf = shaped->leaf};
    p.queries = make_queries(&p.cloud, 100);
    p.grown = grow(&p.cloud, shaped->leaf, 1);
    p.residual = (struct ct_residual_metric){.variance = 1, .d = p.cloud.d, .m = m};
    p.residual.kind = CT_MATERN52;
    p.residual.points = make_factors(&p.cloud, m, least_p);
    p.foreign = make_factors(&p.queries, m, least_p);
    for (size_t i = 0; i < sizeof residual_cases / sizeof *residual_cases; i++)
        run_case(&p, shaped->name, &residual_cases[i]);
    keep_end();
}

int main(int argc, char **argv)
{
    int print = argc > 1 && strcmp(argv[1], "--print") == 0;
    if (!print && !(expected = fopen("fingerprint.txt", "r"))) {
        perror("fingerprint.txt");
        return 2;
    }
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        run_shape(&shapes[i]);
    run_residual(&residual_shapes[0], 40, 0.3);
    run_residual(&residual_shapes[1], 100, 0.01);
    run_residual(&residual_shapes[2], 20, 1e-6);
    run_residual(&residual_shapes[3], 17, 0.1);
    if (print)
        return 0;
    fclose(expected);
    CHECK(by_products > 0);
    return check_done("fingerprint");
}
