/* test_parts.c: searches in several trees find the rows and distances of a comparison of all
 * pairs, bit for bit: every shape and metric; points spread over the trees at random or in runs of
 * rows or of coordinates; own points and others, predecessors, any k; with removed points. */
#include "check.h"
#include "core/parts/parts.h"
#include "core/simd/euclid.h"
#include "grow.h"
#include "host.h"
#include "metrics.h"
#include "oracle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OWN, OTHER, PREDECESSORS, KINDS };
enum { SCATTERED, RUNS, SIDES, SPREADS };
enum { PARTS_MAX = 5, ROW_STEP = 3 };

/* A cloud whose point i has the row ROW_STEP * i + 2, spread over the parts. */
struct world {
    struct named_metric named;
    struct cloud cloud, others;
    struct ct_part part[PARTS_MAX];
    struct ct_parts parts;
    char *removed; /* [n] */
};

static int row_of(int i)
{
    return ROW_STEP * i + 2;
}

/* The part of point i. */
static int choose_part(const struct cloud *cloud, int i, int parts, int spread)
{
    if (spread == RUNS)
        return (int)((long long)i * parts / cloud->n);
    if (spread == SIDES)
        return cloud->x[i] > cloud->x[0] ? parts - 1 : 0;
    return random_below(1 + random_below(parts));
}

/* Builds the part of `count` points with numbers member[]. */
static struct ct_part build_part(const struct world *world, const int *member, int count,
                                 int removes)
{
    const struct cloud *whole = &world->cloud;
    struct cloud cloud = {whole->name, count, whole->d,
                          keep((size_t)count * whole->d, sizeof(double))};
    int *rows = keep((size_t)count, sizeof *rows);
    unsigned char *removed = keep((size_t)count, 1);
    for (int i = 0; i < count; i++) {
        rows[i] = row_of(member[i]);
        removed[i] = world->removed[member[i]];
        for (int j = 0; j < cloud.d; j++)
            cloud.x[i + (size_t)j * count] = whole->x[member[i] + (size_t)j * whole->n];
    }
    struct grown *grown = keep(1, sizeof *grown);
    *grown = grow(&cloud, 1 + random_below(20), 1);
    return (struct ct_part){&grown->tree, rows, 0, removes ? removed : NULL};
}

static void plant(struct world *world, int parts, int spread, int removed_share)
{
    const struct cloud *cloud = &world->cloud;
    int *part = keep((size_t)cloud->n, sizeof *part),
        *member = keep((size_t)cloud->n, sizeof *member);
    world->removed = keep((size_t)cloud->n, 1);
    for (int i = 0; i < cloud->n; i++) {
        part[i] = choose_part(cloud, i, parts, spread);
        world->removed[i] = (char)(random_below(100) < removed_share);
    }
    world->parts = (struct ct_parts){world->part, 0};
    for (int p = 0; p < parts; p++) {
        int count = 0;
        for (int i = 0; i < cloud->n; i++)
            if (part[i] == p)
                member[count++] = i;
        if (count > 0)
            world->part[world->parts.count++] = build_part(world, member, count, removed_share > 0);
    }
}

/* ---- what must be found ------------------------------------------------------ */

/* The queries of one kind: the points that are not removed, or others. */
struct task {
    const struct world *world;
    int kind, m;
    struct cloud queries;
    int *own;                   /* [m] rows, or NULL */
    int *order;                 /* [m] */
    struct neighbor *neighbors; /* [m * n] by query */
    int *reach;                 /* [m] */
};

static void choose_queries(struct task *task)
{
    const struct world *world = task->world;
    const struct cloud *from = task->kind == OTHER ? &world->others : &world->cloud;
    int m = 0, *point = keep((size_t)from->n, sizeof *point);
    for (int i = 0; i < from->n; i++)
        if (task->kind == OTHER || !world->removed[i])
            point[m++] = i;
    task->m = m;
    task->queries =
        (struct cloud){from->name, m, from->d, keep((size_t)m * from->d, sizeof(double))};
    task->own = task->kind == OTHER ? NULL : keep((size_t)m, sizeof *task->own);
    task->order = keep((size_t)m, sizeof *task->order);
    for (int i = 0; i < m; i++) {
        int swap = random_below(i + 1);
        task->order[i] = task->order[swap];
        task->order[swap] = i;
        if (task->own)
            task->own[i] = row_of(point[i]);
        for (int j = 0; j < from->d; j++)
            task->queries.x[i + (size_t)j * m] = from->x[point[i] + (size_t)j * from->n];
    }
}

