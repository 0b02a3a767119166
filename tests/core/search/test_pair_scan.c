/* test_pair_scan.c: neighbors by Gower distance with missing values, and by Hamming and Jaccard
 * distance of bits, are those of a comparison of all pairs by the definition, bit for bit: own
 * points, some rows, predecessors and foreign queries, at every instruction set and 1 to 3 threads;
 * all points within a radius. */
#include "check.h"
#include "clouds.h"
#include "core/metric/gower.h"
#include "core/metric/jaccard.h"
#include "core/metric/manhattan.h"
#include "core/search/bit_sets.h"
#include "core/search/pair_scan.h"
#include "core/search/query.h"
#include "host.h"
#include "oracle.h"

#include <math.h>
#include <stdlib.h>

enum { GOWER, HAMMING, JACCARD, DISTANCES };
enum { N = 600, FOREIGN = 40, BITS = 150, WIDE_BITS = 64 * 64 + 9 };

static const double weight[] = {0.3, 0.2, 0.1, 0.25, 0};
static const int nominal[] = {0, 1, 0, 1, 0};

struct task {
    int which, d;
    const double *points, *query; /* [n x d], [queries x d]; the same for own queries */
    int queries;
    struct ct_pair_scan scan;
    struct neighbor *neighbors; /* [count x n] all that a query may find, by (distance, row) */
    int *reach;                 /* [count] how many */
};

/* Few different values, so that distances are often equal: numbers, some missing, or bits. The
 * fourth row has no value or no bit. */
static double *draw(int which, int rows, int d)
{
    double *values = keep((size_t)rows * (size_t)d, sizeof *values);
    for (int i = 0; i < rows * d; i++)
        if (which == GOWER)
            values[i] = random_below(4) == 0 ? NAN : random_below(6) / 8.0;
        else
            values[i] = random_below(5) == 0 ? 0.25 : 0;
    for (int j = 0; j < d; j++)
        values[(rows > 3 ? 3 : 0) + j * rows] = which == GOWER ? NAN : 0;
    return values;
}

static double gower(const double *x, int n, const double *q, int queries, int d)
{
    double sum = 0, total = 0;
    for (int j = 0; j < d; j++) {
        double a = x[j * n], b = q[j * queries];
        if (isnan(a) || isnan(b))
            continue;
        sum += nominal[j] ? (a == b ? 0 : weight[j]) : fabs(a - b);
        total += weight[j];
    }
    return total > 0 ? sum / total : INFINITY;
}

static double definition(const struct task *task, int at, int i)
{
    const double *x = task->points + i, *q = task->query + at;
    int n = task->scan.n, queries = task->queries;
    if (task->which == GOWER)
        return gower(x, n, q, queries, task->d);
    return task->which == JACCARD ? ct_jaccard(x, (size_t)n, q, (size_t)queries, task->d)
                                  : 4 * ct_manhattan(x, (size_t)n, q, (size_t)queries, task->d);
}

static void rank_all(struct task *task)
{
    const struct ct_pair_scan *scan = &task->scan;
    task->neighbors = keep((size_t)scan->count * (size_t)scan->n, sizeof *task->neighbors);
    task->reach = keep((size_t)scan->count, sizeof *task->reach);
    for (int i = 0; i < scan->count; i++) {
        struct neighbor *list = task->neighbors + (size_t)i * (size_t)scan->n;
        int at = scan->row ? scan->row[i] - 1 : i, count = 0;
        for (int row = 1; row <= scan->n; row++) {
            if (scan->own && (row == at + 1 || (scan->predecessor && row > at)))
                continue;
            double distance = definition(task, at, row - 1);
            if (distance < INFINITY)
                list[count++] = (struct neighbor){distance, row};
        }
        qsort(list, (size_t)count, sizeof *list, oracle_compare);
        task->reach[i] = count;
    }
}

static void check_knn(const struct task *task, int k)
{
    size_t count = (size_t)task->scan.count;
    int *index = host.alloc(count * (size_t)k, sizeof *index), wrong = 0;
    double *distance = host.alloc(count * (size_t)k, sizeof *distance);
    ct_pair_knn(&host, &task->scan, k, -1, index, distance);
    for (size_t i = 0; i < count; i++)
        for (int j = 0; j < k; j++) {
            struct neighbor want = {-1, CT_NO_ROW};
            if (j < task->reach[i])
                want = task->neighbors[i * (size_t)task->scan.n + (size_t)j];
            wrong += index[i + (size_t)j * count] != want.row ||
                     distance[i + (size_t)j * count] != want.distance;
        }
    CHECK(wrong == 0);
}

