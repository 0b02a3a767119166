/* approx_query.h: one query of the approximate search: which candidates it evaluates, and
 * which of them are its k nearest so far.
 *
 * The search proceeds in rounds (approx_search.c). In each round a query gets its
 * candidates in order, those of earlier rounds included, and continues after the last one
 * that it evaluated. Between rounds its state is a struct ct_approx_query and the sorted
 * list of its k nearest candidates. With exact dot products, and a first round of a multiple
 * of CT_PAIR_BATCH candidates, results do not depend on where the rounds end.
 *
 * With quantized v the list holds approximate squared distances during a round, and some
 * candidates more than k: a neighbor that approximate distances put behind the k-th is not
 * lost. ct_approx_refine() then computes the exact distances of the list. A neighbor is lost
 * only if the error puts it behind k / 8 + 8 others, or is larger than as a rule.
 */
#ifndef COVERTREE_RESIDUAL_APPROX_APPROX_QUERY_H
#define COVERTREE_RESIDUAL_APPROX_APPROX_QUERY_H

#include "core/residual_approx/approx_options.h"
#include "core/residual_approx/pair_distance.h"
#include "core/topk/sorted_list.h"

enum ct_approx_status { CT_APPROX_OPEN, CT_APPROX_ENDED };

/* The state of a query between rounds. All zero at the start. */
struct ct_approx_query {
    enum ct_approx_status status;
    int evaluated;                 /* candidates evaluated */
    int improved_at;               /* candidates evaluated up to the last one that was kept */
    struct ct_budget_state budget; /* unused without a budget */
    int *stop;                     /* [levels] of struct ct_approx_record; NULL without a record */
    int stops;                     /* known ones among them, the first ones */
};

/* What all queries of a call share. */
struct ct_approx_context {
    const struct ct_approx_options *options;
    const struct ct_kernels *kernels; /* for sorting */
    struct ct_pair_distances pairs;
    int max_candidates; /* the most that a query evaluates: see ct_approx_max_candidates() */
};

/* The most candidates that a query evaluates: the last limit of the budget, but at least k
 * and at most options->max_candidates. */
int ct_approx_max_candidates(const struct ct_approx_options *options);

/* Candidates that the list of a query holds during a round: k, and k / 8 + 8 more to choose
 * from where distances are approximate. */
static inline int ct_approx_list_size(int k)
{
    return k + k / 8 + 8;
}

/* Evaluates the candidates row[query->evaluated], ..., row[count - 1] of query number
 * `number`, until the query is out of patience or its budget ends. Both are judged after
 * each batch of up to CT_PAIR_BATCH candidates. A query also ends if fewer than `wanted`
 * candidates exist (count < wanted), or if it has evaluated the most. Updates the state and
 * the list of the query, which is in order once it has k entries. All stops of the query are
 * known when it has ended. quantized: see ct_pair_quantize_query(). */
void ct_approx_evaluate(const struct ct_approx_context *context, int number,
                        struct ct_quantized quantized, const int *row, int count, int wanted,
                        struct ct_approx_query *query, struct ct_sorted_list *list);

/* Ends a query: with the smaller patiences that have no stop so far, it ends here as well. */
void ct_approx_end(const struct ct_approx_context *context, struct ct_approx_query *query);

/* Replaces the squared distances of a list by exact ones, after dropping the candidates that
 * are behind the k-th by more than the quantization error. Leaves the list unordered. */
void ct_approx_refine(const struct ct_approx_context *context, int number,
                      struct ct_sorted_list *list);

/* Fills the list of a query without residual variance: the first k rows, at distance 1.
 * own_row is left out, and is 0 for a query point; if `predecessor`, larger rows are left
 * out as well. */
void ct_approx_list_first_rows(const struct ct_approx_context *context, int own_row,
                               int predecessor, struct ct_sorted_list *list);

#endif
