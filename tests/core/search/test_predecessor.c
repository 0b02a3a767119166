/* test_predecessor.c: neighbors among the rows below a point's own are those of
 * the oracle, bit for bit: every shape, any k, number of threads, instruction set and
 * mode; all rows or some of them; wherever the results are to go. */
#include "check.h"
#include "core/search/query.h"
#include "core/simd/euclid.h"
#include "grow.h"
#include "host.h"
#include "oracle.h"

#include <limits.h>
#include <math.h>
#include <string.h>

enum { UNTOUCHED = -77 };

/* What each row must find, [n * k] by column. */
struct task {
    const struct cloud *cloud;
    int *index;
    double *distance;
};

static struct task make_task(const struct cloud *cloud, int k)
{
    size_t n = (size_t)cloud->n;
    struct task task = {cloud, keep(n * k, sizeof(int)), keep(n * k, sizeof(double))};
    struct neighbor *neighbors = keep(n, sizeof *neighbors);
    for (size_t i = 0; i < n; i++) {
        int count = oracle_rows(cloud, cloud, (int)i, (int)i + 1, neighbors), found = 0;
        for (int c = 0; c < count && found < k; c++)
            if (neighbors[c].row <= (int)i) {
                task.index[i + found * n] = neighbors[c].row;
                task.distance[i + found++ * n] = neighbors[c].distance;
            }
        for (; found < k; found++) {
            task.index[i + found * n] = CT_NO_ROW;
            task.distance[i + found * n] = NAN;
        }
    }
    return task;
}

/* What may not matter. */
struct way {
    int k, threads, level, block;
    enum ct_search_mode mode;
    int share; /* one row of so many asks; 1: all, in the tree's order */
    int ld;    /* lines of the results; 0: as many as rows, where none is moved */
};

/* The positions of one row of `share`, ascending; slot[row - 1]: a line for each, from
 * the last of ld on. */
static int draw_rows(const struct ct_tree *tree, struct way way, int *order, int *slot)
{
    int m = 0;
    for (int pos = 0; pos < tree->n; pos++) {
        slot[tree->row[pos] - 1] = UNTOUCHED;
        if (way.share > 1 && random_below(way.share) > 0)
            continue;
        if (way.ld > 0)
            slot[tree->row[pos] - 1] = way.ld - 1 - m;
        else
            slot[tree->row[pos] - 1] = tree->row[pos] - 1;
        order[m++] = pos;
    }
    return m;
}

/* How many lines of the results are wrong, or were written to though no row asked. */
static int count_wrong(const struct task *task, struct way way, int ld, const int *slot,
                       const int *index, const double *distance)
{
    char *used = host.alloc((size_t)ld, 1);
    int wrong = 0, n = task->cloud->n;
    memset(used, 0, (size_t)ld);
    for (int i = 0; i < n; i++) {
        if (slot[i] == UNTOUCHED)
            continue;
        used[slot[i]] = 1;
        for (size_t j = 0; j < (size_t)way.k; j++)
            wrong += index[slot[i] + j * ld] != task->index[i + j * n] ||
                     memcmp(distance + slot[i] + j * ld, task->distance + i + j * n,
                            sizeof *distance) != 0;
    }
    for (int line = 0; line < ld; line++)
        for (size_t j = 0; j < (size_t)way.k && !used[line]; j++)
            wrong += index[line + j * ld] != UNTOUCHED || distance[line + j * ld] != UNTOUCHED;
    return wrong;
}

static void check_way(const struct ct_tree *tree, const struct task *task, struct way way)
{
    int ld = way.ld > 0 ? way.ld : tree->n;
    size_t size = (size_t)ld * way.k;
    int *order = host.alloc((size_t)tree->n, sizeof *order);
    int *slot = host.alloc((size_t)tree->n, sizeof *slot);
    int *index = host.alloc(size, sizeof *index);
    double *distance = host.alloc(size, sizeof *distance);
    for (size_t i = 0; i < size; i++) {
        index[i] = UNTOUCHED;
        distance[i] = UNTOUCHED;
    }
    int m = draw_rows(tree, way, order, slot);
    struct ct_batch batch = {.tree = tree,
                             .order = way.share > 1 ? order : NULL,
                             .predecessors = 1,
                             .count = m,
                             .threads = way.threads,
                             .slot = way.ld > 0 ? slot : NULL,
                             .ld = way.share > 1 || way.ld > 0 ? ld : 0,
                             .kernels = ct_kernels((enum ct_simd_level)way.level),
                             .block = way.block,
                             .mode = way.mode};
    ct_knn_predecessors(&host, &batch, way.k, NAN, index, distance);
    check_about("%s, %d of %d, k %d, %d threads, ld %d, block %d, mode %d, %s", task->cloud->name,
                m, tree->n, way.k, way.threads, batch.ld, way.block, way.mode, batch.kernels->name);
    CHECK(count_wrong(task, way, ld, slot, index, distance) == 0);
    host_end_call();
}

