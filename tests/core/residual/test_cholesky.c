/* test_cholesky.c: Cholesky factors and solutions of triangular systems.
 *
 * Against the formulas of cholesky.h, element by element and bit by bit, in every instruction
 * set and with any number of threads; against long double, within the error bounds of the
 * textbooks; matrices that are not positive definite; and the host leaving by a long jump at each
 * poll and at each allocation.
 */
#include "check.h"
#include "clouds.h"
#include "core/residual/cholesky.h"
#include "core/util/float.h"
#include "host.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* A symmetric positive definite matrix: covariances exp(-|i - j| / 20) with random scales. Above
 * the diagonal there are NaN, because nobody is to read there. */
static double *draw_matrix(int m)
{
    double *a = keep((size_t)m * m, sizeof *a), *scale = keep((size_t)m, sizeof *scale);
    for (int i = 0; i < m; i++)
        scale[i] = ldexp(1 + random_uniform(), random_below(20) - 10);
    for (int j = 0; j < m; j++)
        for (int i = 0; i < m; i++)
            a[i + (size_t)j * m] = i < j ? NAN : scale[i] * scale[j] * exp((j - i) / 20.0);
    return a;
}

/* The factor by its formula. Returns 0, or the order of the minor without a positive pivot. */
static int expected_factor(const double *a, int m, double *l)
{
    memset(l, 0, (size_t)m * m * sizeof *l);
    for (int j = 0; j < m; j++)
        for (int i = j; i < m; i++) {
            double element = a[i + (size_t)j * m];
            for (int r = 0; r < j; r++)
                element -= l[i + (size_t)r * m] * l[j + (size_t)r * m];
            if (i == j && !(element > 0))
                return j + 1;
            l[i + (size_t)j * m] = i == j ? sqrt(element) : element / l[j + (size_t)j * m];
        }
    return 0;
}

struct call {
    const double *a;
    int m, level, threads, failed;
    double *l;
};

static void factorize(void *data)
{
    struct call *call = data;
    struct ct_triangular matrix = ct_triangular_pack(&host, call->a, call->m);
    call->failed = ct_cholesky(&host, ct_triangular_kernels((enum ct_simd_level)call->level),
                               &matrix, call->threads);
    if (call->failed == 0)
        ct_triangular_unpack(&matrix, call->l);
}

/* |A - L L'| is at most (m + 1) eps / (1 - ...) times |L| |L'|, element by element: Higham,
 * Accuracy and Stability of Numerical Algorithms, theorem 10.3. Returns the largest share of this
 * bound. */
static long double factor_error(const double *a, const double *l, int m)
{
    long double worst = 0;
    for (int j = 0; j < m; j++)
        for (int i = j; i < m; i++) {
            long double sum = 0, size = 0;
            for (int r = 0; r <= j; r++) {
                long double product = (long double)l[i + (size_t)r * m] * l[j + (size_t)r * m];
                sum += product;
                size += fabsl(product);
            }
            long double bound = (m + 2) * DBL_EPSILON * size;
            worst = fmaxl(worst, fabsl(sum - a[i + (size_t)j * m]) / bound);
        }
    return worst;
}

static void check_factor(int m)
{
    double *want = keep((size_t)m * m, sizeof *want);
    struct call call = {.a = draw_matrix(m), .m = m, .l = keep((size_t)m * m, sizeof(double))};
    CHECK(expected_factor(call.a, m, want) == 0);
    for (call.level = 0; call.level <= (int)ct_simd_best(); call.level++)
        for (call.threads = 1; call.threads <= 3; call.threads++) {
            check_about("order %d, level %d, %d threads", m, call.level, call.threads);
            CHECK(host_run(factorize, &call, 0, 0));
            CHECK(call.failed == 0);
            CHECK(memcmp(call.l, want, (size_t)m * m * sizeof *want) == 0);
        }
    check_about("order %d", m);
    CHECK(factor_error(call.a, want, m) <= 1);
    keep_end();
}

/* One diagonal element is too small, so its minor is the first that is not positive. */
static void check_not_positive(int m, int minor, double diagonal)
{
    double *a = draw_matrix(m);
    struct call call = {.a = a, .m = m, .l = keep((size_t)m * m, sizeof(double))};
    a[(minor - 1) + (size_t)(minor - 1) * m] = diagonal;
    for (call.level = 0; call.level <= (int)ct_simd_best(); call.level++)
        for (call.threads = 1; call.threads <= 2; call.threads++) {
            check_about("order %d, minor %d, diagonal %g, level %d", m, minor, diagonal,
                        call.level);
            CHECK(host_run(factorize, &call, 0, 0));
            CHECK(call.failed == minor);
            CHECK(expected_factor(a, m, call.l) == minor);
        }
    keep_end();
}

