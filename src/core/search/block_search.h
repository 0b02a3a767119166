/* block_search.h: a block of neighbouring queries on its way through the tree.
 *
 * The queries of a block descend together, as one box: the nodes that survive
 * at one level are the only candidates at the next (the level cache), until what
 * is left is small. What is left is evaluated in one of two ways, whichever is cheaper:
 *   together    the block's box picks tiles, and teams of CT_GROUP queries meet them,
 *               nearer ones first: in few dimensions, where neighbours need mostly
 *               the same tiles;
 *   by picking  each query picks among the nodes and then among their tiles, by
 *               boxes, and meets those on its own: in more dimensions.
 * Where most tiles pass the boxes anyway, as in many dimensions, boxes are no longer
 * asked, and teams meet one tile after another: a plain scan.
 *
 * All that is in float. Points within a query's limit go to the list of what it
 * has evaluated (simd/candidates.h); when the list is full, the search at hand makes room: it
 * lowers the bar to the k nearest so far and drops what is beyond, or it counts or
 * collects what is within a bar that stays. Distances in double come last.
 *
 * The tree's own points go in blocks of whole tiles of about 16 where they meet
 * tiles together. Where queries pick, more go together while the descent costs
 * more than picking from its outcome, and fewer while it is the other way.
 */
#ifndef COVERTREE_SEARCH_BLOCK_SEARCH_H
#define COVERTREE_SEARCH_BLOCK_SEARCH_H

#include "core/search/budget.h"
#include "core/search/query.h"
#include "core/simd/euclid.h"
#include "core/topk/select.h"
#include "core/tree/tiles.h"

enum {
    CT_AT_HAND = 512, /* candidates whose boxes are at hand at once */
    CT_TRIAL = 64,    /* blocks after which the other way of meeting is tried */
    CT_FAVOUR = 8     /* times in a row that end all doubt which way is cheaper */
};

/* What a query of a team takes to meet a tile, in cycles, about. */
static inline double ct_cost_in_team(double d)
{
    return d + 6;
}

/* Boxes by number, each with its squared distance. */
struct ct_list {
    int *number;
    float *sq;
    int count;
};

/* Queries that meet tiles together; where there are fewer, a place is nobody's. */
struct ct_team {
    float *q; /* [d * CT_GROUP] */
    int member[CT_GROUP];
    struct ct_candidates *near[CT_GROUP];
};

struct ct_search {
    const struct ct_tree *tree;
    const struct ct_kernels *kernels;
    /* Makes room in the list of what query i has evaluated; it may have some. */
    void (*full)(struct ct_search *search, int i);
    enum ct_search_mode mode;
    const struct ct_budget *budget; /* NULL: all that may be of use is evaluated */

    /* The block. Of query i: */
    int queries;
    int active[CT_BLOCK], actives;       /* those that search now */
    double *q;                           /* [CT_BLOCK * d] its coordinates, query after query */
    float *placed;                       /* [CT_BLOCK * d] the same in the tiles' floats */
    double reach[CT_BLOCK];              /* its distance from the tiles' centre, at most */
    struct ct_neighbor bar[CT_BLOCK];    /* nothing after this is wanted */
    struct ct_candidates near[CT_BLOCK]; /* what it has evaluated; its limit follows from the bar */
    int latest[CT_BLOCK];                /* rows after this are not wanted */
    float box_limit[CT_BLOCK];           /* no box above this is of use to it */
    double nearer; /* how much nearer than its bar a box must be: 1 / (1 + epsilon) */
    struct ct_candidates nobody;
    struct ct_team team[CT_BLOCK / CT_GROUP]; /* the active ones, in teams */
    int teams;

    /* Scratch of one thread. */
    int latest_row;                     /* that any of the active queries wants */
    double *lower, *upper;              /* [d] the block's box */
    float *placed_lower, *placed_upper; /* [d] */
    struct ct_boxes chunk;              /* boxes of a chunk of candidates */
    struct ct_list level, next_level;   /* nodes: the level cache */
    struct ct_list candidates, sorted;  /* nodes that are not descended any further, */
    int heaps;                          /* and how many are in heaps of coinciding points */
    struct ct_list picked, ordered;     /* places in the chunk, */
    struct ct_list evaluated;           /* and tiles, that passed a query, */
    struct ct_list common, queue;       /* or the block */

