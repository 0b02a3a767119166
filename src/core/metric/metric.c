/* metric.c: see metric.h.
 *
 * Every sum of d terms has a relative rounding error below (d + 2) u, u = 2^-53, and so have the
 * squared lengths of unit vectors. margin() is at least eight times all errors of a distance
 * together. Where an angle is near pi, the sum x + y is nearly 0 and loses its relative precision:
 * ct_distance_bound_of() therefore subtracts the margin from |x + y|^2 itself.
 */
#include "core/metric/metric.h"
#include "core/metric/angle.h"
#include "core/metric/chebyshev.h"
#include "core/metric/jaccard.h"
#include "core/metric/manhattan.h"
#include "core/metric/periodic.h"

#include <float.h>
#include <math.h>

static const double pi = 0x1.921fb54442d18p+1;

double ct_other_norm_sq(enum ct_norm norm, const double *x, size_t x_stride, const double *y,
                        size_t y_stride, int d)
{
    double length = norm == CT_MANHATTAN ? ct_manhattan(x, x_stride, y, y_stride, d)
                                         : ct_chebyshev(x, x_stride, y, y_stride, d);
    return length * length;
}

double ct_box_norm_sq(enum ct_norm norm, const double *lower, const double *upper, size_t ld,
                      const double *q_lower, const double *q_upper, int d)
{
    if (norm == CT_EUCLIDEAN)
        return ct_box_sqdist(lower, upper, ld, q_lower, q_upper, d);
    double length = norm == CT_MANHATTAN ? ct_box_manhattan(lower, upper, ld, q_lower, q_upper, d)
                                         : ct_box_chebyshev(lower, upper, ld, q_lower, q_upper, d);
    return length * length;
}

/* Distance on the sphere, and beside it: the angle between the leading coordinates and the
 * Euclidean distance of the others, as the two sides of a right angle. */
static double arc(const struct ct_metric *metric, const double *x, size_t x_stride, const double *y,
                  size_t y_stride, int d)
{
    double difference = 0, sum = 0;
    for (int j = 0; j < metric->sphere; j++) {
        double gap = x[j * x_stride] - y[j * y_stride], both = x[j * x_stride] + y[j * y_stride];
        difference += gap * gap;
        sum += both * both;
    }
    double angle = ct_angle(difference, sum);
    if (metric->sphere == d)
        return metric->radius * angle;
    size_t rest = (size_t)metric->sphere;
    double beside =
        ct_sqdist(x + rest * x_stride, x_stride, y + rest * y_stride, y_stride, d - metric->sphere);
    return metric->radius * sqrt(angle * angle + beside);
}

/* Differences are divided by the largest: powers then neither overflow nor all underflow. */
static double minkowski(double power, const double *x, size_t x_stride, const double *y,
                        size_t y_stride, int d)
{
    double most = ct_chebyshev(x, x_stride, y, y_stride, d), sum = 0;
    if (most == 0)
        return 0;
    for (int j = 0; j < d; j++)
        sum += pow(fabs(x[j * x_stride] - y[j * y_stride]) / most, power);
    return most * pow(sum, 1 / power);
}

double ct_metric_sq(const struct ct_metric *metric, const double *x, size_t x_stride,
                    const double *y, size_t y_stride, int d)
{
    double distance;
    switch (metric->measure) {
    case CT_COSINE:
        distance = ct_sqdist(x, x_stride, y, y_stride, d) / 2;
        return distance * distance;
    case CT_ARC:
        distance = arc(metric, x, x_stride, y, y_stride, d);
        return distance * distance;
    case CT_MINKOWSKI:
        distance = minkowski(metric->power, x, x_stride, y, y_stride, d);
        return distance * distance;
    case CT_JACCARD:
        distance = ct_jaccard(x, x_stride, y, y_stride, d);
        return distance * distance;
    case CT_PERIODIC:
        return ct_periodic_sq(metric->box, metric->periods, x, x_stride, y, y_stride, d);
    default:
        return ct_norm_sq(metric->norm, x, x_stride, y, y_stride, d);
    }
}

/* Relative margin for the rounding of d terms; see above. */
static double margin(int d)
{
    return 1 + 16 * (d + 8) * DBL_EPSILON;
}

/* The chord of an angle x, 2 sin(x / 2), is at most three terms of its power series, which increase
 * up to x = pi. With further coordinates the chord is replaced by the angle. */
