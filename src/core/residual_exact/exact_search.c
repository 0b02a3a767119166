/* exact_search.c: see exact_search.h.
 *
 * Points are packed up to three times, in the order of rows: class F32 (precision.h) in float,
 * class F64 in double and, for queries of class F64, class F32 in double. Blocks hold
 * queries of one class. With few queries, the points are packed in portions.
 */
#include "core/residual_exact/exact_search.h"
#include "core/residual_exact/direct_search.h"
#include "core/residual_exact/feature_choice.h"
#include "core/residual_exact/feature_search.h"
#include "core/residual_exact/filter.h"
#include "core/residual_exact/initial_thresholds.h"
#include "core/residual_exact/pca_rank.h"
#include "core/residual_exact/portions.h"
#include "core/residual_exact/precision.h"
#include "core/search/query.h"
#include "core/util/parallel_for.h"

#include <math.h>
#include <string.h>

enum {
    MAX_BLOCK = 128,         /* most queries of a block */
    MIN_BLOCK = 32,          /* smallest number of queries of a block, if larger blocks would leave
                              * threads idle */
    LONG_V = 256,            /* components of v; MAX_BLOCK longer vectors overflow the cache */
    PORTION_SHARE = 8,       /* points for each query from which on points are packed in portions */
    MAX_CANDIDATES = 1 << 20 /* candidates in the buffers of a thread, about */
};

/* State of a call, read by all threads; each thread writes to block[thread], or with few queries to
 * block[number of the block], and to the results of the queries in its blocks. */
struct exact_search {
    const struct ct_exact_batch *batch;
    struct ct_filter filter;
    struct ct_precision_choice precision;
    int in_portions; /* whether queries are few, and points are packed in portions */
    struct ct_point_class points[CT_CLASS_NONE];
    struct ct_packed_points f32, f64, f32_in_f64; /* by class of the points; empty if queries are
                                                   * few */
    char *answered;                  /* [count] queries that another search has answered, or NULL */
    struct ct_class_queries queries; /* all other queries */
    int first_block[CT_CLASSES + 1]; /* first block of a class */
    struct ct_filter_block *block;   /* [threads], or [blocks] with few queries */
    int k;
    double missing;
    int *index;
    double *distance;
};

/* Copies the neighbors of one query within its max_distance to its row of the results, and fills
 * the remaining columns. */
static void write_neighbors(void *data, const struct ct_topk *nearest, int query)
{
    const struct exact_search *search = data;
    size_t count = (size_t)search->batch->count;
    const double *limit = search->batch->max_distance;
    for (int j = 0; j < search->k; j++) {
        int found = j < nearest->count && !(limit && nearest->sq[j] > limit[query]);
        search->index[j * count + query] = found ? nearest->row[j] : CT_NO_ROW;
        search->distance[j * count + query] = found ? nearest->sq[j] : search->missing;
    }
}

/* Blocks are numbered class by class. */
static int class_of_block(const struct exact_search *search, int number)
{
    int class = CT_CLASS_F32;
    while (number >= search->first_block[class + 1])
        class ++;
    return class;
}

static void load_block(const struct exact_search *search, int number, struct ct_filter_block *block)
{
    int class = class_of_block(search, number), size = search->filter.block_size;
    int begin = search->queries.begin[class] + (number - search->first_block[class]) * size;
    int left = search->queries.begin[class + 1] - begin;
    ct_filter_block_load(block, search->queries.query + begin, left < size ? left : size);
}

static void scan_all(struct ct_filter_block *block, const struct ct_packed_points *points)
{
    if (points->tiles == 0)
        return;
    ct_filter_block_pack(block, points->kernels);
    ct_filter_block_scan(block, points);
}

static void write_block(void *data, struct ct_filter_block *block)
{
    for (int i = 0; i < block->count; i++)
        write_neighbors(data, ct_filter_block_finish(block, i), block->query[i].id);
}

/* One block of parallel work: loads its queries, filters the points of both classes, and stores
 * the neighbors. Only the block of the thread and the rows of its own queries are written. */
