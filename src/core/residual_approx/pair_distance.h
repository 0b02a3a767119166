/* pair_distance.h: squared distances of one query to a batch of points by row number.
 *
 * The approximate search calls this for its candidates, CT_PAIR_BATCH at a time, because
 * candidates that are near in space lie near each other in memory. The coordinates and
 * the residual variances of the points are copied once, in tree order. The dot product of
 * the factors is most of the work, m multiplications and additions a pair; it takes
 * either v itself, 8 m bytes a point, or quantized v, 2 m bytes a point, where the
 * quantization error is small beside the residual variances. An exact dot product reads v by
 * row: v has no copy in tree order, which would double the memory of the metric.
 */
#ifndef COVERTREE_RESIDUAL_APPROX_PAIR_DISTANCE_H
#define COVERTREE_RESIDUAL_APPROX_PAIR_DISTANCE_H

#include "core/residual/correlation.h"
#include "core/residual_approx/quantize.h"
#include "core/simd/dot4.h"
#include "core/tree/tree.h"

enum { CT_PAIR_BATCH = 16 }; /* points of one call, at most */

/* The points, the queries and the kernels. Query number i is point i of query_points, or the
 * own point in row i + 1. */
struct ct_pair_input {
    const struct ct_residual_metric *metric; /* of the tree's points, by row */
    const struct ct_factors *query_points;   /* NULL: the tree's own points */
    struct ct_quantized quantized; /* v of the points in tree order; v NULL: exact dot products */
    const struct ct_correlation_kernels *correlation_kernels;
    const struct ct_dot4_kernels *dot4_kernels;
};

/* The input, and copies of what is read of every candidate. */
struct ct_pair_distances {
    struct ct_pair_input input;
    const struct ct_factors *queries; /* input.query_points, or metric->points */
    const int *pos_of_row;            /* [n] position in the tree of row i + 1 */
    const double *point_data;         /* [n * (d + 1)] in tree order: z of a point, then sqrt(p) */
};

/* Copies coordinates and residual variances of the n points in tree order: 8 (d + 1) + 4
 * bytes a point. */
struct ct_pair_distances ct_pair_distances_make(const struct ct_host *host,
                                                const struct ct_pair_input *input,
                                                const struct ct_tree *tree);

/* The quantized v of query number `query`. That of an own point is its v among the points'; that
 * of a query point has a unit of its own, and is written to buffer [ct_quantized_stride(m)].
 * v is NULL if exact dot products are needed for all candidates: there is no quantized v, or
 * the quantization error is too large for the residual variance of the query. */
struct ct_quantized ct_pair_quantize_query(const struct ct_pair_distances *pairs, int query,
                                           int16_t *buffer);

/* sq[i] = squared distance of query number `query` to row[i], for count <= CT_PAIR_BATCH
 * rows. By exact dot products if quantized.v is NULL; the bits are then those of
 * ct_residual_sqdist(). Otherwise by quantized ones: the error of sq[i] is, as a rule, at most
 * ct_quantization_error() / sqrt(p_x p_y) for the residual variances p_x and p_y of the
 * pair, and a pair for which that is above 0.02 gets an exact dot product. Needs p > 0 of the
 * query. Writes no more than `count` values. */
void ct_pair_distances_sq(const struct ct_pair_distances *pairs, int query,
                          struct ct_quantized quantized, const int *row, int count, double *sq);

/* The error of the query's squared distances from quantized v that is exceeded only as an
 * exception, for a candidate with the residual variance of the query: the error of the dot
 * product, ct_quantization_error(), over p. A query point is taken to have a v no longer than
 * the longest of the points; otherwise the error is larger by the ratio of the two norms.
 * Constant time. */
double ct_pair_quantization_error(const struct ct_pair_distances *pairs, int query);

#endif
