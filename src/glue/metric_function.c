/* metric_function.c: trees and searches by a metric that is an R function.
 *
 * The core asks for distances on the main thread. All memory is R's, so an R error in the
 * function, and an interrupt, leave nothing behind.
 */
#include "core/covertree.h"
#include "glue/host.h"
#include "glue/options.h"
#include "glue/query.h"

#include <stdlib.h>
#include <string.h>

/* R functions, from the list that function_calls() of R/metric_function.R makes. In the environment
 * `where`, f(i, js) and query(q, js) give distances; wrong(value, c(from, js)) and breach(from,
 * js) stop with a message; `from` is an object, or a query as a negative number. */
struct calls {
    SEXP where;
    double seconds; /* spent in f() and query() */
};

/* The value of name(first, second). */
static SEXP call_function(const struct calls *calls, const char *name, SEXP first, SEXP second)
{
    SEXP call = PROTECT(Rf_lang3(Rf_install(name), first, second));
    SEXP value = Rf_eval(call, calls->where);
    UNPROTECT(1);
    return value;
}

/* Copies `count` distances from the value of the function. Returns whether they are distances. */
static int copy_distances(SEXP value, int count, double *distance)
{
    int type = TYPEOF(value);
    if ((type != REALSXP && type != INTSXP) || Rf_isFactor(value) ||
        Rf_inherits(value, "integer64") || XLENGTH(value) != count)
        return 0;
    for (int i = 0; i < count; i++) {
        if (type == REALSXP)
            distance[i] = REAL_RO(value)[i];
        else
            distance[i] = INTEGER_RO(value)[i] == NA_INTEGER ? NA_REAL : INTEGER_RO(value)[i];
        if (!(distance[i] >= 0) || !R_FINITE(distance[i]))
            return 0;
    }
    return 1;
}

static void evaluate(void *data, int from, const int *row, int count, double *distance)
{
    struct calls *calls = data;
    SEXP first = PROTECT(Rf_ScalarInteger(from > 0 ? from : -from));
    SEXP rows = PROTECT(Rf_allocVector(INTSXP, count));
    memcpy(INTEGER(rows), row, (size_t)count * sizeof *row);
    double start = ct_seconds();
    SEXP value = PROTECT(call_function(calls, from > 0 ? "f" : "query", first, rows));
    calls->seconds += ct_seconds() - start;
    if (!copy_distances(value, count, distance)) {
        SEXP call = PROTECT(Rf_allocVector(INTSXP, 1 + count));
        INTEGER(call)[0] = from;
        memcpy(INTEGER(call) + 1, row, (size_t)count * sizeof *row);
        call_function(calls, "wrong", value, call);
        r_stop("internal error: wrong distances were accepted");
    }
    UNPROTECT(3);
}

static void refuse(void *data, int from, int row, int third)
{
    const struct calls *calls = data;
    SEXP rows = PROTECT(Rf_allocVector(INTSXP, 2));
    INTEGER(rows)[0] = row;
    INTEGER(rows)[1] = third;
    call_function(calls, "breach", PROTECT(Rf_ScalarInteger(from)), rows);
    r_stop("internal error: a breach of the triangle inequality was accepted");
}

static struct calls calls_of(SEXP list)
{
    return (struct calls){r_option(list, "where"), 0};
}

static struct ct_distance_function function_of(struct calls *calls, SEXP list)
{
    return (struct ct_distance_function){evaluate, r_int_option(list, "check") ? refuse : NULL,
                                         calls,    r_double_option(list, "tolerance"),
                                         0,        0};
}

#define TYPE_int INTSXP
#define TYPE_double REALSXP

/* A vector of R with the values of an array; a matrix if it has a row for each pivot. */
static SEXP array_vector(const struct ct_metric_tree *t, SEXPTYPE type, enum ct_metric_shape shape,
                         const void *value, size_t bytes)
{
    size_t length = ct_metric_length(t, shape);
    int matrix = shape == CT_PIVOTS_BY_POINTS || shape == CT_PIVOTS_BY_NODES;
    SEXP vector = matrix ? Rf_allocMatrix(type, t->pivots, (int)(length / (size_t)t->pivots))
                         : Rf_allocVector(type, (R_xlen_t)length);
    memcpy(type == INTSXP ? (void *)INTEGER(vector) : (void *)REAL(vector), value, bytes * length);
    return vector;
}

/* Counts of a search or a build, for R. */
static SEXP counts_of(const struct ct_distance_function *f, const struct calls *calls)
{
    SEXP counts = Rf_allocVector(REALSXP, 3);
    REAL(counts)[0] = f->evaluations;
    REAL(counts)[1] = f->calls;
    REAL(counts)[2] = calls->seconds;
    return counts;
}

