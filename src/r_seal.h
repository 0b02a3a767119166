/* r_seal.h: checksums of R's vectors, and seals, by which values that were saved are known
 * again. */
#ifndef R_SEAL_H
#define R_SEAL_H

#include "r_host.h"

/* Checksums of the elements of a list, in text of 16 hexadecimal digits each: of values and
 * dimensions, and of the elements of lists in turn. */
SEXP r_checksums(SEXP list);

/* The first element of a list whose checksum is not that in sums, from 0; -1 if there is
 * none, and the number of elements if sums is no such vector. */
R_xlen_t r_first_changed(SEXP list, SEXP sums);

#endif
