/* metrics.c: see metrics.h. */
#include "metrics.h"

#include <math.h>

int metrics_count(void)
{
    return 9;
}

struct named_metric metric_number(int which, int d)
{
    int sphere = d > 2 ? d - 1 : d;
    const struct named_metric metrics[] = {
        {"Manhattan", {.norm = CT_MANHATTAN}},
        {"Chebyshev", {.norm = CT_CHEBYSHEV}},
        {"cosine", {.measure = CT_COSINE}},
        {"angular", {.measure = CT_ARC, .sphere = d, .radius = 1}},
        {"arc", {.measure = CT_ARC, .sphere = d, .radius = 6371.0088}},
        {"arc and time", {.measure = CT_ARC, .sphere = sphere, .radius = 6371.0088}},
        {"Minkowski 1.3", {.measure = CT_MINKOWSKI, .power = 1.3}},
        {"Minkowski 3", {.measure = CT_MINKOWSKI, .power = 3}},
        {"Minkowski 40", {.measure = CT_MINKOWSKI, .power = 40}},
    };
    return metrics[which];
}

void suit_metric(const struct ct_metric *metric, struct cloud *cloud)
{
    int sphere = metric->measure == CT_COSINE ? cloud->d
                 : metric->measure == CT_ARC  ? metric->sphere
                                              : 0;
    for (int i = 0; i < cloud->n && sphere > 0; i++) {
        double *x = cloud->x + i, most = 0, sum = 0;
        for (int j = 0; j < sphere; j++)
            most = fmax(most, fabs(x[(size_t)j * cloud->n]));
        int vanishes = !(most > 1e-300) || !(most < 1e300);
        for (int j = 0; j < sphere; j++) {
            double *at = x + (size_t)j * cloud->n;
            *at = vanishes ? j == 0 : *at / most;
            sum += *at * *at;
        }
        for (int j = 0; j < sphere; j++)
            x[(size_t)j * cloud->n] /= sqrt(sum);
    }
}

long double reference_distance(const struct ct_metric *metric, const double *x, const double *y,
                               int d)
{
    long double sum = 0, most = 0, power = 0, minus = 0, plus = 0, rest = 0;
    for (int j = 0; j < d; j++) {
        long double gap = fabsl((long double)x[j] - y[j]), both = (long double)x[j] + y[j];
        sum += gap;
        most = fmaxl(most, gap);
        power += powl(gap, metric->power);
        *(j < metric->sphere ? &minus : &rest) += gap * gap;
        plus += j < metric->sphere ? both * both : 0;
    }
    long double angle = 2 * atan2l(sqrtl(minus), sqrtl(plus));
    switch (metric->measure) {
    case CT_COSINE:
        return rest / 2;
    case CT_ARC:
        return metric->radius * sqrtl(angle * angle + rest);
    case CT_MINKOWSKI:
        return powl(power, 1 / (long double)metric->power);
    default:
        return metric->norm == CT_MANHATTAN   ? sum
               : metric->norm == CT_CHEBYSHEV ? most
                                              : sqrtl(rest);
    }
}
