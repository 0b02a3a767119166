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

struct ct_host r_host = {host_alloc, host_poll, NULL, host_mark, host_release, 0.01, 0.15};

/* The call whose progress is printed; there is one console. */
static struct {
    const char *what;
    double start; /* seconds, of the call */
    double last;  /* seconds, of the last output; 0: none yet */
} running;

/* Prints the share, unless the call is young or the last output is recent. The end is always
 * printed after earlier output. */
static void print_progress(double share)
{
    double now = ct_seconds();
    int done = share >= 1 && running.last > 0;
    if (now - running.start < 2 || (now - running.last < 0.5 && !done))
        return;
    REprintf("\r%s: %3.0f%%%s", running.what, 100 * share, done ? "\n" : "");
    running.last = now;
}

struct ct_host r_host_with_progress(const char *what)
{
    running.what = what;
    running.start = ct_seconds();
    running.last = 0;
    struct ct_host host = r_host;
    host.progress = print_progress;
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
