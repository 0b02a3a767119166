/* parts_radius.c: all points within a radius in several parts.
 *
 * The radius is the threshold in all parts. So the parts are searched one after the other, each by
 * the queries whose distance to the bounding box is at most the radius. The counts of the parts are
 * added. For each query, the results of the parts follow each other, and one sort at the end brings
 * them in order.
 */
#include "core/parts/part_rows.h"
#include "core/util/parallel_for.h"

#include <math.h>

enum { SORT_RUN = 256 }; /* lines of one task of a thread */

/* The query at entry i of the order: a row of `query`, and the line of its results. */
static int query_at(const struct ct_batch *b, int i)
{
    return b->order ? b->order[i] : i;
}

/* The search of one part: the queries that search it, and the start of each. */
struct part_search {
    struct ct_batch batch;
    int *order;                   /* [count] */
    struct ct_query_start *start; /* by line */
};

static struct part_search new_search(const struct ct_host *host, const struct ct_parts_batch *batch)
{
    return (struct part_search){
        .order = host->alloc((size_t)batch->batch.count, sizeof(int)),
        .start = host->alloc((size_t)ct_parts_lines(batch), sizeof(struct ct_query_start)),
    };
}

/* Prepares the search of part p. Returns the number of queries that search it: queries whose
 * distance to the box is at most the radius, and, if `wanted` is not NULL, with a wanted[] above 0.
 */
static int prepare_search(const struct ct_parts_batch *batch, int p, double radius,
                          const int *wanted, double *q, struct part_search *search)
{
    const struct ct_batch *b = &batch->batch;
    const struct ct_part *part = &batch->parts->part[p];
    double norm = ct_norm_bound(&b->metric, part->tree->d, radius);
    int count = 0;
    for (int i = 0; i < b->count; i++) {
        int at = query_at(b, i);
        if ((wanted && wanted[at] == 0) ||
            ct_part_box_sq(batch, part, at, q) > ct_sq_threshold(norm))
            continue;
        search->start[at] = ct_part_start(batch, part, at, (struct ct_neighbor){INFINITY, INT_MAX});
        search->order[count++] = at;
    }
    search->batch = ct_part_batch(batch, p);
    search->batch.order = search->order;
    search->batch.start = search->start;
    search->batch.count = count;
    return count;
}

long long ct_parts_radius_count(const struct ct_host *host, const struct ct_parts_batch *batch,
                                double radius, long long most, int *count)
{
    int lines = ct_parts_lines(batch);
    struct part_search search = new_search(host, batch);
    double *q = host->alloc((size_t)batch->parts->part->tree->d, sizeof *q);
    int *of_part = host->alloc((size_t)lines, sizeof *of_part);
    int *sum = host->alloc((size_t)lines, sizeof *sum);
    long long total = 0;
    for (int line = 0; line < lines; line++)
        sum[line] = 0;
    for (int p = 0; p < batch->parts->count && total <= most; p++) {
        int searching = prepare_search(batch, p, radius, NULL, q, &search);
        for (int line = 0; line < lines; line++)
            of_part[line] = -1;
        void *mark = host->mark ? host->mark() : NULL;
        if (searching > 0)
            total += ct_radius_count(host, &search.batch, radius, most - total, of_part);
        if (host->release)
            host->release(mark);
        for (int i = 0; i < searching; i++)
            sum[search.order[i]] += of_part[search.order[i]];
    }
    for (int i = 0; i < batch->batch.count && total <= most; i++) {
        int at = query_at(&batch->batch, i);
        count[at] = sum[at];
    }
    return total;
}

/* ---- filling ---------------------------------------------------------------- */

/* The state of the filling: results so far, and the scratch of the sort. */
struct filling {
    const struct ct_parts_batch *batch;
    const int *count;
    int *const *index;
    double *const *distance;
    int *left;            /* by line: number of results that are not filled yet */
    int **to_index;       /* by line: destination of the results of a part */
    double **to_distance; /* by line */
    double *q;            /* [d] scratch */
    double **scratch;     /* [threads] each [most + CT_SELECT_PAD] */
};

/* Sorts the results of a run of queries, by squares of distances. The root of the square is the
 * distance again. */
