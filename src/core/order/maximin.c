/* maximin.c: the maximin order, by a tournament of blocks.
 *
 * The points, along a Hilbert curve, are the items of tier 0, in blocks of CT_LANES. A block
 * is an item of the next tier, up to a tier of one block. Every item knows the farthest of
 * its points (the holder) and the distance of the holder to the nearest chosen point. The
 * next point to choose is therefore found at the top. A chosen point is then applied:
 * from the top down, to the items with a box nearer to the chosen point than the item's largest
 * distance. No distance of another item can become smaller.
 *
 * While a chosen point would be applied to most blocks anyway, as in many dimensions, chosen
 * points are collected. Then all pending points are applied to a block while the block is in
 * cache, and threads share the blocks. Meanwhile stored distances may be too large, but never too
 * small. If the holder at the top lies in a block without the latest pending points, the
 * pending points are applied to this block first, and the top is asked again.
 */
#include "core/order/maximin.h"
#include "core/metric/euclidean.h"
#include "core/order/hilbert.h"
#include "core/simd/euclid.h"
#include "core/util/parallel_for.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <string.h>

enum {
    MAX_TIERS = 8,             /* CT_LANES^8 exceeds the number of points */
    MAX_PENDING = 64,          /* pending points */
    EARLY_SHARE = 8,           /* one block in 8 may be updated early before all blocks are */
    COLUMNS_PER_POLL = 1 << 20 /* columns of blocks compared between two polls */
};

/* A level of the tournament. A block of tier 0 holds sq [CT_LANES], the squared
 * distance of each point, then the points' coordinates [d x CT_LANES]. A block of another
 * tier holds sq [CT_LANES], the largest squared distance in each item, then the lower and the
 * upper corners of the items' boxes [d x CT_LANES] each. sq is -1 for an item without
 * unchosen points. */
struct tier {
    int items, blocks;
    size_t size;   /* doubles in a block */
    double *block; /* [blocks x size] */
    int *holder;   /* [blocks x CT_LANES] position of each item's farthest point; tier 0: NULL */
};

struct maximin {
    const struct ct_kernels *kernels;
    int d, tiers;
    struct tier tier[MAX_TIERS];
    int *row;           /* [n] row, from 0, of the point at each position */
    int batching;       /* whether chosen points are collected before they are applied */
    int pending;        /* chosen points not yet applied to all blocks */
    double *q;          /* [pending x d] coordinates of the pending points */
    int *applied;       /* [blocks of tier 0] number of pending points applied to each block */
    int early;          /* blocks updated early since all blocks were updated */
    long long *updated; /* [threads] comparisons of a pending point with a block */
};

void ct_centroid(const double *x, int n, int d, double *centroid)
{
    for (int j = 0; j < d; j++) {
        const double *column = x + (size_t)j * n;
        double sum = 0;
        for (int i = 0; i < n; i++)
            sum += column[i] - column[0];
        centroid[j] = column[0] + sum / n;
    }
}

/* Number of blocks of a tier with this number of items. No sum that could overflow. */
static int blocks_of(int items)
{
    return items / CT_LANES + (items % CT_LANES > 0);
}

/* Memory of a block; layout: struct tier. */
static double *block_of(const struct tier *t, int block)
{
    return t->block + (size_t)block * t->size;
}

/* Squared distance of an item. The item's coordinates follow at steps of CT_LANES. */
static double *sq_of(const struct tier *t, int item)
{
    return block_of(t, item / CT_LANES) + item % CT_LANES;
}

/* Position of the farthest point of an item; an item of tier 0 is a point itself. */
static int holder_of(const struct tier *t, int item)
{
    return t->holder ? t->holder[item] : item;
}

/* Returns the item of a block with the largest distance; ties go to the holder with
 * the smallest row. */
