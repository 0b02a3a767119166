/* ct_simd.c: compile the kernels for each instruction set, choose at run time.
 *
 * The base set is whatever the compiler may assume (SSE2 on x86-64, NEON on
 * 64-bit ARM); wider sets are enabled function by function, so the package
 * needs no machine-specific flags and one build runs everywhere.
 */
#include "ct_simd.h"
#include "ct_distance.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define CT_X86 1
#else
#define CT_X86 0
#endif

#define CT_WIDTH 2
#define CT_NAME(f) f##_base
#define CT_TARGET
#define CT_LABEL "base"
#include "ct_kernels.h"

#if CT_X86
#define CT_WIDTH 4
#define CT_NAME(f) f##_avx2
#define CT_TARGET __attribute__((target("avx2")))
#define CT_LABEL "avx2"
#include "ct_kernels.h"

#define CT_WIDTH 8
#define CT_NAME(f) f##_avx512
#define CT_TARGET __attribute__((target("avx512f,avx512dq,prefer-vector-width=512")))
#define CT_LABEL "avx512"
#include "ct_kernels.h"
#endif

enum ct_simd_level ct_simd_best(void)
{
#if CT_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq"))
        return CT_SIMD_AVX512;
    if (__builtin_cpu_supports("avx2"))
        return CT_SIMD_AVX2;
#endif
    return CT_SIMD_BASE;
}

const struct ct_kernels *ct_kernels(enum ct_simd_level level)
{
#if CT_X86
    if (level == CT_SIMD_AVX512)
        return &kernels_avx512;
    if (level == CT_SIMD_AVX2)
        return &kernels_avx2;
#endif
    (void)level;
    return &kernels_base;
}
