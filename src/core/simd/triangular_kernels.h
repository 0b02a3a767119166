/* triangular_kernels.h: the kernels of triangular.h, for one instruction set.
 *
 * triangular.c includes this file once per instruction set. It defines before
 *   CT_NAME(f), CT_TARGET  as in correlation_kernels.h,
 *   BYTES                  bytes of a vector,
 *   ROWS                   rows whose sums with two vectors of x fit in registers: 4 or 8,
 *   DISTINCT(p)            nothing, or a statement that hides from the compiler that the pointer p
 *                          equals another one.
 * No include guard, on purpose.
 */
typedef double CT_NAME(vec) __attribute__((vector_size(BYTES), aligned(sizeof(double)), may_alias));
#define VEC CT_NAME(vec)
#define WIDTH ((int)(BYTES / sizeof(double)))
#define LOAD(p) (*(const VEC *)(p))
#define STORE(p, v) (*(VEC *)(p) = (v))

/* Registers: elements a_i and b_i of row i, for two vectors of lanes. Macros, because arrays of
 * vectors do not stay in registers. */
#define START(i) VEC a##i = LOAD(sum + (i)*CT_PANEL), b##i = LOAD(sum + (i)*CT_PANEL + WIDTH)
/* `again` equals q. */
#define STEP(i) (a##i -= x0 * q[i], b##i -= x1 * again[i])
#define END(i) (STORE(sum + (i)*CT_PANEL, a##i), STORE(sum + (i)*CT_PANEL + WIDTH, b##i))

/* A pass computes ROWS rows and two vectors of lanes. */
CT_TARGET static void CT_NAME(subtract)(const double *l, const double *x, int terms, double *to)
{
    for (int pass = 0; pass < CT_PANEL / (2 * WIDTH) * (CT_PANEL_STEP / ROWS); pass++) {
        int part = pass / (CT_PANEL_STEP / ROWS) * 2 * WIDTH;
        int first = pass % (CT_PANEL_STEP / ROWS) * ROWS;
        const double *p = x + part, *q = l + first, *again = q;
        const double *end = p + (size_t)terms * CT_PANEL;
        double *sum = to + first * CT_PANEL + part;
        DISTINCT(again);
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
        for (; p < end; p += CT_PANEL, q += CT_PANEL, again += CT_PANEL) {
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
CT_TARGET static void CT_NAME(solve)(const double *l, double *to)
{
    for (int part = 0; part < CT_PANEL; part += 2 * WIDTH)
        for (int r = 0; r < CT_PANEL_STEP; r++) {
            const double *q = l + r * CT_PANEL;
            double *row = to + r * CT_PANEL + part;
            VEC x0 = LOAD(row) / q[r], x1 = LOAD(row + WIDTH) / q[r];
            STORE(row, x0);
            STORE(row + WIDTH, x1);
            for (int i = r + 1; i < CT_PANEL_STEP; i++) {
                row += CT_PANEL;
                STORE(row, LOAD(row) - x0 * q[i]);
                STORE(row + WIDTH, LOAD(row + WIDTH) - x1 * q[i]);
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
#undef DISTINCT
#undef BYTES
#undef CT_NAME
#undef CT_TARGET
