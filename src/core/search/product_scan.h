/* product_scan.h: scan tiles by matrix products, for the query groups of a block.
 *
 * Used where a block scans all tiles in many dimensions. By |q - x|^2 = |q|^2 - 2 (q.x - |x|^2 / 2)
 * a pair costs one multiply-add per coordinate: two thirds of the arithmetic of tile_scan.h, or
 * half where multiply-add is one instruction. The error of the squares is absolute, not relative,
 * so the scan suits blocks whose thresholds are large compared with the error.
 *
 * The error of a square. The float32 coordinates count as exact. Let u = 2^-24, and let Q and X be
 * the largest norms of a query and of a point of the tree [tile units]:
 *   |x|^2 / 2      at most (d + 1) u X^2 / 2;
 *   the sum        d + 1 roundings, of terms that add up to at most X^2 / 2 + Q X;
 *   |q|^2, the last sum, the threshold, and what `least` is computed from
 *                  at most 12 u (Q + X)^2, for thresholds up to 4 (Q + X)^2; larger thresholds
 *                  exclude nothing.
 * The sum of all, for a square, is below (2.1 (d + 1) + 12) u (Q + X)^2 while d u is small. The
 * bound used is 3 (d + 8) u (Q + X)^2, and the smallest normal float for values below the
 * normal range.
 */
#ifndef COVERTREE_SEARCH_PRODUCT_SCAN_H
#define COVERTREE_SEARCH_PRODUCT_SCAN_H

#include "core/search/tile_scan.h"

/* The scratch of a thread for scans by products. */
struct ct_product_scan {
    int possible; /* whether searches may use products */
    int has_half; /* whether `half` is computed */
    float *half;  /* [tiles * CT_LANES] minus half the squared norm of each point [tile units] */
    float sq[CT_BLOCK]; /* |q|^2 of each query of the block [tile units] */
};

/* Allocates what a search needs: O(n) of the host's memory in many dimensions, otherwise nothing.
 */
void ct_product_scan_init(const struct ct_host *host, const struct ct_search_context *context,
                          struct ct_product_scan *scan);

/* Prepares the block for a scan by products, if it has many queries and the error of a square is
 * small compared with the threshold of each. Then sets the error of each query, and returns 1.
 * Otherwise returns 0. Costs O(d) per query, and in the first block of a thread a pass over all
 * tiles. */
int ct_product_scan_begin(struct ct_query_block *block, const struct ct_query_groups *groups,
                          struct ct_product_scan *scan);

/* Scans all tiles of a span for all groups like ct_scan_span(). */
void ct_product_scan_span(struct ct_query_block *block, struct ct_query_groups *groups,
                          struct ct_product_scan *scan, struct ct_tile_span span);

#endif
