/* test_block_search.c: the search of a block evaluates what it must, and little more.
 *
 * Every point that may come before a query's threshold is a candidate, exactly once; few
 * other points are. Exact results do not show whether the tree was of any use: these checks
 * count candidates, by a sink, and evaluate the statistics of batches. */
#include "check.h"
#include "core/metric/euclidean.h"
#include "core/order/hilbert.h"
#include "core/search/block_search.h"
#include "core/search/threshold.h"
#include "grow.h"
#include "host.h"
#include "oracle.h"

#include <limits.h>
#include <math.h>
#include <string.h>

enum { QUERIES = 24 };

/* A sink that counts the candidates of each query, and may lower thresholds. */
struct notes {
    struct ct_search search;
    int *times; /* [QUERIES * n] how often each query got each row */
    int shrink; /* whether to lower thresholds to the nearest candidate so far */
};

static void note(void *data, int i, const int *row, const double *sq, int count)
{
    struct notes *notes = data;
    struct ct_query_block *block = &notes->search.block;
    for (int c = 0; c < count; c++) {
        notes->times[(size_t)i * block->context.tree->n + row[c] - 1]++;
        if (notes->shrink && sq[c] < block->threshold[i].sq)
            ct_set_threshold(block, i, (struct ct_neighbor){sq[c], row[c]});
    }
}

static struct ct_batch batch_of(const struct ct_tree *tree, const struct cloud *queries)
{
    return (struct ct_batch){.tree = tree,
                             .query = queries ? queries->x : NULL,
                             .count = queries ? queries->n : tree->n,
                             .threads = 2,
                             .kernels = ct_kernels(ct_simd_best())};
}

static struct notes *make_notes(const struct ct_batch *batch, int capacity)
{
    size_t size = QUERIES * (size_t)batch->tree->n;
    struct notes *notes = keep(1, sizeof *notes);
    struct ct_candidate_sink sink = {notes, note};
    notes->times = keep(size, sizeof(int));
    notes->shrink = 0;
    memset(notes->times, 0, size * sizeof(int));
    ct_search_init(&host, batch, QUERIES, capacity, 0, sink, &notes->search);
    ct_search_begin(&notes->search, batch, 0, batch->count < QUERIES ? batch->count : QUERIES);
    return notes;
}

/* Whether a point may be a candidate of query i: not if clearly beyond the threshold, nor
 * with a larger row if the threshold is at distance 0. */
static int may_evaluate(const struct ct_query_block *s, int i, double distance, int row)
{
    const struct ct_tiles *tiles = s->context.tree->tiles;
    double threshold = sqrt(s->threshold[i].sq),
           margin = 1e-5 * s->reach[i] + 4 * tiles->underflow_error;
    if (row == s->candidates[i].skip_row || (s->threshold[i].sq == 0 && row > s->threshold[i].row))
        return 0;
    return distance <= threshold * (1 + 1e-4) + margin * tiles->inverse_scale;
}

/* Counts points that are candidates and should not be, or the other way round. No point in
 * the tiles of `skip` should be. */
static int count_wrong(const struct notes *notes, struct ct_tile_span skip)
{
    const struct ct_query_block *s = &notes->search.block;
    const struct ct_tree *t = s->context.tree;
    const int *begin = t->tiles->begin;
    int wrong = 0;
    for (int i = 0; i < s->count; i++)
        for (int pos = 0; pos < t->n; pos++) {
            double threshold = sqrt(s->threshold[i].sq),
                   distance = oracle_distance(s->q + (size_t)i * t->d, 1, t->points + pos,
                                              (size_t)t->n, t->d);
            int row = t->row[pos], times = notes->times[(size_t)i * t->n + row - 1];
            int before =
                distance < threshold || (distance == threshold && row <= s->threshold[i].row);
            int is_skipped = pos >= begin[skip.first] && pos < begin[skip.end];
            if (before && !is_skipped && row != s->candidates[i].skip_row)
                wrong += times != 1;
            else if (is_skipped || !may_evaluate(s, i, distance, row))
                wrong += times != 0 && (is_skipped || !notes->shrink);
            wrong += times > 1;
        }
    return wrong;
}

