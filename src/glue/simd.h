/* simd.h: the distance kernels for an instruction set chosen in R. */
#ifndef COVERTREE_GLUE_SIMD_H
#define COVERTREE_GLUE_SIMD_H

#include "core/covertree.h"
#include "glue/host.h"

/* Returns the kernels of a level, given by its index, from 1, in r_simd_levels(). */
const struct ct_kernels *r_kernels(SEXP level);

#endif
