/* threads.c: the thread policy, all of it.
 *
 * The default is what OpenMP would take: OMP_NUM_THREADS, or every processor.
 * covertree_threads() sets another. Whatever is asked for stays within
 * OMP_THREAD_LIMIT and, where R checks packages, within the two cores allowed.
 * A process made by fork (parallel::mclapply) gets one thread: the OpenMP
 * runtime does not survive a fork of a process that has used it, and another
 * package may have used it before this one was loaded.
 *
 * The end of a parallel region waits for its threads, which on a busy machine may
 * take milliseconds. So a region is opened where enough work is left: see r_region_seconds().
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

static int chosen = 0; /* 0: nothing was chosen */

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

/* Linux tells in the flags of a process, field 9 of /proc/self/stat, whether it is a
 * fork that has executed no program since. Elsewhere the answer is no. */
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

/* R's package parallel knows on every system whether this process is a fork that it
 * made; .onLoad() asks. */
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

/* More threads than a few per processor cannot be of use, and very many make
 * the OpenMP runtime end the process. */
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

/* Seconds of remaining work that are worth a parallel region, before the call; tests set
 * 0, which opens every region. */
SEXP r_region_seconds(SEXP seconds)
{
    SEXP before = Rf_ScalarReal(r_host.region_seconds);
    r_host.region_seconds = Rf_asReal(seconds);
    return before;
}
