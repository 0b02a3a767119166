/* exact_search.c: see exact_search.h.
 *
 * The margin of float is small beside the residual variance of most points (class F32), and too
 * large beside that of others (class F64): there, too many pairs would pass. A pair is filtered in
 * float if both its points are in class F32, in double otherwise. Points are packed up to three
 * times, in the order of rows: class F32 in float, class F64 in double and, for queries of class
 * F64, class F32 in double. Blocks hold queries of one class.
 */
#include "core/residual_exact/exact_search.h"
#include "core/residual_exact/feature_choice.h"
#include "core/residual_exact/feature_search.h"
#include "core/residual_exact/filter.h"
#include "core/residual_exact/initial_thresholds.h"
#include "core/residual_exact/pca_rank.h"
#include "core/search/query.h"
#include "core/util/parallel_for.h"

#include <math.h>

enum {
    MAX_BLOCK = 128,         /* most queries of a block */
    LONG_V = 256,            /* components of v; MAX_BLOCK longer vectors overflow the cache */
    MAX_CANDIDATES = 1 << 20 /* candidates in the buffers of a thread, about */
};

/* The largest margin, as a correlation, of class F32: few pairs pass because of such a margin. */
static const double SMALL_MARGIN = 0.1;

/* Classes of queries. Class NONE has no residual variance: all correlations are 0. */
enum { F32, F64, NONE, CLASSES };

/* State of a call, read by all threads; each thread writes to block[thread] and to the results of
 * the queries in its blocks. */
struct exact_search {
    const struct ct_exact_batch *batch;
    struct ct_filter filter;
    enum ct_precision precision;
    double f64_share;        /* of the pairs */
    double f32_min_variance; /* smallest residual variance of class F32, over the variance */
    struct ct_packed_points f32, f64, f32_in_f64; /* by class of the points */
    struct ct_feature_search features;            /* the search by features, if any, comes first */
    const struct ct_key_id *query;                /* [count] ordered by class, then position */
    int begin[CLASSES + 1];                       /* first query of a class */
    int first_block[CLASSES + 1];                 /* first block of a class */
    struct ct_filter_block *block;                /* [threads] */
    int k;
    double missing;
    int *index;
    double *distance;
};

/* Copies the neighbors of one query within its max_distance to its row of the results and fills
 * what is left. */
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
    int class = F32;
    while (number >= search->first_block[class + 1])
        class ++;
    return class;
}

/* One block of parallel work: loads its queries, filters the points of both classes, and stores
 * the neighbors. Only the block of the thread and the rows of its own queries are written. */
static void search_block(void *data, int number, int thread)
{
    const struct exact_search *search = data;
    struct ct_filter_block *block = &search->block[thread];
    int class = class_of_block(search, number), size = search->filter.block_size;
    int begin = search->begin[class] + (number - search->first_block[class]) * size;
    int left = search->begin[class + 1] - begin;
    ct_filter_block_load(block, search->query + begin, left < size ? left : size);
    if (class == NONE) {
        ct_filter_block_accept_first(block);
    } else {
        ct_filter_block_scan(block, class == F32 ? &search->f32 : &search->f32_in_f64);
        ct_filter_block_scan(block, &search->f64);
    }
    for (int i = 0; i < block->count; i++)
        write_neighbors(data, ct_filter_block_finish(block, i), block->query[i].id);
}

/* Whether a point with this root is of class F64. A point without residual variance (root
 * INFINITY) never passes the filter because of the margin, so its class is F32. */
static int is_f64(const struct exact_search *search, double root)
{
    if (search->precision != CT_PRECISION_AUTO)
        return search->precision == CT_PRECISION_F64;
    return !(isinf(root) || root * root >= search->f32_min_variance);
}

/* With more than three quarters of the points in class F64, packing in two precisions costs more
 * than float saves: all points and queries then are of class F64. */
