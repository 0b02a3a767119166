/* test_level.c: levels. The cover radii grow by the fourth root of 2 and
 * double every fourth level; the level of a radius is the least that covers
 * it, from the smallest number to the greatest. */
#include "check.h"
#include "clouds.h"
#include "core/tree/level.h"
#include "core/tree/tree.h"

#include <float.h>
#include <math.h>

static void check_covers(void)
{
    int grows = 1, doubles = 1, fourth_root = 1;
    for (int level = -4000; level < 4000; level++) {
        double ratio = ct_cover_radius(level + 1) / ct_cover_radius(level);
        grows &= ct_cover_radius(level) < ct_cover_radius(level + 1);
        doubles &= ct_cover_radius(level + 4) == 2 * ct_cover_radius(level);
        fourth_root &= fabs(ratio - pow(2, 0.25)) < 1e-15;
    }
    check_about("levels -4000 to 4000");
    CHECK(grows);
    CHECK(doubles);
    CHECK(fourth_root);
    CHECK(ct_cover_radius(0) == 1);
    CHECK(ct_cover_radius(-12) == 0.125);
    CHECK(ct_cover_radius(CT_NO_LEVEL) == 0);
}

static int is_least(double radius)
{
    int level = ct_cover_level(radius);
    return ct_cover_radius(level) >= radius && ct_cover_radius(level - 1) < radius;
}

static void check_levels(void)
{
    int least = 1, edges = 1;
    for (int i = 0; i < 20000; i++)
        least &= is_least(ldexp(0.5 + random_uniform() / 2, random_below(2000) - 1000));
    for (int level = -4000; level < 4000; level++) {
        double cover = ct_cover_radius(level);
        edges &= ct_cover_level(cover) == level;
        edges &= ct_cover_level(nextafter(cover, 0)) == level;
        edges &= ct_cover_level(nextafter(cover, INFINITY)) == level + 1;
    }
    check_about("random radii, cover radii and their neighbors");
    CHECK(least);
    CHECK(edges);
    check_about("the ends of the range");
    CHECK(is_least(DBL_MAX));
    CHECK(is_least(DBL_MIN));
    CHECK(is_least(DBL_TRUE_MIN));
    CHECK(ct_cover_level(0) == CT_NO_LEVEL);
}

int main(void)
{
    check_covers();
    check_levels();
    return check_done("level");
}
