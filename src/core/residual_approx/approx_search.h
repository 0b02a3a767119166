/* approx_search.h: approximate k nearest neighbors by residual correlation.
 *
 * Points that correlate strongly are near in space, as a rule: no bound says so. The search
 * evaluates the residual correlation of the candidates of a query in order of their
 * Euclidean distance in the tree, and stops when the query is out of patience or at the end
 * of its budget. With a plain budget, candidates are the own points beside the query in
 * tree order instead. The recall is not known in advance: the caller measures it on a
 * sample of exact answers.
 *
 * Cost: one k-nearest-neighbor search for the candidates, and m multiplications and
 * additions for each candidate. Results are the same for every number of threads and at
 * every SIMD level.
 */
#ifndef COVERTREE_RESIDUAL_APPROX_APPROX_SEARCH_H
#define COVERTREE_RESIDUAL_APPROX_APPROX_SEARCH_H

#include "core/residual_approx/pair_distance.h"
#include "core/search/budget.h"
#include "core/search/query.h"

struct ct_approx_options {
    int k;
    /* With e candidates evaluated up to the last one that entered the k nearest, the query
     * is out of patience after patience * (e + 4 k) candidates more, and at least k in all. */
    double patience;
    const struct ct_budget *budget; /* NULL: patience; otherwise patience has no effect */
    int first_round;                /* candidates of the first round; doubles each round */
    int max_candidates;             /* the most candidates of a query */
    double missing;                 /* distance written where there are fewer than k points */
};

/* Results of the queries, one line for each. */
struct ct_approx_results {
    int ld;             /* lines */
    const int *slot;    /* line of query i, or of the own point in row i + 1; NULL: line i */
    int *index;         /* [ld * k] by column, rows in order of (distance, row), then CT_NO_ROW */
    double *distance;   /* [ld * k] by column, then `missing` */
    int *evaluated;     /* [ld] candidates evaluated */
    int *step;          /* [ld] last step of the budget, from 0; 0 without a budget */
    int *stopped_early; /* [ld] 1 where the budget stopped a query before a limit, else 0 */
};

/* Writes the approximate nearest neighbors of every query of the batch: foreign queries, or
 * own points, perhaps among their predecessors only. A query without residual variance is
 * at distance 1 from all points: its neighbors are the first rows, and no candidate is
 * evaluated. Foreign queries need a budget that is diverse, or none. Scratch memory is at
 * most about 25 MB, or 12 k bytes for each of 256 queries if that is more, besides what
 * ct_pair_distances_make() and the nearest neighbor search take. */
void ct_approx_search(const struct ct_host *host, const struct ct_batch *batch,
                      const struct ct_pair_input *input, const struct ct_approx_options *options,
                      const struct ct_approx_results *results);

#endif