/* Thresholds of all kinds: infinite; at the distance of a point, with any row; zero. */
static void set_thresholds(struct ct_query_block *s, const struct cloud *cloud)
{
    for (int i = 0; i < s->count; i++) {
        int other = random_below(cloud->n);
        double sq =
            ct_sqdist(s->q + (size_t)i * cloud->d, 1, cloud->x + other, (size_t)cloud->n, cloud->d);
        int rows[] = {INT_MAX, 1 + random_below(cloud->n), other + 1};
        struct ct_neighbor thresholds[] = {{INFINITY, INT_MAX}, {sq, rows[random_below(3)]},
                                           {sq, INT_MAX},       {0, INT_MAX},
                                           {sq, other + 1},     {sq, rows[random_below(3)]}};
        ct_set_threshold(s, i, thresholds[random_below(6)]);
    }
}

/* A search in the given mode, with joint scans in the first six rounds and single scans in
 * the others, where the tree is traversed. */
static void check_way(const struct cloud *cloud, const struct ct_tree *tree,
                      enum ct_search_mode mode)
{
    struct cloud queries = queries_near(cloud, QUERIES);
    int count = tree->tiles->count, first = random_below(count + 1);
    struct ct_tile_span spans[] = {
        {0, 0}, {first, first + random_below(count - first + 1)}, {0, count}};
    for (int i = 0; i < 12; i++) {
        struct ct_batch batch = batch_of(tree, i % 4 < 3 ? &queries : NULL);
        batch.mode = mode;
        batch.block = i % 2 ? QUERIES : 0;
        batch.kernels = ct_kernels((enum ct_simd_level)random_below((int)ct_simd_best() + 1));
        struct notes *notes = make_notes(&batch, i % 5 ? 1 + 100 * (i % 5 - 1) : 1);
        struct ct_search *s = &notes->search;
        set_thresholds(&s->block, cloud);
        notes->shrink = i % 6 == 3;
        s->schedule.since_trial = 0;
        s->schedule.single_cost = i < 6 ? INFINITY : 0;
        s->schedule.join_credit = 1;
        ct_search_block(s, spans[i % 3]);
        int scanned = s->recorder.stats.scans == 1;
        for (int q = 0; q < s->block.count; q++)
            ct_flush_candidates(&s->block, q);
        check_about("%s (%d nodes), mode %d, round %d", cloud->name, tree->nodes, mode, i);
        CHECK(count_wrong(notes, spans[i % 3]) == 0);
        CHECK(scanned == (mode == CT_SEARCH_SCAN));
        CHECK(scanned || !s->schedule.fixed_size ||
              s->schedule.joined ==
                  (i < 6 && s->block.count > 1 && s->frontier.duplicate_runs == 0));
        host_end_call();
    }
}

static void check_cloud(struct cloud cloud)
{
    for (int leaf_size = 1; leaf_size <= 20; leaf_size += 19) {
        struct grown grown = grow(&cloud, leaf_size, 1);
        for (int mode = CT_SEARCH_AUTO; mode <= CT_SEARCH_SCAN; mode++)
            check_way(&cloud, &grown.tree, (enum ct_search_mode)mode);
    }
    keep_end();
}

/* ---- the statistics of batches ---------------------------------------------------- */

static struct ct_search_stats stats_of(struct ct_batch batch, int k)
{
    struct ct_search_stats stats = {0};
    size_t size = (size_t)batch.count * k;
    batch.stats = &stats;
    ct_knn(&host, &batch, k, NAN, host.alloc(size, sizeof(int)), host.alloc(size, sizeof(double)));
    host_end_call();
    return stats;
}

