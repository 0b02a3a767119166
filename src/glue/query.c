/* query.c: batches of queries from R. */
#include "glue/query.h"
#include "core/covertree.h"
#include "glue/metric.h"
#include "glue/parts.h"
#include "glue/row_limits.h"
#include "glue/simd.h"
#include "glue/threads.h"
#include "glue/tree_handle.h"

#include <limits.h>
#include <math.h>

struct ct_host r_host_for(SEXP options)
{
    return r_int_option(options, "progress") ? r_host_with_progress() : r_host;
}

/* A batch without tree and queries. */
static struct ct_batch new_batch(SEXP options, int d)
{
    return (struct ct_batch){
        .metric = r_metric(r_option(options, "metric"), d),
        .threads = r_num_threads(r_option(options, "threads")),
        .kernels = r_kernels(r_option(options, "simd")),
        .block = r_int_option(options, "block_size"),
        .mode = (enum ct_search_mode)r_int_option(options, "search"),
        .with_self = r_int_option(options, "self"),
    };
}

/* Foreign queries have the columns of the tree, unless its parts were edited. */
static const double *query_values(SEXP query, int d)
{
    if (TYPEOF(query) != REALSXP || Rf_ncols(query) != d)
        r_stop(
            "tree is damaged: its arrays have other columns than its queries; build it again with "
            "cover_tree()");
    return REAL_RO(query);
}

/* Sets `count` queries [count x d], in curve order. */
static void set_queries(struct ct_batch *batch, const double *query, int count, int d)
{
    int *order = r_host.alloc((size_t)count, sizeof *order);
    if (count > 0)
        ct_hilbert_order(&r_host, query, count, d, batch->threads, order);
    batch->query = query;
    batch->count = count;
    batch->order = order;
}

struct ct_batch r_batch(SEXP pointer, SEXP query, SEXP options)
{
    const struct ct_tree *t = r_tree(pointer);
    struct ct_batch batch = new_batch(options, t->d);
    batch.tree = t;
    batch.count = t->n;
    if (!Rf_isNull(query))
        set_queries(&batch, query_values(query, t->d), Rf_nrows(query), t->d);
    return batch;
}

struct ct_parts_batch r_parts_batch(const struct r_parts *parts, SEXP query, SEXP rows,
                                    SEXP options)
{
    struct ct_parts_batch batch = {.parts = &parts->by_size, .batch = new_batch(options, parts->d)};
    if (!Rf_isNull(query)) {
        set_queries(&batch.batch, query_values(query, parts->d), Rf_nrows(query), parts->d);
        return batch;
    }
    int count = (int)XLENGTH(rows);
    double *points = r_host.alloc((size_t)count * parts->d, sizeof *points);
    r_parts_points_of(parts, INTEGER_RO(rows), count, points);
    set_queries(&batch.batch, points, count, parts->d);
    batch.own = INTEGER_RO(rows);
    return batch;
}

/* A statistic: doubles hold its counts exactly, which may exceed R's integers. */
struct statistic {
    const char *name;
    double value;
};

static SEXP named_doubles(const struct statistic *statistic, int count)
{
    SEXP values = PROTECT(Rf_allocVector(REALSXP, count));
    SEXP names = PROTECT(Rf_allocVector(STRSXP, count));
    for (int i = 0; i < count; i++) {
        REAL(values)[i] = statistic[i].value;
        SET_STRING_ELT(names, i, Rf_mkChar(statistic[i].name));
    }
    Rf_setAttrib(values, R_NamesSymbol, names);
    UNPROTECT(2);
    return values;
}

#define STATISTICS(array) named_doubles(array, (int)(sizeof(array) / sizeof *(array)))

/* list(blocks, counts, seconds) of named double vectors, for new_stats() in R/stats.R. `elapsed`
 * is the duration of the whole call [s]. */