static struct task make_task(const struct world *world, int kind)
{
    struct task task = {.world = world, .kind = kind};
    const struct cloud *cloud = &world->cloud;
    size_t n = (size_t)cloud->n;
    choose_queries(&task);
    task.neighbors = keep(n * task.m, sizeof *task.neighbors);
    task.reach = keep((size_t)task.m, sizeof *task.reach);
    for (int i = 0; i < task.m; i++) {
        struct neighbor *neighbors = task.neighbors + i * n;
        int count = 0;
        for (int c = 0; c < cloud->n; c++) {
            int own = task.own ? task.own[i] : 0, row = row_of(c);
            if (world->removed[c] || row == own || (kind == PREDECESSORS && row > own))
                continue;
            double sq = ct_metric_sq(&world->named.metric, task.queries.x + i, (size_t)task.m,
                                     cloud->x + c, n, cloud->d);
            neighbors[count++] = (struct neighbor){sqrt(sq), row};
        }
        qsort(neighbors, (size_t)count, sizeof *neighbors, oracle_compare);
        task.reach[i] = count;
    }
    return task;
}

/* ---- searches ----------------------------------------------------------------- */

static struct ct_parts_batch batch_of(const struct task *task, int round)
{
    static const enum ct_search_mode modes[] = {CT_SEARCH_TREE, CT_SEARCH_AUTO, CT_SEARCH_SCAN};
    static const int blocks[] = {0, 1, 7, 64};
    int levels = (int)ct_simd_best() + 1;
    return (struct ct_parts_batch){
        .parts = &task->world->parts,
        .own = task->own,
        .batch = {.metric = task->world->named.metric,
                  .query = task->queries.x,
                  .order = round % 2 ? task->order : NULL,
                  .predecessors = task->kind == PREDECESSORS,
                  .count = task->m,
                  .threads = 1 + round % 3,
                  .kernels = ct_kernels((enum ct_simd_level)(levels - 1 - round % levels)),
                  .block = blocks[round % 4],
                  .mode = modes[round % 3]},
    };
}

/* The largest distances of neighbors, by query: of one of the neighbors, so that it occurs. */
static double *choose_limits(const struct task *task)
{
    double *most = host.alloc((size_t)task->m, sizeof *most);
    for (int i = 0; i < task->m; i++) {
        const struct neighbor *first = task->neighbors + (size_t)i * task->world->cloud.n;
        most[i] = task->reach[i] > 0 ? first[random_below(task->reach[i])].distance : 0;
    }
    return most;
}

static void check_knn(const struct task *task, int k, int round)
{
    struct ct_parts_batch batch = batch_of(task, round);
    const double *most = round % 4 == 1 ? choose_limits(task) : NULL;
    batch.batch.max_distance = most;
    size_t m = (size_t)task->m, size = m * k;
    int *index = host.alloc(size, sizeof *index), wrong = 0;
    double *distance = host.alloc(size, sizeof *distance);
    ct_parts_knn(&host, &batch, k, NAN, index, distance);
    for (size_t i = 0; i < m; i++)
        for (int j = 0; j < k; j++) {
            const struct neighbor *want = &task->neighbors[i * task->world->cloud.n + j];
            double got = distance[i + j * m];
            int some = j < task->reach[i] && !(most && want->distance > most[i]);
            wrong += some ? index[i + j * m] != want->row || got != want->distance
                          : index[i + j * m] != CT_NO_ROW || !isnan(got);
        }
    check_about("%s, %s, kind %d, %d parts, k %d, round %d", task->world->cloud.name,
                task->world->named.name, task->kind, task->world->parts.count, k, round);
    CHECK(wrong == 0);
    host_end_call();
}

static int count_within(const struct task *task, int i, double radius)
{
    int count = 0;
    while (count < task->reach[i] &&
           task->neighbors[(size_t)i * task->world->cloud.n + count].distance <= radius)
        count++;
    return count;
}

static void check_radius(const struct task *task, double radius, int round)
{
    struct ct_parts_batch batch = batch_of(task, round);
    size_t m = (size_t)task->m;
    int *count = host.alloc(m, sizeof *count), **index = host.alloc(m, sizeof *index), wrong = 0;
    double **distance = host.alloc(m, sizeof *distance);
    long long total = 0;
    for (int i = 0; i < task->m; i++) {
        count[i] = -1;
        total += count_within(task, i, radius);
    }
    check_about("%s, %s, kind %d, radius %g, round %d", task->world->cloud.name,
                task->world->named.name, task->kind, radius, round);
    if (total > 0)
        CHECK(ct_parts_radius_count(&host, &batch, radius, total - 1, count) >= total);
    CHECK(ct_parts_radius_count(&host, &batch, radius, total, count) == total);
    for (size_t i = 0; i < m; i++) {
        index[i] = host.alloc((size_t)count[i], sizeof(int));
        distance[i] = host.alloc((size_t)count[i], sizeof(double));
    }
    ct_parts_radius_fill(&host, &batch, radius, round % 5 > 0, count, index, distance);
    for (int i = 0; i < task->m; i++) {
        struct neighbor *got = host.alloc((size_t)count[i], sizeof *got);
        wrong += count[i] != count_within(task, i, radius);
        for (int j = 0; j < count[i]; j++)
            got[j] = (struct neighbor){distance[i][j], index[i][j]};
        if (round % 5 == 0)
            qsort(got, (size_t)count[i], sizeof *got, oracle_compare);
        for (int j = 0; j < count[i]; j++) {
            const struct neighbor *want = &task->neighbors[(size_t)i * task->world->cloud.n + j];
            wrong += got[j].row != want->row || got[j].distance != want->distance;
        }
    }
    CHECK(wrong == 0);
    host_end_call();
}

