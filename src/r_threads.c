/* r_threads.c: the thread policy, all of it.
 *
 * The default is what OpenMP would take: OMP_NUM_THREADS, or every processor.
 * covertree_threads() sets another. Whatever is asked for stays within
 * OMP_THREAD_LIMIT and, where R checks packages, within the two cores allowed.
 * A process made by fork (parallel::mclapply) gets one thread: the OpenMP
 * runtime does not survive a fork of a process that has used it.
 */
#include "r_threads.h"
#include "ct_parallel.h"

#include <stdlib.h>
#include <string.h>
#ifndef _WIN32
#include <unistd.h>
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

void r_threads_load(void)
{
    loaded_in = getpid();
}

static int forked(void)
{
    return getpid() != loaded_in;
}
#endif

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
