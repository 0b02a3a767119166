/* maximin.c: the maximin order, by a tournament of blocks.
 *
 * The points, along a Hilbert curve, are the items of tier 0, in blocks of
 * CT_LANES; a block is an item of the next tier, up to a tier of one block. Every
 * item knows the largest distance of its points to the chosen ones, and which
 * point has it: the next one to choose is found at the top. From there it goes
 * down into the items whose box is nearer to it than that distance, for nowhere
 * else can it lower one.
 *
 * While a point meets most blocks anyway, as all do in many dimensions, chosen
 * points wait until many of them can meet a block that is in cache, and threads
 * can share the blocks. Meanwhile distances may be too large, never too small: if
 * what is found at the top has not met all that wait, it does so, and the top is
 * asked again.
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
    TIERS = 8,         /* CT_LANES^8 is more than there are points */
    WAITING = 64,      /* points that may wait */
    AHEAD = 8,         /* one block of so many may meet them ahead of the others */
    PER_POLL = 1 << 20 /* columns of blocks to meet between two polls */
};

/* A block holds sq[CT_LANES], the largest squared distance of each item, -1 if
 * all of its points are chosen; then the lower corners by column, and the upper
 * ones. Points have only themselves. */
struct tier {
    int items, blocks;
    size_t size; /* doubles in a block */
    double *block;
    int *holder; /* the position of the point that has the distance; tier 0: NULL */
};

struct maximin {
    const struct ct_kernels *kernels;
    int d, tiers;
    struct tier tier[TIERS];
    int *row;           /* of the point at each position */
    int together;       /* whether chosen points wait for others */
    int waiting;        /* how many do, */
    double *q;          /* [waiting * d] where they are, */
    int *met;           /* how many of them each block of points has met, */
    int ahead;          /* and how often one met them ahead of the others */
    long long *lowered; /* [threads] blocks that a thread has met, of late */
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

static int count_blocks(int items)
{
    return items / CT_LANES + (items % CT_LANES > 0);
}

static double *block_of(const struct tier *t, int block)
{
    return t->block + (size_t)block * t->size;
}

static double *sq_of(const struct tier *t, int item)
{
    return block_of(t, item / CT_LANES) + item % CT_LANES;
}

static int holder_of(const struct tier *t, int item)
{
    return t->holder ? t->holder[item] : item;
}

/* The item of a block with the largest distance; of several, that whose point
 * has the smallest row. */
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

/* An item learns what holds in its block. */
static void refresh(struct maximin *m, int tier, int item)
{
    const struct tier *t = &m->tier[tier], *below = t - 1;
    int largest = find_largest(m, below, item);
    *sq_of(t, item) = *sq_of(below, largest);
    t->holder[item] = holder_of(below, largest);
}

static void refresh_above(struct maximin *m, int pos)
{
    for (int tier = 1, item = pos / CT_LANES; tier < m->tiers; tier++, item /= CT_LANES)
        refresh(m, tier, item);
}

/* Lowers the distances in a block to those to q. Returns how many blocks q met. */
static long long lower_block(struct maximin *m, int tier, int block, const double *q)
{
    const struct tier *t = &m->tier[tier];
    double *sq = block_of(t, block), *lower = sq + CT_LANES;
    long long met = 1;
    if (tier == 0) {
        m->kernels->min_sqdist(lower, m->d, q, sq);
        return met;
    }
    unsigned nearer = m->kernels->boxes_nearer(lower, lower + (size_t)m->d * CT_LANES, m->d, q, sq);
    for (; nearer; nearer &= nearer - 1) {
        int item = block * CT_LANES + __builtin_ctz(nearer);
        met += lower_block(m, tier - 1, item, q);
        refresh(m, tier, item);
    }
    return met;
}

static void lower_one(void *data, int block, int thread)
{
    struct maximin *m = data;
    for (int i = 0; i < m->waiting; i++)
        m->lowered[thread] += lower_block(m, m->tiers > 1, block, m->q + (size_t)i * m->d);
}

/* All blocks meet all points that wait. */
static long long lower_all(const struct ct_host *host, struct maximin *m, int threads)
{
    long long met = 0;
    int first = m->tiers > 1;
    for (int thread = 0; thread < threads; thread++)
        m->lowered[thread] = 0;
    ct_parallel_for(host, m->tier[first].blocks, threads, lower_one, m);
    for (int thread = 0; thread < threads; thread++)
        met += m->lowered[thread];
    for (int tier = first + 1; tier < m->tiers; tier++)
        for (int item = 0; item < m->tier[tier].items; item++)
            refresh(m, tier, item);
    memset(m->met, 0, (size_t)m->tier->blocks * sizeof *m->met);
    return met;
}

/* Ends the waiting. Returns the work it took, in columns of blocks. */
static long long spread(const struct ct_host *host, struct maximin *m, int threads)
{
    long long met =
        m->together ? lower_all(host, m, threads) : lower_block(m, m->tiers - 1, 0, m->q);
    m->together = 2 * met >= (long long)m->waiting * m->tier->blocks;
    m->waiting = m->ahead = 0;
    return (met + TIERS) * m->d;
}

static void meet_ahead(struct maximin *m, int block)
{
    double *sq = block_of(m->tier, block);
    for (int i = m->met[block]; i < m->waiting; i++)
        m->kernels->min_sqdist(sq + CT_LANES, m->d, m->q + (size_t)i * m->d, sq);
    m->met[block] = m->waiting;
    m->ahead++;
    refresh_above(m, block * CT_LANES);
}

/* The position of the point to choose next. */
static int find_next(struct maximin *m)
{
    const struct tier *top = &m->tier[m->tiers - 1];
    for (;;) {
        int pos = holder_of(top, find_largest(m, top, 0));
        if (m->met[pos / CT_LANES] == m->waiting)
            return pos;
        meet_ahead(m, pos / CT_LANES);
    }
}

/* Moves a point from its position, where it leaves a gap, to those that wait. */
static void take(struct maximin *m, int pos)
{
    double *sq = sq_of(m->tier, pos), *q = m->q + (size_t)m->waiting++ * m->d;
    for (int j = 0; j < m->d; j++)
        q[j] = sq[(size_t)(j + 1) * CT_LANES];
    *sq = -1;
    refresh_above(m, pos);
}

/* Sets the number of items of a tier, and clears the rest of the last block. */
static void set_items(struct tier *t, int items)
{
    t->items = items;
    t->blocks = count_blocks(items);
    for (int lane = items % CT_LANES; lane > 0 && lane < CT_LANES; lane++) {
        double *last = block_of(t, t->blocks - 1) + lane;
        for (size_t i = 0; i < t->size; i += CT_LANES)
            last[i] = i == 0 ? -1 : 0;
        if (t->holder)
            t->holder[(t->blocks - 1) * CT_LANES + lane] = 0;
    }
}

/* The box of an item, whose block has gaps at its end only. */
static void bound(struct maximin *m, int tier, int item)
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

/* Builds all tiers over that of the points. */
static void raise_tiers(struct maximin *m, int points)
{
    set_items(m->tier, points);
    for (m->tiers = 1; m->tier[m->tiers - 1].blocks > 1; m->tiers++) {
        int tier = m->tiers, items = m->tier[tier - 1].blocks;
        set_items(&m->tier[tier], items);
        for (int item = 0; item < items; item++) {
            bound(m, tier, item);
            refresh(m, tier, item);
        }
    }
}

/* Closes the gaps. */
static void pack(struct maximin *m)
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
    raise_tiers(m, to);
}

