/* threads.h: the number of threads of a call. */
#ifndef COVERTREE_GLUE_THREADS_H
#define COVERTREE_GLUE_THREADS_H

#include "glue/host.h"

/* Returns the number of threads for a request from R: NULL for the default, or one positive
 * integer. At least 1, and within the limits of threads.c. */
int r_num_threads(SEXP threads);

/* Notes the process that loads the package, to recognize forks of it. */
void r_threads_load(void);

#endif
