/* file_read.c: see file_read.h.
 *
 * A handle is an external pointer to a struct open_file in a raw vector, which it protects. Its
 * finalizer ends the mapping and closes the file. Vectors over the map refer to the handle. The
 * head is read, not mapped, so that a change of the file during the call cannot bypass the checks.
 */
#include "glue/file_read.h"
#include "glue/file_map.h"
#include "glue/mapped_vector.h"

#include <errno.h>
#include <string.h>

struct open_file {
    FILE *file;       /* NULL: closed */
    const char *base; /* of the map; NULL: not mapped */
    uint64_t size;    /* bytes */
    int sections;
    struct ct_section section[];
};

enum { PART = 1 << 24 }; /* bytes that are read between two polls for an interrupt */

static void close_file(struct open_file *open)
{
    if (open->file)
        fclose(open->file);
    open->file = NULL;
}

static void finalize(SEXP handle)
{
    struct open_file *open = R_ExternalPtrAddr(handle);
    if (!open)
        return;
    close_file(open);
    if (open->base)
        r_unmap_file(open->base, (size_t)open->size);
    open->base = NULL;
    R_ClearExternalPtr(handle);
}

static SEXP handle_tag(void)
{
    return Rf_install("covertree_file");
}

int r_is_file_handle(SEXP handle)
{
    return TYPEOF(handle) == EXTPTRSXP && R_ExternalPtrTag(handle) == handle_tag() &&
           R_ExternalPtrAddr(handle);
}

static struct open_file *file_of(SEXP handle)
{
    if (!r_is_file_handle(handle))
        r_stop("internal error: not an open file");
    return R_ExternalPtrAddr(handle);
}

/* Returns a handle of an open file, with memory for the sections, which are not set. */
static SEXP new_handle(FILE *file, int sections)
{
    size_t bytes = sizeof(struct open_file) + (size_t)sections * sizeof(struct ct_section);
    SEXP memory = PROTECT(Rf_allocVector(RAWSXP, (R_xlen_t)bytes));
    struct open_file *open = (struct open_file *)RAW(memory);
    *open = (struct open_file){.file = file, .sections = sections};
    SEXP handle = PROTECT(R_MakeExternalPtr(open, handle_tag(), memory));
    R_RegisterCFinalizer(handle, finalize);
    UNPROTECT(2);
    return handle;
}

/* ---- opening ------------------------------------------------------------------ */

/* Returns the reason to refuse a head, as the end of a message, or NULL. */
static const char *reason(enum ct_file_error error)
{
    switch (error) {
    case CT_FILE_OK:
        return NULL;
    case CT_FILE_TOO_SHORT:
        return "a file that ends within its head";
    case CT_FILE_FOREIGN:
        return "a file that begins otherwise";
    case CT_FILE_BYTE_ORDER:
        return "a file in big-endian byte order";
    case CT_FILE_NEWER:
        return "a file of a later version of covertree; update the package";
    default:
        return "a file whose head is damaged";
    }
}

/* Reads the head. Returns NULL, or the reason to refuse the file. limit: the size of the file
 * [bytes]; the head cannot be larger, which limits the memory for it. */
static const char *read_head(FILE *file, int64_t limit, struct ct_file_info *info,
                             struct ct_section **section)
{
    unsigned char prologue[CT_FILE_PROLOGUE];
    size_t got = fread(prologue, 1, sizeof prologue, file);
    if (got == 0)
        return "an empty file";
    enum ct_file_error error = ct_read_file_info(prologue, got, info);
    if (error != CT_FILE_OK)
        return reason(error);
    if (info->head_size > (uint64_t)limit)
        return reason(CT_FILE_TOO_SHORT);
    unsigned char *head = (unsigned char *)r_host.alloc((size_t)info->head_size, 1);
    *section = r_host.alloc((size_t)info->sections, sizeof **section);
    if (r_file_seek(file, 0) != 0 || fread(head, 1, info->head_size, file) != info->head_size)
        return reason(CT_FILE_TOO_SHORT);
    return reason(ct_read_file_table(head, info, *section));
}

/* Closes the file of a handle, and stops. */
NORET static void refuse(SEXP handle, const char *got)
{
    finalize(handle);
    r_stop("path must be a file that write_tree() wrote: got %s", got);
}

/* Maps a file, unless it must not be mapped; sections are then read. */
static void map_file(struct open_file *open, int map)
{
    if (map && ct_is_little_endian() && open->size <= SIZE_MAX)
        open->base = r_map_file(open->file, (size_t)open->size);
}

/* Returns the handle of a file, with its table checked. The values are not read. */
SEXP r_file_open(SEXP path, SEXP map)
{
    FILE *file = fopen(Rf_translateChar(STRING_ELT(path, 0)), "rb");
    if (!file)
        r_stop("path must be a file that can be read: got \"%s\"", strerror(errno));
    SEXP handle = PROTECT(new_handle(file, 0));
    struct ct_file_info info;
    struct ct_section *section = NULL;
    int64_t size = r_file_size(file);
    const char *wrong = read_head(file, size, &info, &section);
    if (wrong)
        refuse(handle, wrong);
    if ((uint64_t)size != info.file_size) {
        char got[96];
        snprintf(got, sizeof got, "%.0f bytes of a file of %.0f", (double)size,
                 (double)info.file_size);
        refuse(handle, got);
    }
    file_of(handle)->file = NULL;
    handle = PROTECT(new_handle(file, info.sections));
    struct open_file *open = file_of(handle);
    open->size = info.file_size;
    memcpy(open->section, section, (size_t)info.sections * sizeof *section);
    map_file(open, Rf_asLogical(map));
    UNPROTECT(2);
    return handle;
}

