/* approx_results.c: see approx_results.h. */
#include "core/residual_approx/approx_results.h"

#include "core/search/query.h"
#include "core/topk/select.h"

static size_t line_of(const struct ct_approx_results *results, int number)
{
    return (size_t)(results->slot ? results->slot[number] : number);
}

void ct_approx_write_result(const struct ct_approx_context *context,
                            const struct ct_approx_results *results, int number,
                            const struct ct_approx_query *query, struct ct_sorted_list *list)
{
    int k = context->options->k;
    size_t line = line_of(results, number), ld = (size_t)results->ld;
    ct_sort_neighbors(list->sq, list->row, list->count, context->kernels);
    for (int j = 0; j < k; j++) {
        results->index[j * ld + line] = j < list->count ? list->row[j] : CT_NO_ROW;
        results->distance[j * ld + line] =
            j < list->count ? list->sq[j] : context->options->missing;
    }
    results->evaluated[line] = query->evaluated;
    results->step[line] = query->budget.step;
    results->stopped_early[line] = query->budget.stopped_early;
}

/* The number of candidates up to `wanted`; 0 if it is not among them. */
static int position_of(int wanted, const int *row, int count)
{
    for (int i = 0; i < count; i++)
        if (row[i] == wanted)
            return i + 1;
    return 0;
}

void ct_approx_write_record(const struct ct_approx_context *context,
                            const struct ct_approx_results *results, int number,
                            const struct ct_approx_query *query, const int *row, int found)
{
    const struct ct_approx_record *to = &results->record;
    int k = context->options->k, levels = context->options->levels;
    size_t line = line_of(results, number), ld = (size_t)results->ld;
    for (int level = 0; level < levels; level++)
        to->stop[level * ld + line] = query->stop[level];
    for (int j = 0; j < k; j++)
        to->position[j * ld + line] =
            j < found ? position_of(results->index[j * ld + line], row, query->evaluated) : 0;
}
