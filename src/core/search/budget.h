/* budget.h: how many points a query may evaluate: a schedule of limits.
 *
 * A query evaluates points up to the limit of the current step. A point is useful if it is
 * among the k nearest when evaluated. At the limit the query escalates to the next step, if
 * at least the share `escalate` of the points of this step was useful; otherwise the search
 * of the query ends. The search stops early, before the limit, after two successive windows
 * in which less than the share `stop` of the points was useful ("low-yield windows"). A
 * window ends after `window` points, or earlier, after enough useful points to be no
 * low-yield window.
 *
 * The same rule serves searches by distance (budgeted.c) and by residual correlation.
 */
#ifndef COVERTREE_SEARCH_BUDGET_H
#define COVERTREE_SEARCH_BUDGET_H

/* The rule, for all queries of a batch. */
struct ct_budget {
    int steps;
    const int *limit; /* [steps] points, ascending */
    double escalate;  /* share of useful points that justifies the next step */
    double stop;      /* share of useful points below which a window is low-yield */
    int window;       /* points of a window */
    int diverse;      /* whether to evaluate the tiles nearest in space, not along the curve */
};

/* What one query has spent. */
struct ct_budget_state {
    int step;              /* from 0 */
    int evaluated;         /* points evaluated so far */
    int step_start;        /* points evaluated when the step began */
    int useful;            /* useful points since the step began */
    int window_evaluated;  /* points of the current window */
    int window_useful;     /* useful points of the current window */
    int low_yield_windows; /* successive low-yield windows */
    int stopped_early;     /* whether two low-yield windows ended the search */
};

/* Returns the state at the beginning of a step, after `evaluated` points. */
static inline struct ct_budget_state ct_budget_begin(int step, int evaluated)
{
    return (struct ct_budget_state){.step = step, .evaluated = evaluated, .step_start = evaluated};
}

/* Counts evaluated points, `useful` of them useful. Returns whether the search continues
 * within the step: 0 at the limit and at an early stop. */
static inline int ct_budget_spend(const struct ct_budget *budget, struct ct_budget_state *state,
                                  int points, int useful)
{
    double enough = budget->stop * budget->window;
    state->evaluated += points;
    state->useful += useful;
    state->window_evaluated += points;
    state->window_useful += useful;
    if (state->window_evaluated >= budget->window || state->window_useful >= enough) {
        int low_yield = state->window_useful < budget->stop * state->window_evaluated;
        state->low_yield_windows = low_yield ? state->low_yield_windows + 1 : 0;
        state->window_evaluated = state->window_useful = 0;
    }
    state->stopped_early = state->low_yield_windows == 2;
    return !state->stopped_early && state->evaluated < budget->limit[state->step];
}

/* Returns whether the query escalates to the next step, when ct_budget_spend() has returned
 * 0: there is a next step, and the current one was useful enough. */
static inline int ct_budget_escalates(const struct ct_budget *budget,
                                      const struct ct_budget_state *state)
{
    return !state->stopped_early && state->step + 1 < budget->steps &&
           state->useful >= budget->escalate * (state->evaluated - state->step_start);
}

#endif
