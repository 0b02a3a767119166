/* test_pca.c: rotated dot products are within the orthogonality error of the originals, in long
 * double; the leading components hold the vectors of a subspace, and the largest axes of a
 * spectrum. Degenerate samples included. */
#include "check.h"
#include "clouds.h"
#include "core/residual/correlation.h"
#include "core/residual_exact/pca.h"
#include "host.h"
#include "random_factors.h"

#include <math.h>
#include <string.h>

/* Vectors in an unknown basis. */
struct sample {
    int count, m;
    size_t stride;
    double *v; /* [count x stride, row-major] */
};

/* Component i in a random basis (not orthogonal) has the scale decay^i, and 0 from `rank` on. */
static struct sample draw_sample(int count, int m, int rank, double decay)
{
    size_t stride = ct_v_stride(m);
    struct sample s = {count, m, stride, keep((size_t)count * stride, sizeof *s.v)};
    double *basis = keep((size_t)m * m, sizeof *basis);
    memset(s.v, 0, (size_t)count * stride * sizeof *s.v);
    for (int i = 0; i < m * m; i++)
        basis[i] = random_normal() / sqrt(m);
    for (int i = 0; i < count; i++)
        for (int b = 0; b < rank; b++) {
            double coordinate = pow(decay, b) * random_normal();
            for (int j = 0; j < m; j++)
                s.v[i * stride + j] += coordinate * basis[b * m + j];
        }
    return s;
}

/* Rotates all vectors, group by group: [count x m, row-major]. */
static double *rotate_all(const struct ct_rotation *rotation, const struct sample *s, double scale)
{
    int groups = (s->count + CT_GROUP - 1) / CT_GROUP;
    double *to = keep((size_t)groups * CT_GROUP * s->m, sizeof *to);
    double *scratch = host.alloc(ct_rotation_scratch_size(rotation), sizeof *scratch);
    for (int first = 0; first < s->count; first += CT_GROUP) {
        const double *v[CT_GROUP];
        for (int i = 0; i < CT_GROUP; i++)
            v[i] = s->v + (first + i < s->count ? first + i : first) * s->stride;
        ct_rotate_group(rotation, v, scale, scratch, to + (size_t)first * s->m);
    }
    return to;
}

static long double dot(const double *x, const double *y, int m)
{
    long double sum = 0;
    for (int j = 0; j < m; j++)
        sum += (long double)x[j] * y[j];
    return sum;
}

/* The largest error of a dot product of two rotated vectors, over the product of the norms. */
static double worst_error(const struct sample *s, const double *rotated, double scale)
{
    long double worst = 0;
    for (int i = 0; i < s->count; i++)
        for (int j = 0; j <= i; j++) {
            const double *x = s->v + i * s->stride, *y = s->v + j * s->stride;
            long double norms = sqrtl(dot(x, x, s->m) * dot(y, y, s->m)) * scale * scale;
            long double got = dot(rotated + (size_t)i * s->m, rotated + (size_t)j * s->m, s->m);
            long double off = fabsl(got - dot(x, y, s->m) * scale * scale);
            worst = off > worst * norms ? (norms > 0 ? off / norms : INFINITY) : worst;
        }
    return (double)worst;
}

/* The squared norm of components [from, m) of all vectors, as a share of the whole. */
static double share_from(const struct sample *s, const double *rotated, int from)
{
    long double tail = 0, all = 0;
    for (int i = 0; i < s->count; i++)
        for (int j = 0; j < s->m; j++) {
            long double value = rotated[(size_t)i * s->m + j];
            all += value * value;
            tail += j < from ? 0 : value * value;
        }
    return all > 0 ? (double)(tail / all) : 0;
}

static void check_rotation(int count, int m, int rank, double decay)
{
    struct sample s = draw_sample(count, m, rank, decay);
    double scale = ldexp(1 + random_uniform(), random_below(20) - 10);
    for (int level = 0; level <= (int)ct_simd_best(); level++)
        for (int threads = 1; threads < 3; threads++) {
            struct ct_rotation rotation =
                ct_rotation_make(&host, kernels_of(level), s.v, count, m, s.stride, threads);
            double *rotated = rotate_all(&rotation, &s, scale);
            double error = worst_error(&s, rotated, scale);
            check_about("%d vectors, m %d, rank %d, decay %g, %s: error %g of %g", count, m, rank,
                        decay, kernels_of(level)->name, error, rotation.orthogonality_error);
            CHECK(rotation.m == m);
            CHECK(error <= rotation.orthogonality_error);
            CHECK(rotation.orthogonality_error < 1e-10);
            if (decay == 1 && rank < m)
                CHECK(share_from(&s, rotated, rank) < 1e-20);
            host_end_call();
        }
    keep_end();
}

/* The first axes of a spectrum that falls by half from axis to axis: the tail is about as short
 * as that of the best subspace, and far shorter than without rotation. */
static void check_spectrum(void)
{
    enum { COUNT = 500, M = 64, RANK = 8 };
    struct sample s = draw_sample(COUNT, M, M, 0.5);
    struct ct_rotation rotation =
        ct_rotation_make(&host, kernels_of(0), s.v, COUNT, M, s.stride, 1);
    double *rotated = rotate_all(&rotation, &s, 1), *as_is = keep(COUNT * M, sizeof *as_is);
    for (int i = 0; i < COUNT; i++)
        memcpy(as_is + i * M, s.v + i * s.stride, M * sizeof *as_is);
    double share = share_from(&s, rotated, RANK), before = share_from(&s, as_is, RANK);
    check_about("spectrum: share of the tail %g, %g before", share, before);
    CHECK(share < 2 * pow(0.25, RANK));
    CHECK(before > 0.5);
    CHECK(share_from(&s, rotated, 1) < share_from(&s, rotated, 0));
    host_end_call();
    keep_end();
}

int main(void)
{
    static const int ms[] = {1, 2, 15, 16, 17, 40, 64, 65, 130};
    for (size_t i = 0; i < sizeof ms / sizeof *ms; i++) {
        int m = ms[i];
        check_rotation(1, m, m, 1);
        check_rotation(3 * m + 5, m, m, 1);
        check_rotation(40, m, 1 + m / 3, 1);
        check_rotation(40, m, m, 0.5);
        check_rotation(9, m, 0, 1); /* zeros */
    }
    check_spectrum();
    return check_done("pca");
}
