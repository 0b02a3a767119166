/* test_assign.c: the kernels of the build agree with plain C in every instruction set, to the bit,
 * and read and write nothing beyond their sizes (each array is a block of its exact size). */
#include "check.h"
#include "clouds.h"
#include "core/simd/euclid.h"
#include "host.h"

#include <math.h>
#include <string.h>

enum { MOST = 64, DIMS = 12 };

/* Few values: equal numbers, and equal squares, occur. */
static double *numbers(int count)
{
    double *x = keep((size_t)count, sizeof *x);
    for (int i = 0; i < count; i++)
        x[i] = random_below(3) ? random_normal() : random_below(4) - 2;
    return x;
}

static double plain_sqdist(const double *x, int ld, int d, const double *q)
{
    double sum = 0;
    for (int j = 0; j < d; j++) {
        double gap = x[j * ld] - q[j];
        sum += gap * gap;
    }
    return sum;
}

/* Squares so far: larger, equal, a bit larger, smaller than the square of the new center. */
static double square_so_far(double now)
{
    double squares[] = {now * 2 + 1, now, nextafter(now, INFINITY), now / 2, INFINITY};
    return squares[random_below(5)];
}

static void check_assign_nearer(const struct ct_kernels *kernels)
{
    int wrong_sq = 0, wrong_assigned = 0, wrong_most = 0;
    for (int d = 1; d <= DIMS; d++)
        for (int count = 1; count <= MOST + 6; count++) {
            int ld = count + d % 3, child = 1 + random_below(100);
            const double *x = numbers((d - 1) * ld + count), *q = numbers(d);
            double *sq = keep((size_t)count, sizeof *sq), want[MOST + 6], most = -1;
            int *assigned = keep((size_t)count, sizeof *assigned), joins[MOST + 6];
            for (int i = 0; i < count; i++) {
                double now = plain_sqdist(x + i, ld, d, q);
                sq[i] = square_so_far(now);
                assigned[i] = -i;
                joins[i] = now < sq[i];
                want[i] = joins[i] ? now : sq[i];
                most = want[i] > most ? want[i] : most;
            }
            double got = kernels->assign_nearer(x, (size_t)ld, d, count, q, child, sq, assigned);
            for (int i = 0; i < count; i++)
                wrong_assigned += assigned[i] != (joins[i] ? child : -i);
            wrong_sq += memcmp(sq, want, (size_t)count * sizeof *sq) != 0;
            wrong_most += got != most;
            keep_end();
        }
    check_about("assign_nearer, %s", kernels->name);
    CHECK(wrong_sq == 0);
    CHECK(wrong_assigned == 0);
    CHECK(wrong_most == 0);
}

static void check_box(const struct ct_kernels *kernels)
{
    int wrong = 0;
    for (int d = 1; d <= DIMS; d++)
        for (int count = 1; count <= MOST; count++) {
            int ld = count + d % 3;
            const double *x = numbers((d - 1) * ld + count);
            double *lower = keep((size_t)d, sizeof *lower), *upper = keep((size_t)d, sizeof *upper);
            kernels->box(x, (size_t)ld, d, count, lower, upper);
            for (int j = 0; j < d; j++) {
                double least = x[j * ld], most = least;
                for (int i = 1; i < count; i++) {
                    least = fmin(least, x[i + j * ld]);
                    most = fmax(most, x[i + j * ld]);
                }
                wrong += lower[j] != least || upper[j] != most;
            }
            keep_end();
        }
    check_about("box, %s", kernels->name);
    CHECK(wrong == 0);
}

static void check_compare_f64(const struct ct_kernels *kernels)
{
    int wrong = 0;
    for (int round = 0; round < 20; round++)
        for (int count = 1; count <= MOST; count++) {
            const double *x = numbers(count);
            double to = random_below(2) ? x[random_below(count)] : random_normal();
            uint64_t at_most, at_least, most = 0, least = 0;
            kernels->compare_f64(x, count, to, &at_most, &at_least);
            for (int i = 0; i < count; i++) {
                most |= (uint64_t)(x[i] <= to) << i;
                least |= (uint64_t)(x[i] >= to) << i;
            }
            wrong += at_most != most || at_least != least;
            keep_end();
        }
    check_about("compare_f64, %s", kernels->name);
    CHECK(wrong == 0);
}

int main(void)
{
    for (int level = 0; level <= (int)ct_simd_best(); level++) {
        const struct ct_kernels *kernels = ct_kernels((enum ct_simd_level)level);
        check_assign_nearer(kernels);
        check_box(kernels);
        check_compare_f64(kernels);
    }
    return check_done("assign");
}
