/* section_file.h: the layout of a file of arrays: a head, then one section for each array.
 *
 * The head is the prologue and the table of sections. Head and sections begin at multiples of
 * CT_FILE_PAGE bytes, so that a host can map the file and use the arrays in place. All numbers are
 * little-endian.
 *
 *   prologue [64 bytes]
 *      0  magic [8]: 89 43 56 54 0d 0a 1a 0a (hexadecimal)
 *      8  uint32: byte order, 0x01020304
 *     12  uint32: version of the layout, CT_FILE_VERSION
 *     16  uint64: size of the file [bytes], a multiple of CT_FILE_PAGE
 *     24  uint32: number of sections
 *     28  uint32: CT_FILE_PAGE
 *     32  uint64: checksum of prologue and table, in which this field is 0
 *     40  zeros
 *   table: for each section [80 bytes], in the order of the offsets
 *      0  name [40]: ASCII, padded with zeros, at least one
 *     40  uint32: type, enum ct_section_type
 *     44  uint32: 0
 *     48  uint64: offset in the file [bytes]
 *     56  uint64: number of values
 *     64  uint64: checksum of the values
 *     72  uint64: 0
 *
 * Checksums are XXH64 (util/checksum.h). This file reads and writes bytes in memory; the host
 * reads and writes the file. Bytes from a file may contain anything: every function is safe for
 * all of them.
 */
#ifndef COVERTREE_FILE_SECTION_FILE_H
#define COVERTREE_FILE_SECTION_FILE_H

#include "core/util/float.h"

#include <stddef.h>
#include <stdint.h>

enum {
    CT_FILE_PAGE = 4096,
    CT_FILE_VERSION = 1,
    CT_FILE_PROLOGUE = 64,      /* bytes */
    CT_FILE_ENTRY = 80,         /* bytes of a section in the table */
    CT_FILE_SECTIONS = 1 << 20, /* largest number of sections */
    CT_SECTION_NAME = 40
};

enum ct_section_type {
    CT_SECTION_BYTES = 1,
    CT_SECTION_INT32,
    CT_SECTION_FLOAT32,
    CT_SECTION_FLOAT64
};

struct ct_section {
    char name[CT_SECTION_NAME]; /* ends with a zero */
    enum ct_section_type type;
    uint64_t offset, count, checksum;
};

/* The values of a prologue. */
struct ct_file_info {
    uint32_t version;   /* also set for CT_FILE_NEWER */
    uint64_t file_size; /* bytes */
    uint64_t head_size; /* bytes of prologue and table, rounded up to pages */
    int sections;
};

enum ct_file_error {
    CT_FILE_OK,
    CT_FILE_TOO_SHORT,  /* less than a prologue */
    CT_FILE_FOREIGN,    /* another magic */
    CT_FILE_BYTE_ORDER, /* another byte order */
    CT_FILE_NEWER,      /* a later version of the layout */
    CT_FILE_DAMAGED     /* a head that does not match its checksum, or that makes no sense */
};

/* Bytes of one value of a type; 0 for a number that is not a type. */
size_t ct_section_value_size(int type);

/* XXH64 of the values of a section, in the byte order of this machine. */
uint64_t ct_section_checksum(const void *values, enum ct_section_type type, uint64_t count);

/* Whether this machine is little-endian, so that values are the bytes of the file. */
int ct_is_little_endian(void);

/* Reverses the bytes of each of `count` values of a type in place. */
void ct_swap_bytes(void *values, enum ct_section_type type, uint64_t count);

/* Bytes of the head of a file with this number of sections: whole pages. */
uint64_t ct_file_head_size(int sections);

/* Sets the offsets of sections with given types and counts, in order. Returns the size of the
 * file. */
uint64_t ct_place_sections(struct ct_section *section, int sections);

/* Writes the head of a file of these sections to head [ct_file_head_size(sections)]. */
void ct_write_file_head(const struct ct_section *section, int sections, unsigned char *head);

/* Reads the prologue from the first `size` bytes of a file. */
enum ct_file_error ct_read_file_info(const unsigned char *bytes, size_t size,
                                     struct ct_file_info *info);

/* Reads the table from the head [info->head_size] into section [info->sections]. Afterwards all
 * sections lie within the file, at multiples of CT_FILE_PAGE, and do not overlap. */
enum ct_file_error ct_read_file_table(const unsigned char *head, const struct ct_file_info *info,
                                      struct ct_section *section);

#endif
