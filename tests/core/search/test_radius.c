/* test_radius.c: all points within a radius, against the oracle, bit for bit:
 * radii at, just below and just above a distance that occurs, zero, infinity;
 * counted, filled in order of distance, and filled in any order. */
#include "check.h"
#include "core/search/query.h"
#include "core/simd/euclid.h"
#include "grow.h"
#include "host.h"
#include "oracle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The oracle's rows for all queries, from nearest to farthest. */
struct task {
    const struct cloud *cloud, *queries; /* the same: its own points */
    struct neighbor *neighbors;          /* [m * n] by query */
    int reach;                           /* rows for each query */
};

static int is_self(const struct task *task)
{
    return task->cloud == task->queries;
}

static struct task make_task(const struct cloud *cloud, const struct cloud *queries)
{
    size_t n = (size_t)cloud->n;
    struct task task = {cloud, queries, keep(n * queries->n, sizeof(struct neighbor)), 0};
    for (int i = 0; i < queries->n; i++)
        task.reach =
            oracle_rows(cloud, queries, i, is_self(&task) ? i + 1 : 0, task.neighbors + i * n);
    return task;
}

static int within(const struct task *task, int i, double radius)
{
    int count = 0;
    while (count < task->reach &&
           task->neighbors[(size_t)i * task->cloud->n + count].distance <= radius)
        count++;
    return count;
}

/* What came back: for each query a block of its exact size, until the host's
 * call ends. */
struct found {
    int *count, **index;
    double **distance;
};

static struct found search(const struct ct_batch *batch, double radius, int sorted)
{
    size_t m = (size_t)batch->count;
    struct found found = {host.alloc(m, sizeof(int)), host.alloc(m, sizeof(int *)),
                          host.alloc(m, sizeof(double *))};
    for (size_t i = 0; i < m; i++)
        found.count[i] = -1;
    ct_radius_count(&host, batch, radius, LLONG_MAX, found.count);
    for (size_t i = 0; i < m; i++) {
        found.index[i] = host.alloc((size_t)found.count[i], sizeof(int));
        found.distance[i] = host.alloc((size_t)found.count[i], sizeof(double));
    }
    ct_radius_fill(&host, batch, radius, sorted, found.count, found.index, found.distance);
    return found;
}

/* Whether the i-th query found what it must; in any order if not sorted. */
static int is_right(const struct task *task, const struct found *found, int i, double radius,
                    int sorted)
{
    int count = within(task, i, radius), right = 1;
    if (found->count[i] != count)
        return 0;
    struct neighbor *got = host.alloc((size_t)count, sizeof *got);
    for (int j = 0; j < count; j++)
        got[j] = (struct neighbor){found->distance[i][j], found->index[i][j]};
    if (!sorted)
        qsort(got, (size_t)count, sizeof *got, oracle_compare);
    for (int j = 0; j < count; j++) {
        const struct neighbor *want = &task->neighbors[(size_t)i * task->cloud->n + j];
        right &= got[j].distance == want->distance && got[j].row == want->row;
    }
    return right;
}

/* Those of the best level, or so many levels lower, as far as there are any. */
static const struct ct_kernels *kernels_below(int below)
{
    int levels = (int)ct_simd_best() + 1;
    return ct_kernels((enum ct_simd_level)(levels - 1 - below % levels));
}

static void check_radius(const struct ct_tree *tree, const struct task *task, double radius,
                         int round)
{
    static const enum ct_search_mode modes[] = {CT_SEARCH_TREE, CT_SEARCH_AUTO, CT_SEARCH_SCAN};
    struct ct_batch batch = {.tree = tree,
                             .query = is_self(task) ? NULL : task->queries->x,
                             .count = task->queries->n,
                             .threads = 1 + round % 3,
                             .kernels = kernels_below(round),
                             .block = (const int[]){0, 7, 64, 1}[round % 4],
                             .mode = modes[round % 5 % 3]};
    for (int sorted = 0; sorted <= 1; sorted++) {
        struct found found = search(&batch, radius, sorted);
        int wrong = 0;
        for (int i = 0; i < batch.count; i++)
            wrong += !is_right(task, &found, i, radius, sorted);
        host_end_call();
        check_about("%s (%d nodes), %s, radius %g, block %d, %d threads, mode %d, %s",
                    task->cloud->name, tree->nodes, is_self(task) ? "self" : "other", radius,
                    batch.block, batch.threads, batch.mode, sorted ? "sorted" : "unsorted");
        CHECK(wrong == 0);
    }
}

