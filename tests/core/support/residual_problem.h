/* residual_problem.h: points, factors and queries of a residual correlation, for checks of
 * the approximate search.
 *
 * The coordinates are those of a cloud; the metric reads them on another scale than the
 * tree, as after a change of the lengthscale. Factors need no inducing points: v . v =
 * variance - p, with p from 1 down to 1e-14 and 0.
 */
#ifndef RESIDUAL_PROBLEM_H
#define RESIDUAL_PROBLEM_H

#include "core/residual/correlation.h"
#include "core/residual_approx/quantize.h"
#include "grow.h"

enum residual_style {
    WIDE_P,  /* residual variances of at least half the variance */
    MIXED_P, /* most of at least a third; some small, some 0 */
    SMALL_P  /* spread evenly over 14 decades */
};

struct residual_problem {
    struct cloud cloud, queries;
    struct grown grown;
    struct ct_residual_metric residual; /* of the cloud's points, by row */
    struct ct_factors foreign;          /* of the queries */
    struct ct_quantized quantized;      /* v of the points in tree order */
};

/* A problem on the named cloud with n points, d coordinates, m factors and some queries
 * on, between and beyond the points; kept until keep_end(). */
struct residual_problem residual_problem_make(const char *name, int n, int d, int m,
                                              enum residual_style style, int queries);

/* The exact square of the distance of a query to a row: of the query with this number, or,
 * if own, of the point in row query + 1. */
double residual_problem_sq(const struct residual_problem *problem, int own, int query, int row);

/* The same from quantized v, one pair at a time; exact where the quantization error is too
 * large for the pair or for all pairs of the query. */
double residual_problem_quantized_sq(const struct residual_problem *problem, int own, int query,
                                     int row);

/* The quantization error of a square of the query's distances, as a rule at most. */
double residual_problem_error(const struct residual_problem *problem, int own, int query);

#endif
