/* exact_search.c: the certified nearest neighbours by residual correlation.
 *
 * Every pair is sifted. Points whose residual variance is small beside the margin
 * of the sieve in float are hard. Where query and point are not, they meet in
 * float; all others in double. So points lie on up to three shelves, each in order
 * of rows: easy ones in float, hard ones in double and, for hard queries, easy
 * ones in double.
 */
#include "core/residual_exact/filter.h"
#include "core/residual_exact/initial_thresholds.h"
#include "core/residual_exact/pca_rank.h"
#include "core/search/query.h"
#include "core/util/parallel_for.h"

#include <math.h>

enum {
    BLOCK = 128,     /* queries that go together, at most */
    LONG = 256,      /* numbers of v; longer ones of so many queries crowd the cache */
    BUFFER = 1 << 20 /* candidates that a thread keeps, about */
};

/* Margins up to this, in the correlation, are small: few pairs come through by them. */
static const double SMALL = 0.1;

/* Those without residual correlate with nothing. */
enum { EASY, HARD, NONE, CLASSES };

struct scan {
    const struct ct_exact_batch *batch;
    struct ct_filter sift;
    enum ct_precision precision;
    double least; /* the least square of a root that is easy */
    struct ct_packed_points easy, hard, easy_again;
    const struct ct_key_id *query; /* [count] class by class */
    int begin[CLASSES + 1];        /* where classes begin */
    int first_block[CLASSES + 1];  /* and where their blocks do */
    struct ct_filter_block *block; /* [threads] */
    int k;
    double missing;
    int *index;
    double *distance;
};

static void store(const struct scan *scan, const struct ct_topk *nearest, int query)
{
    size_t count = (size_t)scan->batch->count;
    for (int j = 0; j < scan->k; j++) {
        int there = j < nearest->count;
        scan->index[j * count + query] = there ? nearest->row[j] : CT_NO_ROW;
        scan->distance[j * count + query] = there ? nearest->sq[j] : scan->missing;
    }
}

static int class_of_block(const struct scan *scan, int number)
{
    int class = EASY;
    while (number >= scan->first_block[class + 1])
        class ++;
    return class;
}

static void answer_block(void *data, int number, int thread)
{
    const struct scan *scan = data;
    struct ct_filter_block *block = &scan->block[thread];
    int class = class_of_block(scan, number), most = scan->sift.most;
    int begin = scan->begin[class] + (number - scan->first_block[class]) * most;
    int left = scan->begin[class + 1] - begin;
    ct_filter_block_load(block, scan->query + begin, left < most ? left : most);
    if (class == NONE) {
        ct_filter_block_accept_first(block);
    } else {
        ct_filter_block_scan(block, class == EASY ? &scan->easy : &scan->easy_again);
        ct_filter_block_scan(block, &scan->hard);
    }
    for (int i = 0; i < block->count; i++) {
        ct_interval_topk_finish(&block->arbiter, &block->contest[i], i);
        store(scan, &block->arbiter.nearest, block->query[i].id);
    }
}

/* A point without residual is never let in by mistake, so it is easy as well. */
static int is_hard(const struct scan *scan, double root)
{
    if (scan->precision != CT_PRECISION_AUTO)
        return scan->precision == CT_PRECISION_F64;
    return !(isinf(root) || root * root >= scan->least);
}

/* Unless many points are easy, all are hard: float does not pay. */
static void choose_precision(struct scan *scan)
{
    const struct ct_transform *frame = &scan->sift.frame;
    int n = scan->batch->residual->points.n, hard = 0;
    scan->precision = scan->batch->precision;
    scan->least =
        ct_error_bound_margin(frame, &scan->batch->dots->filter_f32, frame->longest) / SMALL;
    for (int i = 0; i < n; i++)
        hard += is_hard(scan, scan->sift.point_size.root[i]);
    if (scan->precision == CT_PRECISION_AUTO && hard > n / 4 * 3)
        scan->precision = CT_PRECISION_F64;
}

