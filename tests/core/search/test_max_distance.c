/* test_max_distance.c: a limit of distance removes the neighbors beyond it and changes nothing
 * else, bit for bit: every shape, own points, predecessors and foreign queries; limits that differ
 * between neighboring queries, at the distances of neighbors, just below them, 0 and infinite. */
#include "check.h"
#include "core/search/query.h"
#include "core/simd/euclid.h"
#include "grow.h"
#include "host.h"

#include <math.h>

/* A search, and its result without limits. */
struct task {
    struct ct_batch batch;
    int k;
    int *index; /* [count x k] */
    double *distance;
};

static void search(const struct task *task, int *index, double *distance)
{
    if (task->batch.predecessors)
        ct_knn_predecessors(&host, &task->batch, task->k, NAN, index, distance);
    else
        ct_knn(&host, &task->batch, task->k, NAN, index, distance);
}

static struct task make_task(struct ct_batch batch, int k)
{
    size_t size = (size_t)batch.count * k;
    struct task task = {batch, k, keep(size, sizeof(int)), keep(size, sizeof(double))};
    search(&task, task.index, task.distance);
    host_end_call();
    return task;
}

/* A limit of query i: the distance of a random neighbor, or slightly less, or another value. */
static double draw_limit(const struct task *task, int i)
{
    int kind = random_below(6);
    size_t rank = (size_t)random_below(task->k);
    double distance = task->distance[i + rank * (size_t)task->batch.count];
    if (kind < 2 || isnan(distance))
        return kind == 0 ? INFINITY : kind == 1 ? 0 : 1e308;
    return kind == 2   ? nextafter(distance, 0)
           : kind == 3 ? nextafter(distance, INFINITY)
                       : distance;
}

/* The number of wrong entries of a result with limits. */
static int count_wrong(const struct task *task, const double *limit, const int *index,
                       const double *distance)
{
    int wrong = 0, m = task->batch.count;
    for (size_t at = 0; at < (size_t)m * task->k; at++) {
        double full = task->distance[at];
        if (full <= limit[at % (size_t)m])
            wrong += index[at] != task->index[at] || distance[at] != full;
        else
            wrong += index[at] != CT_NO_ROW || !isnan(distance[at]);
    }
    return wrong;
}

static void check_limits(struct task task, const char *name)
{
    int m = task.batch.count;
    for (int way = 0; way < 6; way++) {
        double *limit = host.alloc((size_t)m, sizeof *limit);
        int *index = host.alloc((size_t)m * task.k, sizeof *index);
        double *distance = host.alloc((size_t)m * task.k, sizeof *distance);
        for (int i = 0; i < m; i++)
            limit[i] = way == 5 ? draw_limit(&task, 0) : draw_limit(&task, i);
        task.batch.mode = (enum ct_search_mode)(way % 3);
        task.batch.block = way < 3 ? 0 : 5;
        task.batch.threads = 1 + way % 2;
        task.batch.max_distance = limit;
        search(&task, index, distance);
        check_about("%s, k %d, way %d, %s, %s", name, task.k, way,
                    task.batch.query ? "foreign" : "own",
                    task.batch.predecessors ? "predecessors" : "all");
        CHECK(count_wrong(&task, limit, index, distance) == 0);
        host_end_call();
    }
}

static void check_cloud(struct cloud cloud, struct ct_metric metric, int leaf_size)
{
    struct cloud others = queries_near(&cloud, 50);
    struct grown grown = grow(&cloud, leaf_size, 1);
    static const int k[] = {1, 7, 40};
    struct ct_batch own = {.tree = &grown.tree,
                           .metric = metric,
                           .count = cloud.n,
                           .threads = 1,
                           .kernels = ct_kernels(ct_simd_best())};
    struct ct_batch foreign = own, before = own;
    foreign.query = others.x;
    foreign.count = others.n;
    before.predecessors = 1;
    for (int i = 0; i < 3; i++) {
        check_limits(make_task(own, k[i]), cloud.name);
        check_limits(make_task(foreign, k[i]), cloud.name);
        check_limits(make_task(before, k[i]), cloud.name);
    }
    keep_end();
}

int main(void)
{
    for (int which = 0; which < clouds_count(); which++)
        check_cloud(cloud_number(which), (struct ct_metric){0}, which % 2 ? 4 : 32);
    check_cloud(cloud_number(0), (struct ct_metric){.norm = CT_MANHATTAN}, 8);
    check_cloud(cloud_number(1), (struct ct_metric){.norm = CT_CHEBYSHEV}, 8);
    check_cloud(cloud_number(2), (struct ct_metric){.measure = CT_MINKOWSKI, .power = 3}, 8);
    return check_done("max_distance");
}
