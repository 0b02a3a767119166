/* ct_rows.c: compile the kernels for each instruction set, as ct_simd.c does. */
#include "ct_rows.h"
#include "ct_distance.h"
#include "ct_dots.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define CT_X86 1
#else
#define CT_X86 0
#endif

#define CT_TARGET
#define BYTES 16
#define REAL double
#define LANES CT_V_LANES
#define CT_NAME(f) f##_fine_base
#include "ct_rows_kernels.h"
#define REAL float
#define LANES CT_ROW_LANES
#define CT_NAME(f) f##_coarse_base
#include "ct_rows_kernels.h"
#undef CT_TARGET
#undef BYTES

#if CT_X86
#define CT_TARGET __attribute__((target("avx2")))
#define BYTES 32
#define REAL double
#define LANES CT_V_LANES
#define CT_NAME(f) f##_fine_avx2
#include "ct_rows_kernels.h"
#define REAL float
#define LANES CT_ROW_LANES
#define CT_NAME(f) f##_coarse_avx2
#include "ct_rows_kernels.h"
#undef CT_TARGET
#undef BYTES

#define CT_TARGET __attribute__((target("avx512f,avx512dq,avx512vl")))
#define BYTES 64
#define REAL double
#define LANES CT_V_LANES
#define CT_NAME(f) f##_fine_avx512
#include "ct_rows_kernels.h"
#define REAL float
#define LANES CT_ROW_LANES
#define CT_NAME(f) f##_coarse_avx512
#include "ct_rows_kernels.h"
#endif

const struct ct_rows *ct_rows(enum ct_simd_level level)
{
    static const struct ct_rows sets[] = {
        {rows_fine_base, rows_coarse_base},
#if CT_X86
        {rows_fine_avx2, rows_coarse_avx2},
        {rows_fine_avx512, rows_coarse_avx512},
#endif
    };
    int known = (int)(sizeof sets / sizeof *sets);
    return &sets[(int)level < known ? (int)level : known - 1];
}
