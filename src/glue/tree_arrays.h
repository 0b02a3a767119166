/* tree_arrays.h: the R list of a tree's arrays: allocation, unpacking, checks.
 *
 * R saves and exports this list; the vectors of the list are the memory of the tree. Errors
 * name the array.
 */
#ifndef COVERTREE_GLUE_TREE_ARRAYS_H
#define COVERTREE_GLUE_TREE_ARRAYS_H

#include "core/covertree.h"
#include "glue/host.h"

/* Returns a list without arrays, with the settings of cover_tree() at the end. */
SEXP r_arrays_new(SEXP settings);

/* Allocates an array of `length` values as an element of the list, a matrix with d columns
 * if the table demands a matrix. Returns the memory of the values. */
void *r_arrays_alloc(SEXP arrays, enum ct_array array, size_t length, int d);

/* Returns the dimnames of the points, as the user gave them. */
SEXP r_arrays_dimnames(SEXP arrays);

/* Returns the list with checksums of all elements at the end. Reads all arrays. */
SEXP r_arrays_seal(SEXP arrays);

/* An error if the checksum of an element differs from the saved checksum. Reads all arrays. */
void r_arrays_check_seal(SEXP arrays);

/* Returns the tree over the arrays, without tiles; an error if a name, a type or a size is
 * wrong. Does not read the values. */
struct ct_tree r_arrays_unpack(SEXP arrays);

/* An error if traversing the tree would not be safe. Costs one pass over points, rows and links. */
void r_arrays_check_safe(const struct ct_tree *tree);

/* An error if the values of the arrays are not a tree of the points. Costs about as much as
 * the build. */
void r_arrays_check(const struct ct_tree *tree, int threads);

#endif
