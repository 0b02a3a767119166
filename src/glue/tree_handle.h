/* tree_handle.h: the external pointer to a tree, which R code holds.
 *
 * Every call from R gets the tree here. The first use of a restored pointer costs a check of
 * the arrays and the building of tiles.
 */
#ifndef COVERTREE_GLUE_TREE_HANDLE_H
#define COVERTREE_GLUE_TREE_HANDLE_H

#include "core/covertree.h"
#include "glue/host.h"

/* Returns the tree behind an external pointer, restored first if the pointer comes from a
 * file or another process. An error if there is none. The tree lives as long as the pointer. */
const struct ct_tree *r_tree(SEXP pointer);

/* Builds the prefix trees of the tree, unless they are built or a search for k predecessors
 * does not use any. They are part of the tree from then on, live as long as the pointer, and
 * take about as much memory as the tree. An interrupt leaves the tree without prefix trees. */
void r_build_prefix_trees(SEXP pointer, const struct ct_kernels *kernels, int threads, int k);

#endif
