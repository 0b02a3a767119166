/* merge_lists.c: see merge_lists.h.
 *
 * The lines are merged in runs. The lists of a run are kept line after line, in memory that stays
 * in the cache, and then copied to the columns of the result. In all of the given lists, the lines
 * of a run are consecutive, because lines ascend.
 */
#include "core/topk/merge_lists.h"
#include "core/util/parallel_for.h"

#include <limits.h>
#include <math.h>

enum {
    RUN_ENTRIES = 1 << 13, /* entries of the lists of a run, roughly, */
    RUN_LINES = 512        /* and its lines, at most */
};

/* The lists of a run, while they are merged. Doubles have all row numbers. */
struct run {
    double *row, *distance;         /* [run lines x k] line after line */
    int *found;                     /* [run lines] neighbors so far */
    double *new_row, *new_distance; /* [k] the list to be merged */
};

struct merging {
    const struct ct_neighbor_lists *lists;
    int count;
    int run_lines;
    double missing;
    const struct ct_merged_lists *to;
    struct run *run; /* [threads] */
};

/* Number of lines of the list below `line`. */
static int count_lines_below(const struct ct_neighbor_lists *lists, int line)
{
    int low = 0, high = lists->count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (lists->line[middle] < line)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Copies list i to `row` and `distance`; returns its length. */
static int load_list(const struct ct_neighbor_lists *lists, int i, int k, double *row,
                     double *distance)
{
    for (int j = 0; j < k; j++) {
        size_t at = (size_t)i + (size_t)j * (size_t)lists->count;
        distance[j] = lists->distance[at];
        if (isnan(distance[j]))
            return j;
        row[j] = lists->row ? lists->row[at] : lists->wide_row[at];
    }
    return k;
}

/* Merges the new list of `count` neighbors into that of a place of the run, from the end on: the
 * list has room for k, and those beyond are left out first. */
static void merge_into(struct run *run, int place, int count, int k)
{
    double *row = run->row + (size_t)place * k, *distance = run->distance + (size_t)place * k;
    int old = run->found[place], new = count;
    for (int kept = old + new; new > 0; kept--) {
        double d = run->new_distance[new - 1], r = run->new_row[new - 1];
        int older_last =
            old > 0 && (d < distance[old - 1] || (d == distance[old - 1] && r < row[old - 1]));
        old -= older_last;
        new -= !older_last;
        if (kept > k)
            continue;
        row[kept - 1] = older_last ? row[old] : r;
        distance[kept - 1] = older_last ? distance[old] : d;
    }
    run->found[place] = run->found[place] + count < k ? run->found[place] + count : k;
}

/* Writes the lists of the lines from `begin` on to the result. */
static void store_run(const struct merging *m, const struct run *run, int begin, int count)
{
    const struct ct_merged_lists *to = m->to;
    for (int j = 0; j < to->k; j++)
        for (int place = 0; place < count; place++) {
            size_t from = (size_t)place * to->k + j;
            size_t at = (size_t)(begin + place) + (size_t)j * (size_t)to->lines;
            int none = j >= run->found[place];
            to->distance[at] = none ? m->missing : run->distance[from];
            if (to->row)
                to->row[at] = none ? INT_MIN : (int)run->row[from];
            else
                to->wide_row[at] = none ? m->missing : run->row[from];
        }
}

static void merge_run(void *data, int number, int thread)
{
    const struct merging *m = data;
    struct run *run = &m->run[thread];
    int k = m->to->k, begin = number * m->run_lines, left = m->to->lines - begin;
    int count = left < m->run_lines ? left : m->run_lines;
    for (int place = 0; place < count; place++)
        run->found[place] = 0;
    for (int l = 0; l < m->count; l++) {
        const struct ct_neighbor_lists *lists = &m->lists[l];
        int first = count_lines_below(lists, begin + 1);
        for (int i = first; i < lists->count && lists->line[i] <= begin + count; i++) {
            int place = lists->line[i] - 1 - begin;
            size_t to = (size_t)place * k;
            if (run->found[place] == 0)
                run->found[place] = load_list(lists, i, k, run->row + to, run->distance + to);
            else
                merge_into(run, place, load_list(lists, i, k, run->new_row, run->new_distance), k);
        }
    }
    store_run(m, run, begin, count);
}

void ct_merge_lists(const struct ct_host *host, const struct ct_neighbor_lists *lists, int count,
                    int threads, double missing, const struct ct_merged_lists *to)
{
    int lines = RUN_ENTRIES / to->k;
    struct merging m = {.lists = lists, .count = count, .missing = missing, .to = to};
    m.run_lines = lines < 1 ? 1 : lines < RUN_LINES ? lines : RUN_LINES;
    int runs = to->lines / m.run_lines + (to->lines % m.run_lines > 0);
    m.run = host->alloc((size_t)threads, sizeof *m.run);
    for (int thread = 0; thread < threads; thread++) {
        size_t entries = (size_t)m.run_lines * to->k, k = (size_t)to->k;
        m.run[thread] = (struct run){.row = host->alloc(entries, sizeof(double)),
                                     .distance = host->alloc(entries, sizeof(double)),
                                     .found = host->alloc((size_t)m.run_lines, sizeof(int)),
                                     .new_row = host->alloc(k, sizeof(double)),
                                     .new_distance = host->alloc(k, sizeof(double))};
    }
    ct_parallel_for(host, runs, threads, merge_run, &m);
}
