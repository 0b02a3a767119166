/* test_angle.c: the angle of two vectors within 4 units in the last place of the library's in
 * long double, from the smallest angle to pi; 0 where the ratio has no value. */
#include "check.h"
#include "clouds.h"
#include "core/metric/angle.h"

#include <float.h>
#include <math.h>

/* The error in units in the last place. */
static double error(double difference, double sum)
{
    /* Rounding of the squares is no error of the angle. */
    long double want = 2 * atan2l(sqrtl(difference * difference), sqrtl(sum * sum));
    double got = ct_angle(difference * difference, sum * sum);
    if (want == 0)
        return got == 0 ? 0 : INFINITY;
    return (double)(fabsl(got - want) / (want * DBL_EPSILON));
}

static void check_accuracy(void)
{
    double most = 0;
    for (int i = 0; i < 200000; i++) {
        double ratio = i % 2 ? random_uniform() : pow(2, -60 * random_uniform());
        double length = pow(10, 20 * random_uniform() - 10);
        most = fmax(most, error(ratio * length, length));
        most = fmax(most, error(length, ratio * length));
    }
    for (int i = 1; i <= 64; i++) {
        most = fmax(most, error(i, 64));
        most = fmax(most, error(64, i));
        most = fmax(most, error(nextafter(i, 100), 64));
        most = fmax(most, error(nextafter(i, 0), 64));
    }
    check_about("largest error: %g units in the last place", most);
    CHECK(most < 4);
}

int main(void)
{
    check_accuracy();
    CHECK(ct_angle(0, 2) == 0);
    CHECK(ct_angle(2, 0) == 0x1.921fb54442d18p+1);
    CHECK(ct_angle(1, 1) == 0x1.921fb54442d18p+0);
    CHECK(ct_angle(0, 0) == 0);
    CHECK(ct_angle(INFINITY, INFINITY) == 0);
    return check_done("angle");
}