static int find_largest(const struct maximin *m, const struct tier *t, int block)
{
    unsigned most = m->kernels->largest(block_of(t, block));
    int largest = block * CT_LANES + __builtin_ctz(most);
    for (most &= most - 1; most; most &= most - 1) {
        int item = block * CT_LANES + __builtin_ctz(most);
        if (m->row[holder_of(t, item)] < m->row[holder_of(t, largest)])
            largest = item;
    }
    return largest;
}

/* Copies the largest distance in a block, and the holder, to the item above the block. Constant
 * time. */
static void update_item(struct maximin *m, int tier, int item)
{
    const struct tier *t = &m->tier[tier], *below = t - 1;
    int largest = find_largest(m, below, item);
    *sq_of(t, item) = *sq_of(below, largest);
    t->holder[item] = holder_of(below, largest);
}

/* Updates the items above a point, from tier 1 to the top: the point has been chosen, or its
 * block has had distances lowered. */
static void update_ancestors(struct maximin *m, int pos)
{
    for (int tier = 1, item = pos / CT_LANES; tier < m->tiers; tier++, item /= CT_LANES)
        update_item(m, tier, item);
}

/* Applies a chosen point with coordinates q to a block: lowers squared distances to the distance
 * from q where that is smaller, and, below, to the items with
 * distances that may change. Returns the number of compared blocks. */
static long long apply_point(struct maximin *m, int tier, int block, const double *q)
{
    const struct tier *t = &m->tier[tier];
    double *sq = block_of(t, block), *lower = sq + CT_LANES;
    long long compared = 1;
    if (tier == 0) {
        m->kernels->min_sqdist(lower, m->d, q, sq);
        return compared;
    }
    unsigned nearer = m->kernels->boxes_nearer(lower, lower + (size_t)m->d * CT_LANES, m->d, q, sq);
    for (; nearer; nearer &= nearer - 1) {
        int item = block * CT_LANES + __builtin_ctz(nearer);
        compared += apply_point(m, tier - 1, item, q);
        update_item(m, tier, item);
    }
    return compared;
}

/* Applies all pending points to one block: of tier 0 if there is only tier 0, else of tier 1,
 * with the blocks below. */
static void apply_pending_to_block(void *data, int block, int thread)
{
    struct maximin *m = data;
    for (int i = 0; i < m->pending; i++)
        m->updated[thread] += apply_point(m, m->tiers > 1, block, m->q + (size_t)i * m->d);
}

/* Applies all pending points to all blocks: blocks of tier 1, or of tier 0 if there is only
 * tier 0, shared by threads; then the tiers above on the calling thread. Returns the number of
 * comparisons of a point with a block. */
static long long apply_pending_to_all(const struct ct_host *host, struct maximin *m, int threads)
{
    long long compared = 0;
    int first = m->tiers > 1;
    for (int thread = 0; thread < threads; thread++)
        m->updated[thread] = 0;
    ct_parallel_for(host, m->tier[first].blocks, threads, apply_pending_to_block, m);
    for (int thread = 0; thread < threads; thread++)
        compared += m->updated[thread];
    for (int tier = first + 1; tier < m->tiers; tier++)
        for (int item = 0; item < m->tier[tier].items; item++)
            update_item(m, tier, item);
    memset(m->applied, 0, (size_t)m->tier->blocks * sizeof *m->applied);
    return compared;
}

/* Applies the pending points, and decides whether to collect the next ones: if each was
 * compared with at least half of the blocks. Returns the work, in columns of blocks. */
static long long apply_pending(const struct ct_host *host, struct maximin *m, int threads)
{
    long long compared = m->batching ? apply_pending_to_all(host, m, threads)
                                     : apply_point(m, m->tiers - 1, 0, m->q);
    m->batching = 2 * compared >= (long long)m->pending * m->tier->blocks;
    m->pending = m->early = 0;
    return (compared + MAX_TIERS) * m->d;
}

/* Applies all pending points to one block of points, before all blocks are updated. Points that
 * were applied before have no effect a second time, so apply_pending_to_all() need not know
 * of early updates. */
