/* test_aligned.c: aligned memory starts at a cache line, and all of it may be written. */
#include "check.h"
#include "core/util/aligned.h"
#include "host.h"

#include <string.h>

int main(void)
{
    for (size_t count = 0; count < 200; count += 1 + count / 8) {
        char *memory = ct_alloc_aligned(&host, count, 3);
        memset(memory, 1, 3 * count);
        check_about("%zu times 3 bytes", count);
        CHECK((uintptr_t)memory % CT_CACHE_LINE == 0);
    }
    host_end_call();
    return check_done("aligned");
}
