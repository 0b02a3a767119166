/* host.h: R as the core's host: memory, interrupts, errors. */
#ifndef COVERTREE_GLUE_HOST_H
#define COVERTREE_GLUE_HOST_H

#include "core/covertree.h"

#define R_NO_REMAP
#include <R.h>
#include <Rinternals.h>

/* Scratch comes from R_alloc, which R frees when .Call returns, on an error or
 * on an interrupt, so nothing can leak. */
extern struct ct_host r_host;

/* The same, telling on the console how far it got, should it take long. */
struct ct_host r_host_with_progress(const char *what);

/* The only way out with an error. The message is the whole message. */
NORET void r_stop(const char *format, ...);

#endif
