/* metric.h: the metrics of the searches by distance.
 *
 * A search needs two things of a metric: a norm of the differences of coordinates, by which float32
 * kernels and boxes discard points (simd/euclid.h), and the distance that results contain. The two
 * are the same for the Euclidean, Manhattan and Chebyshev distance. The other metrics are
 * increasing functions of a norm, or lie between two multiples of one:
 *
 *   metric        norm        distance                                 coordinates
 *   CT_COSINE     Euclidean   |x - y|^2 / 2                            unit vectors
 *   CT_ARC        Euclidean   radius sqrt(angle(x, y)^2 + |u - w|^2)   unit vectors x, y, then u, w
 *   CT_MINKOWSKI  Euclidean   (sum |x_j - y_j|^power)^(1/power)        any
 *   CT_JACCARD    Euclidean   1 - |A and B| / |A or B|                 sets A, B: see jaccard.h
 *   CT_PERIODIC   Euclidean   that of the nearest images               see periodic.h
 *
 * Two functions relate norm and distance, each with room for all rounding errors: searches keep
 * thresholds as distances, and discard by norms. So results are ordered by the distance as
 * returned.
 *
 * Searches store a distance as its square: the root of the square is the distance, to the bit,
 * unless the square underflows.
 */
#ifndef COVERTREE_METRIC_METRIC_H
#define COVERTREE_METRIC_METRIC_H

#include "core/metric/euclidean.h"

enum ct_norm { CT_EUCLIDEAN, CT_MANHATTAN, CT_CHEBYSHEV, CT_NORMS };

/* CT_NORM: the distance is the norm itself. */
enum ct_measure { CT_NORM, CT_COSINE, CT_ARC, CT_MINKOWSKI, CT_JACCARD, CT_PERIODIC, CT_MEASURES };

/* All zeros: Euclidean. */
struct ct_metric {
    enum ct_norm norm;
    enum ct_measure measure;
    int sphere;    /* CT_ARC: the number of leading coordinates, which are a unit vector; the others
                    * are those of u and w */
    double radius; /* CT_ARC: above 0 */
    double power;  /* CT_MINKOWSKI: at least 1 */
    int periods;   /* CT_PERIODIC: the number of periodic columns, at least 1, and */
    const double *box; /* [periods] their periods, above 0 */
};

/* Square of the Manhattan or Chebyshev norm of the difference of two points, with coordinates
 * x_stride and y_stride doubles apart. */
double ct_other_norm_sq(enum ct_norm norm, const double *x, size_t x_stride, const double *y,
                        size_t y_stride, int d);

/* Square of any norm of the difference of two points. */
static inline double ct_norm_sq(enum ct_norm norm, const double *x, size_t x_stride,
                                const double *y, size_t y_stride, int d)
{
    return norm == CT_EUCLIDEAN ? ct_sqdist(x, x_stride, y, y_stride, d)
                                : ct_other_norm_sq(norm, x, x_stride, y, y_stride, d);
}

/* Square of the norm of the gaps between two boxes, as in ct_box_sqdist(): no point of the boxes
 * undercuts it. */
double ct_box_norm_sq(enum ct_norm norm, const double *lower, const double *upper, size_t ld,
                      const double *q_lower, const double *q_upper, int d);

/* Square of the distance of two points: the canonical distance of the metric, whose root is what
 * results contain. O(d). */
double ct_metric_sq(const struct ct_metric *metric, const double *x, size_t x_stride,
                    const double *y, size_t y_stride, int d);

/* Upper bound of the norm for all pairs of points within this distance. Needs a measure other than
 * CT_NORM, like the next function. */
double ct_norm_bound_of(const struct ct_metric *metric, int d, double distance);

/* Upper bound of the distance for all pairs of points whose norm is at most `norm`. */
double ct_distance_bound_of(const struct ct_metric *metric, int d, double norm);

/* The same for all measures. */
static inline double ct_norm_bound(const struct ct_metric *metric, int d, double distance)
{
    return metric->measure == CT_NORM ? distance : ct_norm_bound_of(metric, d, distance);
}

static inline double ct_distance_bound(const struct ct_metric *metric, int d, double norm)
{
    return metric->measure == CT_NORM ? norm : ct_distance_bound_of(metric, d, norm);
}

#endif
