/* approx_results.h: the results of the approximate search, and how a query that has ended is
 * written to them. Threads write different queries at the same time.
 */
#ifndef COVERTREE_RESIDUAL_APPROX_APPROX_RESULTS_H
#define COVERTREE_RESIDUAL_APPROX_APPROX_RESULTS_H

#include "core/residual_approx/approx_query.h"

/* Memory for the record of a search: one line for each query. Until a query ends, a patient search
 * does the same as a more patient one. So one search tells what every less patient search finds:
 * the neighbors whose position is at most its stop. That holds up to the quantization error, which
 * depends on where rounds end, see approx_query.h. */
struct ct_approx_record {
    int *stop;     /* [ld x levels, column-major] candidates evaluated with each smaller patience */
    int *position; /* [ld x k, column-major] candidates evaluated up to this neighbor; 0 if none
                      were, or if there is no neighbor */
};

/* Memory for the results: one line for each query. */
struct ct_approx_results {
    int ld;             /* lines */
    const int *slot;    /* line of query point i, or of the own point in row i + 1; NULL: i */
    int *index;         /* [ld x k, column-major] rows by (distance, row), then CT_NO_ROW */
    double *distance;   /* [ld x k, column-major] distances, then `missing` */
    int *evaluated;     /* [ld] candidates evaluated */
    int *step;          /* [ld] last step of the budget, from 0; 0 without a budget */
    int *stopped_early; /* [ld] 1 where two idle windows ended a query, else 0 */
    struct ct_approx_record record; /* if options->levels > 0 */
};

/* Replaces the squares of the list by distances in order of (distance, row), and writes its first k
 * entries and the state of the query. `number`: of the query, as in pair_distance.h. */
void ct_approx_write_result(const struct ct_approx_context *context,
                            const struct ct_approx_results *results, int number,
                            const struct ct_approx_query *query, struct ct_sorted_list *list);

/* Writes the stops of the query, and the positions of its neighbors, `found` entries of its result,
 * among its candidates row [query->evaluated or more]. Costs at most k comparisons a candidate. */
void ct_approx_write_record(const struct ct_approx_context *context,
                            const struct ct_approx_results *results, int number,
                            const struct ct_approx_query *query, const int *row, int found);

#endif
