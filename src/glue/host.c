/* host.c: see host.h. */
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

/* What is told, and since when it runs; there is one console. */
static struct {
    const char *what;
    double start, last;
} telling;

static void tell(double share)
{
    double now = ct_seconds();
    int done = share >= 1 && telling.last > 0;
    if (now - telling.start < 2 || (now - telling.last < 0.5 && !done))
        return;
    REprintf("\r%s: %3.0f%%%s", telling.what, 100 * share, done ? "\n" : "");
    telling.last = now;
}

struct ct_host r_host_with_progress(const char *what)
{
    telling.what = what;
    telling.start = ct_seconds();
    telling.last = 0;
    struct ct_host host = r_host;
    host.progress = tell;
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
