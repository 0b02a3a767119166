/* angle.c: see angle.h.
 *
 * The arctangent of a ratio t in [0, 1]: atan(t) = atan(c) + atan((t - c) / (1 + c t)), where c is
 * the multiple of 1/8 nearest to t. The remaining ratio is at most 1/16, where eight terms of the
 * power series suffice: the ninth is below 2^-59 of the first.
 */
#include "core/metric/angle.h"

/* atan(i / 8) for i = 0, ..., 8, each as a double and the rest. */
static const double atan_eighth[][2] = {
    {0, 0},
    {0x1.fd5ba9aac2f6ep-4, -0x1.cd37686760c17p-59},
    {0x1.f5b75f92c80ddp-3, 0x1.8ab6e3cf7afbdp-57},
    {0x1.6f61941e4def1p-2, -0x1.c63aae6f6e918p-56},
    {0x1.dac670561bb4fp-2, 0x1.a2b7f222f65e2p-56},
    {0x1.1e00babdefeb4p-1, -0x1.928df287a668fp-58},
    {0x1.4978fa3269ee1p-1, 0x1.2419a87f2a458p-56},
    {0x1.700a7c5784634p-1, -0x1.8c34d25aadef6p-56},
    {0x1.921fb54442d18p-1, 0x1.1a62633145c07p-55},
};

/* pi / 2, as a double and the rest. */
static const double half_pi[] = {0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54};

/* Returns atan(t) - t for |t| <= 1/16. */
static double series(double t)
{
    double z = t * t;
    double sum = 1.0 / 15;
    sum = 1.0 / 13 - z * sum;
    sum = 1.0 / 11 - z * sum;
    sum = 1.0 / 9 - z * sum;
    sum = 1.0 / 7 - z * sum;
    sum = 1.0 / 5 - z * sum;
    sum = 1.0 / 3 - z * sum;
    return -(t * z * sum);
}

/* The arctangent of sqrt(a_sq / b_sq), a_sq <= b_sq, in two parts. */
static void arctangent(double a_sq, double b_sq, double *high, double *low)
{
    double a = sqrt(a_sq), b = sqrt(b_sq);
    int i = (int)(8 * (a / b) + 0.5);
    double c = i / 8.0, t = (a - c * b) / (b + c * a);
    *high = atan_eighth[i][0];
    *low = t + (atan_eighth[i][1] + series(t));
}

double ct_wide_angle(double difference_sq, double sum_sq)
{
    int obtuse = difference_sq > sum_sq;
    double high, low, ratio_sq = obtuse ? sum_sq / difference_sq : difference_sq / sum_sq;
    if (!(ratio_sq <= 1))
        return 0;
    arctangent(obtuse ? sum_sq : difference_sq, obtuse ? difference_sq : sum_sq, &high, &low);
    return 2 * (obtuse ? half_pi[0] - (high + (low - half_pi[1])) : high + low);
}