static void apply_pending_early(struct maximin *m, int block)
{
    double *sq = block_of(m->tier, block);
    for (int i = m->applied[block]; i < m->pending; i++)
        m->kernels->min_sqdist(sq + CT_LANES, m->d, m->q + (size_t)i * m->d, sq);
    m->applied[block] = m->pending;
    m->early++;
    update_ancestors(m, block * CT_LANES);
}

/* Returns the position of the point to choose next: the holder at the top, once all
 * pending points are applied to the block of the holder. */
static int find_next(struct maximin *m)
{
    const struct tier *top = &m->tier[m->tiers - 1];
    for (;;) {
        int pos = holder_of(top, find_largest(m, top, 0));
        if (m->applied[pos / CT_LANES] == m->pending)
            return pos;
        apply_pending_early(m, pos / CT_LANES);
    }
}

/* Makes the point at a position pending. sq = -1 marks the gap: smaller than any distance, so the
 * point is never chosen again. */
static void choose_point(struct maximin *m, int pos)
{
    double *sq = sq_of(m->tier, pos), *q = m->q + (size_t)m->pending++ * m->d;
    for (int j = 0; j < m->d; j++)
        q[j] = sq[(size_t)(j + 1) * CT_LANES];
    *sq = -1;
    update_ancestors(m, pos);
}

/* Sets the number of items of a tier, and clears the unused lanes of the last block. */
static void set_item_count(struct tier *t, int items)
{
    t->items = items;
    t->blocks = blocks_of(items);
    for (int lane = items % CT_LANES; lane > 0 && lane < CT_LANES; lane++) {
        double *last = block_of(t, t->blocks - 1) + lane;
        for (size_t i = 0; i < t->size; i += CT_LANES)
            last[i] = i == 0 ? -1 : 0;
        if (t->holder)
            t->holder[(t->blocks - 1) * CT_LANES + lane] = 0;
    }
}

/* Sets the box of an item from the block below, which has gaps at the end only. Boxes are not
 * updated when points are chosen: a box that is too large costs time, never correctness. */
static void set_box(struct maximin *m, int tier, int item)
{
    const struct tier *t = &m->tier[tier], *below = t - 1;
    size_t to_upper = (size_t)m->d * CT_LANES;
    double *box = sq_of(t, item) + CT_LANES;
    const double *sq = block_of(below, item), *lower = sq + CT_LANES;
    const double *upper = lower + (below->holder ? to_upper : 0);
    for (size_t j = 0; j < to_upper; j += CT_LANES) {
        double least = INFINITY, most = -INFINITY;
        for (int lane = 0; lane < CT_LANES && sq[lane] >= 0; lane++) {
            least = lower[j + lane] < least ? lower[j + lane] : least;
            most = upper[j + lane] > most ? upper[j + lane] : most;
        }
        box[j] = least;
        box[j + to_upper] = most;
    }
}

/* Builds the tiers above tier 0. Needs `points` points without gaps in tier 0. */
static void build_tiers(struct maximin *m, int points)
{
    set_item_count(m->tier, points);
    for (m->tiers = 1; m->tier[m->tiers - 1].blocks > 1; m->tiers++) {
        int tier = m->tiers, items = m->tier[tier - 1].blocks;
        set_item_count(&m->tier[tier], items);
        for (int item = 0; item < items; item++) {
            set_box(m, tier, item);
            update_item(m, tier, item);
        }
    }
}

/* Closes the gaps between unchosen points, and builds the tiers anew. Done whenever a third of
 * the positions are gaps, so all calls together take linear time. */
static void compact_points(struct maximin *m)
{
    const struct tier *t = m->tier;
    int to = 0;
    for (int pos = 0; pos < t->items; pos++) {
        const double *from = sq_of(t, pos);
        if (*from < 0)
            continue;
        double *at = sq_of(t, to);
        for (size_t i = 0; i < t->size; i += CT_LANES)
            at[i] = from[i];
        m->row[to++] = m->row[pos];
    }
    build_tiers(m, to);
}

/* Allocates the blocks of all tiers: (1 + d) n doubles for tier 0, and less than n (1 + d) / 7
 * for the tiers above. */
