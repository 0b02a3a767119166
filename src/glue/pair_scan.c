/* pair_scan.c: searches by comparison of all pairs, for R. */
#include "core/covertree.h"
#include "glue/pair_lists.h"
#include "glue/query.h"
#include "glue/simd.h"
#include "glue/threads.h"
#include "glue/tree_handle.h"

/* A scan, and the data of its distance function. */
struct scan {
    struct ct_pair_scan pairs;
    struct ct_gower gower;
    struct ct_bit_pairs bits;
};

/* points: list(tree, values, weights, nominal) of gower_values(); query: the values of foreign
 * queries, or NULL. */
static void use_gower(struct scan *scan, SEXP points, SEXP query)
{
    SEXP values = r_option(points, "values"), from = Rf_isNull(query) ? values : query;
    scan->gower = (struct ct_gower){.n = Rf_nrows(values),
                                    .queries = Rf_nrows(from),
                                    .columns = Rf_ncols(values),
                                    .points = REAL_RO(values),
                                    .query = REAL_RO(from),
                                    .weight = REAL_RO(r_option(points, "weights")),
                                    .nominal = LOGICAL_RO(r_option(points, "nominal"))};
    scan->pairs.n = scan->gower.n;
    scan->pairs.count = scan->gower.queries;
    scan->pairs.compare = ct_gower_compare;
    scan->pairs.data = &scan->gower;
}

/* points: list(tree, jaccard) of bit_sets(); query: the coordinates of foreign queries, or NULL. */
static void use_bits(struct scan *scan, SEXP points, SEXP query, SEXP simd)
{
    const struct ct_tree *t = r_tree(r_option(points, "tree"));
    struct ct_bit_pairs *bits = &scan->bits;
    bits->points = ct_pack_bits(&r_host, t->points, t->row, t->n, t->d);
    bits->query = Rf_isNull(query)
                      ? bits->points
                      : ct_pack_bits(&r_host, REAL_RO(query), NULL, Rf_nrows(query), t->d);
    bits->jaccard = r_int_option(points, "jaccard");
    bits->common_bits = ct_common_bits_for(r_simd_level(simd));
    scan->pairs.n = t->n;
    scan->pairs.count = bits->query.n;
    scan->pairs.compare = ct_bits_compare;
    scan->pairs.data = bits;
}

/* rows: the queries to answer, or NULL for all. */
static void start_scan(struct scan *scan, SEXP points, SEXP query, SEXP rows, SEXP options)
{
    SEXP simd = r_option(options, "simd");
    scan->pairs = (struct ct_pair_scan){
        .own = Rf_isNull(query),
        .predecessor = r_int_option(options, "predecessor"),
        .threads = r_num_threads(r_option(options, "threads")),
        .kernels = r_kernels(simd),
    };
    if (Rf_isNull(r_option(points, "tree")))
        use_gower(scan, points, query);
    else
        use_bits(scan, points, query, simd);
    if (Rf_isNull(rows))
        return;
    scan->pairs.row = INTEGER_RO(rows);
    scan->pairs.count = (int)XLENGTH(rows);
}

/* Returns list(index, distance) [count x k]. */
SEXP r_scan_knn(SEXP points, SEXP query, SEXP rows, SEXP k, SEXP options)
{
    static const char *const names[] = {"index", "distance"};
    struct scan scan;
    start_scan(&scan, points, query, rows, options);
    struct ct_host host = r_host_for(options);
    SEXP found = PROTECT(r_named_list(names, 2));
    SET_VECTOR_ELT(found, 0, Rf_allocMatrix(INTSXP, scan.pairs.count, Rf_asInteger(k)));
    SET_VECTOR_ELT(found, 1, Rf_allocMatrix(REALSXP, scan.pairs.count, Rf_asInteger(k)));
    ct_pair_knn(&host, &scan.pairs, Rf_asInteger(k), NA_REAL, INTEGER(VECTOR_ELT(found, 0)),
                REAL(VECTOR_ELT(found, 1)));
    UNPROTECT(1);
    return found;
}

/* .Call(r_scan_count, points, query, rows, radius, options): the number of points within the radius
 * of each query [count]. */
SEXP r_scan_count(SEXP points, SEXP query, SEXP rows, SEXP radius, SEXP options)
{
    struct scan scan;
    start_scan(&scan, points, query, rows, options);
    SEXP count = PROTECT(Rf_allocVector(INTSXP, scan.pairs.count));
    ct_pair_count(&r_host, &scan.pairs, Rf_asReal(radius), INTEGER(count));
    UNPROTECT(1);
    return count;
}

/* Returns list(index, distance, count), or r_refused_pairs() for more pairs than the limit. times:
 * how often the result will have each of `rows`, or NULL for once. */
SEXP r_scan_radius(SEXP points, SEXP query, SEXP rows, SEXP times, SEXP radius, SEXP limit,
                   SEXP options)
{
    struct scan scan;
    start_scan(&scan, points, query, rows, options);
    int queries = scan.pairs.count;
    SEXP count = PROTECT(Rf_allocVector(INTSXP, queries));
    ct_pair_count(&r_host, &scan.pairs, Rf_asReal(radius), INTEGER(count));
    double pairs = 0;
    for (int i = 0; i < queries; i++)
        pairs += (double)INTEGER(count)[i] * (Rf_isNull(times) ? 1 : INTEGER_RO(times)[i]);
    if (pairs > Rf_asReal(limit)) {
        UNPROTECT(1);
        return r_refused_pairs(pairs, Rf_asReal(limit), 0);
    }
    struct r_pair_lists lists = r_pair_lists(count);
    PROTECT(lists.found);
    ct_pair_fill(&r_host, &scan.pairs, Rf_asReal(radius), INTEGER(count), lists.index,
                 lists.distance);
    UNPROTECT(2);
    return lists.found;
}