static void check_world(const struct world *world, int round)
{
    for (int i = 0; i < 2; i++, round++) {
        struct task task = make_task(world, (round / 2 + i) % KINDS);
        if (task.m == 0)
            continue;
        const struct neighbor *first = task.neighbors + (size_t)(task.m / 2) * world->cloud.n;
        int reach = task.reach[task.m / 2];
        check_knn(&task, 1 + round % 10, round);
        check_knn(&task, world->cloud.n + 3, round + 2);
        check_radius(&task, reach > 0 ? first[reach / 4].distance : 1, round);
        if (round % 4 == 0)
            check_radius(&task, 0, round + 1);
    }
}

static void check_cloud(struct cloud cloud, int which_metric, int round)
{
    static const int removed_shares[] = {0, 0, 30, 95};
    struct world world = {.named = metric_number(which_metric, cloud.d), .cloud = cloud};
    world.others = queries_near(&cloud, 17);
    suit_metric(&world.named.metric, &world.cloud);
    suit_metric(&world.named.metric, &world.others);
    plant(&world, 1 + round % PARTS_MAX, round % SPREADS, removed_shares[round % 4]);
    check_world(&world, round);
    keep_end();
}

/* Parts of consecutive rows have no list of rows. */
static void check_consecutive_rows(void)
{
    struct cloud cloud = cloud_of("uniform", 60, 2);
    struct grown grown = grow(&cloud, 8, 1);
    struct ct_part part = {&grown.tree, NULL, 101, NULL};
    struct ct_parts parts = {&part, 1};
    int own = 101 + 59, index, alone;
    double distance, alone_distance, query[2] = {cloud.x[59], cloud.x[119]};
    struct ct_parts_batch batch = {&parts,
                                   &own,
                                   {.query = query,
                                    .predecessors = 1,
                                    .count = 1,
                                    .threads = 1,
                                    .kernels = ct_kernels(ct_simd_best())}};
    int last = 0;
    while (grown.tree.row[last] != 60)
        last++;
    struct ct_batch single = {.tree = &grown.tree,
                              .order = &last,
                              .predecessors = 1,
                              .count = 1,
                              .slot = keep(60, sizeof(int)),
                              .threads = 1,
                              .ld = 1,
                              .kernels = batch.batch.kernels};
    memset((int *)single.slot, 0, 60 * sizeof(int));
    ct_parts_knn(&host, &batch, 1, NAN, &index, &distance);
    ct_knn(&host, &single, 1, NAN, &alone, &alone_distance);
    check_about("consecutive rows");
    CHECK(index == alone + 100 && distance == alone_distance);
    host_end_call();
    keep_end();
}

/* A search that may be cut short. */
struct call {
    const struct task *task;
    int *index;
    double *distance;
};

static void search(void *data)
{
    struct call *call = data;
    struct ct_parts_batch batch = batch_of(call->task, 2);
    ct_parts_knn(&host, &batch, 3, -1, call->index, call->distance);
}

/* The host leaves at each poll and at each allocation in turn; the next search is complete. */
static void check_interrupt(void)
{
    struct world world = {.named = metric_number(0, 2), .cloud = cloud_of("uniform", 50, 2)};
    plant(&world, 2, SCATTERED, 20);
    struct task task = make_task(&world, OWN);
    size_t size = (size_t)task.m * 3;
    struct call want = {&task, keep(size, sizeof(int)), keep(size, sizeof(double))};
    struct call call = {&task, keep(size, sizeof(int)), keep(size, sizeof(double))};
    CHECK(host_run(search, &want, 0, 0));
    for (int by_poll = 0; by_poll <= 1; by_poll++) {
        int times = 0;
        while (!host_run(search, &call, by_poll ? times + 1 : 0, by_poll ? 0 : times + 1))
            times++;
        check_about("left at each %s", by_poll ? "poll" : "allocation");
        CHECK(times >= 3);
        CHECK(memcmp(call.index, want.index, size * sizeof(int)) == 0);
        CHECK(memcmp(call.distance, want.distance, size * sizeof(double)) == 0);
    }
    CHECK(host_misuses() == 0);
    keep_end();
}

int main(void)
{
    int round = 0;
    for (int which = 0; which < clouds_count(); which++, round++)
        check_cloud(cloud_number(which), 0, round);
    for (int metric = 1; metric < metrics_count(); metric++, round++)
        check_cloud(cloud_of(metric % 2 ? "normal" : "grid", 70 + metric, 3), metric, round);
    check_cloud(cloud_of("uniform", 300, 3), 0, 4);
    check_cloud(cloud_of("same", 200, 2), 0, 9);
    check_cloud(cloud_of("few", 300, 2), 0, 14);
    check_consecutive_rows();
    check_interrupt();
    return check_done("parts");
}
