/* approx_search.h: approximate k nearest neighbors by residual correlation.
 *
 * Points that correlate strongly are near in space, as a rule, though no bound says so. The
 * search evaluates the residual correlation of the candidates of a query in order of their
 * Euclidean distance in the tree, and stops when the query is out of patience or its budget
 * ends. With a plain budget, candidates are the own points beside the query in tree order
 * instead: an own point has a place in that order, another query point has none.
 *
 * The recall is not known in advance. The caller measures it on a sample of queries that
 * core/residual_exact/exact_search.h answers too, and chooses the patience by that.
 *
 * Cost: one search for the nearest candidates in space, and m multiply-adds for each
 * candidate; for smooth kernels some hundred candidates give a recall of 0.99. Results are
 * the same for every number of threads and at every instruction set level.
 *
 * How the parts work together, from the lowest to the highest:
 *   approx_options.h when a query ends
 *   quantize.h       v in 16 bits
 *   pair_distance.h  distances of a query to a batch of candidates
 *   approx_query.h   the candidates of one query: list of the nearest, patience, budget
 *   approx_results.h the results of a query that has ended
 *   approx_search.c  rounds of all queries
 */
#ifndef COVERTREE_RESIDUAL_APPROX_APPROX_SEARCH_H
#define COVERTREE_RESIDUAL_APPROX_APPROX_SEARCH_H

#include "core/residual_approx/approx_results.h"
#include "core/search/query.h"

/* Writes the approximate nearest neighbors of every query of the batch: input->query_points,
 * which lie at batch->query in the tree's space; or own points, which find predecessors only
 * if batch->predecessors. Query points need a budget that is diverse, or none. A query without
 * residual variance is at distance 1 from all points: its neighbors are the first rows, and
 * it evaluates no candidate.
 *
 * Scratch memory: at most 16 MB, or 12 k + 4 levels + 72 bytes for each of 256 queries if more;
 * 4 bytes for each point or query point; and as much as ct_pair_distances_make() and ct_knn()
 * take. Polls the host and reports progress in each round. */
void ct_approx_search(const struct ct_host *host, const struct ct_batch *batch,
                      const struct ct_pair_input *input, const struct ct_approx_options *options,
                      const struct ct_approx_results *results);

#endif
