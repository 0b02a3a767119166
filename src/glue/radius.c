/* radius.c: all points within a radius, for R: counted first, then filled into R's vectors. */
#include "core/covertree.h"
#include "glue/pair_lists.h"
#include "glue/parts.h"
#include "glue/query.h"
#include "glue/row_limits.h"
#include "glue/tree_handle.h"

#include <math.h>

/* The queries of a call within a radius: in one tree, or in several parts. */
struct radius_queries {
    struct ct_batch batch;
    struct ct_parts_batch parts; /* without parts: one tree; `batch` replaces its batch */
    struct ct_row_limits limits; /* of one tree */
    double n;                    /* points that a query may find, at most */
};

static long long count_within(const struct radius_queries *queries, double radius, long long most,
                              int *count)
{
    struct ct_parts_batch batch = queries->parts;
    if (!batch.parts)
        return ct_radius_count(&r_host, &queries->batch, radius, most, count);
    batch.batch = queries->batch;
    return ct_parts_radius_count(&r_host, &batch, radius, most, count);
}

static void fill_within(const struct radius_queries *queries, double radius, int sort,
                        const int *count, int *const *index, double *const *distance)
{
    struct ct_parts_batch batch = queries->parts;
    if (!batch.parts) {
        ct_radius_fill(&r_host, &queries->batch, radius, sort, count, index, distance);
        return;
    }
    batch.batch = queries->batch;
    ct_parts_radius_fill(&r_host, &batch, radius, sort, count, index, distance);
}

enum {
    SAMPLE =
        512, /* largest size of a sample of queries, by which the number of pairs is estimated */
    FEWEST = 16, /* smallest size, for queries that may find very many points */
    SHARE = 4    /* a batch with less than SHARE times as many queries is not sampled */
};

static const double SAMPLE_PAIRS = 1e8; /* the sample evaluates about this many pairs at most */
/* An estimate is clearly above a limit if the estimate less ERRORS standard errors exceeds CLEARLY
 * times the limit. */
static const double CLEARLY = 1.25, ERRORS = 5;

static long long to_count(double most)
{
    return most < 9e18 ? (long long)most : LLONG_MAX;
}

/* `size` queries of the batch, spread evenly along its order, in blocks of one query. */
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

/* The number of pairs of the result, estimated on a sample of the batch's queries, if it is clearly
 * above `most`. Otherwise 0, also if the batch is too small for a sample to save work. */
static double clearly_above(const struct radius_queries *queries, const int *times, double radius,
                            double most)
{
    const struct ct_batch *batch = &queries->batch;
    double fits = SAMPLE_PAIRS / queries->n, sum = 0, squares = 0;
    int size = fits < FEWEST ? FEWEST : fits < SAMPLE ? (int)fits : SAMPLE;
    if (batch->count / SHARE < size)
        return 0;
    struct radius_queries sample = *queries;
    sample.batch = sample_of(batch, size);
    int *count = r_host.alloc((size_t)batch->count, sizeof *count);
    for (int i = 0; i < batch->count; i++)
        count[i] = -1;
    count_within(&sample, radius, LLONG_MAX, count);
    for (int i = 0; i < batch->count; i++) {
        double found = pairs_of_line(count, times, i);
        sum += found;
        squares += found * found;
    }
    double mean = sum / size, variance = (squares - sum * mean) / (size - 1);
    double error = variance > 0 ? sqrt(variance / size) : 0;
    return (mean - ERRORS * error) * batch->count > CLEARLY * most ? mean * batch->count : 0;
}

/* Counts the pairs of the queries that are not counted yet. Returns the number of pairs of the
 * result, or NA if the queries of the batch have more than `most` pairs, at which counting ends. */
static double count_up_to(const struct radius_queries *queries, const int *times, double radius,
                          double most, int *count)
{
    double pairs = 0;
    if (count_within(queries, radius, to_count(most), count) > to_count(most))
        return NA_REAL;
    for (int i = 0; i < queries->batch.count; i++)
        pairs += pairs_of_line(count, times, i);
    return pairs;
}

