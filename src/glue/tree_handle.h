/* tree_handle.h: the tree as R holds it. */
#ifndef COVERTREE_GLUE_TREE_HANDLE_H
#define COVERTREE_GLUE_TREE_HANDLE_H

#include "glue/host.h"

/* The tree behind an external pointer, restored first if the pointer comes
 * from a file or another process. */
const struct ct_tree *r_tree(SEXP pointer);

#endif
