/* query.c: batches of queries from R. */
#include "glue/query.h"
#include "core/covertree.h"
#include "glue/simd.h"
#include "glue/threads.h"
#include "glue/tree_handle.h"

#include <math.h>

int r_how(SEXP how, int which)
{
    return Rf_asInteger(VECTOR_ELT(how, which));
}

struct ct_host r_host_for(const char *call, SEXP how)
{
    return r_how(how, HOW_PROGRESS) ? r_host_with_progress(call) : r_host;
}

struct ct_batch r_batch(SEXP pointer, SEXP query, SEXP how)
{
    const struct ct_tree *t = r_tree(pointer);
    struct ct_batch batch = {
        .tree = t,
        .m = t->n,
        .threads = r_num_threads(VECTOR_ELT(how, HOW_THREADS)),
        .kernels = r_kernels(VECTOR_ELT(how, HOW_SIMD)),
        .block = r_how(how, HOW_BLOCK),
        .mode = (enum ct_search_mode)r_how(how, HOW_MODE),
    };
    if (!Rf_isNull(query)) {
        batch.query = REAL_RO(query);
        batch.m = Rf_nrows(query);
        int *order = r_host.alloc((size_t)batch.m, sizeof *order);
        ct_hilbert_order(&r_host, batch.query, batch.m, t->d, batch.threads, order);
        batch.order = order;
    }
    return batch;
}

SEXP r_named_list(const char *const *name, int count)
{
    SEXP list = PROTECT(Rf_allocVector(VECSXP, count));
    SEXP names = PROTECT(Rf_allocVector(STRSXP, count));
    for (int i = 0; i < count; i++)
        SET_STRING_ELT(names, i, Rf_mkChar(name[i]));
    Rf_setAttrib(list, R_NamesSymbol, names);
    UNPROTECT(2);
    return list;
}

/* Counts exceed integers: doubles hold them exactly. */
static SEXP stats_list(const struct ct_search_stats *totals, double seconds)
{
    static const char *const names[] = {"blocks", "counts", "seconds"};
    const long long counts[] = {totals->scans,       totals->nodes,      totals->candidates,
                                totals->cache_hits,  totals->boxes,      totals->tiles,
                                totals->distances,   totals->evaluated,  totals->useful,
                                totals->escalations, totals->early_stops};
    const int count = (int)(sizeof counts / sizeof *counts);
    SEXP list = PROTECT(r_named_list(names, 3));
    SEXP blocks = Rf_allocVector(REALSXP, 7), values, times;
    SET_VECTOR_ELT(list, 0, blocks);
    SET_VECTOR_ELT(list, 1, values = Rf_allocVector(REALSXP, count));
    SET_VECTOR_ELT(list, 2, times = Rf_allocVector(REALSXP, CT_PHASES + 1));
    for (int i = 0; i < 7; i++)
        REAL(blocks)[i] = (double)totals->blocks[i];
    for (int i = 0; i < count; i++)
        REAL(values)[i] = (double)counts[i];
    for (int phase = 0; phase < CT_PHASES; phase++)
        REAL(times)[phase] = totals->seconds[phase];
    REAL(times)[CT_PHASES] = seconds;
    UNPROTECT(1);
    return list;
}

const struct ct_budget *r_ladder(SEXP from, int k, struct ct_budget *budget)
{
    if (Rf_isNull(from))
        return NULL;
    SEXP schedule = VECTOR_ELT(from, 0);
    *budget = (struct ct_budget){.steps = (int)XLENGTH(schedule),
                                 .limit = INTEGER_RO(schedule),
                                 .escalate = Rf_asReal(VECTOR_ELT(from, 1)),
                                 .stop = Rf_asReal(VECTOR_ELT(from, 2)),
                                 .window = k < 24 ? 16 : (k / 8 + 1) / 2 * 16,
                                 .diverse = Rf_asLogical(VECTOR_ELT(from, 3))};
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

/* rows: those of the tree's own points that are to be answered; NULL for all. */
SEXP r_knn(SEXP pointer, SEXP query, SEXP rows, SEXP k, SEXP how)
{
    static const char *const names[] = {"index", "distance", "evaluated", "tally"};
    double start = ct_seconds();
    struct ct_batch batch = r_batch(pointer, query, how);
    struct ct_search_stats totals = {0};
    int count = Rf_asInteger(k), stats = r_how(how, HOW_STATS);
    batch.stats = stats ? &totals : NULL;
    batch.epsilon = Rf_asReal(VECTOR_ELT(how, HOW_EPSILON));
    if (!Rf_isNull(rows)) {
        int *slot = r_host.alloc((size_t)batch.tree->n, sizeof *slot);
        batch.order = r_positions(batch.tree, rows, slot);
        batch.slot = slot;
        batch.m = batch.ld = (int)XLENGTH(rows);
    }
    struct ct_budget budget;
    batch.budget = r_ladder(VECTOR_ELT(how, HOW_LADDER),
                            count < batch.tree->n ? count : batch.tree->n, &budget);
    SEXP found = PROTECT(r_named_list(names, stats ? 4 : 3));
    SET_VECTOR_ELT(found, 0, Rf_allocMatrix(INTSXP, batch.m, count));
    SET_VECTOR_ELT(found, 1, Rf_allocMatrix(REALSXP, batch.m, count));
    if (batch.budget) {
        SET_VECTOR_ELT(found, 2, Rf_allocVector(INTSXP, batch.m));
        batch.evaluated = INTEGER(VECTOR_ELT(found, 2));
    }
    if (r_how(how, HOW_PREDECESSOR))
        r_build_prefix_trees(pointer, batch.kernels, batch.threads, count);
    struct ct_host host = r_host_for("knn_query", how);
    void (*search)(const struct ct_host *, const struct ct_batch *, int, double, int *, double *) =
        r_how(how, HOW_PREDECESSOR) ? ct_knn_predecessors : ct_knn;
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
        int place = (int)((long long)batch->m * i / size);
        order[i] = batch->order ? batch->order[place] : place;
    }
    sample.order = order;
    sample.m = size;
    sample.ld_query = batch->m;
    sample.block = 1;
    return sample;
}

