/* fuzz_input.c: numbers and points from the bytes of a fuzzer; see fuzz.h. */
#include "fuzz.h"
#include "host.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned next_byte(struct fuzz_input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->data++;
}

int fuzz_int(struct fuzz_input *input, int least, int most)
{
    unsigned range = (unsigned)(most - least) + 1, value = next_byte(input);
    if (range > 256)
        value = value << 8 | next_byte(input);
    return least + (int)(value % range);
}

double fuzz_share(struct fuzz_input *input)
{
    return next_byte(input) / 255.0;
}

/* The double of 8 bytes, if it is finite and its square is, 1024-fold; or 1. */
static double raw_double(struct fuzz_input *input)
{
    uint8_t bytes[sizeof(double)];
    double value;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)next_byte(input);
    memcpy(&value, bytes, sizeof value);
    return fabs(value) < 1e152 ? value : 1;
}

enum { LATTICE, FAR_OFF, DOUBLING, RAW, STYLES };

static double coordinate(struct fuzz_input *input, int style)
{
    if (style == RAW)
        return raw_double(input);
    int value = (int)next_byte(input) - 128;
    if (style == FAR_OFF)
        return 1e8 + ldexp(value, -24);
    if (style == DOUBLING)
        return value == 0 ? 0 : ldexp(value % 2 ? -1 : 1, 3 * value);
    return value / 4;
}

struct cloud fuzz_cloud(struct fuzz_input *input, int n, int d)
{
    struct cloud cloud = {"fuzzed", n, d, keep((size_t)n * d, sizeof(double))};
    int style = fuzz_int(input, 0, STYLES - 1);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < d; j++)
            cloud.x[i + (size_t)j * n] = coordinate(input, style);
    return cloud;
}

void fuzz_that(int holds, const char *what, const char *file, int line)
{
    if (holds)
        return;
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
    abort();
}

void fuzz_end(void)
{
    host_end_call();
    keep_end();
    FUZZ_CHECK(host_misuses() == 0);
}
