/* tree_arrays.c: see tree_arrays.h.
 *
 * One table tells name, type and shape of every array; making a list, unpacking
 * it and complaining about it all read that table.
 */
#include "glue/tree_arrays.h"
#include "glue/seal.h"

#include <string.h>

enum shape { PER_POINT, PER_NODE, POINTS, BOXES };

enum { FORMAT = 1 }; /* the version of this layout */

/* The arrays, in the order of the list. The format and settings follow them, and their
 * checksums, which R does not hand out. */
enum {
    AT_POINTS,
    AT_ROW,
    AT_HUB,
    AT_PARENT,
    AT_FIRST_CHILD,
    AT_NEXT_SIBLING,
    AT_SUBTREE_BEGIN,
    AT_SUBTREE_END,
    AT_LEVEL,
    AT_MIN_ROW,
    AT_RADIUS,
    AT_LOWER,
    AT_UPPER,
    ARRAYS,
    AT_FORMAT = ARRAYS,
    AT_SETTINGS,
    AT_CHECKSUMS = AT_SETTINGS + 3
};

static const struct field {
    const char *name;
    SEXPTYPE type;
    enum shape shape;
} fields[ARRAYS] = {
    [AT_POINTS] = {"points", REALSXP, POINTS},
    [AT_ROW] = {"row", INTSXP, PER_POINT},
    [AT_HUB] = {"center", INTSXP, PER_NODE},
    [AT_PARENT] = {"parent", INTSXP, PER_NODE},
    [AT_FIRST_CHILD] = {"first_child", INTSXP, PER_NODE},
    [AT_NEXT_SIBLING] = {"next_sibling", INTSXP, PER_NODE},
    [AT_SUBTREE_BEGIN] = {"subtree_begin", INTSXP, PER_NODE},
    [AT_SUBTREE_END] = {"subtree_end", INTSXP, PER_NODE},
    [AT_LEVEL] = {"level", INTSXP, PER_NODE},
    [AT_MIN_ROW] = {"min_row", INTSXP, PER_NODE},
    [AT_RADIUS] = {"radius", REALSXP, PER_NODE},
    [AT_LOWER] = {"lower", REALSXP, BOXES},
    [AT_UPPER] = {"upper", REALSXP, BOXES},
};

SEXP r_arrays_new(int n, int d, SEXP settings)
{
    SEXP arrays = PROTECT(Rf_allocVector(VECSXP, AT_CHECKSUMS));
    SEXP names = PROTECT(Rf_allocVector(STRSXP, AT_CHECKSUMS));
    for (int i = 0; i < ARRAYS; i++)
        SET_STRING_ELT(names, i, Rf_mkChar(fields[i].name));
    SET_STRING_ELT(names, AT_FORMAT, Rf_mkChar("format"));
    for (int i = 0; i < AT_CHECKSUMS - AT_SETTINGS; i++) {
        SEXP name = STRING_ELT(Rf_getAttrib(settings, R_NamesSymbol), i);
        SET_STRING_ELT(names, AT_SETTINGS + i, name);
        SET_VECTOR_ELT(arrays, AT_SETTINGS + i, VECTOR_ELT(settings, i));
    }
    Rf_setAttrib(arrays, R_NamesSymbol, names);
    SET_VECTOR_ELT(arrays, AT_POINTS, Rf_allocMatrix(REALSXP, n, d));
    SET_VECTOR_ELT(arrays, AT_ROW, Rf_allocVector(INTSXP, n));
    SET_VECTOR_ELT(arrays, AT_FORMAT, Rf_ScalarInteger(FORMAT));
    UNPROTECT(2);
    return arrays;
}

double *r_arrays_points(SEXP arrays)
{
    return REAL(VECTOR_ELT(arrays, AT_POINTS));
}

int *r_arrays_row(SEXP arrays)
{
    return INTEGER(VECTOR_ELT(arrays, AT_ROW));
}

void r_arrays_fill(SEXP arrays, const struct ct_node_list *cells, int n, int d, int threads)
{
    int nodes = ct_node_list_count(cells);
    for (int i = 0; i < ARRAYS; i++)
        if (fields[i].shape == PER_NODE)
            SET_VECTOR_ELT(arrays, i, Rf_allocVector(fields[i].type, nodes));
        else if (fields[i].shape == BOXES)
            SET_VECTOR_ELT(arrays, i, Rf_allocMatrix(fields[i].type, nodes, d));
    struct ct_tree_arrays out = {
        .center = INTEGER(VECTOR_ELT(arrays, AT_HUB)),
        .parent = INTEGER(VECTOR_ELT(arrays, AT_PARENT)),
        .first_child = INTEGER(VECTOR_ELT(arrays, AT_FIRST_CHILD)),
        .next_sibling = INTEGER(VECTOR_ELT(arrays, AT_NEXT_SIBLING)),
        .subtree_begin = INTEGER(VECTOR_ELT(arrays, AT_SUBTREE_BEGIN)),
        .subtree_end = INTEGER(VECTOR_ELT(arrays, AT_SUBTREE_END)),
        .level = INTEGER(VECTOR_ELT(arrays, AT_LEVEL)),
        .min_row = INTEGER(VECTOR_ELT(arrays, AT_MIN_ROW)),
        .radius = REAL(VECTOR_ELT(arrays, AT_RADIUS)),
        .lower = REAL(VECTOR_ELT(arrays, AT_LOWER)),
        .upper = REAL(VECTOR_ELT(arrays, AT_UPPER)),
    };
    ct_node_list_store(&r_host, cells, REAL_RO(VECTOR_ELT(arrays, AT_POINTS)),
                       INTEGER_RO(VECTOR_ELT(arrays, AT_ROW)), n, d, threads, &out);
}