static void choose_precision(struct exact_search *search)
{
    const struct ct_filter *filter = &search->filter;
    /* The margin of the longest v bounds that of any pair; margin / p is its size in rho. */
    int n = search->batch->metric->points.n, f64 = 0;
    search->precision = search->batch->precision;
    search->f32_min_variance =
        ct_error_bound_margin(&filter->transform, &filter->bound,
                              &search->batch->correlation_kernels->filter_f32, filter->bound.v) /
        SMALL_MARGIN;
    for (int i = 0; i < n; i++)
        f64 += is_f64(search, filter->point_norms.root[i]);
    if (search->precision == CT_PRECISION_AUTO && f64 > n / 4 * 3)
        search->precision = CT_PRECISION_F64;
    double f32 = n > 0 ? 1 - (double)f64 / n : 0;
    search->f64_share = search->precision == CT_PRECISION_F64 ? 1 : 1 - f32 * f32;
}

/* Orders the queries that are not answered yet by class and position, and divides the classes into
 * blocks. Adjacent positions in a block let a search for predecessors end early. Returns their
 * count. */
static int sort_queries(const struct ct_host *host, struct exact_search *search)
{
    const struct ct_exact_batch *batch = search->batch;
    int size = search->filter.block_size, counts[CLASSES] = {0}, count = 0;
    struct ct_key_id *pairs = host->alloc((size_t)batch->count, sizeof *pairs);
    struct ct_key_id *spare = host->alloc((size_t)batch->count, sizeof *spare);
    for (int i = 0; i < batch->count; i++) {
        int pos = ct_filter_query_pos(&search->filter, i);
        double root = search->filter.query_norms.root[pos];
        int class = isinf(root) ? NONE : is_f64(search, root) ? F64 : F32;
        if (search->features.answered && search->features.answered[i])
            continue;
        counts[class]++;
        /* The class in the upper half of the key sorts first. */
        pairs[count++] = (struct ct_key_id){(uint64_t) class << 32 | (uint64_t)pos, i};
    }
    ct_radix_sort(host, pairs, spare, count, batch->threads);
    search->query = pairs;
    for (int class = 0; class < CLASSES; class ++) {
        int blocks = counts[class] / size + (counts[class] % size > 0);
        search->begin[class + 1] = search->begin[class] + counts[class];
        search->first_block[class + 1] = search->first_block[class] + blocks;
    }
    return count;
}

static struct ct_packed_points pack_class(const struct ct_host *host,
                                          const struct exact_search *search,
                                          const struct ct_filter_kernels *kernels, const int *pos,
                                          int count)
{
    const struct ct_filter *filter = &search->filter;
    return ct_packed_points_make(host, &filter->transform, kernels, pos, count,
                                 &filter->point_norms, search->batch->threads);
}

/* Packs the points by class, where queries exist that use them. */
static void pack_points(const struct ct_host *host, struct exact_search *search)
{
    const struct ct_correlation_kernels *kernels = search->batch->correlation_kernels;
    const double *root = search->filter.point_norms.root;
    int n = search->batch->metric->points.n, f32 = 0, f64 = n;
    /* Class F32 from the start of pos on, class F64 up to its end, both in the order of rows. */
    int *pos = host->alloc((size_t)n, sizeof *pos);
    for (int i = n; i-- > 0;)
        if (is_f64(search, root[i]))
            pos[--f64] = i;
    for (int i = 0; i < n; i++)
        if (!is_f64(search, root[i]))
            pos[f32++] = i;
    int f32_queries = search->begin[F64], f64_queries = search->begin[NONE] - f32_queries;
    search->f32 = pack_class(host, search, &kernels->filter_f32, pos, f32_queries > 0 ? f32 : 0);
    search->f64 = pack_class(host, search, &kernels->filter_f64, pos + f32, n - f32);
    search->f32_in_f64 =
        pack_class(host, search, &kernels->filter_f64, pos, f64_queries > 0 ? f32 : 0);
}

