/* level.c: see level.h. */
#include "core/tree/level.h"
#include "core/tree/tree.h"

#include <math.h>

double ct_cover_radius(int level)
{
    static const double root[4] = {1.0, 1.189207115002721, 1.4142135623730951,
                                   1.681792830507429}; /* 2^(i/4) */
    if (level == CT_NO_LEVEL)
        return 0;
    int phase = level & 3;
    return ldexp(root[phase], (level - phase) / 4);
}

/* Starts from the least power of two above the radius and goes down, at most 4 levels. */
int ct_cover_level(double radius)
{
    if (radius == 0)
        return CT_NO_LEVEL;
    int exponent;
    frexp(radius, &exponent); /* radius < 2^exponent */
    int level = 4 * exponent;
    while (ct_cover_radius(level - 1) >= radius)
        level--;
    return level;
}
