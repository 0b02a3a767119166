/* ct_build.c: the tree, top down.
 *
 * A cell is split by farthest-first traversal: the point farthest from all hubs
 * so far becomes the next hub, until every point is within the cover radius of
 * a lower level. Hubs chosen so are farther apart than the radius that is left,
 * which is the separation invariant. Each point goes to the nearest hub, ties
 * to the earlier one, and the cell's run of points is regrouped, stably, so that
 * each hub's share is one run. Distances to the hub are kept with the points,
 * so a child starts where its parent's split ended. The points of a cell that is
 * not split are put in the order that suits its tiles (ct_pack.h).
 *
 * The calling thread splits the large cells. The cells that remain are independent
 * branches, which threads share; a branch takes its cells from a pool. In the end the
 * cells are numbered breadth first. Every choice depends on distances and positions
 * only, never on which thread came first, so the tree is the same for any number of
 * threads.
 */
#include "ct_build.h"
#include "ct_blocks.h"
#include "ct_cells.h"
#include "ct_distance.h"
#include "ct_level.h"
#include "ct_pack.h"
#include "ct_parallel.h"
#include "ct_simd.h"
#include "ct_tiles.h"

#include <math.h>
#include <string.h>

enum {
    TILE = 2048,          /* points whose distances are taken in one go */
    BRANCHES = 8,         /* branches for each thread, at least about */
    LARGE_CELL = 1 << 18, /* coordinates of the points of a cell that is always large */
    PER_POLL = 1 << 25,   /* coordinates offered to hubs between two polls */
    ROW_RUNS = 16,        /* runs that a cell of coinciding points is cut into */
    HUBS = 16,            /* hubs that a split aims for, */
    ENOUGH = 4            /* or levels that it comes down by */
};

/* What a split leaves for one hub. The kids of a cell lie from its begin on, in
 * the order in which they were chosen; number 0 keeps the cell's hub. */
struct kid {
    int hub, begin;
    int ranked; /* in place r: the number of the kid whose run comes r-th */
};

struct build {
    const struct ct_host *host;
    const struct ct_kernels *kernels;
    double *points;
    int *row;
    int n, d, leaf_size, threads;
    double *sqdist;      /* [n] to the hub of the cell that holds the point */
    int *owner;          /* [n] which hub of the split; then, where the point goes */
    double *spare;       /* [n] one column on its way to new places */
    struct kid *kid;     /* [n] */
    double *at;          /* [threads * d] coordinates of the hub at work */
    long long *unpolled; /* coordinates offered since the last poll; NULL in a branch */
    struct ct_cells *pool;
    int *pending; /* [branches] the first cell of each branch that waits to be split */
};

/* The point of a tile that is farthest from its hub; the earliest of equals. */
struct far {
    double sq;
    int pos;
};

static struct far farther(struct far a, struct far b)
{
    return b.sq > a.sq ? b : a;
}

/* How many hubs to aim for: enough for leaves that are half full. */
static int hubs_wanted(const struct build *b, int points)
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

static const double *hub_at(const struct build *b, int hub)
{
    double *at = b->at + (size_t)ct_thread_id() * b->d;
    for (int j = 0; j < b->d; j++)
        at[j] = b->points[hub + (size_t)j * b->n];
    return at;
}

/* Offers hub number h, at q, to the points of one tile. */
static struct far offer_tile(const struct build *b, int begin, int end, const double *q, int h)
{
    double sq[TILE];
    struct far far = {-1, begin};
    b->kernels->sqdist(b->points + begin, (size_t)b->n, b->d, end - begin, q, sq);
    for (int pos = begin; pos < end; pos++) {
        if (sq[pos - begin] < b->sqdist[pos]) {
            b->sqdist[pos] = sq[pos - begin];
            b->owner[pos] = h;
        }
        if (b->sqdist[pos] > far.sq)
            far = (struct far){b->sqdist[pos], pos};
    }
    return far;
}

