/* residual.c: neighbours by residual correlation from R.
 *
 * R keeps what is known of points by row: list(z, v, p), with z n x d the scaled
 * coordinates, v stride x n and p n, as in residual/correlation.h. A metric is R's
 * list(kind, variance, m, points).
 */
#define USE_FC_LEN_T
#include "core/covertree.h"
#include "glue/query.h"
#include "glue/simd.h"
#include "glue/threads.h"
#include "glue/tree_handle.h"

#include <R_ext/BLAS.h>
#include <R_ext/Lapack.h>
#include <math.h>
#ifndef FCONE
#define FCONE
#endif

enum {
    CHUNK = 256,       /* points whose values are solved for together, at most */
    FACTOR_BLOCK = 64, /* columns of a Cholesky factor that are computed together */
    ROWS = 1 << 20     /* numbers of the columns before that a run of its rows reads */
};

static const struct ct_correlation_kernels *dots_of(SEXP simd)
{
    return ct_correlation_kernels((enum ct_simd_level)(Rf_asInteger(simd) - 1));
}

static struct ct_factors latent_of(SEXP points)
{
    return (struct ct_factors){.n = Rf_nrows(r_option(points, "z")),
                               .z = REAL_RO(r_option(points, "z")),
                               .v = REAL_RO(r_option(points, "v")),
                               .p = REAL_RO(r_option(points, "p"))};
}

static struct ct_residual_metric residual_of(SEXP metric)
{
    SEXP points = r_option(metric, "points");
    return (struct ct_residual_metric){
        .kind = (enum ct_covariance)r_int_option(metric, "kind"),
        .variance = r_double_option(metric, "variance"),
        .d = Rf_ncols(r_option(points, "z")),
        .m = r_int_option(metric, "m"),
        .points = latent_of(points),
    };
}

/* Replaces the columns j to j + count of a, below row j + count, by those of the Cholesky
 * factor, given the columns before and the factor of the block at row j. In runs of rows
 * that take a fraction of a second. */
static void factor_below(double *a, int m, int j, int count)
{
    const double one = 1, minus = -1;
    size_t ld = (size_t)m;
    int run = ROWS / (j + 1) + FACTOR_BLOCK;
    for (int row = j + count; row < m; row += run) {
        int rows = m - row < run ? m - row : run;
        double *at = a + row + (size_t)j * ld;
        F77_CALL(dgemm)
        ("N", "T", &rows, &count, &j, &minus, a + row, &m, a + j, &m, &one, at, &m FCONE FCONE);
        F77_CALL(dtrsm)
        ("R", "L", "T", "N", &rows, &count, &one, a + j + (size_t)j * ld, &m, at,
         &m FCONE FCONE FCONE FCONE);
        r_host.poll();
    }
}

/* The lower Cholesky factor in place, block by block as LAPACK's dpotrf() has it, because
 * dpotrf() itself cannot be interrupted. Returns 0, or the order of the leading minor that
 * is not positive. */
static int factor_in_place(double *a, int m)
{
    const double one = 1, minus = -1;
    for (int j = 0; j < m; j += FACTOR_BLOCK) {
        int count = m - j < FACTOR_BLOCK ? m - j : FACTOR_BLOCK, failed = 0;
        double *diagonal = a + j + (size_t)j * (size_t)m;
        F77_CALL(dsyrk)("L", "N", &count, &j, &minus, a + j, &m, &one, diagonal, &m FCONE FCONE);
        F77_CALL(dpotrf)("L", &count, diagonal, &m, &failed FCONE);
        if (failed > 0)
            return failed + j;
        factor_below(a, m, j, count);
    }
    return 0;
}

/* The lower factor L of the covariances of the inducing points u, with the jitter
 * on the diagonal; or the number of the leading minor that is not positive. */
