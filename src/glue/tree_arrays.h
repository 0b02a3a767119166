/* tree_arrays.h: the R list of a tree's arrays: making, filling, checking it. */
#ifndef COVERTREE_GLUE_TREE_ARRAYS_H
#define COVERTREE_GLUE_TREE_ARRAYS_H

#include "core/covertree.h"
#include "glue/host.h"

/* A list with points and row allocated, and settings, a named list, at its end. */
SEXP r_arrays_new(int n, int d, SEXP settings);
double *r_arrays_points(SEXP arrays);
int *r_arrays_row(SEXP arrays);

/* Allocates and fills the other arrays. */
void r_arrays_fill(SEXP arrays, const struct ct_node_list *cells, int n, int d, int threads);

/* The list with checksums of the arrays at its end. */
SEXP r_arrays_seal(SEXP arrays);

/* An error that names the array if one has another checksum than was kept. */
void r_arrays_check_seal(SEXP arrays);

/* The struct over the arrays; an error that names the array if a type or a size
 * is not as it must be. What the arrays say is not looked at. */
struct ct_tree r_arrays_unpack(SEXP arrays);

/* An error that names the array if what they say is not a tree of the points. */
void r_arrays_check(const struct ct_tree *tree, int threads);

/* Names for the laws of tree/validate.h. */
const char *r_invariant_name(enum ct_invariant law);

#endif
