/* parallel.h: OpenMP where there is OpenMP, one thread where there is not.
 *
 * The caller says how many threads; nothing here changes global state.
 */
#ifndef COVERTREE_UTIL_PARALLEL_H
#define COVERTREE_UTIL_PARALLEL_H

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
