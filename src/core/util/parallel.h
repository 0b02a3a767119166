/* parallel.h: OpenMP if the compiler has OpenMP, else one thread.
 *
 * CT_PRAGMA(omp ...) is a pragma with OpenMP and nothing without. The caller of a parallel
 * region gives the number of threads; nothing here changes a global setting.
 */
#ifndef COVERTREE_UTIL_PARALLEL_H
#define COVERTREE_UTIL_PARALLEL_H

/* ct_thread_id(): number of the calling thread within the parallel region; 0 outside. */
#ifdef _OPENMP
#include <omp.h>
#define CT_PRAGMA(x) _Pragma(#x)
static inline int ct_thread_id(void)
{
    return omp_get_thread_num();
}
#else
#define CT_PRAGMA(x)
static inline int ct_thread_id(void)
{
    return 0;
}
#endif

#endif
