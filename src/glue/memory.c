/* memory.c: the memory that is available, where the system's own call is needed to know
 * it: on Windows. R/pairs.R asks the others. */
#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#define NOGDI /* its ERROR is another than R's */
#include <windows.h>
#endif
#include "glue/host.h"

/* Bytes of physical memory that are free; NA elsewhere. */
SEXP r_windows_memory(void)
{
    double bytes = NA_REAL;
#ifdef _WIN32
    MEMORYSTATUSEX status;
    status.dwLength = sizeof status;
    if (GlobalMemoryStatusEx(&status))
        bytes = (double)status.ullAvailPhys;
#endif
    return Rf_ScalarReal(bytes);
}
