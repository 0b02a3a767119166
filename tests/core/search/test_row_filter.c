/* test_row_filter.c: searches with limits of ranks, groups and rows find the eligible neighbors of
 * the oracle, bit for bit: every shape, any k, mode, block, number of threads and instruction set;
 * own points, some of them, and foreign queries; k nearest and within a radius. */
#include "check.h"
#include "core/search/filtered_knn.h"
#include "core/simd/euclid.h"
#include "grow.h"
#include "host.h"
#include "oracle.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The oracle's order of all rows for every step-th query. */
struct task {
    const struct cloud *cloud, *queries; /* the same: own points */
    int step;
    struct neighbor *sorted; /* [queries / step x n] by query */
    int *by_value;           /* [n] rank of each row by the first coordinate, from 1 */
};

static int is_own(const struct task *task)
{
    return task->cloud == task->queries;
}

static struct task make_task(const struct cloud *cloud, const struct cloud *queries, int step)
{
    size_t n = (size_t)cloud->n, checked = (size_t)(queries->n + step - 1) / (size_t)step;
    struct task task = {cloud, queries, step, keep(n * checked, sizeof(struct neighbor)),
                        keep(n, sizeof(int))};
    for (size_t c = 0; c < checked; c++)
        oracle_rows(cloud, queries, (int)c * step, 0, task.sorted + c * n);
    for (size_t i = 0; i < n; i++) {
        task.by_value[i] = 1;
        for (size_t j = 0; j < n; j++)
            task.by_value[i] += cloud->x[j] < cloud->x[i] || (cloud->x[j] == cloud->x[i] && j < i);
    }
    return task;
}

/* ---- limits ---- */

enum { DISTINCT, FEW, ONE, BY_ROW, BY_VALUE, STYLES };

/* Values from 1 for all rows, in a style. Returns the largest. */
static int draw_values(const struct task *task, int style, int *value)
{
    int n = task->cloud->n, most = 0;
    for (int i = 0; i < n; i++) {
        value[i] = style == DISTINCT || style == BY_ROW ? i + 1
                   : style == FEW                       ? 1 + random_below(5)
                   : style == ONE                       ? 1
                                                        : 1 + (task->by_value[i] - 1) * 7 / n;
        if (style == DISTINCT) {
            int other = random_below(i + 1), swap = value[other];
            value[other] = value[i];
            value[i] = swap;
        }
    }
    for (int i = 0; i < n; i++)
        most = value[i] > most ? value[i] : most;
    return most;
}

/* Limits of the kinds in a set of bits: ranks 1, groups 2, window 4. */
static struct ct_row_limits draw_limits(const struct task *task, int kinds)
{
    int n = task->cloud->n, m = task->queries->n, own = is_own(task);
    const int windows[] = {0, 2, n / 3, n + 5};
    struct ct_row_limits limits = {.window = kinds & 4 ? windows[random_below(4)] : -1};
    for (int kind = 0; kind < 2; kind++) {
        if (!(kinds & (1 << kind)))
            continue;
        int *value = host.alloc((size_t)n, sizeof *value);
        int *of_query = host.alloc((size_t)m, sizeof *of_query);
        int most = draw_values(task, random_below(STYLES), value);
        for (int i = 0; i < m; i++)
            of_query[i] = !own ? random_below(most + 1) : kind == 0 ? value[i] - 1 : value[i];
        if (kind == 0) {
            limits.ranks = most;
            limits.rank = value;
            limits.max_rank = of_query;
        } else {
            limits.groups = most;
            limits.group = value;
            limits.query_group = of_query;
        }
    }
    return limits;
}

/* By the definition. own: the row of an own query, or 0. */
static int is_eligible(const struct ct_row_limits *limits, int line, int own, int row)
{
    if (limits->rank && limits->rank[row - 1] > limits->max_rank[line])
        return 0;
    if (limits->group && limits->group[row - 1] == limits->query_group[line])
        return 0;
    return !own || (row != own && abs(row - own) > limits->window);
}

