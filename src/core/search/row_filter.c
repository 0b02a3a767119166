/* row_filter.c: see row_filter.h. */
#include "core/search/row_filter.h"
#include "core/tree/tiles.h"

#include <limits.h>

/* The points at positions from `begin` up to, not including, `end`. */
static struct ct_row_summary summarize(const struct ct_row_limits *limits, const int *row,
                                       int begin, int end)
{
    struct ct_row_summary all = {limits->rank ? INT_MAX : 0,
                                 limits->group ? limits->group[row[begin] - 1] : 0, INT_MAX, 0};
    for (int pos = begin; pos < end; pos++) {
        int at = row[pos] - 1, rank = limits->rank ? limits->rank[at] : 0;
        all.min_rank = rank < all.min_rank ? rank : all.min_rank;
        if (limits->group && limits->group[at] != all.group)
            all.group = 0;
        all.min_row = row[pos] < all.min_row ? row[pos] : all.min_row;
        all.max_row = row[pos] > all.max_row ? row[pos] : all.max_row;
    }
    return all;
}

/* Adds the points of `part`, which is not empty, to those of `all`. */
static void add_summary(struct ct_row_summary *all, const struct ct_row_summary *part)
{
    all->min_rank = part->min_rank < all->min_rank ? part->min_rank : all->min_rank;
    all->group = part->group == all->group ? all->group : 0;
    all->min_row = part->min_row < all->min_row ? part->min_row : all->min_row;
    all->max_row = part->max_row > all->max_row ? part->max_row : all->max_row;
}

static const struct ct_row_summary *summarize_tiles(const struct ct_host *host,
                                                    const struct ct_tree *t,
                                                    const struct ct_row_limits *limits)
{
    int count = t->tiles->count;
    struct ct_row_summary *tile = host->alloc((size_t)count, sizeof *tile);
    for (int i = 0; i < count; i++)
        tile[i] = summarize(limits, t->row, t->tiles->begin[i], t->tiles->begin[i + 1]);
    return tile;
}

/* Children have larger numbers than their parents. */
static const struct ct_row_summary *summarize_nodes(const struct ct_host *host,
                                                    const struct ct_tree *t,
                                                    const struct ct_row_summary *tile)
{
    struct ct_row_summary *node = host->alloc((size_t)t->nodes, sizeof *node);
    for (int i = t->nodes - 1; i >= 0; i--) {
        int child = ct_first_child(t, i), first = t->tiles->first_tile[i];
        node[i] = child >= 0 ? node[child] : tile[first];
        if (child >= 0)
            for (int c = t->next_sibling[child] - 1; c >= 0; c = t->next_sibling[c] - 1)
                add_summary(&node[i], &node[c]);
        else
            for (int at = first + 1; at < t->tiles->end_tile[i]; at++)
                add_summary(&node[i], &tile[at]);
    }
    return node;
}

/* Returns the number of the tree's points with each value from 0 to `most`. value: [n] by row. */
static int *count_values(const struct ct_host *host, const struct ct_tree *t, const int *value,
                         int most)
{
    int *count = host->alloc((size_t)most + 1, sizeof *count);
    for (int i = 0; i <= most; i++)
        count[i] = 0;
    for (int pos = 0; pos < t->n; pos++)
        count[value[t->row[pos] - 1]]++;
    return count;
}

/* The same with each value or a smaller one. */
static int *count_up_to(const struct ct_host *host, const struct ct_tree *t, const int *value,
                        int most)
{
    int *count = count_values(host, t, value, most);
    for (int i = 1; i <= most; i++)
        count[i] += count[i - 1];
    return count;
}

/* Returns the values [n] by position. */
static const int *by_position(const struct ct_host *host, const struct ct_tree *t, const int *value)
{
    int *key = host->alloc((size_t)t->n, sizeof *key);
    for (int pos = 0; pos < t->n; pos++)
        key[pos] = value[t->row[pos] - 1];
    return key;
}

const struct ct_row_filter *ct_row_filter_new(const struct ct_host *host, const struct ct_tree *t,
                                              const struct ct_row_limits *limits)
{
    const int *key = limits->rank ? limits->rank : limits->group;
    struct ct_row_filter *filter = host->alloc(1, sizeof *filter);
    const struct ct_row_summary *tile = summarize_tiles(host, t, limits);
    *filter = (struct ct_row_filter){
        .limits = limits,
        .key = key ? by_position(host, t, key) : t->row,
        .key_is_row = !key,
        .has_second = limits->window >= 0 || (limits->rank && limits->group),
        .tile = tile,
        .node = summarize_nodes(host, t, tile),
        .up_to_rank = limits->rank ? count_up_to(host, t, limits->rank, limits->ranks) : NULL,
        .in_group = limits->group ? count_values(host, t, limits->group, limits->groups) : NULL,
    };
    return filter;
}

struct ct_query_limits ct_limits_of_query(const struct ct_row_filter *filter, int line, int row)
{
    const struct ct_row_limits *limits = filter->limits;
    int window = limits->window;
    struct ct_query_limits query = {limits->rank ? limits->max_rank[line] : INT_MAX,
                                    limits->group ? limits->query_group[line] : 0, 1, 0};
    if (window >= 0) {
        query.first_row = row > window ? row - window : 1;
        query.last_row = row < INT_MAX - window ? row + window : INT_MAX;
    }
    return query;
}

struct ct_query_limits ct_join_limits(struct ct_query_limits a, struct ct_query_limits b)
{
    return (struct ct_query_limits){
        .max_rank = a.max_rank > b.max_rank ? a.max_rank : b.max_rank,
        .group = a.group == b.group ? a.group : 0,
        .first_row = a.first_row > b.first_row ? a.first_row : b.first_row,
        .last_row = a.last_row < b.last_row ? a.last_row : b.last_row,
    };
}

int ct_limits_are_nested(const struct ct_query_limits *from, const struct ct_query_limits *to)
{
    return from->max_rank <= to->max_rank && (to->group == 0 || to->group == from->group) &&
           to->first_row > to->last_row;
}

int ct_count_eligible(const struct ct_row_filter *filter, const struct ct_tree *t,
                      const struct ct_query_limits *limits)
{
    int eligible = t->n;
    if (filter->in_group)
        eligible -= filter->in_group[limits->group];
    if (filter->up_to_rank && filter->up_to_rank[limits->max_rank] < eligible)
        eligible = filter->up_to_rank[limits->max_rank];
    if (!filter->up_to_rank && limits->first_row <= limits->last_row) {
        int last = limits->last_row < t->n ? limits->last_row : t->n;
        int others = t->n - (last - limits->first_row + 1);
        eligible = others < eligible ? others : eligible;
    }
    return eligible;
}