static void alloc_tiers(const struct ct_host *host, struct maximin *m, int n)
{
    int blocks = n;
    for (struct tier *t = m->tier; t == m->tier || blocks > 1; t++) {
        blocks = count_blocks(blocks);
        t->size = (size_t)CT_LANES * (1 + (t > m->tier ? 2 : 1) * (size_t)m->d);
        t->block = host->alloc(blocks * t->size, sizeof *t->block);
        if (t > m->tier)
            t->holder = host->alloc((size_t)blocks * CT_LANES, sizeof *t->holder);
    }
}

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

/* All points far from any, the first one to choose the farthest. */
static void place_points(struct maximin *m, const double *x, int n, int first)
{
    for (int pos = 0; pos < n; pos++) {
        double *sq = sq_of(m->tier, pos);
        *sq = m->row[pos] == first ? INFINITY : DBL_MAX;
        for (int j = 0; j < m->d; j++)
            sq[(size_t)(j + 1) * CT_LANES] = x[m->row[pos] + (size_t)j * n];
    }
}

static struct maximin make(const struct ct_host *host, const double *x, int n, int d,
                           const double *q, int threads)
{
    struct maximin m = {.d = d};
    int blocks = count_blocks(n);
    m.row = host->alloc((size_t)blocks * CT_LANES, sizeof *m.row);
    m.q = host->alloc((size_t)d * WAITING, sizeof *m.q);
    m.met = host->alloc((size_t)blocks, sizeof *m.met);
    m.lowered = host->alloc((size_t)threads, sizeof *m.lowered);
    alloc_tiers(host, &m, n);
    ct_hilbert_order(host, x, n, d, threads, m.row);
    for (int pos = n; pos % CT_LANES > 0; pos++)
        m.row[pos] = INT_MAX;
    memset(m.met, 0, (size_t)blocks * sizeof *m.met);
    place_points(&m, x, n, find_nearest(x, n, d, q));
    host->poll();
    return m;
}

void ct_maximin_order(const struct ct_host *host, const struct ct_kernels *kernels, const double *x,
                      int n, int d, const double *q, int threads, int *order)
{
    struct maximin m = make(host, x, n, d, q, threads);
    m.kernels = kernels;
    raise_tiers(&m, n);
    long long work = 0;
    for (int i = 0; i < n; i++) {
        int pos = find_next(&m), left = n - 1 - i;
        order[i] = m.row[pos];
        take(&m, pos);
        if (m.together && m.waiting < WAITING && m.ahead < m.tier->blocks / AHEAD)
            continue;
        work += spread(host, &m, threads);
        if (work > PER_POLL) {
            host->poll();
            work = 0;
        }
        if (left > 0 && 3LL * left <= 2LL * m.tier->items)
            pack(&m);
    }
}
