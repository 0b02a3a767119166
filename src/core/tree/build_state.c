/* build_state.c: see build_state.h. */
#include "core/tree/build_state.h"
#include "core/util/parallel.h"
#include "core/util/parallel_for.h"

struct ct_split_child *ct_split_children(const struct ct_build_state *state)
{
    return state->child + (size_t)ct_thread_id() * state->max_children;
}

/* In state->buffer, doubles begin at even entries. */
double *ct_node_buffer(const struct ct_build_state *state, int begin, int end)
{
    if (!ct_is_large_node(state, begin, end))
        return state->local + (size_t)ct_thread_id() * state->local_points;
    return (double *)(void *)(state->buffer + begin + begin % 2);
}

void ct_build_loop(const struct ct_build_state *state, int blocks,
                   void (*run)(void *task, int block, int thread), void *task)
{
    if (state->shared)
        ct_parallel_for(state->host, blocks, state->threads, run, task);
    for (int block = 0; !state->shared && block < blocks; block++)
        run(task, block, 0);
}
