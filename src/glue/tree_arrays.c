/* tree_arrays.c: see tree_arrays.h.
 *
 * Elements of the list: the arrays of core/tree/arrays.h in the order of the table; then
 * `format` and the settings of cover_tree(). The list that a tree keeps has one element
 * more, the checksums, which R does not hand out. Allocation, unpacking and messages all
 * read the table.
 */
#include "glue/tree_arrays.h"
#include "glue/seal.h"

#include <string.h>

/* The version of this layout. Version 1 had other names of arrays and settings. */
enum { FORMAT = 2 };

/* The elements after the arrays. */
enum { AT_FORMAT = CT_ARRAYS, AT_SETTINGS, AT_DIMNAMES = AT_SETTINGS + 2, AT_CHECKSUMS };
static const char *const other_names[] = {"format", "layout", "leaf_size", "dimnames", "checksums"};

/* Name of an element of the list. */
static const char *element_name(int i)
{
    return i < CT_ARRAYS ? ct_array_info[i].name : other_names[i - CT_ARRAYS];
}

static SEXPTYPE array_sexptype(enum ct_array array)
{
    return ct_array_info[array].type == CT_TYPE_int ? INTSXP : REALSXP;
}

static int is_matrix(enum ct_array array)
{
    enum ct_array_shape shape = ct_array_info[array].shape;
    return shape == CT_SHAPE_N_D || shape == CT_SHAPE_NODES_D;
}

SEXP r_arrays_new(SEXP settings)
{
    SEXP arrays = PROTECT(Rf_allocVector(VECSXP, AT_CHECKSUMS));
    SEXP names = PROTECT(Rf_allocVector(STRSXP, AT_CHECKSUMS));
    for (int i = 0; i < AT_CHECKSUMS; i++)
        SET_STRING_ELT(names, i, Rf_mkChar(element_name(i)));
    Rf_setAttrib(arrays, R_NamesSymbol, names);
    SET_VECTOR_ELT(arrays, AT_FORMAT, Rf_ScalarInteger(FORMAT));
    for (int i = 0; i < AT_CHECKSUMS - AT_SETTINGS; i++)
        SET_VECTOR_ELT(arrays, AT_SETTINGS + i, VECTOR_ELT(settings, i));
    UNPROTECT(2);
    return arrays;
}

void *r_arrays_alloc(SEXP arrays, enum ct_array array, size_t length, int d)
{
    SEXPTYPE type = array_sexptype(array);
    SEXP values = is_matrix(array) ? Rf_allocMatrix(type, (int)(length / (size_t)d), d)
                                   : Rf_allocVector(type, (R_xlen_t)length);
    SET_VECTOR_ELT(arrays, array, values);
    return type == INTSXP ? (void *)INTEGER(values) : (void *)REAL(values);
}

SEXP r_arrays_dimnames(SEXP arrays)
{
    return VECTOR_ELT(arrays, AT_DIMNAMES);
}

/* A list of length `room` with the first `count` elements of a list, and their names. */
static SEXP first_elements(SEXP list, int count, int room)
{
    SEXP first = PROTECT(Rf_allocVector(VECSXP, room)), old = Rf_getAttrib(list, R_NamesSymbol);
    SEXP names = PROTECT(Rf_allocVector(STRSXP, room));
    for (int i = 0; i < count; i++) {
        SET_VECTOR_ELT(first, i, VECTOR_ELT(list, i));
        SET_STRING_ELT(names, i, STRING_ELT(old, i));
    }
    Rf_setAttrib(first, R_NamesSymbol, names);
    UNPROTECT(2);
    return first;
}

SEXP r_arrays_seal(SEXP arrays)
{
    SEXP sealed = PROTECT(first_elements(arrays, AT_CHECKSUMS, AT_CHECKSUMS + 1));
    SEXP sums = PROTECT(r_checksums(PROTECT(first_elements(arrays, AT_CHECKSUMS, AT_CHECKSUMS))));
    SET_VECTOR_ELT(sealed, AT_CHECKSUMS, sums);
    SET_STRING_ELT(Rf_getAttrib(sealed, R_NamesSymbol), AT_CHECKSUMS,
                   Rf_mkChar(element_name(AT_CHECKSUMS)));
    UNPROTECT(3);
    return sealed;
}

