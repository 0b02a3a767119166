/* merge.c: the merge of the neighbors that the shards of a forest found. */
#include "core/covertree.h"
#include "glue/options.h"
#include "glue/threads.h"

/* parts: lists with line, ascending, index and distance, as shard_knn() in R/shard_worker.R makes
 * them. Returns list(index, distance) [lines x k] of the first k neighbors of each line; index is a
 * matrix of doubles if `wide`. */
SEXP r_merge_neighbors(SEXP parts, SEXP lines, SEXP k, SEXP wide, SEXP threads)
{
    static const char *const names[] = {"index", "distance"};
    int count = (int)XLENGTH(parts), is_wide = Rf_asLogical(wide);
    struct ct_neighbor_lists *lists = r_host.alloc((size_t)count, sizeof *lists);
    for (int i = 0; i < count; i++) {
        SEXP part = VECTOR_ELT(parts, i), line = r_option(part, "line");
        SEXP index = r_option(part, "index");
        lists[i] = (struct ct_neighbor_lists){.line = INTEGER_RO(line),
                                              .count = (int)XLENGTH(line),
                                              .row = is_wide ? NULL : INTEGER_RO(index),
                                              .wide_row = is_wide ? REAL_RO(index) : NULL,
                                              .distance = REAL_RO(r_option(part, "distance"))};
    }
    struct ct_merged_lists to = {.lines = Rf_asInteger(lines), .k = Rf_asInteger(k)};
    SEXP result = PROTECT(r_named_list(names, 2)), index, distance;
    SET_VECTOR_ELT(result, 0, index = Rf_allocMatrix(is_wide ? REALSXP : INTSXP, to.lines, to.k));
    SET_VECTOR_ELT(result, 1, distance = Rf_allocMatrix(REALSXP, to.lines, to.k));
    to.row = is_wide ? NULL : INTEGER(index);
    to.wide_row = is_wide ? REAL(index) : NULL;
    to.distance = REAL(distance);
    ct_merge_lists(&r_host, lists, count, r_num_threads(threads), NA_REAL, &to);
    UNPROTECT(1);
    return result;
}
