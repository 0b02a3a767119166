/* schedule.c: see schedule.h.
 *
 * All costs are estimates in cycles, from counts of boxes and tiles, for vectors of CT_LANES
 * floats. No clock is read: on one thread a search makes the same decisions in every run.
 * A wrong constant costs time, never a result.
 */
#include "core/search/schedule.h"
#include "core/search/single_scan.h"
#include "core/simd/candidates.h"
#include "core/tree/tiles.h"
#include "core/tree/tree.h"

#include <math.h>

enum { SHORT_SCAN = 8, LONG_SCAN = 256 }; /* blocks of the shortest and the longest scan */
enum {
    LARGE_SHARE = 16,
    SMALL_SHARE = 64
}; /* 1 / share of the traversal in the cost of the choice
    * above and below which the block size changes */

/* ---- the cost model --------------------------------------------------------- */

/* Cost of CT_LANES boxes, in one vector: five operations per coordinate, and ten to list
 * the boxes that pass. */
static double cost_of_boxes(double d)
{
    return 5 * d + 10;
}

/* Cost of a tile for one query of a group: two operations per coordinate, at two per cycle. */
static double cost_of_joint_tile(double d)
{
    return d + 6;
}

/* Cost of a tile for a single query: two operations per coordinate, and the transfer of the tile
 * from a cache that is not the nearest. */
static double cost_of_packed_tile(double d)
{
    return 4 * d + 12;
}

/* The same with ct_scan_nodes(): the access to the tile, and a branch that the processor cannot
 * predict. */
static double cost_of_single_tile(double d)
{
    return 2 * d + 80;
}

/* Cost of the lists of near tiles, and of the additional threshold, for a single query. */
static const double COST_OF_SINGLE_QUERY = 1500;

/* What a block has cost, in cycles. */
struct block_cost {
    double descent; /* of the traversal, once per block */
    double choice;  /* of the choice among boxes, over all queries */
    double scan;    /* of the tiles scanned, over all queries */
};

/* Converts the work of a block to cycles. */
static struct block_cost cost_of_block(const struct ct_schedule *s,
                                       const struct ct_search_work *work, double queries)
{
    double d = s->tree->d, nodes = (double)work->nodes, candidates = (double)work->candidates;
    double boxes = (double)work->boxes, tiles = (double)work->tiles;
    int packed = ct_packs_boxes(s->tree);
    double single = packed ? cost_of_packed_tile(d) : cost_of_single_tile(d);
    double tile = s->joined ? cost_of_joint_tile(d) : single;
    double choice = cost_of_boxes(d) * boxes / CT_LANES;
    struct block_cost cost = {
        .descent = cost_of_boxes(d) * nodes / CT_LANES + (3 * d + 10) * candidates + 300,
        .scan = tiles * tile,
    };
    if (packed)
        cost.choice = s->joined ? 0 : choice + COST_OF_SINGLE_QUERY * queries;
    else {
        cost.scan += choice;
        cost.choice = s->joined ? 0 : queries * cost_of_boxes(d) * candidates / CT_LANES;
    }
    return cost;
}

/* Cost of a scan of all tiles for one query of a group. In many dimensions the transfer from
 * memory is the limit, not the arithmetic. */
static double cost_of_full_scan(const struct ct_schedule *s)
{
    double d = s->tree->d;
    return fmax(cost_of_joint_tile(d), 1.3 * d) * s->tree->tiles->count;
}

/* ---- decisions -------------------------------------------------------------- */

struct ct_schedule ct_schedule_start(const struct ct_batch *batch)
{
    int fixed = batch->block > 0 || batch->epsilon > 0;
    int only_tree = batch->epsilon > 0 && batch->mode == CT_SEARCH_AUTO;
    return (struct ct_schedule){
        .tree = batch->tree,
        .mode = only_tree ? CT_SEARCH_TREE : batch->mode,
        .fixed_size = fixed,
        .block_size = batch->epsilon > 0 ? 1
                      : fixed            ? batch->block
                                         : CT_LANES,
        .since_trial = CT_JOIN_TRIAL,
        .scan_length = SHORT_SCAN,
    };
}

