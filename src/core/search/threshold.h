/* threshold.h: lower the threshold of a query, and empty its candidate buffer.
 *
 * The threshold of a k-NN query is an upper bound of the distance of its k-th neighbor.
 * It falls in two ways: to the k-th candidate found so far, when the buffer is full or the
 * seed is scanned; and by inheritance from a query nearby, whose k-th distance is known.
 * A search within a radius has a fixed threshold; it hands a full buffer to its sink.
 */
#ifndef COVERTREE_SEARCH_THRESHOLD_H
#define COVERTREE_SEARCH_THRESHOLD_H

#include "core/search/query_block.h"

/* Lowers the threshold of query i to about the k-th of its candidates and drops those
 * beyond it; fewer than k candidates change nothing. Leaves at most (capacity + k) / 2
 * candidates, or the k nearest. A bisection in float32: O(candidates). */
void ct_tighten_threshold(struct ct_query_block *block, int i);

/* Makes room in the candidate buffer of query i: tightens the threshold of a k-NN query,
 * or hands the candidates with exact distances to the sink. Called whenever a scan filled
 * the buffer, and once more at the end of the block. */
void ct_flush_candidates(struct ct_query_block *block, int i);

/* Lowers the threshold of query i by way of a point p [d] nearby, with the row p_row or 0,
 * whose k-th neighbor is at the distance kth: the k nearest points of p, with p itself
 * in the place of q, lie within kth + distance(p, q) of q. Does nothing if p is a row that
 * q does not want, or under an epsilon, where answers must not depend on other queries. */
void ct_inherit_threshold(struct ct_query_block *block, int i, double kth, const double *p,
                          int p_row);

#endif