/* Lists the eligible neighbors of a query in order. Returns their number. */
static int list_eligible(const struct task *task, const struct ct_row_limits *limits, int query,
                         struct neighbor *out)
{
    size_t n = (size_t)task->cloud->n;
    const struct neighbor *sorted = task->sorted + (size_t)(query / task->step) * n;
    int count = 0;
    for (size_t j = 0; j < n; j++)
        if (is_eligible(limits, query, is_own(task) ? query + 1 : 0, sorted[j].row))
            out[count++] = sorted[j];
    return count;
}

/* ---- searches ---- */

static int knn_is_right(const struct task *task, const struct ct_row_limits *limits, int query,
                        int k, const int *index, const double *distance)
{
    struct neighbor *want = host.alloc((size_t)task->cloud->n, sizeof *want);
    int count = list_eligible(task, limits, query, want), right = 1;
    for (int j = 0; j < k; j++) {
        size_t at = (size_t)query + (size_t)j * task->queries->n;
        right &= j < count ? index[at] == want[j].row && distance[at] == want[j].distance
                           : index[at] == CT_NO_ROW && isnan(distance[at]);
    }
    return right;
}

/* Searches for all queries, or for about one of `share` own points; other lines stay as they are.
 */
static void check_knn(const struct task *task, struct ct_batch batch,
                      const struct ct_row_limits *limits, int k, int share)
{
    size_t m = (size_t)task->queries->n, size = m * (size_t)k;
    int *index = host.alloc(size, sizeof *index), *order = host.alloc(m, sizeof *order);
    double *distance = host.alloc(size, sizeof *distance);
    char *asked = host.alloc(m, 1);
    int wrong = 0, count = 0;
    memset(asked, 1, m);
    memset(index, 0x55, size * sizeof *index);
    for (int at = 0; at < (int)m && share > 1; at++) {
        int line = batch.query ? at : batch.tree->row[at] - 1;
        asked[line] = random_below(share) == 0;
        if (asked[line])
            order[count++] = at;
    }
    if (share > 1) {
        batch.order = order;
        batch.count = count;
        batch.ld_query = batch.ld = (int)m;
    }
    ct_knn_filtered(&host, &batch, limits, k, NAN, index, distance);
    for (int query = 0; query < (int)m; query += task->step)
        wrong += asked[query] ? !knn_is_right(task, limits, query, k, index, distance)
                              : index[query] != 0x55555555;
    CHECK(wrong == 0);
}

static void check_radius(const struct task *task, struct ct_batch batch,
                         const struct ct_row_limits *limits, double radius)
{
    size_t m = (size_t)batch.count, n = (size_t)task->cloud->n;
    int *count = host.alloc(m, sizeof *count), **index = host.alloc(m, sizeof *index), wrong = 0;
    double **distance = host.alloc(m, sizeof *distance);
    struct neighbor *want = host.alloc(n, sizeof *want);
    for (size_t i = 0; i < m; i++)
        count[i] = -1;
    batch.filter = ct_row_filter_new(&host, batch.tree, limits);
    ct_radius_count(&host, &batch, radius, LLONG_MAX, count);
    for (size_t i = 0; i < m; i++) {
        index[i] = host.alloc((size_t)count[i], sizeof **index);
        distance[i] = host.alloc((size_t)count[i], sizeof **distance);
    }
    ct_radius_fill(&host, &batch, radius, 1, count, index, distance);
    for (int query = 0; query < (int)m; query += task->step) {
        int eligible = list_eligible(task, limits, query, want), within = 0;
        while (within < eligible && want[within].distance <= radius)
            within++;
        wrong += count[query] != within;
        for (int j = 0; j < within && count[query] == within; j++)
            wrong += index[query][j] != want[j].row || distance[query][j] != want[j].distance;
    }
    CHECK(wrong == 0);
}

