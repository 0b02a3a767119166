/* mapped_vector.c: see mapped_vector.h.
 *
 * An ALTREP object with
 *
 *   data1  external pointer to the values -- protects --> owner of the mapping
 *          -- tag --> the length, a double
 *   data2  a plain vector with a copy of the values, or NULL
 *
 * The map is read-only. Many functions of R ask for writable values, but only read them. So a
 * request makes the pages of the vector writable, and the system copies a page when it is written.
 * If this fails, the values are copied to R's memory. R saves the values, because the class has no
 * method for a serialized state.
 */
#include "glue/mapped_vector.h"
#include "glue/file_map.h"

#include <R_ext/Altrep.h>
#include <string.h>

static R_altrep_class_t integer_class, double_class;

static R_xlen_t length_of(SEXP x)
{
    return (R_xlen_t)REAL_RO(R_ExternalPtrTag(R_altrep_data1(x)))[0];
}

static size_t bytes_of(SEXP x)
{
    return (size_t)length_of(x) * (TYPEOF(x) == INTSXP ? sizeof(int) : sizeof(double));
}

static void *plain_values(SEXP vector)
{
    return TYPEOF(vector) == INTSXP ? (void *)INTEGER(vector) : (void *)REAL(vector);
}

static const void *values_of(SEXP x)
{
    SEXP copy = R_altrep_data2(x);
    return copy == R_NilValue ? R_ExternalPtrAddr(R_altrep_data1(x)) : plain_values(copy);
}

/* A plain vector with the values of x. */
static SEXP plain_copy(SEXP x)
{
    SEXP copy = Rf_allocVector(TYPEOF(x), length_of(x));
    memcpy(plain_values(copy), values_of(x), bytes_of(x));
    return copy;
}

static void *mapped_dataptr(SEXP x, Rboolean writable)
{
    if (writable && R_altrep_data2(x) == R_NilValue &&
        r_make_writable(values_of(x), bytes_of(x)) != 0)
        R_set_altrep_data2(x, plain_copy(x));
    return (void *)values_of(x);
}

static const void *mapped_dataptr_or_null(SEXP x)
{
    return values_of(x);
}

/* R adds the attributes. */
static SEXP mapped_duplicate(SEXP x, Rboolean deep)
{
    (void)deep;
    return plain_copy(x);
}

static Rboolean mapped_inspect(SEXP x, int pre, int deep, int pvec,
                               void (*inspect_subtree)(SEXP, int, int, int))
{
    Rprintf(" mapped%s\n", R_altrep_data2(x) == R_NilValue ? "" : ", with a copy");
    (void)pre;
    (void)deep;
    (void)pvec;
    (void)inspect_subtree;
    return TRUE;
}

static int integer_elt(SEXP x, R_xlen_t i)
{
    return ((const int *)values_of(x))[i];
}

static double double_elt(SEXP x, R_xlen_t i)
{
    return ((const double *)values_of(x))[i];
}

static void set_methods(R_altrep_class_t class)
{
    R_set_altrep_Length_method(class, length_of);
    R_set_altrep_Duplicate_method(class, mapped_duplicate);
    R_set_altrep_Inspect_method(class, mapped_inspect);
    R_set_altvec_Dataptr_method(class, mapped_dataptr);
    R_set_altvec_Dataptr_or_null_method(class, mapped_dataptr_or_null);
}

void r_mapped_load(DllInfo *dll)
{
    integer_class = R_make_altinteger_class("mapped_integer", "covertree", dll);
    double_class = R_make_altreal_class("mapped_double", "covertree", dll);
    set_methods(integer_class);
    set_methods(double_class);
    R_set_altinteger_Elt_method(integer_class, integer_elt);
    R_set_altreal_Elt_method(double_class, double_elt);
}

SEXP r_mapped_vector(SEXPTYPE type, const void *values, R_xlen_t length, SEXP owner)
{
    SEXP size = PROTECT(Rf_ScalarReal((double)length));
    SEXP place = PROTECT(R_MakeExternalPtr((void *)values, size, owner));
    SEXP x = R_new_altrep(type == INTSXP ? integer_class : double_class, place, R_NilValue);
    UNPROTECT(2);
    return x;
}

/* For tests: whether x has its values in a mapped file, and no copy of them. */
SEXP r_is_mapped(SEXP x)
{
    int ours = R_altrep_inherits(x, integer_class) || R_altrep_inherits(x, double_class);
    return Rf_ScalarLogical(ours && R_altrep_data2(x) == R_NilValue);
}
