/* tree_handle.c: an external pointer to a tree over R's arrays.
 *
 * The address of the pointer is the address of a struct ct_tree. The struct points into the
 * arrays, the tiles and the prefix trees. All memory is R's:
 *
 *   pointer -- protects --> arrays
 *           -- tag -------> list(key, weak reference from key to the memory)
 *   memory: list(struct ct_tree, tiles, prefix trees), of raw vectors
 *
 * Tiles and prefix trees are derived from the arrays, and must not be saved with them. R
 * saves nothing of a weak reference: a file holds the arrays alone. The key is a second
 * external pointer, to nothing. With the tree's pointer as key, the tag would refer back to
 * its owner, and functions that follow all references, like object.size(), would not end.
 * The garbage collector frees key, tag, pointer and memory together.
 *
 * A pointer from saveRDS() has no address. The first use checks the arrays and makes a new struct
 * over them. No value in a file is trusted, including the tag. A pointer from read_tree() has no
 * address either before the first use, and keeps its source (tree_file.h) in place of the memory;
 * its tiles may lie in the mapped file, whose handle is then kept with the memory.
 */
#include "glue/tree_handle.h"
#include "core/covertree.h"
#include "glue/simd.h"
#include "glue/threads.h"
#include "glue/tree_arrays.h"
#include "glue/tree_file.h"

#include <stdio.h>
#include <string.h>

enum { TAG_KEY, TAG_REFERENCE, TAG_SIZE };
enum { MEMORY_TREE, MEMORY_TILES, MEMORY_PREFIX, MEMORY_SIZE };

/* ---- memory for the core ---------------------------------------------------- */

/* Context of struct ct_memory: arrays become elements of a list, all other memory raw vectors.
 * Without a list, arrays are raw vectors as well. */
struct tree_memory {
    SEXP arrays; /* protected by the caller; NULL: none */
    int d;
    SEXP raw; /* pairlist of raw vectors, protected at `index` */
    PROTECT_INDEX index;
};

/* Returns memory in an R vector that is protected from now on. */
static void *tree_alloc(void *context, enum ct_array array, size_t count, size_t size)
{
    struct tree_memory *memory = context;
    if (memory->arrays && array != CT_NO_ARRAY)
        return r_arrays_alloc(memory->arrays, array, count, memory->d);
    SEXP raw = PROTECT(Rf_allocVector(RAWSXP, (R_xlen_t)(count * size)));
    REPROTECT(memory->raw = Rf_cons(raw, memory->raw), memory->index);
    UNPROTECT(1);
    return RAW(raw);
}

/* ---- pointers --------------------------------------------------------------- */

/* Returns the tag of a pointer. The tag keeps memory or, before the first use, a source. */
static SEXP new_tag(SEXP memory)
{
    SEXP tag = PROTECT(Rf_allocVector(VECSXP, TAG_SIZE)), key;
    SET_VECTOR_ELT(tag, TAG_KEY, key = R_MakeExternalPtr(NULL, R_NilValue, R_NilValue));
    SET_VECTOR_ELT(tag, TAG_REFERENCE, R_MakeWeakRef(key, memory, R_NilValue, FALSE));
    UNPROTECT(1);
    return tag;
}

/* Returns the object that the tag of a pointer keeps, or NULL if this file did not make the tag. */
static SEXP kept_by(SEXP pointer)
{
    SEXP tag = R_ExternalPtrTag(pointer);
    if (TYPEOF(tag) != VECSXP || XLENGTH(tag) != TAG_SIZE ||
        TYPEOF(VECTOR_ELT(tag, TAG_REFERENCE)) != WEAKREFSXP)
        return NULL;
    return R_WeakRefValue(VECTOR_ELT(tag, TAG_REFERENCE));
}

/* Returns the memory kept by the tag of a pointer; NULL if there is none, or if the address of the
 * pointer lies elsewhere. */
static SEXP memory_of(SEXP pointer)
{
    SEXP memory = kept_by(pointer);
    if (!memory || TYPEOF(memory) != VECSXP || XLENGTH(memory) != MEMORY_SIZE)
        return NULL;
    SEXP tree = VECTOR_ELT(memory, MEMORY_TREE);
    return TYPEOF(tree) == RAWSXP && RAW(tree) == R_ExternalPtrAddr(pointer) ? memory : NULL;
}