/* Counts the pairs of each query of the batch. `times`: see pairs_of_line(). Returns R's NULL if
 * `few` or the limit, the value of R's function `limit`, permits the pairs of the result. Otherwise
 * returns c(pairs, limit, whether pairs is an estimate); pairs is NA if counting ended at the
 * limit. The limit may take long to determine, and is needed for more than `few` pairs only. */
static SEXP count_pairs(const struct radius_queries *queries, const int *times, double radius,
                        double few, SEXP limit, int *count)
{
    if (queries->batch.count == 0)
        return R_NilValue;
    for (int i = 0; i < queries->batch.count; i++)
        count[i] = -1;
    double pairs = count_up_to(queries, times, radius, few, count);
    if (pairs <= few)
        return R_NilValue;
    SEXP call = PROTECT(Rf_lang1(limit)), value = PROTECT(Rf_eval(call, R_BaseEnv));
    double most = Rf_asReal(value);
    UNPROTECT(2);
    double estimate = ISNAN(pairs) ? clearly_above(queries, times, radius, most) : 0;
    pairs = estimate > 0 ? estimate : count_up_to(queries, times, radius, most, count);
    if (pairs <= most)
        return R_NilValue;
    return r_refused_pairs(pairs, most, estimate > 0);
}

/* Sets *queries to the queries of a call in a tree, given as a pointer, or in parts, given as a
 * list. *queries refers to *parts and to itself. */
static void set_queries(SEXP tree, SEXP query, SEXP rows, SEXP options, struct r_parts *parts,
                        struct radius_queries *queries)
{
    *queries = (struct radius_queries){0};
    if (r_are_parts(tree)) {
        *parts = r_parts(tree);
        queries->parts = r_parts_batch(parts, query, rows, options);
        queries->batch = queries->parts.batch;
        queries->n = parts->n;
        return;
    }
    struct ct_batch *batch = &queries->batch;
    *batch = r_batch(tree, query, options);
    queries->n = batch->tree->n;
    r_restrict_to_rows(batch, rows);
    if (batch->count > 0 && r_row_limits(options, batch, &queries->limits))
        batch->filter = ct_row_filter_new(&r_host, batch->tree, &queries->limits);
}

/* The number of points within the radius of each query. */
SEXP r_radius_count(SEXP tree, SEXP query, SEXP rows, SEXP radius, SEXP options)
{
    struct r_parts parts;
    struct radius_queries queries;
    set_queries(tree, query, rows, options, &parts, &queries);
    SEXP count = PROTECT(Rf_allocVector(INTSXP, queries.batch.count));
    for (int i = 0; i < queries.batch.count; i++)
        INTEGER(count)[i] = -1;
    if (queries.batch.count > 0)
        count_within(&queries, Rf_asReal(radius), LLONG_MAX, INTEGER(count));
    UNPROTECT(1);
    return count;
}

/* Returns list(index, distance, count) for the queries of the batch, or the refusal of
 * count_pairs(). times: how often the result will have each of `rows`, or NULL for once. */
SEXP r_radius(SEXP tree, SEXP query, SEXP rows, SEXP times, SEXP radius, SEXP sort, SEXP few,
              SEXP limit, SEXP options)
{
    struct r_parts parts;
    struct radius_queries queries;
    set_queries(tree, query, rows, options, &parts, &queries);
    int m = queries.batch.count;
    double reach = Rf_asReal(radius);
    SEXP count = PROTECT(Rf_allocVector(INTSXP, m));
    SEXP refused = count_pairs(&queries, Rf_isNull(times) ? NULL : INTEGER_RO(times), reach,
                               Rf_asReal(few), limit, INTEGER(count));
    if (!Rf_isNull(refused)) {
        UNPROTECT(1);
        return refused;
    }
    struct r_pair_lists lists = r_pair_lists(count);
    PROTECT(lists.found);
    if (m > 0)
        fill_within(&queries, reach, Rf_asLogical(sort), INTEGER(count), lists.index,
                    lists.distance);
    UNPROTECT(2);
    return lists.found;
}