SEXP r_inducing_factor(SEXP kind, SEXP variance, SEXP u, SEXP jitter, SEXP simd, SEXP threads)
{
    int m = Rf_nrows(u);
    SEXP factor = PROTECT(Rf_allocMatrix(REALSXP, m, m));
    double *l = REAL(factor);
    ct_covariance_cross(&r_host, dots_of(simd), (enum ct_covariance)Rf_asInteger(kind),
                        Rf_asReal(variance), REAL_RO(u), m, REAL_RO(u), m, Rf_ncols(u), (size_t)m,
                        r_num_threads(threads), l);
    for (int i = 0; i < m; i++)
        l[i + (size_t)i * (size_t)m] += Rf_asReal(jitter);
    int failed = factor_in_place(l, m);
    for (int j = 1; j < m; j++)
        for (int i = 0; i < j; i++)
            l[i + (size_t)j * (size_t)m] = 0;
    UNPROTECT(1);
    return failed > 0 ? Rf_ScalarInteger(failed) : factor;
}

/* Covariances that turn into v = L^-1 k, chunk by chunk, and what is left of the
 * variance. */
struct solve {
    const double *factor;
    int m, n, chunk;
    size_t stride;
    double variance, *v, *p;
};

/* As many points as take 0.1 seconds or less. */
static int chunk_of(int m)
{
    double most = 2e8 / ((double)m * m);
    return most < 1 ? 1 : most < CHUNK ? (int)most : CHUNK;
}

static void solve_chunk(void *data, int chunk, int thread)
{
    const struct solve *s = data;
    int from = chunk * s->chunk, count = s->n - from < s->chunk ? s->n - from : s->chunk;
    int ld = (int)s->stride;
    double one = 1, *to = s->v + (size_t)from * s->stride;
    F77_CALL(dtrsm)
    ("L", "L", "N", "N", &s->m, &count, &one, s->factor, &s->m, to, &ld FCONE FCONE FCONE FCONE);
    for (int i = 0; i < count; i++) {
        const double *v = to + (size_t)i * s->stride;
        double sum = 0;
        for (int r = 0; r < s->m; r++)
            sum += v[r] * v[r];
        s->p[from + i] = s->variance - sum;
    }
    (void)thread;
}

/* list(z, v, p) of the points at z, given the inducing points and their factor;
 * residual variances of up to `none` without the nugget count as none at all. */
SEXP r_residual_values(SEXP kind, SEXP variance, SEXP u, SEXP factor, SEXP z, SEXP nugget,
                       SEXP none, SEXP simd, SEXP threads)
{
    static const char *const names[] = {"z", "v", "p"};
    int n = Rf_nrows(z), m = Rf_nrows(u);
    size_t stride = ct_v_stride(m);
    double s2 = Rf_asReal(variance);
    SEXP points = PROTECT(r_named_list(names, 3)), v, p;
    SET_VECTOR_ELT(points, 0, z);
    SET_VECTOR_ELT(points, 1, v = Rf_allocMatrix(REALSXP, (int)stride, n));
    SET_VECTOR_ELT(points, 2, p = Rf_allocVector(REALSXP, n));
    if (m > 0) {
        ct_covariance_cross(&r_host, dots_of(simd), (enum ct_covariance)Rf_asInteger(kind), s2,
                            REAL_RO(u), m, REAL_RO(z), n, Rf_ncols(z), stride,
                            r_num_threads(threads), REAL(v));
        struct solve solve = {REAL_RO(factor), m, n, chunk_of(m), stride, s2, REAL(v), REAL(p)};
        ct_parallel_for(&r_host, n / solve.chunk + (n % solve.chunk > 0), r_num_threads(threads),
                        solve_chunk, &solve);
    }
    for (int i = 0; i < n; i++) {
        double left = m > 0 ? REAL(p)[i] : s2;
        REAL(p)[i] = left > Rf_asReal(none) ? left + Rf_asReal(nugget) : 0;
    }
    UNPROTECT(1);
    return points;
}

static SEXP new_result(int queries, int k, int extra, const char *const *names)
{
    SEXP found = PROTECT(r_named_list(names, 2 + extra));
    SET_VECTOR_ELT(found, 0, Rf_allocMatrix(INTSXP, queries, k));
    SET_VECTOR_ELT(found, 1, Rf_allocMatrix(REALSXP, queries, k));
    UNPROTECT(1);
    return found;
}

