/* result_lines.c: see result_lines.h. */
#include "core/search/result_lines.h"
#include "core/util/parallel_for.h"

#include <string.h>

enum {
    LEAST_K = 3,           /* with a smaller k, whose lines are in few pages, or */
    MOST_K = 63,           /* with a larger k, whose run exceeds the cache, or */
    LEAST_LINES = 1 << 14, /* with fewer lines, a result is written in its final order */
    RUNS_PER_TASK = 8
};

void ct_compact_lines(struct ct_result_lines *lines)
{
    int worth_it = lines->k >= LEAST_K && lines->k <= MOST_K && lines->ld >= LEAST_LINES;
    lines->compact = worth_it ? lines->ld - lines->ld % CT_RUN : 0;
}

/* Copies the values of a compact line, whose last ones may lie in the next column. */
static void store_compact(const struct ct_result_lines *lines, int line, const int *row,
                          const double *distance)
{
    size_t place = ct_compact_place(lines, line, 0);
    int k = lines->k, left = CT_RUN - (int)((size_t)(line % CT_RUN) * (size_t)k % CT_RUN);
    int count = k < left ? k : left;
    memcpy(lines->index + place, row, (size_t)count * sizeof *row);
    memcpy(lines->distance + place, distance, (size_t)count * sizeof *distance);
    if (count < k) {
        size_t next = ct_compact_place(lines, line, count);
        memcpy(lines->index + next, row + count, (size_t)(k - count) * sizeof *row);
        memcpy(lines->distance + next, distance + count, (size_t)(k - count) * sizeof *distance);
    }
}

void ct_store_line(const struct ct_result_lines *lines, int line, const int *row,
                   const double *distance, int count)
{
    if (line < lines->compact && count == lines->k) {
        store_compact(lines, line, row, distance);
        return;
    }
    for (int j = 0; j < lines->k; j++) {
        size_t to = ct_line_place(lines, line, j);
        lines->index[to] = j < count ? row[j] : CT_NO_ROW;
        lines->distance[to] = j < count ? distance[j] : lines->missing;
    }
}

/* The scratch of each thread holds the values of a run. */
struct expansion {
    const struct ct_result_lines *lines;
    int runs;
    double **scratch; /* [threads], [CT_RUN * k] */
};

static void expand_run(const struct ct_result_lines *lines, size_t first, double *scratch)
{
    size_t k = (size_t)lines->k, ld = (size_t)lines->ld;
    int *index = lines->index + first, *row = (int *)scratch;
    double *distance = lines->distance + first;
    for (size_t j = 0; j < k; j++)
        memcpy(row + j * CT_RUN, index + j * ld, CT_RUN * sizeof *row);
    for (size_t j = 0; j < k; j++)
        for (size_t line = 0; line < CT_RUN; line++)
            index[j * ld + line] = row[line * k + j];
    for (size_t j = 0; j < k; j++)
        memcpy(scratch + j * CT_RUN, distance + j * ld, CT_RUN * sizeof *scratch);
    for (size_t j = 0; j < k; j++)
        for (size_t line = 0; line < CT_RUN; line++)
            distance[j * ld + line] = scratch[line * k + j];
}

static void expand_runs(void *data, int task, int thread)
{
    const struct expansion *e = data;
    for (int i = task * RUNS_PER_TASK; i < (task + 1) * RUNS_PER_TASK && i < e->runs; i++)
        expand_run(e->lines, (size_t)i * CT_RUN, e->scratch[thread]);
}

void ct_expand_lines(const struct ct_host *host, const struct ct_result_lines *lines, int threads)
{
    struct expansion e = {.lines = lines};
    struct ct_host silent = *host;
    silent.progress = NULL;
    if (lines->compact == 0)
        return;
    e.runs = lines->compact / CT_RUN;
    e.scratch = host->alloc((size_t)threads, sizeof *e.scratch);
    for (int thread = 0; thread < threads; thread++)
        e.scratch[thread] = host->alloc((size_t)lines->k * CT_RUN, sizeof *e.scratch[thread]);
    ct_parallel_for(&silent, (e.runs + RUNS_PER_TASK - 1) / RUNS_PER_TASK, threads, expand_runs,
                    &e);
}