static SEXP stats_list(const struct ct_search_stats *stats, double elapsed)
{
    static const char *const parts[] = {"blocks", "counts", "seconds"};
    const struct statistic blocks[] = {
        {"1", (double)stats->blocks[0]},  {"2", (double)stats->blocks[1]},
        {"4", (double)stats->blocks[2]},  {"8", (double)stats->blocks[3]},
        {"16", (double)stats->blocks[4]}, {"32", (double)stats->blocks[5]},
        {"64", (double)stats->blocks[6]},
    };
    const struct statistic counts[] = {
        {"scans", (double)stats->scans},
        {"nodes", (double)stats->nodes},
        {"candidates", (double)stats->candidates},
        {"cache_hits", (double)stats->cache_hits},
        {"boxes", (double)stats->boxes},
        {"tiles", (double)stats->tiles},
        {"distances", (double)stats->distances},
        {"evaluated", (double)stats->evaluated},
        {"useful", (double)stats->useful},
        {"escalations", (double)stats->escalations},
        {"early_stops", (double)stats->early_stops},
    };
    const struct statistic seconds[] = {
        {"seed", stats->seconds[CT_PHASE_SEED]},
        {"descent", stats->seconds[CT_PHASE_DESCENT]},
        {"scan", stats->seconds[CT_PHASE_SCAN]},
        {"selection", stats->seconds[CT_PHASE_SELECTION]},
        {"elapsed", elapsed},
    };
    SEXP list = PROTECT(r_named_list(parts, 3));
    SET_VECTOR_ELT(list, 0, STATISTICS(blocks));
    SET_VECTOR_ELT(list, 1, STATISTICS(counts));
    SET_VECTOR_ELT(list, 2, STATISTICS(seconds));
    UNPROTECT(1);
    return list;
}

const struct ct_budget *r_budget(SEXP from, int k, struct ct_budget *budget)
{
    if (Rf_isNull(from))
        return NULL;
    SEXP schedule = r_option(from, "schedule");
    *budget = (struct ct_budget){.steps = (int)XLENGTH(schedule),
                                 .limit = INTEGER_RO(schedule),
                                 .escalate = r_double_option(from, "escalate"),
                                 .stop = r_double_option(from, "stop"),
                                 .window = k < 24 ? 16 : (k / 8 + 1) / 2 * 16,
                                 .diverse = r_int_option(from, "diversity")};
    return budget;
}

const int *r_positions(const struct ct_tree *t, SEXP rows, int *slot)
{
    int count = 0, *order = r_host.alloc((size_t)XLENGTH(rows), sizeof *order);
    for (int i = 0; i < t->n; i++)
        slot[i] = -1;
    for (int i = 0; i < XLENGTH(rows); i++)
        slot[INTEGER_RO(rows)[i] - 1] = i;
    for (int pos = 0; pos < t->n; pos++)
        if (slot[t->row[pos] - 1] >= 0)
            order[count++] = pos;
    return order;
}

void r_restrict_to_rows(struct ct_batch *batch, SEXP rows)
{
    if (Rf_isNull(rows))
        return;
    int *slot = r_host.alloc((size_t)batch->tree->n, sizeof *slot);
    batch->order = r_positions(batch->tree, rows, slot);
    batch->slot = slot;
    batch->count = batch->ld = (int)XLENGTH(rows);
}

/* Limits the rows that each of the batch's foreign queries can find to max_row [m], unless it is
 * NULL. */
static void limit_rows(struct ct_batch *batch, SEXP max_row)
{
    if (Rf_isNull(max_row))
        return;
    if (XLENGTH(max_row) != batch->count)
        r_stop("internal error: max_row must have an element for each query");
    struct ct_query_start *start = r_host.alloc((size_t)batch->count, sizeof *start);
    for (int i = 0; i < batch->count; i++) {
        double most = batch->max_distance ? batch->max_distance[i] : INFINITY;
        start[i] = (struct ct_query_start){{ct_sq_threshold(most), INT_MAX},
                                           .max_row = INTEGER_RO(max_row)[i]};
    }
    batch->start = start;
}

