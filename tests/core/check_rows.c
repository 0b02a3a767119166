/* check_rows.c: dot products with a few vectors at once. In double they have the bits
 * of the exact ones, one by one; in float the same bits at every level, near those of
 * long doubles. Whatever the length, and wherever the vectors lie. */
#include "../../src/ct_dots.h"
#include "../../src/ct_rows.h"
#include "check.h"
#include "clouds.h"
#include "host.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { VECTORS = CT_ROWS + 1 };

/* Numbers of sizes that are near each other, or far apart. */
static double draw(int wide)
{
    double x = random_normal();
    return wide ? ldexp(x, random_below(40) - 20) : x;
}

/* Up to m numbers, and zeros; each vector is a block of its own, so that the sanitizers
 * see each step beyond it. */
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

static void check_fine(int m, int wide)
{
    size_t stride = ((size_t)m + CT_V_LANES - 1) / CT_V_LANES * CT_V_LANES;
    double **x = draw_vectors(m, stride, wide), first[CT_ROWS];
    const double *w[CT_ROWS] = {x[1], x[2], x[3], x[4]};
    for (int i = 0; i < CT_ROWS; i++)
        first[i] = ct_dots(CT_SIMD_BASE)->dot(x[0], w[i], stride);
    for (int level = 0; level <= (int)ct_simd_best(); level++) {
        const struct ct_dots *dots = ct_dots((enum ct_simd_level)level);
        double to[CT_ROWS], one[CT_ROWS];
        ct_rows((enum ct_simd_level)level)->fine(x[0], w, stride, to);
        for (int i = 0; i < CT_ROWS; i++)
            one[i] = dots->dot(x[0], w[i], stride);
        check_about("fine, %d numbers, %s, %s", m, wide ? "wide" : "normal", dots->name);
        CHECK(memcmp(to, one, sizeof to) == 0);
        CHECK(memcmp(to, first, sizeof to) == 0);
    }
    keep_end();
}

/* Every number goes through a product, and as many sums as its partial sum has terms and
 * halvings: each is off by half a unit in the last place at most. */
static void check_coarse(int m, int wide)
{
    size_t stride = ct_row_stride(m);
    double **x = draw_vectors(m, stride, wide);
    float *v[VECTORS], first[CT_ROWS];
    for (int i = 0; i < VECTORS; i++) {
        v[i] = keep(stride, sizeof *v[i]);
        for (size_t j = 0; j < stride; j++)
            v[i][j] = (float)x[i][j];
    }
    const float *w[CT_ROWS] = {v[1], v[2], v[3], v[4]};
    for (int level = 0; level <= (int)ct_simd_best(); level++) {
        float to[CT_ROWS];
        ct_rows((enum ct_simd_level)level)->coarse(v[0], w, stride, to);
        if (level == 0)
            memcpy(first, to, sizeof first);
        check_about("coarse, %d numbers, %s, level %d", m, wide ? "wide" : "normal", level);
        CHECK(memcmp(to, first, sizeof to) == 0);
    }
    double steps = 1 + (double)stride / CT_ROW_LANES + 5;
    for (int i = 0; i < CT_ROWS; i++) {
        long double sum = 0, size = 0;
        for (int j = 0; j < m; j++) {
            sum += (long double)v[0][j] * w[i][j];
            size += fabsl((long double)v[0][j] * w[i][j]);
        }
        CHECK(fabsl(first[i] - sum) <= 0.51 * FLT_EPSILON * steps * size);
    }
    keep_end();
}

/* The same vector in all places; and one with itself. */
static void check_shared(void)
{
    size_t stride = ct_row_stride(100);
    double **x = draw_vectors(100, stride, 0), to[CT_ROWS];
    const double *w[CT_ROWS] = {x[1], x[0], x[1], x[0]};
    for (int level = 0; level <= (int)ct_simd_best(); level++) {
        ct_rows((enum ct_simd_level)level)->fine(x[0], w, stride, to);
        check_about("shared vectors, level %d", level);
        CHECK(to[0] == to[2] && to[1] == to[3] && to[1] > 0);
        CHECK(to[0] == ct_dots((enum ct_simd_level)level)->dot(x[0], x[1], stride));
    }
    keep_end();
}

static void check_stride(void)
{
    check_about("strides");
    CHECK(ct_row_stride(0) == 0 && ct_row_stride(1) == CT_ROW_LANES);
    CHECK(ct_row_stride(CT_ROW_LANES) == CT_ROW_LANES);
    CHECK(ct_row_stride(CT_ROW_LANES + 1) == 2 * CT_ROW_LANES);
}

int main(void)
{
    static const int lengths[] = {0,  1,  2,  7,   15,  16,  17,  31,   32,
                                  33, 48, 63, 100, 128, 257, 500, 1024, 3000};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (int wide = 0; wide < 2; wide++) {
            check_fine(lengths[i], wide);
            check_coarse(lengths[i], wide);
        }
    check_shared();
    check_stride();
    return check_done("rows");
}