static void search_block(void *data, int number, int thread)
{
    const struct exact_search *search = data;
    struct ct_filter_block *block = &search->block[thread];
    int class = class_of_block(search, number);
    load_block(search, number, block);
    if (class == CT_CLASS_NONE) {
        ct_filter_block_accept_first(block);
    } else {
        scan_all(block, class == CT_CLASS_F32 ? &search->f32 : &search->f32_in_f64);
        scan_all(block, &search->f64);
    }
    write_block(data, block);
}

/* With few queries, all blocks have filtered the points before. */
static void finish_block(void *data, int number, int thread)
{
    const struct exact_search *search = data;
    struct ct_filter_block *block = &search->block[number];
    if (class_of_block(search, number) == CT_CLASS_NONE)
        ct_filter_block_accept_first(block);
    write_block(data, block);
    (void)thread;
}

/* Divides the queries that are not answered yet into blocks. Returns their count. */
static int sort_queries(const struct ct_host *host, struct exact_search *search)
{
    int size = search->filter.block_size;
    search->queries = ct_sort_queries(host, &search->filter, &search->precision, search->answered);
    for (int class = 0; class < CT_CLASSES; class ++) {
        int count = search->queries.begin[class + 1] - search->queries.begin[class];
        search->first_block[class + 1] =
            search->first_block[class] + count / size + (count % size > 0);
    }
    return search->queries.begin[CT_CLASSES];
}

/* The packed points of a class; none if no queries use them. */
static struct ct_packed_points pack_class(const struct ct_host *host,
                                          const struct exact_search *search,
                                          const struct ct_filter_kernels *kernels, int class,
                                          int queries)
{
    const struct ct_filter *filter = &search->filter;
    const struct ct_point_class *points = &search->points[class];
    int count = queries > 0 ? points->count : 0, threads = search->batch->threads;
    struct ct_packed_points packed =
        ct_packed_points_make(host, &filter->transform, kernels, count, threads);
    ct_packed_points_fill(host, &filter->transform, points->pos, count, &filter->point_norms,
                          threads, &packed);
    return packed;
}

/* Packs the points by class, where queries exist that use them. */
static void pack_points(const struct ct_host *host, struct exact_search *search)
{
    const struct ct_correlation_kernels *kernels = search->batch->correlation_kernels;
    int f32_queries = search->queries.begin[CT_CLASS_F64],
        all = search->queries.begin[CT_CLASS_NONE];
    search->f32 = pack_class(host, search, &kernels->filter_f32, CT_CLASS_F32, f32_queries);
    search->f64 = pack_class(host, search, &kernels->filter_f64, CT_CLASS_F64, all);
    search->f32_in_f64 =
        pack_class(host, search, &kernels->filter_f64, CT_CLASS_F32, all - f32_queries);
}

/* The filter kernels of most pairs: the kernels of class F32, if most queries are of this class. */
static const struct ct_filter_kernels *main_kernels(const struct exact_search *search)
{
    const struct ct_correlation_kernels *kernels = search->batch->correlation_kernels;
    return search->queries.begin[CT_CLASS_F64] > search->queries.begin[CT_CLASSES] / 2
               ? &kernels->filter_f32
               : &kernels->filter_f64;
}

/* Queries of a block: the more, the less often the points are read from memory. Half of MAX_BLOCK
 * if v is long, and if blocks are so few that threads would wait for the last one; less if the
 * candidate buffers for large k need too much memory. */
static int choose_block_size(const struct ct_exact_batch *batch, int k)
{
    int most = MAX_CANDIDATES / ct_interval_topk_capacity(k) / CT_GROUP * CT_GROUP;
    int a_thread = batch->count / batch->threads;
    int half = batch->metric->m > LONG_V || a_thread < 4 * MAX_BLOCK;
    int size = half ? MAX_BLOCK / 2 : MAX_BLOCK;
    size = a_thread < 4 * size ? MIN_BLOCK : size;
    return most < CT_GROUP ? CT_GROUP : most < size ? most : size;
}

