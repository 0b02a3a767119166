/* predecessor.c: see predecessor.h. */
#include "core/search/predecessor.h"
#include "core/tree/subset.h"

#include <limits.h>

/* Lists the positions of the rows above `row`: all of the tree's, or the wanted ones.
 * Returns their number. */
static int list_rows_above(const struct ct_tree *t, int row, const char *wanted, int *order)
{
    int count = 0;
    for (int pos = 0; pos < t->n; pos++)
        if (t->row[pos] > row && (!wanted || wanted[t->row[pos] - 1]))
            order[count++] = pos;
    return count;
}

const char *ct_mark_rows(const struct ct_host *host, const struct ct_batch *batch)
{
    if (!batch->order)
        return NULL;
    char *wanted = host->alloc((size_t)batch->tree->n, 1);
    for (int i = 0; i < batch->tree->n; i++)
        wanted[i] = 0;
    for (int i = 0; i < batch->count; i++)
        wanted[batch->tree->row[batch->order[i]] - 1] = 1;
    return wanted;
}

/* The prefix trees that the host keeps with the tree; built for this call where the host
 * keeps none. */
static const struct ct_tree *get_prefix_trees(const struct ct_host *host,
                                              const struct ct_batch *batch, int count)
{
    if (count == 0 || batch->tree->prefix)
        return batch->tree->prefix;
    return ct_build_prefix_trees(host, batch->tree, count, batch->kernels, batch->threads, NULL);
}

struct ct_predecessor_plan ct_plan_predecessors(const struct ct_host *host,
                                                const struct ct_batch *batch, int k)
{
    struct ct_predecessor_plan plan = {.parts = 0};
    int prefixes = ct_count_prefix_trees(batch->tree->n, k);
    const struct ct_tree *prefix = get_prefix_trees(host, batch, prefixes);
    const char *wanted = ct_mark_rows(host, batch);
    int *order = host->alloc((size_t)batch->tree->n, sizeof *order);
    for (int i = 0; i <= prefixes; i++) {
        const struct ct_tree *tree = i > 0 ? &prefix[i - 1] : batch->tree;
        int m = list_rows_above(tree, i < prefixes ? prefix[i].n : 0, wanted, order);
        if (m > 0)
            plan.part[plan.parts++] = (struct ct_predecessor_part){tree, order, m};
        order += m;
    }
    return plan;
}

struct ct_batch ct_predecessor_batch(const struct ct_predecessor_plan *plan,
                                     const struct ct_batch *batch, int part)
{
    struct ct_batch result = *batch;
    result.tree = plan->part[part].tree;
    result.order = plan->part[part].order;
    result.count = plan->part[part].count;
    result.predecessors = 1;
    result.ld = batch->ld > 0 ? batch->ld : batch->tree->n;
    return result;
}

void ct_knn_predecessors(const struct ct_host *host, const struct ct_batch *batch, int k,
                         double missing, int *index, double *distance)
{
    struct ct_predecessor_plan plan = ct_plan_predecessors(host, batch, k);
    double all = batch->count > 0 ? batch->count : 1, done = 0;
    for (int p = 0; p < plan.parts; p++) {
        struct ct_batch part = ct_predecessor_batch(&plan, batch, p);
        double end = done + part.count < all ? done + part.count : all;
        struct ct_host of_part = ct_host_part(host, done / all, end / all);
        void *mark = host->mark ? host->mark() : NULL;
        ct_knn(&of_part, &part, k, missing, index, distance);
        done = end;
        if (host->release)
            host->release(mark);
    }
}

/* Lists the queries of a batch with a max_row above `above` and up to `most`. Returns their number.
 */
static int list_queries(const struct ct_batch *batch, int above, int most, int *order)
{
    int count = 0;
    for (int place = 0; place < batch->count; place++) {
        int at = batch->order ? batch->order[place] : place;
        int max_row = batch->start[batch->slot ? batch->slot[at] : at].max_row;
        if (max_row > above && max_row <= most)
            order[count++] = at;
    }
    return count;
}

void ct_knn_up_to_max_row(const struct ct_host *host, const struct ct_batch *batch, int k,
                          double missing, int *index, double *distance)
{
    int prefixes = ct_count_prefix_trees(batch->tree->n, k);
    const struct ct_tree *prefix = get_prefix_trees(host, batch, prefixes);
    int *order = host->alloc((size_t)batch->count, sizeof *order);
    for (int i = 0; i <= prefixes; i++) {
        struct ct_batch part = *batch;
        part.tree = i > 0 ? &prefix[i - 1] : batch->tree;
        part.ld_query = batch->ld_query > 0 ? batch->ld_query : batch->count;
        part.ld = batch->ld > 0 ? batch->ld : batch->count;
        part.order = order;
        part.count = list_queries(batch, i < prefixes ? prefix[i].n : INT_MIN,
                                  i > 0 ? part.tree->n : INT_MAX, order);
        void *mark = host->mark ? host->mark() : NULL;
        if (part.count > 0)
            ct_knn(host, &part, k, missing, index, distance);
        if (host->release)
            host->release(mark);
    }
}
