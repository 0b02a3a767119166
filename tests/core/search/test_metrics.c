/* test_metrics.c: searches by every metric find the rows and distances of a comparison of all
 * pairs, bit for bit: every shape, its own points and others, predecessors, any k, mode, block
 * size, number of threads and instruction set; all points within a radius; a permitted error is
 * kept. */
#include "check.h"
#include "core/search/query.h"
#include "core/simd/euclid.h"
#include "grow.h"
#include "host.h"
#include "metrics.h"
#include "oracle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OWN, PREDECESSORS, OTHER, KINDS };

struct task {
    struct named_metric named;
    struct cloud cloud, others;
    int kind, m;                /* of queries, and their number */
    struct neighbor *neighbors; /* [m * n] all that a query may find, by (distance, row) */
    int *reach;                 /* [m] how many */
};

/* Fills in what each query may find. */
static void rank_all(struct task *task)
{
    const struct cloud *cloud = &task->cloud;
    const struct cloud *queries = task->kind == OTHER ? &task->others : cloud;
    size_t n = (size_t)cloud->n;
    task->m = queries->n;
    task->neighbors = keep(n * task->m, sizeof *task->neighbors);
    task->reach = keep((size_t)task->m, sizeof *task->reach);
    for (int i = 0; i < task->m; i++) {
        struct neighbor *neighbors = task->neighbors + i * n;
        int count = 0;
        for (int row = 1; row <= cloud->n; row++) {
            if (task->kind == OWN && row == i + 1)
                continue;
            double sq = ct_metric_sq(&task->named.metric, queries->x + i, (size_t)queries->n,
                                     cloud->x + row - 1, n, cloud->d);
            neighbors[count++] = (struct neighbor){sqrt(sq), row};
        }
        qsort(neighbors, (size_t)count, sizeof *neighbors, oracle_compare);
        task->reach[i] = count;
    }
}

/* Keeps the predecessors among what each own point may find. */
static void drop_successors(struct task *task)
{
    for (int i = 0; i < task->m; i++) {
        struct neighbor *neighbors = task->neighbors + (size_t)i * (size_t)task->cloud.n;
        int kept = 0;
        for (int j = 0; j < task->reach[i]; j++)
            if (neighbors[j].row <= i)
                neighbors[kept++] = neighbors[j];
        task->reach[i] = kept;
    }
}

/* What may not matter. The rounds of the three kinds of queries go through all modes at each level.
 */
static struct ct_batch batch_of(const struct ct_tree *tree, const struct task *task, int round)
{
    static const enum ct_search_mode modes[] = {CT_SEARCH_TREE, CT_SEARCH_AUTO, CT_SEARCH_SCAN};
    static const int blocks[] = {0, 1, 7, 64};
    int levels = (int)ct_simd_best() + 1;
    return (struct ct_batch){
        .tree = tree,
        .metric = task->named.metric,
        .query = task->kind == OTHER ? task->others.x : NULL,
        .count = task->m,
        .threads = 1 + round % 3,
        .kernels = ct_kernels((enum ct_simd_level)(levels - 1 - round % levels)),
        .block = blocks[round % 4],
        .mode = modes[(round + task->kind) % 3],
    };
}

static void check_knn(const struct ct_tree *tree, const struct task *task, int k, int round)
{
    size_t m = (size_t)task->m, n = (size_t)task->cloud.n;
    int *index = host.alloc(m * k, sizeof *index), wrong = 0;
    double *distance = host.alloc(m * k, sizeof *distance);
    struct ct_batch batch = batch_of(tree, task, round);
    (task->kind == PREDECESSORS ? ct_knn_predecessors : ct_knn)(&host, &batch, k, -1, index,
                                                                distance);
    for (size_t i = 0; i < m; i++)
        for (int j = 0; j < k; j++) {
            struct neighbor want = {-1, CT_NO_ROW};
            if (j < task->reach[i])
                want = task->neighbors[i * n + j];
            wrong += index[i + j * m] != want.row || distance[i + j * m] != want.distance;
        }
    host_end_call();
    check_about("%s, %s (%d nodes), queries %d, k %d, round %d", task->named.name, task->cloud.name,
                tree->nodes, task->kind, k, round);
    CHECK(wrong == 0);
}

