/* host.c: see host.h. The core's memory lies on R's stack of transient memory (vmax). */
#include "glue/host.h"
#include "core/covertree.h"

#include <stdarg.h>
#include <stdio.h>

enum { COLLECT_BYTES = 1 << 26 };
static size_t allocated; /* bytes, since the last release */

static void *host_alloc(size_t count, size_t size)
{
    allocated += count * size;
    return R_alloc(count > 0 ? count : 1, (int)size);
}

static void host_poll(void)
{
    R_CheckUserInterrupt();
}

static void *host_mark(void)
{
    return vmaxget();
}

/* R frees the memory at its next garbage collection. A collection takes some hundredths of a
 * second, much less than the use of so much memory. */
static void host_release(void *mark)
{
    vmaxset(mark);
    if (allocated >= COLLECT_BYTES)
        R_gc();
    allocated = 0;
}

struct ct_host r_host = {host_alloc, host_poll, NULL, host_mark, host_release, 0.0075, 0.15, 0, 0};

/* What reports progress: an R function of the share, or NULL. There is one console. */
static struct {
    SEXP report;
    double pause; /* seconds between two reports */
    double next;  /* time of the next report [seconds] */
} running;

/* Calls the R function with the share, unless it is too early. */
static void report_progress(double share)
{
    double now = ct_seconds();
    if (now < running.next)
        return;
    running.next = now + running.pause;
    SEXP value = PROTECT(Rf_ScalarReal(share));
    SEXP call = PROTECT(Rf_lang2(running.report, value));
    Rf_eval(call, R_GlobalEnv);
    UNPROTECT(2);
}

/* .Call(r_progress, report, seconds): from here on, long calls report their progress to this R
 * function, or, with NULL, to none. seconds: c(before the first report, between two). */
SEXP r_progress(SEXP report, SEXP seconds)
{
    if (running.report)
        R_ReleaseObject(running.report);
    running.report = Rf_isNull(report) ? NULL : report;
    if (running.report)
        R_PreserveObject(report);
    running.next = ct_seconds() + REAL_RO(seconds)[0];
    running.pause = REAL_RO(seconds)[1];
    return R_NilValue;
}

struct ct_host r_host_with_progress(void)
{
    struct ct_host host = r_host;
    host.progress = running.report ? report_progress : NULL;
    return host;
}

void r_stop(const char *format, ...)
{
    char message[512];
    va_list values;
    va_start(values, format);
    vsnprintf(message, sizeof message, format, values);
    va_end(values);
    Rf_errorcall(R_NilValue, "%s", message);
}
