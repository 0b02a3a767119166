/* r_query.c: batches of queries from R. */
#include "ct_hilbert.h"
#include "ct_query.h"
#include "r_threads.h"
#include "r_tree.h"

enum { BLOCK = 64, BLOCK_RESULTS = 1 << 16 };

/* Queries other than the tree's own points are answered in curve order. */
static struct ct_batch make_batch(SEXP pointer, SEXP query, SEXP scan, SEXP threads)
{
    const struct ct_tree *t = r_tree(pointer);
    struct ct_batch batch = {
        .tree = t,
        .m = t->n,
        .threads = r_num_threads(threads),
        .block = BLOCK,
        .search = Rf_asLogical(scan) ? CT_SEARCH_SCAN : CT_SEARCH_TREE,
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

/* A list of class-less results; the elements are allocated by the caller. */
static SEXP named_list(const char *const *name, int count)
{
    SEXP list = PROTECT(Rf_allocVector(VECSXP, count));
    SEXP names = PROTECT(Rf_allocVector(STRSXP, count));
    for (int i = 0; i < count; i++)
        SET_STRING_ELT(names, i, Rf_mkChar(name[i]));
    Rf_setAttrib(list, R_NamesSymbol, names);
    UNPROTECT(2);
    return list;
}

SEXP r_knn(SEXP pointer, SEXP query, SEXP k, SEXP scan, SEXP threads)
{
    static const char *const names[] = {"index", "distance"};
    struct ct_batch batch = make_batch(pointer, query, scan, threads);
    int count = Rf_asInteger(k);
    if (count > BLOCK_RESULTS / BLOCK)
        batch.block = count < BLOCK_RESULTS ? BLOCK_RESULTS / count : 1;
    SEXP found = PROTECT(named_list(names, 2));
    SET_VECTOR_ELT(found, 0, Rf_allocMatrix(INTSXP, batch.m, count));
    SET_VECTOR_ELT(found, 1, Rf_allocMatrix(REALSXP, batch.m, count));
    ct_knn(&r_host, &batch, count, NA_REAL, INTEGER(VECTOR_ELT(found, 0)),
           REAL(VECTOR_ELT(found, 1)));
    UNPROTECT(1);
    return found;
}

SEXP r_radius(SEXP pointer, SEXP query, SEXP radius, SEXP sort, SEXP threads)
{
    static const char *const names[] = {"index", "distance", "count"};
    struct ct_batch batch = make_batch(pointer, query, Rf_ScalarLogical(0), threads);
    double reach = Rf_asReal(radius);
    SEXP found = PROTECT(named_list(names, 3));
    SEXP index = Rf_allocVector(VECSXP, batch.m), distance, count;
    SET_VECTOR_ELT(found, 0, index);
    SET_VECTOR_ELT(found, 1, distance = Rf_allocVector(VECSXP, batch.m));
    SET_VECTOR_ELT(found, 2, count = Rf_allocVector(INTSXP, batch.m));
    ct_radius_count(&r_host, &batch, reach, INTEGER(count));
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
    UNPROTECT(1);
    return found;
}
