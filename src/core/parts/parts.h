/* parts.h: searches in several trees that share one answer: the public interface.
 *
 * A part is an immutable tree over some of the points; no point is in two parts. The tree of a part
 * numbers its points from 1: these numbers are local rows. The part maps them to rows, which
 * increase with the local rows. So (distance, local row) and (distance, row) are the same order
 * within a part, and the answer is bit for bit that of one tree of all points. Removed points stay
 * in their trees, and no search returns them.
 *
 * Prefix trees (tree/subset.h) are no parts: they overlap, and a predecessor search uses only the
 * smallest one that has all predecessors of a query. With parts instead, each query would search
 * all of them.
 *
 * All parts share one threshold per query. A query first searches the part with the nearest
 * bounding box, and then only parts whose boxes lie within its threshold. With parts in order of
 * size, larger ones first, the first search leaves a threshold near the final one.
 */
#ifndef COVERTREE_PARTS_PARTS_H
#define COVERTREE_PARTS_PARTS_H

#include "core/search/query.h"

/* One part. The trees of all parts have the same number of dimensions. */
struct ct_part {
    const struct ct_tree *tree;
    const int *rows; /* [n] by local row, from 0: the row, ascending; or NULL: rows are
                      * first_row, first_row + 1, ... */
    int first_row;
    const unsigned char *removed; /* [n] by local row, from 0: not 0 if removed; or NULL */
};

/* The parts of a grown tree. No row is in two parts. */
struct ct_parts {
    const struct ct_part *part; /* [count] */
    int count;                  /* at least 1 */
};

/* A batch of queries of several parts. In `batch`, `query` has the coordinates of all queries, also
 * of own points. `order`, `count`, `ld_query`, `ld`, `metric`, `threads`, `kernels`, `block`,
 * `mode`, `predecessors`, `max_distance` and `stats` are as in struct ct_batch. All other members
 * are 0. */
struct ct_parts_batch {
    const struct ct_parts *parts;
    const int *own; /* by row of query, from 0: the row of the own point that is the query;
                     * NULL: queries are not own points */
    struct ct_batch batch;
};

/* Finds the k nearest neighbors of each query like ct_knn(). Costs, in addition to the searches in
 * the trees, parts * d operations per query, and memory of the host: 12 k bytes for each of at most
 * 2^16 queries at a time. */
void ct_parts_knn(const struct ct_host *host, const struct ct_parts_batch *batch, int k,
                  double missing, int *index, double *distance);

/* Counts the points within the radius of each query like ct_radius_count(). In contrast to that
 * function, a total above `most` does not change count. */
long long ct_parts_radius_count(const struct ct_host *host, const struct ct_parts_batch *batch,
                                double radius, long long most, int *count);

/* Fills index[line] and distance[line] like ct_radius_fill(). */
void ct_parts_radius_fill(const struct ct_host *host, const struct ct_parts_batch *batch,
                          double radius, int sort, const int *count, int *const *index,
                          double *const *distance);

#endif
