/* threads.c: the thread policy.
 *
 * The default is OpenMP's own: OMP_NUM_THREADS, or every processor. covertree_threads() sets
 * another default. All requests are limited by OMP_THREAD_LIMIT and, while R checks packages,
 * by the two permitted cores. A forked process (parallel::mclapply) gets one thread: the
 * OpenMP runtime does not survive a fork of a process that has used OpenMP, and another
 * package may have used OpenMP before this package was loaded.
 *
 * The end of a parallel region waits for all threads, on a busy machine for milliseconds. A
 * region is therefore opened only for enough remaining work: see r_region_seconds().
 */
#include "glue/threads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifndef _WIN32
#include <unistd.h>
#endif
#ifdef _OPENMP
#include <omp.h>
#endif

static int chosen = 0; /* by covertree_threads(); 0: none */

#ifdef _WIN32
void r_threads_load(void)
{
}

static int forked(void)
{
    return 0;
}
#else
static pid_t loaded_in;
static int loaded_in_fork;

/* Whether this process is a fork that has executed no program since. Linux tells by the flags of
 * the process, field 9 of /proc/self/stat; elsewhere the answer is 0. */
static int is_fork(void)
{
    enum { FORK_WITHOUT_EXEC = 0x40 };
    char line[1024];
    unsigned flags = 0;
    FILE *file = fopen("/proc/self/stat", "r");
    if (!file)
        return 0;
    size_t size = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[size] = 0;
    const char *name_end = strrchr(line, ')'); /* the name of the program may hold blanks */
    if (!name_end || sscanf(name_end + 1, " %*c %*d %*d %*d %*d %*d %u", &flags) != 1)
        return 0;
    return (flags & FORK_WITHOUT_EXEC) != 0;
}

void r_threads_load(void)
{
    loaded_in = getpid();
    loaded_in_fork = is_fork();
}

static int forked(void)
{
    return loaded_in_fork || getpid() != loaded_in;
}
#endif

/* Notes whether R's package parallel has made this process by a fork, a fact that parallel knows
 * on every system. Called by .onLoad(). */
SEXP r_threads_forked(SEXP yes)
{
#ifndef _WIN32
    loaded_in_fork = loaded_in_fork || Rf_asLogical(yes) == TRUE;
#endif
    return R_NilValue;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Limit of the number of threads. More than a few threads per processor are of no use, and very
 * many make the OpenMP runtime end the process. */
static int most_threads(void)
{
#ifdef _OPENMP
    const char *check = getenv("_R_CHECK_LIMIT_CORES_");
    int most = 8 * omp_get_num_procs() + 8;
    if (check && check[0] && strcmp(check, "false") != 0 && strcmp(check, "FALSE") != 0)
        most = 2;
    return least(most, omp_get_thread_limit());
#else
    return 1;
#endif
}

static int default_threads(void)
{
#ifdef _OPENMP
    return chosen > 0 ? chosen : omp_get_max_threads();
#else
    return 1;
#endif
}

int r_num_threads(SEXP threads)
{
    if (forked())
        return 1;
    int wanted = Rf_isNull(threads) ? default_threads() : Rf_asInteger(threads);
    return least(wanted, most_threads());
}

SEXP r_threads_get(SEXP threads)
{
    return Rf_ScalarInteger(r_num_threads(threads));
}

SEXP r_threads_set(SEXP threads)
{
    chosen = Rf_asInteger(threads);
    return R_NilValue;
}

SEXP r_has_openmp(void)
{
#ifdef _OPENMP
    return Rf_ScalarLogical(1);
#else
    return Rf_ScalarLogical(0);
#endif
}

/* Sets the least remaining work [seconds] that justifies a parallel region; returns the former
 * value. Tests set 0, to open every region. */
SEXP r_region_seconds(SEXP seconds)
{
    SEXP before = Rf_ScalarReal(r_host.region_seconds);
    r_host.region_seconds = Rf_asReal(seconds);
    return before;
}
