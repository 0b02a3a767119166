/* test_block_search.c: the way of a block of queries. A search hands over every point
 * that may come before a query's bar, none twice, and meets few others: exact
 * answers do not show whether the tree was of any use, so what was met is counted
 * here, by a search that notes what it is given and by the tallies of batches. */
#include "check.h"
#include "core/metric/euclidean.h"
#include "core/order/hilbert.h"
#include "core/search/block_search.h"
#include "grow.h"
#include "host.h"
#include "oracle.h"

#include <limits.h>
#include <math.h>
#include <string.h>

enum { QUERIES = 24 };

/* A search that notes what its queries have met, and may lower its bars. */
struct notes {
    struct ct_search search; /* first */
    int *times;              /* [QUERIES * n] how often each row was met, by query */
    int to[QUERIES];
    int shrink; /* whether to lower bars to the nearest so far */
    double *sq; /* [room + CT_LANES] */
    int *row;
};

static void note(struct ct_search *search, int i)
{
    struct notes *notes = (struct notes *)search;
    ct_search_judge(search, i, notes->sq, notes->row);
    for (int c = 0; c < search->near[i].count; c++) {
        notes->times[(size_t)i * search->tree->n + notes->row[c] - 1]++;
        if (notes->shrink && notes->sq[c] < search->bar[i].sq)
            ct_search_set_bar(search, i, (struct ct_neighbor){notes->sq[c], notes->row[c]});
    }
    search->near[i].count = 0;
}

static struct ct_batch batch_of(const struct ct_tree *tree, const struct cloud *queries)
{
    return (struct ct_batch){.tree = tree,
                             .query = queries ? queries->x : NULL,
                             .m = queries ? queries->n : tree->n,
                             .threads = 2,
                             .kernels = ct_kernels(ct_simd_best())};
}

/* room: for so many met points, or one more tile, until they are noted. */
static struct notes *make_notes(const struct ct_batch *batch, int room)
{
    size_t size = QUERIES * (size_t)batch->tree->n;
    struct notes *notes = keep(1, sizeof *notes);
    ct_search_init(&host, batch, QUERIES, room, &notes->search);
    notes->search.full = note;
    notes->times = keep(size, sizeof(int));
    notes->shrink = 0;
    notes->sq = keep((size_t)room + CT_LANES, sizeof(double));
    notes->row = keep((size_t)room + CT_LANES, sizeof(int));
    memset(notes->times, 0, size * sizeof(int));
    ct_search_load(&notes->search, batch, 0, batch->m < QUERIES ? batch->m : QUERIES, notes->to);
    return notes;
}

/* Whether a query may have met a point that it need not: of those that are clearly
 * beyond its limit, none; of those at distance zero, no rows after the last. */
static int may_meet(const struct ct_search *s, int i, double distance, int row)
{
    const struct ct_tiles *tiles = s->tree->tiles;
    double tau = sqrt(s->bar[i].sq), margin = 1e-5 * s->reach[i] + 4 * tiles->underflow_error;
    if (row == s->near[i].self || (s->bar[i].sq == 0 && row > s->bar[i].row))
        return 0;
    return distance <= tau * (1 + 1e-4) + margin * tiles->inverse_scale;
}

/* What was met that should not have been, or the other way round. In the tiles of
 * `met`, nothing should have been. */
static int count_wrong(const struct notes *notes, struct ct_span met)
{
    const struct ct_search *s = &notes->search;
    const struct ct_tree *t = s->tree;
    const int *begin = t->tiles->begin;
    int wrong = 0;
    for (int i = 0; i < s->queries; i++)
        for (int pos = 0; pos < t->n; pos++) {
            double tau = sqrt(s->bar[i].sq),
                   distance = oracle_distance(s->q + (size_t)i * t->d, 1, t->points + pos,
                                              (size_t)t->n, t->d);
            int row = t->row[pos], times = notes->times[(size_t)i * t->n + row - 1];
            int before = distance < tau || (distance == tau && row <= s->bar[i].row);
            int is_met = pos >= begin[met.first] && pos < begin[met.last];
            if (before && !is_met && row != s->near[i].self)
                wrong += times != 1;
            else if (is_met || !may_meet(s, i, distance, row))
                wrong += times != 0 && (is_met || !notes->shrink);
            wrong += times > 1;
        }
    return wrong;
}

