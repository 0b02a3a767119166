/* forest_rows.h: row numbers of a forest and of its trees; boxes of the trees. */
#ifndef COVERTREE_FOREST_FOREST_ROWS_H
#define COVERTREE_FOREST_FOREST_ROWS_H

#include "core/forest/forest.h"

/* Row in the forest of a row of the part's tree. */
static inline int ct_forest_row(const struct ct_forest_part *part, int row)
{
    return part->rows ? part->rows[row - 1] : part->first_row + row - 1;
}

/* Number of points of the part with rows of the forest up to `row`: the largest such row in the
 * tree's numbers. O(log n). */
int ct_forest_rows_up_to(const struct ct_forest_part *part, int row);

/* Where query number `at`, from 0, starts its search in a part, after neighbors up to `last`, in
 * rows of the forest, are known. O(log n). */
struct ct_query_start ct_forest_start(const struct ct_forest_batch *batch,
                                      const struct ct_forest_part *part, int at,
                                      struct ct_neighbor last);

/* Square of the norm from query number `at` to the box of the part's tree: no point of the tree
 * undercuts it. q: [d] scratch for the coordinates. */
double ct_forest_box_sq(const struct ct_forest_batch *batch, const struct ct_forest_part *part,
                        int at, double *q);

/* The batch of a part of a forest for ct_knn() and the searches within a radius. The caller sets
 * order, count and start. */
struct ct_batch ct_forest_part_batch(const struct ct_forest_batch *batch, int part);

/* Number of lines of the results. */
int ct_forest_lines(const struct ct_forest_batch *batch);

#endif