/* Returns list(arrays, counts) for n objects. */
SEXP r_metric_build(SEXP list, SEXP n, SEXP leaf_size, SEXP pivots)
{
    static const char *const names[] = {
#define NAME(name, type, shape) #name,
        CT_METRIC_ARRAYS(NAME)};
    static const char *const parts[] = {"arrays", "counts"};
    struct calls calls = calls_of(list);
    struct ct_distance_function f = function_of(&calls, list);
    struct ct_metric_tree t = ct_metric_build(&r_host, &f, Rf_asInteger(n), Rf_asInteger(leaf_size),
                                              Rf_asInteger(pivots));
    SEXP result = PROTECT(r_named_list(parts, 2));
    SEXP arrays = r_named_list(names, (int)(sizeof names / sizeof *names));
    SET_VECTOR_ELT(result, 0, arrays);
    int i = 0;
#define STORE(name, type, shape)                                                                   \
    SET_VECTOR_ELT(arrays, i++, array_vector(&t, TYPE_##type, shape, t.name, sizeof(type)));
    CT_METRIC_ARRAYS(STORE)
    SET_VECTOR_ELT(result, 1, counts_of(&f, &calls));
    UNPROTECT(1);
    return result;
}

/* The array of a saved tree, with the type and length that a tree of this size has. */
static const void *array_of(SEXP arrays, const struct ct_metric_tree *t, const char *name,
                            SEXPTYPE type, enum ct_metric_shape shape)
{
    SEXP vector = r_option(arrays, name);
    if (TYPEOF(vector) != (int)type || (size_t)XLENGTH(vector) != ct_metric_length(t, shape))
        r_stop("tree is damaged: array `%s` has another type or length; build it again with "
               "cover_tree()",
               name);
    return type == INTSXP ? (const void *)INTEGER_RO(vector) : (const void *)REAL_RO(vector);
}

static int length_of(SEXP arrays, const char *name)
{
    R_xlen_t length = Rf_xlength(r_option(arrays, name));
    if (length < 1 || length > INT_MAX)
        r_stop("tree is damaged: array `%s` has another length; build it again with cover_tree()",
               name);
    return (int)length;
}

/* The tree whose arrays R has, checked: a file may contain anything. */
static struct ct_metric_tree tree_of(SEXP arrays)
{
    struct ct_metric_tree t = {.n = length_of(arrays, "row"),
                               .nodes = length_of(arrays, "center"),
                               .pivots = length_of(arrays, "pivot")};
#define READ(name, type, shape) t.name = array_of(arrays, &t, #name, TYPE_##type, shape);
    CT_METRIC_ARRAYS(READ)
    const char *wrong = ct_metric_tree_check(&r_host, &t);
    if (wrong)
        r_stop("tree is damaged: array `%s` does not fit the others; build it again with "
               "cover_tree()",
               wrong);
    return t;
}

/* rows: the queries among the tree's own points, or NULL for all of them; foreign: the number of
 * foreign queries, or -1. */
static struct ct_metric_batch batch_of(const struct ct_metric_tree *t,
                                       struct ct_distance_function *f, SEXP rows, int foreign,
                                       SEXP options)
{
    struct ct_metric_batch batch = {.tree = t,
                                    .f = f,
                                    .count = foreign >= 0      ? foreign
                                             : Rf_isNull(rows) ? t->n
                                                               : (int)XLENGTH(rows),
                                    .predecessor = r_int_option(options, "predecessor"),
                                    .max_distance = r_doubles_option(options, "max_distance"),
                                    .mode = (enum ct_metric_mode)r_int_option(options, "search")};
    if (foreign >= 0)
        return batch;
    batch.all = Rf_isNull(rows) && !batch.predecessor;
    if (!Rf_isNull(rows)) {
        batch.row = INTEGER_RO(rows);
        return batch;
    }
    int *row = r_host.alloc((size_t)t->n, sizeof *row);
    for (int i = 0; i < t->n; i++)
        row[i] = i + 1;
    batch.row = row;
    return batch;
}

/* Returns list(index, distance, counts), matrices of a row for each query, padded with NA. */
SEXP r_metric_knn(SEXP list, SEXP arrays, SEXP rows, SEXP foreign, SEXP k, SEXP options)
{
    static const char *const parts[] = {"index", "distance", "counts"};
    struct ct_metric_tree t = tree_of(arrays);
    struct calls calls = calls_of(list);
    struct ct_distance_function f = function_of(&calls, list);
    struct ct_metric_batch batch = batch_of(&t, &f, rows, Rf_asInteger(foreign), options);
    int m = batch.count, wanted = Rf_asInteger(k), most = wanted < t.n ? wanted : t.n;
    SEXP result = PROTECT(r_named_list(parts, 3));
    SEXP index = Rf_allocMatrix(INTSXP, m, wanted), distance;
    SET_VECTOR_ELT(result, 0, index);
    SET_VECTOR_ELT(result, 1, distance = Rf_allocMatrix(REALSXP, m, wanted));
    size_t size = (size_t)m * (size_t)most;
    int *nearest = r_host.alloc(size, sizeof *nearest),
        *found = r_host.alloc((size_t)m, sizeof *found);
    double *nearest_distance = r_host.alloc(size, sizeof *nearest_distance);
    struct ct_host host = r_host_for(options);
    ct_metric_knn(&host, &batch, most, nearest, nearest_distance, found);
    for (int i = 0; i < m; i++)
        for (int j = 0; j < wanted; j++) {
            size_t to = (size_t)i + (size_t)j * (size_t)m,
                   from = (size_t)i * (size_t)most + (size_t)j;
            INTEGER(index)[to] = j < found[i] ? nearest[from] : NA_INTEGER;
            REAL(distance)[to] = j < found[i] ? nearest_distance[from] : NA_REAL;
        }
    SET_VECTOR_ELT(result, 2, counts_of(&f, &calls));
    UNPROTECT(1);
    return result;
}

/* Returns the number of objects within the radius of each query. */
SEXP r_metric_radius_count(SEXP list, SEXP arrays, SEXP rows, SEXP foreign, SEXP radius,
                           SEXP options)
{
    struct ct_metric_tree t = tree_of(arrays);
    struct calls calls = calls_of(list);
    struct ct_distance_function f = function_of(&calls, list);
    struct ct_metric_batch batch = batch_of(&t, &f, rows, Rf_asInteger(foreign), options);
    SEXP found = PROTECT(Rf_allocVector(INTSXP, batch.count));
    struct ct_metric_pairs pairs = {.limit = INFINITY, .found = INTEGER(found)};
    for (int i = 0; i < batch.count; i++)
        pairs.found[i] = 0;
    ct_metric_radius(&r_host, &batch, Rf_asReal(radius), &pairs);
    UNPROTECT(1);
    return found;
}

static int compare_pairs(const void *a, const void *b)
{
    const struct ct_metric_pair *one = a, *other = b;
    if (one->query != other->query)
        return one->query < other->query ? -1 : 1;
    if (one->distance != other->distance)
        return one->distance < other->distance ? -1 : 1;
    return (one->row > other->row) - (one->row < other->row);
}

/* Returns list(query, index, distance, counts), a value for each pair, ordered by (query, distance,
 * row), or the number of pairs if the limit was exceeded. */
SEXP r_metric_radius(SEXP list, SEXP arrays, SEXP rows, SEXP foreign, SEXP radius, SEXP limit,
                     SEXP options)
{
    static const char *const parts[] = {"query", "index", "distance", "counts"};
    struct ct_metric_tree t = tree_of(arrays);
    struct calls calls = calls_of(list);
    struct ct_distance_function f = function_of(&calls, list);
    struct ct_metric_batch batch = batch_of(&t, &f, rows, Rf_asInteger(foreign), options);
    struct ct_metric_pairs pairs = {.limit = Rf_asReal(limit)};
    ct_metric_radius(&r_host, &batch, Rf_asReal(radius), &pairs);
    if ((double)pairs.count > pairs.limit)
        return Rf_ScalarReal((double)pairs.count);
    if (pairs.count > 0)
        qsort(pairs.pair, pairs.count, sizeof *pairs.pair, compare_pairs);
    SEXP result = PROTECT(r_named_list(parts, 4)), query, index, distance;
    SET_VECTOR_ELT(result, 0, query = Rf_allocVector(INTSXP, (R_xlen_t)pairs.count));
    SET_VECTOR_ELT(result, 1, index = Rf_allocVector(INTSXP, (R_xlen_t)pairs.count));
    SET_VECTOR_ELT(result, 2, distance = Rf_allocVector(REALSXP, (R_xlen_t)pairs.count));
    for (size_t i = 0; i < pairs.count; i++) {
        INTEGER(query)[i] = pairs.pair[i].query + 1;
        INTEGER(index)[i] = pairs.pair[i].row;
        REAL(distance)[i] = pairs.pair[i].distance;
    }
    SET_VECTOR_ELT(result, 3, counts_of(&f, &calls));
    UNPROTECT(1);
    return result;
}
