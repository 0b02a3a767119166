/* interval_topk.c: see interval_topk.h. */
#include "core/topk/interval_topk.h"
#include "core/metric/euclidean.h"

#include <limits.h>
#include <math.h>

enum {
    SPARE = 64, /* room that is there for more than a bar needs */
    FEW = 64    /* squares that are taken together */
};

int ct_interval_topk_room(int k)
{
    return ct_select_capacity(k < INT_MAX - SPARE ? k + SPARE : k);
}

struct ct_interval_topk ct_interval_topk_make(const struct ct_host *host, int k)
{
    size_t room = (size_t)ct_interval_topk_room(k);
    return (struct ct_interval_topk){
        .low = host->alloc(room, sizeof(double)),
        .high = host->alloc(room, sizeof(double)),
        .pos = host->alloc(room, sizeof(int)),
        .k = k,
        .room = (int)room,
    };
}

struct ct_interval_scratch ct_interval_scratch_make(const struct ct_host *host, int k)
{
    size_t room = (size_t)ct_interval_topk_room(k);
    return (struct ct_interval_scratch){
        .nearest = {.sq = host->alloc(room + CT_SELECT_PAD, sizeof(double)),
                    .row = host->alloc(room, sizeof(int)),
                    .k = k,
                    .room = (int)room},
    };
}

static void load_upper_bounds(struct ct_topk *nearest, const struct ct_interval_topk *contest)
{
    nearest->count = contest->count;
    for (int i = 0; i < contest->count; i++) {
        nearest->sq[i] = contest->high[i];
        nearest->row[i] = contest->pos[i] + 1;
    }
}

/* Equal roots are equal distances: whoever shares the bar's may stay. */
static double drop_losers(struct ct_interval_scratch *arbiter, struct ct_interval_topk *contest)
{
    if (contest->count < contest->k)
        return INFINITY;
    load_upper_bounds(&arbiter->nearest, contest);
    double bar = ct_sq_threshold(sqrt(ct_select_trim(&arbiter->nearest, arbiter->kernels).sq));
    int kept = 0;
    for (int i = 0; i < contest->count; i++) {
        double low = contest->low[i];
        contest->high[kept] = contest->high[i];
        contest->pos[kept] = contest->pos[i];
        contest->low[kept] = low;
        kept += low <= bar;
    }
    contest->count = kept;
    return bar;
}

static void take_squares(struct ct_interval_scratch *arbiter, struct ct_interval_topk *contest,
                         int query)
{
    int which[FEW], pos[FEW];
    double sq[FEW];
    for (int i = 0; i < contest->count;) {
        int few = 0;
        for (; i < contest->count && few < FEW; i++)
            if (contest->low[i] < contest->high[i]) {
                which[few] = i;
                pos[few++] = contest->pos[i];
            }
        arbiter->square(arbiter->data, query, pos, few, sq);
        for (int j = 0; j < few; j++)
            contest->low[which[j]] = contest->high[which[j]] = sq[j];
    }
}

/* Where all squares are known, rows decide among equals. */
static double drop_equals(struct ct_interval_scratch *arbiter, struct ct_interval_topk *contest)
{
    struct ct_topk *nearest = &arbiter->nearest;
    load_upper_bounds(nearest, contest);
    double bar = ct_select_trim(nearest, arbiter->kernels).sq;
    for (int i = 0; i < nearest->count; i++) {
        contest->low[i] = contest->high[i] = nearest->sq[i];
        contest->pos[i] = nearest->row[i] - 1;
    }
    contest->count = nearest->count;
    return ct_sq_threshold(sqrt(bar));
}

double ct_interval_topk_compact(struct ct_interval_scratch *arbiter,
                                struct ct_interval_topk *contest, int query)
{
    double bar = drop_losers(arbiter, contest);
    if (contest->room - contest->count < SPARE) {
        take_squares(arbiter, contest, query);
        bar = drop_equals(arbiter, contest);
    }
    return bar;
}

void ct_interval_topk_finish(struct ct_interval_scratch *arbiter, struct ct_interval_topk *contest,
                             int query)
{
    if (contest->count > contest->k)
        drop_losers(arbiter, contest);
    take_squares(arbiter, contest, query);
    load_upper_bounds(&arbiter->nearest, contest);
    ct_select_finish(&arbiter->nearest, arbiter->kernels);
}
