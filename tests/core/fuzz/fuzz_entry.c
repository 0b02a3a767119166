/* fuzz_entry.c: the function that libFuzzer, AFL and fuzz_driver.c call. FUZZ_TARGET
 * names the target; see fuzz.h. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FUZZ_TARGET(data, size);
    return 0;
}
