/* host.c: see host.h. */
#include "host.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

struct arena {
    void **block;
    int count, room;
};

static struct arena of_core, of_check;
static int polls, calls, misuses;
static int poll_to_leave = -1, allocs_left = -1;
static jmp_buf left;

static void *arena_get(struct arena *arena, size_t count, size_t size)
{
    if (size > 0 && count > PTRDIFF_MAX / size) {
        fprintf(stderr, "host: %zu times %zu bytes asked for\n", count, size);
        abort();
    }
    if (arena->count == arena->room) {
        arena->room = 2 * arena->room + 16;
        arena->block = realloc(arena->block, (size_t)arena->room * sizeof *arena->block);
    }
    void *block = arena->block ? malloc(count * size) : NULL;
    if (!block)
        abort();
    arena->block[arena->count++] = block;
    /* Never the same bytes twice: who reads what it did not write, shows. */
    memset(block, (unsigned char)(37 * calls + 255), count * size);
    return block;
}

static void arena_end(struct arena *arena)
{
    for (int i = 0; i < arena->count; i++)
        free(arena->block[i]);
    free(arena->block);
    *arena = (struct arena){0};
}

static void look_for_misuse(void)
{
#ifdef _OPENMP
    if (omp_in_parallel() || omp_get_thread_num() != 0)
        misuses++;
#endif
}

static void *host_alloc(size_t count, size_t size)
{
    look_for_misuse();
    if (allocs_left > 0 && --allocs_left == 0)
        longjmp(left, 1);
    return arena_get(&of_core, count, size);
}

static void host_poll(void)
{
    look_for_misuse();
    if (++polls == poll_to_leave)
        longjmp(left, 1);
}

static void host_progress(double share)
{
    look_for_misuse();
    misuses += !(share >= 0 && share <= 1);
}

/* Every parallel region is opened, however little work there is; polls come as often as
 * they can. */
const struct ct_host host = {host_alloc, host_poll, host_progress, NULL, NULL, 0, 0, 0, 0};

void host_end_call(void)
{
    arena_end(&of_core);
    calls++;
}

void *keep(size_t count, size_t size)
{
    return arena_get(&of_check, count, size);
}

void keep_end(void)
{
    arena_end(&of_check);
}

int host_run(void (*work)(void *data), void *data, int poll, int alloc)
{
    poll_to_leave = poll > 0 ? polls + poll : -1;
    allocs_left = alloc;
    int done = setjmp(left) == 0;
    if (done)
        work(data);
    poll_to_leave = -1;
    allocs_left = -1;
    host_end_call();
    return done;
}

int host_polls(void)
{
    return polls;
}

int host_misuses(void)
{
    return misuses;
}
