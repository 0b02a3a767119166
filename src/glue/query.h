/* query.h: what calls that answer queries have in common. */
#ifndef COVERTREE_GLUE_QUERY_H
#define COVERTREE_GLUE_QUERY_H

#include "core/covertree.h"
#include "glue/host.h"

/* How a batch is to be answered: R's list(mode, block_size, simd, threads, stats,
 * progress, predecessor, epsilon, budget). */
enum {
    HOW_MODE,
    HOW_BLOCK,
    HOW_SIMD,
    HOW_THREADS,
    HOW_STATS,
    HOW_PROGRESS,
    HOW_PREDECESSOR,
    HOW_EPSILON,
    HOW_LADDER
};
int r_how(SEXP how, int which);

/* The host for a call of that name, which tells how far it got if that is wanted. */
struct ct_host r_host_for(const char *call, SEXP how);

/* A batch of all of the tree's points, or of queries in curve order. */
struct ct_batch r_batch(SEXP pointer, SEXP query, SEXP how);

/* R's list(schedule, up, down, diversity), or NULL. */
const struct ct_budget *r_ladder(SEXP from, int k, struct ct_budget *budget);

/* The positions of some rows, in the tree's order; slot, [n], tells which of them
 * each row is, or -1. */
const int *r_positions(const struct ct_tree *tree, SEXP rows, int *slot);

/* A list with these names. */
SEXP r_named_list(const char *const *name, int count);

#endif
