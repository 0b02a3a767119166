/* row_limits.h: which points the queries of a call may find. */
#ifndef COVERTREE_GLUE_ROW_LIMITS_H
#define COVERTREE_GLUE_ROW_LIMITS_H

#include "core/covertree.h"
#include "glue/options.h"

/* Sets *limits to the option `limits`: R's list(ranks, groups, rank, max_rank, group, query_group,
 * window), as limits_for() in R/exclusion.R makes it. Returns limits, or NULL without limits. */
const struct ct_row_limits *r_row_limits(SEXP options, const struct ct_batch *batch,
                                         struct ct_row_limits *limits);

#endif
