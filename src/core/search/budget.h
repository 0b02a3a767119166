/* budget.h: how many points a query may meet: a budget of limits.
 *
 * At a limit the query climbs to the next one if, of the points evaluated since the last,
 * at least the share `up` was useful: among the k nearest when it was evaluated. It ends
 * before the limit when, of each of two runs of points on end, less than `down` was
 * useful; so a run ends, and the next one begins, once enough of it was.
 */
#ifndef COVERTREE_SEARCH_BUDGET_H
#define COVERTREE_SEARCH_BUDGET_H

struct ct_budget {
    int steps;
    const int *limit; /* [steps], ascending */
    double up, down;
    int run;     /* points of a run, at least */
    int diverse; /* whether to look where the points are near, not where the curve is */
};

/* A query on its way up. */
struct ct_budget_state {
    int step, evaluated;     /* points evaluated so far */
    int begun, useful;       /* evaluated when the step was begun, and of use since */
    int run_met, run_useful; /* of the run at hand */
    int idle;                /* runs on end that were of little use */
    int stopped_early;       /* whether it ended for that */
};

static inline struct ct_budget_state ct_budget_begin(int step, int evaluated)
{
    return (struct ct_budget_state){.step = step, .evaluated = evaluated, .begun = evaluated};
}

/* Whether to stay on the step, having evaluated some more points. */
static inline int ct_budget_spend(const struct ct_budget *budget, struct ct_budget_state *climb,
                                  int points, int useful)
{
    climb->evaluated += points;
    climb->useful += useful;
    climb->run_met += points;
    climb->run_useful += useful;
    if (climb->run_met >= budget->run || climb->run_useful >= budget->down * budget->run) {
        climb->idle = climb->run_useful < budget->down * climb->run_met ? climb->idle + 1 : 0;
        climb->run_met = climb->run_useful = 0;
    }
    climb->stopped_early = climb->idle == 2;
    return !climb->stopped_early && climb->evaluated < budget->limit[climb->step];
}

/* Whether there is a next step, and reason to climb to it. */
static inline int ct_budget_escalate(const struct ct_budget *budget,
                                     const struct ct_budget_state *climb)
{
    return !climb->stopped_early && climb->step + 1 < budget->steps &&
           climb->useful >= budget->up * (climb->evaluated - climb->begun);
}

#endif
