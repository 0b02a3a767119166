/* residual_search.c: nearest neighbors by residual correlation from R: exact, approximate.
 *
 * Queries are the points of query_points, a list(z, v, p), or own points of the tree: all of
 * them if `rows` is NULL, otherwise those in `rows`. Options are those of glue/query.h.
 */
#include "core/covertree.h"
#include "glue/query.h"
#include "glue/residual_metric.h"
#include "glue/simd.h"
#include "glue/threads.h"
#include "glue/tree_handle.h"

#include <math.h>

/* A list with these names, of which the first two elements are index and distance
 * [queries x k]. The caller protects it. */
static SEXP new_result(int queries, int k, const char *const *names, int count)
{
    SEXP found = PROTECT(r_named_list(names, count));
    SET_VECTOR_ELT(found, 0, Rf_allocMatrix(INTSXP, queries, k));
    SET_VECTOR_ELT(found, 1, Rf_allocMatrix(REALSXP, queries, k));
    UNPROTECT(1);
    return found;
}

static SEXP stats_list(const struct ct_residual_stats *stats)
{
    static const char *const names[] = {"single", "double", "correlations"};
    SEXP list = PROTECT(r_named_list(names, 3));
    SET_VECTOR_ELT(list, 0, Rf_ScalarReal((double)stats->filtered_f32));
    SET_VECTOR_ELT(list, 1, Rf_ScalarReal((double)stats->filtered_f64));
    SET_VECTOR_ELT(list, 2, Rf_ScalarReal((double)stats->exact));
    UNPROTECT(1);
    return list;
}

/* R's list(inducing, factor, jitter); NULL if the factors of points were given. */
static struct ct_factor_origin origin_of(SEXP list)
{
    return (struct ct_factor_origin){.u = REAL_RO(r_option(list, "inducing")),
                                     .factor = REAL_RO(r_option(list, "factor")),
                                     .jitter = r_double_option(list, "jitter")};
}

/* The batch of an exact search, and what it points to. */
struct exact_input {
    struct ct_residual_metric metric;
    struct ct_factors others;
    struct ct_factor_origin origin;
    struct ct_exact_batch batch;
};

/* Fills the input; it must not move. */
static void fill_exact_input(struct exact_input *input, SEXP metric, SEXP origin, SEXP query_points,
                             SEXP rows, SEXP options)
{
    int own = Rf_isNull(query_points);
    input->metric = r_residual_metric(metric);
    input->others = own ? input->metric.points : r_factors(query_points);
    if (!Rf_isNull(origin))
        input->origin = origin_of(origin);
    input->batch = (struct ct_exact_batch){
        .metric = &input->metric,
        .query_points = own ? NULL : &input->others,
        .row = Rf_isNull(rows) ? NULL : INTEGER_RO(rows),
        .count = Rf_isNull(rows) ? input->others.n : (int)XLENGTH(rows),
        .predecessors = r_int_option(options, "predecessor"),
        .max_distance = r_doubles_option(options, "max_distance"),
        .threads = r_num_threads(r_option(options, "threads")),
        .kernels = r_kernels(r_option(options, "simd")),
        .correlation_kernels = r_correlation_kernels(r_option(options, "simd")),
        .origin = Rf_isNull(origin) ? NULL : &input->origin,
    };
}

/* Returns the exact k nearest neighbors: list(index, distance, counts). origin: see origin_of(). */
SEXP r_residual_exact(SEXP metric, SEXP origin, SEXP query_points, SEXP rows, SEXP k, SEXP options)
{
    static const char *const names[] = {"index", "distance", "counts"};
    struct ct_residual_stats stats = {0};
    struct exact_input input;
    fill_exact_input(&input, metric, origin, query_points, rows, options);
    input.batch.stats = &stats;
    SEXP found = PROTECT(new_result(input.batch.count, Rf_asInteger(k), names, 3));
    struct ct_host host = r_host_for(options);
    ct_exact_search(&host, &input.batch, Rf_asInteger(k), NA_REAL, INTEGER(VECTOR_ELT(found, 0)),
                    REAL(VECTOR_ELT(found, 1)));
    SET_VECTOR_ELT(found, 2, stats_list(&stats));
    UNPROTECT(1);
    return found;
}

/* Returns the estimated costs of the exact search for all queries, c(cost of a query, cost of a
 * correlation), or lower bounds if `measure` is false. Uses the kernels of the base set, so that
 * the estimate does not depend on the machine. */
SEXP r_residual_costs(SEXP metric, SEXP origin, SEXP query_points, SEXP k, SEXP measure,
                      SEXP options)
{
    struct exact_input input;
    fill_exact_input(&input, metric, origin, query_points, R_NilValue, options);
    input.batch.kernels = ct_kernels(CT_SIMD_BASE);
    input.batch.correlation_kernels = ct_correlation_kernels(CT_SIMD_BASE);
    struct ct_exact_costs costs =
        Rf_asLogical(measure) ? ct_exact_search_costs(&r_host, &input.batch, Rf_asInteger(k))
                              : ct_exact_search_least_costs(&input.batch);
    SEXP both = PROTECT(Rf_allocVector(REALSXP, 2));
    REAL(both)[0] = costs.query;
    REAL(both)[1] = costs.correlation;
    UNPROTECT(1);
    return both;
}

/* R's list(unit, values, ...), as r_residual_quantize() returns it; or NULL. */
static struct ct_quantized quantized_of(SEXP list)
{
    struct ct_quantized quantized = {NULL, 0};
    if (!Rf_isNull(list)) {
        quantized.v = (const int16_t *)INTEGER_RO(r_option(list, "values"));
        quantized.unit = r_double_option(list, "unit");
    }
    return quantized;
}

