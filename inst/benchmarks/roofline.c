/* roofline.c: what this machine can do at most, for roofline.R, which compiles this file. Each
 * kernel uses one resource of the processor and nothing else. All threads run a kernel at the same
 * time, each on memory of its own. */
#ifdef __linux__
#define _DEFAULT_SOURCE
#include <sys/mman.h>
#endif
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef _OPENMP
#include <omp.h>
#endif

#define R_NO_REMAP
#include <R.h>
#include <R_ext/Rdynload.h>
#include <Rinternals.h>

#ifdef __AVX512F__
#define WIDTH 16
#elif defined __AVX__
#define WIDTH 8
#else
#define WIDTH 4
#endif
/* Independent sums in registers: more than the latency of an addition needs. */
#define SUMS 12
#define EACH_SUM(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define START(i) vector sum##i = {(float)(i)};
#define ADD_NEXT(i) sum##i += x[i];
#define MULTIPLY_ADD(i) sum##i = sum##i * factor + term;
#define TOTAL(i) total += sum##i;
#define LINE 64 /* bytes of a cache line */
#define PAGE 4096
#define LARGE_PAGE ((size_t)1 << 21)

typedef float vector __attribute__((vector_size(4 * WIDTH)));
static volatile double kept; /* uses the results, so that the compiler keeps the work */

static void keep(vector sum)
{
    double total = 0;
    for (int i = 0; i < WIDTH; i++)
        total += sum[i];
    kept = total;
}

/* A kernel uses `memory` [bytes, all zero at first] and returns how many units of work it did. */
typedef double kernel(char *memory, size_t bytes);

/* Reads the memory from its beginning to its end, again and again. Unit: a byte. */
static double stream(char *memory, size_t bytes)
{
    size_t n = bytes / sizeof(vector) / SUMS, passes = ((size_t)1 << 30) / bytes + 1;
    EACH_SUM(START)
    for (size_t pass = 0; pass < passes; pass++) {
        const vector *x = (const vector *)memory;
        for (size_t i = 0; i < n; i++, x += SUMS) {
            EACH_SUM(ADD_NEXT)
        }
    }
    vector total = {0};
    EACH_SUM(TOTAL)
    keep(total);
    return (double)passes * (double)n * SUMS * sizeof(vector);
}

/* Multiplies and adds floats in registers. Unit: a multiply-add of two floats. */
static double multiply_add(char *memory, size_t bytes)
{
    size_t rounds = 20000000;
    vector factor = {0}, term = {0}; /* not constants of the compiler: the memory is 0 */
    factor += (float)memory[bytes - 1] + 0.5f;
    term += (float)memory[0] + 1;
    EACH_SUM(START)
    for (size_t i = 0; i < rounds; i++) {
        EACH_SUM(MULTIPLY_ADD)
    }
    vector total = {0};
    EACH_SUM(TOTAL)
    keep(total);
    return (double)rounds * SUMS * WIDTH;
}

/* Returns the next random number; the upper bits are good. */
static uint64_t next(uint64_t random)
{
    return random * 6364136223846793005u + 1442695040888963407u;
}

/* Reads 8 bytes of random lines; every address is known before the line before arrives. Unit: a
 * line. */
static double gather(char *memory, size_t bytes)
{
    size_t count = 4000000, lines = bytes / LINE;
    uint64_t random = 1, sum = 0;
    for (size_t i = 0; i < count; i++) {
        random = next(random);
        sum += *(uint64_t *)(memory + (random >> 32) * lines / ((uint64_t)1 << 32) * LINE);
    }
    kept = (double)sum;
    return (double)count;
}

/* The same, but each address depends on the line before. Unit: a line. */
static double chase(char *memory, size_t bytes)
{
    size_t count = 1000000, lines = bytes / LINE;
    uint64_t random = 1;
    for (size_t i = 0; i < count; i++)
        random = next(random) +
                 *(uint64_t *)(memory + (random >> 32) * lines / ((uint64_t)1 << 32) * LINE);
    kept = (double)random;
    return (double)count;
}

