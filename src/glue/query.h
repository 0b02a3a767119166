/* query.h: what calls that answer queries have in common. */
#ifndef COVERTREE_GLUE_QUERY_H
#define COVERTREE_GLUE_QUERY_H

#include "core/covertree.h"
#include "glue/options.h"
#include "glue/parts.h"

/* The options of a search are R's list(search, block_size, simd, threads, stats, progress,
 * predecessor, self, limits, epsilon, budget, metric, max_distance, max_row), as search_options()
 * in R/check.R makes it. */

/* The host of a search, which reports progress if the options ask for it. */
struct ct_host r_host_for(SEXP options);

/* A batch of all of the tree's points, or of queries in curve order. */
struct ct_batch r_batch(SEXP pointer, SEXP query, SEXP options);

/* A batch of queries in several parts, in curve order: the points `query`, or the own points in
 * `rows` if query is NULL. */
struct ct_parts_batch r_parts_batch(const struct r_parts *parts, SEXP query, SEXP rows,
                                    SEXP options);

/* Restricts a batch of the tree's own points to the points in these rows, unless rows is NULL. Line
 * i of the results is for rows[i]. Rows are distinct. Costs O(n). */
void r_restrict_to_rows(struct ct_batch *batch, SEXP rows);

/* R's list(schedule, escalate, stop, diversity), or NULL. */
const struct ct_budget *r_budget(SEXP from, int k, struct ct_budget *budget);

/* The positions of some rows, in the tree's order; slot, [n], tells which of them
 * each row is, or -1. */
const int *r_positions(const struct ct_tree *tree, SEXP rows, int *slot);

#endif