/* Returns the tile that holds a position. */
static int find_tile(const struct ct_tiles *tiles, int pos)
{
    int low = 0, high = tiles->count;
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        if (tiles->begin[middle] <= pos)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Returns the number of own points, from `begin` on, in as many whole tiles as have at most
 * `most` of these points; at least the points of one tile. */
static int count_whole_tiles(const struct ct_tiles *tiles, const int *order, int begin, int end,
                             int most)
{
    int tile = find_tile(tiles, order ? order[begin] : begin), whole = 0;
    for (int at = begin; at < end;) {
        tile++;
        if (order)
            while (at < end && order[at] < tiles->begin[tile])
                at++;
        else
            at = tiles->begin[tile] < end ? tiles->begin[tile] : end;
        if (whole > 0 && at - begin > most)
            break;
        whole = at - begin;
    }
    return whole;
}

int ct_schedule_size(const struct ct_schedule *s, const struct ct_batch *batch, int begin, int end,
                     int most)
{
    int size = ct_schedule_scans(s) && !s->fixed_size ? CT_BLOCK : s->block_size;
    int left = end - begin;
    size = size < most ? size : most;
    if (!s->fixed_size && !batch->query) {
        int whole = count_whole_tiles(s->tree->tiles, batch->order, begin, end, size);
        size = whole < size ? whole : size;
    }
    return size < left ? size : left;
}

int ct_schedule_scans(const struct ct_schedule *s)
{
    return s->mode == CT_SEARCH_SCAN || s->scans_left > 0;
}

void ct_schedule_count_scan(struct ct_schedule *s)
{
    s->scans_left -= s->scans_left > 0;
}

/* If joint scans were dearer CT_JOIN_CREDIT times more often than cheaper, they are considered
 * once in CT_JOIN_TRIAL blocks only. Otherwise every block considers them, except one in
 * CT_JOIN_TRIAL that keeps the cost of single scans up to date. */
int ct_schedule_considers_join(struct ct_schedule *s, int queries, int duplicate_runs)
{
    s->joined = 0;
    if (queries == 1 || duplicate_runs > 0)
        return 0;
    int trial = ++s->since_trial > CT_JOIN_TRIAL;
    if (trial)
        s->since_trial = 0;
    return trial != (s->join_credit > -CT_JOIN_CREDIT);
}

int ct_schedule_joins(struct ct_schedule *s, int common_tiles)
{
    s->joined = common_tiles * cost_of_joint_tile(s->tree->d) < s->single_cost;
    s->join_credit += s->joined ? 1 : -1;
    s->join_credit = s->join_credit > CT_JOIN_CREDIT ? CT_JOIN_CREDIT : s->join_credit;
    return s->joined;
}

/* Doubles or halves the block size if the cost of the traversal, shared by the block, is a large or
 * a small share of the cost of the choice among tiles, which a larger block makes dearer for each
 * query. While joint scans are considered, blocks have the size of a tile. */
static void adapt_block_size(struct ct_schedule *s, struct block_cost cost)
{
    int packed = ct_packs_boxes(s->tree);
    double large = packed ? LARGE_SHARE : 0.5, small = packed ? SMALL_SHARE : 2;
    if (s->join_credit > -CT_JOIN_CREDIT || s->since_trial == CT_JOIN_TRIAL)
        s->block_size = CT_LANES;
    else if (large * cost.descent > cost.choice && s->block_size < CT_BLOCK)
        s->block_size *= 2;
    else if (small * cost.descent < cost.choice && s->block_size > 1)
        s->block_size /= 2;
}

/* A scan pays if the traversal and its scan cost more than all tiles. Each time a traversal
 * does not pay, the next attempt comes twice as many blocks later, up to LONG_SCAN. */
void ct_schedule_learn(struct ct_schedule *s, const struct ct_search_work *work, int queries)
{
    struct block_cost cost = cost_of_block(s, work, queries);
    double total = cost.descent + cost.choice + cost.scan;
    if (s->mode == CT_SEARCH_AUTO && total > cost_of_full_scan(s) * queries) {
        s->scans_left = s->scan_length;
        s->scan_length = s->scan_length < LONG_SCAN ? 2 * s->scan_length : LONG_SCAN;
        return;
    }
    s->scan_length = SHORT_SCAN;
    if (!s->joined) {
        double single = (cost.choice + cost.scan) / queries;
        s->single_cost += (single - s->single_cost) / (s->single_cost > 0 ? 4 : 1);
    }
    if (!s->fixed_size)
        adapt_block_size(s, cost);
}
