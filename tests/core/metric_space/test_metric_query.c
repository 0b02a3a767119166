/* test_metric_query.c: trees and searches by a distance function, against the oracle, bit for bit:
 * all points, predecessors, some rows, foreign queries, by tree and by scan; no pair evaluated
 * twice; the host leaving at each poll, also within the distance function; distances that are no
 * metric; damaged arrays. */
#include "check.h"
#include "core/metric_space/metric_build.h"
#include "core/metric_space/metric_query.h"
#include "host.h"
#include "oracle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What the distance function knows. */
struct space {
    const struct cloud *cloud, *queries;
    int squared;  /* squared distances break the triangle inequality */
    int polls;    /* whether each call polls the host */
    char *pair;   /* [n x n] whether a pair was evaluated; NULL: not recorded */
    int repeated; /* pairs evaluated twice, or of an object with itself */
    int breaches; /* reported */
};

static double distance_of(const struct space *space, int from, int row)
{
    const struct cloud *c = space->cloud, *q = from > 0 ? c : space->queries;
    int i = from > 0 ? from : -from;
    double d = oracle_distance(q->x + i - 1, (size_t)q->n, c->x + row - 1, (size_t)c->n, c->d);
    return space->squared ? d * d : d;
}

static void evaluate(void *data, int from, const int *row, int count, double *distance)
{
    struct space *space = data;
    size_t n = (size_t)space->cloud->n;
    if (space->polls)
        host.poll();
    for (int i = 0; i < count; i++) {
        distance[i] = distance_of(space, from, row[i]);
        if (!space->pair || from < 0)
            continue;
        char *one = &space->pair[(size_t)(from - 1) * n + (size_t)row[i] - 1];
        char *other = &space->pair[(size_t)(row[i] - 1) * n + (size_t)from - 1];
        space->repeated += *one || from == row[i];
        *one = *other = 1;
    }
}

static void refuse(void *data, int from, int row, int third)
{
    struct space *space = data;
    space->breaches += from != row && from != third && row != third;
}

struct call {
    struct space space;
    const int *row; /* some own points, or NULL for all or foreign ones */
    int rows, foreign, predecessor, leaf_size, pivots, k;
    enum ct_metric_mode mode;
    double radius;      /* for pairs, if k is 0 */
    int *index, *found; /* kept */
    double *distance;
    size_t pairs;
    struct ct_distance_function f;
};

static struct ct_metric_batch batch_of(struct call *call, const struct ct_metric_tree *t)
{
    struct ct_metric_batch batch = {.tree = t,
                                    .f = &call->f,
                                    .count = call->foreign ? call->space.queries->n : t->n,
                                    .predecessor = call->predecessor,
                                    .mode = call->mode};
    if (call->foreign)
        return batch;
    int *row = host.alloc((size_t)t->n, sizeof *row);
    for (int i = 0; i < t->n; i++)
        row[i] = i + 1;
    batch.row = call->row ? call->row : row;
    batch.count = call->row ? call->rows : t->n;
    batch.all = !call->row && !call->predecessor;
    return batch;
}

static void run(void *data)
{
    struct call *call = data;
    size_t n = (size_t)call->space.cloud->n;
    call->f = (struct ct_distance_function){evaluate, refuse, &call->space, 1e-12, 0, 0};
    struct ct_metric_tree t =
        ct_metric_build(&host, &call->f, (int)n, call->leaf_size, call->pivots);
    CHECK(ct_metric_tree_check(&host, &t) == NULL);
    call->space.repeated = 0;
    if (call->space.pair)
        memset(call->space.pair, 0, n * n);
    struct ct_metric_batch batch = batch_of(call, &t);
    if (call->k > 0) {
        ct_metric_knn(&host, &batch, call->k, call->index, call->distance, call->found);
        return;
    }
    struct ct_metric_pairs pairs = {.limit = INFINITY};
    ct_metric_radius(&host, &batch, call->radius, &pairs);
    memset(call->found, 0, (size_t)batch.count * sizeof *call->found);
    int beyond = 0;
    for (size_t i = 0; i < pairs.count; i++) {
        call->found[pairs.pair[i].query]++;
        beyond += !(pairs.pair[i].distance <= call->radius);
    }
    CHECK(beyond == 0);
    call->pairs = pairs.count;
}

static struct call make_call(const struct cloud *cloud, const struct cloud *queries, int k)
{
    size_t n = (size_t)cloud->n, m = (size_t)(queries->n > cloud->n ? queries->n : cloud->n);
    struct call call = {.space = {.cloud = cloud, .queries = queries, .pair = keep(n * n, 1)},
                        .leaf_size = 4,
                        .pivots = 9,
                        .k = k,
                        .index = keep(m * (size_t)(k > 0 ? k : 1), sizeof(int)),
                        .distance = keep(m * (size_t)(k > 0 ? k : 1), sizeof(double)),
                        .found = keep(m, sizeof(int))};
    return call;
}

/* The neighbors that a query must find: the first of the returned number. */
static int expected(const struct call *call, int query, struct neighbor *list)
{
    const struct space *space = &call->space;
    int row = call->row ? call->row[query] : query + 1, kept = 0;
    int count = oracle_rows(space->cloud, call->foreign ? space->queries : space->cloud, row - 1,
                            call->foreign ? 0 : row, list);
    for (int i = 0; i < count; i++)
        if ((!call->predecessor || list[i].row < row) &&
            (call->k > 0 ? kept < call->k : list[i].distance <= call->radius))
            list[kept++] = list[i];
    return kept;
}

