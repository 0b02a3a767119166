/* approx_search.c: see approx_search.h.
 *
 * The search proceeds in rounds. In a round the nearest neighbor search finds the
 * candidates of all open queries, and each query evaluates those that are new to it. A
 * query that has not ended asks for twice as many candidates in the next round.
 *
 * A batch is cut into slices, so that the lists of open queries take little memory. All
 * queries of a slice go through the rounds together.
 */
#include "core/residual_approx/approx_search.h"
#include "core/search/predecessor.h"
#include "core/topk/select.h"
#include "core/util/parallel_for.h"

enum {
    GROUP = 16,              /* queries of a thread whose lists are refined together, at most */
    QUERIES_PER_THREAD = 16, /* at least */
    SLICE_MIN = 256,         /* queries of a slice, at least; */
    SLICE_BYTES = 1 << 24    /* and its memory, if that suffices for more queries */
};

/* A part of the batch, of which query i has the number number[i], as in pair_distance.h. */
struct slice {
    int count, k;
    int *order;                    /* [count] as in struct ct_batch */
    int *number;                   /* [count] */
    int *index_of;                 /* [query points, or rows] the inverse of number */
    struct ct_approx_query *query; /* [count] */
    double *sq;                    /* [count * k] the lists of open queries: exact squares */
    int *row;                      /* [count * k] */
    int *stop;                     /* [count * levels] of struct ct_approx_query */
};

/* A query that has evaluated the candidates of the round, before its list is refined. */
struct evaluated_query {
    struct ct_sorted_list list;
    int index; /* in the slice */
};

/* The scratch memory of a thread. Lists are refined for a group of queries, one after
 * another: queries that are neighbors share most of the points whose v that reads. */
struct worker {
    struct evaluated_query group[GROUP];
    int count;
    int16_t *quantized; /* [ct_quantized_stride(m)] v of a query point */
};

/* A call, and its current round. */
struct approx_call {
    struct ct_approx_context context;
    const struct ct_approx_results *results;
    struct slice slice;
    struct worker *worker; /* [threads] */
    int predecessor;       /* whether candidates are predecessors of the query only */
    int wanted;            /* candidates that each query gets in this round */
};

/* ---- the lists of open queries ----------------------------------------------- */

/* The list of a query after the last round: lists lie side by side, query after query. */
static void load_list(const struct slice *slice, int index, struct ct_sorted_list *list)
{
    int evaluated = slice->query[index].evaluated;
    size_t from = (size_t)index * slice->k;
    list->count = evaluated < slice->k ? evaluated : slice->k;
    for (int j = 0; j < list->count; j++) {
        list->row[j] = slice->row[from + j];
        list->sq[j] = slice->sq[from + j];
    }
}

static void save_list(const struct slice *slice, int index, const struct ct_sorted_list *list)
{
    size_t to = (size_t)index * slice->k;
    for (int j = 0; j < list->count && j < slice->k; j++) {
        slice->row[to + j] = list->row[j];
        slice->sq[to + j] = list->sq[j];
    }
}

/* ---- the candidates of a query ----------------------------------------------- */

/* Refines the list of a query that has evaluated the candidates of a round, and saves or writes it.
 */
static void flush_query(const struct approx_call *call, int index, struct ct_sorted_list *list)
{
    const struct ct_pair_distances *pairs = &call->context.pairs;
    int number = call->slice.number[index];
    if (pairs->input.quantized.v && pairs->queries->p[number] > 0)
        ct_approx_refine(&call->context, number, list);
    if (call->slice.query[index].status == CT_APPROX_ENDED) {
        ct_approx_write_result(&call->context, call->results, number, &call->slice.query[index],
                               list);
    } else {
        ct_sorted_list_sort(list, call->context.kernels);
        save_list(&call->slice, index, list);
    }
}

/* Flushes the queries of a thread's group. */
static void flush_group(const struct approx_call *call, int thread)
{
    struct worker *worker = &call->worker[thread];
    for (int i = 0; i < worker->count; i++)
        flush_query(call, worker->group[i].index, &worker->group[i].list);
    worker->count = 0;
}

/* Evaluates the candidates row [count] of a query of the slice that are new to it. */
static void add_candidates(const struct approx_call *call, int thread, int index, const int *row,
                           int count)
{
    const struct ct_pair_distances *pairs = &call->context.pairs;
    struct ct_approx_query *query = &call->slice.query[index];
    struct worker *worker = &call->worker[thread];
    if (worker->count == GROUP)
        flush_group(call, thread);
    int number = call->slice.number[index];
    struct ct_sorted_list *list = &worker->group[worker->count].list;
    worker->group[worker->count++].index = index;
    if (pairs->queries->p[number] > 0) {
        struct ct_quantized quantized = ct_pair_quantize_query(pairs, number, worker->quantized);
        load_list(&call->slice, index, list);
        ct_approx_evaluate(&call->context, number, quantized, row, count, call->wanted, query,
                           list);
    } else {
        int own_row = pairs->input.query_points ? 0 : number + 1;
        ct_approx_list_first_rows(&call->context, own_row, call->predecessor, list);
        ct_approx_end(&call->context, query);
    }
    if (query->stop && query->status == CT_APPROX_ENDED) {
        /* The record needs the candidates, which are gone when the group is flushed. */
        flush_query(call, index, list);
        ct_approx_write_record(&call->context, call->results, number, query, row, list->count);
        worker->count--;
    }
}