/* Closes a file after all sections are read or mapped. A map stays as long as vectors refer to it.
 * */
SEXP r_file_close(SEXP handle)
{
    close_file(file_of(handle));
    return R_NilValue;
}

/* ---- sections ------------------------------------------------------------------ */

const struct ct_section *r_file_section_info(SEXP handle, int i, enum ct_section_type type)
{
    const struct open_file *open = file_of(handle);
    if (i < 0 || i >= open->sections || open->section[i].type != type)
        r_stop("path must be a file that write_tree() wrote: got one without the section %d of the "
               "type that its description tells",
               i + 1);
    return &open->section[i];
}

const void *r_file_mapped(SEXP handle, const struct ct_section *section)
{
    const struct open_file *open = file_of(handle);
    return open->base ? open->base + section->offset : NULL;
}

void r_file_check_values(const struct ct_section *section, const void *values)
{
    if (ct_section_checksum(values, section->type, section->count) != section->checksum)
        r_stop(
            "path must be an undamaged file: its section `%s` does not match its checksum; write "
            "it again with write_tree()",
            section->name);
}

/* Reads the values of a section to memory, and checks them. */
static void read_values(const struct open_file *open, const struct ct_section *section, void *to)
{
    size_t bytes = (size_t)section->count * ct_section_value_size(section->type), done = 0;
    if (!open->file || r_file_seek(open->file, section->offset) != 0)
        r_stop("path must be a file that can be read: got a failure to read section `%s`",
               section->name);
    while (done < bytes) {
        size_t part = bytes - done < PART ? bytes - done : PART;
        if (fread((char *)to + done, 1, part, open->file) != part)
            r_stop("path must be a file that can be read: got a failure to read section `%s`",
                   section->name);
        done += part;
        r_host.poll();
    }
    if (!ct_is_little_endian())
        ct_swap_bytes(to, section->type, section->count);
    r_file_check_values(section, to);
}

static enum ct_section_type section_type(SEXPTYPE type)
{
    return type == RAWSXP   ? CT_SECTION_BYTES
           : type == INTSXP ? CT_SECTION_INT32
                            : CT_SECTION_FLOAT64;
}

/* Returns section `number`, from 1, as a vector of the type of `like`: a mapped vector, or a plain
 * vector with checked values. Raw vectors, such as the description, are always plain, and are read
 * from the file and not from the map. */
static SEXP section_vector(SEXP handle, int number, SEXPTYPE type)
{
    struct open_file *open = file_of(handle);
    const struct ct_section *section = r_file_section_info(handle, number - 1, section_type(type));
    const void *values = r_file_mapped(handle, section);
    if (section->count > R_XLEN_T_MAX)
        r_stop("path must be a file with sections of at most %.0f values: got %.0f",
               (double)R_XLEN_T_MAX, (double)section->count);
    R_xlen_t length = (R_xlen_t)section->count;
    if (values && type != RAWSXP)
        return r_mapped_vector(type, values, length, handle);
    SEXP vector = PROTECT(Rf_allocVector(type, length));
    void *to = type == RAWSXP   ? (void *)RAW(vector)
               : type == INTSXP ? (void *)INTEGER(vector)
                                : (void *)REAL(vector);
    read_values(open, section, to);
    UNPROTECT(1);
    return vector;
}

/* Returns a section as a vector of the type of `like` with these attributes, a named list. The
 * vector is marked as shared, so R code changes only copies. */
SEXP r_file_section(SEXP handle, SEXP number, SEXP like, SEXP attributes)
{
    SEXP vector = PROTECT(section_vector(handle, Rf_asInteger(number), TYPEOF(like)));
    SEXP names = Rf_getAttrib(attributes, R_NamesSymbol);
    for (R_xlen_t i = 0; i < Rf_xlength(attributes); i++)
        Rf_setAttrib(vector, Rf_installChar(STRING_ELT(names, i)), VECTOR_ELT(attributes, i));
    MARK_NOT_MUTABLE(vector);
    UNPROTECT(1);
    return vector;
}

/* Compares the checksums of all sections. Reads the whole file. */
SEXP r_file_verify(SEXP handle)
{
    struct open_file *open = file_of(handle);
    for (int i = 0; i < open->sections; i++) {
        const struct ct_section *section = &open->section[i];
        const void *mark = vmaxget(), *values = r_file_mapped(handle, section);
        if (values)
            r_file_check_values(section, values);
        else
            read_values(open, section,
                        r_host.alloc((size_t)section->count, ct_section_value_size(section->type)));
        vmaxset(mark);
        r_host.poll();
    }
    return R_NilValue;
}
