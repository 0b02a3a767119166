/* simd.h: the vector kernels that R asks for. */
#ifndef COVERTREE_GLUE_SIMD_H
#define COVERTREE_GLUE_SIMD_H

#include "core/covertree.h"
#include "glue/host.h"

/* level: the place, from 1, in r_simd_levels(). */
const struct ct_kernels *r_kernels(SEXP level);

#endif
