/* parts_knn.c: the k nearest neighbors in several parts.
 *
 * Queries are answered in chunks, in the order of the batch. For each query of a chunk, a list
 * keeps the k nearest neighbors found so far. Each query has a first part: the part with the
 * nearest bounding box, and among several such parts the one with the smallest number. Each query
 * searches its first part. Then each part is searched by the queries with another first part, if
 * the k-th neighbor found so far is not nearer than the box. All queries that search a part are one
 * batch, in the order of a curve, so they share the work of their blocks (knn.c). A query starts
 * with the threshold that the parts before have left.
 *
 * A search in one part passes its results to a result sink, which merges two sorted lists.
 */
#include "core/parts/part_rows.h"

#include <math.h>

enum { CHUNK = 1 << 16 }; /* queries whose lists are kept at a time */

/* A chunk: `count` queries of the batch's order from `begin` on. A `place` is the number of a query
 * in the chunk, from 0. */
struct chunk {
    const struct ct_parts_batch *batch;
    int begin, count, k;
    int *row;                     /* [count * k] neighbors found, place after place */
    double *distance;             /* [count * k] */
    int *found;                   /* [count] neighbors found so far, at most k */
    int *first;                   /* [count] the number of the first part */
    int *place;                   /* by row of query: place in the chunk */
    int *order;                   /* [count] rows of query that search `part` */
    struct ct_query_start *start; /* [count] by place */
    double *q;                    /* [d] scratch */
    const struct ct_part *part;   /* the part that is searched */
};

/* Number of the query at a place: a row of query. */
static int query_at(const struct chunk *c, int place)
{
    const int *order = c->batch->batch.order;
    return order ? order[c->begin + place] : c->begin + place;
}

/* The largest distance of a neighbor that the batch permits. */
static double max_distance(const struct chunk *c, int place)
{
    const double *most = c->batch->batch.max_distance;
    return most ? most[query_at(c, place)] : INFINITY;
}

/* The last (distance squared, row) that may be a neighbor: that of the k-th neighbor so far, or the
 * largest distance with any row. */
static struct ct_neighbor last_eligible(const struct chunk *c, int place)
{
    size_t last = (size_t)place * c->k + c->k - 1;
    double most = max_distance(c, place);
    if (c->found[place] < c->k || c->distance[last] > most)
        return (struct ct_neighbor){ct_sq_threshold(most), INT_MAX};
    return (struct ct_neighbor){ct_sq_threshold(c->distance[last]), c->row[last]};
}

/* ---- the result sink -------------------------------------------------------- */

/* Whether neighbor (distance, row) comes before neighbor number i of a list. */
static int comes_before(double distance, int row, const double *distances, const int *rows, int i)
{
    return distance < distances[i] || (distance == distances[i] && row < rows[i]);
}

/* Merges the neighbors from one part [count], nearest first, into the list of a query. First drops
 * the farthest neighbors of both lists until k are left, then merges from the end on, so that no
 * neighbor of the list is overwritten before it is moved. */
static void merge_neighbors(void *data, int thread, int place, const int *row,
                            const double *distance, int count)
{
    struct chunk *c = data;
    int *rows = c->row + (size_t)place * c->k;
    double *distances = c->distance + (size_t)place * c->k;
    int old = c->found[place], new = count, kept;
    while (old + new > c->k) {
        if (new > 0 &&
            (old == 0 || !comes_before(distance[new - 1], ct_part_row(c->part, row[new - 1]),
                                       distances, rows, old - 1)))
            new --;
        else
            old--;
    }
    c->found[place] = kept = old + new;
    while (new > 0) {
        int next = ct_part_row(c->part, row[new - 1]);
        int older = old > 0 && comes_before(distance[new - 1], next, distances, rows, old - 1);
        rows[--kept] = older ? rows[old - 1] : next;
        distances[kept] = older ? distances[old - 1] : distance[new - 1];
        old -= older;
        new -= !older;
    }
    (void)thread;
}

static void end_block(void *data, int thread)
{
    (void)data;
    (void)thread;
}

/* ---- the parts -------------------------------------------------------------- */

/* Chooses the first part of every query of the chunk. */
static void choose_first_parts(struct chunk *c)
{
    const struct ct_parts *parts = c->batch->parts;
    for (int place = 0; place < c->count; place++) {
        double nearest = INFINITY;
        c->first[place] = 0;
        for (int p = 0; p < parts->count && nearest > 0; p++) {
            double sq = ct_part_box_sq(c->batch, &parts->part[p], query_at(c, place), c->q);
            if (sq < nearest) {
                nearest = sq;
                c->first[place] = p;
            }
        }
    }
}

/* Whether a query must search a part: the box is within the threshold, and at least one row is
 * eligible. */
