/* test_product_scan.c: a scan by matrix products loses no neighbor, and is used where it suits.
 *
 * Squares by products are within the error bound of exact squares, at every instruction set.
 * Searches that scan have the bits of the oracle, with all limits of rows and distances. */
#include "check.h"
#include "core/metric/euclidean.h"
#include "core/search/block_search.h"
#include "core/search/threshold.h"
#include "grow.h"
#include "host.h"
#include "oracle.h"

#include <limits.h>
#include <math.h>
#include <string.h>

static struct ct_batch batch_of(const struct ct_tree *tree, const struct cloud *queries)
{
    return (struct ct_batch){
        .tree = tree,
        .query = queries ? queries->x : NULL,
        .count = queries ? queries->n : tree->n,
        .threads = 1 + random_below(2),
        .kernels = ct_kernels((enum ct_simd_level)random_below((int)ct_simd_best() + 1)),
        .mode = CT_SEARCH_SCAN};
}

static struct cloud moved_cloud(const char *name, int n, int d, double scale, double place)
{
    struct cloud cloud = cloud_of(name, n, d);
    for (size_t i = 0; i < (size_t)n * d; i++)
        cloud.x[i] = cloud.x[i] * scale + place;
    return cloud;
}

/* ---- the error bound -------------------------------------------------------- */

/* Exact square of the float32 coordinates of query i and a lane of a tile. */
static long double exact_square(const struct ct_query_block *block, int i, int tile, int lane)
{
    int d = block->context.tree->d;
    const float *x = block->context.tree->tiles->x + (size_t)tile * d * CT_LANES + lane;
    long double sq = 0;
    for (int j = 0; j < d; j++) {
        long double gap = (long double)x[j * CT_LANES] - block->q_f32[(size_t)i * d + j];
        sq += gap * gap;
    }
    return sq;
}

/* Compares the products of the first group and all pairs of tiles. Adds to *absent the lanes
 * without a point that pass. Returns the largest error of a square, over the bound. */
static double largest_error(struct ct_search *s, int *absent)
{
    const struct ct_tree *t = s->block.context.tree;
    const float least[CT_GROUP] = {-INFINITY, -INFINITY, -INFINITY, -INFINITY,
                                   -INFINITY, -INFINITY, -INFINITY, -INFINITY};
    float value[CT_GROUP * CT_PAIR];
    unsigned within[CT_GROUP];
    double most = 0;
    for (int tile = 0; tile + 1 < t->tiles->count; tile += 2) {
        s->block.context.kernels->pair_products(t->tiles->x + (size_t)tile * t->d * CT_LANES, t->d,
                                                s->products.half + (size_t)tile * CT_LANES,
                                                s->groups.group[0].q, least, value, within);
        for (int i = 0; i < CT_GROUP; i++)
            for (int lane = 0; lane < CT_PAIR; lane++) {
                int at = tile + lane / CT_LANES, passes = within[i] >> lane & 1;
                int size = t->tiles->begin[at + 1] - t->tiles->begin[at];
                if (lane % CT_LANES >= size) {
                    *absent += passes;
                    continue;
                }
                long double sq = (long double)s->products.sq[i] - 2 * value[i * CT_PAIR + lane];
                long double error = fabsl(sq - exact_square(&s->block, i, at, lane % CT_LANES));
                most = fmax(most, passes ? (double)(error / s->block.sq_error[i]) : INFINITY);
            }
    }
    return most;
}

/* Sets each threshold to twice the distance of a point from the query. */
static void set_thresholds(struct ct_query_block *block)
{
    const struct ct_tree *t = block->context.tree;
    for (int i = 0; i < block->count; i++) {
        double sq = ct_sqdist(block->q + (size_t)i * t->d, 1, t->points + (i + 31) % t->n,
                              (size_t)t->n, t->d);
        ct_set_threshold(block, i, (struct ct_neighbor){4 * sq, INT_MAX});
    }
}

