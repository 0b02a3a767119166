/* test_knn.c: tree = scan = oracle, bit for bit: every shape, its own points
 * and others as queries, any k, leaf size, block size, order of answering, number
 * of threads and instruction set. */
#include "check.h"
#include "core/order/hilbert.h"
#include "core/search/query.h"
#include "core/simd/euclid.h"
#include "grow.h"
#include "host.h"
#include "oracle.h"

#include <math.h>
#include <string.h>

/* Queries and what they must find: [m * k] by column, so that the first columns
 * are the answer to any smaller k. */
struct task {
    const struct cloud *cloud, *queries; /* the same: its own points */
    int *order;                          /* [m] along the curve */
    int *index;
    double *distance;
};

static int is_self(const struct task *task)
{
    return task->cloud == task->queries;
}

static struct task make_task(const struct cloud *cloud, const struct cloud *queries, int k)
{
    int m = queries->n;
    struct task task = {cloud, queries, keep((size_t)m, sizeof(int)),
                        keep((size_t)m * k, sizeof(int)), keep((size_t)m * k, sizeof(double))};
    struct neighbor *neighbors = keep((size_t)cloud->n, sizeof *neighbors);
    for (int i = 0; i < m; i++) {
        int count = oracle_rows(cloud, queries, i, is_self(&task) ? i + 1 : 0, neighbors);
        for (int j = 0; j < k; j++) {
            task.index[i + (size_t)j * m] = j < count ? neighbors[j].row : CT_NO_ROW;
            task.distance[i + (size_t)j * m] = j < count ? neighbors[j].distance : NAN;
        }
    }
    ct_hilbert_order(&host, queries->x, m, queries->d, 1, task.order);
    host_end_call();
    return task;
}

/* What may not matter. */
struct way {
    enum ct_search_mode mode;
    int block, threads;
    int ordered; /* along the curve; or in the order given */
    int level;   /* below the best there is */
};

/* Those of the best level, or so many levels lower, as far as there are any. */
static const struct ct_kernels *kernels_below(int below)
{
    int levels = (int)ct_simd_best() + 1;
    return ct_kernels((enum ct_simd_level)(levels - 1 - below % levels));
}

static void check_way(const struct ct_tree *tree, const struct task *task, int k, struct way way)
{
    int m = task->queries->n;
    int *index = host.alloc((size_t)m * k, sizeof *index);
    double *distance = host.alloc((size_t)m * k, sizeof *distance);
    struct ct_batch batch = {.tree = tree,
                             .query = is_self(task) ? NULL : task->queries->x,
                             .order = way.ordered && !is_self(task) ? task->order : NULL,
                             .count = m,
                             .threads = way.threads,
                             .kernels = kernels_below(way.level),
                             .block = way.block,
                             .mode = way.mode};
    if (!way.ordered && is_self(task))
        batch.order = task->order; /* positions all over the tree, for the tree's own points */
    ct_knn(&host, &batch, k, NAN, index, distance);
    check_about("%s (%d nodes), %s, k %d, block %d, %d threads, mode %d, %s, %s", task->cloud->name,
                tree->nodes, is_self(task) ? "self" : "other", k, way.block, way.threads, way.mode,
                way.ordered ? "ordered" : "unordered", batch.kernels->name);
    CHECK(memcmp(index, task->index, (size_t)m * k * sizeof *index) == 0);
    CHECK(memcmp(distance, task->distance, (size_t)m * k * sizeof *distance) == 0);
    host_end_call();
}

static void check_ways(const struct ct_tree *tree, const struct task *task, int k)
{
    static const enum ct_search_mode modes[] = {CT_SEARCH_AUTO, CT_SEARCH_TREE, CT_SEARCH_SCAN};
    static const int blocks[] = {0, 1, 7, 64};
    for (int i = 0; i < 12; i++)
        check_way(tree, task, k,
                  (struct way){modes[i % 3], blocks[i % 4], 1 + i / 4, i % 5 < 3, i / 3 + i});
}

static void check_cloud(int which)
{
    struct cloud cloud = cloud_number(which), others = queries_near(&cloud, 60);
    int k[] = {1, 5, cloud.n < 2 ? 5 : cloud.n + 3};
    struct grown tree[] = {grow(&cloud, 1, 1), grow(&cloud, 4, 2), grow(&cloud, 32, 1),
                           grow_unordered(&cloud, 4, 1)};
    struct task tasks[] = {make_task(&cloud, &cloud, k[2]), make_task(&cloud, &others, k[2])};
    for (int t = 0; t < 2; t++)
        for (int i = 0; i < 3; i++) {
            check_ways(&tree[1].tree, &tasks[t], k[i]);
            for (int leaf = 0; leaf < 4; leaf++)
                check_way(&tree[leaf].tree, &tasks[t], k[i],
                          (struct way){CT_SEARCH_TREE, 9, 2, 1, leaf});
        }
    keep_end();
}

/* Whether a batch finds the same in another mode, with other kernels. */
static int same_again(const struct ct_batch *first, enum ct_search_mode mode, int k,
                      const int *index, const double *distance)
{
    size_t size = (size_t)first->count * k;
    struct ct_batch batch = *first;
    int *again = host.alloc(size, sizeof *again);
    double *distance_again = host.alloc(size, sizeof *distance_again);
    batch.mode = mode;
    batch.block = mode == CT_SEARCH_TREE ? 32 : 0;
    batch.kernels = kernels_below((int)mode);
    ct_knn(&host, &batch, k, NAN, again, distance_again);
    int same = memcmp(again, index, size * sizeof *again) == 0 &&
               memcmp(distance_again, distance, size * sizeof *distance) == 0;
    host_end_call();
    return same;
}

