/* mapped_vector.h: R vectors whose values lie in a mapped file.
 *
 * To R they are integer and double vectors. Whoever writes to them changes memory of this process,
 * not the file. Saved or sent, they are plain vectors.
 */
#ifndef COVERTREE_GLUE_MAPPED_VECTOR_H
#define COVERTREE_GLUE_MAPPED_VECTOR_H

#include "glue/host.h"

#include <R_ext/Rdynload.h>

/* Registers the classes of the vectors; once, when the package is loaded. */
void r_mapped_load(DllInfo *dll);

/* Returns a vector of type INTSXP or REALSXP over `length` values, which live as long as the object
 * `owner`. */
SEXP r_mapped_vector(SEXPTYPE type, const void *values, R_xlen_t length, SEXP owner);

#endif
