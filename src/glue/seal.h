/* seal.h: checksums of R's vectors, and seals: does a list hold the sealed values?
 *
 * Trees and metrics keep checksums, so that damage to a saved object is noticed at the first
 * use. A checksum costs one pass over the values.
 */
#ifndef COVERTREE_GLUE_SEAL_H
#define COVERTREE_GLUE_SEAL_H

#include "glue/host.h"

/* Returns the checksums of the elements of a list, as strings of 16 hexadecimal digits. They
 * cover type, values, dimensions; strings as UTF-8; names and elements of nested lists. */
SEXP r_checksums(SEXP list);

/* Returns the index, from 0, of the first of `count` elements that differs from the checksum in
 * `sums`; -1 if all agree, and `count` if `sums` is not a vector of `count` strings. */
int r_first_changed(SEXP list, int count, SEXP sums);

#endif
