/* shard_boxes.c: the shards that queries of a forest ask. */
#include "core/covertree.h"
#include "glue/metric.h"
#include "glue/options.h"

/* R's list(lower, upper, begin, box_lower, box_upper), as shard_boxes() in R/cover_forest.R makes
 * it. */
static struct ct_shard_boxes boxes_of(SEXP list)
{
    SEXP lower = r_option(list, "lower"), box_lower = r_option(list, "box_lower");
    return (struct ct_shard_boxes){.shards = Rf_nrows(lower),
                                   .d = Rf_ncols(lower),
                                   .boxes = Rf_nrows(box_lower),
                                   .lower = REAL_RO(lower),
                                   .upper = REAL_RO(r_option(list, "upper")),
                                   .begin = INTEGER_RO(r_option(list, "begin")),
                                   .box_lower = REAL_RO(box_lower),
                                   .box_upper = REAL_RO(r_option(list, "box_upper"))};
}

/* Returns the nearest shard, from 1, of each query [m x d]. */
SEXP r_nearest_shard(SEXP list, SEXP metric, SEXP query)
{
    struct ct_shard_boxes boxes = boxes_of(list);
    struct ct_metric m = r_metric(metric, boxes.d);
    int count = Rf_nrows(query);
    double *work = r_host.alloc((size_t)boxes.d, sizeof *work);
    SEXP shard = PROTECT(Rf_allocVector(INTSXP, count));
    for (int i = 0; i < count; i++)
        INTEGER(shard)
    [i] = 1 + ct_nearest_shard(&boxes, &m, REAL_RO(query) + i, (size_t)count, work);
    UNPROTECT(1);
    return shard;
}

/* Returns list(query, shard), from 1: the shards within limit [m] of each query [m x d], without
 * the query's own shard [m]. */
SEXP r_near_shards(SEXP list, SEXP metric, SEXP query, SEXP limit, SEXP own)
{
    static const char *const names[] = {"query", "shard"};
    struct ct_shard_boxes boxes = boxes_of(list);
    struct ct_metric m = r_metric(metric, boxes.d);
    int count = Rf_nrows(query), found = 0;
    double *work = r_host.alloc((size_t)boxes.d, sizeof *work);
    char *is_near = r_host.alloc((size_t)count * (size_t)boxes.shards, 1);
    for (int i = 0; i < count; i++) {
        if (i % 4096 == 0)
            r_host.poll();
        for (int s = 0; s < boxes.shards; s++) {
            size_t at = (size_t)i * (size_t)boxes.shards + (size_t)s;
            is_near[at] = (char)(s + 1 != INTEGER_RO(own)[i] &&
                                 ct_shard_is_near(&boxes, &m, s, REAL_RO(query) + i, (size_t)count,
                                                  REAL_RO(limit)[i], work));
            found += is_near[at];
        }
    }
    SEXP result = PROTECT(r_named_list(names, 2)), number, shard;
    SET_VECTOR_ELT(result, 0, number = Rf_allocVector(INTSXP, found));
    SET_VECTOR_ELT(result, 1, shard = Rf_allocVector(INTSXP, found));
    for (int i = 0, to = 0; i < count; i++)
        for (int s = 0; s < boxes.shards; s++)
            if (is_near[(size_t)i * (size_t)boxes.shards + (size_t)s]) {
                INTEGER(number)[to] = i + 1;
                INTEGER(shard)[to++] = s + 1;
            }
    UNPROTECT(1);
    return result;
}