static void check_limits(const struct ct_tree *tree, const struct task *task, int kinds, int round)
{
    static const enum ct_search_mode modes[] = {CT_SEARCH_AUTO, CT_SEARCH_TREE, CT_SEARCH_SCAN};
    int levels = (int)ct_simd_best() + 1, n = tree->n;
    const int ks[] = {1, 7, n + 3};
    struct ct_batch batch = {.tree = tree,
                             .query = is_own(task) ? NULL : task->queries->x,
                             .count = task->queries->n,
                             .threads = 1 + round % 3,
                             .kernels = ct_kernels((enum ct_simd_level)(round % levels)),
                             .block = (const int[]){0, 1, 13, 64}[round % 4],
                             .mode = modes[(round + round / 3) % 3]};
    struct ct_row_limits limits = draw_limits(task, kinds);
    int k = ks[n > 1000 ? round % 2 : round % 3],
        share = (const int[]){1, 1, 3, 20}[random_below(4)];
    size_t checked = (size_t)((task->queries->n - 1) / task->step + 1);
    double radius =
        task->sorted[random_below((int)checked) * (size_t)n + random_below(n) / (n > 1000 ? 20 : 3)]
            .distance;
    check_about("%s, %s, kinds %d, round %d, k %d, window %d, share %d, radius %g",
                task->cloud->name, batch.query ? "foreign" : "own", kinds, round, k, limits.window,
                share, radius);
    check_knn(task, batch, &limits, k, share);
    check_radius(task, batch, &limits, radius);
    host_end_call();
}

static void check_task(const struct ct_tree *tree, const struct task *task, int rounds)
{
    for (int round = 0; round < rounds; round++) {
        int kinds = is_own(task) ? 1 + round % 7 : 1 + round % 3;
        check_limits(tree, task, kinds, round);
    }
}

/* With itself, an own point finds what an equal foreign query finds. */
static void check_with_self(const struct ct_tree *tree, const struct task *task)
{
    enum { K = 5 };
    struct ct_batch batch = {.tree = tree,
                             .count = tree->n,
                             .with_self = 1,
                             .threads = 2,
                             .kernels = ct_kernels(ct_simd_best())};
    const struct ct_row_limits none = {.window = -1};
    size_t size = (size_t)tree->n * K;
    int *index = host.alloc(size, sizeof *index), wrong = 0;
    double *distance = host.alloc(size, sizeof *distance);
    ct_knn(&host, &batch, K, NAN, index, distance);
    struct task foreign = *task;
    struct cloud copy = *task->cloud;
    foreign.queries = &copy;
    for (int query = 0; query < tree->n; query += task->step)
        wrong += !knn_is_right(&foreign, &none, query, K, index, distance);
    check_about("%s, with self", task->cloud->name);
    CHECK(wrong == 0);
    host_end_call();
}

static void check_cloud(int which)
{
    struct cloud cloud = cloud_number(which), others = queries_near(&cloud, 30);
    struct grown small = grow(&cloud, 3, 1), large = grow_unordered(&cloud, 40, 1);
    struct task own = make_task(&cloud, &cloud, 3), other = make_task(&cloud, &others, 1);
    check_task(&small.tree, &own, 7);
    check_task(&large.tree, &own, 7);
    check_task(&small.tree, &other, 3);
    check_with_self(&small.tree, &own);
    keep_end();
}

/* So many points that trees of small ranks are built. */
static void check_large(const char *name, int n, int d)
{
    struct cloud cloud = cloud_of(name, n, d), others = queries_near(&cloud, 300);
    struct grown grown = grow(&cloud, 16, 2);
    struct task own = make_task(&cloud, &cloud, 60), other = make_task(&cloud, &others, 30);
    check_task(&grown.tree, &own, 10);
    check_task(&grown.tree, &other, 6);
    check_with_self(&grown.tree, &own);
    keep_end();
}

int main(void)
{
    for (int which = 0; which < clouds_count(); which++)
        check_cloud(which);
    check_large("uniform", 2300, 2);
    check_large("grid", 1300, 2);
    check_large("same", 1100, 3);
    check_large("normal", 1200, 8);
    return check_done("row_filter");
}
