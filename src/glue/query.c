/* query.c: batches of queries from R. */
#include "glue/query.h"
#include "core/covertree.h"
#include "glue/metric.h"
#include "glue/simd.h"
#include "glue/threads.h"
#include "glue/tree_handle.h"

#include <math.h>

struct ct_host r_host_for(const char *call, SEXP options)
{
    return r_int_option(options, "progress") ? r_host_with_progress(call) : r_host;
}

struct ct_batch r_batch(SEXP pointer, SEXP query, SEXP options)
{
    const struct ct_tree *t = r_tree(pointer);
    struct ct_batch batch = {
        .tree = t,
        .metric = r_metric(r_option(options, "metric"), t->d),
        .count = t->n,
        .threads = r_num_threads(r_option(options, "threads")),
        .kernels = r_kernels(r_option(options, "simd")),
        .block = r_int_option(options, "block_size"),
        .mode = (enum ct_search_mode)r_int_option(options, "search"),
    };
    if (!Rf_isNull(query)) {
        batch.query = REAL_RO(query);
        batch.count = Rf_nrows(query);
        int *order = r_host.alloc((size_t)batch.count, sizeof *order);
        if (batch.count > 0)
            ct_hilbert_order(&r_host, batch.query, batch.count, t->d, batch.threads, order);
        batch.order = order;
    }
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

/* Restricts a batch of the tree's own points to those in these rows, unless rows is NULL. Line i
 * of the results is for rows[i]. Rows are distinct. Costs O(n). */
static void restrict_to_rows(struct ct_batch *batch, SEXP rows)
{
    if (Rf_isNull(rows))
        return;
    int *slot = r_host.alloc((size_t)batch->tree->n, sizeof *slot);
    batch->order = r_positions(batch->tree, rows, slot);
    batch->slot = slot;
    batch->count = batch->ld = (int)XLENGTH(rows);
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
    restrict_to_rows(&batch, rows);
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
    if (batch.count > 0 && r_int_option(options, "predecessor"))
        r_build_prefix_trees(pointer, batch.kernels, batch.threads, count);
    struct ct_host host = r_host_for("knn_query", options);
    void (*search)(const struct ct_host *, const struct ct_batch *, int, double, int *, double *) =
        r_int_option(options, "predecessor") ? ct_knn_predecessors : ct_knn;
    if (batch.count > 0)
        search(&host, &batch, count, NA_REAL, INTEGER(VECTOR_ELT(found, 0)),
               REAL(VECTOR_ELT(found, 1)));
    if (stats)
        SET_VECTOR_ELT(found, 3, stats_list(&totals, ct_seconds() - start));
    UNPROTECT(1);
    return found;
}

/* ---- radius ---------------------------------------------------------------- */

enum {
    SAMPLE = 512, /* queries by which the number of pairs is estimated, at most; */
    FEWEST = 16,  /* at least, where each may find very many points; */
    SHARE = 4     /* and the number of queries is so many times the sample's, at least */
};

static const double SAMPLE_PAIRS = 1e8; /* pairs that the sample evaluates, about, at most */
/* An estimate is surely above the limit where it is so many times the limit, after so many
 * standard errors are taken off. */
static const double CLEARLY = 1.25, ERRORS = 5;

static long long to_count(double most)
{
    return most < 9e18 ? (long long)most : LLONG_MAX;
}

/* Queries of the batch, spread evenly along its order, each on its own. */
static struct ct_batch sample_of(const struct ct_batch *batch, int size)
{
    struct ct_batch sample = *batch;
    int *order = r_host.alloc((size_t)size, sizeof *order);
    for (int i = 0; i < size; i++) {
        int place = (int)((long long)batch->count * i / size);
        order[i] = batch->order ? batch->order[place] : place;
    }
    sample.order = order;
    sample.count = size;
    sample.ld_query = batch->count;
    sample.block = 1;
    return sample;
}

/* Number of pairs of the result for one line of the counts, which stands for times[line] queries
 * by the same row, or for one query if `times` is NULL. 0 if the line is not counted. */
static double pairs_of_line(const int *count, const int *times, int line)
{
    return count[line] > 0 ? (double)count[line] * (times ? times[line] : 1) : 0;
}

/* About how many pairs the result has, by a sample of the batch's queries, if that is surely more
 * than `most`; otherwise 0, as where the batch is too small for a sample to save work. */
static double surely_above(const struct ct_batch *batch, const int *times, double radius,
                           double most)
{
    double fits = SAMPLE_PAIRS / batch->tree->n, sum = 0, squares = 0;
    int size = fits < FEWEST ? FEWEST : fits < SAMPLE ? (int)fits : SAMPLE;
    if (batch->count / SHARE < size)
        return 0;
    struct ct_batch sample = sample_of(batch, size);
    int *count = r_host.alloc((size_t)batch->count, sizeof *count);
    for (int i = 0; i < batch->count; i++)
        count[i] = -1;
    ct_radius_count(&r_host, &sample, radius, LLONG_MAX, count);
    for (int i = 0; i < batch->count; i++) {
        double found = pairs_of_line(count, times, i);
        sum += found;
        squares += found * found;
    }
    double mean = sum / size, variance = (squares - sum * mean) / (size - 1);
    double error = variance > 0 ? sqrt(variance / size) : 0;
    return (mean - ERRORS * error) * batch->count > CLEARLY * most ? mean * batch->count : 0;
}

/* Counts the pairs of the queries not yet counted. Returns the number of pairs of the result; NA if
 * the queries of the batch have more than `most`, where counting ends. */
static double count_up_to(const struct ct_batch *batch, const int *times, double radius,
                          double most, int *count)
{
    double pairs = 0;
    if (ct_radius_count(&r_host, batch, radius, to_count(most), count) > to_count(most))
        return NA_REAL;
    for (int i = 0; i < batch->count; i++)
        pairs += pairs_of_line(count, times, i);
    return pairs;
}

/* Counts the pairs of each query of the batch. `times`: see pairs_of_line(). Returns R's NULL if
 * `few` or the limit, the value of R's function `limit`, permits the pairs of the result. Otherwise
 * returns c(pairs, limit, whether pairs is an estimate); pairs is NA if counting ended at the
 * limit. The limit may take long to determine, and is needed for more than `few` pairs only. */
static SEXP count_pairs(const struct ct_batch *batch, const int *times, double radius, double few,
                        SEXP limit, int *count)
{
    if (batch->count == 0)
        return R_NilValue;
    for (int i = 0; i < batch->count; i++)
        count[i] = -1;
    double pairs = count_up_to(batch, times, radius, few, count);
    if (pairs <= few)
        return R_NilValue;
    SEXP call = PROTECT(Rf_lang1(limit)), value = PROTECT(Rf_eval(call, R_BaseEnv));
    double most = Rf_asReal(value);
    UNPROTECT(2);
    double estimate = ISNAN(pairs) ? surely_above(batch, times, radius, most) : 0;
    pairs = estimate > 0 ? estimate : count_up_to(batch, times, radius, most, count);
    if (pairs <= most)
        return R_NilValue;
    SEXP refused = Rf_allocVector(REALSXP, 3);
    REAL(refused)[0] = pairs;
    REAL(refused)[1] = most;
    REAL(refused)[2] = estimate > 0;
    return refused;
}

/* The number of points within the radius of each query of the batch. */
SEXP r_radius_count(SEXP pointer, SEXP query, SEXP rows, SEXP radius, SEXP options)
{
    struct ct_batch batch = r_batch(pointer, query, options);
    restrict_to_rows(&batch, rows);
    SEXP count = PROTECT(Rf_allocVector(INTSXP, batch.count));
    for (int i = 0; i < batch.count; i++)
        INTEGER(count)[i] = -1;
    if (batch.count > 0)
        ct_radius_count(&r_host, &batch, Rf_asReal(radius), LLONG_MAX, INTEGER(count));
    UNPROTECT(1);
    return count;
}

/* list(index, distance, count) for the queries of the batch; or what count_pairs() returns for
 * more pairs than the limit permits. times: how often the result will have each of `rows`, or
 * NULL for once. */
SEXP r_radius(SEXP pointer, SEXP query, SEXP rows, SEXP times, SEXP radius, SEXP sort, SEXP few,
              SEXP limit, SEXP options)
{
    static const char *const names[] = {"index", "distance", "count"};
    struct ct_batch batch = r_batch(pointer, query, options);
    double reach = Rf_asReal(radius);
    restrict_to_rows(&batch, rows);
    SEXP count = PROTECT(Rf_allocVector(INTSXP, batch.count));
    SEXP refused = count_pairs(&batch, Rf_isNull(times) ? NULL : INTEGER_RO(times), reach,
                               Rf_asReal(few), limit, INTEGER(count));
    if (!Rf_isNull(refused)) {
        UNPROTECT(1);
        return refused;
    }
    SEXP found = PROTECT(r_named_list(names, 3));
    SEXP index = Rf_allocVector(VECSXP, batch.count), distance;
    SET_VECTOR_ELT(found, 0, index);
    SET_VECTOR_ELT(found, 1, distance = Rf_allocVector(VECSXP, batch.count));
    SET_VECTOR_ELT(found, 2, count);
    int **to_index = r_host.alloc((size_t)batch.count, sizeof *to_index);
    double **to_distance = r_host.alloc((size_t)batch.count, sizeof *to_distance);
    for (int i = 0; i < batch.count; i++) {
        SET_VECTOR_ELT(index, i, Rf_allocVector(INTSXP, INTEGER(count)[i]));
        SET_VECTOR_ELT(distance, i, Rf_allocVector(REALSXP, INTEGER(count)[i]));
        to_index[i] = INTEGER(VECTOR_ELT(index, i));
        to_distance[i] = REAL(VECTOR_ELT(distance, i));
    }
    ct_radius_fill(&r_host, &batch, reach, Rf_asLogical(sort), INTEGER(count), to_index,
                   to_distance);
    UNPROTECT(2);
    return found;
}