/* Two equal rows of ones leave a pivot of exactly 0. */
static void check_singular(void)
{
    double a[] = {1, 1, 1, 1};
    struct call call = {.a = a, .m = 2, .threads = 1, .l = keep(4, sizeof(double))};
    for (call.level = 0; call.level <= (int)ct_simd_best(); call.level++) {
        check_about("singular, level %d", call.level);
        CHECK(host_run(factorize, &call, 0, 0) && call.failed == 2);
    }
    keep_end();
}

/* The largest share of the bound m eps |L| |x| of |L x - b|: Higham, theorem 8.5. */
static long double solution_error(const double *l, int m, const double *x, const double *b)
{
    long double worst = 0;
    for (int lane = 0; lane < CT_PANEL; lane++)
        for (int i = 0; i < m; i++) {
            long double sum = 0, size = 0;
            for (int r = 0; r <= i; r++) {
                long double product = (long double)l[i + (size_t)r * m] * x[r * CT_PANEL + lane];
                sum += product;
                size += fabsl(product);
            }
            long double error = fabsl(sum - b[i * CT_PANEL + lane]);
            worst = fmaxl(worst, error > 0 ? error / ((m + 1) * DBL_EPSILON * size) : 0);
        }
    return worst;
}

/* Right-hand sides beyond the order are 0, and so are the solutions. */
static void check_solve(int m, int panels)
{
    size_t rows = (size_t)ct_padded_order(m), size = panels * rows * CT_PANEL;
    double *l = keep((size_t)m * m, sizeof *l), *b = keep(size, sizeof *b);
    double *want = keep(size, sizeof *want), *x = keep(size, sizeof *x);
    CHECK(expected_factor(draw_matrix(m), m, l) == 0);
    for (size_t i = 0; i < size; i++)
        b[i] = want[i] = i / CT_PANEL % rows < (size_t)m ? random_normal() : 0;
    for (size_t lane = 0; lane < (size_t)panels * CT_PANEL; lane++) {
        double *column = want + lane / CT_PANEL * rows * CT_PANEL + lane % CT_PANEL;
        for (int i = 0; i < m; i++) {
            for (int r = 0; r < i; r++)
                column[i * CT_PANEL] -= l[i + (size_t)r * m] * column[r * CT_PANEL];
            column[i * CT_PANEL] /= l[i + (size_t)i * m];
        }
    }
    for (int level = 0; level <= (int)ct_simd_best(); level++) {
        struct ct_triangular matrix = ct_triangular_pack(&host, l, m);
        memcpy(x, b, size * sizeof *x);
        ct_triangular_solve(ct_triangular_kernels((enum ct_simd_level)level), &matrix, panels, x);
        check_about("order %d, %d panels, level %d", m, panels, level);
        CHECK(memcmp(x, want, size * sizeof *x) == 0);
        host_end_call();
    }
    CHECK(panels == 0 || solution_error(l, m, want, b) <= 1);
    keep_end();
}

static void check_interrupt(int m, int threads)
{
    double *want = keep((size_t)m * m, sizeof *want);
    struct call call = {
        .a = draw_matrix(m), .m = m, .threads = threads, .l = keep((size_t)m * m, sizeof(double))};
    CHECK(expected_factor(call.a, m, want) == 0);
    for (int by_poll = 0; by_poll <= 1; by_poll++) {
        int times = 0;
        while (!host_run(factorize, &call, by_poll ? times + 1 : 0, by_poll ? 0 : times + 1))
            times++;
        check_about("order %d, left at each %s", m, by_poll ? "poll" : "allocation");
        CHECK(times >= (by_poll ? m / 64 - 1 : 1));
        CHECK(memcmp(call.l, want, (size_t)m * m * sizeof *want) == 0);
    }
    keep_end();
}

int main(void)
{
    static const int orders[] = {0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 129, 200, 512};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        check_factor(orders[i]);
        for (int panels = 0; panels < 4; panels++)
            check_solve(orders[i], panels);
    }
    static const int minors[] = {1, 2, 8, 9, 16, 17, 64, 65, 99, 100};
    for (size_t i = 0; i < sizeof minors / sizeof *minors; i++) {
        check_not_positive(100, minors[i], 0);
        check_not_positive(100, minors[i], -1);
        check_not_positive(100, minors[i], NAN);
    }
    check_singular();
    check_interrupt(300, 1);
    check_interrupt(300, 3);
    return check_done("cholesky");
}
