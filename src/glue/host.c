/* host.c: see host.h. The core's memory lies on R's stack of transient memory (vmax). */
#include "glue/host.h"
#include "core/covertree.h"

#include <stdarg.h>
#include <stdio.h>

static void *host_alloc(size_t count, size_t size)
{
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

static void host_release(void *mark)
{
    vmaxset(mark);
}

struct ct_host r_host = {host_alloc, host_poll, NULL, host_mark, host_release, 0.01, 0.15, 0, 0};

/* What reports progress: an R function of the share, or NULL. There is one console. */
static struct {
    SEXP report;
    double start; /* seconds, of the reports */
    double last;  /* seconds, of the last report; 0: none yet */
} running;

static const double QUIET_SECONDS = 2, REPORT_SECONDS = 0.5;

/* Calls the R function with the share, unless the call is young or the last report is recent. */
static void report_progress(double share)
{
    double now = ct_seconds();
    if (now - running.start < QUIET_SECONDS || now - running.last < REPORT_SECONDS)
        return;
    running.last = now;
    SEXP value = PROTECT(Rf_ScalarReal(share));
    SEXP call = PROTECT(Rf_lang2(running.report, value));
    Rf_eval(call, R_GlobalEnv);
    UNPROTECT(2);
}

/* .Call(r_progress, report): from here on, long calls report their progress to this R function;
 * NULL: to none. */
SEXP r_progress(SEXP report)
{
    if (running.report)
        R_ReleaseObject(running.report);
    running.report = Rf_isNull(report) ? NULL : report;
    if (running.report)
        R_PreserveObject(report);
    running.start = ct_seconds();
    running.last = 0;
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
