/* bisect_kernels.h: a threshold by bisection, written once for any number type.
 *
 * euclid_kernels.h includes this file twice for an instruction set, having defined
 *   CT_REAL                           float or double,
 *   CT_BISECT                         the name of the function,
 *   CT_COUNT_WITHIN(x, count, value)  the number of values among x that are at most value,
 * beside CT_TARGET. No include guard, on purpose.
 */

/* Returns a value from 0 to `most` within which at least k of the non-negative values x lie
 * and, if 24 passes suffice, at most `enough`; `most` itself if fewer than k lie within it.
 * 24 passes shrink the interval to 2^-24 of its length: values that remain together then
 * differ by about one rounding of a float32 of size `most`. Costs one pass over x each. */
CT_TARGET static inline CT_REAL CT_BISECT(const CT_REAL *x, int count, CT_REAL most, int k,
                                          int enough)
{
    CT_REAL below = 0;
    int within = count;
    for (int pass = 0; pass < 24 && within > enough; pass++) {
        CT_REAL middle = below + (most - below) / 2;
        int counted = CT_COUNT_WITHIN(x, count, middle);
        if (counted < k) {
            below = middle;
        } else {
            most = middle;
            within = counted;
        }
    }
    return most;
}
