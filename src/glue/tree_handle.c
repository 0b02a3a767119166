/* tree_handle.c: an external pointer to a tree over R's arrays.
 *
 * The pointer protects the list of arrays; its address is a struct ct_tree that
 * points into them. That struct lives, with the tiles that searches read, in a raw
 * vector, the memory of the tree, which must not be saved with the pointer:
 *
 *   pointer -- protects --> arrays
 *           -- tag -------> list(key, weak reference from key to the memory)
 *
 * R saves nothing of a weak reference, so a file holds the arrays alone. The key is a
 * pointer of its own, to nothing: were it the tree's pointer, the tag would lead back
 * to where it came from, and what follows all references, such as object.size(), would
 * not end. Key, tag and pointer die together, and the memory with them.
 *
 * A pointer that comes back without an address gets a new struct over the same arrays,
 * which are checked first: a file can hold anything, in place of the tag as well.
 */
#include "glue/tree_handle.h"
#include "core/covertree.h"
#include "glue/simd.h"
#include "glue/threads.h"
#include "glue/tree_arrays.h"

/* What the pointer points to: the tree, and the tiles that follow it. */
struct tied {
    struct ct_tree tree;
    struct ct_tiles tiles;
};

enum { TAG_KEY, TAG_REFERENCE, TAG_SIZE };

/* The tag for a pointer to this memory. */
static SEXP new_tag(SEXP memory)
{
    SEXP tag = PROTECT(Rf_allocVector(VECSXP, TAG_SIZE)), key;
    SET_VECTOR_ELT(tag, TAG_KEY, key = R_MakeExternalPtr(NULL, R_NilValue, R_NilValue));
    SET_VECTOR_ELT(tag, TAG_REFERENCE, R_MakeWeakRef(key, memory, R_NilValue, FALSE));
    UNPROTECT(1);
    return tag;
}

/* Whether the pointer's address is that of the memory which its tag keeps. */
static int is_ours(SEXP pointer)
{
    SEXP tag = R_ExternalPtrTag(pointer);
    if (TYPEOF(tag) != VECSXP || XLENGTH(tag) != TAG_SIZE ||
        TYPEOF(VECTOR_ELT(tag, TAG_REFERENCE)) != WEAKREFSXP)
        return 0;
    SEXP memory = R_WeakRefValue(VECTOR_ELT(tag, TAG_REFERENCE));
    return TYPEOF(memory) == RAWSXP && RAW(memory) == R_ExternalPtrAddr(pointer);
}

static const struct ct_tree *tie(SEXP pointer, const struct ct_tree *t, int threads)
{
    SEXP memory = PROTECT(Rf_allocVector(RAWSXP, sizeof(struct tied) + ct_tiles_bytes(t)));
    struct tied *tied = (struct tied *)RAW(memory);
    tied->tree = *t;
    ct_tiles_build(&r_host, t, tied + 1, threads, &tied->tiles);
    tied->tree.tiles = &tied->tiles;
    R_SetExternalPtrTag(pointer, new_tag(memory));
    R_SetExternalPtrAddr(pointer, RAW(memory));
    UNPROTECT(1);
    return R_ExternalPtrAddr(pointer);
}

static const struct ct_tree *restore(SEXP pointer, int threads)
{
    SEXP arrays = R_ExternalPtrProtected(pointer);
    struct ct_tree t = r_arrays_unpack(arrays);
    r_arrays_check_seal(arrays);
    r_arrays_check(&t, threads);
    return tie(pointer, &t, threads);
}

const struct ct_tree *r_tree(SEXP pointer)
{
    if (TYPEOF(pointer) != EXTPTRSXP)
        r_stop("tree must be a cover_tree, made by cover_tree()");
    const struct ct_tree *t = R_ExternalPtrAddr(pointer);
    if (t && !is_ours(pointer))
        r_stop("tree is damaged: its pointer is not one to a tree");
    return t ? t : restore(pointer, r_num_threads(R_NilValue));
}

static SEXP new_pointer(SEXP arrays)
{
    for (R_xlen_t i = 0; i < XLENGTH(arrays); i++)
        MARK_NOT_MUTABLE(VECTOR_ELT(arrays, i));
    MARK_NOT_MUTABLE(arrays);
    return R_MakeExternalPtr(NULL, R_NilValue, arrays);
}

SEXP r_tree_from_arrays(SEXP arrays, SEXP threads)
{
    int workers = r_num_threads(threads);
    struct ct_tree t = r_arrays_unpack(arrays);
    r_arrays_check(&t, workers);
    SEXP pointer = PROTECT(new_pointer(PROTECT(r_arrays_seal(arrays))));
    tie(pointer, &t, workers);
    UNPROTECT(2);
    return pointer;
}

SEXP r_tree_arrays(SEXP pointer)
{
    r_tree(pointer);
    return R_ExternalPtrProtected(pointer);
}

/* Points and rows in the order in which the build shall find them. */
static void lay_out(const double *x, int n, int d, int hilbert, int threads, double *points,
                    int *row)
{
    const void *mark = vmaxget();
    int *order = r_host.alloc((size_t)n, sizeof *order);
    if (hilbert)
        ct_hilbert_order(&r_host, x, n, d, threads, order);
    for (int pos = 0; pos < n; pos++)
        row[pos] = (hilbert ? order[pos] : pos) + 1;
    for (int j = 0; j < d; j++)
        for (int pos = 0; pos < n; pos++)
            points[pos + (size_t)j * n] = x[row[pos] - 1 + (size_t)j * n];
    vmaxset(mark);
}

SEXP r_tree_build(SEXP x, SEXP hilbert, SEXP leaf_size, SEXP simd, SEXP threads, SEXP settings)
{
    int n = Rf_nrows(x), d = Rf_ncols(x), workers = r_num_threads(threads);
    SEXP arrays = PROTECT(r_arrays_new(n, d, settings));
    double *points = r_arrays_points(arrays);
    int *row = r_arrays_row(arrays);
    lay_out(REAL_RO(x), n, d, Rf_asLogical(hilbert), workers, points, row);
    const struct ct_node_list *cells =
        ct_build(&r_host, r_kernels(simd), points, row, n, d, Rf_asInteger(leaf_size), workers);
    r_arrays_fill(arrays, cells, n, d, workers);
    SEXP pointer = PROTECT(new_pointer(PROTECT(r_arrays_seal(arrays))));
    struct ct_tree t = r_arrays_unpack(arrays);
    tie(pointer, &t, workers);
    UNPROTECT(3);
    return pointer;
}

SEXP r_tree_validate(SEXP pointer, SEXP threads)
{
    struct ct_validation report;
    ct_validate_tree(&r_host, r_tree(pointer), r_num_threads(threads), &report);
    SEXP counts = PROTECT(Rf_allocVector(INTSXP, CT_INVARIANTS));
    SEXP names = PROTECT(Rf_allocVector(STRSXP, CT_INVARIANTS));
    for (int law = 0; law < CT_INVARIANTS; law++) {
        INTEGER(counts)[law] = report.violations[law];
        SET_STRING_ELT(names, law, Rf_mkChar(r_invariant_name(law)));
    }
    Rf_setAttrib(counts, R_NamesSymbol, names);
    SEXP slack = PROTECT(Rf_allocVector(REALSXP, 2));
    REAL(slack)[0] = report.covering_slack;
    REAL(slack)[1] = report.separation_slack;
    SEXP found = PROTECT(Rf_allocVector(VECSXP, 2));
    SET_VECTOR_ELT(found, 0, counts);
    SET_VECTOR_ELT(found, 1, slack);
    UNPROTECT(4);
    return found;
}
