/* factors.c: see factors.h.
 *
 * A thread computes a chunk of points in scratch memory: covariances with all inducing points, in
 * panels with a point in each lane, then the triangular systems, then the transposition to v. So
 * the memory of v is written once, and never read. p takes the exact dot product of the residual
 * correlation: the residual covariance of a point and its duplicate then is p itself.
 */
#include "core/residual/factors.h"
#include "core/residual/cholesky.h"
#include "core/util/aligned.h"
#include "core/util/parallel_for.h"

enum {
    CHUNK_PANELS = 4,    /* panels of a chunk, at most */
    CHUNK_ROWS = 1 << 14 /* rows of all panels of a chunk, unless one panel has more: 2 MB */
};

_Static_assert((int)CT_V_LANES == (int)CT_PANEL,
               "a row of v, with padding, has the rows of a panel");

int ct_inducing_factor(const struct ct_host *host, enum ct_simd_level level,
                       const struct ct_inducing *inducing, double jitter, int threads,
                       double *factor)
{
    size_t m = (size_t)inducing->m;
    ct_covariance_cross(host, ct_correlation_kernels(level), inducing->kind, inducing->variance,
                        inducing->u, inducing->m, inducing->u, inducing->m, inducing->d, m, threads,
                        factor);
    for (size_t i = 0; i < m; i++)
        factor[i + i * m] += jitter;
    struct ct_triangular matrix = ct_triangular_pack(host, factor, inducing->m);
    int failed = ct_cholesky(host, ct_triangular_kernels(level), &matrix, threads);
    if (failed == 0)
        ct_triangular_unpack(&matrix, factor);
    return failed;
}

/* The arguments of ct_residual_factors() and what all chunks share. */
struct factors_task {
    const struct ct_kernels *distances;
    const struct ct_correlation_kernels *correlations;
    const struct ct_triangular_kernels *systems;
    struct ct_covariance_shape shape;
    double variance;
    int m, d, n;
    struct ct_triangular factor;
    const double *u; /* [m x d, row-major] */
    const double *z;
    int chunk_panels;
    double *scratch; /* [threads x chunk_panels x stride x CT_PANEL] */
    double *v, *p;
};

/* Fills a panel with the covariances of the inducing points and `count` points from `first` on.
 * Lanes without a point are filled as well. */
static void fill_covariances(const struct factors_task *task, int first, int count, double *x)
{
    size_t stride = ct_v_stride(task->m);
    for (int r = 0; r < task->m; r++) {
        double *sq = x + (size_t)r * CT_PANEL;
        task->distances->sqdist(task->z + first, (size_t)task->n, task->d, count,
                                task->u + (size_t)r * task->d, sq);
        for (int lane = count; lane < CT_PANEL; lane++)
            sq[lane] = 0;
    }
    task->correlations->covariance(&task->shape, task->variance, task->m * CT_PANEL, x);
    for (size_t i = (size_t)task->m * CT_PANEL; i < stride * CT_PANEL; i++)
        x[i] = 0;
}

/* Writes v and p of `count` points from the lanes of a solved panel. Transposes blocks of CT_PANEL
 * rows, which stay in the first-level cache. */
static void store_factors(const struct factors_task *task, int first, int count, const double *x)
{
    size_t stride = ct_v_stride(task->m);
    double *v = task->v + (size_t)first * stride;
    for (size_t from = 0; from < stride; from += CT_PANEL)
        for (int lane = 0; lane < count; lane++)
            for (size_t r = from; r < from + CT_PANEL; r++)
                v[(size_t)lane * stride + r] = x[r * CT_PANEL + (size_t)lane];
    for (int lane = 0; lane < count; lane++, v += stride)
        task->p[first + lane] = task->variance - task->correlations->dot(v, v, stride);
}

/* The factors of one chunk of points. */
static void compute_chunk(void *data, int chunk, int thread)
{
    const struct factors_task *task = data;
    size_t size = ct_v_stride(task->m) * CT_PANEL; /* of a panel */
    double *x = task->scratch + (size_t)thread * (size_t)task->chunk_panels * size;
    int from = chunk * task->chunk_panels * CT_PANEL, panels = 0;
    for (int first = from; panels < task->chunk_panels && first < task->n; first += CT_PANEL) {
        int count = task->n - first < CT_PANEL ? task->n - first : CT_PANEL;
        fill_covariances(task, first, count, x + (size_t)panels++ * size);
    }
    ct_triangular_solve(task->systems, &task->factor, panels, x);
    for (int panel = 0; panel < panels; panel++) {
        int first = from + panel * CT_PANEL;
        int count = task->n - first < CT_PANEL ? task->n - first : CT_PANEL;
        store_factors(task, first, count, x + (size_t)panel * size);
    }
}

/* Returns u [m x d, column-major] as rows: the distance kernels read a point's coordinates side by
 * side. */
static const double *copy_rows(const struct ct_host *host, const double *u, int m, int d)
{
    double *rows = host->alloc((size_t)m * (size_t)d, sizeof *rows);
    for (int i = 0; i < m; i++)
        for (int j = 0; j < d; j++)
            rows[(size_t)i * d + j] = u[i + (size_t)j * m];
    return rows;
}

/* Panels of a chunk: several, because the factor is read once for all of them; fewer if they are
 * long, so that a chunk takes a fraction of a second. */
static int chunk_panels(int m)
{
    int panels = CHUNK_ROWS / (m + CT_PANEL);
    return panels < 1 ? 1 : panels < CHUNK_PANELS ? panels : CHUNK_PANELS;
}

void ct_residual_factors(const struct ct_host *host, enum ct_simd_level level,
                         const struct ct_inducing *inducing, const double *factor, const double *z,
                         int n, int threads, double *v, double *p)
{
    int m = inducing->m, panels = chunk_panels(m);
    struct factors_task task = {
        .distances = ct_kernels(level),
        .correlations = ct_correlation_kernels(level),
        .systems = ct_triangular_kernels(level),
        .shape = ct_covariance_shape(inducing->kind),
        .variance = inducing->variance,
        .m = m,
        .d = inducing->d,
        .n = n,
        .factor = ct_triangular_pack(host, factor, m),
        .u = copy_rows(host, inducing->u, m, inducing->d),
        .z = z,
        .chunk_panels = panels,
        .v = v,
        .p = p,
    };
    size_t size = (size_t)panels * ct_v_stride(m) * CT_PANEL;
    int points = panels * CT_PANEL;
    task.scratch = ct_alloc_aligned(host, (size_t)threads * size, sizeof *task.scratch);
    ct_parallel_for(host, n / points + (n % points > 0), threads, compute_chunk, &task);
}
