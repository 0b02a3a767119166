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

/* Returns the first `count` rows of x, from 1, in maximin order, starting nearest to the
 * centroid. */
SEXP r_order_maximin(SEXP x, SEXP count, SEXP simd, SEXP threads)
{
    int first = Rf_asInteger(count);
    SEXP centroid = PROTECT(r_centroid(x));
    SEXP order = PROTECT(Rf_allocVector(INTSXP, first));
    struct ct_host host = r_host_with_progress();
    ct_maximin_order(&host, r_kernels(simd), REAL_RO(x), Rf_nrows(x), Rf_ncols(x),
                     REAL_RO(centroid), first, r_num_threads(threads), INTEGER(order));
    for (int i = 0; i < first; i++)
        INTEGER(order)[i]++;
    UNPROTECT(2);
    return order;
}
