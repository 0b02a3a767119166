/* ct_meet.h: a query meets a point: the one place where a distance decides. */
#ifndef CT_MEET_H
#define CT_MEET_H

#include "ct_distance.h"
#include "ct_search.h"

/* At a square of at least the bar's, the distance is at least the bar's too, and a
 * larger row comes too late. */
static inline void ct_offer(struct ct_search *s, int i, double sq, int pos)
{
    if (sq > s->sq_limit[i])
        return;
    struct ct_found found = {sq, s->tree->row[pos]};
    if (found.row == s->self[i] || (sq >= s->bar[i].sq && found.row > s->bar[i].row))
        return;
    s->take(s, i, found);
}

/* Offers query i the points from pos on, at most CT_LANES, in double. */
static inline void ct_meet_points(struct ct_search *s, int i, int pos, int count)
{
    const struct ct_tree *t = s->tree;
    double sq[CT_LANES];
    unsigned within = s->kernels->points_within(t->points + pos, (size_t)t->n, t->d, count,
                                                s->q + (size_t)i * t->d, s->sq_limit[i], sq);
    s->tally.distances += count;
    for (; within; within &= within - 1) {
        int lane = __builtin_ctz(within);
        ct_offer(s, i, sq[lane], pos + lane);
    }
}

/* Offers query i the points of a tile whose bits are set. */
static inline void ct_meet_lanes(struct ct_search *s, int i, int tile, unsigned lanes)
{
    const struct ct_tree *t = s->tree;
    const double *q = s->q + (size_t)i * t->d;
    int begin = t->tiles->begin[tile];
    for (; lanes; lanes &= lanes - 1) {
        int pos = begin + __builtin_ctz(lanes);
        s->tally.distances++;
        ct_offer(s, i, ct_sqdist(t->points + pos, (size_t)t->n, q, 1, t->d), pos);
    }
}

#endif
