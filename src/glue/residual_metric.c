/* residual_metric.c: residual correlations from R: factors of points, quantized factors.
 *
 * R keeps the factors of points by row, list(z, v, p): z [n x d] coordinates over length
 * scales, v [stride x n] and p [n], as in core/residual/correlation.h. They are computed when
 * a tree gets its metric, and for the points of a query.
 */
#define USE_FC_LEN_T
#include "glue/residual_metric.h"
#include "glue/options.h"
#include "glue/threads.h"
#include "glue/tree_handle.h"

#include <R_ext/BLAS.h>
#include <R_ext/Lapack.h>
#ifndef FCONE
#define FCONE
#endif

enum {
    CHUNK_MAX = 256,     /* points of a chunk, for which a triangular system is solved */
    FACTOR_BLOCK = 64,   /* columns of a Cholesky factor that are computed together */
    RUN_VALUES = 1 << 20 /* values of earlier columns that a run of rows reads, about */
};

const struct ct_correlation_kernels *r_correlation_kernels(SEXP simd)
{
    return ct_correlation_kernels((enum ct_simd_level)(Rf_asInteger(simd) - 1));
}

struct ct_factors r_factors(SEXP points)
{
    return (struct ct_factors){.n = Rf_nrows(r_option(points, "z")),
                               .z = REAL_RO(r_option(points, "z")),
                               .v = REAL_RO(r_option(points, "v")),
                               .p = REAL_RO(r_option(points, "p"))};
}

struct ct_residual_metric r_residual_metric(SEXP metric)
{
    SEXP points = r_option(metric, "points");
    return (struct ct_residual_metric){
        .kind = (enum ct_covariance)r_int_option(metric, "kind"),
        .variance = r_double_option(metric, "variance"),
        .d = Rf_ncols(r_option(points, "z")),
        .m = r_int_option(metric, "m"),
        .points = r_factors(points),
    };
}

/* Replaces the columns j, ..., j + count - 1 of a, below row j + count, by those of the Cholesky
 * factor, given the columns before j and the factor of the diagonal block. Works in runs of
 * rows that take a fraction of a second, and polls after each. */
static void factor_below(double *a, int m, int j, int count)
{
    const double one = 1, minus = -1;
    size_t ld = (size_t)m;
    int run = RUN_VALUES / (j + 1) + FACTOR_BLOCK;
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

/* Replaces a [m x m] by its lower Cholesky factor, block by block like LAPACK's dpotrf(), which
 * itself cannot be interrupted. Returns 0, or the order of the leading minor that is not
 * positive. m^3 / 3 multiply-adds. */
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

/* Returns the lower Cholesky factor L [m x m] of the covariance matrix of the inducing points
 * u [m x d], with `jitter` added to the diagonal; or the order of the leading minor that is
 * not positive. */
SEXP r_inducing_factor(SEXP kind, SEXP variance, SEXP u, SEXP jitter, SEXP simd, SEXP threads)
{
    int m = Rf_nrows(u);
    SEXP factor = PROTECT(Rf_allocMatrix(REALSXP, m, m));
    double *l = REAL(factor);
    ct_covariance_cross(&r_host, r_correlation_kernels(simd),
                        (enum ct_covariance)Rf_asInteger(kind), Rf_asReal(variance), REAL_RO(u), m,
                        REAL_RO(u), m, Rf_ncols(u), (size_t)m, r_num_threads(threads), l);
    for (int i = 0; i < m; i++)
        l[i + (size_t)i * (size_t)m] += Rf_asReal(jitter);
    int failed = factor_in_place(l, m);
    for (int j = 1; j < m; j++)
        for (int i = 0; i < j; i++)
            l[i + (size_t)j * (size_t)m] = 0;
    UNPROTECT(1);
    return failed > 0 ? Rf_ScalarInteger(failed) : factor;
}

/* The arguments of solve_chunk(), for the parallel loop. */
struct solve_task {
    const double *factor; /* [m x m] L */
    int m, n, chunk;      /* chunk: points of a chunk */
    size_t stride;
    double variance;
    double *v; /* [stride x n] covariances with the inducing points, replaced by v = L^-1 k */
    double *p; /* [n] */
};

/* Points of a chunk that takes at most 0.1 seconds. */
static int chunk_size(int m)
{
    double most = 2e8 / ((double)m * m);
    return most < 1 ? 1 : most < CHUNK_MAX ? (int)most : CHUNK_MAX;
}

/* Solves for v of one chunk of points, and subtracts |v|^2 from the variance. */
static void solve_chunk(void *data, int chunk, int thread)
{
    const struct solve_task *s = data;
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

/* Returns the factors list(z, v, p) of the points z [n x d], given the inducing points u [m x d]
 * and their factor. A residual variance of at most `none` becomes 0; `nugget` is added to the
 * others. n m^2 / 2 multiply-adds. */
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
        ct_covariance_cross(&r_host, r_correlation_kernels(simd),
                            (enum ct_covariance)Rf_asInteger(kind), s2, REAL_RO(u), m, REAL_RO(z),
                            n, Rf_ncols(z), stride, r_num_threads(threads), REAL(v));
        struct solve_task task = {REAL_RO(factor), m,  n,       chunk_size(m),
                                  stride,          s2, REAL(v), REAL(p)};
        ct_parallel_for(&r_host, n / task.chunk + (n % task.chunk > 0), r_num_threads(threads),
                        solve_chunk, &task);
    }
    for (int i = 0; i < n; i++) {
        double residual = m > 0 ? REAL(p)[i] : s2;
        REAL(p)[i] = residual > Rf_asReal(none) ? residual + Rf_asReal(nugget) : 0;
    }
    UNPROTECT(1);
    return points;
}

/* Returns quantized v of the metric's points in tree order: list(unit, values), where the
 * values are int16 in the memory of an integer vector, two in each integer. */
SEXP r_residual_quantize(SEXP pointer, SEXP metric, SEXP threads)
{
    static const char *const names[] = {"unit", "values"};
    struct ct_residual_metric residual = r_residual_metric(metric);
    int n = residual.points.n;
    double unit = ct_quantization_unit(residual.points.v, residual.m, n);
    R_xlen_t size = (R_xlen_t)ct_quantized_stride(residual.m) / 2 * (R_xlen_t)n;
    SEXP quantized = PROTECT(r_named_list(names, 2));
    SET_VECTOR_ELT(quantized, 0, Rf_ScalarReal(unit));
    SET_VECTOR_ELT(quantized, 1, Rf_allocVector(INTSXP, size));
    ct_quantize(&r_host, residual.points.v, residual.m, r_tree(pointer)->row, n, unit,
                r_num_threads(threads), (int16_t *)INTEGER(VECTOR_ELT(quantized, 1)));
    UNPROTECT(1);
    return quantized;
}

/* Values of v for one point, with padding, for m inducing points. */
SEXP r_v_stride(SEXP m)
{
    return Rf_ScalarInteger((int)ct_v_stride(Rf_asInteger(m)));
}

/* The same for quantized v. */
SEXP r_quantized_stride(SEXP m)
{
    return Rf_ScalarInteger((int)ct_quantized_stride(Rf_asInteger(m)));
}
