/* few_queries.c: a short way for a few queries without options.
 *
 * The checks of knn_query() in R take several times longer than the search for one query. This file
 * makes the same checks for the plain case: a tree of cover_tree() by Euclidean distance that this
 * session has used before, and a matrix of doubles. In every other case, and for every argument
 * that is not surely valid, it returns NULL, and the general way decides.
 */
#include "core/covertree.h"
#include "glue/host.h"
#include "glue/tree_arrays.h"
#include "glue/tree_handle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_K = 4096 }; /* so that the result surely fits into memory */

/* Ranges of coordinates [user's units] that surely neither overflow nor underflow: narrower than
 * the limits of check_extent() in R/check.R. */
static const double WIDEST = 1e150, NARROWEST = 1e-140;

/* Whether a value is a number without attributes, whole and from 1 to `most`. */
static int is_count(SEXP value, double most)
{
    if ((TYPEOF(value) != INTSXP && TYPEOF(value) != REALSXP) || XLENGTH(value) != 1 ||
        ATTRIB(value) != R_NilValue)
        return 0;
    double number = TYPEOF(value) == REALSXP           ? REAL_RO(value)[0]
                    : *INTEGER_RO(value) == NA_INTEGER ? 0
                                                       : *INTEGER_RO(value);
    return number >= 1 && number <= most && number == trunc(number);
}

/* Returns the pointer of a list of class "cover_tree" with the elements `pointer` and `cache`,
 * without a coordinate reference system, if it has been used before; otherwise NULL. */
static SEXP plain_pointer(SEXP tree)
{
    SEXP class = Rf_getAttrib(tree, R_ClassSymbol), names = Rf_getAttrib(tree, R_NamesSymbol);
    if (TYPEOF(tree) != VECSXP || XLENGTH(tree) != 2 || TYPEOF(class) != STRSXP ||
        XLENGTH(class) != 1 || strcmp(CHAR(STRING_ELT(class, 0)), "cover_tree") != 0 ||
        TYPEOF(names) != STRSXP || strcmp(CHAR(STRING_ELT(names, 0)), "pointer") != 0 ||
        strcmp(CHAR(STRING_ELT(names, 1)), "cache") != 0 ||
        Rf_getAttrib(tree, Rf_install("crs")) != R_NilValue)
        return NULL;
    SEXP pointer = VECTOR_ELT(tree, 0);
    return TYPEOF(pointer) == EXTPTRSXP && R_ExternalPtrAddr(pointer) ? pointer : NULL;
}

/* Names of the columns of a matrix, from its dimnames; NULL if there are none. */
static SEXP names_of_columns(SEXP dimnames)
{
    if (TYPEOF(dimnames) != VECSXP || XLENGTH(dimnames) != 2 ||
        TYPEOF(VECTOR_ELT(dimnames, 1)) != STRSXP)
        return NULL;
    return VECTOR_ELT(dimnames, 1);
}

/* Whether the columns of a query are surely those of the tree, in the same order. */
static int columns_match(SEXP query, SEXP pointer, int d)
{
    SEXP own = names_of_columns(Rf_getAttrib(query, R_DimNamesSymbol));
    SEXP names = names_of_columns(r_arrays_dimnames(R_ExternalPtrProtected(pointer)));
    if (!own || !names)
        return 1;
    for (int j = 0; j < d; j++)
        if (XLENGTH(own) != d || XLENGTH(names) != d || STRING_ELT(own, j) != STRING_ELT(names, j))
            return 0;
    return 1;
}

/* Whether the coordinates of the queries [count x d] are finite and, together with the points, have
 * ranges within the limits. */
static int is_in_range(const double *query, int count, const struct ct_tree *t)
{
    double widest = 0;
    for (int j = 0; j < t->d; j++) {
        double least = t->lower[(size_t)j * t->nodes], most = t->upper[(size_t)j * t->nodes];
        for (int i = 0; i < count; i++) {
            double x = query[i + (size_t)j * count];
            if (!isfinite(x))
                return 0;
            least = x < least ? x : least;
            most = x > most ? x : most;
        }
        widest = most - least > widest ? most - least : widest;
    }
    return widest * sqrt(t->d) < WIDEST && widest > NARROWEST;
}

/* Returns a covertree_knn with empty matrices for `count` queries. */
static SEXP new_result(int count, int k, int points)
{
    static const char *const names[] = {"index", "distance", ""};
    SEXP found = PROTECT(Rf_mkNamed(VECSXP, (const char **)names));
    SET_VECTOR_ELT(found, 0, Rf_allocMatrix(INTSXP, count, k));
    SET_VECTOR_ELT(found, 1, Rf_allocMatrix(REALSXP, count, k));
    Rf_setAttrib(found, R_ClassSymbol, PROTECT(Rf_mkString("covertree_knn")));
    Rf_setAttrib(found, Rf_install("exact"), PROTECT(Rf_ScalarLogical(1)));
    Rf_setAttrib(found, Rf_install("own"), PROTECT(Rf_ScalarLogical(0)));
    Rf_setAttrib(found, Rf_install("points"), PROTECT(Rf_ScalarInteger(points)));
    UNPROTECT(5);
    return found;
}

/* Whether the user has chosen an instruction set. */
static int is_simd_chosen(void)
{
    const char *set = getenv("COVERTREE_SIMD");
    return Rf_GetOption1(Rf_install("covertree.simd")) != R_NilValue || (set && set[0]);
}

/* Returns the result of knn_query(tree, query, k, threads = threads), or NULL. */
SEXP r_few_knn(SEXP tree, SEXP query, SEXP k, SEXP threads)
{
    SEXP pointer = plain_pointer(tree);
    if (!pointer || TYPEOF(query) != REALSXP || Rf_isObject(query) || !Rf_isMatrix(query) ||
        !is_count(k, MOST_K) || !(Rf_isNull(threads) || is_count(threads, INT_MAX)) ||
        is_simd_chosen())
        return R_NilValue;
    const struct ct_tree *t = r_tree(pointer);
    int count = Rf_nrows(query);
    if (count < 1 || count > CT_DEPTH_FIRST_QUERIES || Rf_ncols(query) != t->d ||
        !columns_match(query, pointer, t->d) || !is_in_range(REAL_RO(query), count, t))
        return R_NilValue;
    struct ct_batch batch = {.tree = t,
                             .query = REAL_RO(query),
                             .count = count,
                             .threads = 1,
                             .kernels = ct_kernels(ct_simd_best())};
    SEXP found = PROTECT(new_result(count, Rf_asInteger(k), t->n));
    ct_knn(&r_host, &batch, Rf_asInteger(k), NA_REAL, INTEGER(VECTOR_ELT(found, 0)),
           REAL(VECTOR_ELT(found, 1)));
    UNPROTECT(1);
    return found;
}
