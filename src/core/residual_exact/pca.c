/* pca.c: see pca.h. */
#include "core/residual_exact/pca.h"
#include "core/util/parallel_for.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { ROUNDS = 2 }; /* of orthogonal iteration; more bring little */

static size_t room_of(const struct ct_panel *panel)
{
    return (size_t)CT_GROUP * (panel->terms + panel->sieve->lanes);
}

/* Number (t, c) of the matrix is from[t * row + c * column]. */
static struct ct_panel make_panel(const struct ct_host *host, const struct ct_filter_kernels *sieve,
                                  const double *from, size_t row, size_t column, int terms,
                                  int columns)
{
    int lanes = sieve->lanes, runs = (columns + lanes - 1) / lanes;
    size_t size = (size_t)runs * lanes * terms;
    struct ct_panel panel = {sieve, terms, columns, host->alloc(size, sizeof(double))};
    memset(panel.tiles, 0, size * sizeof(double));
    for (int c = 0; c < columns; c++)
        sieve->pack(panel.tiles + (size_t)(c / lanes) * lanes * terms + c % lanes, lanes,
                    from + c * column, row, NULL, 1, terms);
    return panel;
}

/* to[i * ld + c] = the product of vector i, whose numbers lie `apart`, and column c. */
static void multiply_team(const struct ct_panel *panel, const double *const *v, size_t apart,
                          double scale, double *room, double *to, size_t ld)
{
    const struct ct_filter_kernels *sieve = panel->sieve;
    int lanes = sieve->lanes, terms = panel->terms;
    double *team = room, *sums = room + (size_t)CT_GROUP * terms;
    for (int i = 0; i < CT_GROUP; i++)
        sieve->pack(team + i, CT_GROUP, v[i], apart, NULL, scale, terms);
    for (int first = 0; first < panel->columns; first += lanes) {
        const double *tile = panel->tiles + (size_t)first * terms;
        int some = panel->columns - first < lanes ? panel->columns - first : lanes;
        memset(sums, 0, sizeof(double) * CT_GROUP * lanes);
        for (int from = 0; from < terms; from += CT_CHUNK)
            sieve->add_dots(tile + (size_t)from * lanes, team + (size_t)from * CT_GROUP,
                            terms - from < CT_CHUNK ? terms - from : CT_CHUNK, sums);
        for (int i = 0; i < CT_GROUP; i++)
            memcpy(to + i * ld + first, sums + i * lanes, some * sizeof(double));
    }
}

/* Products of many vectors and a panel; room has that of each thread. */
struct product {
    const struct ct_panel *panel;
    const double *from;
    size_t vector, apart; /* from one vector to the next, and between its numbers */
    int count;
    double *to, *room, *spare; /* to: [count * ld]; spare: [threads] teams */
    size_t ld;
};

static void multiply_some(void *data, int block, int thread)
{
    const struct product *product = data;
    size_t size = CT_GROUP * product->ld, room = room_of(product->panel);
    int first = block * CT_GROUP, left = product->count - first;
    int some = left < CT_GROUP ? left : CT_GROUP;
    double *spare = product->spare + thread * size;
    const double *v[CT_GROUP];
    for (int i = 0; i < CT_GROUP; i++)
        v[i] = product->from + (size_t)(first + (i < some ? i : 0)) * product->vector;
    multiply_team(product->panel, v, product->apart, 1, product->room + thread * room, spare,
                  product->ld);
    for (int i = 0; i < some; i++)
        memcpy(product->to + (size_t)(first + i) * product->ld, spare + i * product->ld,
               (size_t)product->panel->columns * sizeof(double));
}

static void multiply(const struct ct_host *host, struct product product, int threads)
{
    product.room = host->alloc(threads * room_of(product.panel), sizeof(double));
    product.spare = host->alloc(threads * CT_GROUP * product.ld, sizeof(double));
    ct_parallel_for(host, (product.count + CT_GROUP - 1) / CT_GROUP, threads, multiply_some,
                    &product);
}

/* The reflection that leaves of x, from number j on, only that number: x becomes
 * its unit normal, or 0 where there is nothing to reflect. */
