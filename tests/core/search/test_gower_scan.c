/* test_gower_scan.c: neighbors by Gower distance with missing values are those of a comparison of
 * all pairs by the definition, bit for bit: own points, some rows, predecessors and foreign
 * queries, at every instruction set and 1 to 3 threads; all points within a radius. */
#include "check.h"
#include "clouds.h"
#include "core/search/gower_scan.h"
#include "core/search/query.h"
#include "host.h"
#include "oracle.h"

#include <math.h>
#include <stdlib.h>

enum { N = 700, COLUMNS = 5, FOREIGN = 40, MOST = N };

static const double weight[] = {0.3, 0.2, 0.1, 0.25, 0};
static const int nominal[] = {0, 1, 0, 1, 0};

struct task {
    struct ct_gower_batch batch;
    struct neighbor *neighbors; /* [count x N] all that a query may find, by (distance, row) */
    int *reach;                 /* [count] how many */
};

/* Few different values, so that distances are often equal; some are missing. */
static double *draw(int rows)
{
    double *values = keep((size_t)rows * COLUMNS, sizeof *values);
    for (int i = 0; i < rows * COLUMNS; i++)
        values[i] = random_below(4) == 0 ? NAN : random_below(6) / 8.0;
    for (int j = 0; j < COLUMNS; j++)
        values[(rows > 3 ? 3 : 0) + j * rows] = NAN;
    return values;
}

static double definition(const struct ct_gower_batch *batch, int at, int i)
{
    const double *from = batch->query ? batch->query : batch->points;
    double sum = 0, total = 0;
    for (int j = 0; j < batch->columns; j++) {
        double x = batch->points[i + j * batch->n], q = from[at + j * batch->queries];
        if (isnan(x) || isnan(q))
            continue;
        sum += batch->nominal[j] ? (x == q ? 0 : batch->weight[j]) : fabs(x - q);
        total += batch->weight[j];
    }
    return total > 0 ? sum / total : INFINITY;
}

static void rank_all(struct task *task)
{
    const struct ct_gower_batch *batch = &task->batch;
    task->neighbors = keep((size_t)batch->count * N, sizeof *task->neighbors);
    task->reach = keep((size_t)batch->count, sizeof *task->reach);
    for (int i = 0; i < batch->count; i++) {
        struct neighbor *list = task->neighbors + (size_t)i * N;
        int at = batch->row ? batch->row[i] - 1 : i, count = 0;
        for (int row = 1; row <= batch->n; row++) {
            double distance = definition(batch, at, row - 1);
            int other = batch->query || (row != at + 1 && !(batch->predecessor && row > at));
            if (other && distance < INFINITY)
                list[count++] = (struct neighbor){distance, row};
        }
        qsort(list, (size_t)count, sizeof *list, oracle_compare);
        task->reach[i] = count;
    }
}

static void check_knn(const struct task *task, int k)
{
    size_t count = (size_t)task->batch.count;
    int *index = host.alloc(count * (size_t)k, sizeof *index), wrong = 0;
    double *distance = host.alloc(count * (size_t)k, sizeof *distance);
    ct_gower_knn(&host, &task->batch, k, -1, index, distance);
    for (size_t i = 0; i < count; i++)
        for (int j = 0; j < k; j++) {
            struct neighbor want = {-1, CT_NO_ROW};
            if (j < task->reach[i])
                want = task->neighbors[i * N + (size_t)j];
            wrong += index[i + (size_t)j * count] != want.row ||
                     distance[i + (size_t)j * count] != want.distance;
        }
    host_end_call();
    CHECK(wrong == 0);
}

static void check_radius(const struct task *task, double radius)
{
    size_t count = (size_t)task->batch.count;
    int *found = host.alloc(count, sizeof *found), **index = host.alloc(count, sizeof *index);
    double **distance = host.alloc(count, sizeof *distance);
    int wrong = 0;
    ct_gower_count(&host, &task->batch, radius, found);
    for (size_t i = 0; i < count; i++) {
        index[i] = host.alloc((size_t)found[i], sizeof **index);
        distance[i] = host.alloc((size_t)found[i], sizeof **distance);
    }
    ct_gower_fill(&host, &task->batch, radius, found, index, distance);
    for (size_t i = 0; i < count; i++) {
        const struct neighbor *list = task->neighbors + i * N;
        int want = 0;
        while (want < task->reach[i] && list[want].distance <= radius)
            want++;
        wrong += found[i] != want;
        for (int j = 0; j < want && found[i] == want; j++)
            wrong += index[i][j] != list[j].row || distance[i][j] != list[j].distance;
    }
    host_end_call();
    CHECK(wrong == 0);
}

int main(void)
{
    static const int rows[] = {N, 1, 4, 1, 300}, sizes[] = {1, 5, N};
    for (int which = 0; which < 3; which++)
        for (int kind = 0; kind < 4; kind++) {
            int n = sizes[which];
            struct task task = {.batch = {.n = n,
                                          .columns = COLUMNS,
                                          .points = draw(n),
                                          .weight = weight,
                                          .nominal = nominal,
                                          .query = kind == 1 ? draw(FOREIGN) : NULL,
                                          .queries = kind == 1 ? FOREIGN : n,
                                          .row = kind == 2 && n == N ? rows : NULL,
                                          .predecessor = kind == 3}};
            task.batch.count = task.batch.row ? 5 : task.batch.queries;
            rank_all(&task);
            for (int level = 0; level <= (int)ct_simd_best(); level++) {
                task.batch.kernels = ct_kernels((enum ct_simd_level)level);
                task.batch.threads = 1 + level % 3;
                check_about("%d rows, queries %d, level %d", n, kind, level);
                check_knn(&task, 1);
                check_knn(&task, 20);
                check_knn(&task, level == 0 ? MOST + 3 : 3);
                check_radius(&task, level * 0.2);
            }
            keep_end();
        }
    return check_done("gower_scan");
}
