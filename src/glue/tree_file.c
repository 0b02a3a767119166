/* tree_file.c: see tree_file.h. */
#include "glue/tree_file.h"
#include "glue/file_read.h"
#include "glue/tree_arrays.h"

enum { SOURCE_HANDLE, SOURCE_SECTIONS, SOURCE_SIZE };

SEXP r_source_handle(SEXP source)
{
    return VECTOR_ELT(source, SOURCE_HANDLE);
}

int r_is_source(SEXP source)
{
    return TYPEOF(source) == VECSXP && XLENGTH(source) == SOURCE_SIZE &&
           r_is_file_handle(r_source_handle(source)) &&
           TYPEOF(VECTOR_ELT(source, SOURCE_SECTIONS)) == INTSXP &&
           XLENGTH(VECTOR_ELT(source, SOURCE_SECTIONS)) == CT_ARRAYS + CT_TILE_FLOATS;
}

/* Section number i of a source, from 0. */
static const struct ct_section *section_of(SEXP source, int i, enum ct_section_type type)
{
    int number = INTEGER_RO(VECTOR_ELT(source, SOURCE_SECTIONS))[i];
    return r_file_section_info(r_source_handle(source), number - 1, type);
}

/* Compares the checksums of the arrays of nodes, from which a search computes addresses. */
static void check_node_arrays(SEXP source, const struct ct_tree *t)
{
    const void *values[] = {
#define VALUES(NAME, name, type, shape) t->name,
        CT_TREE_ARRAYS(VALUES)};
    for (int i = 0; i < CT_ARRAYS; i++) {
        if (ct_array_info[i].shape == CT_SHAPE_N || ct_array_info[i].shape == CT_SHAPE_N_D)
            continue;
        enum ct_section_type type =
            ct_array_info[i].type == CT_TYPE_int ? CT_SECTION_INT32 : CT_SECTION_FLOAT64;
        r_file_check_values(section_of(source, i, type), values[i]);
    }
}

void r_source_check(SEXP source, const struct ct_tree *t)
{
    if (r_file_mapped(r_source_handle(source), section_of(source, 0, CT_SECTION_FLOAT64)))
        check_node_arrays(source, t);
    r_arrays_check_safe(t);
}

const struct ct_tiles *r_source_tiles(SEXP source, const struct ct_tree *t,
                                      const struct ct_memory *memory)
{
    float *floats[CT_TILE_FLOATS];
    size_t length[CT_TILE_FLOATS];
    ct_tiles_lengths(t, length);
    for (int i = 0; i < CT_TILE_FLOATS; i++) {
        const struct ct_section *section = section_of(source, CT_ARRAYS + i, CT_SECTION_FLOAT32);
        if (section->count != length[i])
            r_stop("path must be a file that write_tree() wrote: its section `%s` must have %.0f "
                   "values, not %.0f",
                   section->name, (double)length[i], (double)section->count);
        floats[i] = (float *)r_file_mapped(r_source_handle(source), section);
        if (!floats[i])
            return NULL;
    }
    return ct_tiles_over(&r_host, t, memory, floats);
}