static struct far offer_hub(const struct build *b, int begin, int end, int hub, int h)
{
    const double *q = hub_at(b, hub);
    struct far far = {-1, begin};
    for (int at = begin; at < end; at += TILE)
        far = farther(far, offer_tile(b, at, end - at > TILE ? at + TILE : end, q, h));
    return far;
}

static struct far farthest(const struct build *b, int begin, int end)
{
    struct far far = {-1, begin};
    for (int pos = begin; pos < end; pos++)
        if (b->sqdist[pos] > far.sq)
            far = (struct far){b->sqdist[pos], pos};
    return far;
}

static void poll_sometimes(const struct build *b, long long coordinates)
{
    if (!b->unpolled || (*b->unpolled += coordinates) < PER_POLL)
        return;
    *b->unpolled = 0;
    b->host->poll();
}

/* Farthest-first traversal of a cell. Returns the number of hubs, or 0 when
 * even the hubs allowed do not reach the next level down: such points (as
 * in many dimensions, where all distances are alike) are better scanned. */
static int choose_hubs(const struct build *b, const struct ct_cell *cell)
{
    int begin = cell->begin, end = cell->end, hubs = 1;
    int wanted = hubs_wanted(b, end - begin), allowed = hubs_allowed(end - begin);
    double must = ct_cover(cell->level - 1), enough = ct_cover(cell->level - ENOUGH);
    struct far far = farthest(b, begin, end);
    memset(b->owner + begin, 0, (size_t)(end - begin) * sizeof *b->owner);
    b->kid[begin].hub = cell->hub;
    for (;;) {
        double reach = sqrt(far.sq);
        if (reach <= enough || (reach <= must && hubs >= wanted))
            return hubs;
        if (hubs == allowed)
            return reach <= must ? hubs : 0;
        b->kid[begin + hubs].hub = far.pos;
        far = offer_hub(b, begin, end, far.pos, hubs);
        hubs++;
        poll_sometimes(b, (long long)(end - begin) * b->d);
    }
}

static int coincide(const struct build *b, int begin, int end)
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
static int choose_runs(const struct build *b, const struct ct_cell *cell)
{
    int begin = cell->begin, size = cell->end - begin;
    if (!coincide(b, begin, cell->end))
        return 0;
    int runs = size < ROW_RUNS ? size : ROW_RUNS;
    for (int run = 0; run < runs; run++) {
        int from = begin + (int)((long long)size * run / runs);
        int to = begin + (int)((long long)size * (run + 1) / runs);
        b->kid[begin + run].hub = from;
        for (int pos = from; pos < to; pos++)
            b->owner[pos] = run;
    }
    return runs;
}

/* Ranks the kids by their first point and gives each its run; the owner of a
 * point becomes the place it goes to. */
static void place_points(const struct build *b, const struct ct_cell *cell, int hubs)
{
    struct kid *kid = b->kid + cell->begin;
    int ranked = 0, place = cell->begin;
    for (int h = 0; h < hubs; h++)
        kid[h].begin = 0; /* counts, for now */
    for (int pos = cell->begin; pos < cell->end; pos++) {
        struct kid *mine = &kid[b->owner[pos]];
        if (mine->begin++ == 0)
            kid[ranked++].ranked = b->owner[pos];
    }
    for (int r = 0; r < hubs; r++) {
        struct kid *mine = &kid[kid[r].ranked];
        int size = mine->begin;
        mine->begin = place;
        place += size;
    }
    for (int pos = cell->begin; pos < cell->end; pos++)
        b->owner[pos] = kid[b->owner[pos]].begin++;
    for (int h = 0; h < hubs; h++)
        kid[h].hub = b->owner[kid[h].hub];
}

static void move_doubles(const struct build *b, double *values, int begin, int end)
{
    for (int pos = begin; pos < end; pos++)
        b->spare[b->owner[pos]] = values[pos];
    memcpy(values + begin, b->spare + begin, (size_t)(end - begin) * sizeof *values);
}

