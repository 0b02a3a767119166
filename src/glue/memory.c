/* memory.c: available memory on Windows, by a call of the system. R/pairs.R asks the other
 * systems without C code. */
#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#define NOGDI /* its macro ERROR is not R's */
#include <windows.h>
#endif
#include "glue/host.h"

/* Returns the free physical memory [bytes]; NA on other systems. */
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