static void check_error(const struct cloud *cloud, const struct cloud *queries)
{
    struct grown grown = grow(cloud, 28, 1);
    for (int level = 0; level <= (int)ct_simd_best(); level++) {
        struct ct_batch batch = batch_of(&grown.tree, queries);
        struct ct_search *s = keep(1, sizeof *s);
        int absent = 0;
        batch.kernels = ct_kernels((enum ct_simd_level)level);
        ct_search_init(&host, &batch, CT_BLOCK, 64, 10, (struct ct_candidate_sink){0}, s);
        ct_search_begin(s, &batch, 0, CT_BLOCK);
        set_thresholds(&s->block);
        check_about("%s, d %d, %s", cloud->name, cloud->d, batch.kernels->name);
        CHECK(ct_product_scan_begin(&s->block, &s->groups, &s->products));
        double error = largest_error(s, &absent);
        check_about("%s, d %d, %s: error %g of the bound", cloud->name, cloud->d,
                    batch.kernels->name, error);
        CHECK(error > 0 && error <= .9);
        CHECK(absent == 0);
        host_end_call();
    }
}

static void check_errors(const char *name, int d)
{
    struct cloud cloud = moved_cloud(name, 150, d, 3, 1e3), queries = queries_near(&cloud, 70);
    struct cloud far = moved_cloud("normal", 70, d, 1e4, -1e5);
    check_error(&cloud, &queries);
    check_error(&cloud, &far);
    keep_end();
}

/* ---- searches --------------------------------------------------------------- */

/* Returns the number of wrong neighbors of a search of all queries, with rows up to that of the
 * query if `predecessors`, and with distances up to that of max_distance. */
static int wrong_neighbors(const struct cloud *cloud, const struct cloud *queries,
                           const struct ct_batch *batch, int k)
{
    int m = batch->count, own = queries == NULL, wrong = 0;
    int *index = host.alloc((size_t)m * k, sizeof *index);
    double *distance = host.alloc((size_t)m * k, sizeof *distance);
    struct neighbor *all = host.alloc((size_t)cloud->n, sizeof *all);
    if (batch->predecessors)
        ct_knn_predecessors(&host, batch, k, -1, index, distance);
    else
        ct_knn(&host, batch, k, -1, index, distance);
    for (int i = 0; i < m; i += 1 + m / 40) {
        int rows = oracle_rows(cloud, own ? cloud : queries, i, own ? i + 1 : 0, all), count = 0;
        double limit = batch->max_distance ? batch->max_distance[i] : INFINITY;
        for (int r = 0; r < rows; r++)
            if ((!batch->predecessors || all[r].row <= i) && all[r].distance <= limit)
                all[count++] = all[r];
        for (int j = 0; j < k; j++) {
            size_t at = i + (size_t)j * m;
            wrong += index[at] != (j < count ? all[j].row : CT_NO_ROW);
            wrong += distance[at] != (j < count ? all[j].distance : -1);
        }
    }
    host_end_call();
    return wrong;
}

static void check_searches(struct cloud cloud, int leaf_size)
{
    struct cloud queries = queries_near(&cloud, 150);
    struct grown grown = grow(&cloud, leaf_size, 1);
    double *limit = keep((size_t)cloud.n, sizeof *limit);
    for (int i = 0; i < cloud.n; i++)
        limit[i] = oracle_distance(cloud.x + random_below(cloud.n), (size_t)cloud.n,
                                   cloud.x + random_below(cloud.n), (size_t)cloud.n, cloud.d);
    for (int way = 0; way < 6; way++) {
        int k = (int[]){1, 10, 150}[way % 3], own = way % 2 == 0;
        struct ct_batch batch = batch_of(&grown.tree, own ? NULL : &queries);
        batch.predecessors = own && way > 0;
        batch.max_distance = way == 3 || way == 4 ? limit : NULL;
        check_about("%s, d %d, way %d, %s", cloud.name, cloud.d, way, batch.kernels->name);
        CHECK(wrong_neighbors(&cloud, own ? NULL : &queries, &batch, k) == 0);
    }
    keep_end();
}