/* ---- candidates in order of space --------------------------------------------- */

/* The nearest neighbor search hands over the neighbors of a query, whose line is the index in
 * the slice, and ends a block of queries with a flush. */
static void add_neighbors(void *data, int thread, int line, const int *row, const double *distance,
                          int count)
{
    (void)distance;
    add_candidates(data, thread, line, row, count);
}

static void flush_neighbors(void *data, int thread)
{
    flush_group(data, thread);
}

/* Finds the nearest candidates of all open queries, those of earlier rounds once more. Rounds
 * double, so all of them together find at most twice as many as the last one. */
static void add_from_space(const struct ct_host *host, const struct ct_batch *open,
                           struct approx_call *call)
{
    struct ct_result_sink sink = {call, add_neighbors, flush_neighbors};
    ct_knn_to_sink(host, open, call->wanted, &sink);
}

/* ---- candidates in tree order ------------------------------------------------- */

/* The arguments of add_from_curve(), for the parallel loop. */
struct curve_task {
    const struct ct_batch *open;
    const struct approx_call *call;
    int *row; /* [threads * wanted] */
};

/* Writes up to `wanted` own points beside the point at a position, on both sides in turn;
 * only predecessors, if only these are wanted. Returns how many. */
static int list_beside(const struct ct_batch *open, int pos, int wanted, int *row)
{
    const struct ct_tree *t = open->tree;
    int last = open->predecessors ? t->row[pos] - 1 : INT_MAX, count = 0;
    for (int step = 1; count < wanted && (pos - step >= 0 || pos + step < t->n); step++) {
        if (pos + step < t->n && t->row[pos + step] <= last)
            row[count++] = t->row[pos + step];
        if (count < wanted && pos - step >= 0 && t->row[pos - step] <= last)
            row[count++] = t->row[pos - step];
    }
    return count;
}

/* Processes GROUP queries, which are neighbors in tree order. */
static void add_block_from_curve(void *data, int block, int thread)
{
    const struct curve_task *task = data;
    const struct ct_batch *open = task->open;
    int *row = task->row + (size_t)thread * task->call->wanted;
    int end = open->count - GROUP * block < GROUP ? open->count : GROUP * (block + 1);
    for (int i = GROUP * block; i < end; i++) {
        int pos = open->order[i], count = list_beside(open, pos, task->call->wanted, row);
        int index = task->call->slice.index_of[open->tree->row[pos] - 1];
        add_candidates(task->call, thread, index, row, count);
    }
    flush_group(task->call, thread);
}

static void add_from_curve(const struct ct_host *host, const struct ct_batch *open,
                           const struct approx_call *call)
{
    size_t rows = (size_t)open->threads * call->wanted;
    struct curve_task task = {open, call, host->alloc(rows, sizeof(int))};
    ct_parallel_for(host, open->count / GROUP + (open->count % GROUP > 0), open->threads,
                    add_block_from_curve, &task);
}

/* ---- rounds and slices -------------------------------------------------------- */

/* Writes the order of the queries that have not ended, a part of the slice's. Returns how
 * many there are. */
static int list_open(const struct slice *slice, int *order)
{
    int count = 0;
    for (int i = 0; i < slice->count; i++)
        if (slice->query[i].status == CT_APPROX_OPEN)
            order[count++] = slice->order[i];
    return count;
}

/* Runs rounds until every query of the slice has ended; order: [slice->count] scratch. */
static void run_rounds(const struct ct_host *host, const struct ct_batch *batch,
                       struct approx_call *call, int *order)
{
    const struct ct_budget *budget = call->context.options->budget;
    int most = call->context.max_candidates, points = call->context.options->first_round;
    struct ct_batch open = *batch;
    open.order = order;
    open.slot = call->slice.index_of;
    open.ld_query = batch->ld_query > 0 ? batch->ld_query : batch->count;
    for (;; points = points < most / 2 ? 2 * points : most) {
        call->wanted = points < most ? points : most;
        open.count = list_open(&call->slice, order);
        if (open.count == 0)
            return;
        void *mark = host->mark ? host->mark() : NULL;
        if (budget && !budget->diverse)
            add_from_curve(host, &open, call);
        else
            add_from_space(host, &open, call);
        if (host->release)
            host->release(mark);
    }
}

