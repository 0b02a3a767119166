/* threshold.h: lower the threshold of a query, and empty its candidate buffer.
 *
 * The threshold of a k-NN query is an upper bound of the distance of the k-th neighbor. A
 * search lowers it in two ways: to the k-th candidate found so far, when the buffer is full
 * or the seed is scanned; and by inheritance from a nearby query with a known k-th
 * distance. A search within a radius has a fixed threshold; the sink receives its buffer.
 */
#ifndef COVERTREE_SEARCH_THRESHOLD_H
#define COVERTREE_SEARCH_THRESHOLD_H

#include "core/search/query_block.h"

/* Lowers the threshold of query i to about the k-th candidate and drops the candidates
 * beyond the threshold, and candidates that are not eligible. Does nothing else with fewer than k
 * candidates. Leaves fewer than capacity / 2 + k / 2 candidates, or exactly k. Costs a bisection in
 * float32, at most 24 passes over the buffer. */
void ct_tighten_threshold(struct ct_query_block *block, int i);

/* Makes room in the candidate buffer of query i: tightens the threshold of a k-NN query,
 * or hands the candidates with exact distances to the sink. To be called when a scan
 * has filled the buffer, and once more at the end of the block. */
void ct_flush_candidates(struct ct_query_block *block, int i);

/* Sorts the candidates of query i of a k-NN search by (distance, row) in block->exact_sq and
 * block->exact_row, the former as distances. Returns how many of the first k lie within its
 * max_distance: a candidate may lie beyond by the rounding margin of float32. */
int ct_finish_query(struct ct_query_block *block, int i);

/* Lowers the threshold of query i, q, by the triangle inequality: if the k-th neighbor of a
 * point p [d] is at the distance kth, then k points lie within kth + distance(p, q) of q,
 * namely the neighbors of p, with p in the place of q. p_row: the row of p, or 0 for a
 * foreign point. Does nothing if p_row is not eligible for q, and under an epsilon, where
 * the answer must not depend on other queries. One exact distance. */
void ct_inherit_threshold(struct ct_query_block *block, int i, double kth, const double *p,
                          int p_row);

#endif