/* Each neighbor is within (1 + epsilon) times the distance of the true one of its rank. */
static void check_epsilon(const struct ct_tree *tree, const struct task *task, int k)
{
    size_t m = (size_t)task->m, n = (size_t)task->cloud.n;
    int *index = host.alloc(m * k, sizeof *index), wrong = 0;
    double *distance = host.alloc(m * k, sizeof *distance);
    struct ct_batch batch = batch_of(tree, task, 0);
    batch.epsilon = 0.3;
    ct_knn(&host, &batch, k, -1, index, distance);
    for (size_t i = 0; i < m; i++)
        for (int j = 0; j < k && j < task->reach[i]; j++)
            wrong +=
                !(distance[i + j * m] <= 1.3 * (1 + 1e-12) * task->neighbors[i * n + j].distance);
    host_end_call();
    check_about("%s, %s, epsilon", task->named.name, task->cloud.name);
    CHECK(wrong == 0);
}

static void check_radius(const struct ct_tree *tree, const struct task *task, double radius,
                         int round)
{
    size_t m = (size_t)task->m, n = (size_t)task->cloud.n;
    struct ct_batch batch = batch_of(tree, task, round);
    int *count = host.alloc(m, sizeof *count), **index = host.alloc(m, sizeof *index), wrong = 0;
    double **distance = host.alloc(m, sizeof *distance);
    for (size_t i = 0; i < m; i++)
        count[i] = -1;
    ct_radius_count(&host, &batch, radius, LLONG_MAX, count);
    for (size_t i = 0; i < m; i++) {
        index[i] = host.alloc((size_t)count[i], sizeof **index);
        distance[i] = host.alloc((size_t)count[i], sizeof **distance);
    }
    ct_radius_fill(&host, &batch, radius, 1, count, index, distance);
    for (size_t i = 0; i < m; i++) {
        const struct neighbor *neighbors = task->neighbors + i * n;
        int want = 0;
        while (want < task->reach[i] && neighbors[want].distance <= radius)
            want++;
        wrong += count[i] != want;
        for (int j = 0; j < want && count[i] == want; j++)
            wrong += index[i][j] != neighbors[j].row || distance[i][j] != neighbors[j].distance;
    }
    host_end_call();
    check_about("%s, %s, queries %d, radius %g, round %d", task->named.name, task->cloud.name,
                task->kind, radius, round);
    CHECK(wrong == 0);
}

/* Radii at, just below and just above distances that occur; 0 or infinity. */
static void check_radii(const struct ct_tree *tree, const struct task *task)
{
    double radii[] = {task->kind == OWN ? 0 : INFINITY, 0, 0};
    for (int i = 1; i < 3 && task->reach[0] > 0; i++) {
        double at = task->neighbors[random_below(task->reach[0])].distance;
        radii[i] = i == 1 ? at : nextafter(at, task->kind == OWN ? 0 : INFINITY);
    }
    for (int i = 0; i < 3; i++)
        check_radius(tree, task, radii[i], i);
}

static void check_cloud(struct cloud cloud, int which)
{
    struct task task = {.named = metric_number(which, cloud.d), .cloud = cloud};
    task.others = queries_near(&cloud, 40);
    suit_metric(&task.named.metric, &task.cloud);
    suit_metric(&task.named.metric, &task.others);
    struct grown small = grow(&task.cloud, 4, 1), large = grow(&task.cloud, 32, 2);
    for (task.kind = OWN; task.kind < KINDS; task.kind++) {
        if (task.kind == PREDECESSORS)
            drop_successors(&task);
        else
            rank_all(&task);
        int k[] = {1, 5, cloud.n + 3};
        for (int round = 0; round < 3; round++)
            check_knn(round % 2 ? &small.tree : &large.tree, &task,
                      k[(round + which + 2 * task.kind) % 3], round);
        if (task.kind == PREDECESSORS)
            continue;
        if (task.kind == OTHER)
            check_epsilon(&small.tree, &task, 5);
        check_radii(&small.tree, &task);
    }
    keep_end();
}

int main(void)
{
    for (int which = 0; which < metrics_count(); which++) {
        for (int shape = 0; shape < clouds_count(); shape++)
            check_cloud(cloud_number(shape), which);
        check_cloud(cloud_of("normal", 300, 3), which);
        check_cloud(cloud_of("grid", 200, 3), which);
    }
    return check_done("metrics");
}
