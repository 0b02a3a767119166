/* threads.h: how many threads a call gets. */
#ifndef COVERTREE_GLUE_THREADS_H
#define COVERTREE_GLUE_THREADS_H

#include "glue/host.h"

/* threads: R's NULL for the default, or one positive integer. */
int r_num_threads(SEXP threads);
void r_threads_load(void);

#endif
