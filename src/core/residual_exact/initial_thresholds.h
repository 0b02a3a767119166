/* initial_thresholds.h: bars that queries start with.
 *
 * Points that are close along a curve through space are often close in
 * correlation. Whatever is beyond the k-th of some is beyond the k-th of all.
 */
#ifndef COVERTREE_RESIDUAL_EXACT_INITIAL_THRESHOLDS_H
#define COVERTREE_RESIDUAL_EXACT_INITIAL_THRESHOLDS_H

#include "core/residual/correlation.h"

/* bar[i], for those of the residual's points that are queries: who has a square above
 * it is not among the k nearest of point i. */
void ct_initial_thresholds(const struct ct_host *host, const struct ct_exact_batch *batch, int k,
                           double *bar);

#endif
