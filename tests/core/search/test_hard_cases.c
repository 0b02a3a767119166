/* test_hard_cases.c: point sets that are hard to search: distances below the precision of float32,
 * thousands of duplicates, isolated points among clusters, points whose float32 squares overflow.
 * Neighbors have the bits of the oracle, and the number of distances per query stays far below
 * the number of points, or is proportional to it. */
#include "check.h"
#include "core/order/hilbert.h"
#include "core/search/query.h"
#include "core/search/stats.h"
#include "core/simd/euclid.h"
#include "grow.h"
#include "host.h"
#include "oracle.h"

#include <math.h>
#include <string.h>

/* A tree, and the queries it is asked: NULL for its own points. */
struct game {
    const struct cloud *cloud, *queries;
    struct ct_tree tree;
    int *order;
};

static struct game make_game(const struct cloud *cloud, const struct cloud *queries, int leaf_size)
{
    struct grown grown = grow(cloud, leaf_size, 2);
    struct game game = {cloud, queries, grown.tree, NULL};
    if (queries) {
        game.order = keep((size_t)queries->n, sizeof *game.order);
        ct_hilbert_order(&host, queries->x, queries->n, queries->d, 1, game.order);
        host_end_call();
    }
    return game;
}

struct way {
    int k, block;
    enum ct_search_mode mode;
    int threads;
};

/* Compares every `apart`-th query with the oracle. Returns the distances computed per query. */
static double play(const struct game *game, struct way way, int apart)
{
    const struct cloud *cloud = game->cloud, *queries = game->queries ? game->queries : cloud;
    int m = queries->n, k = way.k, wrong = 0, own = game->queries == NULL;
    int *index = host.alloc((size_t)m * k, sizeof *index);
    double *distance = host.alloc((size_t)m * k, sizeof *distance);
    struct neighbor *neighbors = host.alloc((size_t)cloud->n, sizeof *neighbors);
    struct ct_search_stats stats = {0};
    struct ct_batch batch = {
        .tree = &game->tree,
        .query = own ? NULL : queries->x,
        .order = game->order,
        .count = m,
        .threads = way.threads,
        .kernels = ct_kernels((enum ct_simd_level)random_below((int)ct_simd_best() + 1)),
        .block = way.block,
        .mode = way.mode,
        .stats = &stats};
    ct_knn(&host, &batch, k, -1, index, distance);
    for (int i = 0; i < m; i += apart) {
        int count = oracle_rows(cloud, queries, i, own ? i + 1 : 0, neighbors);
        for (int j = 0; j < k; j++) {
            size_t at = i + (size_t)j * m;
            wrong += index[at] != (j < count ? neighbors[j].row : CT_NO_ROW);
            wrong += distance[at] != (j < count ? neighbors[j].distance : -1);
        }
    }
    host_end_call();
    check_about("%d of %s, d %d, %d %s, k %d, block %d, mode %d, %d threads, %s", cloud->n,
                cloud->name, cloud->d, m, own ? "of its own" : "others", k, way.block, way.mode,
                way.threads, batch.kernels->name);
    CHECK(wrong == 0);
    return (double)stats.distances / m;
}

static const enum ct_search_mode modes[] = {CT_SEARCH_AUTO, CT_SEARCH_TREE, CT_SEARCH_SCAN};

/* In the plane and beyond: points within `width` of a place, all but every lone-th,
 * which are `away` from there, alone. */
static struct cloud knot(int n, int d, double width, double place, double away, int lone)
{
    struct cloud cloud = cloud_of("normal", n, d);
    for (int j = 0; j < d; j++)
        for (int i = 0; i < n; i++) {
            double *x = &cloud.x[i + (size_t)j * n];
            *x = i % lone == lone - 1 ? place + away * *x : place + width * *x;
        }
    cloud.name = "knot";
    return cloud;
}

static void check_knot(struct cloud cloud)
{
    static const int some_k[] = {1, 10, 130};
    struct cloud others = queries_near(&cloud, 70);
    struct game own = make_game(&cloud, NULL, 128), other = make_game(&cloud, &others, 16);
    for (int i = 0; i < 6; i++) {
        struct way way = {some_k[i % 3], 5 * (i % 2), modes[i / 2], 1 + i % 2};
        play(&own, way, 1 + cloud.n / 20);
        play(&other, way, 7);
    }
    keep_end();
}

