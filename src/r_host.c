/* r_host.c: see r_host.h. */
#include "r_host.h"

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

const struct ct_host r_host = {host_alloc, host_poll};

void r_stop(const char *format, ...)
{
    char message[512];
    va_list values;
    va_start(values, format);
    vsnprintf(message, sizeof message, format, values);
    va_end(values);
    Rf_errorcall(R_NilValue, "%s", message);
}