static void move_points(const struct build *b, int begin, int end)
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
static void pack_leaf(const struct build *b, struct ct_cell *cell)
{
    int begin = cell->begin, size = cell->end - begin;
    int *list = (int *)(b->kid + begin);
    if (size <= CT_LANES || cell->level == CT_NO_LEVEL)
        return;
    ct_pack(b->points, b->n, b->d, begin, size, b->spare + begin, list);
    for (int i = 0; i < size; i++)
        b->owner[list[i]] = begin + i;
    cell->hub = b->owner[cell->hub];
    move_points(b, begin, cell->end);
}

static void measure(const struct build *b, struct ct_cell *cell)
{
    cell->radius = sqrt(farthest(b, cell->begin, cell->end).sq);
    cell->level = ct_level_of(cell->radius);
}

static void split(const struct build *b, struct ct_cell *cell)
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

/* ---- branches ---------------------------------------------------------------- */

/* Appends the children of a cell that was just split to the pool. Returns the first of
 * them, or -1 if the pool has no room: then the cell waits. */
static int append_children(const struct build *b, int number)
{
    struct ct_cells *pool = b->pool;
    struct ct_cell *parent = &pool->cell[number];
    int children = parent->children, begin = parent->begin, first;
    CT_PRAGMA(omp atomic capture)
    {
        first = pool->count;
        pool->count += children;
    }
    if (first > pool->room - children)
        return -1;
    parent->first_child = first;
    for (int r = 0; r < children; r++) {
        int chosen = b->kid[parent->begin + r].ranked;
        const struct kid *kid = &b->kid[parent->begin + chosen];
        if (chosen == 0)
            parent->nest = first + r;
        pool->cell[first + r] =
            (struct ct_cell){.begin = begin, .end = kid->begin, .hub = kid->hub, .parent = number};
        begin = kid->begin;
    }
    return first;
}

/* Splits the cells of a branch, one after the other, while the pool has room. Cells that
 * wait are a list, linked by their first_child. */
static void grow_branch(void *data, int branch, int thread)
{
    const struct build *b = data;
    int *pending = &b->pending[branch];
    while (*pending >= 0) {
        struct ct_cell *cell = &b->pool->cell[*pending];
        int next = cell->first_child;
        if (cell->children == 0)
            split(b, cell);
        int first = cell->children > 0 ? append_children(b, *pending) : 0;
        if (first < 0)
            return;
        for (int c = first; c < first + cell->children; c++) {
            b->pool->cell[c].first_child = next;
            next = c;
        }
        *pending = next;
    }
    (void)thread;
}
/* The point nearest the centroid, which halves the radius of the root. */
static int root_hub(const struct build *b)
{
    double *centre = b->at;
    for (int j = 0; j < b->d; j++) {
        const double *x = b->points + (size_t)j * b->n;
        double sum = 0;
        for (int pos = 0; pos < b->n; pos++)
            sum += x[pos] - x[0];
        centre[j] = x[0] + sum / b->n;
    }
    struct far near = {INFINITY, 0};
    double sq[TILE];
    for (int at = 0; at < b->n; at += TILE) {
        int count = b->n - at < TILE ? b->n - at : TILE;
        b->kernels->sqdist(b->points + at, (size_t)b->n, b->d, count, centre, sq);
        for (int i = 0; i < count; i++)
            if (sq[i] < near.sq)
                near = (struct far){sq[i], at + i};
    }
    return near.pos;
}

static void start_root(const struct build *b, struct ct_cell *root)
{
    *root = (struct ct_cell){.end = b->n, .hub = root_hub(b), .parent = -1};
    for (int pos = 0; pos < b->n; pos++)
        b->sqdist[pos] = INFINITY;
    offer_hub(b, 0, b->n, root->hub, 0);
}

