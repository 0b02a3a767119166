/* portions.h: blocks of few queries against points that are packed in portions.
 *
 * Packed points take about as much memory as V. For few queries, allocating and writing this memory
 * takes longer than the scan itself. So the points are packed in portions, one after another in the
 * same memory, which stays in the cache. All blocks scan a portion before the next portion is
 * packed, so all blocks are in memory at the same time. Candidates, thresholds and statistics of a
 * block are the same as in a scan of all points.
 */
#ifndef COVERTREE_RESIDUAL_EXACT_PORTIONS_H
#define COVERTREE_RESIDUAL_EXACT_PORTIONS_H

#include "core/residual_exact/filter.h"

/* The points at pos [points], the blocks of queries, and the kernels. */
struct ct_portion_scan {
    const struct ct_filter *filter;
    const struct ct_filter_kernels *kernels;
    struct ct_filter_block *block; /* [blocks] loaded */
    int blocks;
    const int *pos; /* ascending */
    int points;
};

/* Filters all pairs of the queries and the points. Allocates about 4 MB for a portion. Polls the
 * host. */
void ct_scan_in_portions(const struct ct_host *host, const struct ct_portion_scan *scan);

#endif
