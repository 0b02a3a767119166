/* points.c: facts for the checks of points in R, and the Hilbert order. */
#include "core/covertree.h"
#include "glue/host.h"
#include "glue/threads.h"

/* Returns c(row, column) of the first value that is NaN or infinite, in column-major order; NULL
 * if all values are finite. */
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

/* Returns the smallest (row 1) and the largest (row 2) value of every column [2 x d]. */
SEXP r_column_range(SEXP x)
{
    int n = Rf_nrows(x), d = Rf_ncols(x);
    SEXP extent = Rf_allocMatrix(REALSXP, 2, d);
    for (int j = 0; j < d; j++)
        ct_column_range(REAL_RO(x) + (size_t)j * n, n, &REAL(extent)[2 * (size_t)j],
                        &REAL(extent)[2 * (size_t)j + 1]);
    return extent;
}

/* Returns the order of the rows of x along the Hilbert curve, from 1. */
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