static void check_radius(const struct task *task, double radius)
{
    size_t count = (size_t)task->scan.count;
    int *found = host.alloc(count, sizeof *found), **index = host.alloc(count, sizeof *index);
    double **distance = host.alloc(count, sizeof *distance);
    int wrong = 0;
    ct_pair_count(&host, &task->scan, radius, found);
    for (size_t i = 0; i < count; i++) {
        index[i] = host.alloc((size_t)found[i], sizeof **index);
        distance[i] = host.alloc((size_t)found[i], sizeof **distance);
    }
    ct_pair_fill(&host, &task->scan, radius, found, index, distance);
    for (size_t i = 0; i < count; i++) {
        const struct neighbor *list = task->neighbors + i * (size_t)task->scan.n;
        int want = 0;
        while (want < task->reach[i] && list[want].distance <= radius)
            want++;
        wrong += found[i] != want;
        for (int j = 0; j < want && found[i] == want; j++)
            wrong += index[i][j] != list[j].row || distance[i][j] != list[j].distance;
    }
    CHECK(wrong == 0);
}

static void check_level(struct task *task, enum ct_simd_level level)
{
    int n = task->scan.n, d = task->d;
    struct ct_gower by_columns = {n, task->queries, d, task->points, task->query, weight, nominal};
    struct ct_bit_pairs by_bits = {.jaccard = task->which == JACCARD,
                                   .common_bits = ct_common_bits_for(level)};
    task->scan.compare = task->which == GOWER ? ct_gower_compare : ct_bits_compare;
    task->scan.data = task->which == GOWER ? (const void *)&by_columns : (const void *)&by_bits;
    task->scan.kernels = ct_kernels(level);
    task->scan.threads = 1 + (int)level % 3;
    by_bits.points = ct_pack_bits(&host, task->points, NULL, n, d);
    by_bits.query = ct_pack_bits(&host, task->query, NULL, task->queries, d);
    double radius = (int)level * (task->which == HAMMING ? 20 : 0.3);
    check_knn(task, 1);
    check_knn(task, 20);
    check_knn(task, level == CT_SIMD_BASE ? n + 3 : 3);
    check_radius(task, radius);
    host_end_call();
}

static void check_queries(int which, int n, int d, int kind)
{
    static const int rows[] = {1, 4, 1};
    struct task task = {.which = which, .d = d, .points = draw(which, n, d)};
    task.query = kind == 1 ? draw(which, FOREIGN, d) : task.points;
    task.queries = kind == 1 ? FOREIGN : n;
    task.scan = (struct ct_pair_scan){.n = n,
                                      .own = kind != 1,
                                      .row = kind == 2 && n > 3 ? rows : NULL,
                                      .predecessor = kind == 3};
    task.scan.count = task.scan.row ? 3 : task.queries;
    rank_all(&task);
    for (int level = 0; level <= (int)ct_simd_best(); level++) {
        check_about("distance %d, %d rows, queries %d, level %d", which, n, kind, level);
        check_level(&task, (enum ct_simd_level)level);
    }
    keep_end();
}

/* Row row[i] - 1 of the sets is row i of the matrix. */
static void check_order(void)
{
    static const double x[] = {1, 0, 2, 0, 0, 3};
    static const int row[] = {3, 1, 2};
    struct ct_bit_sets sets = ct_pack_bits(&host, x, row, 3, 2);
    CHECK(sets.bits[0] == 0 && sets.bits[1] == 3 && sets.bits[2] == 1);
    CHECK(sets.size[0] == 0 && sets.size[1] == 2 && sets.size[2] == 1);
}

int main(void)
{
    static const int sizes[] = {N, 1, 5};
    for (int which = 0; which < DISTANCES; which++)
        for (int kind = 0; kind < 4; kind++) {
            for (int i = 0; i < 3; i++)
                check_queries(which, sizes[i], which == GOWER ? 5 : BITS, kind);
            if (which != GOWER)
                check_queries(which, 30, WIDE_BITS, kind);
        }
    check_order();
    return check_done("pair_scan");
}
