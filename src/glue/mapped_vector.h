/* mapped_vector.h: R vectors with values in a mapped file.
 *
 * For R they are integer and double vectors. A write changes memory of this process, not the file.
 * saveRDS() and serialize() write plain vectors.
 */
#ifndef COVERTREE_GLUE_MAPPED_VECTOR_H
#define COVERTREE_GLUE_MAPPED_VECTOR_H

#include "glue/host.h"

#include <R_ext/Rdynload.h>

/* Registers the classes of the vectors; once, when the package is loaded. */
void r_mapped_load(DllInfo *dll);

/* Returns a vector of type INTSXP or REALSXP over `length` values, which are valid as long as the
 * object `owner`. */
SEXP r_mapped_vector(SEXPTYPE type, const void *values, R_xlen_t length, SEXP owner);

#endif
