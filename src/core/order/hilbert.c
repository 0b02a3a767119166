/* hilbert.c: the sort of the points by their keys.
 *
 * The points are put on a grid over the smallest cube around all points (hilbert_key.h). All
 * coordinates have the same scale: cells are cubes. Up to d = 32, a first sort uses short keys,
 * which differ for most points. Complete keys are made for the other points alone; for all points
 * if most of a sample share their short keys.
 */
#include "core/order/hilbert.h"
#include "core/order/hilbert_key.h"
#include "core/util/column_range.h"
#include "core/util/parallel_for.h"
#include "core/util/radix_sort.h"
#include "core/util/short_sort.h"

#include <stdint.h>
#include <string.h>

/* Blocks of 2048 points balance the load, and cost little to claim. */
enum {
    CHUNK = CT_KEY_CHUNK,
    CHUNKS_PER_BLOCK = 32, /* chunks in a block of keys */
    ORDER_BLOCK = 1 << 16, /* points in a block of the result */
    MANY = 1 << 16,        /* points: from this number on, a sample is compared first */
    SAMPLE = 1 << 10       /* points of the sample */
};

/* ---- keys ------------------------------------------------------------------- */

/* The smallest cube around all points. */
struct grid {
    const double *origin; /* [d] smallest coordinates of the points */
    double side;          /* length of a side of the cube */
};

/* Returns the grid over the points; a grid of side 1 if all points coincide. */
static struct grid make_grid(const struct ct_host *host, const double *x, int n, int d)
{
    double *origin = host->alloc((size_t)d, sizeof *origin);
    double side = 0;
    for (int j = 0; j < d; j++) {
        double least, most;
        ct_column_range(x + (size_t)j * n, n, &least, &most);
        origin[j] = least;
        side = most - least > side ? most - least : side;
    }
    return (struct grid){origin, side > 0 ? side : 1};
}

/* The task of making the keys of points, and of sorting the points. */
struct key_task {
    struct grid grid;
    const double *x; /* [n x d, column-major] */
    int n, d;
    uint32_t *cells; /* [threads x d x CHUNK] */
    uint64_t *words; /* [n] short keys and the numbers of the points */
    int *order;      /* [n] the result */
    int *block_ties; /* [blocks of ORDER_BLOCK + 1] places with ties: number; then, number before */

    /* ---- complete keys of the points with ties ---- */
    int ties;
    int *place;           /* [ties] their places in the order; NULL: all places */
    uint64_t *chunk_keys; /* [threads x CHUNK x words of a key] */
    uint64_t *keys; /* [ties x (words of a key - 1), column-major] all words of the keys but the
                     * last, the most significant first */
    struct ct_key_id *pairs; /* [ties] the last word and the number of each point; if a key has
                              * more words, the place in the order, which is the number then */
    struct ct_key_id *spare; /* [ties] of the sort. pairs, spare: NULL, or memory of the caller */
};

/* Computes coordinate j of the cells of a chunk of points, with values x [CHUNK]. Needs x in the
 * cube. Rounding may give the number of cells for a point at the upper side, which belongs to the
 * last cell. At most 31 bits: the conversion to int32_t is a vector instruction. */
static void short_cells(const struct key_task *task, const double *x, int j, uint32_t *cell)
{
    double origin = task->grid.origin[j], side = task->grid.side;
    double cells = (double)((uint32_t)1 << ct_hilbert_short_bits(task->d)), last = cells - 1;
    for (int i = 0; i < CHUNK; i++) {
        double at = (x[i] - origin) / side * cells;
        at = at < last ? at : last;
        cell[i] = (uint32_t)(int32_t)at;
    }
}

/* The same with all bits of the curve. */
static void long_cells(const struct key_task *task, const double *x, int j, uint32_t *cell)
{
    double origin = task->grid.origin[j], side = task->grid.side;
    double cells = (double)((uint64_t)1 << ct_hilbert_bits(task->d));
    for (int i = 0; i < CHUNK; i++) {
        double at = (x[i] - origin) / side * cells;
        cell[i] = at < cells - 1 ? (uint32_t)at : (uint32_t)(cells - 1);
    }
}

/* Computes the short keys of the points of a chunk. cell: [d x CHUNK] scratch. A last chunk repeats
 * its first point. */
