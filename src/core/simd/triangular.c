/* triangular.c: compiles triangular_kernels.h for each instruction set; see triangular.h.
 *
 * Two vectors by eight rows need sixteen sums, two by four need eight: ROWS follows from the number
 * of registers. The operators of C suffice, so the base set serves NEON as well.
 *
 * AVX-512 multiplies by a double in memory as fast as by a register. A compiler that sees a
 * coefficient used twice copies it to all lanes of a register first, and on some processors the
 * copy takes the place of an addition. With DISTINCT, each of the two multiplications reads memory.
 */
#include "core/simd/triangular.h"
#include "core/simd/vector.h"

/* SSE2 on x86, the compiler's own vector operations elsewhere. */
#define CT_NAME(f) f##_base
#define CT_TARGET
#define BYTES 16
#if CT_SSE2
#define ROWS 4
#else
#define ROWS 8
#endif
#define DISTINCT(p)
#include "core/simd/triangular_kernels.h"

/* AVX2 has 16 registers, AVX-512 has 32. */
#if CT_X86
#define CT_NAME(f) f##_avx2
#define CT_TARGET __attribute__((target("avx2")))
#define BYTES 32
#define ROWS 4
#define DISTINCT(p)
#include "core/simd/triangular_kernels.h"

#define CT_NAME(f) f##_avx512
#define CT_TARGET __attribute__((target("avx512f,avx512dq,avx512vl")))
#define BYTES 64
#define ROWS 8
#define DISTINCT(p) __asm__("" : "+r"(p))
#include "core/simd/triangular_kernels.h"
#endif

const struct ct_triangular_kernels *ct_triangular_kernels(enum ct_simd_level level)
{
    /* In the order of enum ct_simd_level. */
    static const struct ct_triangular_kernels sets[] = {
        {subtract_base, solve_base},
#if CT_X86
        {subtract_avx2, solve_avx2},
        {subtract_avx512, solve_avx512},
#endif
    };
    int compiled = (int)(sizeof sets / sizeof *sets);
    return &sets[(int)level < compiled ? (int)level : compiled - 1];
}