/* Bars of all sorts: none, those that another point ties with at any row, zero. */
static void set_bars(struct ct_search *s, const struct cloud *cloud)
{
    for (int i = 0; i < s->queries; i++) {
        int other = random_below(cloud->n);
        double sq =
            ct_sqdist(s->q + (size_t)i * cloud->d, 1, cloud->x + other, (size_t)cloud->n, cloud->d);
        int rows[] = {INT_MAX, 1 + random_below(cloud->n), other + 1};
        struct ct_neighbor bars[] = {{INFINITY, INT_MAX}, {sq, rows[random_below(3)]},
                                     {sq, INT_MAX},       {0, INT_MAX},
                                     {sq, other + 1},     {sq, rows[random_below(3)]}};
        ct_search_set_bar(s, i, bars[random_below(6)]);
    }
}

/* Where blocks descend, teams of them meet what they have in common, or each query
 * picks, as is wanted here. */
static void check_way(const struct cloud *cloud, const struct ct_tree *tree,
                      enum ct_search_mode mode)
{
    struct cloud queries = queries_near(cloud, QUERIES);
    int count = tree->tiles->count, first = random_below(count + 1);
    struct ct_span spans[] = {{0, 0}, {first, first + random_below(count - first + 1)}, {0, count}};
    for (int i = 0; i < 12; i++) {
        struct ct_batch batch = batch_of(tree, i % 4 < 3 ? &queries : NULL);
        batch.mode = mode;
        batch.block = i % 2 ? QUERIES : 0;
        batch.kernels = ct_kernels((enum ct_simd_level)random_below((int)ct_simd_best() + 1));
        struct notes *notes = make_notes(&batch, i % 5 ? 1 + 100 * (i % 5 - 1) : 1);
        struct ct_search *s = &notes->search;
        set_bars(s, cloud);
        notes->shrink = i % 6 == 3;
        s->since_trial = 0;
        s->alone = i < 6 ? INFINITY : 0;
        s->favour = 1;
        ct_search_block(s, spans[i % 3]);
        int scanned = s->tally.scans == 1;
        for (int q = 0; q < s->queries; q++)
            note(s, q);
        check_about("%s (%d nodes), mode %d, round %d", cloud->name, tree->nodes, mode, i);
        CHECK(count_wrong(notes, spans[i % 3]) == 0);
        CHECK(scanned == (mode == CT_SEARCH_SCAN));
        CHECK(scanned || !s->fixed || s->teamed == (i < 6 && s->queries > 1 && s->heaps == 0));
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

/* ---- what batches took ---------------------------------------------------- */

static struct ct_search_stats tally_of(struct ct_batch batch, int k)
{
    struct ct_search_stats tally = {0};
    size_t size = (size_t)batch.m * k;
    batch.tally = &tally;
    ct_knn(&host, &batch, k, NAN, host.alloc(size, sizeof(int)), host.alloc(size, sizeof(double)));
    host_end_call();
    return tally;
}

/* Mean shares of 5000 points in tiles that met a query in the search for the
 * nearest, at most so many, and of points that it took distances of: a handful. */
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
    struct ct_search_stats tally = tally_of(batch, 1),
                           own = tally_of(batch_of(&grown.tree, NULL), 1);
    double pairs = (double)queries.n * grown.tree.tiles->count;
    double own_pairs = (double)cloud.n * grown.tree.tiles->count;
    check_about(
        "5000 of %s, d %d, block %d: %g of the tiles and %g of the points met, %g and %g by "
        "each other",
        name, d, block, (double)tally.tiles / pairs, (double)tally.distances / queries.n / cloud.n,
        (double)own.tiles / own_pairs, (double)own.distances / cloud.n / cloud.n);
    CHECK((double)tally.tiles / pairs < most);
    CHECK((double)tally.distances / queries.n / cloud.n < 0.001);
    CHECK((double)own.tiles / own_pairs < most);
    CHECK((double)own.distances / cloud.n / cloud.n < 0.001);
    CHECK(tally.scans == 0 && own.scans == 0);
    keep_end();
}

/* Coinciding points beyond the rows that matter are left alone: what is met are
 * the tiles of one node that is not descended any further, at most. */
static void check_duplicates(void)
{
    struct cloud cloud = cloud_of("same", 20000, 3);
    struct grown grown = grow(&cloud, 8, 1);
    for (int k = 1; k <= 500; k += 7 + k) {
        struct ct_batch batch = batch_of(&grown.tree, NULL);
        batch.block = k == 9 ? 1 : 0;
        batch.mode = k > 20 ? CT_SEARCH_AUTO : CT_SEARCH_TREE;
        struct ct_search_stats tally = tally_of(batch, k);
        check_about("%d nearest of 20000 of the same: %g distances, %g tiles each", k,
                    (double)tally.distances / batch.m, (double)tally.tiles / batch.m);
        CHECK(tally.distances <= (4 * k + 200) * (long long)batch.m);
        CHECK(tally.tiles <= (50 + k / 8) * (long long)batch.m);
        CHECK(tally.candidates <= 2 * (long long)batch.m);
        CHECK(tally.scans == 0);
    }
    keep_end();
}

/* Out of reach, nothing of them is met at all. */
static void check_unreached(void)
{
    struct cloud cloud = cloud_of("same", 5000, 3), queries = {"beside", 3, 3, NULL};
    struct grown grown = grow(&cloud, 8, 1);
    queries.x = (double[]){-1, -1, -1, 0.5, 0.5, 0.5, 2.5, 2.6, 3};
    struct ct_batch batch = batch_of(&grown.tree, &queries);
    struct notes *notes = make_notes(&batch, 64);
    for (int i = 0; i < 3; i++)
        ct_search_set_bar(&notes->search, i, (struct ct_neighbor){0.2, INT_MAX});
    ct_search_block(&notes->search, (struct ct_span){0, 0});
    check_about("5000 of the same, out of reach");
    CHECK(notes->search.tally.distances == 0 && notes->search.tally.tiles == 0);
    host_end_call();
    keep_end();
}

/* Isotropic points in many dimensions are scanned, where that may be chosen. */
static void check_choice(const char *name, int n, int d, int scanned)
{
    struct cloud cloud = cloud_of(name, n, d);
    struct grown grown = grow(&cloud, 16, 2);
    struct ct_batch batch = batch_of(&grown.tree, NULL);
    batch.threads = 1;
    struct ct_search_stats tally = tally_of(batch, 10);
    long long descended = 0;
    for (int size = 0; size < 7; size++)
        descended += tally.blocks[size];
    check_about("%d of %s, d %d: %lld blocks scanned, %lld descended", n, name, d, tally.scans,
                descended);
    CHECK((tally.scans > 0) == scanned);
    CHECK(descended > 0);
    CHECK(!scanned || tally.scans > descended);
    batch.mode = CT_SEARCH_TREE;
    CHECK(tally_of(batch, 10).scans == 0);
    batch.mode = CT_SEARCH_SCAN;
    tally = tally_of(batch, 10);
    descended = tally.nodes + tally.candidates + tally.boxes;
    CHECK(tally.scans > 0 && descended == 0);
    keep_end();
}

static int same_descents(const struct ct_search_stats *a, const struct ct_search_stats *b)
{
    return memcmp(a->blocks, b->blocks, sizeof a->blocks) == 0 && a->scans == b->scans &&
           a->nodes == b->nodes && a->candidates == b->candidates && a->cached == b->cached;
}

/* Blocks of a fixed size are of that size, but for what is left of each run of
 * 64 queries; they share their descents, and descend the same on any threads. What
 * they meet then depends on what a thread learnt from its blocks before. */
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
    struct ct_search_stats tally = tally_of(batch, 5);
    candidates = tally.candidates;
    check_about("blocks of %d", block);
    CHECK(memcmp(tally.blocks, want, sizeof want) == 0);
    CHECK(candidates > 0 && tally.nodes > 0 && tally.boxes > 0 && tally.tiles > 0);
    CHECK(64 % block || tally.cached == (block - 1) * candidates);
    CHECK(block == 1 || tally.cached > 0);
    CHECK(tally.seconds[CT_PHASE_SEED] > 0 && tally.seconds[CT_PHASE_DESCENT] > 0);
    CHECK(tally.seconds[CT_PHASE_SCAN] > 0 && tally.seconds[CT_PHASE_SELECTION] > 0);
    batch.threads = 3;
    struct ct_search_stats again = tally_of(batch, 5);
    CHECK(same_descents(&tally, &again));
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
