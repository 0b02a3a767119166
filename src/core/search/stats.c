/* stats.c: see stats.h.
 *
 * Each thread has a recorder of its own; the totals of all threads are added after the
 * parallel loop, so that nothing is shared while the threads run.
 */
#include "core/search/stats.h"
#include "core/util/parallel_for.h"

void ct_search_stats_add(struct ct_search_stats *stats, const struct ct_search_stats *more)
{
    for (int size = 0; size < CT_BLOCK_SIZES; size++)
        stats->blocks[size] += more->blocks[size];
    stats->scans += more->scans;
    stats->nodes += more->nodes;
    stats->candidates += more->candidates;
    stats->cache_hits += more->cache_hits;
    stats->boxes += more->boxes;
    stats->tiles += more->tiles;
    stats->distances += more->distances;
    stats->evaluated += more->evaluated;
    stats->useful += more->useful;
    stats->escalations += more->escalations;
    stats->early_stops += more->early_stops;
    for (int phase = 0; phase < CT_PHASES; phase++)
        stats->seconds[phase] += more->seconds[phase];
}

struct ct_search_recorder ct_search_recorder_start(int timed)
{
    return (struct ct_search_recorder){.timed = timed, .phase_start = timed ? ct_seconds() : 0};
}

void ct_search_end_phase(struct ct_search_recorder *recorder, enum ct_phase phase)
{
    if (!recorder->timed)
        return;
    double now = ct_seconds();
    recorder->stats.seconds[phase] += now - recorder->phase_start;
    recorder->phase_start = now;
}

/* Class s holds blocks of more than 2^(s-1) and at most 2^s queries. */
void ct_search_record_block(struct ct_search_recorder *recorder, int queries)
{
    int size = 0;
    while (1 << size < queries)
        size++;
    recorder->stats.blocks[size]++;
}

void ct_search_record_work(struct ct_search_recorder *recorder, struct ct_search_work *work)
{
    recorder->stats.nodes += work->nodes;
    recorder->stats.candidates += work->candidates;
    recorder->stats.cache_hits += work->cache_hits;
    recorder->stats.boxes += work->boxes;
    recorder->stats.tiles += work->tiles;
    recorder->stats.distances += work->distances;
    *work = (struct ct_search_work){0};
}