/* Too many for the oracle to sort them all: every 50th query is asked of it. */
static void check_large(const char *name, int n, int d, int k)
{
    struct cloud cloud = cloud_of(name, n, d);
    struct grown grown = grow(&cloud, 8, 2);
    int *index = keep((size_t)n * k, sizeof *index), wrong = 0;
    double *distance = keep((size_t)n * k, sizeof *distance);
    struct ct_batch batch = {
        .tree = &grown.tree, .count = n, .threads = 2, .kernels = kernels_below(0)};
    struct neighbor *neighbors = keep((size_t)n, sizeof *neighbors);
    ct_knn(&host, &batch, k, NAN, index, distance);
    host_end_call();
    for (int i = 0; i < n; i += 50) {
        oracle_rows(&cloud, &cloud, i, i + 1, neighbors);
        for (int j = 0; j < k; j++)
            wrong += index[i + j * n] != neighbors[j].row ||
                     distance[i + j * n] != neighbors[j].distance;
    }
    check_about("%d of %s, d = %d, k = %d", n, name, d, k);
    CHECK(wrong == 0);
    for (int mode = CT_SEARCH_TREE; mode <= CT_SEARCH_SCAN; mode++)
        CHECK(same_again(&batch, (enum ct_search_mode)mode, k, index, distance));
    keep_end();
}

/* With epsilon neighbors may be missed: the same ones for any block size, mode and
 * number of threads, at every level. */
static void check_epsilon(const char *name, int n, int d, int k)
{
    struct cloud cloud = cloud_of(name, n, d);
    struct grown grown = grow(&cloud, 8, 2);
    size_t size = (size_t)n * k;
    int *first = keep(size, sizeof *first), missed = 0;
    for (int i = 0; i < 12; i++) {
        struct ct_batch batch = {.tree = &grown.tree,
                                 .count = n,
                                 .threads = 1 + i % 3,
                                 .kernels = kernels_below(i),
                                 .epsilon = 2,
                                 .block = (int[]){1, 0, 7, 64}[i % 4],
                                 .mode = i % 2 ? CT_SEARCH_AUTO : CT_SEARCH_TREE};
        int *index = host.alloc(size, sizeof *index), *exact = host.alloc(size, sizeof *exact);
        double *distance = host.alloc(size, sizeof *distance);
        ct_knn(&host, &batch, k, NAN, index, distance);
        check_about("epsilon, %d of %s, block %d, %d threads, %s", n, name, batch.block,
                    batch.threads, batch.kernels->name);
        if (i == 0)
            memcpy(first, index, size * sizeof *first);
        CHECK(memcmp(first, index, size * sizeof *first) == 0);
        batch.epsilon = 0;
        ct_knn(&host, &batch, k, NAN, exact, distance);
        missed += memcmp(exact, index, size * sizeof *exact) != 0;
        host_end_call();
    }
    CHECK(missed == 12);
    keep_end();
}

/* Queries so far away that squares, in float or even in double, overflow. */
static void check_far(const char *name, int n, int d)
{
    static const enum ct_search_mode modes[] = {CT_SEARCH_TREE, CT_SEARCH_AUTO, CT_SEARCH_SCAN};
    struct cloud cloud = cloud_of(name, n, d), queries = cloud_of("normal", 60, d);
    struct grown grown = grow(&cloud, 8, 1);
    for (int i = 0; i < queries.n; i++)
        for (int j = 0; j < d; j++)
            queries.x[i + j * queries.n] *= ldexp(1, 35 * (i % 30));
    struct task task = make_task(&cloud, &queries, 5);
    for (int i = 0; i < 9; i++)
        check_way(&grown.tree, &task, 5, (struct way){modes[i % 3], 5 * (i / 3), 1, i % 2, i});
    keep_end();
}

/* No queries: nothing is found, and nothing is written. */
static void check_none(void)
{
    struct cloud cloud = cloud_of("uniform", 20, 2);
    struct grown grown = grow(&cloud, 4, 1);
    int index = 7;
    double distance = 7, query = 0;
    struct ct_batch batch = {
        .tree = &grown.tree, .query = &query, .threads = 2, .kernels = kernels_below(0)};
    ct_knn(&host, &batch, 3, NAN, &index, &distance);
    host_end_call();
    check_about("no queries");
    CHECK(index == 7 && distance == 7);
    keep_end();
}

int main(void)
{
    for (int which = 0; which < clouds_count(); which++)
        check_cloud(which);
    check_large("uniform", 4000, 2, 10);
    check_large("clusters", 4000, 3, 70);
    check_large("few", 2000, 3, 5);
    check_large("normal", 2000, 8, 10);
    check_large("corners", 600, 150, 10);
    check_large("corners", 150, 150, 10);
    check_large("few", 2000, 3, 300);
    check_large("grid", 1500, 2, 300);
    check_large("uniform", 2000, 2, 400);
    check_far("uniform", 1000, 2);
    check_far("normal", 300, 20);
    check_far("tiny", 300, 3);
    check_far("same", 300, 3);
    check_none();
    check_epsilon("uniform", 3000, 3, 10);
    check_epsilon("normal", 2000, 9, 5);
    return check_done("knn");
}