/* Splits the large cells. Returns how many cells are left to be split as branches, and
 * lists them. */
static int grow_trunk(struct build *b)
{
    struct ct_cells *pool = b->pool;
    long long large = b->n / (BRANCHES * (long long)b->threads), unpolled = 0;
    int branches = 0;
    large = large * b->d < LARGE_CELL ? large : LARGE_CELL / b->d;
    b->unpolled = &unpolled;
    for (int i = 0; i < pool->count; i++) {
        struct ct_cell *cell = &pool->cell[i];
        if (cell->end - cell->begin <= large) {
            branches++;
            continue;
        }
        split(b, cell);
        ct_cells_reserve(b->host, pool, cell->children);
        if (cell->children > 0)
            append_children(b, i);
    }
    b->unpolled = NULL;
    b->pending = b->host->alloc((size_t)branches, sizeof *b->pending);
    for (int i = 0, branch = 0; i < pool->count; i++) {
        struct ct_cell *cell = &pool->cell[i];
        if (cell->end - cell->begin > large)
            continue;
        cell->first_child = -1;
        b->pending[branch++] = i;
    }
    return branches;
}

static int is_pending(const struct build *b, int branches)
{
    for (int branch = 0; branch < branches; branch++)
        if (b->pending[branch] >= 0)
            return 1;
    return 0;
}

/* Cells breadth first; hubs where the leaves have left them, for points moved on after
 * their cell was split: the hub of a cell with children is that of the child that keeps
 * it. */
static struct ct_cells *number_cells(const struct build *b)
{
    struct ct_cells *cells = ct_cells_new(b->host, b->pool->count);
    cells->cell[cells->count++] = b->pool->cell[0];
    for (int i = 0; i < cells->count; i++) {
        struct ct_cell *cell = &cells->cell[i];
        const struct ct_cell *child = b->pool->cell + cell->first_child;
        if (cell->children == 0)
            continue;
        cell->nest += cells->count - cell->first_child;
        cell->first_child = cells->count;
        for (int c = 0; c < cell->children; c++) {
            cells->cell[cells->count] = child[c];
            cells->cell[cells->count++].parent = i;
        }
    }
    for (int i = cells->count - 1; i >= 0; i--)
        if (cells->cell[i].children > 0)
            cells->cell[i].hub = cells->cell[cells->cell[i].nest].hub;
    return cells;
}

/* Room for cells that is mostly enough. */
static int pool_size(int n, int leaf_size)
{
    long long most = 2LL * n, size = 6LL * (n / leaf_size) + 64;
    size = size < most ? size : most;
    return size < INT_MAX ? (int)size : INT_MAX;
}

struct ct_cells *ct_build(const struct ct_host *host, const struct ct_kernels *kernels,
                          double *points, int *row, int n, int d, int leaf_size, int threads)
{
    struct build b = {
        .host = host,
        .kernels = kernels,
        .points = points,
        .row = row,
        .n = n,
        .d = d,
        .leaf_size = leaf_size,
        .threads = threads,
        .sqdist = host->alloc((size_t)n, sizeof(double)),
        .owner = host->alloc((size_t)n, sizeof(int)),
        .spare = host->alloc((size_t)n, sizeof(double)),
        .kid = host->alloc((size_t)n, sizeof(struct kid)),
        .at = host->alloc((size_t)threads * d, sizeof(double)),
        .pool = ct_cells_new(host, pool_size(n, leaf_size)),
    };
    start_root(&b, &b.pool->cell[b.pool->count++]);
    int branches = grow_trunk(&b);
    while (is_pending(&b, branches)) {
        ct_for_blocks(host, branches, threads, grow_branch, &b);
        if (b.pool->count > b.pool->room) {
            b.pool->count = b.pool->room;
            ct_cells_reserve(host, b.pool, b.pool->room / 2 + 1);
        }
    }
    return number_cells(&b);
}