/* Thousands in one place, some elsewhere; queries there, beside it, and far off. */
static void check_duplicate_run(int n, int elsewhere, double place)
{
    struct cloud cloud = cloud_of("normal", n, 3), others = cloud_of("normal", 200, 3);
    for (int j = 0; j < 3; j++)
        for (int i = elsewhere; i < n; i++)
            cloud.x[i + (size_t)j * n] = place;
    for (int j = 0; j < 3; j++)
        for (int i = 0; i < others.n; i++)
            others.x[i + (size_t)j * others.n] =
                place + (i % 4 == 0 ? 0 : ldexp(others.x[i + (size_t)j * others.n], -10 + i % 20));
    cloud.name = "duplicates";
    for (int leaf_size = 16; leaf_size <= 128; leaf_size += 112) {
        struct game own = make_game(&cloud, NULL, leaf_size);
        struct game other = make_game(&cloud, &others, leaf_size);
        for (int k = 1; k < 1000; k += 5 * k + 2) {
            struct way way = {k, 0, CT_SEARCH_TREE, 2};
            double distances = play(&own, way, n / 10), distances_others = play(&other, way, 9);
            check_about("%d in one place, leaves of %d, k %d: %g distances for each there, %g for "
                        "each of others",
                        n, leaf_size, k, distances, distances_others);
            CHECK(distances < 6 * k + 1500);
            CHECK(distances_others < 6 * k + 1500);
        }
    }
    keep_end();
}

/* Blocks of which some queries have far to go. */
static void check_stragglers(int d)
{
    struct cloud cloud = cloud_of("clusters", 900, d), others;
    for (int j = 0; j < d; j++)
        for (int i = 0; i < cloud.n; i += 90)
            cloud.x[i + (size_t)j * cloud.n] *= 50 + i;
    others = queries_near(&cloud, 333);
    struct game own = make_game(&cloud, NULL, 128), other = make_game(&cloud, &others, 128);
    for (int i = 0; i < 6; i++) {
        struct way way = {(int[]){3, 20, 500}[i % 3], 0, modes[i / 3], 1};
        play(&own, way, 40);
        play(&other, way, 30);
    }
    keep_end();
}

/* All k there are for n points, and many sizes of blocks, of batches and of query groups. */
static void check_sizes(const char *name, int n, int d)
{
    struct cloud cloud = cloud_of(name, n, d);
    int some_k[] = {1, n > 1 ? n - 1 : 1, n, n + 7};
    for (int i = 0; i < 4; i++) {
        struct cloud others = queries_near(&cloud, 1 + random_below(20));
        struct game own = make_game(&cloud, NULL, 1 + random_below(150));
        struct game other = make_game(&cloud, &others, 128);
        struct way way = {some_k[i], random_below(65), modes[random_below(3)], 1 + random_below(3)};
        play(&own, way, 1 + n / 12);
        play(&other, way, 1);
    }
    keep_end();
}

/* So far off that squares overflow, in some coordinates or in all: rows decide. */
static void check_beyond(const char *name, int n, int d)
{
    struct cloud cloud = cloud_of(name, n, d), others = queries_near(&cloud, 60);
    for (int i = 0; i < others.n; i++)
        for (int j = 0; j < d; j++)
            others.x[i + (size_t)j * others.n] +=
                j % (1 + i % 3) == 0 ? pow(10, 200 - 6 * (i % 35)) : 0;
    struct game game = make_game(&cloud, &others, 128);
    for (int i = 0; i < 9; i++)
        play(&game, (struct way){(int[]){1, 9, 200}[i % 3], 7 * (i % 2), modes[i / 3], 1}, 1);
    keep_end();
}

int main(void)
{
    check_knot(knot(2000, 2, 1e-9, 0, 1e6, 2000));
    check_knot(knot(1000, 3, 1e-9, 1, 1e6, 500));
    check_knot(knot(800, 3, 1e-6, 1e6, 1e6, 50));
    check_knot(knot(800, 12, 1e-9, 0, 1e6, 100));
    check_knot(knot(800, 2, 1e-160, 0, 1, 800));
    check_knot(knot(800, 2, 1e-30, 0, 1e100, 10));
    check_duplicate_run(10000, 0, 1);
    check_duplicate_run(4000, 5, 1e3);
    check_duplicate_run(4000, 800, 0);
    for (int d = 1; d <= 40; d += 1 + d)
        check_stragglers(d);
    for (int d = 1; d <= 100; d += 1 + d / 3) {
        check_sizes("normal", 1 + random_below(300), d);
        check_sizes("clusters", 100 + random_below(300), d);
        check_sizes("few", 1 + random_below(300), d);
    }
    check_beyond("normal", 500, 2);
    check_beyond("grid", 500, 3);
    check_beyond("same", 500, 2);
    check_beyond("normal", 300, 30);
    return check_done("hard_cases");
}