/* Makes a pointer point to a tree with tiles in the raw vectors `tiles`. */
static const struct ct_tree *set_tree(SEXP pointer, const struct ct_tree *t, SEXP tiles)
{
    SEXP memory = PROTECT(Rf_allocVector(VECSXP, MEMORY_SIZE));
    SEXP tree = Rf_allocVector(RAWSXP, sizeof *t);
    SET_VECTOR_ELT(memory, MEMORY_TREE, tree);
    SET_VECTOR_ELT(memory, MEMORY_TILES, tiles);
    memcpy(RAW(tree), t, sizeof *t);
    R_SetExternalPtrTag(pointer, new_tag(memory));
    R_SetExternalPtrAddr(pointer, RAW(tree));
    UNPROTECT(1);
    return R_ExternalPtrAddr(pointer);
}

/* Builds the tiles of a tree, and makes a pointer point to the tree. */
static const struct ct_tree *set_tree_build_tiles(SEXP pointer, struct ct_tree *t, int threads)
{
    struct tree_memory memory = {.raw = R_NilValue};
    struct ct_memory core_memory = {tree_alloc, &memory};
    PROTECT_WITH_INDEX(memory.raw, &memory.index);
    t->tiles = ct_tiles_build(&r_host, t, &core_memory, threads);
    const struct ct_tree *tree = set_tree(pointer, t, memory.raw);
    UNPROTECT(1);
    return tree;
}

/* Checks the arrays of a pointer without an address, and gives the pointer a tree. */
static const struct ct_tree *restore(SEXP pointer, int threads)
{
    SEXP arrays = R_ExternalPtrProtected(pointer);
    struct ct_tree t = r_arrays_unpack(arrays);
    r_arrays_check_seal(arrays);
    r_arrays_check(&t, threads);
    return set_tree_build_tiles(pointer, &t, threads);
}

/* Like the function above, for a pointer to a tree in an open file. Uses tiles in a mapped file in
 * place. */
static const struct ct_tree *restore_from_file(SEXP pointer, SEXP source, int threads)
{
    PROTECT(source);
    struct ct_tree t = r_arrays_unpack(R_ExternalPtrProtected(pointer));
    struct tree_memory memory = {.raw = R_NilValue};
    struct ct_memory core_memory = {tree_alloc, &memory};
    PROTECT_WITH_INDEX(memory.raw, &memory.index);
    r_source_check(source, &t);
    t.tiles = r_source_tiles(source, &t, &core_memory);
    if (!t.tiles)
        t.tiles = ct_tiles_build(&r_host, &t, &core_memory, threads);
    REPROTECT(memory.raw = Rf_cons(r_source_handle(source), memory.raw), memory.index);
    const struct ct_tree *tree = set_tree(pointer, &t, memory.raw);
    UNPROTECT(2);
    return tree;
}

const struct ct_tree *r_tree(SEXP pointer)
{
    if (TYPEOF(pointer) != EXTPTRSXP)
        r_stop("tree must be a cover_tree, made by cover_tree()");
    const struct ct_tree *t = R_ExternalPtrAddr(pointer);
    if (t && !memory_of(pointer))
        r_stop("tree is damaged: its pointer is not one to a tree");
    if (t)
        return t;
    int threads = r_num_threads(R_NilValue);
    SEXP source = kept_by(pointer);
    return source && r_is_source(source) ? restore_from_file(pointer, source, threads)
                                         : restore(pointer, threads);
}

/* Returns a pointer without an address. The arrays become immutable: R changes copies only. */
static SEXP new_pointer(SEXP arrays)
{
    for (R_xlen_t i = 0; i < XLENGTH(arrays); i++)
        MARK_NOT_MUTABLE(VECTOR_ELT(arrays, i));
    MARK_NOT_MUTABLE(arrays);
    return R_MakeExternalPtr(NULL, R_NilValue, arrays);
}

/* Returns a pointer to the tree of a list of arrays from the user; an error if the arrays are
 * not a tree. Shares the vectors. */
SEXP r_tree_from_arrays(SEXP arrays, SEXP threads)
{
    int workers = r_num_threads(threads);
    struct ct_tree t = r_arrays_unpack(arrays);
    r_arrays_check(&t, workers);
    SEXP pointer = PROTECT(new_pointer(PROTECT(r_arrays_seal(arrays))));
    set_tree_build_tiles(pointer, &t, workers);
    UNPROTECT(2);
    return pointer;
}

/* Returns a pointer to the tree of a list of arrays, with checksums, from an open file. Their types
 * and sizes are checked; the values are checked at the first use. */
SEXP r_tree_from_file(SEXP arrays, SEXP source)
{
    r_arrays_unpack(arrays);
    if (!r_is_source(source))
        r_stop("path must be a file that write_tree() wrote: its description is damaged");
    SEXP pointer = PROTECT(new_pointer(arrays));
    R_SetExternalPtrTag(pointer, new_tag(source));
    UNPROTECT(1);
    return pointer;
}

