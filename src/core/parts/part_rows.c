/* part_rows.c: see part_rows.h. */
#include "core/parts/part_rows.h"

#include <math.h>

int ct_part_rows_up_to(const struct ct_part *part, int row)
{
    int low = 0, high = part->tree->n;
    int first = ct_part_row(part, 1), last = ct_part_row(part, high);
    if (row < first || row >= last)
        return row < first ? 0 : high;
    if (last - first == high - 1)
        return row - first + 1;
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        if (part->rows[middle] <= row)
            low = middle;
        else
            high = middle;
    }
    return high;
}

struct ct_query_start ct_part_start(const struct ct_parts_batch *batch, const struct ct_part *part,
                                    int at, struct ct_neighbor last)
{
    struct ct_query_start start = {last, 0, INT_MAX};
    if (last.row < INT_MAX)
        start.threshold.row = ct_part_rows_up_to(part, last.row);
    if (batch->own) {
        int own = batch->own[at], row = ct_part_rows_up_to(part, own);
        if (row > 0 && ct_part_row(part, row) == own)
            start.skip_row = row;
        if (batch->batch.predecessors)
            start.max_row = row - (start.skip_row > 0);
    }
    return start;
}

double ct_part_box_sq(const struct ct_parts_batch *batch, const struct ct_part *part, int at,
                      double *q)
{
    const struct ct_tree *t = part->tree;
    const struct ct_batch *b = &batch->batch;
    size_t ld = (size_t)(b->ld_query > 0 ? b->ld_query : b->count);
    for (int j = 0; j < t->d; j++)
        q[j] = b->query[at + j * ld];
    return ct_box_norm_sq(b->metric.norm, t->lower, t->upper, (size_t)t->nodes, q, q, t->d);
}

struct ct_batch ct_part_batch(const struct ct_parts_batch *batch, int part)
{
    struct ct_batch result = batch->batch;
    result.tree = batch->parts->part[part].tree;
    result.removed = batch->parts->part[part].removed;
    result.ld_query = result.ld_query > 0 ? result.ld_query : result.count;
    result.predecessors = 0;
    result.max_distance = NULL;
    return result;
}

int ct_parts_lines(const struct ct_parts_batch *batch)
{
    return batch->batch.ld > 0 ? batch->batch.ld : batch->batch.count;
}
