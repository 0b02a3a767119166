/* metrics.h: the metrics that the checks go through, and points that suit each. */
#ifndef METRICS_H
#define METRICS_H

#include "clouds.h"
#include "core/metric/metric.h"

struct named_metric {
    const char *name;
    struct ct_metric metric;
};

int metrics_count(void);

/* The metric of that number for points in d coordinates. */
struct named_metric metric_number(int which, int d);

/* Makes points that the metric can compare: divides the leading coordinates of each point by their
 * length, where a point of length 0 or beyond all range gets the first unit vector; makes sets or
 * periodic columns of the coordinates. Other metrics leave the cloud as it is. */
void suit_metric(const struct ct_metric *metric, struct cloud *cloud);

/* The distance by its definition, in long double. */
long double reference_distance(const struct ct_metric *metric, const double *x, const double *y,
                               int d);

#endif