/* Returns the list of arrays of a tree, with checksums. */
SEXP r_tree_arrays(SEXP pointer)
{
    r_tree(pointer);
    return R_ExternalPtrProtected(pointer);
}

/* ---- prefix trees ----------------------------------------------------------- */

void r_build_prefix_trees(SEXP pointer, const struct ct_kernels *kernels, int threads, int k)
{
    const struct ct_tree *t = r_tree(pointer);
    if (t->prefix || ct_count_prefix_trees(t->n, k) == 0)
        return;
    struct tree_memory memory = {.raw = R_NilValue};
    struct ct_memory core_memory = {tree_alloc, &memory};
    PROTECT_WITH_INDEX(memory.raw, &memory.index);
    const struct ct_tree *prefix = ct_build_prefix_trees(&r_host, t, ct_count_prefix_trees(t->n, 0),
                                                         kernels, threads, &core_memory);
    SEXP kept = memory_of(pointer);
    SET_VECTOR_ELT(kept, MEMORY_PREFIX, memory.raw);
    ((struct ct_tree *)RAW(VECTOR_ELT(kept, MEMORY_TREE)))->prefix = prefix;
    UNPROTECT(1);
}

/* For tests: returns the number of rows of each kept prefix tree, with the address of the first
 * as attribute "address"; no values before the first predecessor query. */
SEXP r_prefix_trees(SEXP pointer)
{
    const struct ct_tree *t = r_tree(pointer);
    int count = t->prefix ? ct_count_prefix_trees(t->n, 0) : 0;
    char address[32];
    snprintf(address, sizeof address, "%p", (const void *)t->prefix);
    SEXP rows = PROTECT(Rf_allocVector(INTSXP, count));
    for (int i = 0; i < count; i++)
        INTEGER(rows)[i] = t->prefix[i].n;
    Rf_setAttrib(rows, Rf_install("address"), PROTECT(Rf_mkString(address)));
    UNPROTECT(2);
    return rows;
}

/* ---- build and validation ---------------------------------------------------- */

/* Returns a pointer to the tree of the rows of x. settings: list of the values that are saved
 * with the arrays. */
SEXP r_tree_build(SEXP x, SEXP hilbert, SEXP leaf_size, SEXP simd, SEXP threads, SEXP settings)
{
    size_t n = (size_t)Rf_nrows(x), d = (size_t)Rf_ncols(x);
    SEXP list = PROTECT(r_arrays_new(settings));
    struct tree_memory memory = {.arrays = list, .d = (int)d, .raw = R_NilValue};
    struct ct_memory core_memory = {tree_alloc, &memory};
    struct ct_build_options options = {.kernels = r_kernels(simd),
                                       .leaf_size = Rf_asInteger(leaf_size),
                                       .threads = r_num_threads(threads),
                                       .memory = &core_memory};
    struct ct_tree_arrays arrays = {
        .n = (int)n,
        .d = (int)d,
        .points = r_arrays_alloc(list, CT_ARRAY_POINTS, n * d, (int)d),
        .row = r_arrays_alloc(list, CT_ARRAY_ROW, n, (int)d),
    };
    PROTECT_WITH_INDEX(memory.raw, &memory.index);
    struct ct_host host = r_host_with_progress();
    struct ct_tree t =
        ct_tree_build_from(&host, &options, REAL_RO(x), Rf_asLogical(hilbert), &arrays);
    SEXP pointer = PROTECT(new_pointer(PROTECT(r_arrays_seal(list))));
    set_tree(pointer, &t, memory.raw);
    UNPROTECT(4);
    return pointer;
}

/* Returns list(number of violations by invariant, c(covering slack, separation slack)). */
SEXP r_tree_validate(SEXP pointer, SEXP threads)
{
    struct ct_validation validation;
    ct_validate_tree(&r_host, r_tree(pointer), r_num_threads(threads), &validation);
    SEXP counts = PROTECT(Rf_allocVector(INTSXP, CT_INVARIANTS));
    SEXP names = PROTECT(Rf_allocVector(STRSXP, CT_INVARIANTS));
    for (int i = 0; i < CT_INVARIANTS; i++) {
        INTEGER(counts)[i] = validation.violations[i];
        SET_STRING_ELT(names, i, Rf_mkChar(ct_invariant_info[i].name));
    }
    Rf_setAttrib(counts, R_NamesSymbol, names);
    SEXP slack = PROTECT(Rf_allocVector(REALSXP, 2));
    REAL(slack)[0] = validation.covering_slack;
    REAL(slack)[1] = validation.separation_slack;
    SEXP found = PROTECT(Rf_allocVector(VECSXP, 2));
    SET_VECTOR_ELT(found, 0, counts);
    SET_VECTOR_ELT(found, 1, slack);
    UNPROTECT(4);
    return found;
}
