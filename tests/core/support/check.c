/* check.c: see check.h. */
#include "check.h"
#include "host.h"

#include <stdarg.h>
#include <stdio.h>

enum { SHOWN = 10 }; /* failures that are printed in full */

static int passed, failed;
static char about[200];

void check_that(int holds, const char *what, const char *file, int line)
{
    passed += holds;
    failed += !holds;
    if (!holds && failed <= SHOWN)
        printf("%s:%d: not so: %s [%s]\n", file, line, what, about);
}

void check_about(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(about, sizeof about, format, args);
    va_end(args);
}

int check_done(const char *name)
{
    check_about("all calls of the host");
    CHECK(host_misuses() == 0);
    host_end_call();
    keep_end();
    if (failed > SHOWN)
        printf("... and %d failures more\n", failed - SHOWN);
    printf("%s: %d passed, %d failed\n", name, passed, failed);
    return failed > 0;
}
