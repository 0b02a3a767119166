/* metrics.c: see metrics.h. */
#include "metrics.h"
#include "core/metric/periodic.h"

#include <math.h>

int metrics_count(void)
{
    return 11;
}

struct named_metric metric_number(int which, int d)
{
    static const double box[] = {1, 2.5, 0.75, 4, 1, 0.3, 2, 1, 1, 3, 1, 1, 1, 7, 0.5, 1, 1,
                                 1, 1,   1,    1, 1, 1,   1, 1, 1, 1, 1, 1, 1, 1, 1,   1};
    int sphere = d > 2 ? d - 1 : d, periods = d / 3;
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
        {"Jaccard", {.measure = CT_JACCARD}},
        {"periodic",
         {.measure = periods > 0 ? CT_PERIODIC : CT_NORM, .periods = periods, .box = box}},
    };
    return metrics[which];
}

/* A coordinate is an element if three times its size is odd, rounded down. */
static void make_sets(struct cloud *cloud)
{
    for (int i = 0; i < cloud->n; i++) {
        double *x = cloud->x + i;
        int size = 0;
        for (int j = 0; j < cloud->d; j++) {
            double *at = x + (size_t)j * cloud->n;
            *at = fmod(floor(3 * fmin(fabs(*at), 1e300)), 2);
            if (j == cloud->d - 1 && size == 0)
                *at = 1;
            size += *at != 0;
        }
        for (int j = 0; j < cloud->d; j++)
            x[(size_t)j * cloud->n] /= sqrt(size);
    }
}

/* The first columns, one for each period, become periodic; the last but these stay. */
static void make_periodic(const struct ct_metric *metric, struct cloud *cloud)
{
    const double turn = 6.283185307179586;
    int periods = metric->periods;
    for (int i = 0; i < cloud->n; i++)
        for (int j = periods - 1; j >= 0; j--) {
            double *x = cloud->x + i, box = metric->box[j], at = fmod(x[(size_t)j * cloud->n], box);
            at = at < 0 ? at + box : at;
            at = at < box ? at : 0;
            x[(size_t)(cloud->d - periods + j) * cloud->n] = at * CT_TRAILING;
            x[(size_t)(2 * j) * cloud->n] = box / turn * cos(turn * (at / box));
            x[(size_t)(2 * j + 1) * cloud->n] = box / turn * sin(turn * (at / box));
        }
}

void suit_metric(const struct ct_metric *metric, struct cloud *cloud)
{
    if (metric->measure == CT_JACCARD)
        make_sets(cloud);
    if (metric->measure == CT_PERIODIC)
        make_periodic(metric, cloud);
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
    long double sum = 0, most = 0, power = 0, minus = 0, plus = 0, rest = 0, torus = 0;
    int both = 0, either = 0;
    for (int j = 0; j < d; j++) {
        long double gap = fabsl((long double)x[j] - y[j]), sum_of = (long double)x[j] + y[j];
        sum += gap;
        most = fmaxl(most, gap);
        power += powl(gap, metric->power);
        *(j < metric->sphere ? &minus : &rest) += gap * gap;
        plus += j < metric->sphere ? sum_of * sum_of : 0;
        both += x[j] != 0 && y[j] != 0;
        either += x[j] != 0 || y[j] != 0;
        if (j >= d - metric->periods) {
            gap /= CT_TRAILING;
            gap = fminl(gap, fabsl(metric->box[j - (d - metric->periods)] - gap));
        }
        torus += j < 2 * metric->periods ? 0 : gap * gap;
    }
    long double angle = 2 * atan2l(sqrtl(minus), sqrtl(plus));
    switch (metric->measure) {
    case CT_COSINE:
        return rest / 2;
    case CT_ARC:
        return metric->radius * sqrtl(angle * angle + rest);
    case CT_MINKOWSKI:
        return powl(power, 1 / (long double)metric->power);
    case CT_JACCARD:
        return (either - both) / (long double)either;
    case CT_PERIODIC:
        return sqrtl(torus);
    default:
        return metric->norm == CT_MANHATTAN   ? sum
               : metric->norm == CT_CHEBYSHEV ? most
                                              : sqrtl(rest);
    }
}
