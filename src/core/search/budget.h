/* budget.h: how many points a query may meet: a ladder of limits.
 *
 * At a limit the query climbs to the next one if, of the points met since the last,
 * at least the share `up` was useful: among the k nearest when it was met. It ends
 * before the limit when, of each of two runs of points on end, less than `down` was
 * useful; so a run ends, and the next one begins, once enough of it was.
 */
#ifndef COVERTREE_SEARCH_BUDGET_H
#define COVERTREE_SEARCH_BUDGET_H

struct ct_ladder {
    int rungs;
    const int *limit; /* [rungs], ascending */
    double up, down;
    int run;     /* points of a run, at least */
    int diverse; /* whether to look where the points are near, not where the curve is */
};

/* A query on its way up. */
struct ct_climb {
    int rung, met;           /* points met so far */
    int begun, useful;       /* met when the rung was begun, and of use since */
    int run_met, run_useful; /* of the run at hand */
    int idle;                /* runs on end that were of little use */
    int early;               /* whether it ended for that */
};

static inline struct ct_climb ct_climb_begin(int rung, int met)
{
    return (struct ct_climb){.rung = rung, .met = met, .begun = met};
}

/* Whether to stay on the rung, having met some more points. */
static inline int ct_climb_stay(const struct ct_ladder *ladder, struct ct_climb *climb, int points,
                                int useful)
{
    climb->met += points;
    climb->useful += useful;
    climb->run_met += points;
    climb->run_useful += useful;
    if (climb->run_met >= ladder->run || climb->run_useful >= ladder->down * ladder->run) {
        climb->idle = climb->run_useful < ladder->down * climb->run_met ? climb->idle + 1 : 0;
        climb->run_met = climb->run_useful = 0;
    }
    climb->early = climb->idle == 2;
    return !climb->early && climb->met < ladder->limit[climb->rung];
}

/* Whether there is a next rung, and reason to climb to it. */
static inline int ct_climb_up(const struct ct_ladder *ladder, const struct ct_climb *climb)
{
    return !climb->early && climb->rung + 1 < ladder->rungs &&
           climb->useful >= ladder->up * (climb->met - climb->begun);
}

#endif