static void check_call(struct call *call)
{
    struct neighbor *list = keep((size_t)call->space.cloud->n, sizeof *list);
    int wrong = 0;
    int queries = call->foreign ? call->space.queries->n
                  : call->row   ? call->rows
                                : call->space.cloud->n;
    call->space.breaches = 0;
    CHECK(host_run(run, call, 0, 0));
    CHECK(call->space.breaches == 0);
    if (!call->row)
        CHECK(call->space.repeated == 0);
    for (int i = 0; i < queries; i++) {
        int count = expected(call, i, list), right = call->found[i] == count;
        for (int j = 0; right && call->k > 0 && j < count; j++) {
            size_t at = (size_t)i * (size_t)call->k + (size_t)j;
            right = call->index[at] == list[j].row && call->distance[at] == list[j].distance;
        }
        wrong += !right;
    }
    CHECK(wrong == 0);
}

static void check_cloud(struct cloud cloud)
{
    static const int some[] = {1, 1, 1};
    struct cloud queries = queries_near(&cloud, 12);
    for (int k = 0; k <= 12; k += k == 0 ? 1 : 11)
        for (int kind = 0; kind < 12; kind++) {
            struct call call = make_call(&cloud, &queries, k);
            int rows[3] = {cloud.n, 1, (cloud.n + 1) / 2};
            call.radius = distance_of(&call.space, 1, (cloud.n + 3) / 4);
            call.mode = (enum ct_metric_mode)(kind % 3);
            call.foreign = kind / 3 == 1;
            call.predecessor = kind / 3 == 2;
            call.row = kind / 3 == 3 ? (cloud.n < 3 ? some : rows) : NULL;
            call.rows = 3;
            check_about("%d of %s, d = %d, k = %d, kind %d", cloud.n, cloud.name, cloud.d, k, kind);
            check_call(&call);
        }
    keep_end();
}

/* In few dimensions few pairs are evaluated. */
static void check_evaluations(void)
{
    struct cloud cloud = cloud_of("uniform", 2000, 2), queries = queries_near(&cloud, 1);
    struct call call = make_call(&cloud, &queries, 5);
    call.leaf_size = call.pivots = 16;
    check_about("evaluations");
    CHECK(host_run(run, &call, 0, 0));
    CHECK(call.f.evaluations < 0.04 * cloud.n * cloud.n);
    CHECK(call.f.calls < 5.0 * cloud.n);
    keep_end();
}

static void check_interrupt(int k)
{
    struct cloud cloud = cloud_of("normal", 60, 3), queries = queries_near(&cloud, 1);
    struct call call = make_call(&cloud, &queries, k);
    call.radius = 0.5;
    call.space.polls = 1;
    for (int by_poll = 0; by_poll <= 1; by_poll++) {
        int times = 0;
        while (!host_run(run, &call, by_poll ? times + 1 : 0, by_poll ? 0 : times + 1))
            times++;
        check_about("k = %d, left at each %s", k, by_poll ? "poll" : "allocation");
        CHECK(times >= 8);
    }
    keep_end();
}

static void check_breach(void)
{
    struct cloud cloud = cloud_of("normal", 100, 2), queries = queries_near(&cloud, 1);
    struct call call = make_call(&cloud, &queries, 3);
    call.space.squared = 1;
    check_about("squared distances");
    CHECK(host_run(run, &call, 0, 0));
    CHECK(call.space.breaches > 0);
    keep_end();
}

/* A value of one array is replaced: the check refuses the tree, or a search is safe. */
static void run_damaged(void *data)
{
    struct call *call = data;
    call->f = (struct ct_distance_function){evaluate, NULL, &call->space, 1e-12, 0, 0};
    struct ct_metric_tree t = ct_metric_build(&host, &call->f, call->space.cloud->n, 4, 3);
    static const double odd[] = {-1, NAN, INFINITY, 1e300, 0, 1};
    int array = 0, refused = 0, chosen = call->rows;
#define DAMAGE(name, type, shape)                                                                  \
    if (array++ == chosen) {                                                                       \
        type *values = (type *)(size_t)t.name;                                                     \
        size_t at = (size_t)random_below((int)ct_metric_length(&t, shape));                        \
        values[at] = (type)(sizeof(type) == sizeof(int) ? (double)(random_below(99) - 9)           \
                                                        : odd[random_below(6)]);                   \
    }
    CT_METRIC_ARRAYS(DAMAGE)
    refused = ct_metric_tree_check(&host, &t) != NULL;
    if (refused)
        return;
    struct ct_metric_batch batch = batch_of(call, &t);
    ct_metric_knn(&host, &batch, call->k, call->index, call->distance, call->found);
}

static void check_damaged(void)
{
    struct cloud cloud = cloud_of("uniform", 60, 2), queries = queries_near(&cloud, 5);
    struct call call = make_call(&cloud, &queries, 3);
    call.space.pair = NULL;
    for (int i = 0; i < 2000; i++) {
        call.rows = i % 18;
        call.foreign = i % 3 == 0;
        check_about("damaged array %d, try %d", call.rows, i);
        CHECK(host_run(run_damaged, &call, 0, 0));
    }
    keep_end();
}

/* Whether squares of differences underflow: then distances have larger rounding errors than the
 * tolerance. */
static int underflows(struct cloud cloud)
{
    static const char *const names[] = {"faint", "fading", "speck", "vanishing", "subnormal"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(cloud.name, names[i]) == 0)
            return 1;
    return 0;
}

int main(void)
{
    for (int which = 0; which < clouds_count(); which++)
        if (!underflows(cloud_number(which)))
            check_cloud(cloud_number(which));
    check_evaluations();
    check_interrupt(3);
    check_interrupt(0);
    check_breach();
    check_damaged();
    return check_done("metric_query");
}