static int must_search(const struct chunk *c, const struct ct_part *part, int at,
                       const struct ct_query_start *start)
{
    const struct ct_metric *metric = &c->batch->batch.metric;
    double sq = start->threshold.sq;
    if (start->max_row < 1)
        return 0;
    if (!(sq < INFINITY))
        return 1;
    return ct_part_box_sq(c->batch, part, at, c->q) <=
           ct_sq_threshold(ct_norm_bound(metric, part->tree->d, sqrt(sq)));
}

/* Searches part p for the queries whose first part it is (as_first), or for the other queries. */
static void search_part(const struct ct_host *host, struct chunk *c, int p, int as_first)
{
    const struct ct_result_sink sink = {c, merge_neighbors, end_block};
    struct ct_batch batch = ct_part_batch(c->batch, p);
    int count = 0;
    c->part = &c->batch->parts->part[p];
    for (int place = 0; place < c->count; place++) {
        int at = query_at(c, place);
        if ((c->first[place] == p) != as_first)
            continue;
        c->start[place] = ct_part_start(c->batch, c->part, at, last_eligible(c, place));
        if (must_search(c, c->part, at, &c->start[place]))
            c->order[count++] = at;
    }
    batch.order = c->order;
    batch.count = count;
    batch.slot = c->place;
    batch.start = c->start;
    void *mark = host->mark ? host->mark() : NULL;
    if (count > 0)
        ct_knn_to_sink(host, &batch, c->k, &sink);
    if (host->release)
        host->release(mark);
}

/* ---- the chunks ------------------------------------------------------------- */

/* Writes the lists of a chunk to the result matrices. */
static void store_chunk(const struct chunk *c, double missing, int *index, double *distance)
{
    size_t ld = (size_t)ct_parts_lines(c->batch);
    for (int place = 0; place < c->count; place++) {
        size_t line = (size_t)query_at(c, place), from = (size_t)place * c->k;
        for (int j = 0; j < c->k; j++) {
            int none = j >= c->found[place] || c->distance[from + j] > max_distance(c, place);
            index[line + j * ld] = none ? CT_NO_ROW : c->row[from + j];
            distance[line + j * ld] = none ? missing : c->distance[from + j];
        }
    }
}

/* Answers the queries of a chunk: first each in the part that is likely to have the nearest points,
 * then in all other parts, with the k-th distance so far as the limit. */
static void answer_chunk(const struct ct_host *host, struct chunk *c)
{
    int parts = c->batch->parts->count;
    for (int place = 0; place < c->count; place++) {
        c->found[place] = 0;
        c->place[query_at(c, place)] = place;
    }
    choose_first_parts(c);
    for (int p = 0; p < parts; p++)
        search_part(host, c, p, 1);
    for (int p = 0; p < parts; p++)
        search_part(host, c, p, 0);
}

/* Number of points that a query can find, at most: k or the number of points. */
static int reachable_points(const struct ct_parts *parts, int k)
{
    long long points = 0;
    for (int p = 0; p < parts->count; p++)
        points += parts->part[p].tree->n;
    return points < k ? (int)points : k;
}

/* The lists have no room for more neighbors than there are points. Progress counts the queries of
 * finished chunks, because each search in a part would report its own end as the end of the call.
 */
void ct_parts_knn(const struct ct_host *host, const struct ct_parts_batch *batch, int k,
                  double missing, int *index, double *distance)
{
    const struct ct_batch *b = &batch->batch;
    int reachable = reachable_points(batch->parts, k), most = b->count < CHUNK ? b->count : CHUNK;
    size_t size = (size_t)most, lines = (size_t)ct_parts_lines(batch);
    size_t rows = (size_t)(b->ld_query > 0 ? b->ld_query : b->count);
    struct chunk c = {
        .batch = batch,
        .k = reachable,
        .row = host->alloc(size * reachable, sizeof *c.row),
        .distance = host->alloc(size * reachable, sizeof *c.distance),
        .found = host->alloc(size, sizeof *c.found),
        .first = host->alloc(size, sizeof *c.first),
        .place = host->alloc(rows, sizeof *c.place),
        .order = host->alloc(size, sizeof *c.order),
        .start = host->alloc(size, sizeof *c.start),
        .q = host->alloc((size_t)batch->parts->part->tree->d, sizeof *c.q),
    };
    struct ct_host silent = *host;
    silent.progress = NULL;
    for (c.begin = 0; c.begin < b->count; c.begin += most) {
        c.count = b->count - c.begin < most ? b->count - c.begin : most;
        answer_chunk(&silent, &c);
        store_chunk(&c, missing, index, distance);
        for (int place = 0; place < c.count; place++)
            for (size_t j = (size_t)reachable; j < (size_t)k; j++) {
                index[query_at(&c, place) + j * lines] = CT_NO_ROW;
                distance[query_at(&c, place) + j * lines] = missing;
            }
        ct_report(host, (double)(c.begin + c.count) / b->count);
    }
}
