/* pca.c: a rotation by orthogonal iteration; see pca.h.
 *
 * All matrix products are those of panel.h. The rotation need not be accurate, only orthogonal:
 * any rotation gives exact results, and a better one gives shorter tails. Householder reflections
 * are orthogonal to rounding even where the Gram matrix is singular.
 */
#include "core/residual_exact/pca.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { ROUNDS = 2 }; /* rounds of orthogonal iteration; more change the leading axes little */

/* Householder reflection: replaces x [m] by the unit normal of the reflection that makes the
 * components of x after j zero; by 0 if all components from j on are 0. Scaling by the largest
 * component avoids overflow and underflow of the sum of squares. */
static void make_normal(double *x, int j, int m)
{
    double largest = 0, sum = 0;
    for (int t = 0; t < m; t++)
        largest = fmax(largest, t < j ? 0 : fabs(x[t]));
    for (int t = 0; t < m; t++) {
        x[t] = t < j || largest == 0 ? 0 : x[t] / largest;
        sum += x[t] * x[t];
    }
    /* The sign of x[j] avoids cancellation in x[j] + |x|. */
    double head = x[j], tip = head + copysign(sqrt(sum), head);
    double norm = sqrt(sum - head * head + tip * tip);
    x[j] = tip;
    for (int t = j; t < m && norm > 0; t++)
        x[t] /= norm;
}

/* Reflects x; the normal is 0 before component j, so the dot product starts at the multiple of
 * CT_V_LANES before j. */
static void reflect(const struct ct_correlation_kernels *kernels, const double *normal, int j,
                    double *x, int m, size_t stride)
{
    size_t from = (size_t)j / CT_V_LANES * CT_V_LANES;
    double twice = 2 * kernels->dot(normal + from, x + from, stride - from);
    for (int t = j; t < m; t++)
        x[t] -= twice * normal[t];
}

void ct_orthonormalize(const struct ct_host *host, const struct ct_correlation_kernels *kernels,
                       double *y, double *to, int count, int m, size_t stride)
{
    for (int j = 0; j < count; j++) {
        make_normal(y + j * stride, j, m);
        for (int i = j + 1; i < count; i++)
            reflect(kernels, y + j * stride, j, y + i * stride, m, stride);
        if (j % CT_CHUNK == 0)
            host->poll();
    }
    /* The product of all reflections, from the last to the first, applied to the unit vectors. */
    memset(to, 0, count * stride * sizeof *to);
    for (int i = 0; i < count; i++)
        to[i * stride + i] = 1;
    for (int j = count; j-- > 0;) {
        for (int i = j; i < count; i++)
            reflect(kernels, y + j * stride, j, to + i * stride, m, stride);
        if (j % CT_CHUNK == 0)
            host->poll();
    }
}

/* The error bound of pca.h, from Q'Q as computed. `rounding` is (b + c + 8) e. */
static double orthogonality_error(const double *products, int m, size_t stride)
{
    double sum = 0, rounding = (CT_CHUNK + m / CT_CHUNK + 8) * DBL_EPSILON / 2;
    for (int i = 0; i < m; i++)
        for (int j = 0; j < m; j++) {
            double error = products[i * stride + j] - (i == j);
            sum += error * error;
        }
    return 1.1 * (sqrt(sum) + m * rounding + 2 * sqrt(m) * rounding);
}

/* Gram matrix [m x m] = vectors' vectors; it is symmetric, so its rows are its columns. */
static void fill_gram(const struct ct_host *host, const struct ct_filter_kernels *kernels,
                      const double *vectors, int count, int m, size_t stride, int threads,
                      double *gram)
{
    struct ct_panel panel = ct_panel_make(host, kernels, vectors, stride, 1, count, m);
    memset(gram, 0, m * stride * sizeof(double));
    struct ct_panel_product product = {.panel = &panel,
                                       .from = vectors,
                                       .vector_stride = 1,
                                       .stride = stride,
                                       .count = m,
                                       .to = gram,
                                       .ld = stride};
    ct_panel_multiply(host, &product, threads);
}

struct ct_rotation ct_rotation_make(const struct ct_host *host,
                                    const struct ct_correlation_kernels *kernels,
                                    const double *vectors, int count, int m, size_t stride,
                                    int threads)
{
    const struct ct_filter_kernels *f64 = &kernels->filter_f64;
    size_t size = m * stride;
    double *gram = host->alloc(size, sizeof(double)), *y = host->alloc(size, sizeof(double));
    double *q = host->alloc(size, sizeof(double)); /* the axes, row by row */
    fill_gram(host, f64, vectors, count, m, stride, threads, gram);
    /* Round 1 orthonormalizes the Gram matrix itself: its product with the unit vectors. */
    struct ct_panel panel = ct_panel_make(host, f64, gram, stride, 1, m, m);
    struct ct_panel_product product = {
        .panel = &panel, .vector_stride = stride, .stride = 1, .count = m, .ld = stride};
    memcpy(y, gram, size * sizeof(double));
    for (int round = 1;; round++) {
        ct_orthonormalize(host, kernels, y, q, m, m, stride);
        product.from = q;
        product.to = y;
        if (round == ROUNDS)
            break;
        memset(y, 0, size * sizeof(double));
        ct_panel_multiply(host, &product, threads);
    }
    struct ct_rotation rotation = {.m = m, .panel = ct_panel_make(host, f64, q, 1, stride, m, m)};
    /* y = Q'Q, by the same products as the rotation of vectors. */
    product.panel = &rotation.panel;
    ct_panel_multiply(host, &product, threads);
    rotation.orthogonality_error = orthogonality_error(y, m, stride);
    return rotation;
}

/* The packed group, and the scratch of its product. */
size_t ct_rotation_scratch_size(const struct ct_rotation *rotation)
{
    return (size_t)CT_GROUP * rotation->m + ct_panel_scratch_size(&rotation->panel, 1);
}

void ct_rotate_group(const struct ct_rotation *rotation, const double *const *v, double scale,
                     double *scratch, double *to)
{
    int m = rotation->m;
    for (int i = 0; i < CT_GROUP; i++)
        rotation->panel.kernels->pack(scratch + i, CT_GROUP, v[i], 1, NULL, scale, m);
    ct_panel_multiply_groups(&rotation->panel, scratch, 1, scratch + (size_t)CT_GROUP * m, to,
                             (size_t)m);
}
