/* residual_metric.h: reads a residual correlation from R's lists. */
#ifndef COVERTREE_GLUE_RESIDUAL_METRIC_H
#define COVERTREE_GLUE_RESIDUAL_METRIC_H

#include "core/covertree.h"
#include "glue/host.h"

/* The kernels of a level: its number, from 1, in r_simd_levels(). */
const struct ct_correlation_kernels *r_correlation_kernels(SEXP simd);

/* R's list(z, v, p), without a copy; it lives as long as the list. */
struct ct_factors r_factors(SEXP points);

/* R's list(kind, variance, m, points), likewise. */
struct ct_residual_metric r_residual_metric(SEXP metric);

#endif