/* Makes the queries begin, ..., begin + count - 1 of the batch the slice. */
static void begin_slice(const struct ct_batch *batch, int begin, int count, int levels,
                        struct slice *slice)
{
    slice->count = count;
    for (int i = 0; i < count; i++) {
        int at = batch->order ? batch->order[begin + i] : begin + i;
        slice->order[i] = at;
        slice->number[i] = batch->query ? at : batch->tree->row[at] - 1;
        slice->index_of[slice->number[i]] = i;
        slice->query[i] = (struct ct_approx_query){
            .status = CT_APPROX_OPEN, .stop = levels > 0 ? slice->stop + (size_t)i * levels : NULL};
    }
}

/* The most queries of a slice for lists of k entries and a record of so many levels. */
static int slice_size(int queries, int k, int levels)
{
    size_t bytes = (sizeof(double) + sizeof(int)) * (size_t)k + (3 + (size_t)levels) * sizeof(int) +
                   sizeof(struct ct_approx_query);
    size_t fit = SLICE_BYTES / bytes, size = fit > SLICE_MIN ? fit : SLICE_MIN;
    return size < (size_t)queries ? (int)size : queries;
}

/* Answers all queries of a batch, slice by slice. */
static void search_slices(const struct ct_host *host, const struct ct_batch *batch,
                          struct approx_call *call)
{
    int levels = call->context.options->levels;
    int size = slice_size(batch->count, call->slice.k, levels);
    int *order = host->alloc((size_t)size, sizeof *order);
    for (int begin = 0; begin < batch->count; begin += size) {
        int left = batch->count - begin;
        begin_slice(batch, begin, left < size ? left : size, levels, &call->slice);
        run_rounds(host, batch, call, order);
    }
}

/* Answers own points among their predecessors, in trees of the first rows. */
static void search_parts(const struct ct_host *host, const struct ct_batch *batch,
                         struct approx_call *call)
{
    struct ct_predecessor_plan plan =
        ct_plan_predecessors(host, batch, call->context.options->first_round);
    for (int p = 0; p < plan.parts; p++) {
        struct ct_batch part = ct_predecessor_batch(&plan, batch, p);
        void *mark = host->mark ? host->mark() : NULL;
        search_slices(host, &part, call);
        if (host->release)
            host->release(mark);
    }
}

/* ---- the call ----------------------------------------------------------------- */

/* Allocates the scratch memory of each thread. */
static struct worker *make_workers(const struct ct_host *host, const struct ct_batch *batch, int k,
                                   int m)
{
    struct worker *worker = host->alloc((size_t)batch->threads, sizeof *worker);
    int size = ct_approx_list_size(k);
    for (int i = 0; i < batch->threads; i++) {
        for (int j = 0; j < GROUP && j < batch->count; j++)
            worker[i].group[j].list = (struct ct_sorted_list){
                .sq = host->alloc((size_t)size + CT_SELECT_PAD, sizeof(double)),
                .row = host->alloc((size_t)size, sizeof(int)),
                .capacity = size,
            };
        worker[i].count = 0;
        worker[i].quantized = host->alloc(ct_quantized_stride(m), sizeof(int16_t));
    }
    return worker;
}

/* Allocates a slice as large as the largest one of the batch. */
static struct slice make_slice(const struct ct_host *host, const struct ct_batch *batch, int k,
                               int levels)
{
    size_t size = (size_t)slice_size(batch->count, k, levels), entries = size * (size_t)k;
    int lines = batch->ld_query > 0 ? batch->ld_query : batch->count;
    return (struct slice){
        .k = k,
        .order = host->alloc(size, sizeof(int)),
        .number = host->alloc(size, sizeof(int)),
        .index_of = host->alloc((size_t)(batch->query ? lines : batch->tree->n), sizeof(int)),
        .query = host->alloc(size, sizeof(struct ct_approx_query)),
        .sq = host->alloc(entries, sizeof(double)),
        .row = host->alloc(entries, sizeof(int)),
        .stop = host->alloc(size * (size_t)levels, sizeof(int)),
    };
}

void ct_approx_search(const struct ct_host *host, const struct ct_batch *asked,
                      const struct ct_pair_input *input, const struct ct_approx_options *options,
                      const struct ct_approx_results *results)
{
    struct ct_batch batch = *asked;
    int n = input->metric->points.n, k = options->k < n ? options->k : n;
    int shares = asked->count / QUERIES_PER_THREAD + 1;
    batch.threads = shares < asked->threads ? shares : asked->threads;
    struct approx_call call = {
        .context = {.options = options,
                    .kernels = batch.kernels,
                    .pairs = ct_pair_distances_make(host, input, batch.tree),
                    .max_candidates = ct_approx_max_candidates(options)},
        .results = results,
        .slice = make_slice(host, &batch, k, options->levels),
        .worker = make_workers(host, &batch, k, input->metric->m),
        .predecessor = batch.predecessors,
    };
    if (batch.predecessors)
        search_parts(host, &batch, &call);
    else
        search_slices(host, &batch, &call);
}
