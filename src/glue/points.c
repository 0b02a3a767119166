/* points.c: what the checks of points in R need to know, and curve order. */
#include "core/covertree.h"
#include "glue/host.h"
#include "glue/threads.h"

/* c(row, column) of the first value that is not finite, column by column; NULL
 * if there is none. */
SEXP r_first_nonfinite(SEXP x)
{
    size_t n = (size_t)Rf_nrows(x), size = (size_t)XLENGTH(x);
    size_t at = ct_first_nonfinite(REAL_RO(x), size);
    if (at == size)
        return R_NilValue;
    SEXP where = Rf_allocVector(INTSXP, 2);
    INTEGER(where)[0] = (int)(at % n) + 1;
    INTEGER(where)[1] = (int)(at / n) + 1;
    return where;
}

/* 2 x d: least and greatest of every column. */
SEXP r_column_range(SEXP x)
{
    int n = Rf_nrows(x), d = Rf_ncols(x);
    SEXP extent = Rf_allocMatrix(REALSXP, 2, d);
    for (int j = 0; j < d; j++)
        ct_column_range(REAL_RO(x) + (size_t)j * n, n, &REAL(extent)[2 * (size_t)j],
                        &REAL(extent)[2 * (size_t)j + 1]);
    return extent;
}

SEXP r_hilbert_order(SEXP x, SEXP threads)
{
    int n = Rf_nrows(x), d = Rf_ncols(x);
    SEXP order = PROTECT(Rf_allocVector(INTSXP, n));
    ct_hilbert_order(&r_host, REAL_RO(x), n, d, r_num_threads(threads), INTEGER(order));
    for (int i = 0; i < n; i++)
        INTEGER(order)[i]++;
    UNPROTECT(1);
    return order;
}