/* The mean share of tiles that a query scans for its nearest neighbor of 5000 points is below
 * `most`, and the share of exact distances below 0.001. */
static void check_share(const char *name, int d, int block, double most)
{
    struct cloud cloud = cloud_of(name, 5000, d), queries = queries_near(&cloud, 400);
    struct grown grown = grow(&cloud, 8, 2);
    struct ct_batch batch = batch_of(&grown.tree, &queries);
    int *order = keep((size_t)queries.n, sizeof *order);
    ct_hilbert_order(&host, queries.x, queries.n, d, 1, order);
    batch.order = order;
    batch.block = block;
    batch.mode = CT_SEARCH_TREE;
    struct ct_search_stats stats = stats_of(batch, 1),
                           own = stats_of(batch_of(&grown.tree, NULL), 1);
    double pairs = (double)queries.n * grown.tree.tiles->count;
    double own_pairs = (double)cloud.n * grown.tree.tiles->count;
    check_about(
        "5000 of %s, d %d, block %d: %g of the tiles and %g of the points met, %g and %g by "
        "each other",
        name, d, block, (double)stats.tiles / pairs, (double)stats.distances / queries.n / cloud.n,
        (double)own.tiles / own_pairs, (double)own.distances / cloud.n / cloud.n);
    CHECK((double)stats.tiles / pairs < most);
    CHECK((double)stats.distances / queries.n / cloud.n < 0.001);
    CHECK((double)own.tiles / own_pairs < most);
    CHECK((double)own.distances / cloud.n / cloud.n < 0.001);
    CHECK(stats.scans == 0 && own.scans == 0);
    keep_end();
}

/* Duplicates with rows beyond the threshold are excluded: at most the tiles of one remaining
 * node are scanned. */
static void check_duplicates(void)
{
    struct cloud cloud = cloud_of("same", 20000, 3);
    struct grown grown = grow(&cloud, 8, 1);
    for (int k = 1; k <= 500; k += 7 + k) {
        struct ct_batch batch = batch_of(&grown.tree, NULL);
        batch.block = k == 9 ? 1 : 0;
        batch.mode = k > 20 ? CT_SEARCH_AUTO : CT_SEARCH_TREE;
        struct ct_search_stats stats = stats_of(batch, k);
        check_about("%d nearest of 20000 of the same: %g distances, %g tiles each", k,
                    (double)stats.distances / batch.count, (double)stats.tiles / batch.count);
        CHECK(stats.distances <= (4 * k + 200) * (long long)batch.count);
        CHECK(stats.tiles <= (50 + k / 8) * (long long)batch.count);
        CHECK(stats.candidates <= 2 * (long long)batch.count);
        CHECK(stats.scans == 0);
    }
    keep_end();
}

/* Duplicates beyond the threshold: no tile is scanned. */
static void check_unreached(void)
{
    struct cloud cloud = cloud_of("same", 5000, 3), queries = {"beside", 3, 3, NULL};
    struct grown grown = grow(&cloud, 8, 1);
    queries.x = (double[]){-1, -1, -1, 0.5, 0.5, 0.5, 2.5, 2.6, 3};
    struct ct_batch batch = batch_of(&grown.tree, &queries);
    struct notes *notes = make_notes(&batch, 64);
    for (int i = 0; i < 3; i++)
        ct_set_threshold(&notes->search.block, i, (struct ct_neighbor){0.2, INT_MAX});
    ct_search_block(&notes->search, (struct ct_tile_span){0, 0});
    check_about("5000 of the same, out of reach");
    CHECK(notes->search.block.work.distances == 0 && notes->search.block.work.tiles == 0);
    host_end_call();
    keep_end();
}

