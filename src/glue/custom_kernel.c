/* custom_kernel.c: residual correlations whose covariance function is an R function.
 *
 * R evaluates the function for a block of queries and all points at once; see
 * core/residual_exact/host_covariance.h. Columns of R's matrices of pairs are queries.
 */
#include "core/covertree.h"
#include "glue/options.h"
#include "glue/residual_metric.h"
#include "glue/threads.h"

/* The pairs of the queries `rows` of `others`, list(z, v, p), or of the points themselves if that
 * is NULL, with the points `index` [queries x count], or with the first `count` points. */
static struct ct_pair_block block_of(const struct ct_residual_metric *metric, SEXP others,
                                     SEXP rows, SEXP index, int count, SEXP options)
{
    return (struct ct_pair_block){
        .metric = metric,
        .kernels = r_correlation_kernels(r_option(options, "simd")),
        .from = Rf_isNull(others) ? metric->points : r_factors(others),
        .row = INTEGER_RO(rows),
        .queries = (int)XLENGTH(rows),
        .count = Rf_isNull(index) ? count : Rf_ncols(index),
        .threads = r_num_threads(r_option(options, "threads")),
        .index = Rf_isNull(index) ? NULL : INTEGER_RO(index),
        .own = Rf_isNull(others),
        .predecessor = r_int_option(options, "predecessor"),
    };
}

/* Returns the squared distances [count x queries]. */
SEXP r_pair_squares(SEXP metric, SEXP others, SEXP rows, SEXP index, SEXP count, SEXP options)
{
    struct ct_residual_metric residual = r_residual_metric(metric);
    struct ct_pair_block block =
        block_of(&residual, others, rows, index, Rf_asInteger(count), options);
    SEXP squares = PROTECT(Rf_allocMatrix(REALSXP, block.count, block.queries));
    ct_pair_squares(&r_host, &block, REAL(squares));
    UNPROTECT(1);
    return squares;
}

/* Returns the distances [count x queries] that belong to covariances. */
SEXP r_pair_distances(SEXP metric, SEXP others, SEXP rows, SEXP index, SEXP covariance,
                      SEXP options)
{
    struct ct_residual_metric residual = r_residual_metric(metric);
    struct ct_pair_block block =
        block_of(&residual, others, rows, index, Rf_nrows(covariance), options);
    SEXP distance = PROTECT(Rf_duplicate(covariance));
    ct_pair_distances(&r_host, &block, REAL(distance));
    UNPROTECT(1);
    return distance;
}

/* Returns the k nearest of the first points, given the distances [count x queries]:
 * list(index, distance) [k x queries], padded with NA. */
SEXP r_pair_nearest(SEXP metric, SEXP others, SEXP rows, SEXP distance, SEXP k, SEXP options)
{
    static const char *const names[] = {"index", "distance"};
    struct ct_residual_metric residual = r_residual_metric(metric);
    struct ct_pair_block block =
        block_of(&residual, others, rows, R_NilValue, Rf_nrows(distance), options);
    int wanted = Rf_asInteger(k), *found = r_host.alloc((size_t)block.queries, sizeof *found);
    SEXP result = PROTECT(r_named_list(names, 2)), nearest, nearest_distance;
    SET_VECTOR_ELT(result, 0, nearest = Rf_allocMatrix(INTSXP, wanted, block.queries));
    SET_VECTOR_ELT(result, 1, nearest_distance = Rf_allocMatrix(REALSXP, wanted, block.queries));
    ct_pair_nearest(&r_host, &block, REAL_RO(distance), wanted, INTEGER(nearest),
                    REAL(nearest_distance), found);
    for (int i = 0; i < block.queries; i++)
        for (int j = found[i]; j < wanted; j++) {
            INTEGER(nearest)[j + (size_t)i * (size_t)wanted] = NA_INTEGER;
            REAL(nearest_distance)[j + (size_t)i * (size_t)wanted] = NA_REAL;
        }
    UNPROTECT(1);
    return result;
}
