/* test_merge_lists.c: the lists of several searches, merged, against a sort of all neighbors of
 * each line; with equal distances, lines without neighbors, and rows as integers and as doubles. */
#include "check.h"
#include "clouds.h"
#include "core/topk/merge_lists.h"
#include "host.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

enum { SEARCHES = 5 };

struct neighbor {
    double distance;
    int row;
};

static int compare(const void *one, const void *other)
{
    const struct neighbor *a = one, *b = other;
    if (a->distance != b->distance)
        return a->distance < b->distance ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

/* What the searches found for a line: [line * SEARCHES * k + ...], `count` of a line. */
struct truth {
    struct neighbor *all;
    int *count;
};

/* A search that found up to k neighbors for some lines, at one of `levels` distances. */
static struct ct_neighbor_lists draw_search(int lines, int k, int levels, struct truth *truth)
{
    int *line = keep((size_t)lines, sizeof *line), count = 0;
    for (int i = 0; i < lines; i++)
        if (random_below(3) > 0)
            line[count++] = i + 1;
    size_t size = (size_t)count * (size_t)k;
    int *row = keep(size, sizeof *row);
    double *wide_row = keep(size, sizeof *wide_row), *distance = keep(size, sizeof *distance);
    for (int i = 0; i < count; i++) {
        int at = line[i] - 1, found = random_below(k + 1), *known = &truth->count[at];
        struct neighbor *all = truth->all + (size_t)at * SEARCHES * k, *list = all + *known;
        for (int j = 0; j < found; j++)
            list[j] =
                (struct neighbor){random_below(levels), 100 * (*known + j) + random_below(100)};
        qsort(list, (size_t)found, sizeof *list, compare);
        for (int j = 0; j < k; j++) {
            size_t to = (size_t)i + (size_t)j * (size_t)count;
            row[to] = j < found ? list[j].row : INT_MIN;
            wide_row[to] = j < found ? 3e9 + list[j].row : NAN;
            distance[to] = j < found ? list[j].distance : NAN;
        }
        *known += found;
    }
    return (struct ct_neighbor_lists){line, count, row, wide_row, distance};
}

static void check_merge(int lines, int k, int levels, int threads)
{
    size_t size = (size_t)lines * (size_t)k;
    struct truth truth = {keep(size * SEARCHES, sizeof *truth.all),
                          keep((size_t)lines, sizeof *truth.count)};
    struct ct_neighbor_lists lists[SEARCHES], wide[SEARCHES];
    struct ct_merged_lists merged = {lines, k, keep(size, sizeof(int)), NULL,
                                     keep(size, sizeof(double))};
    struct ct_merged_lists wide_merged = {lines, k, NULL, keep(size, sizeof(double)),
                                          keep(size, sizeof(double))};
    for (int i = 0; i < lines; i++)
        truth.count[i] = 0;
    for (int s = 0; s < SEARCHES; s++) {
        lists[s] = wide[s] = draw_search(lines, k, levels, &truth);
        wide[s].row = NULL;
    }
    ct_merge_lists(&host, lists, SEARCHES, threads, -1, &merged);
    ct_merge_lists(&host, wide, SEARCHES, threads, -1, &wide_merged);
    int wrong = 0;
    for (int i = 0; i < lines; i++) {
        struct neighbor *all = truth.all + (size_t)i * SEARCHES * k;
        qsort(all, (size_t)truth.count[i], sizeof *all, compare);
        for (int j = 0; j < k; j++) {
            size_t at = (size_t)i + (size_t)j * (size_t)lines;
            int none = j >= truth.count[i];
            wrong += merged.row[at] != (none ? INT_MIN : all[j].row);
            wrong += merged.distance[at] != (none ? -1 : all[j].distance);
            wrong += wide_merged.wide_row[at] != (none ? -1 : 3e9 + all[j].row);
            wrong += wide_merged.distance[at] != merged.distance[at];
        }
    }
    check_about("%d lines, k = %d, %d distances, %d threads", lines, k, levels, threads);
    CHECK(wrong == 0);
    host_end_call();
    keep_end();
}

int main(void)
{
    static const int ks[] = {1, 3, 20, 9000};
    for (size_t i = 0; i < sizeof ks / sizeof *ks; i++)
        for (int levels = 2; levels < 2000; levels *= 20) {
            check_merge(0, ks[i], levels, 1);
            check_merge(7, ks[i], levels, 1);
            check_merge(ks[i] < 100 ? 1300 : 11, ks[i], levels, 3);
        }
    return check_done("merge_lists");
}
