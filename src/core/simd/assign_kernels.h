/* assign_kernels.h: the kernels of the build of a tree, for any vector width.
 *
 * euclid_kernels.h includes this file once for each instruction set, with the same macros. The
 * loops over coordinates of 2 and 3 dimensions are unrolled. No include guard, on purpose.
 */

/* Lanes in which the old value remains keep their child. The last vector overlaps the previous
 * one: what the first visit of a point has stored is not improved by the second. */
CT_TARGET CT_INLINE double CT_NAME(assign_vectors)(const double *x, size_t ld, int d, int count,
                                                   const double *q, int child, double *sq,
                                                   int *assigned)
{
    VEC far = (VEC){0} - 1;
    for (int i = 0; i < count; i += CT_WIDTH) {
        if (i > count - CT_WIDTH)
            i = count - CT_WIDTH;
        VEC sum = {0}, old = LOAD(sq + i);
        for (int j = 0; j < d; j++) {
            VEC gap = LOAD(x + i + j * ld) - q[j];
            sum += gap * gap;
        }
        MASK joins = (MASK)(sum < old);
        VEC now = (VEC)(((MASK)sum & joins) | ((MASK)old & ~joins));
        STORE(sq + i, now);
        CT_SET_INTS(assigned + i, ~CT_DWITHIN(old, sum) & ((1u << CT_WIDTH) - 1), child);
        far = CT_NAME(larger)(now, far);
    }
    return CT_NAME(largest_lane)(far);
}

CT_TARGET static double CT_NAME(assign_nearer)(const double *x, size_t ld, int d, int count,
                                               const double *q, int child, double *sq,
                                               int *assigned)
{
    if (count >= CT_WIDTH && d == 2)
        return CT_NAME(assign_vectors)(x, ld, 2, count, q, child, sq, assigned);
    if (count >= CT_WIDTH && d == 3)
        return CT_NAME(assign_vectors)(x, ld, 3, count, q, child, sq, assigned);
    if (count >= CT_WIDTH)
        return CT_NAME(assign_vectors)(x, ld, d, count, q, child, sq, assigned);
    double most = -1;
    for (int i = 0; i < count; i++) {
        double now = ct_sqdist(x + i, ld, q, 1, d);
        if (now < sq[i]) {
            sq[i] = now;
            assigned[i] = child;
        }
        most = sq[i] > most ? sq[i] : most;
    }
    return most;
}

/* Sets *least and *most to the smallest and the largest of x [count], at least a vector. The last
 * vector overlaps the previous one. */
CT_TARGET CT_INLINE void CT_NAME(range_vectors)(const double *x, int count, double *least,
                                                double *most)
{
    VEC low = LOAD(x), high = low;
    for (int i = CT_WIDTH; i < count; i += CT_WIDTH) {
        VEC now = LOAD(x + (i > count - CT_WIDTH ? count - CT_WIDTH : i));
        low = -CT_NAME(larger)(-now, -low);
        high = CT_NAME(larger)(now, high);
    }
    *least = -CT_NAME(largest_lane)(-low);
    *most = CT_NAME(largest_lane)(high);
}

CT_TARGET static void CT_NAME(box)(const double *x, size_t ld, int d, int count, double *lower,
                                   double *upper)
{
    for (int j = 0; j < d; j++, x += ld) {
        if (count >= CT_WIDTH) {
            CT_NAME(range_vectors)(x, count, &lower[j], &upper[j]);
            continue;
        }
        lower[j] = upper[j] = *x;
        for (int i = 1; i < count; i++) {
            lower[j] = x[i] < lower[j] ? x[i] : lower[j];
            upper[j] = x[i] > upper[j] ? x[i] : upper[j];
        }
    }
}

/* Whole vectors first, then one value at a time. */
CT_TARGET static void CT_NAME(compare_f64)(const double *x, int count, double to, uint64_t *at_most,
                                           uint64_t *at_least)
{
    const VEC all = to - (VEC){0};
    uint64_t low = 0, high = 0;
    int i = 0;
    for (; i + CT_WIDTH <= count; i += CT_WIDTH) {
        VEC value = LOAD(x + i);
        low |= (uint64_t)CT_DWITHIN(value, all) << i;
        high |= (uint64_t)CT_DWITHIN(all, value) << i;
    }
    for (; i < count; i++) {
        low |= (uint64_t)(x[i] <= to) << i;
        high |= (uint64_t)(x[i] >= to) << i;
    }
    *at_most = low;
    *at_least = high;
}