    /* How the next block is to be searched. */
    int block;       /* queries that go together */
    int fixed;       /* whether the caller wants just so many */
    int teamed;      /* whether teams evaluated the tiles left, rather than each query picked */
    int favour;      /* how often that was cheaper of late: from -CT_FAVOUR to CT_FAVOUR */
    int since_trial; /* blocks since the less favoured of the two was tried */
    double alone;    /* what a query that picks costs, about */
    int scanning;    /* blocks left to scan before boxes are asked again */
    int patience;    /* for how many blocks to scan the next time */
    struct ct_search_stats tally;
    int timed;
    double since; /* when the phase at hand began */
};

/* For blocks of at most so many queries, which must make room when they have evaluated
 * so many points. */
void ct_search_init(const struct ct_host *host, const struct ct_batch *batch, int queries, int room,
                    struct ct_search *search);

/* Loads queries begin, ..., in the batch's order, as the block; bars are open. */
void ct_search_load(struct ct_search *search, const struct ct_batch *batch, int begin, int queries,
                    int *to);

/* The line of the results that belongs to the query at a place of the batch's order. */
int ct_search_line(const struct ct_batch *batch, int place);

/* How many of the queries from begin up to end the next block should have. */
int ct_search_next(const struct ct_search *search, const struct ct_batch *batch, int begin, int end,
                   int most);

/* Ends a phase: the time since the last end is its. */
void ct_search_clock(struct ct_search *search, enum ct_phase phase);

/* Adds what one search did to a tally. */
void ct_search_stats_add(struct ct_search_stats *tally, const struct ct_search_stats *more);

/* Sets the bar of query i, and the limit that follows from it. */
void ct_search_set_bar(struct ct_search *search, int i, struct ct_neighbor bar);

/* What query i has evaluated, in double. */
void ct_search_judge(struct ct_search *search, int i, double *sq, int *row);

/* A run of tiles with at least so many points, if there are so many, at the end
 * of the way down to the center nearest to query i. */
struct ct_span {
    int first, last; /* tiles, from first up to, not including, last */
};
struct ct_span ct_search_seed(const struct ct_search *search, int i, int points);

/* Every query of the block meets every point that may come before its bar, except
 * those in the tiles that all have evaluated. */
void ct_search_block(struct ct_search *search, struct ct_span evaluated);

/* Query i meets as many points as the budget allows, and at least k of those that it
 * wants, if there are so many; budgeted.c. */
struct ct_budget_state ct_search_frugal(struct ct_search *search, int i, int k);

/* Lists the tiles that pass the box of the active queries in the queue, nearer ones
 * first; traverse.c. */
void ct_search_list(struct ct_search *search);

/* Puts the active queries of the block in teams; tile_scan.c. */
void ct_search_form_teams(struct ct_search *search);

/* The teams meet all tiles of a span, or those of the queue that are within the
 * active queries' limits, except those that all have evaluated. */
void ct_search_scan(struct ct_search *search, struct ct_span tiles);
void ct_search_queue(struct ct_search *search, struct ct_span evaluated);

/* The greatest limit of the active queries. */
float ct_search_limit(const struct ct_search *search);

/* The active queries go down the tree, and meet what is left; traverse.c. */
void ct_search_descend(struct ct_search *search, struct ct_span evaluated);

/* Query i alone meets a tile; returns whether its list is full. */
static inline int ct_search_meet(struct ct_search *s, int i, int tile)
{
    const struct ct_tree *t = s->tree;
    const struct ct_tiles *tiles = t->tiles;
    int pos = tiles->begin[tile];
    s->tally.tiles++;
    return s->kernels->scan_tile(tiles->x + (size_t)tile * t->d * CT_LANES, t->d,
                                 s->placed + (size_t)i * t->d, t->row + pos, pos, &s->near[i]);
}

/* The number of points that query i finds of the k that it wants: at most those of the
 * tree, without the query itself if it is one of them, and at most those whose rows come
 * before its own if it finds predecessors only. */
static inline int ct_search_reach(const struct ct_search *s, int i, int k)
{
    int others = s->tree->n - (s->near[i].self > 0);
    int there = s->latest[i] < others ? s->latest[i] : others;
    return k < there ? k : there;
}

#endif
