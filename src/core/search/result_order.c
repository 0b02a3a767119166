/* result_order.c: see result_order.h. */
#include "core/search/result_order.h"
#include "core/search/query_block.h"
#include "core/util/parallel_for.h"

#include <string.h>

enum {
    HELD = 16,          /* places that a thread holds back: two cache lines of distances */
    LEAST_K = 64,       /* neighbors, and */
    LEAST_LINES = 1024, /* lines, of results to write in the order of the answers, at least */
    ELEMENTS = 1 << 20  /* elements of the columns of one task, roughly */
};

int ct_suits_result_order(const struct ct_batch *batch, const struct ct_result_lines *lines)
{
    return lines->k >= LEAST_K && lines->ld >= LEAST_LINES && lines->ld == batch->count;
}

int *ct_places_of_lines(const struct ct_host *host, const struct ct_batch *batch, int ld)
{
    int *place = host->alloc((size_t)ld, sizeof *place);
    for (int line = 0; line < ld; line++)
        place[line] = -1;
    for (int p = 0; p < batch->count; p++)
        place[ct_result_line(batch, p)] = p;
    for (int line = 0; line < ld; line++)
        if (place[line] < 0)
            return NULL;
    return place;
}

/* An odd number of cache lines between two results keeps them in different sets of the cache. */
void ct_held_init(const struct ct_host *host, int k, struct ct_held_results *held)
{
    held->stride = ((size_t)k / 16 * 2 + 3) * 8;
    held->row = host->alloc(HELD * held->stride, sizeof *held->row);
    held->distance = host->alloc(HELD * held->stride, sizeof *held->distance);
    held->count = 0;
}

void ct_hold_result(const struct ct_result_lines *lines, struct ct_held_results *held, int place,
                    const int *row, const double *distance, int count)
{
    if (held->count == HELD)
        ct_write_held(lines, held);
    if (held->count == 0)
        held->first = place;
    int *to_row = held->row + (size_t)held->count * held->stride;
    double *to = held->distance + (size_t)held->count * held->stride;
    memcpy(to_row, row, (size_t)count * sizeof *row);
    memcpy(to, distance, (size_t)count * sizeof *distance);
    for (int j = count; j < lines->k; j++) {
        to_row[j] = CT_NO_ROW;
        to[j] = lines->missing;
    }
    held->count++;
}

void ct_write_held(const struct ct_result_lines *lines, struct ct_held_results *held)
{
    size_t stride = held->stride;
    for (int j = 0; j < lines->k; j++) {
        size_t at = (size_t)j * (size_t)lines->ld + (size_t)held->first;
        for (int i = 0; i < held->count; i++) {
            lines->index[at + (size_t)i] = held->row[(size_t)i * stride + (size_t)j];
            lines->distance[at + (size_t)i] = held->distance[(size_t)i * stride + (size_t)j];
        }
    }
    held->count = 0;
}

/* The columns of each task, and a copy of a column for each thread. */
struct columns_task {
    const struct ct_result_lines *lines;
    const int *place;
    int columns; /* of a task */
    double *copy;
};

static void order_columns(void *data, int number, int thread)
{
    const struct columns_task *task = data;
    size_t ld = (size_t)task->lines->ld;
    int begin = number * task->columns, left = task->lines->k - begin;
    int end = begin + (left < task->columns ? left : task->columns);
    double *copy = task->copy + (size_t)thread * ld;
    int *row_copy = (int *)copy;
    for (int j = begin; j < end; j++) {
        int *row = task->lines->index + (size_t)j * ld;
        double *distance = task->lines->distance + (size_t)j * ld;
        memcpy(row_copy, row, ld * sizeof *row);
        for (size_t line = 0; line < ld; line++)
            row[line] = row_copy[task->place[line]];
        memcpy(copy, distance, ld * sizeof *distance);
        for (size_t line = 0; line < ld; line++)
            distance[line] = copy[task->place[line]];
    }
}

void ct_order_columns(const struct ct_host *host, const struct ct_result_lines *lines,
                      const int *place, int threads)
{
    int columns = ELEMENTS / lines->ld + 1, tasks = (lines->k - 1) / columns + 1;
    struct columns_task task = {lines, place, columns, NULL};
    threads = threads < tasks ? threads : tasks;
    task.copy = host->alloc((size_t)threads * (size_t)lines->ld, sizeof *task.copy);
    ct_parallel_for(host, tasks, threads, order_columns, &task);
}