/* Runs the search that the batch and the options demand. */
static void search_batch(const struct ct_batch *batch, int predecessor, int k, SEXP options,
                         int *index, double *distance)
{
    struct ct_host host = r_host_for(options);
    struct ct_row_limits limits;
    if (r_row_limits(options, batch, &limits))
        ct_knn_filtered(&host, batch, &limits, k, NA_REAL, index, distance);
    else if (predecessor)
        ct_knn_predecessors(&host, batch, k, NA_REAL, index, distance);
    else if (batch->start)
        ct_knn_up_to_max_row(&host, batch, k, NA_REAL, index, distance);
    else
        ct_knn(&host, batch, k, NA_REAL, index, distance);
}

/* rows: those of the tree's own points that are to be answered; NULL for all. A batch without
 * queries is not searched. */
SEXP r_knn(SEXP pointer, SEXP query, SEXP rows, SEXP k, SEXP options)
{
    static const char *const names[] = {"index", "distance", "evaluated", "stats"};
    double start = ct_seconds();
    struct ct_batch batch = r_batch(pointer, query, options);
    struct ct_search_stats totals = {0};
    int count = Rf_asInteger(k), stats = r_int_option(options, "stats");
    batch.stats = stats ? &totals : NULL;
    batch.epsilon = r_double_option(options, "epsilon");
    batch.max_distance = r_doubles_option(options, "max_distance");
    r_restrict_to_rows(&batch, rows);
    limit_rows(&batch, r_option(options, "max_row"));
    struct ct_budget budget;
    batch.budget = r_budget(r_option(options, "budget"),
                            count < batch.tree->n ? count : batch.tree->n, &budget);
    SEXP found = PROTECT(r_named_list(names, stats ? 4 : 3));
    SET_VECTOR_ELT(found, 0, Rf_allocMatrix(INTSXP, batch.count, count));
    SET_VECTOR_ELT(found, 1, Rf_allocMatrix(REALSXP, batch.count, count));
    if (batch.budget) {
        SET_VECTOR_ELT(found, 2, Rf_allocVector(INTSXP, batch.count));
        batch.evaluated = INTEGER(VECTOR_ELT(found, 2));
    }
    int predecessor = r_int_option(options, "predecessor");
    if (batch.count > 0 && (predecessor || batch.start))
        r_build_prefix_trees(pointer, batch.kernels, batch.threads, count);
    if (batch.count > 0)
        search_batch(&batch, predecessor, count, options, INTEGER(VECTOR_ELT(found, 0)),
                     REAL(VECTOR_ELT(found, 1)));
    if (stats)
        SET_VECTOR_ELT(found, 3, stats_list(&totals, ct_seconds() - start));
    UNPROTECT(1);
    return found;
}

/* Like r_knn() in a list of parts. The queries are the own points in `rows`, or other points. */
SEXP r_parts_knn(SEXP parts, SEXP query, SEXP rows, SEXP k, SEXP options)
{
    static const char *const names[] = {"index", "distance", "evaluated", "stats"};
    double start = ct_seconds();
    struct r_parts all = r_parts(parts);
    struct ct_parts_batch batch = r_parts_batch(&all, query, rows, options);
    struct ct_search_stats totals = {0};
    int count = Rf_asInteger(k), stats = r_int_option(options, "stats");
    batch.batch.predecessors = r_int_option(options, "predecessor");
    batch.batch.max_distance = r_doubles_option(options, "max_distance");
    batch.batch.stats = stats ? &totals : NULL;
    SEXP found = PROTECT(r_named_list(names, stats ? 4 : 3));
    SET_VECTOR_ELT(found, 0, Rf_allocMatrix(INTSXP, batch.batch.count, count));
    SET_VECTOR_ELT(found, 1, Rf_allocMatrix(REALSXP, batch.batch.count, count));
    struct ct_host host = r_host_for(options);
    if (batch.batch.count > 0)
        ct_parts_knn(&host, &batch, count, NA_REAL, INTEGER(VECTOR_ELT(found, 0)),
                     REAL(VECTOR_ELT(found, 1)));
    if (stats)
        SET_VECTOR_ELT(found, 3, stats_list(&totals, ct_seconds() - start));
    UNPROTECT(1);
    return found;
}
