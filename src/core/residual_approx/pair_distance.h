/* pair_distance.h: correlations of a query with a few points, as a walk meets them.
 *
 * Points that are near lie near each other in memory: what is read of them is in the
 * order of the tree, and coarse where that tells enough.
 */
#ifndef COVERTREE_RESIDUAL_APPROX_PAIR_DISTANCE_H
#define COVERTREE_RESIDUAL_APPROX_PAIR_DISTANCE_H

#include "core/residual_approx/approx_search.h"

enum { CT_PAIR_BATCH = 16 }; /* points that are met together, at most */

struct ct_pair_distances {
    const struct ct_approx_search *walk;
    const struct ct_factors *from; /* of the queries */
    const int *place;              /* [n] where the point of a row is in the tree */
    const double *spot; /* [n * (d + 1)] by place: coordinates, root of the residual variance */
};

struct ct_pair_distances ct_pair_distances_make(const struct ct_host *host,
                                                const struct ct_approx_search *walk,
                                                const struct ct_tree *tree);

/* The coarse v of a query, perhaps in buffer, [ct_quantized_stride(m)]; NULL where the walk
 * goes by v itself. */
struct ct_quantized ct_pair_quantize_query(const struct ct_pair_distances *pairs, int line,
                                           int16_t *buffer);

/* Squares of the distances of a query to up to CT_PAIR_BATCH rows: by its coarse v, or exact ones
 * if that is NULL. */
void ct_pair_distances_sq(const struct ct_pair_distances *pairs, int line,
                          struct ct_quantized query, const int *row, int count, double *sq);

/* What coarse correlations of a query are off by, at most, as a rule. */
double ct_pair_quantization_error(const struct ct_pair_distances *pairs, int line);

#endif
