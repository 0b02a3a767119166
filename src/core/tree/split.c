/* split.c: see split.h.
 *
 * A cell is split by farthest-first traversal: the point farthest from all centers
 * so far becomes the next center, until every point is within the cover radius of
 * a lower level. Hubs chosen so are farther apart than the radius that is left,
 * which is the separation invariant. Each point goes to the nearest center, ties
 * to the earlier one, and the cell's run of points is regrouped, stably, so that
 * each center's share is one run. Distances to the center are kept with the points,
 * so a child starts where its parent's split ended. The points of a cell that is
 * not split are put in the order that suits its tiles (leaf_order.h).
 */
#include "core/tree/split.h"
#include "core/metric/euclidean.h"
#include "core/simd/euclid.h"
#include "core/tree/leaf_order.h"
#include "core/tree/level.h"
#include "core/tree/tiles.h"
#include "core/util/parallel.h"

#include <math.h>
#include <string.h>

enum {
    TILE = 2048,        /* points whose distances are taken in one go */
    PER_POLL = 1 << 25, /* coordinates offered to centers between two polls */
    ROW_RUNS = 16,      /* runs that a cell of coinciding points is cut into */
    HUBS = 16,          /* centers that a split aims for, */
    ENOUGH = 4          /* or levels that it comes down by */
};

static struct ct_farthest farther(struct ct_farthest a, struct ct_farthest b)
{
    return b.sq > a.sq ? b : a;
}

/* How many centers to aim for: enough for leaves that are half full. */
static int hubs_wanted(const struct ct_build_state *b, int points)
{
    int wanted = 2 * (points / b->leaf_size) + 2;
    return wanted < HUBS ? wanted : HUBS;
}

/* And how many to allow before giving up on a level. */
static int hubs_allowed(int points)
{
    double most = 64 + sqrt(points);
    return most < points ? (int)most : points;
}

static const double *hub_at(const struct ct_build_state *b, int center)
{
    double *at = b->at + (size_t)ct_thread_id() * b->d;
    for (int j = 0; j < b->d; j++)
        at[j] = b->points[center + (size_t)j * b->n];
    return at;
}

/* Offers center number h, at q, to the points of one tile. */
static struct ct_farthest offer_tile(const struct ct_build_state *b, int begin, int end,
                                     const double *q, int h)
{
    double sq[TILE];
    struct ct_farthest far = {-1, begin};
    b->kernels->sqdist(b->points + begin, (size_t)b->n, b->d, end - begin, q, sq);
    for (int pos = begin; pos < end; pos++) {
        if (sq[pos - begin] < b->sqdist[pos]) {
            b->sqdist[pos] = sq[pos - begin];
            b->owner[pos] = h;
        }
        if (b->sqdist[pos] > far.sq)
            far = (struct ct_farthest){b->sqdist[pos], pos};
    }
    return far;
}

static struct ct_farthest offer_hub(const struct ct_build_state *b, int begin, int end, int center,
                                    int h)
{
    const double *q = hub_at(b, center);
    struct ct_farthest far = {-1, begin};
    for (int at = begin; at < end; at += TILE)
        far = farther(far, offer_tile(b, at, end - at > TILE ? at + TILE : end, q, h));
    return far;
}

static struct ct_farthest farthest(const struct ct_build_state *b, int begin, int end)
{
    struct ct_farthest far = {-1, begin};
    for (int pos = begin; pos < end; pos++)
        if (b->sqdist[pos] > far.sq)
            far = (struct ct_farthest){b->sqdist[pos], pos};
    return far;
}

static void poll_sometimes(const struct ct_build_state *b, long long coordinates)
{
    if (!b->unpolled || (*b->unpolled += coordinates) < PER_POLL)
        return;
    *b->unpolled = 0;
    b->host->poll();
}

/* Farthest-first traversal of a cell. Returns the number of centers, or 0 when
 * even the centers allowed do not reach the next level down: such points (as
 * in many dimensions, where all distances are alike) are better scanned. */
static int choose_hubs(const struct ct_build_state *b, const struct ct_build_node *cell)
{
    int begin = cell->begin, end = cell->end, centers = 1;
    int wanted = hubs_wanted(b, end - begin), allowed = hubs_allowed(end - begin);
    double must = ct_cover_radius(cell->level - 1), enough = ct_cover_radius(cell->level - ENOUGH);
    struct ct_farthest far = farthest(b, begin, end);
    memset(b->owner + begin, 0, (size_t)(end - begin) * sizeof *b->owner);
    b->kid[begin].center = cell->center;
    for (;;) {
        double reach = sqrt(far.sq);
        if (reach <= enough || (reach <= must && centers >= wanted))
            return centers;
        if (centers == allowed)
            return reach <= must ? centers : 0;
        b->kid[begin + centers].center = far.pos;
        far = offer_hub(b, begin, end, far.pos, centers);
        centers++;
        poll_sometimes(b, (long long)(end - begin) * b->d);
    }
}

static int coincide(const struct ct_build_state *b, int begin, int end)
{
    for (int j = 0; j < b->d; j++) {
        const double *x = b->points + (size_t)j * b->n;
        for (int pos = begin + 1; pos < end; pos++)
            if (x[pos] != x[begin])
                return 0;
    }
    return 1;
}

