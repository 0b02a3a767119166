/* build_state.c: see build_state.h. */
#include "core/tree/build_state.h"
#include "core/util/parallel_for.h"

void ct_build_loop(const struct ct_build_state *state, int blocks,
                   void (*run)(void *task, int block, int thread), void *task)
{
    if (state->shared)
        ct_parallel_for(state->host, blocks, state->threads, run, task);
    for (int block = 0; !state->shared && block < blocks; block++)
        run(task, block, 0);
}