static void chunk_short_keys(const struct key_task *task, int begin, uint32_t *cell)
{
    int count = task->n - begin < CHUNK ? task->n - begin : CHUNK;
    uint32_t key[CHUNK];
    for (int j = 0; j < task->d; j++) {
        const double *x = task->x + begin + (size_t)j * task->n;
        double rest[CHUNK];
        for (int i = 0; count < CHUNK && i < CHUNK; i++)
            rest[i] = x[i < count ? i : 0];
        short_cells(task, count < CHUNK ? rest : x, j, cell + (size_t)j * CHUNK);
    }
    ct_hilbert_short_keys(cell, task->d, key);
    for (int i = 0; i < count; i++)
        task->words[begin + i] = ct_pack_key(key[i], begin + i);
}

/* Number of the point at a place of the order that has ties. */
static int tied_point(const struct key_task *task, int i)
{
    return task->place ? task->order[task->place[i]] : i;
}

/* Computes the complete keys of a chunk of points with ties. cell, key: scratch, [d x CHUNK] and
 * [CHUNK x words of a key]. */
static void chunk_long_keys(const struct key_task *task, int begin, uint32_t *cell, uint64_t *key)
{
    int d = task->d, last = ct_hilbert_key_words(d) - 1;
    int count = task->ties - begin < CHUNK ? task->ties - begin : CHUNK, point[CHUNK];
    for (int i = 0; i < CHUNK; i++)
        point[i] = tied_point(task, i < count ? begin + i : begin);
    for (int j = 0; j < d; j++) {
        double x[CHUNK];
        for (int i = 0; i < CHUNK; i++)
            x[i] = task->x[point[i] + (size_t)j * task->n];
        long_cells(task, x, j, cell + (size_t)j * CHUNK);
    }
    ct_hilbert_keys(cell, d, key);
    for (int word = 0; word < last; word++)
        memcpy(task->keys + (size_t)word * task->ties + begin, key + (size_t)word * CHUNK,
               (size_t)count * sizeof *key);
    for (int i = 0; i < count; i++)
        task->pairs[begin + i] =
            (struct ct_key_id){.key = key[(size_t)last * CHUNK + i], .id = point[i]};
}

/* One block of work: the short keys of CHUNKS_PER_BLOCK chunks. */
static void block_short_keys(void *data, int block, int thread)
{
    const struct key_task *task = data;
    uint32_t *cell = task->cells + (size_t)thread * task->d * CHUNK;
    for (int i = 0, begin = block * CHUNKS_PER_BLOCK * CHUNK;
         i < CHUNKS_PER_BLOCK && begin < task->n; i++, begin += CHUNK)
        chunk_short_keys(task, begin, cell);
}

/* One block of work: the complete keys of CHUNKS_PER_BLOCK chunks. */
static void block_long_keys(void *data, int block, int thread)
{
    const struct key_task *task = data;
    uint32_t *cell = task->cells + (size_t)thread * task->d * CHUNK;
    uint64_t *key = task->chunk_keys + (size_t)thread * ct_hilbert_key_words(task->d) * CHUNK;
    for (int i = 0, begin = block * CHUNKS_PER_BLOCK * CHUNK;
         i < CHUNKS_PER_BLOCK && begin < task->ties; i++, begin += CHUNK)
        chunk_long_keys(task, begin, cell, key);
}

/* Number of blocks of keys of `count` points. */
static int key_blocks(int count)
{
    return count / (CHUNKS_PER_BLOCK * CHUNK) + 1;
}

/* ---- order ------------------------------------------------------------------- */

/* Whether the point at a place of the order by short keys has the key of another point. */
static int is_tied(const struct key_task *task, int i)
{
    uint32_t key = ct_packed_key(task->words[i]);
    return (i > 0 && ct_packed_key(task->words[i - 1]) == key) ||
           (i < task->n - 1 && ct_packed_key(task->words[i + 1]) == key);
}

/* One block of work: stores the order by short keys. */
static void store_order(void *data, int block, int thread)
{
    const struct key_task *task = data;
    int begin = block * ORDER_BLOCK, ties = 0;
    for (int i = begin; i < task->n && i - begin < ORDER_BLOCK; i++) {
        task->order[i] = ct_packed_id(task->words[i]);
        ties += is_tied(task, i);
    }
    task->block_ties[block] = ties;
    (void)thread;
}

/* One block of work: lists the places with ties from number task->block_ties[block] on. */
static void list_ties(void *data, int block, int thread)
{
    const struct key_task *task = data;
    int begin = block * ORDER_BLOCK, count = task->block_ties[block];
    int end = task->block_ties[block + 1];
    for (int i = begin; count < end; i++)
        if (is_tied(task, i))
            task->place[count++] = i;
    (void)thread;
}

