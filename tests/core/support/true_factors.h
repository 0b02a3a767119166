/* true_factors.h: factors of points as they arise from inducing points, by substitution. */
#ifndef TRUE_FACTORS_H
#define TRUE_FACTORS_H

#include "core/residual_exact/exact_batch.h"

struct true_factors {
    struct ct_residual_metric metric;
    struct ct_factors others; /* 37 points on, near and beyond those of the metric */
    struct ct_factor_origin origin;
};

/* What a problem is like. */
struct true_factors_style {
    enum ct_covariance kind;
    int n, d, m;
    double lengthscale; /* over the spread of the points */
    double jitter;      /* over the variance */
    double nugget;      /* over the variance */
    double none;        /* p of at most this, over the variance, becomes 0 */
};

/* Every seventh point repeats another, and the inducing points are points of the metric. Variance
 * and offset of the coordinates are random. Kept until keep_end(). */
struct true_factors true_factors_make(const struct true_factors_style *style);

#endif
