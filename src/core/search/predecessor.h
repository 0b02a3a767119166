/* predecessor.h: split a search among predecessors into parts.
 *
 * A predecessor search finds, for each of the tree's own points, neighbors with smaller
 * rows only: the Vecchia approximation conditions on them. In a tree of all points most
 * points are not eligible for a query with a small row. So the larger half of the rows
 * searches the tree, and the smaller half searches a tree of its own, halved again in the
 * same way. In the worst case half of the points of a part's tree are eligible, and all
 * trees together have twice the points of the first.
 */
#ifndef COVERTREE_SEARCH_PREDECESSOR_H
#define COVERTREE_SEARCH_PREDECESSOR_H

#include "core/search/query.h"

enum { CT_PARTS_MAX = 32 };

/* Queries with rows in (n / 2, n], and the tree of the rows up to n. */
struct ct_predecessor_part {
    const struct ct_tree *tree;
    const int *order; /* [m] positions in the tree, ascending */
    int m;
};

struct ct_predecessor_plan {
    struct ct_predecessor_part part[CT_PARTS_MAX];
    int parts;
};

/* Splits the queries of a batch of own points, each of which evaluates about k points, and
 * builds the trees. Every query belongs to one part. O(n) time and memory beside the
 * trees, all in the host's memory. */
struct ct_predecessor_plan ct_plan_predecessors(const struct ct_host *host,
                                                const struct ct_batch *batch, int k);

/* Returns the batch of one part. Its results go to the same lines as the whole batch's. */
struct ct_batch ct_predecessor_batch(const struct ct_predecessor_plan *plan,
                                     const struct ct_batch *batch, int part);

#endif
