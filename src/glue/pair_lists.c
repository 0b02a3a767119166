/* pair_lists.c: see pair_lists.h. */
#include "glue/pair_lists.h"
#include "core/covertree.h"
#include "glue/options.h"

struct r_pair_lists r_pair_lists(SEXP count)
{
    static const char *const names[] = {"index", "distance", "count"};
    R_xlen_t queries = XLENGTH(count);
    struct r_pair_lists lists = {.found = PROTECT(r_named_list(names, 3))};
    SEXP index, distance;
    SET_VECTOR_ELT(lists.found, 0, index = Rf_allocVector(VECSXP, queries));
    SET_VECTOR_ELT(lists.found, 1, distance = Rf_allocVector(VECSXP, queries));
    SET_VECTOR_ELT(lists.found, 2, count);
    lists.index = r_host.alloc((size_t)queries, sizeof *lists.index);
    lists.distance = r_host.alloc((size_t)queries, sizeof *lists.distance);
    for (R_xlen_t i = 0; i < queries; i++) {
        SET_VECTOR_ELT(index, i, Rf_allocVector(INTSXP, INTEGER(count)[i]));
        SET_VECTOR_ELT(distance, i, Rf_allocVector(REALSXP, INTEGER(count)[i]));
        lists.index[i] = INTEGER(VECTOR_ELT(index, i));
        lists.distance[i] = REAL(VECTOR_ELT(distance, i));
    }
    UNPROTECT(1);
    return lists;
}

SEXP r_refused_pairs(double pairs, double limit, int estimated)
{
    SEXP refused = Rf_allocVector(REALSXP, 3);
    REAL(refused)[0] = pairs;
    REAL(refused)[1] = limit;
    REAL(refused)[2] = estimated;
    return refused;
}
