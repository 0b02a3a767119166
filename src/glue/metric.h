/* metric.h: metrics from R. */
#ifndef COVERTREE_GLUE_METRIC_H
#define COVERTREE_GLUE_METRIC_H

#include "core/covertree.h"
#include "glue/options.h"

/* The metric for points of d coordinates: of R's list(norm, measure, sphere, radius, power), as
 * search_code() in R/metric_coordinates.R makes it; Euclidean for NULL. An error if a value is out
 * of range.
 */
struct ct_metric r_metric(SEXP from, int d);

#endif
