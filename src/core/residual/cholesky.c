/* cholesky.c: see cholesky.h.
 *
 * A panel of the matrix holds rows i of L, and row i of L is the solution of a triangular system:
 * of the earlier rows of L, with the row of A on the right. So the factorization consists of
 * triangular solutions, 16 rows at a time, and of factorizations of small blocks on the diagonal.
 */
#include "core/residual/cholesky.h"
#include "core/util/aligned.h"
#include "core/util/float.h"
#include "core/util/parallel_for.h"

#include <math.h>

enum { GROUP_PANELS = 4 }; /* panels that are factorized before all later panels are updated */

static int panel_count(int m)
{
    return ct_padded_order(m) / CT_PANEL;
}

/* Doubles of the first `count` panels, which have CT_PANEL, 2 * CT_PANEL, ... rows. */
static size_t size_of_panels(int count)
{
    return (size_t)CT_PANEL * CT_PANEL / 2 * (size_t)count * ((size_t)count + 1);
}

static double *panel_of(const struct ct_triangular *matrix, int i)
{
    return matrix->panels + size_of_panels(i);
}

struct ct_triangular ct_triangular_pack(const struct ct_host *host, const double *a, int m)
{
    int panels = panel_count(m);
    struct ct_triangular matrix = {
        m, ct_alloc_aligned(host, size_of_panels(panels), sizeof *matrix.panels)};
    for (int i = 0; i < panels; i++) {
        double *to = panel_of(&matrix, i);
        for (int r = 0; r < (i + 1) * CT_PANEL; r++)
            for (int row = i * CT_PANEL; row < (i + 1) * CT_PANEL; row++, to++) {
                *to = row == r;
                if (r <= row && row < m)
                    *to = a[row + (size_t)r * (size_t)m];
            }
    }
    return matrix;
}

void ct_triangular_unpack(const struct ct_triangular *matrix, double *l)
{
    for (int j = 0; j < matrix->m; j++)
        for (int i = 0; i < matrix->m; i++, l++)
            *l = i < j ? 0 : panel_of(matrix, i / CT_PANEL)[j * CT_PANEL + i % CT_PANEL];
}

/* Doubles in `count` rows of a panel. */
static size_t size_of_rows(int count)
{
    return (size_t)count * CT_PANEL;
}

/* Element (0, row) of L in its panel: the first of CT_PANEL_STEP lanes. */
static const double *lanes_of(const struct ct_triangular *matrix, int row)
{
    return panel_of(matrix, row / CT_PANEL) + row % CT_PANEL;
}

/* Solves for rows from, ..., to - 1 of the panel x, once the rows before are known. */
static void solve_rows(const struct ct_triangular_kernels *kernels,
                       const struct ct_triangular *matrix, int from, int to, double *x)
{
    for (int row = from; row < to; row += CT_PANEL_STEP) {
        const double *l = lanes_of(matrix, row);
        double *rows = x + size_of_rows(row);
        kernels->subtract(l, x, row, rows);
        kernels->solve(l + size_of_rows(row), rows);
    }
}

/* Factorizes CT_PANEL_STEP columns of the block on the diagonal. `row` points to the first of
 * them, and its diagonal element is in lane `first`. Products with earlier columns are subtracted
 * already. Returns 0, or 1 + the index of the column without a positive pivot. */
static int factorize_step(double *row, int first)
{
    for (int j = 0; j < CT_PANEL_STEP; j++) {
        double *to = row + j * CT_PANEL;
        for (int r = 0; r < j; r++) {
            const double *known = row + r * CT_PANEL;
            double factor = known[first + j];
            for (int lane = 0; lane < CT_PANEL; lane++)
                to[lane] -= factor * known[lane];
        }
        if (!(to[first + j] > 0))
            return j + 1;
        double root = sqrt(to[first + j]);
        for (int lane = 0; lane < CT_PANEL; lane++)
            to[lane] = lane < first + j ? 0 : to[lane] / root;
        to[first + j] = root;
    }
    return 0;
}

/* Factorizes panel i, whose columns before the diagonal block are those of L already. Returns 0, or
 * the order of the leading minor that is not positive. */
static int factorize_panel(const struct ct_triangular_kernels *kernels,
                           const struct ct_triangular *matrix, int i)
{
    double *panel = panel_of(matrix, i);
    for (int first = 0; first < CT_PANEL; first += CT_PANEL_STEP) {
        int row = i * CT_PANEL + first;
        double *rows = panel + size_of_rows(row);
        kernels->subtract(panel + first, panel, row, rows);
        int failed = factorize_step(rows, first);
        if (failed > 0)
            return row + failed;
    }
    return 0;
}

/* The update of all panels after a group. */
struct group_update {
    const struct ct_triangular_kernels *kernels;
    const struct ct_triangular *matrix;
    int from, to; /* rows of the group */
};

static void update_later_panel(void *data, int block, int thread)
{
    const struct group_update *group = data;
    solve_rows(group->kernels, group->matrix, group->from, group->to,
               panel_of(group->matrix, group->to / CT_PANEL + block));
    (void)thread;
}

int ct_cholesky(const struct ct_host *host, const struct ct_triangular_kernels *kernels,
                struct ct_triangular *matrix, int threads)
{
    int panels = panel_count(matrix->m);
    for (int from = 0; from < panels; from += GROUP_PANELS) {
        int to = panels - from < GROUP_PANELS ? panels : from + GROUP_PANELS;
        for (int i = from; i < to; i++) {
            solve_rows(kernels, matrix, from * CT_PANEL, i * CT_PANEL, panel_of(matrix, i));
            int failed = factorize_panel(kernels, matrix, i);
            if (failed > 0)
                return failed;
        }
        struct group_update group = {kernels, matrix, from * CT_PANEL, to * CT_PANEL};
        ct_parallel_for(host, panels - to, threads, update_later_panel, &group);
    }
    return 0;
}

void ct_triangular_solve(const struct ct_triangular_kernels *kernels,
                         const struct ct_triangular *matrix, int panels, double *x)
{
    int order = ct_padded_order(matrix->m);
    for (int row = 0; row < order; row += CT_PANEL_STEP)
        for (int panel = 0; panel < panels; panel++)
            solve_rows(kernels, matrix, row, row + CT_PANEL_STEP, x + panel * size_of_rows(order));
}
