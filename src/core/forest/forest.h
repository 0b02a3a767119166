/* forest.h: searches in several trees that share one answer: the public interface.
 *
 * A forest is a list of immutable trees over disjoint sets of points. Each tree numbers its points
 * from 1; a part of the forest adds their row numbers in the forest, which increase with the
 * numbers in the tree. So (distance, row) is the same order within a tree and in the forest, and
 * the answer is bit for bit that of one tree of all points. Removed points stay in their trees, and
 * are never found.
 *
 * The prefix trees of a predecessor search (tree/subset.h) are no forest: they overlap, and a query
 * searches only the smallest that has all of its predecessors. With trees of disjoint rows in their
 * place, a query would search all of them.
 *
 * All trees share one threshold per query: a query first searches the tree whose box is nearest,
 * and then only trees whose boxes lie within its threshold. With parts in order of size, larger
 * first, the first search leaves a threshold near the final one.
 */
#ifndef COVERTREE_FOREST_FOREST_H
#define COVERTREE_FOREST_FOREST_H

#include "core/search/query.h"

/* One tree. All trees of a forest have the same number of dimensions. */
struct ct_forest_part {
    const struct ct_tree *tree;
    const int *rows; /* [n] row in the forest of each row of the tree, ascending; or NULL:
                      * first_row, first_row + 1, ... */
    int first_row;
    const unsigned char *removed; /* [n] by row of the tree, from 0: not 0 if removed; or NULL */
};

struct ct_forest {
    const struct ct_forest_part *part; /* [parts] */
    int parts;                         /* at least 1 */
};

/* A batch of a forest has `query`: coordinates of all queries, also of the forest's own points;
 * `order`, `count`, `ld_query`, `ld`, `metric`, `threads`, `kernels`, `block`, `mode`,
 * `predecessors`, `max_distance` and `stats` are those of struct ct_batch, and the other members
 * are 0. */
struct ct_forest_batch {
    const struct ct_forest *forest;
    const int *own; /* by row of query, from 0: the row in the forest, of which the query is
                     * the point; NULL: queries are not points of the forest */
    struct ct_batch batch;
};

/* Finds the k nearest neighbors of each query like ct_knn(), with rows of the forest. Costs, in
 * addition to the searches in the trees, parts * d operations per query; the host's memory: 12 k
 * bytes for each of at most 2^16 queries at a time. */
void ct_forest_knn(const struct ct_host *host, const struct ct_forest_batch *batch, int k,
                   double missing, int *index, double *distance);

/* Counts the points within the radius of each query like ct_radius_count(), but a total above
 * `most` leaves the counts as they are. */
long long ct_forest_radius_count(const struct ct_host *host, const struct ct_forest_batch *batch,
                                 double radius, long long most, int *count);

/* Fills index[line] and distance[line] like ct_radius_fill(). */
void ct_forest_radius_fill(const struct ct_host *host, const struct ct_forest_batch *batch,
                           double radius, int sort, const int *count, int *const *index,
                           double *const *distance);

#endif
