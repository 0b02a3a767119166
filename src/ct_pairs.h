/* ct_pairs.h: correlations of a query with a few points, as a walk meets them.
 *
 * Points that are near lie near each other in memory: what is read of them is in the
 * order of the tree. Dot products in float halve it, where they tell enough.
 */
#ifndef CT_PAIRS_H
#define CT_PAIRS_H

#include "ct_walk.h"

enum { CT_WAVE = 16 }; /* points that are met together, at most */

struct ct_pairs {
    const struct ct_walk *walk;
    const struct ct_latent *from; /* of the queries */
    const int *place;             /* [n] where the point of a row is in the tree */
    const double *spot; /* [n * (d + 1)] by place: coordinates, root of the residual variance */
};

struct ct_pairs ct_pairs_make(const struct ct_host *host, const struct ct_walk *walk,
                              const struct ct_tree *tree);

/* v of a query in float, perhaps in buffer, [ct_row_stride(m)]; NULL where the walk goes
 * by v itself. */
const float *ct_pairs_query(const struct ct_pairs *pairs, int line, float *buffer);

/* Correlations of a query with up to CT_WAVE rows: by its v in float, or exact ones if
 * that is NULL. */
void ct_pairs_rho(const struct ct_pairs *pairs, int line, const float *query, const int *row,
                  int count, double *rho);

#endif
