/* order.c: orders of points for Vecchia approximations: maximin, and the centroid for the
 * middle-out order. */
#include "core/covertree.h"
#include "glue/host.h"
#include "glue/simd.h"
#include "glue/threads.h"

/* Returns the centroid [d] of the rows of x. */
SEXP r_centroid(SEXP x)
{
    int d = Rf_ncols(x);
    SEXP centroid = PROTECT(Rf_allocVector(REALSXP, d));
    ct_centroid(REAL_RO(x), Rf_nrows(x), d, REAL(centroid));
    UNPROTECT(1);
    return centroid;
}

/* Returns the maximin order of the rows of x, from 1, starting nearest to the centroid. */
SEXP r_order_maximin(SEXP x, SEXP simd, SEXP threads)
{
    int n = Rf_nrows(x), d = Rf_ncols(x);
    SEXP centroid = PROTECT(r_centroid(x));
    SEXP order = PROTECT(Rf_allocVector(INTSXP, n));
    ct_maximin_order(&r_host, r_kernels(simd), REAL_RO(x), n, d, REAL_RO(centroid),
                     r_num_threads(threads), INTEGER(order));
    for (int i = 0; i < n; i++)
        INTEGER(order)[i]++;
    UNPROTECT(2);
    return order;
}