/* Class by class, by row where rows matter to predecessors. */
static void sort_queries(const struct ct_host *host, struct scan *scan)
{
    const struct ct_exact_batch *batch = scan->batch;
    int most = scan->sift.most, counts[CLASSES] = {0};
    struct ct_key_id *pairs = host->alloc((size_t)batch->count, sizeof *pairs);
    struct ct_key_id *spare = host->alloc((size_t)batch->count, sizeof *spare);
    for (int i = 0; i < batch->count; i++) {
        int pos = ct_filter_query_pos(&scan->sift, i);
        double root = scan->sift.size.root[pos];
        int class = isinf(root) ? NONE : is_hard(scan, root) ? HARD : EASY;
        counts[class]++;
        pairs[i] = (struct ct_key_id){(uint64_t) class << 32 | (uint64_t)pos, i};
    }
    ct_radix_sort(host, pairs, spare, batch->count, batch->threads);
    scan->query = pairs;
    for (int class = 0; class < CLASSES; class ++) {
        int blocks = counts[class] / most + (counts[class] % most > 0);
        scan->begin[class + 1] = scan->begin[class] + counts[class];
        scan->first_block[class + 1] = scan->first_block[class] + blocks;
    }
}

static struct ct_packed_points make_shelf(const struct ct_host *host, const struct scan *scan,
                                          const struct ct_filter_kernels *sieve, const int *pos,
                                          int count)
{
    return ct_packed_points_make(host, &scan->sift.frame, sieve, pos, count, &scan->sift.point_size,
                                 scan->batch->threads);
}

static void fill_shelves(const struct ct_host *host, struct scan *scan)
{
    const struct ct_correlation_kernels *dots = scan->batch->dots;
    int n = scan->batch->residual->points.n, easy = 0, hard = n;
    int *pos = host->alloc((size_t)n, sizeof *pos);
    for (int i = n; i-- > 0;)
        if (is_hard(scan, scan->sift.point_size.root[i]))
            pos[--hard] = i;
    for (int i = 0; i < n; i++)
        if (!is_hard(scan, scan->sift.point_size.root[i]))
            pos[easy++] = i;
    int easy_queries = scan->begin[HARD], hard_queries = scan->begin[NONE] - easy_queries;
    scan->easy = make_shelf(host, scan, &dots->filter_f32, pos, easy_queries > 0 ? easy : 0);
    scan->hard = make_shelf(host, scan, &dots->filter_f64, pos + easy, n - easy);
    scan->easy_again = make_shelf(host, scan, &dots->filter_f64, pos, hard_queries > 0 ? easy : 0);
}

/* The one that most queries meet most points in. */
static const struct ct_filter_kernels *main_sieve(const struct scan *scan)
{
    const struct ct_correlation_kernels *dots = scan->batch->dots;
    return scan->begin[HARD] > scan->batch->count / 2 ? &dots->filter_f32 : &dots->filter_f64;
}

/* The more go together, the seldomer are the points read; half as many, where
 * threads would wait for the last block. */
static int most_queries(const struct ct_exact_batch *batch, int k)
{
    int most = BUFFER / ct_interval_topk_room(k) / CT_GROUP * CT_GROUP;
    int half = batch->residual->m > LONG || batch->count / batch->threads < 4 * BLOCK;
    int block = half ? BLOCK / 2 : BLOCK;
    return most < CT_GROUP ? CT_GROUP : most < block ? most : block;
}

void ct_exact_search(const struct ct_host *host, const struct ct_exact_batch *batch, int k,
                     double missing, int *index, double *distance)
{
    int n = batch->residual->points.n, reach = k < n ? k : n > 0 ? n : 1;
    struct scan scan = {.batch = batch,
                        .sift = ct_filter_make(host, batch, most_queries(batch, reach)),
                        .k = k,
                        .missing = missing,
                        .index = index,
                        .distance = distance};
    choose_precision(&scan);
    sort_queries(host, &scan);
    ct_choose_truncation_rank(host, &scan.sift, main_sieve(&scan), reach);
    if (scan.sift.frame.rest > 0 && !batch->foreign) {
        scan.sift.bar = host->alloc((size_t)n, sizeof(double));
        ct_initial_thresholds(host, batch, reach, scan.sift.bar);
    }
    fill_shelves(host, &scan);
    int blocks = scan.first_block[CLASSES];
    int threads = batch->threads < blocks ? batch->threads : blocks;
    scan.block = host->alloc((size_t)threads, sizeof *scan.block);
    for (int thread = 0; thread < threads; thread++)
        ct_filter_block_init(host, &scan.sift, reach, &scan.block[thread]);
    ct_parallel_for(host, blocks, threads, answer_block, &scan);
    for (int thread = 0; batch->tally && thread < threads; thread++) {
        batch->tally->coarse += scan.block[thread].tally.coarse;
        batch->tally->fine += scan.block[thread].tally.fine;
        batch->tally->exact += scan.block[thread].tally.exact;
    }
}
