/* predecessor.h: split a search among predecessors into parts.
 *
 * A predecessor search finds, for each of the tree's own points, neighbors with smaller
 * rows: the conditioning sets of the Vecchia approximation. In a tree of all points few
 * points are eligible for a query with a small row. Hence only the larger half of the rows
 * searches the whole tree; the smaller half searches the tree of the first n / 2 rows, which
 * is split again in the same way (tree/subset.h). In the worst case half of the points of a
 * part's tree are eligible, and all trees together have fewer than 2 n points.
 */
#ifndef COVERTREE_SEARCH_PREDECESSOR_H
#define COVERTREE_SEARCH_PREDECESSOR_H

#include "core/search/query.h"

enum { CT_PARTS_MAX = 32 }; /* halvings of the largest tree, and more */

/* The queries with rows above n / 2, and the tree of the first n rows, in which they search. */
struct ct_predecessor_part {
    const struct ct_tree *tree;
    const int *order; /* [count] positions in the tree, ascending */
    int count;
};

/* Marks the rows of a batch of own points [n]; returns NULL if the batch has all rows. O(n). */
const char *ct_mark_rows(const struct ct_host *host, const struct ct_batch *batch);

/* All parts; a caller searches each ct_predecessor_batch() in turn. */
struct ct_predecessor_plan {
    struct ct_predecessor_part part[CT_PARTS_MAX];
    int parts;
};

/* Splits a batch of own points into parts; k: points that a query evaluates, roughly. Every
 * query belongs to exactly one part. Uses the prefix trees kept with the tree, or builds
 * them in the host's memory; beside them O(n) time and memory. */
struct ct_predecessor_plan ct_plan_predecessors(const struct ct_host *host,
                                                const struct ct_batch *batch, int k);

/* Returns the batch of one part, whose results go to the lines of the whole batch. */
struct ct_batch ct_predecessor_batch(const struct ct_predecessor_plan *plan,
                                     const struct ct_batch *batch, int part);

#endif
