/* test_split.c: a node is split into the same children, whether one thread splits it or all threads
 * share the split; and the split is that of a plain farthest-first traversal, which compares every
 * center with every point. Nodes of more than one block of work. */
#include "check.h"
#include "clouds.h"
#include "core/metric/euclidean.h"
#include "core/simd/euclid.h"
#include "core/tree/farthest_first.h"
#include "core/tree/split.h"
#include "host.h"

#include <math.h>
#include <string.h>

enum { LEAF_SIZE = 100 };

/* A build of one node. */
struct trial {
    struct ct_build_state state;
    struct ct_build_node root;
};

static struct trial split_root(const struct cloud *cloud, int shared)
{
    size_t n = (size_t)cloud->n, d = (size_t)cloud->d;
    struct trial trial = {.state = {.host = &host,
                                    .kernels = ct_kernels(ct_simd_best()),
                                    .points = keep(n * d, sizeof(double)),
                                    .row = keep(n, sizeof(int)),
                                    .n = cloud->n,
                                    .d = cloud->d,
                                    .leaf_size = LEAF_SIZE,
                                    .threads = 3,
                                    .shared = shared,
                                    .sqdist = keep(n, sizeof(double)),
                                    .assigned = keep(n, sizeof(int)),
                                    .buffer = keep(n, sizeof(double)),
                                    .child = keep(n, sizeof(struct ct_split_child)),
                                    .center_coords = keep(n * d, sizeof(double))}};
    memcpy(trial.state.points, cloud->x, n * d * sizeof(double));
    for (int i = 0; i < cloud->n; i++)
        trial.state.row[i] = i + 1;
    ct_build_root(&trial.state, &trial.root);
    ct_split_node(&trial.state, &trial.root);
    host_end_call();
    return trial;
}

static void check_alike(const struct trial *one, const struct trial *other)
{
    const struct ct_build_state *a = &one->state, *b = &other->state;
    size_t n = (size_t)a->n;
    int wrong = 0;
    CHECK(one->root.children == other->root.children && one->root.level == other->root.level);
    CHECK(one->root.center == other->root.center && one->root.radius == other->root.radius);
    for (int h = 0; h < one->root.children; h++)
        wrong += a->child[h].center != b->child[h].center || a->child[h].end != b->child[h].end ||
                 a->child[h].ranked != b->child[h].ranked;
    CHECK(wrong == 0);
    CHECK(memcmp(a->points, b->points, n * (size_t)a->d * sizeof(double)) == 0);
    CHECK(memcmp(a->row, b->row, n * sizeof(int)) == 0);
}

/* Distances of all points to their nearest centers, as far as these have been chosen. */
struct plain {
    double *sq;  /* [n] by row, from 0 */
    int *center; /* [n] number of the nearest center */
};

/* Compares center h, the point x, with all points. Returns the farthest point. */
static int compare_all(const struct cloud *cloud, struct plain *plain, int x, int h)
{
    int far = 0;
    for (int i = 0; i < cloud->n; i++) {
        size_t n = (size_t)cloud->n;
        double sq = ct_sqdist(cloud->x + i, n, cloud->x + x, n, cloud->d);
        if (sq < plain->sq[i]) {
            plain->sq[i] = sq;
            plain->center[i] = h;
        }
        far = plain->sq[i] > plain->sq[far] ? i : far;
    }
    return far;
}

/* Every center is the point that was farthest from the centers before it, the first in case of
 * ties; every point is in the run of the nearest center, and points of a run keep their order. The
 * measured distances of a child are those of its points to the nearest center. */
static void check_centers(const struct cloud *cloud, const struct trial *trial)
{
    const struct ct_build_state *state = &trial->state;
    struct plain plain = {keep((size_t)cloud->n, sizeof(double)),
                          keep((size_t)cloud->n, sizeof(int))};
    int wrong_center = 0, wrong_run = 0, begin = 0, next = -1;
    for (int i = 0; i < cloud->n; i++)
        plain.sq[i] = INFINITY;
    for (int h = 0; h < trial->root.children; h++) {
        int center = state->row[state->child[h].center] - 1;
        wrong_center += h > 0 && center != next;
        next = compare_all(cloud, &plain, center, h);
    }
    CHECK(wrong_center == 0);
    for (int r = 0; r < trial->root.children; r++) {
        int h = state->child[r].ranked;
        struct ct_build_node child = {
            .begin = begin, .end = state->child[h].end, .center = state->child[h].center};
        ct_measure_node(state, &child, r % 2);
        for (int pos = begin; pos < state->child[h].end; pos++)
            wrong_run += plain.center[state->row[pos] - 1] != h ||
                         plain.sq[state->row[pos] - 1] != state->sqdist[pos] ||
                         (pos > begin && state->row[pos] < state->row[pos - 1]);
        begin = state->child[h].end;
    }
    CHECK(wrong_run == 0 && begin == cloud->n);
}

int main(void)
{
    static const struct {
        const char *name;
        int n, d;
    } shapes[] = {{"uniform 3", 70000, 3}, {"clusters", 40000, 4}, {"grid", 67600, 2},
                  {"few", 40000, 2},       {"scales", 5000, 2},    {"far off", 5000, 2},
                  {"uniform", 120, 2},     {"wide", 3000, 300},    {"corners", 2000, 60}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        struct cloud cloud = cloud_of(shapes[s].name, shapes[s].n, shapes[s].d);
        check_about("%s, %d points", cloud.name, cloud.n);
        struct trial alone = split_root(&cloud, 0), shared = split_root(&cloud, 1);
        check_alike(&alone, &shared);
        if (alone.root.children > 0)
            check_centers(&cloud, &alone);
        keep_end();
    }
    return check_done("split");
}
