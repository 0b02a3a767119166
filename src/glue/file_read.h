/* file_read.h: an open file of arrays: its sections, mapped or read. */
#ifndef COVERTREE_GLUE_FILE_READ_H
#define COVERTREE_GLUE_FILE_READ_H

#include "core/covertree.h"
#include "glue/host.h"

/* Returns section number i, from 0, of an open file. An error if the section does not exist or has
 * another type. */
const struct ct_section *r_file_section_info(SEXP handle, int i, enum ct_section_type type);

/* Returns the values of a section in the map, which are valid as long as the handle; NULL if the
 * file is not mapped. */
const void *r_file_mapped(SEXP handle, const struct ct_section *section);

/* Whether an object is the handle of a file that this process has opened. */
int r_is_file_handle(SEXP handle);

/* An error if values do not match the checksum of their section. */
void r_file_check_values(const struct ct_section *section, const void *values);

#endif