static void make_normal(double *x, int j, int m)
{
    double largest = 0, sum = 0;
    for (int t = 0; t < m; t++)
        largest = fmax(largest, t < j ? 0 : fabs(x[t]));
    for (int t = 0; t < m; t++) {
        x[t] = t < j || largest == 0 ? 0 : x[t] / largest;
        sum += x[t] * x[t];
    }
    double head = x[j], tip = head + copysign(sqrt(sum), head);
    double norm = sqrt(sum - head * head + tip * tip);
    x[j] = tip;
    for (int t = j; t < m && norm > 0; t++)
        x[t] /= norm;
}

static void reflect(const struct ct_correlation_kernels *dots, const double *normal, int j,
                    double *x, int m, size_t stride)
{
    size_t from = (size_t)j / CT_V_LANES * CT_V_LANES;
    double twice = 2 * dots->dot(normal + from, x + from, stride - from);
    for (int t = j; t < m; t++)
        x[t] -= twice * normal[t];
}

/* Makes m vectors orthonormal, each run of first ones spanning what it did; `to`
 * gets them, and y the normals of reflections. */
static void make_orthonormal(const struct ct_host *host, const struct ct_correlation_kernels *dots,
                             double *y, double *to, int m, size_t stride)
{
    for (int j = 0; j < m; j++) {
        make_normal(y + j * stride, j, m);
        for (int i = j + 1; i < m; i++)
            reflect(dots, y + j * stride, j, y + i * stride, m, stride);
        if (j % CT_CHUNK == 0)
            host->poll();
    }
    memset(to, 0, m * stride * sizeof *to);
    for (int i = 0; i < m; i++)
        to[i * stride + i] = 1;
    for (int j = m; j-- > 0;) {
        for (int i = j; i < m; i++)
            reflect(dots, y + j * stride, j, to + i * stride, m, stride);
        if (j % CT_CHUNK == 0)
            host->poll();
    }
}

static double share_off(const double *squares, int m, size_t stride)
{
    double sum = 0, one = (CT_CHUNK + m / CT_CHUNK + 8) * DBL_EPSILON / 2;
    for (int i = 0; i < m; i++)
        for (int j = 0; j < m; j++) {
            double gap = squares[i * stride + j] - (i == j);
            sum += gap * gap;
        }
    return 1.1 * (sqrt(sum) + m * one + 2 * sqrt(m) * one);
}

struct ct_rotation ct_rotation_make(const struct ct_host *host,
                                    const struct ct_correlation_kernels *dots,
                                    const double *vectors, int count, int m, size_t stride,
                                    int threads)
{
    const struct ct_filter_kernels *sieve = &dots->filter_f64;
    size_t size = m * stride;
    double *gram = host->alloc(size, sizeof(double)), *y = host->alloc(size, sizeof(double));
    double *q = host->alloc(size, sizeof(double));
    struct ct_panel panel = make_panel(host, sieve, vectors, stride, 1, count, m);
    memset(gram, 0, size * sizeof(double));
    multiply(host,
             (struct product){.panel = &panel,
                              .from = vectors,
                              .vector = 1,
                              .apart = stride,
                              .count = m,
                              .to = gram,
                              .ld = stride},
             threads);
    panel = make_panel(host, sieve, gram, stride, 1, m, m);
    struct product product = {
        .panel = &panel, .vector = stride, .apart = 1, .count = m, .ld = stride};
    memcpy(y, gram, size * sizeof(double));
    for (int round = 1;; round++) {
        make_orthonormal(host, dots, y, q, m, stride);
        product.from = q;
        product.to = y;
        if (round == ROUNDS)
            break;
        memset(y, 0, size * sizeof(double));
        multiply(host, product, threads);
    }
    struct ct_rotation turn = {.m = m, .panel = make_panel(host, sieve, q, 1, stride, m, m)};
    product.panel = &turn.panel;
    multiply(host, product, threads);
    turn.off = share_off(y, m, stride);
    return turn;
}

size_t ct_rotation_scratch_size(const struct ct_rotation *turn)
{
    return room_of(&turn->panel);
}

void ct_rotate_group(const struct ct_rotation *turn, const double *const *v, double scale,
                     double *room, double *to)
{
    multiply_team(&turn->panel, v, 1, scale, room, to, (size_t)turn->m);
}