static void check_task(const struct ct_tree *tree, const struct task *task)
{
    int round = 0;
    check_radius(tree, task, 0, round++);
    check_radius(tree, task, INFINITY, round++);
    for (int i = 0; i < 4 && task->reach > 0; i++) {
        int query = random_below(task->queries->n), rank = random_below(task->reach);
        if (i % 2)
            rank /= 8;
        double radius = task->neighbors[(size_t)query * task->cloud->n + rank].distance;
        check_radius(tree, task, radius, round++);
        check_radius(tree, task, nextafter(radius, 0), round++);
        check_radius(tree, task, nextafter(radius, INFINITY), round++);
    }
}

static void check_cloud(int which)
{
    struct cloud cloud = cloud_number(which), others = queries_near(&cloud, 40);
    struct grown small = grow(&cloud, 1, 1), large = grow(&cloud, 16, 2);
    struct task self = make_task(&cloud, &cloud), other = make_task(&cloud, &others);
    check_task(&small.tree, &self);
    check_task(&large.tree, &self);
    check_task(&small.tree, &other);
    check_task(&large.tree, &other);
    keep_end();
}

static long long sum_counted(const int *count, int m)
{
    long long sum = 0;
    for (int i = 0; i < m; i++)
        sum += count[i] > 0 ? count[i] : 0;
    return sum;
}

/* Counting stops soon after the limit, counts no query twice when it goes on, and ends with
 * the counts of one go; for all queries, for those that an order names, and own points. */
static void check_limit(void)
{
    enum { N = 3000 };
    struct cloud cloud = cloud_of("uniform", N, 2);
    struct grown grown = grow(&cloud, 16, 1);
    int *order = keep(N, sizeof *order), *whole = keep(N, sizeof *whole);
    int *count = keep(N, sizeof *count);
    for (int way = 0; way < 12; way++) {
        struct ct_batch batch = {.tree = &grown.tree,
                                 .query = way % 2 ? cloud.x : NULL,
                                 .ld_query = N,
                                 .order = way % 4 > 1 ? order : NULL,
                                 .count = way % 4 > 1 ? N / 3 : N,
                                 .threads = 1 + way % 3,
                                 .kernels = kernels_below(way),
                                 .block = way % 5 == 4};
        for (int i = 0; i < N; i++) {
            order[i] = 3 * i + 1;
            whole[i] = count[i] = -1;
        }
        if (way % 2 && !batch.order) {
            for (int i = 0; i < N; i++)
                order[i] = N - 1 - i;
            batch.order = order;
        }
        long long total = ct_radius_count(&host, &batch, 0.3, LLONG_MAX, whole), last = -1;
        check_about("limit, way %d", way);
        CHECK(total == sum_counted(whole, N) && total > 10 * N);
        for (long long most = 0; last < total; most = most * 2 + 10000) {
            long long before = last < 0 ? 0 : last;
            last = ct_radius_count(&host, &batch, 0.3, most, count);
            CHECK(last == sum_counted(count, N) && last >= before);
            CHECK(last > most || last == total);
            CHECK(last <= (most > before ? most : before) + batch.threads * CT_BLOCK * N);
        }
        CHECK(memcmp(count, whole, N * sizeof *count) == 0);
        host_end_call();
    }
    keep_end();
}

/* A radius that no distance is within leaves every output as it was. */
static void check_nothing(void)
{
    struct cloud cloud = cloud_of("integers", 20, 1), query = cloud_of("far off", 3, 1);
    struct grown grown = grow(&cloud, 4, 1);
    struct ct_batch batch = {.tree = &grown.tree,
                             .query = query.x,
                             .count = 3,
                             .threads = 1,
                             .kernels = kernels_below(0)};
    struct found found = search(&batch, 5, 1);
    check_about("nothing within");
    CHECK(found.count[0] == 0 && found.count[1] == 0 && found.count[2] == 0);
    host_end_call();
    keep_end();
}

int main(void)
{
    for (int which = 0; which < clouds_count(); which++)
        check_cloud(which);
    check_nothing();
    check_limit();
    return check_done("radius");
}
