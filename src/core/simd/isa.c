/* isa.c: see isa.h.
 *
 * A level requires all instruction subsets that its kernels enable: AVX-512 stands for F,
 * BW, DQ and VL. The compiler's run-time support also asks the operating system whether
 * it saves the wide registers.
 */
#include "core/simd/isa.h"
#include "core/simd/vector.h"

enum ct_simd_level ct_simd_best(void)
{
#if CT_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("popcnt"))
        return CT_SIMD_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("popcnt"))
        return CT_SIMD_AVX2;
#endif
    return CT_NEON ? CT_SIMD_NEON : CT_SIMD_BASE;
}
