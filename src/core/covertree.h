/* covertree.h: the public face of the core. The only header that a host includes.
 *
 *   host.h                 services of the host: memory, interrupts, progress
 *   tree/                  struct ct_tree: build, tiles, prefix trees, validation
 *   metric/                the metrics of searches by distance
 *   order/                 Hilbert and maximin order
 *   search/                queries by distance: k nearest, radius, predecessors, budgets
 *   parts/                 queries by distance in several trees
 *   residual/              residual correlation: exact and approximate search
 *   file/                  the layout of a file of arrays
 *   metric_space/          trees and searches by a distance function of the host
 *   topk/                  the merge of neighbors from several searches
 *   util/                  checksums, column ranges, the parallel loop
 */
#ifndef COVERTREE_COVERTREE_H
#define COVERTREE_COVERTREE_H

#include "core/file/section_file.h"
#include "core/host.h"
#include "core/metric/gower.h"
#include "core/metric/metric.h"
#include "core/metric_space/metric_build.h"
#include "core/metric_space/metric_query.h"
#include "core/order/gather.h"
#include "core/order/hilbert.h"
#include "core/order/maximin.h"
#include "core/parts/part_rows.h"
#include "core/parts/parts.h"
#include "core/residual/correlation.h"
#include "core/residual/factors.h"
#include "core/residual_approx/approx_search.h"
#include "core/residual_exact/exact_search.h"
#include "core/residual_exact/host_covariance.h"
#include "core/search/bit_sets.h"
#include "core/search/budget.h"
#include "core/search/filtered_knn.h"
#include "core/search/pair_scan.h"
#include "core/search/query.h"
#include "core/search/row_filter.h"
#include "core/search/shard_boxes.h"
#include "core/search/stats.h"
#include "core/simd/euclid.h"
#include "core/topk/merge_lists.h"
#include "core/tree/build.h"
#include "core/tree/subset.h"
#include "core/tree/tiles.h"
#include "core/tree/tree.h"
#include "core/tree/validate.h"
#include "core/util/checksum.h"
#include "core/util/column_range.h"
#include "core/util/parallel_for.h"

#endif
