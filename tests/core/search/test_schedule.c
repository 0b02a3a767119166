/* test_schedule.c: the decisions of a schedule: sizes within bounds and of whole tiles, scans
 * when traversals do not pay, joint scans when they are cheaper. */
#include "check.h"
#include "core/search/schedule.h"
#include "core/simd/euclid.h"
#include "core/tree/tiles.h"
#include "grow.h"
#include "host.h"

static struct ct_batch batch_of(const struct ct_tree *tree, enum ct_search_mode mode)
{
    return (struct ct_batch){.tree = tree,
                             .count = tree->n,
                             .threads = 1,
                             .kernels = ct_kernels(ct_simd_best()),
                             .mode = mode};
}

/* ---- sizes ------------------------------------------------------------------ */

static int is_tile_boundary(const struct ct_tiles *tiles, int pos)
{
    for (int tile = 0; tile <= tiles->count; tile++)
        if (tiles->begin[tile] == pos)
            return 1;
    return 0;
}

/* Own points, from a tile boundary on: whole tiles, within `most` if one tile fits. */
static void check_sizes(const struct ct_tree *tree)
{
    struct ct_batch batch = batch_of(tree, CT_SEARCH_AUTO);
    struct ct_schedule schedule = ct_schedule_start(&batch);
    int wrong = 0, cut = 0;
    for (int begin = 0; begin < tree->n;) {
        int size = ct_schedule_size(&schedule, &batch, begin, tree->n, CT_BLOCK);
        wrong += size < 1 || size > CT_LANES || begin + size > tree->n;
        cut += !is_tile_boundary(tree->tiles, begin + size);
        begin += size;
    }
    check_about("own points");
    CHECK(wrong == 0);
    CHECK(cut == 0);
    CHECK(ct_schedule_size(&schedule, &batch, 0, tree->n, 1) == 1);
    CHECK(ct_schedule_size(&schedule, &batch, tree->n - 1, tree->n, CT_BLOCK) == 1);
    batch.query = tree->points;
    CHECK(ct_schedule_size(&schedule, &batch, 3, tree->n, CT_BLOCK) == CT_LANES);
    batch.block = 13;
    schedule = ct_schedule_start(&batch);
    CHECK(ct_schedule_size(&schedule, &batch, 3, tree->n, CT_BLOCK) == 13);
    batch.epsilon = 0.1;
    schedule = ct_schedule_start(&batch);
    CHECK(ct_schedule_size(&schedule, &batch, 3, tree->n, CT_BLOCK) == 1);
    CHECK(schedule.mode == CT_SEARCH_TREE);
}

/* Doubles while the traversal dominates, halves while the choice among nodes does. */
static void check_adaptive_size(const struct ct_tree *tree)
{
    struct ct_batch batch = batch_of(tree, CT_SEARCH_TREE);
    struct ct_schedule schedule = ct_schedule_start(&batch);
    struct ct_search_work traversal = {.nodes = 100000}, choice = {.candidates = 100000};
    schedule.join_credit = -CT_JOIN_CREDIT;
    schedule.since_trial = 0;
    for (int i = 0; i < 5; i++)
        ct_schedule_learn(&schedule, &traversal, 16);
    check_about("adaptive size");
    CHECK(schedule.block_size == CT_BLOCK);
    for (int i = 0; i < 8; i++)
        ct_schedule_learn(&schedule, &choice, 64);
    CHECK(schedule.block_size == 1);
    schedule.join_credit = 0;
    ct_schedule_learn(&schedule, &choice, 64);
    CHECK(schedule.block_size == CT_LANES);
    schedule.fixed_size = 1;
    schedule.join_credit = -CT_JOIN_CREDIT;
    ct_schedule_learn(&schedule, &traversal, 16);
    CHECK(schedule.block_size == CT_LANES);
}

/* ---- scans ------------------------------------------------------------------ */

static int count_scans(struct ct_schedule *schedule)
{
    int scans = 0;
    for (; ct_schedule_scans(schedule) && scans < 1000; scans++)
        ct_schedule_count_scan(schedule);
    return scans;
}

/* After a traversal that does not pay, scans; each time twice as many, until one pays. */
static void check_scans(const struct ct_tree *tree)
{
    struct ct_search_work dear = {.nodes = 1000000000}, cheap = {.nodes = 1};
    struct ct_batch batch = batch_of(tree, CT_SEARCH_AUTO);
    struct ct_schedule schedule = ct_schedule_start(&batch);
    check_about("scans");
    CHECK(!ct_schedule_scans(&schedule));
    for (int wanted = 8; wanted <= 256; wanted *= 2) {
        ct_schedule_learn(&schedule, &dear, 16);
        CHECK(count_scans(&schedule) == wanted);
    }
    ct_schedule_learn(&schedule, &dear, 16);
    CHECK(count_scans(&schedule) == 256);
    ct_schedule_learn(&schedule, &cheap, 16);
    CHECK(!ct_schedule_scans(&schedule));
    ct_schedule_learn(&schedule, &dear, 16);
    CHECK(ct_schedule_size(&schedule, &batch, 0, tree->n, CT_BLOCK) > CT_LANES);
    CHECK(count_scans(&schedule) == 8);
    batch.mode = CT_SEARCH_TREE;
    schedule = ct_schedule_start(&batch);
    ct_schedule_learn(&schedule, &dear, 16);
    CHECK(!ct_schedule_scans(&schedule));
    batch.mode = CT_SEARCH_SCAN;
    schedule = ct_schedule_start(&batch);
    CHECK(count_scans(&schedule) == 1000);
}

/* ---- joint scans ------------------------------------------------------------ */

/* How many of some blocks consider a joint scan, and find it cheaper or not. */
static int count_considered(struct ct_schedule *schedule, int blocks, int common_tiles)
{
    int considered = 0;
    for (int i = 0; i < blocks; i++)
        if (ct_schedule_considers_join(schedule, 16, 0)) {
            considered++;
            schedule->single_cost = 1000;
            CHECK(ct_schedule_joins(schedule, common_tiles) == (common_tiles < 50));
            CHECK(schedule->joined == (common_tiles < 50));
        }
    return considered;
}

static void check_joins(const struct ct_tree *tree)
{
    struct ct_batch batch = batch_of(tree, CT_SEARCH_AUTO);
    struct ct_schedule schedule = ct_schedule_start(&batch);
    check_about("joint scans");
    CHECK(!ct_schedule_considers_join(&schedule, 1, 0));
    CHECK(!ct_schedule_considers_join(&schedule, 16, 1));
    CHECK(schedule.since_trial == CT_JOIN_TRIAL);
    CHECK(count_considered(&schedule, 1 + CT_JOIN_CREDIT, 1000) == CT_JOIN_CREDIT);
    CHECK(count_considered(&schedule, 10 * (CT_JOIN_TRIAL + 1), 1000) == 10);
    schedule = ct_schedule_start(&batch);
    CHECK(count_considered(&schedule, 10 * (CT_JOIN_TRIAL + 1), 1) == 10 * CT_JOIN_TRIAL);
    CHECK(schedule.join_credit == CT_JOIN_CREDIT);
    CHECK(!ct_schedule_considers_join(&schedule, 1, 0));
    CHECK(schedule.joined == 0);
}

int main(void)
{
    struct cloud cloud = cloud_of("uniform", 5000, 2);
    struct grown grown = grow(&cloud, 20, 1);
    check_sizes(&grown.tree);
    check_adaptive_size(&grown.tree);
    check_scans(&grown.tree);
    check_joins(&grown.tree);
    keep_end();
    return check_done("schedule");
}
