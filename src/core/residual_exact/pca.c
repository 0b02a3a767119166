/* pca.c: a rotation by orthogonal iteration; see pca.h.
 *
 * All matrix products are those of query groups and tiles: add_dots() of the filter kernels in
 * double serves as the micro-kernel, so a product runs at the speed of the filter. The rotation
 * need not be accurate, only orthogonal: any rotation gives exact results, and a better one gives
 * shorter tails. Householder reflections are orthogonal to rounding even where the Gram matrix is
 * singular.
 */
#include "core/residual_exact/pca.h"
#include "core/util/parallel_for.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { ROUNDS = 2 }; /* rounds of orthogonal iteration; more change the leading axes little */

/* Doubles of scratch for the product of a group and a panel: the packed group, and the sums. */
static size_t group_scratch_size(const struct ct_panel *panel)
{
    return (size_t)CT_GROUP * (panel->terms + panel->kernels->lanes);
}

/* Packs a matrix whose entry (t, c) is from[t * row_stride + c * column_stride]. */
static struct ct_panel make_panel(const struct ct_host *host,
                                  const struct ct_filter_kernels *kernels, const double *from,
                                  size_t row_stride, size_t column_stride, int terms, int columns)
{
    int lanes = kernels->lanes, tiles = (columns + lanes - 1) / lanes;
    size_t size = (size_t)tiles * lanes * terms;
    struct ct_panel panel = {kernels, terms, columns, host->alloc(size, sizeof(double))};
    memset(panel.tiles, 0, size * sizeof(double));
    for (int c = 0; c < columns; c++)
        kernels->pack(panel.tiles + (size_t)(c / lanes) * lanes * terms + c % lanes, lanes,
                      from + c * column_stride, row_stride, NULL, 1, terms);
    return panel;
}

/* to[i * ld + c] = the product of vector v[i], whose components lie `stride` apart, times scale,
 * and column c of the panel. */
static void multiply_group(const struct ct_panel *panel, const double *const *v, size_t stride,
                           double scale, double *scratch, double *to, size_t ld)
{
    const struct ct_filter_kernels *kernels = panel->kernels;
    int lanes = kernels->lanes, terms = panel->terms;
    double *group = scratch, *sums = scratch + (size_t)CT_GROUP * terms;
    for (int i = 0; i < CT_GROUP; i++)
        kernels->pack(group + i, CT_GROUP, v[i], stride, NULL, scale, terms);
    for (int first = 0; first < panel->columns; first += lanes) {
        const double *tile = panel->tiles + (size_t)first * terms;
        int columns = panel->columns - first < lanes ? panel->columns - first : lanes;
        memset(sums, 0, sizeof(double) * CT_GROUP * lanes);
        for (int from = 0; from < terms; from += CT_CHUNK)
            kernels->add_dots(tile + (size_t)from * lanes, group + (size_t)from * CT_GROUP,
                              terms - from < CT_CHUNK ? terms - from : CT_CHUNK, sums);
        for (int i = 0; i < CT_GROUP; i++)
            memcpy(to + i * ld + first, sums + i * lanes, columns * sizeof(double));
    }
}

/* A product of `count` vectors and a panel, by groups in parallel. */
struct product {
    const struct ct_panel *panel;
    const double *from;
    size_t vector_stride, stride; /* between vectors of `from`, and between their components */
    int count;
    double *to; /* [count x ld, row-major] */
    size_t ld;
    double *scratch;   /* [threads] times group_scratch_size() */
    double *group_sum; /* [threads x CT_GROUP x ld] products of one group */
};

/* The product of one group. The last group may be incomplete: then it repeats its first vector,
 * and its products go to `to` by way of group_sum. */
static void multiply_block(void *data, int block, int thread)
{
    const struct product *product = data;
    size_t size = CT_GROUP * product->ld, scratch = group_scratch_size(product->panel);
    int first = block * CT_GROUP, left = product->count - first;
    int count = left < CT_GROUP ? left : CT_GROUP;
    double *group_sum = product->group_sum + thread * size;
    const double *v[CT_GROUP];
    for (int i = 0; i < CT_GROUP; i++)
        v[i] = product->from + (size_t)(first + (i < count ? i : 0)) * product->vector_stride;
    multiply_group(product->panel, v, product->stride, 1, product->scratch + thread * scratch,
                   group_sum, product->ld);
    for (int i = 0; i < count; i++)
        memcpy(product->to + (size_t)(first + i) * product->ld, group_sum + i * product->ld,
               (size_t)product->panel->columns * sizeof(double));
}

/* Allocates the scratch of all threads and runs the product in parallel. */
static void multiply(const struct ct_host *host, struct product product, int threads)
{
    product.scratch = host->alloc(threads * group_scratch_size(product.panel), sizeof(double));
    product.group_sum = host->alloc(threads * CT_GROUP * product.ld, sizeof(double));
    ct_parallel_for(host, (product.count + CT_GROUP - 1) / CT_GROUP, threads, multiply_block,
                    &product);
}

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

/* Householder QR: to [m x stride, row-major] = orthonormal vectors of which the first i span the
 * first i vectors of y, for each i. y [m x stride, row-major] is left with the normals. */
static void orthonormalize(const struct ct_host *host, const struct ct_correlation_kernels *kernels,
                           double *y, double *to, int m, size_t stride)
{
    for (int j = 0; j < m; j++) {
        make_normal(y + j * stride, j, m);
        for (int i = j + 1; i < m; i++)
            reflect(kernels, y + j * stride, j, y + i * stride, m, stride);
        if (j % CT_CHUNK == 0)
            host->poll();
    }
    /* The product of all reflections, from the last to the first, applied to the unit vectors. */
    memset(to, 0, m * stride * sizeof *to);
    for (int i = 0; i < m; i++)
        to[i * stride + i] = 1;
    for (int j = m; j-- > 0;) {
        for (int i = j; i < m; i++)
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
    struct ct_panel panel = make_panel(host, kernels, vectors, stride, 1, count, m);
    memset(gram, 0, m * stride * sizeof(double));
    multiply(host,
             (struct product){.panel = &panel,
                              .from = vectors,
                              .vector_stride = 1,
                              .stride = stride,
                              .count = m,
                              .to = gram,
                              .ld = stride},
             threads);
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
    struct ct_panel panel = make_panel(host, f64, gram, stride, 1, m, m);
    struct product product = {
        .panel = &panel, .vector_stride = stride, .stride = 1, .count = m, .ld = stride};
    memcpy(y, gram, size * sizeof(double));
    for (int round = 1;; round++) {
        orthonormalize(host, kernels, y, q, m, stride);
        product.from = q;
        product.to = y;
        if (round == ROUNDS)
            break;
        memset(y, 0, size * sizeof(double));
        multiply(host, product, threads);
    }
    struct ct_rotation rotation = {.m = m, .panel = make_panel(host, f64, q, 1, stride, m, m)};
    /* y = Q'Q, by the same products as the rotation of vectors. */
    product.panel = &rotation.panel;
    multiply(host, product, threads);
    rotation.orthogonality_error = orthogonality_error(y, m, stride);
    return rotation;
}

size_t ct_rotation_scratch_size(const struct ct_rotation *rotation)
{
    return group_scratch_size(&rotation->panel);
}

void ct_rotate_group(const struct ct_rotation *rotation, const double *const *v, double scale,
                     double *scratch, double *to)
{
    multiply_group(&rotation->panel, v, 1, scale, scratch, to, (size_t)rotation->m);
}