/* Isotropic points in many dimensions are scanned if the mode allows the choice. */
static void check_choice(const char *name, int n, int d, int scanned)
{
    struct cloud cloud = cloud_of(name, n, d);
    struct grown grown = grow(&cloud, 16, 2);
    struct ct_batch batch = batch_of(&grown.tree, NULL);
    batch.threads = 1;
    struct ct_search_stats stats = stats_of(batch, 10);
    long long descended = 0;
    for (int size = 0; size < 7; size++)
        descended += stats.blocks[size];
    check_about("%d of %s, d %d: %lld blocks scanned, %lld descended", n, name, d, stats.scans,
                descended);
    CHECK((stats.scans > 0) == scanned);
    CHECK(descended > 0);
    CHECK(!scanned || stats.scans > descended);
    batch.mode = CT_SEARCH_TREE;
    CHECK(stats_of(batch, 10).scans == 0);
    batch.mode = CT_SEARCH_SCAN;
    stats = stats_of(batch, 10);
    descended = stats.nodes + stats.candidates + stats.boxes;
    CHECK(stats.scans > 0 && descended == 0);
    keep_end();
}

static int same_descents(const struct ct_search_stats *a, const struct ct_search_stats *b)
{
    return memcmp(a->blocks, b->blocks, sizeof a->blocks) == 0 && a->scans == b->scans &&
           a->nodes == b->nodes && a->candidates == b->candidates && a->cache_hits == b->cache_hits;
}

/* Blocks have the fixed size, except the last of each run of 64 queries. Traversals are
 * shared, and the same on any number of threads; the scans after them depend on the blocks
 * that the thread has searched before. */
static void check_fixed(int block)
{
    struct cloud cloud = cloud_of("uniform", 4096, 2);
    struct grown grown = grow(&cloud, 8, 1);
    struct ct_batch batch = batch_of(&grown.tree, NULL);
    long long want[7] = {0}, candidates;
    batch.block = block;
    batch.mode = CT_SEARCH_TREE;
    for (int begin = 0; begin < 64; begin += block) {
        int size = 0, queries = block < 64 - begin ? block : 64 - begin;
        while (1 << size < queries)
            size++;
        want[size] += 4096 / 64;
    }
    struct ct_search_stats stats = stats_of(batch, 5);
    candidates = stats.candidates;
    check_about("blocks of %d", block);
    CHECK(memcmp(stats.blocks, want, sizeof want) == 0);
    CHECK(candidates > 0 && stats.nodes > 0 && stats.boxes > 0 && stats.tiles > 0);
    CHECK(64 % block || stats.cache_hits == (block - 1) * candidates);
    CHECK(block == 1 || stats.cache_hits > 0);
    CHECK(stats.seconds[CT_PHASE_SEED] > 0 && stats.seconds[CT_PHASE_DESCENT] > 0);
    CHECK(stats.seconds[CT_PHASE_SCAN] > 0 && stats.seconds[CT_PHASE_SELECTION] > 0);
    batch.threads = 3;
    struct ct_search_stats again = stats_of(batch, 5);
    CHECK(same_descents(&stats, &again));
    keep_end();
}

int main(void)
{
    for (int which = 0; which < clouds_count(); which++)
        check_cloud(cloud_number(which));
    check_cloud(cloud_of("corners", 600, 150));
    for (int block = 0; block <= 16; block += 16) {
        check_share("uniform", 1, block, 0.04);
        check_share("uniform", 2, block, 0.02);
        check_share("normal", 3, block, 0.04);
        check_share("clusters", 2, block, 0.05);
    }
    check_duplicates();
    check_unreached();
    check_choice("uniform", 3000, 32, 1);
    check_choice("normal", 3000, 40, 1);
    check_choice("uniform", 6000, 1, 0);
    check_choice("uniform", 6000, 2, 0);
    check_choice("normal", 6000, 3, 0);
    check_choice("grid", 6000, 2, 0);
    for (int block = 1; block <= 64; block += block == 1 ? 6 : 57)
        check_fixed(block);
    return check_done("block_search");
}
