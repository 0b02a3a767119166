/* fuzz_answers.c: answers of the core against those of the oracle; see fuzz.h. */
#include "fuzz.h"
#include "host.h"
#include "oracle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { UNTOUCHED = -77 };

static int is_self(const struct fuzz_search *search)
{
    return search->cloud == search->queries;
}

int fuzz_search_query(const struct fuzz_search *search, int i)
{
    const struct ct_batch *batch = &search->batch;
    int place = batch->order ? batch->order[i] : i;
    return is_self(search) ? batch->tree->row[place] - 1 : place;
}

int fuzz_search_line(const struct fuzz_search *search, int i)
{
    int query = fuzz_search_query(search, i);
    return search->batch.slot ? search->batch.slot[query] : query;
}

static int lines(const struct fuzz_search *search)
{
    return search->batch.ld > 0 ? search->batch.ld : search->batch.count;
}

void fuzz_search_run(struct fuzz_search *search)
{
    size_t size = (size_t)lines(search) * search->k;
    search->index = keep(size, sizeof *search->index);
    search->distance = keep(size, sizeof *search->distance);
    for (size_t i = 0; i < size; i++) {
        search->index[i] = UNTOUCHED;
        search->distance[i] = UNTOUCHED;
    }
    (search->batch.predecessors ? ct_knn_predecessors : ct_knn)(
        &host, &search->batch, search->k, NAN, search->index, search->distance);
    host_end_call();
}

/* All rows that query number `query` may find, from nearest to farthest. */
static int oracle_list(const struct fuzz_search *search, int query, struct neighbor *list)
{
    int self = is_self(search) ? query + 1 : 0, kept = 0;
    int count = oracle_rows(search->cloud, search->queries, query, self, list);
    if (!search->batch.predecessors)
        return count;
    for (int c = 0; c < count; c++)
        if (list[c].row < self)
            list[kept++] = list[c];
    return kept;
}

/* Lines that no query owns are as they were. */
static void expect_untouched(const struct fuzz_search *search)
{
    size_t ld = (size_t)lines(search);
    char *used = keep(ld, 1);
    memset(used, 0, ld);
    for (int i = 0; i < search->batch.count; i++)
        used[fuzz_search_line(search, i)] = 1;
    for (size_t at = 0; at < ld * search->k; at++)
        if (!used[at % ld])
            FUZZ_CHECK(search->index[at] == UNTOUCHED && search->distance[at] == UNTOUCHED);
}

/* From the count-th on, a line holds no rows. */
static void expect_padding(const struct fuzz_search *search, int line, int count)
{
    size_t ld = (size_t)lines(search);
    for (int j = count; j < search->k; j++) {
        FUZZ_CHECK(search->index[line + j * ld] == CT_NO_ROW);
        FUZZ_CHECK(isnan(search->distance[line + j * ld]));
    }
}

void fuzz_expect_exact(const struct fuzz_search *search)
{
    size_t ld = (size_t)lines(search);
    struct neighbor *list = keep((size_t)search->cloud->n, sizeof *list);
    for (int i = 0; i < search->batch.count; i++) {
        int count = oracle_list(search, fuzz_search_query(search, i), list);
        int line = fuzz_search_line(search, i);
        for (int j = 0; j < count && j < search->k; j++) {
            FUZZ_CHECK(search->index[line + j * ld] == list[j].row);
            FUZZ_CHECK(search->distance[line + j * ld] == list[j].distance);
        }
        expect_padding(search, line, count);
    }
    expect_untouched(search);
}

/* The place of a row in a list of the oracle; count if it is not there. */
static int place_of(int row, const struct neighbor *list, int count)
{
    int place = 0;
    while (place < count && list[place].row != row)
        place++;
    return place;
}

void fuzz_expect_near(const struct fuzz_search *search, double stretch)
{
    size_t ld = (size_t)lines(search);
    struct neighbor *list = keep((size_t)search->cloud->n, sizeof *list);
    for (int i = 0; i < search->batch.count; i++) {
        int count = oracle_list(search, fuzz_search_query(search, i), list), last = -1;
        int line = fuzz_search_line(search, i);
        for (int j = 0; j < count && j < search->k; j++) {
            int place = place_of(search->index[line + j * ld], list, count);
            FUZZ_CHECK(place < count && place > last); /* in order, and none twice */
            FUZZ_CHECK(search->distance[line + j * ld] == list[place].distance);
            FUZZ_CHECK(isinf(stretch) ||
                       list[place].distance <= list[j].distance * stretch * (1 + 1e-12) + 1e-150);
            last = place;
        }
        expect_padding(search, line, count);
    }
    expect_untouched(search);
}

static int compare(const void *one, const void *other)
{
    const struct neighbor *a = one, *b = other;
    if (a->distance != b->distance)
        return a->distance < b->distance ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

static void expect_list(const int *index, const double *distance, int count,
                        const struct neighbor *list, int sorted)
{
    struct neighbor *found = keep((size_t)count, sizeof *found);
    for (int j = 0; j < count; j++)
        found[j] = (struct neighbor){distance[j], index[j]};
    if (!sorted)
        qsort(found, (size_t)count, sizeof *found, compare);
    for (int j = 0; j < count; j++)
        FUZZ_CHECK(found[j].row == list[j].row && found[j].distance == list[j].distance);
}

void fuzz_expect_radius(const struct fuzz_search *search, double radius)
{
    int m = search->queries->n, *count = keep((size_t)m, sizeof *count);
    int **index = keep((size_t)m, sizeof *index);
    double **distance = keep((size_t)m, sizeof *distance);
    struct neighbor *list = keep((size_t)search->cloud->n, sizeof *list);
    long long total = 0;
    for (int i = 0; i < m; i++)
        count[i] = -1;
    ct_radius_count(&host, &search->batch, radius, 3 * m, count); /* and then the rest */
    long long counted = ct_radius_count(&host, &search->batch, radius, LLONG_MAX, count);
    for (int i = 0; i < m; i++) {
        total += count[i];
        index[i] = keep((size_t)count[i], sizeof **index);
        distance[i] = keep((size_t)count[i], sizeof **distance);
    }
    FUZZ_CHECK(counted == total);
    for (int sorted = 0; sorted <= 1; sorted++) {
        ct_radius_fill(&host, &search->batch, radius, sorted, count, index, distance);
        host_end_call();
        for (int i = 0; i < m; i++) {
            int all = oracle_list(search, i, list), within = 0;
            while (within < all && list[within].distance <= radius)
                within++;
            FUZZ_CHECK(count[i] == within);
            expect_list(index[i], distance[i], within, list, sorted);
        }
    }
}