/* Replaces the queries of the batch by the own points in `rows`, and returns the line of the
 * results for each row of the tree, [n]. */
static const int *choose_rows(struct ct_batch *batch, SEXP rows)
{
    int *slot = r_host.alloc((size_t)batch->tree->n, sizeof *slot);
    batch->order = r_positions(batch->tree, rows, slot);
    batch->count = (int)XLENGTH(rows);
    return slot;
}

/* A result of the approximate search, with a record of so many levels if there are any, and
 * pointers to its memory. */
static SEXP new_approx_result(int queries, int k, int levels, struct ct_approx_results *to)
{
    static const char *const names[] = {"index",         "distance", "evaluated", "escalations",
                                        "stopped_early", "stop",     "position"};
    SEXP found = PROTECT(new_result(queries, k, names, levels > 0 ? 7 : 5));
    SET_VECTOR_ELT(found, 2, Rf_allocVector(INTSXP, queries));
    SET_VECTOR_ELT(found, 3, Rf_allocVector(INTSXP, queries));
    SET_VECTOR_ELT(found, 4, Rf_allocVector(LGLSXP, queries));
    to->ld = queries;
    to->index = INTEGER(VECTOR_ELT(found, 0));
    to->distance = REAL(VECTOR_ELT(found, 1));
    to->evaluated = INTEGER(VECTOR_ELT(found, 2));
    to->step = INTEGER(VECTOR_ELT(found, 3));
    to->stopped_early = LOGICAL(VECTOR_ELT(found, 4));
    if (levels > 0) {
        SET_VECTOR_ELT(found, 5, Rf_allocMatrix(INTSXP, queries, levels));
        SET_VECTOR_ELT(found, 6, Rf_allocMatrix(INTSXP, queries, k));
        to->record.stop = INTEGER(VECTOR_ELT(found, 5));
        to->record.position = INTEGER(VECTOR_ELT(found, 6));
    }
    UNPROTECT(1);
    return found;
}

/* Returns approximate k nearest neighbors: list(index, distance, evaluated, escalations,
 * stopped_early), and with levels also stop [queries x levels] and position [queries x k]: see
 * struct ct_approx_record. query: where query_points lie in the space of the tree [m x d]. effort:
 * list(patience, levels, first, most), levels in ascending order. quantized: see quantized_of(). */
SEXP r_residual_approx(SEXP pointer, SEXP metric, SEXP quantized, SEXP query, SEXP query_points,
                       SEXP rows, SEXP k, SEXP effort, SEXP options)
{
    struct ct_budget budget;
    struct ct_residual_metric residual = r_residual_metric(metric);
    struct ct_factors others = Rf_isNull(query_points) ? residual.points : r_factors(query_points);
    struct ct_batch batch = r_batch(pointer, query, options);
    struct ct_approx_results results = {.slot = NULL};
    int neighbors = Rf_asInteger(k), most = neighbors < batch.tree->n ? neighbors : batch.tree->n;
    struct ct_pair_input input = {
        .metric = &residual,
        .query_points = Rf_isNull(query_points) ? NULL : &others,
        .quantized = quantized_of(quantized),
        .correlation_kernels = r_correlation_kernels(r_option(options, "simd")),
        .dot4_kernels = ct_dot4_kernels((enum ct_simd_level)(r_int_option(options, "simd") - 1)),
    };
    struct ct_approx_options approx = {
        .k = neighbors,
        .patience = r_double_option(effort, "patience"),
        .levels = Rf_length(r_option(effort, "levels")),
        .level_patience = REAL_RO(r_option(effort, "levels")),
        .budget = r_budget(r_option(options, "budget"), most, &budget),
        .first_round = r_int_option(effort, "first"),
        .max_candidates = r_int_option(effort, "most"),
        .missing = NA_REAL,
    };
    batch.predecessors = r_int_option(options, "predecessor");
    if (!Rf_isNull(rows))
        results.slot = choose_rows(&batch, rows);
    SEXP found = PROTECT(new_approx_result(batch.count, neighbors, approx.levels, &results));
    if (batch.predecessors)
        r_build_prefix_trees(pointer, batch.kernels, batch.threads, approx.first_round);
    struct ct_host host = r_host_for(options);
    ct_approx_search(&host, &batch, &input, &approx, &results);
    UNPROTECT(1);
    return found;
}

/* Returns the distances [queries x k] of queries to the rows index [queries x k], NA where a
 * row is NA. */
SEXP r_residual_distance(SEXP metric, SEXP query_points, SEXP rows, SEXP index, SEXP simd)
{
    struct ct_residual_metric residual = r_residual_metric(metric);
    struct ct_factors others = Rf_isNull(query_points) ? residual.points : r_factors(query_points);
    const struct ct_correlation_kernels *kernels = r_correlation_kernels(simd);
    int m = Rf_nrows(index), k = Rf_ncols(index);
    SEXP distance = PROTECT(Rf_allocMatrix(REALSXP, m, k));
    for (int i = 0; i < m; i++) {
        int query = Rf_isNull(rows) ? i : INTEGER_RO(rows)[i] - 1;
        r_host.poll();
        for (int j = 0; j < k; j++) {
            size_t at = (size_t)i + (size_t)j * (size_t)m;
            int row = INTEGER_RO(index)[at], pos = row - 1;
            double sq = NA_REAL;
            if (row != NA_INTEGER)
                ct_residual_sqdist(kernels, &residual, &others, query, &pos, 1, &sq);
            REAL(distance)[at] = row != NA_INTEGER ? sqrt(sq) : NA_REAL;
        }
    }
    UNPROTECT(1);
    return distance;
}
