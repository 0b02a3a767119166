/* float.h: requirements on floating-point arithmetic.
 *
 * Every operation in double rounds once, to double, as written: then results have
 * the same bits on every processor. Every file of the core includes this header,
 * directly or through another header, before the first function.
 *
 * On 32-bit x86 the compilers' default is the x87 unit, with 64 bits of mantissa;
 * gcc is told to use SSE2 instead, so R's usual flags work. The
 * host refuses to load on a processor without SSE2.
 */
#ifndef COVERTREE_UTIL_FLOAT_H
#define COVERTREE_UTIL_FLOAT_H

#include <float.h>

/* Fast math reorders sums, divides by reciprocals, and assumes the absence of NaN and infinite
 * values: results would differ between machines, and bounds would be wrong. */
#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) ||     \
    (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ > 0)
#error                                                                                             \
    "covertree needs exact floating-point arithmetic: compile without fast math, and with -O3 or -O2 in place of -Ofast"
#endif

/* Fused a * b + c makes the last bit depend on the machine. */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#if defined(__i386__)
#pragma GCC target("sse2,fpmath=sse")
#endif
#endif

/* FLT_EVAL_METHOD describes the command line only, not the effect of the pragma above.
 * Floats may be evaluated in double (1): they only discard. */
#if defined(__i386__) && defined(__GNUC__)
#if !defined(__SSE2_MATH__)
#error "covertree needs arithmetic in double: compile for 32-bit x86 with -msse2 -mfpmath=sse"
#endif
#elif FLT_EVAL_METHOD < 0 || FLT_EVAL_METHOD == 2
#error "covertree needs arithmetic in double, but this compiler evaluates double in long double"
#endif

#endif
