/* test_dot4.c: dot products of one vector with four. In double they have the bits of the exact dot
 * product; in int16 they are exact integers. Any length, any addresses, every instruction set. */
#include "check.h"
#include "clouds.h"
#include "core/residual/correlation.h"
#include "core/residual_approx/quantize.h"
#include "core/simd/correlation.h"
#include "core/simd/dot4.h"
#include "host.h"

#include <math.h>
#include <string.h>

enum { VECTORS = CT_DOT4_COUNT + 1 };

/* A normal value, or one of any size from 2^-20 to 2^20 if wide. */
static double draw(int wide)
{
    double x = random_normal();
    return wide ? ldexp(x, random_below(40) - 20) : x;
}

/* Vectors of m values, padded with zeros; each in its own block of memory, for the sanitizers. */
static double **draw_vectors(int m, size_t stride, int wide)
{
    double **x = keep(VECTORS, sizeof *x);
    for (int i = 0; i < VECTORS; i++) {
        x[i] = keep(stride, sizeof **x);
        for (size_t j = 0; j < stride; j++)
            x[i][j] = j < (size_t)m ? draw(wide) : 0;
    }
    return x;
}

static void check_dot_f64(int m, int wide)
{
    size_t stride = ct_v_stride(m);
    double **x = draw_vectors(m, stride, wide), first[CT_DOT4_COUNT];
    const double *w[CT_DOT4_COUNT] = {x[1], x[2], x[3], x[4]};
    for (int i = 0; i < CT_DOT4_COUNT; i++)
        first[i] = ct_correlation_kernels(CT_SIMD_BASE)->dot(x[0], w[i], stride);
    for (int level = 0; level <= (int)ct_simd_best(); level++) {
        const struct ct_correlation_kernels *kernels =
            ct_correlation_kernels((enum ct_simd_level)level);
        double to[CT_DOT4_COUNT], one[CT_DOT4_COUNT];
        ct_dot4_kernels((enum ct_simd_level)level)->dot_f64(x[0], w, stride, to);
        for (int i = 0; i < CT_DOT4_COUNT; i++)
            one[i] = kernels->dot(x[0], w[i], stride);
        check_about("double, %d values, %s, %s", m, wide ? "wide" : "normal", kernels->name);
        CHECK(memcmp(to, one, sizeof to) == 0);
        CHECK(memcmp(to, first, sizeof to) == 0);
    }
    keep_end();
}

/* A quantized vector of the largest norm; with `one`, a single component holds all of it. */
static int16_t *draw_i16(size_t stride, int m, int one)
{
    int16_t *v = keep(stride, sizeof *v);
    double sq = 0, *x = keep((size_t)m + 1, sizeof *x);
    for (int j = 0; j < m; j++) {
        x[j] = one ? j == m / 2 : draw(m % 2);
        sq += x[j] * x[j];
    }
    for (size_t j = 0; j < stride; j++)
        v[j] = j < (size_t)m ? (int16_t)(x[j] / sqrt(sq) * CT_QUANTIZED_MAX_NORM) : 0;
    return v;
}

static void check_dot_i16(int m, int one)
{
    size_t stride = ct_quantized_stride(m);
    int16_t *v[VECTORS];
    for (int i = 0; i < VECTORS; i++)
        v[i] = draw_i16(stride, m, one);
    const int16_t *w[CT_DOT4_COUNT] = {v[0], v[2], v[3], v[4]};
    for (int level = 0; level <= (int)ct_simd_best(); level++) {
        int32_t to[CT_DOT4_COUNT];
        ct_dot4_kernels((enum ct_simd_level)level)->dot_i16(v[0], w, stride, to);
        check_about("int16, %d values, %s, level %d", m, one ? "one" : "all", level);
        for (int i = 0; i < CT_DOT4_COUNT; i++) {
            long long sum = 0;
            for (size_t j = 0; j < stride; j++)
                sum += (long long)v[0][j] * w[i][j];
            CHECK(to[i] == sum);
        }
    }
    keep_end();
}

/* Vectors that occur more than once in a call, the common vector among them. */
static void check_shared(void)
{
    size_t stride = ct_v_stride(100);
    double **x = draw_vectors(100, stride, 0), to[CT_DOT4_COUNT];
    const double *w[CT_DOT4_COUNT] = {x[1], x[0], x[1], x[0]};
    for (int level = 0; level <= (int)ct_simd_best(); level++) {
        ct_dot4_kernels((enum ct_simd_level)level)->dot_f64(x[0], w, stride, to);
        check_about("shared vectors, level %d", level);
        CHECK(to[0] == to[2] && to[1] == to[3] && to[1] > 0);
        CHECK(to[0] == ct_correlation_kernels((enum ct_simd_level)level)->dot(x[0], x[1], stride));
    }
    keep_end();
}

int main(void)
{
    static const int lengths[] = {0,  1,  2,  7,   15,  16,  17,  31,   32,
                                  33, 48, 63, 100, 128, 257, 500, 1024, 3000};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (int wide = 0; wide < 2; wide++) {
            check_dot_f64(lengths[i], wide);
            if (lengths[i] > 0)
                check_dot_i16(lengths[i], wide);
        }
    check_shared();
    return check_done("dot4");
}
