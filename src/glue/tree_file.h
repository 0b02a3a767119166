/* tree_file.h: a tree whose arrays and tiles come from an open file.
 *
 * Such a tree keeps its source, list(handle, sections), until its first use (tree_handle.c).
 * sections: numbers from 1, first of the arrays in the order of core/tree/arrays.h, then of the
 * floats of the tiles (core/tree/tiles.h).
 */
#ifndef COVERTREE_GLUE_TREE_FILE_H
#define COVERTREE_GLUE_TREE_FILE_H

#include "core/covertree.h"
#include "glue/host.h"

/* Whether an object is a source, with a file that this process has opened. */
int r_is_source(SEXP source);

/* An error if a search over the arrays would not be memory-safe: compares the checksums of the
 * arrays of nodes, and checks links, rows and points. Reads all arrays once. */
void r_source_check(SEXP source, const struct ct_tree *tree);

/* Returns tiles over the floats in the file, without a copy; NULL if the file is not mapped. The
 * tiles are valid as long as the handle of the source. */
const struct ct_tiles *r_source_tiles(SEXP source, const struct ct_tree *tree,
                                      const struct ct_memory *memory);

/* The handle of a source. */
SEXP r_source_handle(SEXP source);

#endif
