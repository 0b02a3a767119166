/* host.h: R as the core's host: memory, interrupts, progress, errors.
 *
 * Every call from R into the core hands over r_host. Memory of the core is R's, so an error or
 * an interrupt in any callback frees everything.
 */
#ifndef COVERTREE_GLUE_HOST_H
#define COVERTREE_GLUE_HOST_H

#include "core/covertree.h"

#define R_NO_REMAP
#include <R.h>
#include <Rinternals.h>

/* alloc() is R_alloc(): R frees the memory when .Call() returns, on an error, and on an
 * interrupt. Not constant: r_region_seconds() sets one field. */
extern struct ct_host r_host;

/* Returns r_host with a callback that reports progress to the R function of r_progress(), if there
 * is one. */
struct ct_host r_host_with_progress(void);

/* Raises an R error with this message, without the call. Does not return. */
NORET void r_stop(const char *format, ...);

#endif
