/* test_euclidean.c: what pruning relies on, to the bit. No point of a box is
 * nearer than the box; no square above ct_sq_threshold() has a root within the
 * limit, and hardly any below has one beyond it; distance has no direction. */
#include "check.h"
#include "clouds.h"
#include "core/metric/euclidean.h"
#include "oracle.h"

#include <float.h>
#include <math.h>

enum { D = 7 };

static double any_number(void)
{
    double x = random_normal();
    return random_below(4) == 0 ? random_below(5) - 2 : ldexp(x, random_below(40) - 20);
}

/* A box, a query, and the point of the box that is given by shares[D]. */
struct scene {
    double lower[D], upper[D], q[D], point[D];
};

static struct scene make_scene(void)
{
    struct scene s;
    for (int j = 0; j < D; j++) {
        double a = any_number(), b = random_below(3) == 0 ? a : any_number();
        s.lower[j] = a < b ? a : b;
        s.upper[j] = a < b ? b : a;
        s.q[j] = random_below(3) == 0 ? s.lower[j] : any_number();
        double inside[] = {s.lower[j], s.upper[j], fmin(fmax(s.q[j], s.lower[j]), s.upper[j])};
        s.point[j] = inside[random_below(3)];
    }
    return s;
}

static void check_boxes(void)
{
    int undercut = 0, tight = 0, near_corner = 0;
    for (int i = 0; i < 50000; i++) {
        struct scene s = make_scene();
        double box = ct_box_sqdist(s.lower, s.upper, 1, s.q, s.q, D), nearest[D];
        undercut += ct_sqdist(s.point, 1, s.q, 1, D) < box;
        for (int j = 0; j < D; j++)
            nearest[j] = fmin(fmax(s.q[j], s.lower[j]), s.upper[j]);
        tight += ct_sqdist(nearest, 1, s.q, 1, D) == box;
        near_corner += box > 0;
    }
    check_about("50000 random boxes");
    CHECK(undercut == 0);
    CHECK(tight == 50000);
    CHECK(near_corner > 1000);
}

static void check_definition(void)
{
    int wrong = 0, directed = 0;
    for (int i = 0; i < 10000; i++) {
        double a[2 * D], b[3 * D];
        for (int j = 0; j < 3 * D; j++)
            a[j % (2 * D)] = any_number(), b[j] = any_number();
        wrong += sqrt(ct_sqdist(a, 2, b, 3, D)) != oracle_distance(a, 2, b, 3, D);
        directed += ct_sqdist(a, 2, b, 3, D) != ct_sqdist(b, 3, a, 2, D);
    }
    check_about("10000 random pairs");
    CHECK(wrong == 0);
    CHECK(directed == 0);
}

/* The greatest square whose root rounds to the threshold or less, by bisection of the numbers
 * around the square of the threshold. */
static double greatest_square(double threshold)
{
    double within = threshold * threshold * (1 - 1e-14),
           beyond = threshold * threshold * (1 + 1e-14) + DBL_TRUE_MIN;
    while (nextafter(within, beyond) < beyond) {
        double middle = within + (beyond - within) / 2;
        if (middle <= within || middle >= beyond)
            middle = nextafter(within, beyond);
        if (sqrt(middle) <= threshold)
            within = middle;
        else
            beyond = middle;
    }
    return within;
}

static void check_limits(void)
{
    int cut = 0, loose = 0;
    for (int i = 0; i < 20000; i++) {
        double threshold = ldexp(1 + random_uniform(), random_below(1000) - 500);
        double limit = ct_sq_threshold(threshold), greatest = greatest_square(threshold);
        cut += limit < greatest;
        loose += limit > greatest * (1 + 8 * DBL_EPSILON);
    }
    check_about("20000 random limits");
    CHECK(cut == 0);
    CHECK(loose == 0);
    cut = 0;
    for (int i = 0; i < 20000; i++) {
        double threshold = ldexp(1 + random_uniform(), -510 - random_below(40));
        cut += ct_sq_threshold(threshold) < greatest_square(threshold);
    }
    check_about("limits whose squares are subnormal or vanish");
    CHECK(cut == 0);
    CHECK(ct_sq_threshold(0) == 0);
    CHECK(ct_sq_threshold(INFINITY) == INFINITY);
}

int main(void)
{
    check_boxes();
    check_definition();
    check_limits();
    return check_done("euclidean");
}
