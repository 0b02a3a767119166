/* test_metric.c: every metric is its definition up to rounding, and symmetric; norm and distance of
 * all pairs keep the bounds that relate them, close to antipodes too; no point undercuts its box.
 */
#include "check.h"
#include "core/metric/metric.h"
#include "host.h"
#include "metrics.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { MOST = 40, ROUNDS = 3000 };

/* Two points: unrelated, close, equal but for one coordinate, equal, or opposite. */
static void draw_pair(int round, int d, double *x, double *y)
{
    double close = pow(10, -18 * random_uniform());
    int one = random_below(d);
    for (int j = 0; j < d; j++) {
        x[j] = random_normal();
        double other[] = {random_normal(), x[j] + close * random_normal(), x[j] + (j == one), x[j],
                          -x[j] + close * random_normal()};
        y[j] = other[round % 5];
    }
}

static void suit_pair(const struct ct_metric *metric, int d, double *x, double *y)
{
    struct cloud one = {"one", 1, d, x}, other = {"other", 1, d, y};
    suit_metric(metric, &one);
    suit_metric(metric, &other);
}

static void check_pairs(const struct named_metric *named, int d)
{
    const struct ct_metric *metric = &named->metric;
    int wrong = 0, directed = 0, root = 0, norms = 0, distances = 0, loose = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double x[MOST], y[MOST];
        draw_pair(round, d, x, y);
        suit_pair(metric, d, x, y);
        double sq = ct_metric_sq(metric, x, 1, y, 1, d), distance = sqrt(sq);
        double norm = sqrt(ct_norm_sq(metric->norm, x, 1, y, 1, d));
        long double want = reference_distance(metric, x, y, d);
        /* Differences around a period are rounded before they are taken from it. */
        double around = metric->measure == CT_PERIODIC ? 8 : 0;
        wrong += !(fabsl(distance - want) <= 8 * d * DBL_EPSILON * want + around * DBL_EPSILON);
        root += distance > 1e-150 && sqrt(distance * distance) != distance;
        directed += sq != ct_metric_sq(metric, y, 1, x, 1, d);
        norms += !(norm <= ct_norm_bound(metric, d, distance));
        distances += !(distance <= ct_distance_bound(metric, d, norm));
        /* Pairs on the sphere alone have a distance that is a function of the norm. */
        if (metric->measure == CT_COSINE || (metric->measure == CT_ARC && metric->sphere == d))
            loose += norm < 1.9 && (ct_norm_bound(metric, d, distance) > norm * 1.01 ||
                                    ct_distance_bound(metric, d, norm) > distance * (1 + 1e-4));
        if (metric->measure == CT_PERIODIC && distance > 1e-8 && distance < 0.02)
            loose += ct_norm_bound(metric, d, distance) > norm * 1.01 ||
                     ct_distance_bound(metric, d, norm) > distance * 1.01;
        if (metric->measure == CT_JACCARD)
            loose += ct_norm_bound(metric, d, distance) > norm * (1 + 2 * norm * norm);
    }
    check_about("%s, d = %d", named->name, d);
    CHECK(wrong == 0);
    CHECK(directed == 0);
    CHECK(root == 0);
    CHECK(norms == 0);
    CHECK(distances == 0);
    CHECK(loose == 0);
    CHECK(ct_norm_bound(metric, d, INFINITY) == INFINITY);
    CHECK(ct_distance_bound(metric, d, INFINITY) == INFINITY);
    CHECK(ct_norm_bound(metric, d, 0) <= (metric->measure == CT_PERIODIC ? 1e-10 : 0));
    CHECK(ct_distance_bound(metric, d, 0) <= (metric->measure == CT_PERIODIC ? 1e-10 : 0));
}

/* A point of a box, its sides among them, is no nearer to a query than the box; the nearest corner
 * or side is as near, to the bit. */
static void check_boxes(enum ct_norm norm, int d)
{
    int undercut = 0, tight = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double lower[MOST], upper[MOST], q[MOST], point[MOST], nearest[MOST];
        for (int j = 0; j < d; j++) {
            double a = random_normal(), b = random_normal(), share = random_below(3) / 2.0;
            lower[j] = fmin(a, b);
            upper[j] = fmax(a, b);
            q[j] = 3 * random_normal();
            point[j] = fmin(fmax(lower[j] + share * (upper[j] - lower[j]), lower[j]), upper[j]);
            nearest[j] = fmin(fmax(q[j], lower[j]), upper[j]);
        }
        double box = ct_box_norm_sq(norm, lower, upper, 1, q, q, d);
        undercut += ct_norm_sq(norm, point, 1, q, 1, d) < box;
        tight += ct_norm_sq(norm, nearest, 1, q, 1, d) == box;
    }
    check_about("norm %d, d = %d", (int)norm, d);
    CHECK(undercut == 0);
    CHECK(tight == ROUNDS);
}

int main(void)
{
    static const int dims[] = {1, 2, 3, 4, 9, MOST};
    for (int i = 0; i < 6; i++) {
        for (int which = 0; which < metrics_count(); which++) {
            struct named_metric named = metric_number(which, dims[i]);
            check_pairs(&named, dims[i]);
        }
        for (int norm = 0; norm < CT_NORMS; norm++)
            check_boxes((enum ct_norm)norm, dims[i]);
    }
    return check_done("metric");
}