/* Scans a tree of own points, from finite thresholds, for the k nearest. */
static struct ct_search *scan(const struct cloud *cloud, double epsilon, int k)
{
    struct grown *grown = keep(1, sizeof *grown);
    struct ct_batch *batch = keep(1, sizeof *batch);
    struct ct_search *s = keep(1, sizeof *s);
    *grown = grow(cloud, 28, 1);
    *batch = batch_of(&grown->tree, NULL);
    batch->epsilon = epsilon;
    ct_search_init(&host, batch, CT_BLOCK, 64, k, (struct ct_candidate_sink){0}, s);
    ct_search_begin(s, batch, 0, CT_BLOCK);
    set_thresholds(&s->block);
    ct_search_block(s, (struct ct_tile_span){0, 0});
    return s;
}

/* Whether a block is scanned by products. */
static int uses_products(const struct cloud *cloud, double epsilon)
{
    int used = scan(cloud, epsilon, 1)->block.sq_error[0] > 0;
    host_end_call();
    return used;
}

/* Products suit distances that are large beside the error; not the distances inside a dense
 * cluster of a wide cloud, nor few coordinates. */
static void check_choice(void)
{
    struct cloud normal = moved_cloud("normal", 200, 32, 1, 5),
                 knot = moved_cloud("normal", 200, 32, 1e-4, 0),
                 few = moved_cloud("normal", 200, 8, 1, 5);
    for (int j = 0; j < knot.d; j++)
        knot.x[199 + (size_t)j * knot.n] = 1;
    check_about("choice");
    CHECK(uses_products(&normal, 0));
    CHECK(!uses_products(&normal, .1));
    CHECK(!uses_products(&knot, 0));
    CHECK(!uses_products(&few, 0));
    keep_end();
}

/* k points lie within each threshold, also where products round much: in a cluster far from the
 * center of the cloud. Each point occurs COPIES times: equal distances leave the bisection of
 * ct_tighten_threshold() no room. */
static void check_thresholds(void)
{
    enum { COPIES = 6, k = COPIES };
    struct cloud cloud = moved_cloud("normal", 200, 16, .04, .9);
    int lacking = 0;
    for (int j = 0; j < cloud.d; j++)
        for (int i = 0; i < cloud.n; i++) {
            double *x = cloud.x + (size_t)j * cloud.n;
            x[i] = i == cloud.n - 1 ? -1 : x[i / COPIES * COPIES];
        }
    struct ct_query_block *block = &scan(&cloud, 0, k)->block;
    const struct ct_tree *t = block->context.tree;
    for (int i = 0; i < block->count; i++) {
        int within = 0;
        ct_tighten_threshold(block, i);
        for (int pos = 0; pos < t->n; pos++)
            within += t->row[pos] != block->candidates[i].skip_row &&
                      ct_sqdist(block->q + (size_t)i * t->d, 1, t->points + pos, (size_t)t->n,
                                t->d) <= block->threshold[i].sq;
        lacking += within < k;
    }
    check_about("thresholds");
    CHECK(block->sq_error[0] > 0 && lacking == 0);
    host_end_call();
    keep_end();
}

int main(void)
{
    static const char *const names[] = {"normal", "clusters", "few", "corners", "one apart"};
    for (int d = 16; d <= 70; d = 3 * d + 17) {
        check_errors("normal", d);
        check_errors("uniform", d);
        for (int i = 0; i < (int)(sizeof names / sizeof *names); i++)
            check_searches(cloud_of(names[i], 200 + random_below(100), d),
                           (int[]){28, 16, 100}[i % 3]);
        check_searches(moved_cloud("normal", 250, d, 1, 1e6), 28);
        check_searches(moved_cloud("normal", 250, d, 1e-200, 0), 28);
        check_searches(moved_cloud("normal", 250, d, 1e200, 1e203), 28);
    }
    check_choice();
    check_thresholds();
    return check_done("product_scan");
}
