/* metric_seed.c: first thresholds; see metric_search.h.
 *
 * A query is compared with k of the points around it, those with the least lower bounds. The
 * points around an object of the tree are those of the smallest node that has enough points; a
 * foreign query descends to such a node.
 */
#include "core/metric_space/metric_search.h"
#include "core/topk/sorted_list.h"

#include <math.h>
#include <stdlib.h>

enum {
    LEAST_WINDOW = 32,  /* points whose bounds are compared, at least */
    WINDOW_PER_SEED = 4 /* and for each seed */
};

/* The positions around a query whose lower bounds are compared: begin <= position < end. */
struct window {
    int begin, end; /* positions */
};

/* Number of points of which about `wanted` are eligible. */
static int window_size(const struct ct_metric_search *s, int wanted)
{
    double size = wanted, n = s->t->n;
    if (s->query.max_row < s->t->n)
        size *= n / (s->query.max_row > 1 ? s->query.max_row : 1);
    return size < n ? (int)size : s->t->n;
}

/* The leaf that the bounds of the pivots make likely. */
static int likely_leaf(const struct ct_metric_search *s)
{
    const struct ct_metric_tree *t = s->t;
    int node = 0;
    while (t->first_child[node] > 0) {
        int best = -1;
        double least = 0;
        for (int child = t->first_child[node]; child > 0; child = t->next_sibling[child - 1]) {
            size_t at = (size_t)(child - 1) * (size_t)t->pivots;
            double bound = ct_range_bound(&s->pivots, s->query.pivot, t->lower + at, t->upper + at,
                                          best < 0 ? INFINITY : least);
            if (best < 0 || bound < least) {
                best = child - 1;
                least = bound;
            }
        }
        node = best;
    }
    return node;
}

/* A run of `size` to 2 * size points around the query. */
static struct window find_window(const struct ct_metric_search *s, int size)
{
    const struct ct_metric_tree *t = s->t;
    int node = s->query.pos >= 0 ? s->leaf_of[s->query.pos] : likely_leaf(s);
    int middle = s->query.pos >= 0 ? s->query.pos : t->center[node] - 1;
    while (t->subtree_end[node] - t->subtree_begin[node] + 1 < size && t->parent[node] > 0)
        node = t->parent[node] - 1;
    struct window window = {t->subtree_begin[node] - 1, t->subtree_end[node]};
    if (middle - window.begin > size)
        window.begin = middle - size;
    if (window.end - middle > size)
        window.end = middle + size;
    return window;
}

/* Lists up to `seeds` eligible points of a window with the least bounds, in s->asked.pos and
 * s->seeds.bound, without points beyond a max_distance. Returns their number. Of equal bounds, the
 * smaller row comes first. */
static int list_seeds(struct ct_metric_search *s, int seeds)
{
    int wanted = seeds > LEAST_WINDOW / WINDOW_PER_SEED ? WINDOW_PER_SEED * seeds : LEAST_WINDOW;
    struct window window = find_window(s, window_size(s, wanted));
    struct ct_sorted_list list = {s->seeds.bound, s->asked.row, seeds, 0};
    for (int pos = window.begin; pos < window.end; pos++) {
        int row = s->t->row[pos];
        if (pos == s->query.pos || row > s->query.max_row)
            continue;
        double enough = list.count == seeds ? list.sq[seeds - 1] : INFINITY;
        double bound =
            ct_pivot_bound(&s->pivots, s->query.pivot, ct_pivot_distances(s->t, pos), enough);
        if (s->batch->max_distance && !ct_metric_wants_pair(s, pos, bound))
            continue;
        ct_sorted_list_insert(&list, bound, row);
    }
    for (int i = 0; i < list.count; i++)
        s->asked.pos[i] = s->pos_of[s->asked.row[i] - 1];
    return list.count;
}

void ct_metric_seed_query(struct ct_metric_search *s)
{
    int count = list_seeds(s, s->seeds.count);
    for (int i = 0; i < count; i++) {
        int pos = s->asked.pos[i];
        double known;
        if (ct_metric_known(s, pos, &known)) {
            s->seen[pos] = s->query.number + 1;
            ct_metric_offer(s, pos, known);
        } else {
            /* The batch overwrites the list that is read, but never overtakes it. */
            ct_metric_ask(s, pos);
        }
    }
    ct_metric_flush(s);
}

static int compare_positions(const void *a, const void *b)
{
    int one = *(const int *)a, other = *(const int *)b;
    return (one > other) - (one < other);
}

/* Whether a point is among the seeds of another, by bisection. */
static int is_seed_of(const struct ct_metric_search *s, int pos, int other)
{
    const int *seed = s->seeds.pos + (size_t)other * (size_t)s->seeds.count;
    int low = 0, high = s->seeds.count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (seed[middle] < pos)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->seeds.count && seed[low] == pos;
}

int ct_metric_is_seeded(const struct ct_metric_search *s, int a, int b)
{
    return s->seeds.pos && (is_seed_of(s, a, b) || is_seed_of(s, b, a));
}

/* A pair of seeds of each other is evaluated for the earlier query. */
void ct_metric_seed_all(struct ct_metric_search *s)
{
    const struct ct_metric_tree *t = s->t;
    s->seeds.pos = s->host->alloc((size_t)t->n * (size_t)s->seeds.count, sizeof *s->seeds.pos);
    for (int pos = 0; pos < t->n; pos++) {
        int *seed = s->seeds.pos + (size_t)pos * (size_t)s->seeds.count;
        ct_metric_begin_query(s, t->row[pos] - 1);
        int count = list_seeds(s, s->seeds.count);
        for (int i = 0; i < s->seeds.count; i++)
            seed[i] = i < count ? s->asked.pos[i] : t->n;
        qsort(seed, (size_t)s->seeds.count, sizeof *seed, compare_positions);
        for (int i = 0; i < count; i++) {
            double known;
            if (seed[i] < pos && is_seed_of(s, pos, seed[i]))
                continue;
            if (ct_metric_known(s, seed[i], &known))
                ct_metric_offer(s, seed[i], known);
            else
                ct_metric_ask(s, seed[i]);
        }
        ct_metric_flush(s);
        s->host->poll();
    }
}
