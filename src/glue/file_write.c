/* file_write.c: writes a file of arrays (core/file/section_file.h).
 *
 * Checksums are computed first, so that the file is written from front to back. Any failure is
 * returned as a message; R then removes the file. An interrupt closes the file.
 */
#include "glue/file_map.h"
#include "glue/tree_handle.h"

#include <errno.h>
#include <string.h>

enum { PART = 1 << 22 }; /* bytes that are written between two polls for an interrupt */

/* A file that is being written. */
struct writer {
    FILE *file; /* NULL: closed */
    int count;
    struct ct_section *section; /* [count] */
    const void **values;        /* [count] */
    unsigned char *buffer;      /* [PART], for machines that are not little-endian */
    int error;                  /* errno of the first failure; 0: none */
};

/* ---- the sections ---------------------------------------------------------------- */

/* The floats of tiles: of = list(pointer of a tree, number of the array from 1). */
static void add_floats(struct writer *w, int i, SEXP of)
{
    const struct ct_tree *t = r_tree(VECTOR_ELT(of, 0));
    int part = Rf_asInteger(VECTOR_ELT(of, 1)) - 1;
    const float *floats[CT_TILE_FLOATS];
    size_t length[CT_TILE_FLOATS];
    ct_tiles_floats(t->tiles, floats);
    ct_tiles_lengths(t, length);
    w->section[i].type = CT_SECTION_FLOAT32;
    w->section[i].count = length[part];
    w->values[i] = floats[part];
}

/* Describes section i, whose values are a vector or, as a list, floats of tiles. */
static void add_section(struct writer *w, int i, SEXP from, const char *name)
{
    struct ct_section *section = &w->section[i];
    memset(section, 0, sizeof *section);
    strncpy(section->name, name, CT_SECTION_NAME - 1);
    section->count = (uint64_t)XLENGTH(from);
    switch (TYPEOF(from)) {
    case RAWSXP:
        section->type = CT_SECTION_BYTES;
        w->values[i] = RAW_RO(from);
        break;
    case LGLSXP:
        section->type = CT_SECTION_INT32;
        w->values[i] = LOGICAL_RO(from);
        break;
    case INTSXP:
        section->type = CT_SECTION_INT32;
        w->values[i] = INTEGER_RO(from);
        break;
    case REALSXP:
        section->type = CT_SECTION_FLOAT64;
        w->values[i] = REAL_RO(from);
        break;
    default:
        add_floats(w, i, from);
    }
    section->checksum = ct_section_checksum(w->values[i], section->type, section->count);
}

/* ---- writing --------------------------------------------------------------------- */

/* Writes bytes, unless an earlier call failed. */
static void write_bytes(struct writer *w, const void *bytes, size_t count)
{
    if (w->error || count == 0)
        return;
    errno = 0;
    if (fwrite(bytes, 1, count, w->file) != count)
        w->error = errno ? errno : EIO;
}

/* Writes zeros up to the next page. */
static void write_padding(struct writer *w, uint64_t written)
{
    static const char zeros[CT_FILE_PAGE];
    write_bytes(w, zeros, (size_t)((CT_FILE_PAGE - written % CT_FILE_PAGE) % CT_FILE_PAGE));
}

static void write_section(struct writer *w, int i)
{
    const struct ct_section *section = &w->section[i];
    size_t size = ct_section_value_size(section->type);
    size_t bytes = (size_t)section->count * size;
    for (size_t done = 0; done < bytes && !w->error; done += PART) {
        size_t part = bytes - done < PART ? bytes - done : PART;
        const void *from = (const char *)w->values[i] + done;
        if (!ct_is_little_endian()) {
            memcpy(w->buffer, from, part);
            ct_swap_bytes(w->buffer, section->type, part / size);
            from = w->buffer;
        }
        write_bytes(w, from, part);
        r_host.poll();
    }
    write_padding(w, bytes);
}

static SEXP write_all(void *data)
{
    struct writer *w = data;
    size_t size = (size_t)ct_file_head_size(w->count);
    unsigned char *head = r_host.alloc(size, 1);
    ct_write_file_head(w->section, w->count, head);
    write_bytes(w, head, size);
    for (int i = 0; i < w->count; i++)
        write_section(w, i);
    if (!w->error && r_sync_file(w->file) != 0)
        w->error = errno;
    FILE *file = w->file;
    w->file = NULL;
    if (fclose(file) != 0 && !w->error)
        w->error = errno;
    return R_NilValue;
}

/* Closes the file, also after an error or an interrupt. */
static void close_writer(void *data)
{
    struct writer *w = data;
    if (w->file)
        fclose(w->file);
    w->file = NULL;
}

/* Writes sections with these names to a new file, and waits until they are on the disk. Returns
 * NULL, or the message of the system on failure. */
SEXP r_file_write(SEXP path, SEXP sections, SEXP names)
{
    struct writer w = {.count = (int)XLENGTH(sections)};
    w.section = r_host.alloc((size_t)w.count, sizeof *w.section);
    w.values = r_host.alloc((size_t)w.count, sizeof *w.values);
    w.buffer = ct_is_little_endian() ? NULL : r_host.alloc(PART, 1);
    for (int i = 0; i < w.count; i++) {
        add_section(&w, i, VECTOR_ELT(sections, i), CHAR(STRING_ELT(names, i)));
        r_host.poll();
    }
    ct_place_sections(w.section, w.count);
    w.file = fopen(Rf_translateChar(STRING_ELT(path, 0)), "wb");
    if (!w.file)
        return Rf_mkString(strerror(errno));
    R_ExecWithCleanup(write_all, &w, close_writer, &w);
    return w.error ? Rf_mkString(strerror(w.error)) : R_NilValue;
}