/* The certified k nearest of all points, of those in rows, or of foreign ones. */
SEXP r_residual_scan(SEXP metric, SEXP foreign, SEXP rows, SEXP k, SEXP options)
{
    static const char *const names[] = {"index", "distance", "counts"};
    static const char *const count_names[] = {"single", "double", "correlations"};
    struct ct_residual_metric residual = residual_of(metric);
    struct ct_factors others = {0};
    struct ct_residual_stats stats = {0};
    if (!Rf_isNull(foreign))
        others = latent_of(foreign);
    struct ct_exact_batch batch = {
        .metric = &residual,
        .query_points = Rf_isNull(foreign) ? NULL : &others,
        .row = Rf_isNull(rows) ? NULL : INTEGER_RO(rows),
        .count = !Rf_isNull(foreign) ? others.n
                 : Rf_isNull(rows)   ? residual.points.n
                                     : (int)XLENGTH(rows),
        .predecessors = r_int_option(options, "predecessor"),
        .threads = r_num_threads(r_option(options, "threads")),
        .kernels = r_kernels(r_option(options, "simd")),
        .correlation_kernels = dots_of(r_option(options, "simd")),
        .stats = &stats,
    };
    SEXP found = PROTECT(new_result(batch.count, Rf_asInteger(k), 1, names)), counts;
    SET_VECTOR_ELT(found, 2, counts = r_named_list(count_names, 3));
    struct ct_host host = r_host_for("knn_query", options);
    ct_exact_search(&host, &batch, Rf_asInteger(k), NA_REAL, INTEGER(VECTOR_ELT(found, 0)),
                    REAL(VECTOR_ELT(found, 1)));
    SET_VECTOR_ELT(counts, 0, Rf_ScalarReal((double)stats.filtered_f32));
    SET_VECTOR_ELT(counts, 1, Rf_ScalarReal((double)stats.filtered_f64));
    SET_VECTOR_ELT(counts, 2, Rf_ScalarReal((double)stats.exact));
    UNPROTECT(1);
    return found;
}

/* Coarse V, as residual_approx/quantize.h has it: list(unit, values in an integer vector's
 * memory). */
SEXP r_residual_coarse(SEXP pointer, SEXP metric, SEXP threads)
{
    struct ct_residual_metric residual = residual_of(metric);
    int n = residual.points.n;
    double unit = ct_quantization_unit(residual.points.v, residual.m, n);
    R_xlen_t size = (R_xlen_t)ct_quantized_stride(residual.m) / 2 * (R_xlen_t)n;
    static const char *const names[] = {"unit", "values"};
    SEXP coarse = PROTECT(r_named_list(names, 2));
    SET_VECTOR_ELT(coarse, 0, Rf_ScalarReal(unit));
    SET_VECTOR_ELT(coarse, 1, Rf_allocVector(INTSXP, size));
    ct_quantize(&r_host, residual.points.v, residual.m, r_tree(pointer)->row, n, unit,
                r_num_threads(threads), (int16_t *)INTEGER(VECTOR_ELT(coarse, 1)));
    UNPROTECT(1);
    return coarse;
}

/* The k nearest among those that are met in the order of space; effort is
 * list(patience, first, most); coarse is V so, or NULL to walk by V itself. */
