/* test_quantize.c: quantized v. Each value is within half a unit of the original value, no vector
 * exceeds the permitted length, and errors of dot products are almost always within the stated
 * error. */
#include "check.h"
#include "clouds.h"
#include "core/residual/correlation.h"
#include "core/residual_approx/quantize.h"
#include "host.h"

#include <math.h>
#include <stdlib.h>

enum { POINTS = 40 };

/* Vectors of any length up to `longest`, with zeros at the end of each. */
static double *draw_vectors(int m, double longest)
{
    size_t stride = ct_v_stride(m);
    double *v = keep(POINTS * stride + 1, sizeof *v);
    for (int i = 0; i < POINTS; i++) {
        double sq = 0, length = i == 0 ? longest : longest * random_uniform();
        for (size_t j = 0; j < stride; j++) {
            v[i * stride + j] = j < (size_t)m ? random_normal() : 0;
            sq += v[i * stride + j] * v[i * stride + j];
        }
        for (int j = 0; j < m; j++)
            v[i * stride + j] *= length / sqrt(sq);
    }
    return v;
}

static double dot(const double *v, const double *w, int m)
{
    double sum = 0;
    for (int j = 0; j < m; j++)
        sum += v[j] * w[j];
    return sum;
}

static void check_values(int m, double longest)
{
    size_t stride = ct_v_stride(m), to_stride = ct_quantized_stride(m);
    double *v = draw_vectors(m, longest), unit = ct_quantization_unit(v, m, POINTS);
    int16_t *to = keep(POINTS * to_stride + 1, sizeof *to);
    int order[POINTS], far = 0, filled = 0, doubtful = 0, pairs = 0;
    for (int i = 0; i < POINTS; i++)
        order[i] = POINTS - i;
    check_about("%d numbers, length %g", m, longest);
    CHECK(unit > 0 && fabs(unit * CT_QUANTIZED_MAX_NORM - longest) <= 1e-12 * longest);
    ct_quantize(&host, v, m, order, POINTS, unit, 2, to);
    for (int i = 0; i < POINTS; i++)
        for (size_t j = 0; j < to_stride; j++) {
            double want = j < (size_t)m ? v[(POINTS - 1 - i) * stride + j] : 0;
            far += fabs(to[i * to_stride + j] * unit - want) > 0.5000001 * unit;
            filled += j >= (size_t)m && to[i * to_stride + j] != 0;
        }
    CHECK(far == 0);
    CHECK(filled == 0);
    for (int i = 0; i < POINTS; i++)
        for (int other = 0; other < i; other++, pairs++) {
            long long sum = 0;
            for (int j = 0; j < m; j++)
                sum += (long long)to[i * to_stride + j] * to[other * to_stride + j];
            double want = dot(v + (POINTS - 1 - i) * stride, v + (POINTS - 1 - other) * stride, m);
            CHECK(llabs(sum) < 1LL << 31);
            doubtful += fabs((double)sum * unit * unit - want) > ct_quantization_error(unit);
        }
    CHECK(doubtful <= pairs / 100);
    ct_quantize(&host, v, m, NULL, POINTS, unit, 1, to);
    CHECK(m == 0 || fabs(to[0] * unit - v[0]) <= 0.5000001 * unit);
    keep_end();
}

static void check_odd(void)
{
    double v[2 * 16] = {0};
    check_about("none, zeros, too long");
    CHECK(ct_quantization_unit(v, 0, 2) == 1 && ct_quantization_unit(v, 5, 2) == 1);
    v[16] = 1e200;
    CHECK(!isfinite(ct_quantization_unit(v, 5, 2)));
    CHECK(ct_quantized_stride(0) == 0 && ct_quantized_stride(1) == CT_QUANTIZED_LANES);
    CHECK(ct_quantized_stride(CT_QUANTIZED_LANES) == CT_QUANTIZED_LANES);
    CHECK(ct_quantized_stride(CT_QUANTIZED_LANES + 1) == 2 * CT_QUANTIZED_LANES);
}

int main(void)
{
    static const int lengths[] = {1, 2, 15, 16, 17, 31, 32, 33, 100, 500, 3000};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        check_values(lengths[i], 1);
        check_values(lengths[i], 1e-150);
        check_values(lengths[i], 3e100);
    }
    check_odd();
    return check_done("quantize");
}
