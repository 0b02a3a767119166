/* file_map.c: see file_map.h.
 *
 * On Windows, files are read and not mapped, because Windows does not permit to replace a mapped
 * file.
 */
#ifndef _WIN32
#define _FILE_OFFSET_BITS 64 /* files of more than 2 GB on 32-bit systems */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>
#else
#include <io.h>
#endif
#include "glue/file_map.h"
#include "glue/host.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

/* The kinds of paths, as numbers for R. */
enum { NOTHING, REGULAR_FILE, FOLDER, OTHER };

enum { OUTPUT = 1, OUTPUT_PART = 1 << 20 }; /* file descriptor; bytes of one write */

const char *r_map_file(FILE *file, size_t size)
{
#ifndef _WIN32
    void *base = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fileno(file), 0);
    return base == MAP_FAILED ? NULL : base;
#else
    (void)file;
    (void)size;
    return NULL;
#endif
}

void r_unmap_file(const char *base, size_t size)
{
#ifndef _WIN32
    munmap((void *)base, size);
#else
    (void)base;
    (void)size;
#endif
}

int r_make_writable(const void *values, size_t bytes)
{
#ifndef _WIN32
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), before = (uintptr_t)values % page;
    return mprotect((char *)values - before, bytes + before, PROT_READ | PROT_WRITE);
#else
    (void)values;
    (void)bytes;
    return -1;
#endif
}

int64_t r_file_size(FILE *file)
{
#ifndef _WIN32
    struct stat status;
    return fstat(fileno(file), &status) == 0 ? (int64_t)status.st_size : -1;
#else
    return _filelengthi64(_fileno(file));
#endif
}

int r_file_seek(FILE *file, uint64_t offset)
{
#ifndef _WIN32
    return fseeko(file, (off_t)offset, SEEK_SET);
#else
    return _fseeki64(file, (int64_t)offset, SEEK_SET);
#endif
}

int r_sync_file(FILE *file)
{
    if (fflush(file) != 0)
        return -1;
#ifndef _WIN32
    return fsync(fileno(file)) == 0 || errno == EINVAL || errno == ENOSYS ? 0 : -1;
#else
    return _commit(_fileno(file));
#endif
}

/* Returns the kind of a path. */
SEXP r_path_kind(SEXP path)
{
    const char *name = Rf_translateChar(STRING_ELT(path, 0));
#ifndef _WIN32
    struct stat status;
    int wrong = stat(name, &status);
#else
    struct _stat64 status;
    int wrong = _stat64(name, &status);
#endif
    return Rf_ScalarInteger(wrong != 0                ? NOTHING
                            : S_ISREG(status.st_mode) ? REGULAR_FILE
                            : S_ISDIR(status.st_mode) ? FOLDER
                                                      : OTHER);
}

/* Writes the entries of a folder to the disk, so that a renamed file is found after a crash. Not
 * every system can do this: a failure has no consequence. */
SEXP r_sync_folder(SEXP path)
{
#ifndef _WIN32
    int folder = open(Rf_translateChar(STRING_ELT(path, 0)), O_RDONLY);
    if (folder >= 0) {
        fsync(folder);
        close(folder);
    }
#else
    (void)path;
#endif
    return R_NilValue;
}

/* Writes bytes [raw] from position `done` on to the standard output of the process. Returns the
 * number of bytes written, 0 after a signal; -1 if the reader has closed the pipe; or the message
 * of the system on failure. R code calls it until all bytes are written, and is interrupted in
 * between. */
SEXP r_write_output(SEXP bytes, SEXP done)
{
    size_t start = (size_t)Rf_asReal(done), rest = (size_t)XLENGTH(bytes) - start;
    unsigned part = rest < OUTPUT_PART ? (unsigned)rest : OUTPUT_PART;
#ifndef _WIN32
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGPIPE, &ignore, &before);
    ssize_t written = write(OUTPUT, RAW_RO(bytes) + start, part);
    int error = errno;
    sigaction(SIGPIPE, &before, NULL);
#else
    int written = _write(OUTPUT, RAW_RO(bytes) + start, part);
    int error = errno;
#endif
    if (written >= 0 || error == EINTR)
        return Rf_ScalarReal(written < 0 ? 0 : (double)written);
    return error == EPIPE ? Rf_ScalarReal(-1) : Rf_mkString(strerror(error));
}
