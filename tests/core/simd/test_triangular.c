/* test_triangular.c: the kernels of triangular systems against their definition, element by element
 * and bit by bit, in every instruction set; and that they write no other row. */
#include "check.h"
#include "clouds.h"
#include "core/simd/triangular.h"
#include "core/util/float.h"
#include "host.h"

#include <math.h>
#include <string.h>

static double draw(int wide)
{
    return random_normal() * (wide ? ldexp(1, random_below(60) - 30) : 1);
}

/* One element after another, product by product. */
static void expected_rows(const double *l, int terms, int solve, double *x)
{
    for (int i = 0; i < CT_PANEL_STEP; i++)
        for (int lane = 0; lane < CT_PANEL; lane++) {
            double *element = x + (size_t)(terms + i) * CT_PANEL + lane;
            for (int r = 0; r < terms + (solve ? i : 0); r++)
                *element -= l[(size_t)r * CT_PANEL + i] * x[(size_t)r * CT_PANEL + lane];
            if (solve)
                *element /= l[(size_t)(terms + i) * CT_PANEL + i];
        }
}

/* Rows terms, ... of x, by the kernels. */
static void rows_by_kernels(int level, const double *l, int terms, int solve, double *x)
{
    const struct ct_triangular_kernels *kernels = ct_triangular_kernels((enum ct_simd_level)level);
    double *to = x + (size_t)terms * CT_PANEL;
    kernels->subtract(l, x, terms, to);
    if (solve)
        kernels->solve(l + (size_t)terms * CT_PANEL, to);
}

/* l is a half of a panel; x has one row more than the kernel may write. */
static void check_kernels(int terms, int first, int wide)
{
    size_t size = (size_t)(terms + CT_PANEL_STEP) * CT_PANEL, x_size = size + CT_PANEL;
    double *l = keep(size, sizeof *l), *x = keep(x_size, sizeof *x);
    for (size_t i = 0; i < x_size; i++)
        x[i] = draw(wide);
    for (size_t i = 0; i < size; i++)
        l[i] = draw(wide);
    for (int solve = 0; solve < 2; solve++) {
        double *want = keep(x_size, sizeof *want);
        memcpy(want, x, x_size * sizeof *x);
        expected_rows(l + first, terms, solve, want);
        for (int level = 0; level <= (int)ct_simd_best(); level++) {
            double *got = keep(x_size, sizeof *got);
            memcpy(got, x, x_size * sizeof *x);
            rows_by_kernels(level, l + first, terms, solve, got);
            check_about("%s, %d terms, lanes from %d, level %d", solve ? "solve" : "subtract",
                        terms, first, level);
            CHECK(memcmp(got, want, x_size * sizeof *x) == 0);
        }
    }
    keep_end();
}

/* l and x are the same panel, as in a factorization. */
static void check_same_panel(int terms)
{
    size_t size = (size_t)(terms + CT_PANEL_STEP) * CT_PANEL;
    double *x = keep(size, sizeof *x), *want = keep(size, sizeof *want);
    for (size_t i = 0; i < size; i++)
        x[i] = want[i] = draw(0);
    expected_rows(want + CT_PANEL_STEP, terms, 0, want);
    for (int level = 0; level <= (int)ct_simd_best(); level++) {
        double *got = keep(size, sizeof *got);
        memcpy(got, x, size * sizeof *x);
        rows_by_kernels(level, got + CT_PANEL_STEP, terms, 0, got);
        check_about("one panel, %d terms, level %d", terms, level);
        CHECK(memcmp(got, want, size * sizeof *x) == 0);
    }
    keep_end();
}

int main(void)
{
    static const int terms[] = {0, 1, 2, 7, 8, 9, 15, 16, 17, 63, 64, 65, 300};
    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) {
        for (int wide = 0; wide < 2; wide++) {
            check_kernels(terms[i], 0, wide);
            check_kernels(terms[i], CT_PANEL_STEP, wide);
        }
        check_same_panel(terms[i]);
    }
    return check_done("triangular");
}