/* Coinciding points stand in the order of their rows: cut that into runs. Points
 * so close that their squared distance vanishes are not coinciding: no cut. */
static int choose_runs(const struct ct_build_state *b, const struct ct_build_node *cell)
{
    int begin = cell->begin, size = cell->end - begin;
    if (!coincide(b, begin, cell->end))
        return 0;
    int runs = size < ROW_RUNS ? size : ROW_RUNS;
    for (int run = 0; run < runs; run++) {
        int from = begin + (int)((long long)size * run / runs);
        int to = begin + (int)((long long)size * (run + 1) / runs);
        b->kid[begin + run].center = from;
        for (int pos = from; pos < to; pos++)
            b->owner[pos] = run;
    }
    return runs;
}

/* Ranks the kids by their first point and gives each its run; the owner of a
 * point becomes the place it goes to. */
static void place_points(const struct ct_build_state *b, const struct ct_build_node *cell,
                         int centers)
{
    struct ct_split_child *kid = b->kid + cell->begin;
    int ranked = 0, place = cell->begin;
    for (int h = 0; h < centers; h++)
        kid[h].begin = 0; /* counts, for now */
    for (int pos = cell->begin; pos < cell->end; pos++) {
        struct ct_split_child *mine = &kid[b->owner[pos]];
        if (mine->begin++ == 0)
            kid[ranked++].ranked = b->owner[pos];
    }
    for (int r = 0; r < centers; r++) {
        struct ct_split_child *mine = &kid[kid[r].ranked];
        int size = mine->begin;
        mine->begin = place;
        place += size;
    }
    for (int pos = cell->begin; pos < cell->end; pos++)
        b->owner[pos] = kid[b->owner[pos]].begin++;
    for (int h = 0; h < centers; h++)
        kid[h].center = b->owner[kid[h].center];
}

static void move_doubles(const struct ct_build_state *b, double *values, int begin, int end)
{
    for (int pos = begin; pos < end; pos++)
        b->spare[b->owner[pos]] = values[pos];
    memcpy(values + begin, b->spare + begin, (size_t)(end - begin) * sizeof *values);
}

static void move_points(const struct ct_build_state *b, int begin, int end)
{
    for (int j = 0; j < b->d; j++)
        move_doubles(b, b->points + (size_t)j * b->n, begin, end);
    move_doubles(b, b->sqdist, begin, end);
    int *spare = (int *)(b->spare + begin);
    for (int pos = begin; pos < end; pos++)
        spare[b->owner[pos] - begin] = b->row[pos];
    memcpy(b->row + begin, spare, (size_t)(end - begin) * sizeof *spare);
}

/* A leaf's points are put in an order that suits its tiles; the list of it takes the
 * room of the kids that a leaf does not have. */
static void pack_leaf(const struct ct_build_state *b, struct ct_build_node *cell)
{
    int begin = cell->begin, size = cell->end - begin;
    int *list = (int *)(b->kid + begin);
    if (size <= CT_LANES || cell->level == CT_NO_LEVEL)
        return;
    ct_leaf_order(b->points, b->n, b->d, begin, size, b->spare + begin, list);
    for (int i = 0; i < size; i++)
        b->owner[list[i]] = begin + i;
    cell->center = b->owner[cell->center];
    move_points(b, begin, cell->end);
}

static void measure(const struct ct_build_state *b, struct ct_build_node *cell)
{
    cell->radius = sqrt(farthest(b, cell->begin, cell->end).sq);
    cell->level = ct_cover_level(cell->radius);
}

void ct_split_node(const struct ct_build_state *b, struct ct_build_node *cell)
{
    int size = cell->end - cell->begin;
    measure(b, cell);
    if (size <= b->leaf_size) {
        pack_leaf(b, cell);
        return;
    }
    cell->children = cell->level == CT_NO_LEVEL ? choose_runs(b, cell) : choose_hubs(b, cell);
    if (cell->children == 0)
        return;
    place_points(b, cell, cell->children);
    move_points(b, cell->begin, cell->end);
}

/* The point nearest the centroid, which halves the radius of the root. */
static int root_hub(const struct ct_build_state *b)
{
    double *centre = b->at;
    for (int j = 0; j < b->d; j++) {
        const double *x = b->points + (size_t)j * b->n;
        double sum = 0;
        for (int pos = 0; pos < b->n; pos++)
            sum += x[pos] - x[0];
        centre[j] = x[0] + sum / b->n;
    }
    struct ct_farthest near = {INFINITY, 0};
    double sq[TILE];
    for (int at = 0; at < b->n; at += TILE) {
        int count = b->n - at < TILE ? b->n - at : TILE;
        b->kernels->sqdist(b->points + at, (size_t)b->n, b->d, count, centre, sq);
        for (int i = 0; i < count; i++)
            if (sq[i] < near.sq)
                near = (struct ct_farthest){sq[i], at + i};
    }
    return near.pos;
}

void ct_build_root(const struct ct_build_state *b, struct ct_build_node *root)
{
    *root = (struct ct_build_node){.end = b->n, .center = root_hub(b), .parent = -1};
    for (int pos = 0; pos < b->n; pos++)
        b->sqdist[pos] = INFINITY;
    offer_hub(b, 0, b->n, root->center, 0);
}