/* About how many pairs the batch finds, by a sample of its queries, if that is surely more
 * than `most`; otherwise 0, as where the batch is too small for a sample to save work. */
static double surely_above(const struct ct_batch *batch, double radius, double most)
{
    double fits = SAMPLE_PAIRS / batch->tree->n, sum = 0, squares = 0;
    int size = fits < FEWEST ? FEWEST : fits < SAMPLE ? (int)fits : SAMPLE;
    if (batch->m / SHARE < size)
        return 0;
    struct ct_batch sample = sample_of(batch, size);
    int *count = r_host.alloc((size_t)batch->m, sizeof *count);
    for (int i = 0; i < batch->m; i++)
        count[i] = -1;
    ct_radius_count(&r_host, &sample, radius, LLONG_MAX, count);
    for (int i = 0; i < batch->m; i++) {
        double found = count[i] > 0 ? count[i] : 0;
        sum += found;
        squares += found * found;
    }
    double mean = sum / size, variance = (squares - sum * mean) / (size - 1);
    double error = variance > 0 ? sqrt(variance / size) : 0;
    return (mean - ERRORS * error) * batch->m > CLEARLY * most ? mean * batch->m : 0;
}

/* Counts the pairs of each query. R's NULL if `few` or the limit, what R's function
 * `limit` returns, allows them; otherwise c(pairs, limit), where the number of pairs is an
 * estimate, or NA where counting ended at the limit. To find the limit may take a while: it
 * is only asked for where there are more than few pairs. */
static SEXP count_pairs(const struct ct_batch *batch, double radius, double few, SEXP limit,
                        int *count)
{
    for (int i = 0; i < batch->m; i++)
        count[i] = -1;
    if (ct_radius_count(&r_host, batch, radius, to_count(few), count) <= to_count(few))
        return R_NilValue;
    SEXP call = PROTECT(Rf_lang1(limit)), value = PROTECT(Rf_eval(call, R_BaseEnv));
    double most = Rf_asReal(value), pairs = surely_above(batch, radius, most);
    UNPROTECT(2);
    if (pairs == 0 &&
        ct_radius_count(&r_host, batch, radius, to_count(most), count) <= to_count(most))
        return R_NilValue;
    SEXP refused = Rf_allocVector(REALSXP, 2);
    REAL(refused)[0] = pairs > 0 ? pairs : NA_REAL;
    REAL(refused)[1] = most;
    return refused;
}

/* list(index, distance, count); or what count_pairs() returns for more pairs than are
 * allowed. */
SEXP r_radius(SEXP pointer, SEXP query, SEXP radius, SEXP sort, SEXP few, SEXP limit, SEXP how)
{
    static const char *const names[] = {"index", "distance", "count"};
    struct ct_batch batch = r_batch(pointer, query, how);
    double reach = Rf_asReal(radius);
    SEXP count = PROTECT(Rf_allocVector(INTSXP, batch.m));
    SEXP refused = count_pairs(&batch, reach, Rf_asReal(few), limit, INTEGER(count));
    if (!Rf_isNull(refused)) {
        UNPROTECT(1);
        return refused;
    }
    SEXP found = PROTECT(r_named_list(names, 3));
    SEXP index = Rf_allocVector(VECSXP, batch.m), distance;
    SET_VECTOR_ELT(found, 0, index);
    SET_VECTOR_ELT(found, 1, distance = Rf_allocVector(VECSXP, batch.m));
    SET_VECTOR_ELT(found, 2, count);
    int **to_index = r_host.alloc((size_t)batch.m, sizeof *to_index);
    double **to_distance = r_host.alloc((size_t)batch.m, sizeof *to_distance);
    for (int i = 0; i < batch.m; i++) {
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
