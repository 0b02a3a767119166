/* simd.c: see simd.h. */
#include "glue/simd.h"

enum ct_simd_level r_simd_level(SEXP level)
{
    return (enum ct_simd_level)(Rf_asInteger(level) - 1);
}

const struct ct_kernels *r_kernels(SEXP level)
{
    return ct_kernels(r_simd_level(level));
}

/* Returns the names of the instruction sets of this processor, from the least to the best. */
SEXP r_simd_levels(void)
{
    int levels = (int)ct_simd_best() + 1;
    SEXP names = PROTECT(Rf_allocVector(STRSXP, levels));
    for (int level = 0; level < levels; level++)
        SET_STRING_ELT(names, level, Rf_mkChar(ct_kernels((enum ct_simd_level)level)->name));
    UNPROTECT(1);
    return names;
}
