/* file_map.h: calls of the operating system for files: mapping, forced writes, kinds of paths.
 *
 * The only code of files that differs between systems.
 */
#ifndef COVERTREE_GLUE_FILE_MAP_H
#define COVERTREE_GLUE_FILE_MAP_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Returns the `size` bytes of an open file as read-only memory, which stays valid when the file is
 * closed or removed; NULL if the system cannot map files, or not this one. */
const char *r_map_file(FILE *file, size_t size);

/* Ends a mapping. */
void r_unmap_file(const char *base, size_t size);

/* Makes mapped memory writable for this process: a page that is written becomes a private copy of
 * the page, and the file stays as it is. Returns 0, or another value if that fails. */
int r_make_writable(const void *values, size_t bytes);

/* Returns the size of an open file [bytes]; -1 if it cannot be found. */
int64_t r_file_size(FILE *file);

/* Moves to a place in the file. Returns 0, or another value if that fails. */
int r_file_seek(FILE *file, uint64_t offset);

/* Writes all data of an open file to the disk, as far as the file system can do this. Returns 0, or
 * another value with errno set. */
int r_sync_file(FILE *file);

#endif