static void set_initial_thresholds(const struct ct_host *host, struct exact_search *search, int k)
{
    const struct ct_exact_batch *batch = search->batch;
    double *threshold = host->alloc((size_t)batch->metric->points.n, sizeof *threshold);
    ct_initial_thresholds(host, batch, k, threshold);
    search->filter.initial_threshold = threshold;
}

/* Rotates the transform if that pays, and sets the initial thresholds that a truncation rank
 * needs. The few queries that a search by features leaves do not pay for it. */
static void choose_rotation(const struct ct_host *host, struct exact_search *search, int k)
{
    const struct ct_exact_batch *batch = search->batch;
    if (search->answered &&
        !ct_can_truncate(search->queries.begin[CT_CLASS_NONE], batch->metric->m))
        return;
    ct_choose_truncation_rank(host, &search->filter, main_kernels(search), k);
    if (search->filter.transform.tail > 0 && !batch->query_points &&
        !search->filter.initial_threshold)
        set_initial_thresholds(host, search, k);
}

static void add_stats(struct ct_residual_stats *to, const struct ct_residual_stats *stats)
{
    to->filtered_f32 += stats->filtered_f32;
    to->filtered_f64 += stats->filtered_f64;
    to->exact += stats->exact;
}

/* Whether few queries may be answered without a filter: the batch does not demand a filter, and the
 * candidates of all threads fit into memory. */
static int permits_direct(const struct ct_exact_batch *batch, int k)
{
    return batch->precision == CT_PRECISION_AUTO && batch->tail == CT_TAIL_MEASURED &&
           batch->features != CT_FEATURES_ALWAYS &&
           ct_select_capacity(k) <= MAX_CANDIDATES / CT_DIRECT_QUERIES / batch->threads;
}

/* Answers queries by features, if they pay. A scan in the order of rows needs initial thresholds.
 */
static void search_features(const struct ct_host *host, struct exact_search *search, int k)
{
    const struct ct_exact_batch *batch = search->batch;
    struct ct_feature_filter features;
    if (batch->precision != CT_PRECISION_AUTO || batch->tail != CT_TAIL_MEASURED ||
        !ct_choose_features(host, &search->filter, search->precision.f64_share, k, &features))
        return;
    if (batch->predecessors)
        set_initial_thresholds(host, search, k);
    struct ct_feature_search found = ct_feature_search(host, &features, k, write_neighbors, search);
    search->answered = found.answered;
    if (batch->stats)
        add_stats(batch->stats, &found.stats);
}

/* Answers the queries of class F64 without a filter, if packing the points in double for these
 * queries costs more. */
static void search_f64_directly(const struct ct_host *host, struct exact_search *search, int k)
{
    const struct ct_exact_batch *batch = search->batch;
    int query[CT_DIRECT_QUERIES], count = 0;
    if (!permits_direct(batch, k) || search->precision.precision != CT_PRECISION_AUTO)
        return;
    for (int i = 0; i < batch->count; i++) {
        double root = search->filter.query_norms.root[ct_filter_query_pos(&search->filter, i)];
        if (ct_query_class(&search->precision, root) != CT_CLASS_F64 ||
            (search->answered && search->answered[i]))
            continue;
        if (count == CT_DIRECT_QUERIES)
            return;
        query[count++] = i;
    }
    if (count == 0)
        return;
    ct_direct_search(host, batch, query, count, k, write_neighbors, search);
    if (!search->answered) {
        search->answered = host->alloc((size_t)batch->count, 1);
        memset(search->answered, 0, (size_t)batch->count);
    }
    for (int i = 0; i < count; i++)
        search->answered[query[i]] = 1;
}

/* Filters the pairs of the blocks `begin` to `end` - 1 and the points of a class, with these
 * kernels. */
static void scan_class(const struct ct_host *host, const struct exact_search *search, int begin,
                       int end, const struct ct_filter_kernels *kernels, int class)
{
    ct_scan_in_portions(host, &(struct ct_portion_scan){.filter = &search->filter,
                                                        .kernels = kernels,
                                                        .block = search->block + begin,
                                                        .blocks = end - begin,
                                                        .pos = search->points[class].pos,
                                                        .points = search->points[class].count});
}