/* The first elements of a list with their names, and room for as many as asked for. */
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
    SET_STRING_ELT(Rf_getAttrib(sealed, R_NamesSymbol), AT_CHECKSUMS, Rf_mkChar("checksums"));
    UNPROTECT(3);
    return sealed;
}

void r_arrays_check_seal(SEXP arrays)
{
    static const char *const settings[] = {"format", "order", "leaf_size", "dimnames"};
    if (XLENGTH(arrays) <= AT_CHECKSUMS || TYPEOF(VECTOR_ELT(arrays, AT_CHECKSUMS)) != STRSXP)
        r_stop("tree has no checksums: it is of another version of covertree; build it again "
               "with cover_tree()");
    int changed = r_first_changed(arrays, AT_CHECKSUMS, VECTOR_ELT(arrays, AT_CHECKSUMS));
    if (changed >= 0)
        r_stop("tree array `%s` is damaged: it does not match its checksum (saved as text, as "
               "with ascii = TRUE, numbers lose bits); build the tree again with cover_tree()",
               changed < ARRAYS ? fields[changed].name : settings[changed - ARRAYS]);
}

static void check_matrix(SEXP array, const char *name, int rows, int columns)
{
    SEXP dim = Rf_getAttrib(array, R_DimSymbol);
    if (TYPEOF(dim) != INTSXP || XLENGTH(dim) != 2)
        r_stop("tree array `%s` must be a matrix", name);
    int has_rows = INTEGER(dim)[0], has_columns = INTEGER(dim)[1];
    if (has_rows < 1 || has_columns < 1)
        r_stop("tree array `%s` must not be empty", name);
    if (rows > 0 && (has_rows != rows || has_columns != columns))
        r_stop("tree array `%s` must be a matrix of %d x %d, not %d x %d", name, rows, columns,
               has_rows, has_columns);
}

static void check_length(SEXP array, const char *name, int length)
{
    if (XLENGTH(array) != length)
        r_stop("tree array `%s` must have length %d, not %.0f", name, length,
               (double)XLENGTH(array));
}

/* C takes arrays by their place, R by their name: both must find the same. */
static void check_names(SEXP arrays)
{
    static const char *const others[] = {"format", "order", "leaf_size", "dimnames"};
    SEXP names = Rf_getAttrib(arrays, R_NamesSymbol);
    for (int i = 0; i < AT_CHECKSUMS; i++) {
        const char *name = i < ARRAYS ? fields[i].name : others[i - ARRAYS];
        if (XLENGTH(arrays) <= i || TYPEOF(names) != STRSXP ||
            strcmp(CHAR(STRING_ELT(names, i)), name) != 0)
            r_stop("the tree's arrays are damaged: number %d must have the name `%s`", i + 1, name);
    }
}

static void check_types(SEXP arrays)
{
    if (TYPEOF(arrays) != VECSXP || XLENGTH(arrays) < AT_SETTINGS)
        r_stop("the tree's arrays are missing: build the tree again with cover_tree()");
    SEXP format = VECTOR_ELT(arrays, AT_FORMAT);
    if (TYPEOF(format) != INTSXP || XLENGTH(format) != 1 || INTEGER(format)[0] != FORMAT)
        r_stop("tree array `format` must be the integer %d: this tree is of another version of "
               "covertree",
               FORMAT);
    check_names(arrays);
    for (int i = 0; i < ARRAYS; i++)
        if (TYPEOF(VECTOR_ELT(arrays, i)) != fields[i].type)
            r_stop("tree array `%s` must be of type %s, not %s", fields[i].name,
                   Rf_type2char(fields[i].type), Rf_type2char(TYPEOF(VECTOR_ELT(arrays, i))));
}

static int middle_of(int a, int b, int c)
{
    return a < b ? (b < c ? b : a < c ? c : a) : (a < c ? a : b < c ? c : b);
}

static int length_of(SEXP arrays, int which)
{
    R_xlen_t length = XLENGTH(VECTOR_ELT(arrays, which));
    return length < INT_MAX ? (int)length : INT_MAX;
}

/* Each size is told by three arrays, of which two may outvote a damaged third;
 * everything must agree with the outcome. */
