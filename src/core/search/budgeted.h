/* budgeted.h: search for one query within a budget of evaluated points.
 *
 * For approximate answers at a bounded cost: the query evaluates the points of a seed, at
 * least k eligible points, and then tile after tile until the budget ends the search
 * (budget.h). The answer depends on the query and the tree only, never on the block.
 */
#ifndef COVERTREE_SEARCH_BUDGETED_H
#define COVERTREE_SEARCH_BUDGETED_H

#include "core/search/block_search.h"
#include "core/search/budget.h"

/* Searches for query i of a loaded block. Returns the state of the budget at the end. The
 * candidate buffer of the query holds the k nearest of the points evaluated. Evaluates
 * at most the points of the last limit and of one tile, or the seed if the seed has more. */
struct ct_budget_state ct_search_budgeted(struct ct_search *search, const struct ct_budget *budget,
                                          int i);

#endif
