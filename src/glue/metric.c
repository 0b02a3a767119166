/* metric.c: metrics from R, and distances of pairs. */
#include "glue/metric.h"
#include "glue/tree_handle.h"

#include <math.h>

struct ct_metric r_metric(SEXP from, int d)
{
    struct ct_metric metric = {0};
    if (Rf_isNull(from))
        return metric;
    int norm = r_int_option(from, "norm"), measure = r_int_option(from, "measure");
    metric.sphere = r_int_option(from, "sphere");
    metric.radius = r_double_option(from, "radius");
    metric.power = r_double_option(from, "power");
    int sound = norm >= 0 && norm < CT_NORMS && measure >= 0 && measure < CT_MEASURES &&
                (measure == CT_NORM || norm == CT_EUCLIDEAN);
    if (measure == CT_ARC)
        sound &= metric.sphere >= 1 && metric.sphere <= d && metric.radius > 0;
    if (measure == CT_MINKOWSKI)
        sound &= metric.power >= 1 && isfinite(metric.power);
    if (measure == CT_PERIODIC) {
        SEXP box = r_option(from, "box");
        metric.periods = TYPEOF(box) == REALSXP ? (int)XLENGTH(box) : 0;
        sound &= metric.periods >= 1 && 3 * (double)metric.periods <= d;
        metric.box = sound ? REAL_RO(box) : NULL;
    }
    if (!sound)
        r_stop("tree's metric is damaged; build the tree again with cover_tree()");
    metric.norm = (enum ct_norm)norm;
    metric.measure = (enum ct_measure)measure;
    return metric;
}

/* Position of every row [n], from 0. */
static const int *positions(const struct ct_tree *t)
{
    int *pos = r_host.alloc((size_t)t->n, sizeof *pos);
    for (int i = 0; i < t->n; i++)
        pos[t->row[i] - 1] = i;
    return pos;
}

/* Returns the distances [m x k] of queries and the rows in index [m x k], NA for NA. The queries
 * are the points in these rows of the tree, or in these rows of the matrix `query`. */
SEXP r_metric_distance(SEXP pointer, SEXP metric, SEXP query, SEXP rows, SEXP index)
{
    const struct ct_tree *t = r_tree(pointer);
    const struct ct_metric m = r_metric(metric, t->d);
    const int *pos = positions(t), *row = INTEGER_RO(rows), *of = INTEGER_RO(index);
    int own = Rf_isNull(query), count = Rf_nrows(index), k = Rf_ncols(index);
    const double *from = own ? t->points : REAL_RO(query);
    size_t ld = (size_t)(own ? t->n : Rf_nrows(query));
    SEXP distance = PROTECT(Rf_allocMatrix(REALSXP, count, k));
    for (size_t i = 0; i < (size_t)count * k; i++) {
        int at = row[i % count] - 1;
        const double *q = from + (own ? pos[at] : at);
        REAL(distance)
        [i] = of[i] == NA_INTEGER
                  ? NA_REAL
                  : sqrt(ct_metric_sq(&m, t->points + pos[of[i] - 1], (size_t)t->n, q, ld, t->d));
    }
    UNPROTECT(1);
    return distance;
}
