/* file_map.h: calls of the operating system for files: mapping, forced writes, kinds of paths.
 *
 * All code for files that differs between systems is here.
 */
#ifndef COVERTREE_GLUE_FILE_MAP_H
#define COVERTREE_GLUE_FILE_MAP_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Returns the `size` bytes of an open file as read-only memory, which stays valid after the file is
 * closed or removed. NULL if the system cannot map files, or cannot map this file. */
const char *r_map_file(FILE *file, size_t size);

/* Ends a mapping. */
void r_unmap_file(const char *base, size_t size);

/* Makes mapped memory writable for this process. The first write to a page makes a private copy of
 * the page; the file does not change. Returns 0, or another value on failure. */
int r_make_writable(const void *values, size_t bytes);

/* Returns the size of an open file [bytes], or -1 on failure. */
int64_t r_file_size(FILE *file);

/* Moves to a place in the file. Returns 0, or another value on failure. */
int r_file_seek(FILE *file, uint64_t offset);

/* Writes all data of an open file to the disk, as far as the file system can do this. Returns 0, or
 * another value with errno set. */
int r_sync_file(FILE *file);

#endif