/* Writes 8 bytes to random places. Unit: a write. */
static double scatter(char *memory, size_t bytes)
{
    size_t count = 4000000, words = bytes / 8;
    uint64_t random = 1;
    for (size_t i = 0; i < count; i++) {
        random = next(random);
        ((uint64_t *)memory)[(random >> 32) * words / ((uint64_t)1 << 32)] = 0;
    }
    return (double)count;
}

/* Writes to each 4 KB of new memory. */
static double touch(size_t bytes, int large)
{
    volatile char *fresh = malloc(bytes);
    if (!fresh)
        return 0;
#ifdef MADV_HUGEPAGE
    uintptr_t begin = ((uintptr_t)fresh + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
    if (large)
        madvise((void *)begin, bytes - LARGE_PAGE, MADV_HUGEPAGE);
#else
    (void)large;
#endif
    for (size_t i = 0; i < bytes; i += PAGE)
        fresh[i] = 1;
    free((void *)fresh);
    return (double)(bytes / PAGE);
}

/* New memory in small pages, and in large pages if the system permits it. Unit: 4 KB. */
static double fault(char *memory, size_t bytes)
{
    (void)memory;
    return touch(bytes, 0);
}

static double fault_large(char *memory, size_t bytes)
{
    (void)memory;
    return touch(bytes, 1);
}

/* Sorts pairs of a 32-bit key and a row by 8 bits of the key. Unit: a pair. */
static double radix_pass(char *memory, size_t bytes)
{
    size_t n = bytes / 16, begin[256] = {0}, sum = 0;
    uint64_t *from = (uint64_t *)memory, *to = from + n;
    if (from[n - 1] == 0) {
        uint64_t random = 1;
        for (size_t i = 0; i < n; i++)
            from[i] = random = next(random);
    }
    for (size_t i = 0; i < n; i++)
        begin[from[i] >> 56]++;
    for (int digit = 0; digit < 256; digit++) {
        size_t count = begin[digit];
        begin[digit] = sum;
        sum += count;
    }
    for (size_t i = 0; i < n; i++)
        to[begin[from[i] >> 56]++] = from[i];
    return (double)n;
}

static double now(void)
{
#ifdef _OPENMP
    return omp_get_wtime();
#else
    return 0;
#endif
}

static kernel *find(const char *name)
{
    static const struct {
        const char *name;
        kernel *run;
    } all[] = {{"stream", stream},           {"multiply_add", multiply_add},
               {"gather", gather},           {"chase", chase},
               {"scatter", scatter},         {"fault", fault},
               {"fault_large", fault_large}, {"radix_pass", radix_pass}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i].name, name) == 0)
            return all[i].run;
    Rf_error("no kernel has the name %s", name);
}

/* Returns the units of work per second of all `threads` together, the best of `rounds`. Each thread
 * has `bytes` of memory. */
SEXP roofline_rate(SEXP name, SEXP threads, SEXP bytes, SEXP rounds)
{
    kernel *run = find(CHAR(STRING_ELT(name, 0)));
    int count = Rf_asInteger(threads);
    size_t size = (size_t)Rf_asReal(bytes);
    char *memory = R_alloc((size_t)count * size + PAGE, 1);
    memory += PAGE - (uintptr_t)memory % PAGE;
    memset(memory, 0, (size_t)count * size);
    double best = 0;
    for (int round = 0; round < Rf_asInteger(rounds); round++) {
        double units = 0, start = now();
#pragma omp parallel num_threads(count) reduction(+ : units)
#ifdef _OPENMP
        units += run(memory + (size_t)omp_get_thread_num() * size, size);
#else
        units += run(memory, size);
#endif
        double rate = units / (now() - start);
        best = rate > best ? rate : best;
    }
    return Rf_ScalarReal(best);
}
