/* feature_search.c: see feature_search.h. */
#include "core/residual_exact/feature_search.h"
#include "core/util/parallel_for.h"

#include <math.h>
#include <string.h>

/* State of a search; each thread writes to its own blocks, and to the queries of its blocks. */
struct feature_task {
    const struct ct_feature_filter *features;
    const struct ct_key_id *query; /* [count] those with residual variance, ordered by place */
    int count;
    struct ct_filter_block *block;   /* [threads] */
    struct ct_feature_block *packed; /* [threads] */
    char *answered;
    void (*write)(void *data, const struct ct_topk *nearest, int query);
    void *data;
};

/* Answers the queries of a block, except queries beyond their budget, whose candidates are
 * incomplete. Queries of a block are close to each other, so they need the same tiles first. */
static void search_block(void *data, int number, int thread)
{
    const struct feature_task *task = data;
    struct ct_filter_block *block = &task->block[thread];
    struct ct_feature_block *packed = &task->packed[thread];
    int size = task->features->filter->block_size, begin = number * size;
    int left = task->count - begin;
    ct_filter_block_load(block, task->query + begin, left < size ? left : size);
    ct_feature_filter_scan(task->features, packed, block);
    for (int i = 0; i < block->count; i++) {
        int query = block->query[i].id;
        if (ct_is_over_budget(task->features, packed, i))
            continue;
        task->write(task->data, ct_filter_block_finish(block, i), query);
        task->answered[query] = 1;
    }
}

/* Orders the queries with residual variance by their place in the scan. */
static void sort_queries(const struct ct_host *host, struct feature_task *task)
{
    const struct ct_filter *filter = task->features->filter;
    const struct ct_exact_batch *batch = filter->batch;
    struct ct_key_id *pairs = host->alloc((size_t)batch->count, sizeof *pairs);
    struct ct_key_id *spare = host->alloc((size_t)batch->count, sizeof *spare);
    for (int i = 0; i < batch->count; i++) {
        int pos = ct_filter_query_pos(filter, i);
        if (!isinf(filter->query_norms.root[pos]))
            pairs[task->count++] =
                (struct ct_key_id){.key = (uint64_t)task->features->order.place[pos], .id = i};
    }
    ct_radix_sort(host, pairs, spare, task->count, batch->threads);
    task->query = pairs;
}

struct ct_feature_search
ct_feature_search(const struct ct_host *host, const struct ct_feature_filter *features, int k,
                  void (*write)(void *data, const struct ct_topk *nearest, int query), void *data)
{
    const struct ct_exact_batch *batch = features->filter->batch;
    struct ct_feature_search search = {.answered = host->alloc((size_t)batch->count, 1)};
    struct feature_task task = {
        .features = features, .answered = search.answered, .write = write, .data = data};
    memset(search.answered, 0, (size_t)batch->count);
    sort_queries(host, &task);
    int size = features->filter->block_size, blocks = (task.count + size - 1) / size;
    int threads = batch->threads < blocks ? batch->threads : blocks;
    task.block = host->alloc((size_t)threads, sizeof *task.block);
    task.packed = host->alloc((size_t)threads, sizeof *task.packed);
    for (int thread = 0; thread < threads; thread++) {
        ct_filter_block_init(host, features->filter, k, &task.block[thread]);
        ct_feature_block_init(host, features, &task.packed[thread]);
    }
    ct_parallel_for(host, blocks, threads, search_block, &task);
    for (int thread = 0; thread < threads; thread++) {
        search.stats.filtered_f32 += task.block[thread].stats.filtered_f32;
        search.stats.exact += task.block[thread].stats.exact;
    }
    return search;
}
