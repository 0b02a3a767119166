/* gower.c: searches by Gower distance with missing values, for R. */
#include "core/covertree.h"
#include "glue/query.h"
#include "glue/simd.h"
#include "glue/threads.h"

/* points: list(values, weights, nominal) of gower_values() in R/gower.R. query: the values of
 * foreign queries, or NULL. rows: the queries to answer, or NULL for all. */
static struct ct_gower_batch gower_batch(SEXP points, SEXP query, SEXP rows, SEXP options)
{
    SEXP values = r_option(points, "values");
    struct ct_gower_batch batch = {
        .n = Rf_nrows(values),
        .columns = Rf_ncols(values),
        .points = REAL_RO(values),
        .weight = REAL_RO(r_option(points, "weights")),
        .nominal = LOGICAL_RO(r_option(points, "nominal")),
        .query = Rf_isNull(query) ? NULL : REAL_RO(query),
        .queries = Rf_nrows(Rf_isNull(query) ? values : query),
        .row = Rf_isNull(rows) ? NULL : INTEGER_RO(rows),
        .predecessor = r_int_option(options, "predecessor"),
        .threads = r_num_threads(r_option(options, "threads")),
        .kernels = r_kernels(r_option(options, "simd")),
    };
    batch.count = batch.row ? (int)XLENGTH(rows) : batch.queries;
    return batch;
}

/* Returns list(index, distance) [count x k]. */
SEXP r_gower_knn(SEXP points, SEXP query, SEXP rows, SEXP k, SEXP options)
{
    static const char *const names[] = {"index", "distance"};
    struct ct_gower_batch batch = gower_batch(points, query, rows, options);
    struct ct_host host = r_host_for("knn_query", options);
    SEXP found = PROTECT(r_named_list(names, 2));
    SET_VECTOR_ELT(found, 0, Rf_allocMatrix(INTSXP, batch.count, Rf_asInteger(k)));
    SET_VECTOR_ELT(found, 1, Rf_allocMatrix(REALSXP, batch.count, Rf_asInteger(k)));
    ct_gower_knn(&host, &batch, Rf_asInteger(k), NA_REAL, INTEGER(VECTOR_ELT(found, 0)),
                 REAL(VECTOR_ELT(found, 1)));
    UNPROTECT(1);
    return found;
}

/* Returns list(index, distance, count), or c(pairs, limit, 0) if there are more pairs than the
 * limit. */
SEXP r_gower_radius(SEXP points, SEXP query, SEXP rows, SEXP radius, SEXP limit, SEXP options)
{
    static const char *const names[] = {"index", "distance", "count"};
    struct ct_gower_batch batch = gower_batch(points, query, rows, options);
    SEXP found = PROTECT(r_named_list(names, 3));
    SEXP index = Rf_allocVector(VECSXP, batch.count), distance, count;
    SET_VECTOR_ELT(found, 0, index);
    SET_VECTOR_ELT(found, 1, distance = Rf_allocVector(VECSXP, batch.count));
    SET_VECTOR_ELT(found, 2, count = Rf_allocVector(INTSXP, batch.count));
    ct_gower_count(&r_host, &batch, Rf_asReal(radius), INTEGER(count));
    double pairs = 0;
    for (int i = 0; i < batch.count; i++)
        pairs += INTEGER(count)[i];
    if (pairs > Rf_asReal(limit)) {
        SEXP refused = Rf_allocVector(REALSXP, 3);
        REAL(refused)[0] = pairs;
        REAL(refused)[1] = Rf_asReal(limit);
        REAL(refused)[2] = 0;
        UNPROTECT(1);
        return refused;
    }
    int **to_index = r_host.alloc((size_t)batch.count, sizeof *to_index);
    double **to_distance = r_host.alloc((size_t)batch.count, sizeof *to_distance);
    for (int i = 0; i < batch.count; i++) {
        SET_VECTOR_ELT(index, i, Rf_allocVector(INTSXP, INTEGER(count)[i]));
        SET_VECTOR_ELT(distance, i, Rf_allocVector(REALSXP, INTEGER(count)[i]));
        to_index[i] = INTEGER(VECTOR_ELT(index, i));
        to_distance[i] = REAL(VECTOR_ELT(distance, i));
    }
    ct_gower_fill(&r_host, &batch, Rf_asReal(radius), INTEGER(count), to_index, to_distance);
    UNPROTECT(1);
    return found;
}
