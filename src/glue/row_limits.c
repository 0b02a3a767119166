/* row_limits.c: see row_limits.h. */
#include "glue/row_limits.h"

/* Returns the element as a vector of `length` integers, or NULL if it is R's NULL. */
static const int *integers_of(SEXP list, const char *name, int length)
{
    SEXP value = r_option(list, name);
    if (Rf_isNull(value))
        return NULL;
    if (TYPEOF(value) != INTSXP || XLENGTH(value) != length)
        r_stop("internal error: %s must have %d integers", name, length);
    return INTEGER_RO(value);
}

const struct ct_row_limits *r_row_limits(SEXP options, const struct ct_batch *batch,
                                         struct ct_row_limits *limits)
{
    SEXP list = r_option(options, "limits");
    if (Rf_isNull(list))
        return NULL;
    *limits = (struct ct_row_limits){
        .ranks = r_int_option(list, "ranks"),
        .groups = r_int_option(list, "groups"),
        .rank = integers_of(list, "rank", batch->tree->n),
        .max_rank = integers_of(list, "max_rank", batch->count),
        .group = integers_of(list, "group", batch->tree->n),
        .query_group = integers_of(list, "query_group", batch->count),
        .window = r_int_option(list, "window"),
    };
    return limits;
}
