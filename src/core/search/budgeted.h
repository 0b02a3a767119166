/* budgeted.h: search for one query within a budget of evaluated points.
 *
 * For approximate answers at a bounded cost: each query evaluates the points of its seed,
 * at least k eligible ones, and then tile after tile until its budget ends the search
 * (budget.h). The answer depends on the query and the tree only, never on the block.
 */
#ifndef COVERTREE_SEARCH_BUDGETED_H
#define COVERTREE_SEARCH_BUDGETED_H

#include "core/search/block_search.h"
#include "core/search/budget.h"

/* Searches for query i of a loaded block. Returns what was spent; the candidates are in
 * the query's buffer, with the k nearest among them. */
struct ct_budget_state ct_search_budgeted(struct ct_search *search, const struct ct_budget *budget,
                                          int i);

#endif