static void alloc_tiers(const struct ct_host *host, struct maximin *m, int n)
{
    int blocks = n;
    for (struct tier *t = m->tier; t == m->tier || blocks > 1; t++) {
        blocks = blocks_of(blocks);
        t->size = (size_t)CT_LANES * (1 + (t > m->tier ? 2 : 1) * (size_t)m->d);
        t->block = host->alloc(blocks * t->size, sizeof *t->block);
        if (t > m->tier)
            t->holder = host->alloc((size_t)blocks * CT_LANES, sizeof *t->holder);
    }
}

/* Returns the index of the point nearest to q, ties go to the first point. */
static int find_nearest(const double *x, int n, int d, const double *q)
{
    double least = INFINITY;
    int nearest = 0;
    for (int i = 0; i < n; i++) {
        double sq = ct_sqdist(x + i, (size_t)n, q, 1, d);
        if (sq < least) {
            least = sq;
            nearest = i;
        }
    }
    return nearest;
}

/* Fills tier 0. No point is chosen yet: squared distances are DBL_MAX, larger than any real
 * distance, and infinite for the first point to choose, so that find_next() finds this
 * point. */
static void init_points(struct maximin *m, const double *x, int n, int first)
{
    for (int pos = 0; pos < n; pos++) {
        double *sq = sq_of(m->tier, pos);
        *sq = m->row[pos] == first ? INFINITY : DBL_MAX;
        for (int j = 0; j < m->d; j++)
            sq[(size_t)(j + 1) * CT_LANES] = x[m->row[pos] + (size_t)j * n];
    }
}

/* Allocates everything and fills tier 0, in the order of the Hilbert curve: boxes of CT_LANES
 * consecutive points are small. Unused lanes of the last block have row INT_MAX, so they lose
 * every tie. */
static struct maximin begin_maximin(const struct ct_host *host, const double *x, int n, int d,
                                    const double *q, int threads)
{
    struct maximin m = {.d = d};
    int blocks = blocks_of(n);
    m.row = host->alloc((size_t)blocks * CT_LANES, sizeof *m.row);
    m.q = host->alloc((size_t)d * MAX_PENDING, sizeof *m.q);
    m.applied = host->alloc((size_t)blocks, sizeof *m.applied);
    m.updated = host->alloc((size_t)threads, sizeof *m.updated);
    alloc_tiers(host, &m, n);
    ct_hilbert_order(host, x, n, d, threads, m.row);
    for (int pos = n; pos % CT_LANES > 0; pos++)
        m.row[pos] = INT_MAX;
    memset(m.applied, 0, (size_t)blocks * sizeof *m.applied);
    init_points(&m, x, n, find_nearest(x, n, d, q));
    host->poll();
    return m;
}

/* Chooses the points one by one. Chosen points are applied at once, or, while batching, once
 * MAX_PENDING points are pending or many blocks were updated early: each early update takes
 * work from the threads. */
void ct_maximin_order(const struct ct_host *host, const struct ct_kernels *kernels, const double *x,
                      int n, int d, const double *q, int count, int threads, int *order)
{
    struct ct_host silent = *host;
    silent.progress = NULL;
    struct maximin m = begin_maximin(&silent, x, n, d, q, threads);
    m.kernels = kernels;
    build_tiers(&m, n);
    long long work = 0;
    for (int i = 0; i < count; i++) {
        int pos = find_next(&m), left = n - 1 - i;
        order[i] = m.row[pos];
        choose_point(&m, pos);
        if (m.batching && m.pending < MAX_PENDING && m.early < m.tier->blocks / EARLY_SHARE)
            continue;
        work += apply_pending(host, &m, threads);
        if (work > COLUMNS_PER_POLL) {
            host->poll();
            ct_report(host, (i + 1.0) / count);
            work = 0;
        }
        if (left > 0 && 3LL * left <= 2LL * m.tier->items)
            compact_points(&m);
    }
}
