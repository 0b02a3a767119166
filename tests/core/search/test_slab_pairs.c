/* test_slab_pairs.c: each pair of slabs is claimed once, and no slab by two threads at once. */
#include "check.h"
#include "core/search/slab_pairs.h"
#include "host.h"

#include <string.h>

enum { MOST = 9, THREADS = 3 };

/* What the threads of a test hold, and how often each pair was claimed. */
struct claims {
    int claimed[MOST][MOST], held[THREADS][2], holds[THREADS], clashes;
};

/* A claim by a thread, which holds no pair. */
static void claim(struct ct_slab_pairs *pairs, struct claims *claims, int thread, int number)
{
    int slab[2];
    if (!ct_claim_slab_pair(pairs, number, slab))
        return;
    for (int other = 0; other < THREADS; other++)
        for (int i = 0; claims->holds[other] && i < 4; i++)
            claims->clashes += claims->held[other][i / 2] == slab[i % 2];
    claims->holds[thread] = 1;
    memcpy(claims->held[thread], slab, sizeof slab);
    claims->claimed[slab[0]][slab[1]]++;
}

static void release(struct ct_slab_pairs *pairs, struct claims *claims, int thread)
{
    if (claims->holds[thread])
        ct_release_slab_pair(pairs, claims->held[thread]);
    claims->holds[thread] = 0;
}

/* Threads take turns; thread 0 keeps its pair for as long as it can if it is `slow`. */
static void check_pairs(int slabs, int slow)
{
    struct ct_slab_pairs pairs = ct_slab_pairs_new(&host, slabs, THREADS);
    struct claims claims = {0};
    int most_waiting = 0;
    for (int number = 0; number < pairs.count; number++) {
        int thread = slow && claims.holds[0] ? 1 + number % (THREADS - 1) : number % THREADS;
        release(&pairs, &claims, thread);
        claim(&pairs, &claims, thread, number);
        most_waiting = pairs.waiting_count > most_waiting ? pairs.waiting_count : most_waiting;
    }
    for (int thread = 0; thread < THREADS; thread++)
        release(&pairs, &claims, thread);
    while (pairs.waiting_count > 0) {
        claim(&pairs, &claims, 0, -1);
        release(&pairs, &claims, 0);
    }
    check_about("%d slabs, slow %d", slabs, slow);
    CHECK(claims.clashes == 0 && most_waiting <= 2 * (slabs + 1) * THREADS);
    CHECK(!slow || slabs < 2 || most_waiting > 0);
    for (int a = 0; a < slabs; a++)
        for (int b = 0; b < slabs; b++)
            CHECK(claims.claimed[a][b] == (a <= b));
    host_end_call();
}

int main(void)
{
    for (int slabs = 1; slabs <= MOST; slabs++) {
        check_pairs(slabs, 0);
        check_pairs(slabs, 1);
    }
    return check_done("slab_pairs");
}
