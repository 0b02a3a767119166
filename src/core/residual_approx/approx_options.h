/* approx_options.h: how many candidates a query of the approximate search evaluates.
 *
 * The host chooses the options for all queries of a call: a patience, found by measuring
 * the recall of a sample, or a budget.
 */
#ifndef COVERTREE_RESIDUAL_APPROX_APPROX_OPTIONS_H
#define COVERTREE_RESIDUAL_APPROX_APPROX_OPTIONS_H

#include "core/search/budget.h"

/* When a query ends. */
struct ct_approx_options {
    int k; /* neighbors, at least 1 */
    /* With e candidates evaluated up to the last one that entered the k nearest, the query
     * is out of patience after patience * (e + 4 k) candidates more, and at least k in all.
     * A share of e, because the next neighbor is likely as far behind as the last one was;
     * 4 k more, because e is a poor estimate while it is small. */
    double patience;
    const struct ct_budget *budget; /* NULL: patience; otherwise patience has no effect */
    int first_round;                /* candidates of the first round; doubles each round */
    int max_candidates;             /* the most candidates of a query */
    double missing;                 /* distance written where there are fewer than k points */
    /* Smaller patiences of which the search records where they would end a query; see struct
     * ct_approx_record. Not with a budget. */
    int levels;                   /* how many; 0: no record */
    const double *level_patience; /* [levels] ascending, at most `patience` */
};

#endif