SEXP r_residual_walk(SEXP pointer, SEXP metric, SEXP coarse, SEXP query, SEXP foreign, SEXP rows,
                     SEXP k, SEXP effort, SEXP options)
{
    static const char *const names[] = {"index", "distance", "evaluated", "escalations",
                                        "stopped_early"};
    struct ct_budget budget;
    struct ct_residual_metric residual = residual_of(metric);
    struct ct_factors others = {0};
    struct ct_batch batch = r_batch(pointer, query, options);
    int count = Rf_asInteger(k), reach = count < batch.tree->n ? count : batch.tree->n;
    batch.predecessor = r_int_option(options, "predecessor");
    if (!Rf_isNull(foreign))
        others = latent_of(foreign);
    struct ct_pair_input input = {
        .metric = &residual,
        .query_points = Rf_isNull(foreign) ? NULL : &others,
        .correlation_kernels = dots_of(r_option(options, "simd")),
        .dot4_kernels = ct_dot4_kernels((enum ct_simd_level)(r_int_option(options, "simd") - 1)),
    };
    struct ct_approx_options approx = {
        .k = count,
        .patience = r_double_option(effort, "patience"),
        .budget = r_ladder(r_option(options, "budget"), reach, &budget),
        .first_round = r_int_option(effort, "first"),
        .max_candidates = r_int_option(effort, "most"),
        .missing = NA_REAL,
    };
    struct ct_approx_results results = {.slot = NULL};
    if (!Rf_isNull(coarse))
        input.quantized =
            (struct ct_quantized){(const int16_t *)INTEGER_RO(r_option(coarse, "values")),
                                  r_double_option(coarse, "unit")};
    if (!Rf_isNull(rows)) {
        int *slot = r_host.alloc((size_t)batch.tree->n, sizeof *slot);
        batch.order = r_positions(batch.tree, rows, slot);
        batch.m = (int)XLENGTH(rows);
        results.slot = slot;
    }
    SEXP found = PROTECT(new_result(batch.m, count, 3, names));
    SET_VECTOR_ELT(found, 2, Rf_allocVector(INTSXP, batch.m));
    SET_VECTOR_ELT(found, 3, Rf_allocVector(INTSXP, batch.m));
    SET_VECTOR_ELT(found, 4, Rf_allocVector(LGLSXP, batch.m));
    results.ld = batch.m;
    results.index = INTEGER(VECTOR_ELT(found, 0));
    results.distance = REAL(VECTOR_ELT(found, 1));
    results.evaluated = INTEGER(VECTOR_ELT(found, 2));
    results.step = INTEGER(VECTOR_ELT(found, 3));
    results.stopped_early = LOGICAL(VECTOR_ELT(found, 4));
    if (batch.predecessor)
        r_build_prefix_trees(pointer, batch.kernels, batch.threads, approx.first_round);
    struct ct_host host = r_host_for("knn_query", options);
    ct_approx_search(&host, &batch, &input, &approx, &results);
    UNPROTECT(1);
    return found;
}

/* Distances of queries, given as to r_residual_scan(), to the rows in the lines of
 * index, which may be NA. */
SEXP r_residual_distance(SEXP metric, SEXP foreign, SEXP rows, SEXP index, SEXP simd)
{
    struct ct_residual_metric residual = residual_of(metric);
    struct ct_factors others = residual.points;
    if (!Rf_isNull(foreign))
        others = latent_of(foreign);
    int m = Rf_nrows(index), k = Rf_ncols(index);
    SEXP distance = PROTECT(Rf_allocMatrix(REALSXP, m, k));
    for (int i = 0; i < m; i++) {
        int query = Rf_isNull(rows) ? i : INTEGER_RO(rows)[i] - 1;
        r_host.poll();
        for (int j = 0; j < k; j++) {
            size_t at = (size_t)i + (size_t)j * (size_t)m;
            int pos = INTEGER_RO(index)[at] == NA_INTEGER ? -1 : INTEGER_RO(index)[at] - 1;
            double sq;
            if (pos >= 0)
                ct_residual_sqdist(dots_of(simd), &residual, &others, query, &pos, 1, &sq);
            REAL(distance)[at] = pos < 0 ? NA_REAL : sqrt(sq);
        }
    }
    UNPROTECT(1);
    return distance;
}

/* Values of v to a point, with those that only fill up. */
SEXP r_v_stride(SEXP m)
{
    return Rf_ScalarInteger((int)ct_v_stride(Rf_asInteger(m)));
}

/* The same for coarse V. */
SEXP r_coarse_stride(SEXP m)
{
    return Rf_ScalarInteger((int)ct_quantized_stride(Rf_asInteger(m)));
}
