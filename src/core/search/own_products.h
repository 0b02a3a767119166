/* own_products.h: the k nearest neighbors of all of a tree's own points in many dimensions.
 *
 * Used by ct_knn() if the queries are all own points, every other point may be a neighbor, the
 * distance is Euclidean, and a scan of all points is faster than the tree. The product of two
 * points serves both as queries: half of the products of product_scan.h suffice. Therefore all
 * points have a threshold and a candidate buffer throughout the call. The points are divided into
 * slabs, and threads work on pairs of slabs (slab_pairs.h).
 *
 * The error of a square. The float32 coordinates count as exact. Let u = 2^-24, and let M be the
 * largest norm of a point [tile units]. In comparison with product_scan.h, |q|^2 is a float32 sum:
 *   |x|^2 / 2 and |q|^2 / 2   at most (d + 1) u M^2 / 2 each;
 *   the sum                   at most (d + 1) u (M^2 / 2 + M^2);
 *   the last sum, thresholds  at most 12 u (2 M)^2.
 * The sum of all, for a square, is at most (1.25 (d + 1) + 12) u (2 M)^2 up to terms of second
 * order. The bound used is 3 (d + 8) u (2 M)^2, as there.
 */
#ifndef COVERTREE_SEARCH_OWN_PRODUCTS_H
#define COVERTREE_SEARCH_OWN_PRODUCTS_H

#include "core/search/result_lines.h"

/* Whether ct_own_products_knn() can answer the batch. */
int ct_suits_own_products(const struct ct_batch *batch, int k);

/* Answers the own points of a batch that ct_suits_own_products() like ct_knn(), except the points
 * at the positions in `rest` [n], ascending. Returns the number of these: points that have almost
 * only equal distances, or distances as small as the error of a square; or all points, if these are
 * many. Costs n^2 d / 2 multiply-adds. The host's memory: n (4 d + 16 k + 240) bytes, and O(k) for
 * each thread. */
int ct_own_products_knn(const struct ct_host *host, const struct ct_batch *batch,
                        const struct ct_result_lines *lines, int *rest);

#endif
