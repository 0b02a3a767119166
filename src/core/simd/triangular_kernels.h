/* triangular_kernels.h: the kernels of triangular.h, for one instruction set.
 *
 * triangular.c includes this file once per instruction set. It defines before
 *   CT_NAME(f), CT_TARGET  as in correlation_kernels.h,
 *   BYTES                  bytes of a vector,
 *   ROWS                   rows whose sums with two vectors of x fit in registers: 4 or 8.
 * No include guard, on purpose.
 */
typedef double CT_NAME(vec) __attribute__((vector_size(BYTES), aligned(sizeof(double)), may_alias));
#define VEC CT_NAME(vec)
#define WIDTH ((int)(BYTES / sizeof(double)))
#define LOAD(p) (*(const VEC *)(p))
#define STORE(p, v) (*(VEC *)(p) = (v))

/* Registers: elements a_i and b_i of row i, for two vectors of lanes. Macros, because arrays of
 * vectors do not stay in registers. */
#define START(i) VEC a##i = LOAD(to + (i)*CT_PANEL), b##i = LOAD(to + (i)*CT_PANEL + WIDTH)
#define STEP(i) (a##i -= x0 * q[i], b##i -= x1 * q[i])
#define END(i) (STORE(to + (i)*CT_PANEL, a##i), STORE(to + (i)*CT_PANEL + WIDTH, b##i))

/* A pass computes ROWS rows and two vectors of lanes. */
CT_TARGET static void CT_NAME(subtract)(const double *l, int terms, double *x)
{
    for (int pass = 0; pass < CT_PANEL / (2 * WIDTH) * (CT_PANEL_STEP / ROWS); pass++) {
        int part = pass / (CT_PANEL_STEP / ROWS) * 2 * WIDTH;
        int first = pass % (CT_PANEL_STEP / ROWS) * ROWS;
        const double *p = x + part, *q = l + first, *end = p + (size_t)terms * CT_PANEL;
        double *to = x + ((size_t)terms + first) * CT_PANEL + part;
        START(0);
        START(1);
        START(2);
        START(3);
#if ROWS == 8
        START(4);
        START(5);
        START(6);
        START(7);
#endif
        for (; p < end; p += CT_PANEL, q += CT_PANEL) {
            VEC x0 = LOAD(p), x1 = LOAD(p + WIDTH);
            STEP(0), STEP(1), STEP(2), STEP(3);
#if ROWS == 8
            STEP(4), STEP(5), STEP(6), STEP(7);
#endif
        }
        END(0), END(1), END(2), END(3);
#if ROWS == 8
        END(4), END(5), END(6), END(7);
#endif
    }
}

/* Once a row is known, its products are subtracted from all later rows: these are independent
 * of each other, and every row loses its products in the order of the rows. */
CT_TARGET static void CT_NAME(solve)(const double *l, int terms, double *x)
{
    CT_NAME(subtract)(l, terms, x);
    l += (size_t)terms * CT_PANEL;
    x += (size_t)terms * CT_PANEL;
    for (int part = 0; part < CT_PANEL; part += 2 * WIDTH)
        for (int r = 0; r < CT_PANEL_STEP; r++) {
            const double *q = l + r * CT_PANEL;
            double *known = x + r * CT_PANEL + part, *to = known;
            VEC x0 = LOAD(known) / q[r], x1 = LOAD(known + WIDTH) / q[r];
            STORE(known, x0);
            STORE(known + WIDTH, x1);
            for (int i = r + 1; i < CT_PANEL_STEP; i++) {
                to += CT_PANEL;
                STORE(to, LOAD(to) - x0 * q[i]);
                STORE(to + WIDTH, LOAD(to + WIDTH) - x1 * q[i]);
            }
        }
}

#undef VEC
#undef WIDTH
#undef LOAD
#undef STORE
#undef START
#undef STEP
#undef END
#undef ROWS
#undef BYTES
#undef CT_NAME
#undef CT_TARGET