void r_arrays_check_seal(SEXP arrays)
{
    if (XLENGTH(arrays) != AT_CHECKSUMS + 1 || TYPEOF(VECTOR_ELT(arrays, AT_CHECKSUMS)) != STRSXP)
        r_stop(
            "the tree's arrays must be %d with the checksums, not %.0f: the tree is damaged or of "
            "another version of covertree; build it again with cover_tree()",
            AT_CHECKSUMS + 1, (double)XLENGTH(arrays));
    int changed = r_first_changed(arrays, AT_CHECKSUMS, VECTOR_ELT(arrays, AT_CHECKSUMS));
    if (changed >= 0)
        r_stop("tree array `%s` is damaged: it does not match its checksum (saved as text, as "
               "with ascii = TRUE, numbers lose bits); build the tree again with cover_tree()",
               element_name(changed));
}

/* Checks the dimensions of a matrix; rows = 0: only that there are some. */
static void check_matrix(SEXP array, const char *name, int rows, int columns)
{
    SEXP dim = Rf_getAttrib(array, R_DimSymbol);
    if (TYPEOF(dim) != INTSXP || XLENGTH(dim) != 2)
        r_stop("tree array `%s` must be a matrix", name);
    int has_rows = INTEGER(dim)[0], has_columns = INTEGER(dim)[1];
    if (has_rows < 1 || has_columns < 1)
        r_stop("tree array `%s` must not be empty", name);
    if (rows > 0 && (has_rows != rows || has_columns != columns))
        r_stop("tree array `%s` must be a matrix of %d x %d: got %d x %d", name, rows, columns,
               has_rows, has_columns);
}

static void check_length(SEXP array, const char *name, int length)
{
    if (XLENGTH(array) != length)
        r_stop("tree array `%s` must have length %d: got %.0f", name, length,
               (double)XLENGTH(array));
}

/* Whether `names` has a name for each element of a list; in a damaged file, lengths may differ. */
static int are_names(SEXP names, SEXP list)
{
    return TYPEOF(names) == STRSXP && XLENGTH(names) == XLENGTH(list);
}

/* C code finds an element by place, R code by name: places and names must agree. */
static void check_names(SEXP arrays)
{
    SEXP names = Rf_getAttrib(arrays, R_NamesSymbol);
    for (int i = 0; i < AT_CHECKSUMS; i++) {
        const char *name = element_name(i);
        if (XLENGTH(arrays) <= i || !are_names(names, arrays) ||
            strcmp(CHAR(STRING_ELT(names, i)), name) != 0)
            r_stop(
                "the tree's arrays are damaged or of another version of covertree: number %d must "
                "have the name `%s`; build the tree again with cover_tree()",
                i + 1, name);
    }
}

/* An error unless `format`, the element of that name, is the version of this layout. */
SEXP r_check_format(SEXP format)
{
    if (TYPEOF(format) != INTSXP || XLENGTH(format) != 1 || INTEGER(format)[0] < 1)
        r_stop("tree array `format` must be the integer %d", FORMAT);
    int found = INTEGER(format)[0];
    if (found != FORMAT)
        r_stop(
            "tree was built by %s version of covertree: its array `format` is %d, not %d; build it "
            "again with cover_tree()",
            found < FORMAT ? "an earlier" : "a later", found, FORMAT);
    return R_NilValue;
}

/* Checks the format. The element is found by name, because other versions have other elements
 * before it. */
static void find_format(SEXP arrays)
{
    SEXP names = Rf_getAttrib(arrays, R_NamesSymbol);
    for (R_xlen_t i = 0; are_names(names, arrays) && i < XLENGTH(arrays); i++)
        if (strcmp(CHAR(STRING_ELT(names, i)), element_name(AT_FORMAT)) == 0)
            r_check_format(VECTOR_ELT(arrays, i));
}

