/* shard_boxes.c: the shards of a forest that can hold neighbors of queries, for R. */
#include "core/covertree.h"
#include "glue/metric.h"
#include "glue/options.h"
#include "glue/threads.h"

/* R's list(lower, upper, begin, box_lower, box_upper), as new_shards() in R/cover_forest.R makes
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
SEXP r_nearest_shard(SEXP list, SEXP metric, SEXP query, SEXP threads)
{
    struct ct_shard_boxes boxes = boxes_of(list);
    struct ct_metric m = r_metric(metric, boxes.d);
    SEXP shard = PROTECT(Rf_allocVector(INTSXP, Rf_nrows(query)));
    ct_find_nearest_shards(&r_host, &boxes, &m, REAL_RO(query), Rf_nrows(query),
                           r_num_threads(threads), INTEGER(shard));
    UNPROTECT(1);
    return shard;
}

/* Returns list(query, shard), numbers from 1: the shards within limit [m] of each query [m x d],
 * except the first shard own [m] of the query. */
SEXP r_near_shards(SEXP list, SEXP metric, SEXP query, SEXP limit, SEXP own, SEXP threads)
{
    static const char *const names[] = {"query", "shard"};
    struct ct_shard_boxes boxes = boxes_of(list);
    struct ct_metric m = r_metric(metric, boxes.d);
    struct ct_shard_queries queries = {REAL_RO(query), Rf_nrows(query), REAL_RO(limit),
                                       INTEGER_RO(own)};
    size_t size = (size_t)queries.count * (size_t)boxes.shards, found = 0;
    char *is_near = r_host.alloc(size, 1);
    ct_find_near_shards(&r_host, &boxes, &m, &queries, r_num_threads(threads), is_near);
    for (size_t at = 0; at < size; at++)
        found += (size_t)is_near[at];
    SEXP result = PROTECT(r_named_list(names, 2)), number, shard;
    SET_VECTOR_ELT(result, 0, number = Rf_allocVector(INTSXP, (R_xlen_t)found));
    SET_VECTOR_ELT(result, 1, shard = Rf_allocVector(INTSXP, (R_xlen_t)found));
    int *to_number = INTEGER(number), *to_shard = INTEGER(shard);
    for (size_t at = 0; at < size; at++)
        if (is_near[at]) {
            *to_number++ = 1 + (int)(at / (size_t)boxes.shards);
            *to_shard++ = 1 + (int)(at % (size_t)boxes.shards);
        }
    UNPROTECT(1);
    return result;
}
