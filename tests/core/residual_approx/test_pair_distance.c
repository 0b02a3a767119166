/* test_pair_distance.c: pair distances of a query to up to CT_PAIR_BATCH rows. Without
 * quantized v they have the bits of the canonical ones; with it, those of a product of
 * whole numbers, pair by pair. Own points and others, rows in any order and more than
 * once, any residual variance, every level. */
#include "check.h"
#include "clouds.h"
#include "core/residual_approx/pair_distance.h"
#include "host.h"
#include "residual_problem.h"

#include <math.h>
#include <string.h>

struct counts {
    int exact, quantized; /* wrong squares */
    int far, pairs;       /* of pairs, those beyond the quantization error */
    int refused;          /* queries whose quantized v is missing, or should be */
};

/* One query and `count` random rows, at one level. */
static void check_batch(const struct residual_problem *problem,
                        const struct ct_pair_distances *pairs, int own, int query,
                        struct counts *counts)
{
    int row[CT_PAIR_BATCH], count = 1 + random_below(CT_PAIR_BATCH);
    double sq[CT_PAIR_BATCH], error = residual_problem_error(problem, own, query);
    int16_t *buffer = host.alloc(ct_quantized_stride(problem->residual.m), sizeof *buffer);
    struct ct_quantized none = {NULL, 0}, quantized = ct_pair_quantize_query(pairs, query, buffer);
    for (int i = 0; i < count; i++)
        row[i] = 1 + random_below(problem->cloud.n);
    ct_pair_distances_sq(pairs, query, none, row, count, sq);
    for (int i = 0; i < count; i++)
        counts->exact += sq[i] != residual_problem_sq(problem, own, query, row[i]);
    counts->refused += (quantized.v == NULL) != !(error < 0.02);
    ct_pair_distances_sq(pairs, query, quantized, row, count, sq);
    for (int i = 0; i < count; i++) {
        double want = residual_problem_quantized_sq(problem, own, query, row[i]);
        double exact = residual_problem_sq(problem, own, query, row[i]);
        double p = problem->residual.points.p[row[i] - 1];
        counts->quantized += sq[i] != want;
        counts->far +=
            p > 0 && fabs(sq[i] - exact) > ct_quantization_error(problem->quantized.unit) /
                                               sqrt(p * (own ? problem->residual.points.p
                                                             : problem->foreign.p)[query]);
        counts->pairs++;
    }
}

static void check_level(const struct residual_problem *problem, int own, int level)
{
    struct counts counts = {0};
    struct ct_pair_input input = {
        .metric = &problem->residual,
        .query_points = own ? NULL : &problem->foreign,
        .quantized = problem->quantized,
        .correlation_kernels = ct_correlation_kernels((enum ct_simd_level)level),
        .dot4_kernels = ct_dot4_kernels((enum ct_simd_level)level),
    };
    struct ct_pair_distances pairs = ct_pair_distances_make(&host, &input, &problem->grown.tree);
    int queries = own ? problem->cloud.n : problem->queries.n;
    for (int query = 0; query < queries; query += 1 + random_below(3))
        if ((own ? problem->residual.points.p : problem->foreign.p)[query] > 0)
            check_batch(problem, &pairs, own, query, &counts);
    check_about("%s, n %d, d %d, m %d, kind %d, %s, %s", problem->cloud.name, problem->cloud.n,
                problem->cloud.d, problem->residual.m, problem->residual.kind,
                own ? "own" : "foreign", input.correlation_kernels->name);
    CHECK(counts.exact == 0);
    CHECK(counts.quantized == 0);
    CHECK(counts.refused == 0);
    CHECK(counts.far <= counts.pairs / 100);
    host_end_call();
}

static void check_problem(const char *name, int n, int d, int m, enum residual_style style)
{
    struct residual_problem problem = residual_problem_make(name, n, d, m, style, 40);
    for (int level = 0; level <= (int)ct_simd_best(); level++) {
        check_level(&problem, 1, level);
        check_level(&problem, 0, level);
    }
    keep_end();
}

int main(void)
{
    static const char *const names[] = {"uniform", "same", "few",  "clusters", "grid",
                                        "far off", "huge", "tiny", "zeros"};
    static const int ms[] = {0, 1, 15, 16, 17, 32, 33, 100};
    for (int i = 0; i < 36; i++)
        check_problem(names[i % 9], i % 7 ? 60 + i : 1 + i % 5, 1 + i % 5, ms[i % 8],
                      (enum residual_style)(i % 3));
    check_problem("normal", 50, 40, 20, WIDE_P);
    return check_done("pairs");
}