/* The points as foreign queries, of which each finds only smaller rows, within the distance of its
 * last neighbor or without a limit. */
static void check_foreign(const struct ct_tree *tree, const struct task *task, int k, int limited)
{
    size_t n = (size_t)tree->n, size = n * (size_t)k;
    int *index = host.alloc(size, sizeof *index), wrong = 0;
    double *distance = host.alloc(size, sizeof *distance);
    struct ct_query_start *start = host.alloc(n, sizeof *start);
    for (size_t i = 0; i < n; i++) {
        double last = task->distance[i + (size_t)(k - 1) * n];
        double most = limited && !isnan(last) ? ct_sq_threshold(last) : INFINITY;
        start[i] = (struct ct_query_start){{most, INT_MAX}, .max_row = (int)i};
    }
    struct ct_batch batch = {.tree = tree,
                             .query = task->cloud->x,
                             .count = tree->n,
                             .start = start,
                             .threads = 2,
                             .kernels = ct_kernels(ct_simd_best())};
    ct_knn_up_to_max_row(&host, &batch, k, NAN, index, distance);
    for (size_t at = 0; at < size; at++)
        wrong += index[at] != task->index[at] ||
                 memcmp(distance + at, task->distance + at, sizeof *distance) != 0;
    check_about("%s, foreign, k %d, limited %d", task->cloud->name, k, limited);
    CHECK(wrong == 0);
    host_end_call();
}

static void check_ways(const struct ct_tree *tree, const struct task *task, int k)
{
    static const enum ct_search_mode modes[] = {CT_SEARCH_AUTO, CT_SEARCH_TREE, CT_SEARCH_SCAN};
    static const int blocks[] = {0, 1, 13, 64}, shares[] = {1, 3, 40, 1, 2};
    int levels = (int)ct_simd_best() + 1;
    for (int i = 0; i < 15; i++)
        check_way(tree, task,
                  (struct way){.k = k,
                               .threads = 1 + i % 3,
                               .level = i % levels,
                               .block = blocks[i % 4],
                               .mode = modes[(i + i / 3) % 3],
                               .share = shares[i % 5],
                               .ld = i % 2 ? tree->n + i : 0});
    check_foreign(tree, task, k, 0);
    check_foreign(tree, task, k, 1);
}

static void check_cloud(int which)
{
    struct cloud cloud = cloud_number(which);
    int k[] = {1, 6, cloud.n + 6};
    struct task task = make_task(&cloud, k[2]);
    struct grown trees[] = {grow(&cloud, 3, 1), grow(&cloud, 32, 2), grow_unordered(&cloud, 4, 1)};
    for (int i = 0; i < 9; i++)
        check_ways(&trees[i / 3].tree, &task, k[i % 3]);
    keep_end();
}

/* So many that rows are halved, once or twice. */
static void check_large(const char *name, int n, int d, int k)
{
    struct cloud cloud = cloud_of(name, n, d);
    struct task task = make_task(&cloud, k);
    struct grown grown = grow(&cloud, 16, 2);
    check_ways(&grown.tree, &task, k);
    keep_end();
}

/* Nobody asks: nothing is written. */
static void check_none(void)
{
    struct cloud cloud = cloud_of("uniform", 20, 2);
    struct grown grown = grow(&cloud, 4, 1);
    int index = UNTOUCHED, order = 0;
    double distance = UNTOUCHED;
    struct ct_batch batch = {.tree = &grown.tree,
                             .order = &order,
                             .predecessors = 1,
                             .threads = 2,
                             .ld = 1,
                             .kernels = ct_kernels(ct_simd_best())};
    ct_knn_predecessors(&host, &batch, 1, NAN, &index, &distance);
    host_end_call();
    check_about("no queries");
    CHECK(index == UNTOUCHED && distance == UNTOUCHED);
    keep_end();
}

int main(void)
{
    for (int which = 0; which < clouds_count(); which++)
        check_cloud(which);
    check_large("uniform", 2300, 2, 10);
    check_large("grid", 1600, 2, 5);
    check_large("few", 1100, 3, 30);
    check_large("normal", 1100, 8, 10);
    check_large("same", 1100, 3, 140);
    check_none();
    return check_done("predecessor");
}
