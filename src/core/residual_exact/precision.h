/* precision.h: the points and queries that the filter multiplies in float, and in double.
 *
 * The margin of float is small compared with the residual variance of most points (class F32). For
 * the other points (class F64) the margin is so large that too many pairs would pass. A pair is
 * filtered in float if both points are of class F32, otherwise in double.
 */
#ifndef COVERTREE_RESIDUAL_EXACT_PRECISION_H
#define COVERTREE_RESIDUAL_EXACT_PRECISION_H

#include "core/residual_exact/filter.h"

/* Classes of queries; points have the first two. Class NONE has no residual variance: all
 * correlations are 0. */
enum { CT_CLASS_F32, CT_CLASS_F64, CT_CLASS_NONE, CT_CLASSES };

/* The result of ct_choose_precision(): the rule, and what it costs. */
struct ct_precision_choice {
    enum ct_precision precision; /* CT_PRECISION_AUTO: by class */
    double f64_share;            /* of the pairs */
    double f32_min_variance;     /* smallest residual variance of class F32, over the variance */
};

/* Points of one class, in the order of rows. */
struct ct_point_class {
    const int *pos; /* [count] */
    int count;
};

/* Queries ordered by class, then position. */
struct ct_class_queries {
    const struct ct_key_id *query; /* [begin[CT_CLASSES]] id: number in the batch */
    int begin[CT_CLASSES + 1];     /* first query of a class */
};

/* Chooses the classes by the norms of all points. If more than three quarters of the points would
 * be of class F64, all points and queries are of class F64, because packing in two precisions would
 * cost more than float saves. O(n). */
struct ct_precision_choice ct_choose_precision(const struct ct_filter *filter);

/* The class of a query with this root of p, as in struct ct_point_norms. */
int ct_query_class(const struct ct_precision_choice *choice, double root);

/* Divides the points into classes F32 and F64. Allocates n integers. */
void ct_sort_points(const struct ct_host *host, const struct ct_filter *filter,
                    const struct ct_precision_choice *choice, struct ct_point_class *classes);

/* Orders the queries that are not marked in answered [count], which may be NULL. */
struct ct_class_queries ct_sort_queries(const struct ct_host *host, const struct ct_filter *filter,
                                        const struct ct_precision_choice *choice,
                                        const char *answered);

#endif
