/* tree_handle.h: the tree as R holds it. */
#ifndef R_TREE_H
#define R_TREE_H

#include "glue/host.h"

/* The tree behind an external pointer, restored first if the pointer comes
 * from a file or another process. */
const struct ct_tree *r_tree(SEXP pointer);

#endif
