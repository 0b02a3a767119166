/* random_factors.h: random factors of residual correlations, and their values in long double. */
#ifndef RANDOM_FACTORS_H
#define RANDOM_FACTORS_H

#include "core/residual/correlation.h"

/* Kept until keep_end(). */
struct factors_problem {
    struct ct_residual_metric metric;
    struct ct_factors others; /* 37 points like those of the metric, some of them equal */
};

/* How residual variances p, over the variance, are drawn. */
enum p_style {
    P_LARGE, /* 0.5 to 1 */
    P_MIXED, /* most from 0.3 to 1, some down to 1e-14, some 0 */
    P_SMALL  /* from 1 down to 1e-14, evenly in the logarithm; some 0 */
};

/* n points of d coordinates with m components of v; every fifth repeats another point. Variance,
 * offset and scale of the coordinates are random. */
struct factors_problem random_factors(enum ct_covariance kind, int n, int d, int m,
                                      enum p_style style);

/* k(x, y) - v_x . v_y of point i of the metric and other point j. */
long double reference_covariance(const struct factors_problem *problem, int i, int j);

/* The residual correlation of the same points. */
long double reference_rho(const struct factors_problem *problem, int i, int j);

static inline const struct ct_correlation_kernels *kernels_of(int level)
{
    return ct_correlation_kernels((enum ct_simd_level)level);
}

#endif
