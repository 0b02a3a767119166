/* host_covariance.h: residual correlations whose covariance function only the host can evaluate.
 *
 * The host asks for the squared distances of a block of pairs, turns them into covariances, and
 * hands these back. Nothing is known of the function, so nothing is excluded: a search compares
 * each query with all points. Per pair it costs the evaluation of the function and m
 * multiply-adds, shared by threads.
 */
#ifndef COVERTREE_RESIDUAL_EXACT_HOST_COVARIANCE_H
#define COVERTREE_RESIDUAL_EXACT_HOST_COVARIANCE_H

#include "core/residual/correlation.h"

/* Queries, and `count` points for each. */
struct ct_pair_block {
    const struct ct_residual_metric *metric; /* kind and variance are not used */
    const struct ct_correlation_kernels *kernels;
    struct ct_factors from; /* of the queries */
    const int *row;         /* [queries] of `from`, from 1 */
    int queries, count, threads;
    const int *index; /* [queries x count, column-major] rows of the points, below 1 for none;
                       * NULL: rows 1 to count */
    int own;          /* whether the queries are among the points */
    int predecessor;  /* whether neighbors must have rows below that of the query */
};

/* Writes squared distances of coordinates [count x queries, column-major]; 0 for no point. */
void ct_pair_squares(const struct ct_host *host, const struct ct_pair_block *block,
                     double *squares);

/* Replaces covariances [count x queries] by distances; NaN for no point. */
void ct_pair_distances(const struct ct_host *host, const struct ct_pair_block *block,
                       double *value);

/* Writes the k nearest of each query by (distance, row) and their number, given the distances
 * [count x queries]. nearest, nearest_distance: [k x queries]. found: [queries]. */
void ct_pair_nearest(const struct ct_host *host, const struct ct_pair_block *block,
                     const double *distance, int k, int *nearest, double *nearest_distance,
                     int *found);

#endif
