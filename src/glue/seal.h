/* seal.h: checksums of R's vectors, and seals, by which values that were saved are known
 * again. */
#ifndef COVERTREE_GLUE_SEAL_H
#define COVERTREE_GLUE_SEAL_H

#include "glue/host.h"

/* Checksums of the elements of a list, in text of 16 hexadecimal digits each: of values and
 * dimensions; of text as UTF-8; of the elements of lists in turn, to some depth. */
SEXP r_checksums(SEXP list);

/* The first of `count` elements of a list whose checksum is not that in sums; -1 if there is
 * none, and `count` if sums is no vector of so many. */
int r_first_changed(SEXP list, int count, SEXP sums);

#endif