static void check_sizes(SEXP arrays, struct ct_tree *t)
{
    SEXP points = VECTOR_ELT(arrays, AT_POINTS), ends = VECTOR_ELT(arrays, AT_SUBTREE_END);
    check_matrix(points, "points", 0, 0);
    t->n = middle_of(Rf_nrows(points), length_of(arrays, AT_ROW),
                     XLENGTH(ends) > 0 ? INTEGER_RO(ends)[0] : 0);
    t->d = middle_of(Rf_ncols(points), Rf_ncols(VECTOR_ELT(arrays, AT_LOWER)),
                     Rf_ncols(VECTOR_ELT(arrays, AT_UPPER)));
    t->nodes = middle_of(length_of(arrays, AT_HUB), length_of(arrays, AT_PARENT),
                         length_of(arrays, AT_LEVEL));
    if (t->n < 1 || t->nodes < 1)
        r_stop("tree array `%s` must not be empty", t->n < 1 ? "row" : "center");
    for (int i = 0; i < ARRAYS; i++) {
        SEXP array = VECTOR_ELT(arrays, i);
        if (fields[i].shape == POINTS)
            check_matrix(array, fields[i].name, t->n, t->d);
        else if (fields[i].shape == BOXES)
            check_matrix(array, fields[i].name, t->nodes, t->d);
        else
            check_length(array, fields[i].name, fields[i].shape == PER_POINT ? t->n : t->nodes);
    }
}

struct ct_tree r_arrays_unpack(SEXP arrays)
{
    struct ct_tree t = {0};
    check_types(arrays);
    check_sizes(arrays, &t);
    t.points = REAL_RO(VECTOR_ELT(arrays, AT_POINTS));
    t.row = INTEGER_RO(VECTOR_ELT(arrays, AT_ROW));
    t.center = INTEGER_RO(VECTOR_ELT(arrays, AT_HUB));
    t.parent = INTEGER_RO(VECTOR_ELT(arrays, AT_PARENT));
    t.first_child = INTEGER_RO(VECTOR_ELT(arrays, AT_FIRST_CHILD));
    t.next_sibling = INTEGER_RO(VECTOR_ELT(arrays, AT_NEXT_SIBLING));
    t.subtree_begin = INTEGER_RO(VECTOR_ELT(arrays, AT_SUBTREE_BEGIN));
    t.subtree_end = INTEGER_RO(VECTOR_ELT(arrays, AT_SUBTREE_END));
    t.level = INTEGER_RO(VECTOR_ELT(arrays, AT_LEVEL));
    t.min_row = INTEGER_RO(VECTOR_ELT(arrays, AT_MIN_ROW));
    t.radius = REAL_RO(VECTOR_ELT(arrays, AT_RADIUS));
    t.lower = REAL_RO(VECTOR_ELT(arrays, AT_LOWER));
    t.upper = REAL_RO(VECTOR_ELT(arrays, AT_UPPER));
    return t;
}

static void stop_if_unsafe(const struct ct_tree *t)
{
    static const char *const name[] = {
        [CT_ARRAY_POINTS] = "points",
        [CT_ARRAY_ROW] = "row",
        [CT_ARRAY_CENTER] = "center",
        [CT_ARRAY_PARENT] = "parent",
        [CT_ARRAY_FIRST_CHILD] = "first_child",
        [CT_ARRAY_NEXT_SIBLING] = "next_sibling",
        [CT_ARRAY_SUBTREE_BEGIN] = "subtree_begin",
        [CT_ARRAY_SUBTREE_END] = "subtree_end",
    };
    unsigned char *seen = r_host.alloc((size_t)t->n, 1);
    struct ct_array_error fault = ct_validate_arrays(t, seen);
    if (fault.array != CT_NO_ARRAY)
        r_stop("tree array `%s` is damaged: entry %.0f does not fit the others", name[fault.array],
               (double)fault.entry);
}

static const struct {
    const char *name, *array;
} laws[CT_INVARIANTS] = {
    [CT_INVARIANT_RADIUS] = {"radius", "radius"},
    [CT_INVARIANT_LOWER] = {"lower", "lower"},
    [CT_INVARIANT_UPPER] = {"upper", "upper"},
    [CT_INVARIANT_MIN_ROW] = {"min_row", "min_row"},
    [CT_INVARIANT_LEVEL] = {"level", "level"},
    [CT_INVARIANT_COVERING] = {"covering", "level"},
    [CT_INVARIANT_DESCENT] = {"descent", "level"},
    [CT_INVARIANT_NESTING] = {"nesting", "center"},
    [CT_INVARIANT_SEPARATION] = {"separation", "center"},
};

const char *r_invariant_name(enum ct_invariant law)
{
    return laws[law].name;
}

void r_arrays_check(const struct ct_tree *t, int threads)
{
    stop_if_unsafe(t);
    struct ct_validation report;
    ct_validate_tree(&r_host, t, threads, &report);
    for (int law = 0; law < CT_INVARIANTS; law++)
        if (report.violations[law] > 0)
            r_stop("tree array `%s` is damaged: node %d does not fit the points (%s)",
                   laws[law].array, report.first[law], laws[law].name);
}
