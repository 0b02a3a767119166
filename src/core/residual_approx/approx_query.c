/* approx_query.c: see approx_query.h. */
#include "core/residual_approx/approx_query.h"

int ct_approx_max_candidates(const struct ct_approx_options *options)
{
    const struct ct_budget *budget = options->budget;
    int most = budget ? budget->limit[budget->steps - 1] : options->max_candidates;
    most = most > options->k ? most : options->k;
    return most < options->max_candidates ? most : options->max_candidates;
}

/* Whether enough candidates were evaluated in vain; see struct ct_approx_options. */
static int is_out_of_patience(double patience, int k, const struct ct_approx_query *query)
{
    int since = query->evaluated - query->improved_at;
    return query->evaluated >= k && since >= patience * (query->improved_at + 4.0 * k);
}

/* Records the smaller patiences that the query is out of. */
static void record_stops(const struct ct_approx_options *options, struct ct_approx_query *query)
{
    while (query->stops < options->levels &&
           is_out_of_patience(options->level_patience[query->stops], options->k, query))
        query->stop[query->stops++] = query->evaluated;
}

/* Evaluates up to CT_PAIR_BATCH candidates. Returns how many of them entered the k nearest;
 * *last is the number of the last of these, if there is one. The first k candidates all
 * enter, and the list is sorted when it has k of them. */
static int evaluate_batch(const struct ct_approx_context *context, int number,
                          struct ct_quantized quantized, const int *row, int count,
                          struct ct_sorted_list *list, int *last)
{
    double sq[CT_PAIR_BATCH];
    int entered = 0, k = context->options->k;
    ct_pair_distances_sq(&context->pairs, number, quantized, row, count, sq);
    for (; entered < count && list->count < k; *last = entered++) {
        list->sq[list->count] = sq[entered];
        list->row[list->count++] = row[entered];
    }
    /* From here on the list is sorted: the k-th distance decides which candidates enter. */
    if (entered > 0 && list->count == k)
        ct_sorted_list_sort(list, context->kernels);
    for (int i = entered; i < count; i++) {
        if (ct_sorted_list_insert(list, sq[i], row[i]) < k) {
            *last = i;
            entered++;
        }
    }
    return entered;
}

/* Evaluates candidates until the query is out of patience. Returns whether it is.
 * improved_at counts to the very candidate, not to the end of its batch. */
static int evaluate_with_patience(const struct ct_approx_context *context, int number,
                                  struct ct_quantized quantized, const int *row, int count,
                                  struct ct_approx_query *query, struct ct_sorted_list *list)
{
    const struct ct_approx_options *options = context->options;
    while (query->evaluated < count && !is_out_of_patience(options->patience, options->k, query)) {
        int left = count - query->evaluated, last = -1;
        int batch = left < CT_PAIR_BATCH ? left : CT_PAIR_BATCH;
        evaluate_batch(context, number, quantized, row + query->evaluated, batch, list, &last);
        if (last >= 0)
            query->improved_at = query->evaluated + last + 1;
        query->evaluated += batch;
        record_stops(options, query);
    }
    return is_out_of_patience(options->patience, options->k, query);
}

/* Evaluates candidates until the budget ends. Returns whether it does. The first k
 * candidates all count as useful, and no query ends before them. */
static int evaluate_within_budget(const struct ct_approx_context *context, int number,
                                  struct ct_quantized quantized, const int *row, int count,
                                  struct ct_approx_query *query, struct ct_sorted_list *list)
{
    const struct ct_budget *budget = context->options->budget;
    struct ct_budget_state *state = &query->budget;
    int k = context->options->k;
    while (state->evaluated < count) {
        int before = state->evaluated, left = count - before, last;
        int batch = left < CT_PAIR_BATCH ? left : CT_PAIR_BATCH;
        int entered = evaluate_batch(context, number, quantized, row + before, batch, list, &last);
        int within = ct_budget_spend(budget, state, batch, before < k ? batch : entered);
        query->evaluated = state->evaluated;
        if (within || state->evaluated < k)
            continue;
        if (!ct_budget_escalates(budget, state))
            return 1;
        *state = ct_budget_begin(state->step + 1, state->evaluated);
    }
    return 0;
}

void ct_approx_evaluate(const struct ct_approx_context *context, int number,
                        struct ct_quantized quantized, const int *row, int count, int wanted,
                        struct ct_approx_query *query, struct ct_sorted_list *list)
{
    int stopped = (context->options->budget ? evaluate_within_budget : evaluate_with_patience)(
        context, number, quantized, row, count, query, list);
    if (stopped || count < wanted || query->evaluated >= context->max_candidates)
        ct_approx_end(context, query);
}

void ct_approx_end(const struct ct_approx_context *context, struct ct_approx_query *query)
{
    query->status = CT_APPROX_ENDED;
    while (query->stops < context->options->levels)
        query->stop[query->stops++] = query->evaluated;
}

void ct_approx_refine(const struct ct_approx_context *context, int number,
                      struct ct_sorted_list *list)
{
    const struct ct_pair_distances *pairs = &context->pairs;
    const struct ct_quantized exact = {NULL, 0};
    int k = context->options->k;
    double most = list->count > k ? list->sq[k - 1] + ct_pair_quantization_error(pairs, number) : 0;
    while (list->count > k && list->sq[list->count - 1] > most)
        list->count--;
    for (int i = 0; i < list->count; i += CT_PAIR_BATCH) {
        int left = list->count - i, batch = left < CT_PAIR_BATCH ? left : CT_PAIR_BATCH;
        ct_pair_distances_sq(pairs, number, exact, list->row + i, batch, list->sq + i);
    }
}

/* The list keeps the order of rows: equal distances are in order of rows. */
void ct_approx_list_first_rows(const struct ct_approx_context *context, int own_row,
                               int predecessor, struct ct_sorted_list *list)
{
    int last = predecessor ? own_row - 1 : context->pairs.input.metric->points.n;
    list->count = 0;
    for (int row = 1; row <= last && list->count < context->options->k; row++) {
        if (row == own_row)
            continue;
        list->row[list->count] = row;
        list->sq[list->count++] = 1;
    }
}
