/* options.c: named lists from R and for R. */
#include "glue/options.h"

#include <string.h>

SEXP r_option(SEXP list, const char *name)
{
    SEXP names = Rf_getAttrib(list, R_NamesSymbol);
    R_xlen_t size = TYPEOF(list) == VECSXP ? XLENGTH(list) : 0;
    for (R_xlen_t i = 0; i < size && i < Rf_xlength(names); i++)
        if (strcmp(CHAR(STRING_ELT(names, i)), name) == 0)
            return VECTOR_ELT(list, i);
    r_stop("internal error: the options of this call lack `%s`", name);
}

int r_int_option(SEXP list, const char *name)
{
    return Rf_asInteger(r_option(list, name));
}

double r_double_option(SEXP list, const char *name)
{
    return Rf_asReal(r_option(list, name));
}

const double *r_doubles_option(SEXP list, const char *name)
{
    SEXP values = r_option(list, name);
    return Rf_isNull(values) ? NULL : REAL_RO(values);
}

SEXP r_named_list(const char *const *name, int count)
{
    SEXP list = PROTECT(Rf_allocVector(VECSXP, count));
    SEXP names = PROTECT(Rf_allocVector(STRSXP, count));
    for (int i = 0; i < count; i++)
        SET_STRING_ELT(names, i, Rf_mkChar(name[i]));
    Rf_setAttrib(list, R_NamesSymbol, names);
    UNPROTECT(2);
    return list;
}
