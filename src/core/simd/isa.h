/* isa.h: which instruction sets the processor has.
 *
 * Every kernel is compiled for each instruction set that the compiler knows, function by
 * function, and the caller chooses at run time. Hence the package needs no machine-specific
 * compiler flags, and the same build runs on every processor of the architecture. To add an
 * instruction set: a level here, the test for it in isa.c, and a section in each of euclid.c,
 * correlation.c, dot4.c, popcount.c and triangular.c.
 */
#ifndef COVERTREE_SIMD_ISA_H
#define COVERTREE_SIMD_ISA_H

#include "core/util/float.h"

/* Whether the wider instruction sets of x86 can be enabled function by function. */
#if defined(__x86_64__) && defined(__GNUC__)
#define CT_X86 1
#else
#define CT_X86 0
#endif

/* A processor has all levels from the base (SSE2 on x86, the compiler's own vector
 * operations elsewhere) up to its best one: AVX2 and AVX-512 on x86, NEON on 64-bit ARM. */
enum ct_simd_level { CT_SIMD_BASE, CT_SIMD_AVX2, CT_SIMD_AVX512, CT_SIMD_NEON = CT_SIMD_AVX2 };

/* Returns the best level of this processor. Asks the processor each time: call it once. */
enum ct_simd_level ct_simd_best(void);

#endif
