/* part_rows.h: rows and local rows of a part; the batch and the bounding box of a part. */
#ifndef COVERTREE_PARTS_PART_ROWS_H
#define COVERTREE_PARTS_PART_ROWS_H

#include "core/parts/parts.h"

/* The row of a local row. */
static inline int ct_part_row(const struct ct_part *part, int local)
{
    return part->rows ? part->rows[local - 1] : part->first_row + local - 1;
}

/* Number of points of the part with rows up to `row`, which is also the largest local row of these
 * points. O(log n). */
int ct_part_rows_up_to(const struct ct_part *part, int row);

/* The start of the search of query number `at`, from 0, in a part, if the neighbors up to `last`
 * (distance, row) are known. The result has local rows. O(log n). */
struct ct_query_start ct_part_start(const struct ct_parts_batch *batch, const struct ct_part *part,
                                    int at, struct ct_neighbor last);

/* Square of the norm from query number `at` to the box of the part's tree: a lower bound for all
 * points of the tree. q: [d] scratch for the coordinates. */
double ct_part_box_sq(const struct ct_parts_batch *batch, const struct ct_part *part, int at,
                      double *q);

/* The batch of a part for ct_knn() and the searches within a radius. The caller sets
 * order, count and start. */
struct ct_batch ct_part_batch(const struct ct_parts_batch *batch, int part);

/* Number of lines of the results. */
int ct_parts_lines(const struct ct_parts_batch *batch);

#endif