/* The filter kernels of most pairs: those of class F32, if most queries are of that class. */
static const struct ct_filter_kernels *main_kernels(const struct exact_search *search)
{
    const struct ct_correlation_kernels *kernels = search->batch->correlation_kernels;
    return search->begin[F64] > search->begin[CLASSES] / 2 ? &kernels->filter_f32
                                                           : &kernels->filter_f64;
}

/* Queries of a block: the more, the less often the points are read from memory. Half of MAX_BLOCK
 * if v is long, and if blocks are so few that threads would wait for the last one; less if the
 * candidate buffers for large k need too much memory. */
static int choose_block_size(const struct ct_exact_batch *batch, int k)
{
    int most = MAX_CANDIDATES / ct_interval_topk_capacity(k) / CT_GROUP * CT_GROUP;
    int half = batch->metric->m > LONG_V || batch->count / batch->threads < 4 * MAX_BLOCK;
    int size = half ? MAX_BLOCK / 2 : MAX_BLOCK;
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
    if (search->features.answered && !ct_can_truncate(search->begin[NONE], batch->metric->m))
        return;
    ct_choose_truncation_rank(host, &search->filter, main_kernels(search), k);
    if (search->filter.transform.tail > 0 && !batch->query_points &&
        !search->filter.initial_threshold)
        set_initial_thresholds(host, search, k);
}

/* Answers queries by features, if they pay. A scan in the order of rows needs initial thresholds.
 */
static void search_features(const struct ct_host *host, struct exact_search *search, int k)
{
    const struct ct_exact_batch *batch = search->batch;
    struct ct_feature_filter features;
    if (batch->precision != CT_PRECISION_AUTO || batch->tail != CT_TAIL_MEASURED ||
        !ct_choose_features(host, &search->filter, search->f64_share, k, &features))
        return;
    if (batch->predecessors)
        set_initial_thresholds(host, search, k);
    search->features = ct_feature_search(host, &features, k, write_neighbors, search);
}

static void add_stats(struct ct_residual_stats *to, const struct ct_residual_stats *stats)
{
    to->filtered_f32 += stats->filtered_f32;
    to->filtered_f64 += stats->filtered_f64;
    to->exact += stats->exact;
}

/* Allocates a block for each thread, runs all blocks, and adds up the statistics. */
static void run_blocks(const struct ct_host *host, struct exact_search *search, int k)
{
    const struct ct_exact_batch *batch = search->batch;
    int blocks = search->first_block[CLASSES];
    int threads = batch->threads < blocks ? batch->threads : blocks;
    search->block = host->alloc((size_t)threads, sizeof *search->block);
    for (int thread = 0; thread < threads; thread++)
        ct_filter_block_init(host, &search->filter, k, &search->block[thread]);
    ct_parallel_for(host, blocks, threads, search_block, search);
    for (int thread = 0; batch->stats && thread < threads; thread++)
        add_stats(batch->stats, &search->block[thread].stats);
}

void ct_exact_search(const struct ct_host *host, const struct ct_exact_batch *batch, int k,
                     double missing, int *index, double *distance)
{
    /* No query finds more than n points; buffers are made for at least one. */
    int n = batch->metric->points.n, most_found = k < n ? k : n > 0 ? n : 1;
    struct exact_search search = {
        .batch = batch,
        .filter = ct_filter_make(host, batch, choose_block_size(batch, most_found)),
        .k = k,
        .missing = missing,
        .index = index,
        .distance = distance};
    choose_precision(&search);
    search_features(host, &search, most_found);
    if (batch->stats)
        add_stats(batch->stats, &search.features.stats);
    if (sort_queries(host, &search) == 0)
        return;
    choose_rotation(host, &search, most_found);
    pack_points(host, &search);
    run_blocks(host, &search, most_found);
}

struct ct_exact_costs ct_exact_search_costs(const struct ct_host *host,
                                            const struct ct_exact_batch *batch, int k)
{
    struct exact_search search = {.batch = batch, .filter = ct_filter_make(host, batch, CT_GROUP)};
    choose_precision(&search);
    return ct_feature_costs(host, &search.filter, search.f64_share, k);
}
