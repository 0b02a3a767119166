/* simd.h: the instruction set chosen in R, and its distance kernels. */
#ifndef COVERTREE_GLUE_SIMD_H
#define COVERTREE_GLUE_SIMD_H

#include "core/covertree.h"
#include "glue/host.h"

/* Returns the level with an index, from 1, in r_simd_levels(). */
enum ct_simd_level r_simd_level(SEXP level);

/* Returns the kernels of the same level. */
const struct ct_kernels *r_kernels(SEXP level);

#endif
