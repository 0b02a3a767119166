/* pair_distance.h: squared distances of one query to a batch of points by row number.
 *
 * The approximate search calls this for its candidates, CT_PAIR_BATCH at a time, because
 * candidates that are near in space lie near each other in memory. The coordinates and
 * the residual variances of the points are copied once, in tree order. The dot product of
 * the factors is most of the work, m multiplications and additions a pair; it takes
 * either v itself, 8 m bytes a point, or quantized v, 2 m bytes a point, where the
 * quantization error is small beside the residual variances.
 */
#ifndef COVERTREE_RESIDUAL_APPROX_PAIR_DISTANCE_H
#define COVERTREE_RESIDUAL_APPROX_PAIR_DISTANCE_H

#include "core/residual/correlation.h"
#include "core/residual_approx/quantize.h"
#include "core/simd/dot4.h"
#include "core/tree/tree.h"

enum { CT_PAIR_BATCH = 16 }; /* points of one call, at most */

/* The points, the queries and the kernels. */
struct ct_pair_input {
    const struct ct_residual_metric *metric; /* of the tree's points, by row */
    const struct ct_factors *query_points;   /* of foreign queries; NULL: own points */
    struct ct_quantized quantized; /* v of the points in tree order; v NULL: exact dot products */
    const struct ct_correlation_kernels *correlation_kernels;
    const struct ct_dot4_kernels *dot4_kernels;
};

struct ct_pair_distances {
    struct ct_pair_input input;
    const struct ct_factors *queries; /* input.query_points, or the points' own */
    const int *pos_of_row;            /* [n] position in the tree of row i + 1 */
    const double *point_data;         /* [n * (d + 1)] in tree order: z of a point, then sqrt(p) */
};

/* Copies coordinates and residual variances of the n points in tree order: 8 (d + 1) + 4
 * bytes a point. */
struct ct_pair_distances ct_pair_distances_make(const struct ct_host *host,
                                                const struct ct_pair_input *input,
                                                const struct ct_tree *tree);

/* The quantized v of query number `query`: of an own point, a pointer to its v; of a foreign
 * query, written to buffer [ct_quantized_stride(m)]. v is NULL where exact dot products are
 * needed for all points: there is no quantized v, or the quantization error is too large
 * for the residual variance of the query. */
struct ct_quantized ct_pair_quantize_query(const struct ct_pair_distances *pairs, int query,
                                           int16_t *buffer);

/* sq[i] = squared distance of query number `query` to row[i], for count <= CT_PAIR_BATCH
 * rows. By exact dot products if quantized.v is NULL; the bits are then those of
 * ct_residual_sqdist(). Otherwise by quantized ones, but exact for each pair whose
 * residual variances are too small for that. The query's residual variance is above 0. */
void ct_pair_distances_sq(const struct ct_pair_distances *pairs, int query,
                          struct ct_quantized quantized, const int *row, int count, double *sq);

/* The largest error of a squared distance from quantized v, as a rule: that of the dot
 * product, see ct_quantization_error(), over the residual variance of the query. */
double ct_pair_quantization_error(const struct ct_pair_distances *pairs, int query);

#endif