/* Whether there are many points, and most points of a sample have the short key of another one. */
static int most_are_tied(const struct ct_host *host, const struct key_task *task)
{
    if (task->n < MANY)
        return 0;
    double *x = host->alloc((size_t)SAMPLE * task->d, sizeof *x);
    uint64_t words[SAMPLE], buffer[SAMPLE];
    struct key_task sample = {
        .grid = task->grid, .x = x, .n = SAMPLE, .d = task->d, .words = words};
    int ties = 0;
    for (int j = 0; j < task->d; j++)
        for (int i = 0; i < SAMPLE; i++)
            x[i + (size_t)j * SAMPLE] =
                task->x[(long long)task->n * i / SAMPLE + (size_t)j * task->n];
    for (int begin = 0; begin < SAMPLE; begin += CHUNK)
        chunk_short_keys(&sample, begin, task->cells);
    ct_short_sort(host, words, buffer, SAMPLE, 1);
    for (int i = 0; i < SAMPLE; i++)
        ties += is_tied(&sample, i);
    return ties > SAMPLE / 2;
}

/* Sorts the points by short keys, and lists the places with ties. */
static void sort_by_short_keys(const struct ct_host *host, struct key_task *task, int threads,
                               uint64_t *buffer)
{
    int blocks = task->n / ORDER_BLOCK + 1, n = task->n;
    task->block_ties = host->alloc((size_t)blocks + 1, sizeof *task->block_ties);
    ct_parallel_for(host, key_blocks(n), threads, block_short_keys, task);
    ct_short_sort(host, task->words, buffer, n, threads);
    ct_parallel_for(host, blocks, threads, store_order, task);
    for (int block = 0; block <= blocks; block++) {
        int here = block < blocks ? task->block_ties[block] : 0;
        task->block_ties[block] = task->ties;
        task->ties += here;
    }
    task->place = host->alloc((size_t)task->ties, sizeof *task->place);
    ct_parallel_for(host, blocks, threads, list_ties, task);
}

/* Sorts the points with ties by their complete keys: one sort for each word of a key, by the last
 * word first and by the first word last. Each sort is stable, so the order by earlier words
 * prevails. The leading bits of these keys are the short keys, so every point remains among the
 * places of its short key. */
static void sort_by_long_keys(const struct ct_host *host, struct key_task *task, int threads)
{
    int m = task->ties, words = ct_hilbert_key_words(task->d);
    if (!task->pairs) {
        task->pairs = host->alloc((size_t)m, sizeof *task->pairs);
        task->spare = host->alloc((size_t)m, sizeof *task->spare);
    }
    task->keys = host->alloc((size_t)m * (words - 1), sizeof(uint64_t));
    task->chunk_keys = host->alloc((size_t)threads * words * CHUNK, sizeof(uint64_t));
    ct_parallel_for(host, key_blocks(m), threads, block_long_keys, task);
    ct_radix_sort(host, task->pairs, task->spare, m, threads);
    for (int word = words - 2; word >= 0; word--) {
        for (int i = 0; i < m; i++)
            task->pairs[i].key = task->keys[(size_t)word * m + task->pairs[i].id];
        host->poll();
        ct_radix_sort(host, task->pairs, task->spare, m, threads);
    }
    for (int i = 0; i < m; i++)
        task->order[task->place ? task->place[i] : i] = task->pairs[i].id;
}

/* Short keys are not needed after the list of places with ties: pairs take their memory. */
void ct_hilbert_order_in(const struct ct_host *host, const double *x, int n, int d, int threads,
                         size_t point_bytes, void *first, void *second, int *order)
{
    struct key_task task = {
        .grid = make_grid(host, x, n, d),
        .x = x,
        .n = n,
        .d = d,
        .cells = host->alloc((size_t)threads * d * CHUNK, sizeof(uint32_t)),
        .words = first,
        .order = order,
        .pairs = point_bytes < sizeof *task.pairs ? NULL : first,
        .spare = point_bytes < sizeof *task.pairs ? NULL : second,
    };
    if (ct_hilbert_short_bits(d) > 0 && !most_are_tied(host, &task))
        sort_by_short_keys(host, &task, threads, second);
    else
        task.ties = n;
    if (task.ties > 0)
        sort_by_long_keys(host, &task, threads);
}

void ct_hilbert_order(const struct ct_host *host, const double *x, int n, int d, int threads,
                      int *order)
{
    size_t bytes = ct_hilbert_short_bits(d) > 0 ? sizeof(uint64_t) : sizeof(struct ct_key_id);
    void *first = host->alloc((size_t)n, bytes), *second = host->alloc((size_t)n, bytes);
    ct_hilbert_order_in(host, x, n, d, threads, bytes, first, second, order);
}
