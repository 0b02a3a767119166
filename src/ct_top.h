/* ct_top.h: the nearest of points that come one by one, and those next to them.
 *
 * For few that get in of many that are offered: what is kept is in no order, and only
 * the place of the last is known, because it goes next.
 */
#ifndef CT_TOP_H
#define CT_TOP_H

struct ct_top {
    double *sq, *distance;
    int *row;
    int most, count, last;
};

static inline void ct_top_find_last(struct ct_top *top)
{
    double most = top->distance[0];
    int row = -1;
    for (int i = 1; i < top->count; i++)
        most = top->distance[i] > most ? top->distance[i] : most;
    for (int i = 0; i < top->count; i++)
        if (top->distance[i] == most && top->row[i] > row) {
            row = top->row[i];
            top->last = i;
        }
}

static inline void ct_top_put(struct ct_top *top, int at, double sq, double distance, int row)
{
    top->sq[at] = sq;
    top->distance[at] = distance;
    top->row[at] = row;
}

/* Keeps a point if it is among the nearest; whom it displaces may be among the next. */
static inline int ct_top_keep(struct ct_top *top, struct ct_top *next, double sq, double distance,
                              int row)
{
    int at = top->last;
    if (top->count < top->most) {
        ct_top_put(top, top->count++, sq, distance, row);
    } else if (top->most == 0 || distance > top->distance[at] ||
               (distance == top->distance[at] && row > top->row[at])) {
        if (next)
            ct_top_keep(next, NULL, sq, distance, row);
        return 0;
    } else {
        if (next)
            ct_top_keep(next, NULL, top->sq[at], top->distance[at], top->row[at]);
        ct_top_put(top, at, sq, distance, row);
    }
    if (top->count == top->most)
        ct_top_find_last(top);
    return 1;
}

#endif