static void sort_run(void *data, int number, int thread)
{
    const struct filling *f = data;
    const struct ct_batch *b = &f->batch->batch;
    double *sq = f->scratch[thread];
    int begin = number * SORT_RUN, left = b->count - begin;
    for (int i = begin; i < begin + (left < SORT_RUN ? left : SORT_RUN); i++) {
        int at = query_at(b, i);
        for (int j = 0; j < f->count[at]; j++)
            sq[j] = f->distance[at][j] * f->distance[at][j];
        ct_sort_neighbors(sq, f->index[at], f->count[at], b->kernels);
        for (int j = 0; j < f->count[at]; j++)
            f->distance[at][j] = sq[j];
    }
}

/* Sorts the neighbors of each query by (distance, row), in parallel. Takes one double per neighbor
 * of the largest result and thread. */
static void sort_all(const struct ct_host *host, struct filling *f)
{
    const struct ct_batch *b = &f->batch->batch;
    int most = 0, tasks = b->count / SORT_RUN + (b->count % SORT_RUN > 0);
    for (int i = 0; i < b->count; i++) {
        int at = query_at(b, i);
        most = f->count[at] > most ? f->count[at] : most;
    }
    int threads = b->threads < tasks ? b->threads : tasks;
    f->scratch = host->alloc((size_t)threads, sizeof *f->scratch);
    for (int thread = 0; thread < threads; thread++)
        f->scratch[thread] = host->alloc((size_t)most + CT_SELECT_PAD, sizeof(double));
    ct_parallel_for(host, tasks, threads, sort_run, f);
}

/* Sets all rows to 0, which marks the places without a result: a search in a part does not change
 * the places behind its results. */
static void clear_results(const struct filling *f)
{
    const struct ct_batch *b = &f->batch->batch;
    for (int i = 0; i < b->count; i++) {
        int at = query_at(b, i);
        for (int j = 0; j < f->count[at]; j++)
            f->index[at][j] = 0;
    }
}

/* Replaces the local rows in the results of a part, behind the `filled` ones, by rows. Returns the
 * new number of results. */
static int replace_local_rows(const struct ct_part *part, int *index, int filled, int count)
{
    for (; filled < count && index[filled] > 0; filled++)
        index[filled] = ct_part_row(part, index[filled]);
    return filled;
}

/* Fills the results of part p, behind the results of the parts before. */
static void fill_part(const struct ct_host *host, const struct filling *f, int p, double radius,
                      struct part_search *search)
{
    const struct ct_part *part = &f->batch->parts->part[p];
    int searching = prepare_search(f->batch, p, radius, f->left, f->q, search);
    for (int i = 0; i < searching; i++) {
        int at = search->order[i], filled = f->count[at] - f->left[at];
        f->to_index[at] = f->index[at] + filled;
        f->to_distance[at] = f->distance[at] + filled;
    }
    void *mark = host->mark ? host->mark() : NULL;
    if (searching > 0)
        ct_radius_fill(host, &search->batch, radius, 0, f->left, f->to_index, f->to_distance);
    if (host->release)
        host->release(mark);
    for (int i = 0; i < searching; i++) {
        int at = search->order[i];
        f->left[at] = f->count[at] - replace_local_rows(part, f->index[at],
                                                        f->count[at] - f->left[at], f->count[at]);
    }
}

void ct_parts_radius_fill(const struct ct_host *host, const struct ct_parts_batch *batch,
                          double radius, int sort, const int *count, int *const *index,
                          double *const *distance)
{
    size_t lines = (size_t)ct_parts_lines(batch);
    struct part_search search = new_search(host, batch);
    struct filling f = {
        .batch = batch,
        .count = count,
        .index = index,
        .distance = distance,
        .left = host->alloc(lines, sizeof *f.left),
        .to_index = host->alloc(lines, sizeof *f.to_index),
        .to_distance = host->alloc(lines, sizeof *f.to_distance),
        .q = host->alloc((size_t)batch->parts->part->tree->d, sizeof *f.q),
    };
    clear_results(&f);
    for (size_t line = 0; line < lines; line++)
        f.left[line] = count[line];
    for (int p = 0; p < batch->parts->count; p++)
        fill_part(host, &f, p, radius, &search);
    if (sort)
        sort_all(host, &f);
}
