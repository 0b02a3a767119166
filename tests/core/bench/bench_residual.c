/* bench_residual.c: the exact residual search against a matrix product of the same size.
 *
 *   cc -O2 -std=gnu11 -fopenmp -I../../../src bench_residual.c \
 *      $(find ../../../src/core -name '*.c') -lm -ldl -o bench
 *   bench CASE [BLAS.so [QUERIES [PRECISIONS]]]     cases: see main()
 *
 * Prints seconds and GFlop/s of the scan, counted as 2 n^2 m, or half of that for
 * predecessors, in each precision, and those of the library's dgemm for blocks of
 * 512 queries, in turns.
 */
#include "core/residual_exact/exact_search.h"
#include "core/search/query.h"
#include "core/util/parallel_for.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { THREADS = 2 };

static void *take(size_t count, size_t size)
{
    return malloc(count * size + 64);
}

static void no_poll(void)
{
}

static const struct ct_host host = {take, no_poll, NULL, NULL, NULL};

static uint64_t state = 7;

static double uniform(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static double normal(void)
{
    double u = 1 - uniform(), w = uniform();
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * w);
}

struct setting {
    const char *name;
    enum ct_covariance kind;
    int n, d, m, k, gaussian, predecessors;
    double length;
    double nugget;
};

/* V by forward substitution, the first m points being the inducing ones. */
static struct ct_residual_metric make_problem(const struct setting *s)
{
    const struct ct_correlation_kernels *dots = ct_correlation_kernels(ct_simd_best());
    int n = s->n, m = s->m;
    size_t stride = ct_v_stride(m);
    double *z = take((size_t)n * s->d, 8), *v = take(n * stride, 8), *p = take((size_t)n, 8);
    double *u = take((size_t)m * s->d, 8), *l = take(m * stride, 8);
    for (size_t i = 0; i < (size_t)n * s->d; i++)
        z[i] = (s->gaussian ? normal() : uniform()) / s->length;
    for (int i = 0; i < m; i++)
        for (int j = 0; j < s->d; j++)
            u[i + j * m] = z[i + j * (size_t)n];
    memset(l, 0, m * stride * 8);
    for (int pass = 0; pass < 2; pass++)
#pragma omp parallel for schedule(dynamic, 16) num_threads(pass ? THREADS : 1)
        for (int i = 0; i < (pass ? n : m); i++) {
            double q[64], *row = pass ? v + i * stride : l + i * stride, k[4096];
            for (int j = 0; j < s->d; j++)
                q[j] = z[i + j * (size_t)n];
            ct_covariance_fill(dots, s->kind, 1, u, m, s->d, q, k);
            memset(row, 0, stride * 8);
            for (int j = 0; j < (pass ? m : i); j++)
                row[j] = (k[j] - dots->dot(row, l + j * stride, ((size_t)j + 15) / 16 * 16)) /
                         l[j * stride + j];
            double rest = 1 - dots->dot(row, row, stride);
            if (pass)
                p[i] = rest + s->nugget > 1e-9 ? rest + s->nugget : 0;
            else
                row[i] = sqrt(rest + 1e-10);
        }
    return (struct ct_residual_metric){s->kind, 1, s->d, m, {n, z, v, p}};
}

typedef void (*gemm)(const char *, const char *, const int *, const int *, const int *,
                     const double *, const double *, const int *, const double *, const int *,
                     const double *, double *, const int *);

static void time_gemm(gemm dgemm, const struct ct_residual_metric *r)
{
    int n = r->points.n, some = 512, stride = (int)ct_v_stride(r->m), rounds = 8;
    double one = 1, zero = 0, *to = take((size_t)some * n, 8);
    clock_t used = clock();
    double start = ct_seconds();
    for (int i = 0; i < rounds; i++)
        dgemm("T", "N", &n, &some, &r->m, &one, r->points.v, &stride,
              r->points.v + (size_t)i * some * stride, &stride, &zero, to, &n);
    double took = ct_seconds() - start, busy = (double)(clock() - used) / CLOCKS_PER_SEC;
    double work = 2.0 * rounds * some * n * r->m / 1e9;
    printf("dgemm   %7.2f s %6.1f GFlop/s, %5.1f a busy core\n", took, work / took, work / busy);
    free(to);
}

static double time_scan(const struct ct_residual_metric *r, const struct setting *s,
                        enum ct_precision precision, const int *row, int count)
{
    static const char *const names[] = {"auto", "double", "float"};
    struct ct_residual_stats stats = {0};
    struct ct_exact_batch batch = {.metric = r,
                                   .row = row,
                                   .count = count,
                                   .predecessors = s->predecessors,
                                   .threads = THREADS,
                                   .precision = precision,
                                   .kernels = ct_kernels(ct_simd_best()),
                                   .correlation_kernels = ct_correlation_kernels(ct_simd_best()),
                                   .stats = &stats};
    int *index = take((size_t)count * s->k, sizeof *index);
    double *distance = take((size_t)count * s->k, sizeof *distance), start = ct_seconds();
    clock_t used = clock();
    ct_exact_search(&host, &batch, s->k, -1, index, distance);
    double took = ct_seconds() - start, busy = (double)(clock() - used) / CLOCKS_PER_SEC;
    double pairs = (double)(stats.filtered_f32 + stats.filtered_f64);
    double last = 0;
    for (int i = 0; i < count; i++)
        last += distance[(size_t)(s->k - 1) * count + i] / count;
    printf("%-7s %7.2f s %6.1f GFlop/s, %5.1f a busy core; of %.3g pairs %.1f%% in float, %.1f "
           "exact a query, "
           "mean last distance %.4f\n",
           names[precision], took, 2 * pairs * r->m / took / 1e9, 2 * pairs * r->m / busy / 1e9,
           pairs, 100 * (double)stats.filtered_f32 / pairs, (double)stats.exact / count, last);
    free(index);
    free(distance);
    return took;
}

int main(int argc, char **argv)
{
    static const struct setting settings[] = {
        {"gold-m52", CT_MATERN52, 32768, 3, 512, 50, 1, 0, 1, 0},
        {"gold-rbf", CT_RBF, 32768, 3, 512, 50, 1, 0, 1, 0},
        {"cube5", CT_MATERN32, 100000, 5, 200, 30, 0, 1, 0.25, 0},
        {"square", CT_MATERN52, 32768, 2, 200, 30, 0, 0, 0.2, 0},
    };
    for (int i = 0; i < 4; i++)
        if (argc > 1 && strcmp(argv[1], settings[i].name) == 0) {
            const struct setting *s = &settings[i];
            struct ct_residual_metric r = make_problem(s);
            void *blas = argc > 2 ? dlopen(argv[2], RTLD_NOW) : NULL;
            int count = argc > 3 ? atoi(argv[3]) : s->n, *row = NULL;
            if (count < s->n) {
                row = take((size_t)count, sizeof *row);
                for (int j = 0; j < count; j++)
                    row[j] = 1 + (int)((long long)j * s->n / count);
            }
            const char *modes = argc > 4 ? argv[4] : "120120";
            for (const char *mode = modes; *mode; mode++) {
                if (blas && *mode == *modes)
                    time_gemm((gemm)dlsym(blas, "dgemm_"), &r);
                time_scan(&r, s, (enum ct_precision)(*mode - '0'), row, count);
                fflush(stdout);
            }
        }
    return 0;
}