/* Runs all blocks for few queries: all blocks scan one portion of the points before the next. */
static void run_portions(const struct ct_host *host, struct exact_search *search, int blocks)
{
    const struct ct_correlation_kernels *kernels = search->batch->correlation_kernels;
    const int *first = search->first_block;
    for (int number = 0; number < blocks; number++)
        load_block(search, number, &search->block[number]);
    scan_class(host, search, first[CT_CLASS_F32], first[CT_CLASS_F64], &kernels->filter_f32,
               CT_CLASS_F32);
    scan_class(host, search, first[CT_CLASS_F64], first[CT_CLASS_NONE], &kernels->filter_f64,
               CT_CLASS_F32);
    scan_class(host, search, first[CT_CLASS_F32], first[CT_CLASS_NONE], &kernels->filter_f64,
               CT_CLASS_F64);
    ct_parallel_for(host, blocks, search->batch->threads, finish_block, search);
}

/* Allocates a block for each thread, or all blocks if queries are few; runs all blocks, and adds up
 * the statistics. */
static void run_blocks(const struct ct_host *host, struct exact_search *search, int k)
{
    const struct ct_exact_batch *batch = search->batch;
    int blocks = search->first_block[CT_CLASSES];
    int threads = batch->threads < blocks ? batch->threads : blocks;
    int held = search->in_portions ? blocks : threads;
    search->block = host->alloc((size_t)held, sizeof *search->block);
    for (int i = 0; i < held; i++)
        ct_filter_block_init(host, &search->filter, k, &search->block[i]);
    if (search->in_portions)
        run_portions(host, search, blocks);
    else
        ct_parallel_for(host, blocks, threads, search_block, search);
    for (int i = 0; batch->stats && i < held; i++)
        add_stats(batch->stats, &search->block[i].stats);
}

/* Whether queries are few compared with the points, and all candidates of the queries fit into
 * memory. */
static int uses_portions(const struct ct_exact_batch *batch, int k)
{
    return batch->count <= batch->metric->points.n / PORTION_SHARE &&
           batch->count <= MAX_CANDIDATES / ct_interval_topk_capacity(k);
}

/* Answers all queries without a filter. */
static void search_directly(const struct ct_host *host, struct exact_search *search, int k)
{
    int query[CT_DIRECT_QUERIES], count = search->batch->count;
    for (int i = 0; i < count; i++)
        query[i] = i;
    ct_direct_search(host, search->batch, query, count, k, write_neighbors, search);
}

void ct_exact_search(const struct ct_host *host, const struct ct_exact_batch *batch, int k,
                     double missing, int *index, double *distance)
{
    /* No query finds more than n points; buffers are made for at least one. */
    int n = batch->metric->points.n, most_found = k < n ? k : n > 0 ? n : 1;
    struct exact_search search = {.batch = batch,
                                  .in_portions = uses_portions(batch, most_found),
                                  .k = k,
                                  .missing = missing,
                                  .index = index,
                                  .distance = distance};
    if (batch->count <= CT_DIRECT_QUERIES && permits_direct(batch, most_found)) {
        search_directly(host, &search, most_found);
        return;
    }
    search.filter = ct_filter_make(host, batch, choose_block_size(batch, most_found));
    search.precision = ct_choose_precision(&search.filter);
    search_features(host, &search, most_found);
    search_f64_directly(host, &search, most_found);
    if (sort_queries(host, &search) == 0)
        return;
    ct_sort_points(host, &search.filter, &search.precision, search.points);
    choose_rotation(host, &search, most_found);
    if (!search.in_portions)
        pack_points(host, &search);
    run_blocks(host, &search, most_found);
}

struct ct_exact_costs ct_exact_search_costs(const struct ct_host *host,
                                            const struct ct_exact_batch *batch, int k)
{
    struct exact_search search = {.batch = batch, .filter = ct_filter_make(host, batch, CT_GROUP)};
    search.precision = ct_choose_precision(&search.filter);
    return ct_feature_costs(host, &search.filter, search.precision.f64_share, k);
}

struct ct_exact_costs ct_exact_search_least_costs(const struct ct_exact_batch *batch)
{
    return ct_least_feature_costs(batch);
}