static double chord_bound(const struct ct_metric *metric, int d, double distance)
{
    double angle = distance / metric->radius * margin(d), sq = angle * angle;
    if (metric->sphere < d)
        return angle;
    return angle < pi ? angle * (1 - sq / 24 * (1 - sq / 80)) * margin(d) : 2 * margin(d);
}

/* An upper bound of 2 asin(chord / 2), the angle of a chord. Below 1/2 by the power series: the
 * last term covers all that follow. */
static double angle_bound(double chord, int d)
{
    double sq = chord * chord, sum_sq = 4 * (2 - margin(d)) - sq;
    if (chord <= 0.5)
        return chord * (1 + sq / 24 * (1 + sq / 8));
    return sum_sq > 0 ? ct_angle(sq, sum_sq) : pi;
}

/* The largest distance of pairs whose norm is at most `norm`. angle^2 - chord^2 increases with the
 * chord, hence the largest distance is that of pairs which differ on the sphere only; beyond the
 * diameter, that of antipodes which also differ beside the sphere. */
static double arc_bound(const struct ct_metric *metric, int d, double norm)
{
    double chord = norm * margin(d), angle = angle_bound(chord, d);
    if (metric->sphere < d && chord > 1.99)
        angle = sqrt(pi * pi + chord * chord);
    return metric->radius * angle * margin(d);
}

/* Of two norms of powers p < q, |x|_q <= |x|_p <= d^(1/p - 1/q) |x|_q. */
static double norm_ratio(double power, int d)
{
    return pow(d, fabs(0.5 - 1 / power)) * margin(d);
}

/* Let c be the cosine of two sets as unit vectors, and s = |A and B| / |A or B|. Then c^2 <= s <= c
 * / (2 - c), with equality on the left for a subset, and on the right for sets of equal size. The
 * squared chord is 2 - 2 c. */
static double jaccard_bound(int d, double norm)
{
    double sq = norm * norm * margin(d);
    return sq < 2 ? sq * (1 - sq / 4) * margin(d) : 1;
}

/* The trailing columns add at most 2^-40 of the diagonal of the box to a norm; the coordinates
 * on circles are wrong by less. */
static double trailing(const struct ct_metric *metric)
{
    double sum = 0;
    for (int j = 0; j < metric->periods; j++)
        sum += metric->box[j] * metric->box[j];
    return 0x1p-39 * sqrt(sum);
}

/* Among all differences with a given chord, the distance is largest if the whole chord is in the
 * circle with the shortest period, because the ratio of arc to chord increases with the chord and
 * decreases with the period. The ratio is at most pi / 2. */
static double periodic_bound(const struct ct_metric *metric, int d, double norm)
{
    double least = metric->box[0], chord = (norm + trailing(metric)) * margin(d);
    for (int j = 1; j < metric->periods; j++)
        least = fmin(least, metric->box[j]);
    double radius = least / (2 * pi);
    double distance = chord < 2 * radius ? radius * angle_bound(chord / radius, d) : pi / 2 * chord;
    return distance * margin(d);
}

double ct_norm_bound_of(const struct ct_metric *metric, int d, double distance)
{
    if (distance == INFINITY)
        return INFINITY;
    switch (metric->measure) {
    case CT_COSINE:
        return sqrt(2 * distance) * margin(d);
    case CT_ARC:
        return chord_bound(metric, d, distance);
    case CT_MINKOWSKI:
        return distance * (metric->power > 2 ? norm_ratio(metric->power, d) : margin(d));
    case CT_JACCARD:
        return distance < 1 ? sqrt(2 * distance / (2 - distance)) * margin(d) : 2;
    case CT_PERIODIC:
        return (distance + trailing(metric)) * margin(d);
    default:
        return distance;
    }
}

double ct_distance_bound_of(const struct ct_metric *metric, int d, double norm)
{
    if (norm == INFINITY)
        return INFINITY;
    switch (metric->measure) {
    case CT_COSINE:
        return norm * norm / 2 * margin(d);
    case CT_ARC:
        return arc_bound(metric, d, norm);
    case CT_MINKOWSKI:
        return norm * (metric->power < 2 ? norm_ratio(metric->power, d) : margin(d));
    case CT_JACCARD:
        return jaccard_bound(d, norm);
    case CT_PERIODIC:
        return periodic_bound(metric, d, norm);
    default:
        return norm;
    }
}