/* Checks everything but sizes: format, names, types. */
static void check_types(SEXP arrays)
{
    if (TYPEOF(arrays) == VECSXP)
        find_format(arrays);
    if (TYPEOF(arrays) != VECSXP || XLENGTH(arrays) < AT_SETTINGS)
        r_stop("tree must have its arrays: got none; build it again with cover_tree()");
    check_names(arrays);
    for (int i = 0; i < CT_ARRAYS; i++) {
        SEXPTYPE type = array_sexptype((enum ct_array)i), found = TYPEOF(VECTOR_ELT(arrays, i));
        if (found != type)
            r_stop("tree array `%s` must be of type %s: got %s", element_name(i),
                   Rf_type2char(type), Rf_type2char(found));
        if (Rf_isObject(VECTOR_ELT(arrays, i)))
            r_stop("tree array `%s` must not have a class", element_name(i));
    }
}

static int median_of(int a, int b, int c)
{
    return a < b ? (b < c ? b : a < c ? c : a) : (a < c ? a : b < c ? c : b);
}

/* Length of an array as an int; INT_MAX for longer arrays, which are not valid. */
static int length_of(SEXP arrays, enum ct_array array)
{
    R_xlen_t length = XLENGTH(VECTOR_ELT(arrays, array));
    return length < INT_MAX ? (int)length : INT_MAX;
}

/* Sets n, d and nodes. Three arrays tell each size, and the median is right if at most
 * one of the three is damaged. All arrays are then compared with the result. */
static void check_sizes(SEXP arrays, struct ct_tree *t)
{
    SEXP points = VECTOR_ELT(arrays, CT_ARRAY_POINTS);
    SEXP ends = VECTOR_ELT(arrays, CT_ARRAY_SUBTREE_END);
    check_matrix(points, element_name(CT_ARRAY_POINTS), 0, 0);
    t->n = median_of(Rf_nrows(points), length_of(arrays, CT_ARRAY_ROW),
                     XLENGTH(ends) > 0 ? INTEGER_RO(ends)[0] : 0);
    t->d = median_of(Rf_ncols(points), Rf_ncols(VECTOR_ELT(arrays, CT_ARRAY_LOWER)),
                     Rf_ncols(VECTOR_ELT(arrays, CT_ARRAY_UPPER)));
    t->nodes = median_of(length_of(arrays, CT_ARRAY_CENTER), length_of(arrays, CT_ARRAY_PARENT),
                         length_of(arrays, CT_ARRAY_LEVEL));
    if (t->n < 1 || t->nodes < 1)
        r_stop("tree array `%s` must not be empty",
               element_name(t->n < 1 ? CT_ARRAY_ROW : CT_ARRAY_CENTER));
    for (int i = 0; i < CT_ARRAYS; i++) {
        enum ct_array_shape shape = ct_array_info[i].shape;
        int rows = shape == CT_SHAPE_N || shape == CT_SHAPE_N_D ? t->n : t->nodes;
        if (is_matrix((enum ct_array)i))
            check_matrix(VECTOR_ELT(arrays, i), element_name(i), rows, t->d);
        else
            check_length(VECTOR_ELT(arrays, i), element_name(i), rows);
    }
}

struct ct_tree r_arrays_unpack(SEXP arrays)
{
    struct ct_tree t = {0};
    check_types(arrays);
    check_sizes(arrays, &t);
#define VALUES_int INTEGER_RO
#define VALUES_double REAL_RO
#define UNPACK_ARRAY(NAME, name, type, shape)                                                      \
    t.name = VALUES_##type(VECTOR_ELT(arrays, CT_ARRAY_##NAME));
    CT_TREE_ARRAYS(UNPACK_ARRAY)
    return t;
}

void r_arrays_check_safe(const struct ct_tree *t)
{
    unsigned char *seen = r_host.alloc(ct_validate_scratch(t->n), 1);
    struct ct_array_error error = ct_validate_arrays(t, seen);
    if (error.array != CT_NO_ARRAY)
        r_stop("tree array `%s` is damaged: entry %.0f does not fit the others",
               element_name(error.array), (double)error.entry);
}

void r_arrays_check(const struct ct_tree *t, int threads)
{
    r_arrays_check_safe(t);
    struct ct_validation validation;
    ct_validate_tree(&r_host, t, threads, &validation);
    for (int i = 0; i < CT_INVARIANTS; i++)
        if (validation.violations[i] > 0)
            r_stop("tree array `%s` is damaged: node %d does not fit the points (%s)",
                   element_name(ct_invariant_info[i].array), validation.first[i],
                   ct_invariant_info[i].name);
}
