/* residual_metric.c: residual correlations from R: factors of points, quantized factors.
 *
 * R keeps the factors of points by row, list(z, v, p): z [n x d] coordinates over length
 * scales, v [stride x n] and p [n], as in core/residual/correlation.h. They are computed when
 * a tree gets its metric, and for the points of a query.
 */
#include "glue/residual_metric.h"
#include "glue/options.h"
#include "glue/simd.h"
#include "glue/threads.h"
#include "glue/tree_handle.h"

const struct ct_correlation_kernels *r_correlation_kernels(SEXP simd)
{
    return ct_correlation_kernels(r_simd_level(simd));
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

/* The inducing points u [m x d] and the covariance function. */
static struct ct_inducing inducing_points(SEXP kind, SEXP variance, SEXP u)
{
    return (struct ct_inducing){
        .kind = (enum ct_covariance)Rf_asInteger(kind),
        .variance = Rf_asReal(variance),
        .u = REAL_RO(u),
        .m = Rf_nrows(u),
        .d = Rf_ncols(u),
    };
}

/* Returns the lower Cholesky factor L [m x m] of the covariance matrix of the inducing points
 * u [m x d], with `jitter` added to the diagonal; or the order of the leading minor that is
 * not positive. */
SEXP r_inducing_factor(SEXP kind, SEXP variance, SEXP u, SEXP jitter, SEXP simd, SEXP threads)
{
    struct ct_inducing inducing = inducing_points(kind, variance, u);
    SEXP factor = PROTECT(Rf_allocMatrix(REALSXP, inducing.m, inducing.m));
    int failed = ct_inducing_factor(&r_host, r_simd_level(simd), &inducing, Rf_asReal(jitter),
                                    r_num_threads(threads), REAL(factor));
    UNPROTECT(1);
    return failed > 0 ? Rf_ScalarInteger(failed) : factor;
}

/* Returns the factors list(z, v, p) of the points z [n x d], given the inducing points u [m x d]
 * and their factor. A residual variance of at most `none` becomes 0; `nugget` is added to the
 * others. n m^2 / 2 multiply-adds. */
SEXP r_residual_values(SEXP kind, SEXP variance, SEXP u, SEXP factor, SEXP z, SEXP nugget,
                       SEXP none, SEXP simd, SEXP threads)
{
    static const char *const names[] = {"z", "v", "p"};
    struct ct_inducing inducing = inducing_points(kind, variance, u);
    int n = Rf_nrows(z);
    SEXP points = PROTECT(r_named_list(names, 3)), v, p;
    SET_VECTOR_ELT(points, 0, z);
    SET_VECTOR_ELT(points, 1, v = Rf_allocMatrix(REALSXP, (int)ct_v_stride(inducing.m), n));
    SET_VECTOR_ELT(points, 2, p = Rf_allocVector(REALSXP, n));
    struct ct_host host = r_host_with_progress();
    ct_residual_factors(&host, r_simd_level(simd), &inducing, REAL_RO(factor), REAL_RO(z), n,
                        r_num_threads(threads), REAL(v), REAL(p));
    for (int i = 0; i < n; i++) {
        double residual = REAL(p)[i];
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
