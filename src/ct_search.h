/* ct_search.h: a block of neighbouring queries on its way through the tree.
 *
 * The queries of a block descend together, as one box: the nodes that survive
 * at one level are the only candidates at the next (the level cache), until what
 * is left is small. Then each query picks among those nodes, their tiles and the
 * points of those, by boxes and distances in float; points that are not discarded
 * get their distance in double and are taken, if they come before the query's bar.
 *
 * What taking means is up to the search at hand: to keep the k nearest and lower
 * the bar, or to count or collect everything up to a bar that stays.
 *
 * How many queries go together follows the work: more while the descent costs
 * more than picking tiles from its outcome, fewer while it is the other way. Where
 * most tiles pass the boxes anyway, as in many dimensions, boxes are no longer
 * asked, and teams of queries meet one tile after another: a plain scan.
 */
#ifndef CT_SEARCH_H
#define CT_SEARCH_H

#include "ct_query.h"
#include "ct_select.h"
#include "ct_simd.h"
#include "ct_tiles.h"

enum { CT_CHUNK = 512 }; /* candidates whose boxes are at hand at once */

/* Boxes by number, each with its squared distance. */
struct ct_list {
    int *number;
    float *sq;
    int count;
};

struct ct_search {
    const struct ct_tree *tree;
    const struct ct_kernels *kernels;
    /* Takes a point that may come before the bar of query i; a few that come just
     * after it are offered, too. */
    void (*take)(struct ct_search *search, int i, struct ct_found found);
    enum ct_search_mode mode;

    /* The block. Of query i: */
    int queries;
    int active[CT_BLOCK], actives; /* those that descend now */
    double *q;                     /* [CT_BLOCK * d] its coordinates, query after query */
    float *placed;                 /* [CT_BLOCK * d] the same in the tiles' floats */
    double reach[CT_BLOCK];        /* its distance from the tiles' centre, at most */
    int self[CT_BLOCK];            /* the row it must not find; 0 for none */
    struct ct_found bar[CT_BLOCK]; /* nothing after this is wanted */
    double sq_limit[CT_BLOCK];     /* no square above this can */
    float limit[CT_BLOCK];         /* the same for the tiles' floats */

    /* Scratch of one thread. */
    double *lower, *upper;              /* [d] the block's box */
    float *placed_lower, *placed_upper; /* [d] */
    struct ct_boxes near;               /* boxes of a chunk of candidates */
    struct ct_list level, next_level;   /* nodes: the level cache */
    struct ct_list candidates, sorted;  /* nodes that are not descended any further */
    struct ct_list picked, ordered;     /* places in the chunk, */
    struct ct_list met;                 /* and tiles, that passed a query */
    float *team;                        /* [d * CT_TEAM] */

    /* How the next block is to be searched. */
    int block;    /* queries that go together */
    int fixed;    /* whether the caller wants just so many */
    int scanning; /* blocks left to scan before boxes are asked again */
    int patience; /* for how many blocks to scan the next time */
    struct ct_tally tally;
    int timed;
    double since; /* when the phase at hand began */
};

void ct_search_init(const struct ct_host *host, const struct ct_batch *batch,
                    struct ct_search *search);

/* Loads queries begin, ..., in the batch's order, as the block; bars are open. */
void ct_search_load(struct ct_search *search, const struct ct_batch *batch, int begin, int queries,
                    int *to);

/* How many queries the next block should have, of those left. */
int ct_search_next(const struct ct_search *search, int most, int left);

/* Ends a phase: the time since the last end is its. */
void ct_search_clock(struct ct_search *search, enum ct_phase phase);

/* Adds what one search did to a tally. */
void ct_tally_add(struct ct_tally *tally, const struct ct_tally *more);

/* Sets the bar of query i, and the limits that follow from it. */
void ct_search_set_bar(struct ct_search *search, int i, struct ct_found bar);

/* A run of tiles with at least so many points, if there are so many, at the end
 * of the way down to the hub nearest to query i. */
struct ct_span {
    int first, last; /* tiles, from first up to, not including, last */
};
struct ct_span ct_search_seed(const struct ct_search *search, int i, int points);

/* Offers query i the points of some tiles, in double. */
void ct_search_meet(struct ct_search *search, int i, struct ct_span tiles);

/* Offers every query of the block every point that may come before its bar,
 * except those in the tiles that all have met. */
void ct_search_block(struct ct_search *search, struct ct_span met);

/* The two ways: for the active queries of the block, ct_descend.c; and for all of
 * them and the tiles of a span, ct_scan.c. */
void ct_search_descend(struct ct_search *search, struct ct_span met);
void ct_search_scan(struct ct_search *search, struct ct_span tiles);

#endif
