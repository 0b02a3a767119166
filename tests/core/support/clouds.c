/* clouds.c: see clouds.h. A shape is a function of the row and the column; the
 * scales reach from where squares nearly overflow to where they vanish. */
#include "clouds.h"
#include "host.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 20260;

/* splitmix64 */
uint64_t random_bits(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

double random_uniform(void)
{
    return (double)(random_bits() >> 11) / 9007199254740992.0;
}

double random_normal(void)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += random_uniform();
    return sum;
}

int random_below(int limit)
{
    return (int)(random_bits() % (uint64_t)limit);
}

static double uniform(int i, int j)
{
    (void)i, (void)j;
    return random_uniform();
}

static double normal(int i, int j)
{
    (void)i, (void)j;
    return random_normal();
}

static double lattice(int i, int j, int side)
{
    for (; j > 0; j--)
        i /= side;
    return i % side;
}

static double grid(int i, int j)
{
    return lattice(i, j, 12);
}

static double grid_of_3(int i, int j)
{
    return lattice(i, j, 3);
}

static double circle(int i, int j)
{
    return j == 0 ? cos(0.04 * i) : sin(0.04 * i);
}

static double line(int i, int j)
{
    return 37 * i % 151 * (j + 1) / 8.0;
}

static double same(int i, int j)
{
    (void)i;
    return 1.5 * j - 1;
}

static double few(int i, int j)
{
    return i * 5 % 7 * (j + 2) % 5;
}

static double clusters(int i, int j)
{
    return i % 5 * (j + 1) % 4 + 0.01 * random_normal();
}

static double integers(int i, int j)
{
    (void)j;
    return i * 7 % 20 - 10;
}

static double huge(int i, int j)
{
    return 1e150 * normal(i, j);
}

static double tiny(int i, int j)
{
    return 1e-140 * normal(i, j);
}

static double faint(int i, int j)
{
    return 1e-160 * normal(i, j);
}

static double fading(int i, int j)
{
    return 2e-162 * normal(i, j);
}

static double speck(int i, int j)
{
    return i == 0 ? 1 : fading(i, j);
}

static double vanishing(int i, int j)
{
    return 1e-170 * normal(i, j);
}

static double subnormal(int i, int j)
{
    return 1e-310 * normal(i, j);
}

static double one_apart(int i, int j)
{
    return i == 41 ? 2 : j;
}

static double scales(int i, int j)
{
    return ldexp(j + 1, -i);
}

static double zeros(int i, int j)
{
    return i % 3 == 0 ? 0.0 : i % 3 == 1 ? -0.0 : (i + j) % 2;
}

static double far_off(int i, int j)
{
    return 1e8 + uniform(i, j);
}

static double corners(int i, int j)
{
    return 3 * (i % 150 == j) + 1e-3 * random_uniform();
}

static const struct shape {
    const char *name;
    int n, d;
    double (*at)(int i, int j);
} shapes[] = {
    {"uniform", 120, 2, uniform},
    {"uniform 3", 150, 3, uniform},
    {"normal", 120, 5, normal},
    {"grid", 144, 2, grid},
    {"grid of 3", 81, 4, grid_of_3},
    {"circle", 150, 2, circle},
    {"line", 120, 3, line},
    {"same", 100, 3, same},
    {"few", 100, 2, few},
    {"clusters", 120, 4, clusters},
    {"one", 1, 2, uniform},
    {"two", 2, 1, uniform},
    {"twins", 2, 3, same},
    {"column", 120, 1, uniform},
    {"integers", 100, 1, integers},
    {"wide", 50, 100, normal},
    {"huge", 120, 3, huge},
    {"tiny", 120, 3, tiny},
    {"faint", 120, 3, faint},
    {"fading", 120, 3, fading},
    {"speck", 120, 3, speck},
    {"vanishing", 80, 2, vanishing},
    {"subnormal", 80, 2, subnormal},
    {"one apart", 100, 2, one_apart},
    {"scales", 120, 2, scales},
    {"zeros", 60, 2, zeros},
    {"far off", 120, 2, far_off},
    {"corners", 120, 60, corners},
};

static struct cloud make(const struct shape *shape, int n, int d)
{
    struct cloud cloud = {shape->name, n, d, keep((size_t)n * d, sizeof(double))};
    for (int j = 0; j < d; j++)
        for (int i = 0; i < n; i++)
            cloud.x[i + (size_t)j * n] = shape->at(i, j);
    return cloud;
}

int clouds_count(void)
{
    return sizeof shapes / sizeof *shapes;
}

struct cloud cloud_number(int which)
{
    state = (uint64_t)which;
    return make(&shapes[which], shapes[which].n, shapes[which].d);
}

struct cloud cloud_of(const char *name, int n, int d)
{
    for (int which = 0; which < clouds_count(); which++)
        if (strcmp(shapes[which].name, name) == 0)
            return make(&shapes[which], n, d);
    abort();
}

struct cloud queries_near(const struct cloud *cloud, int m)
{
    struct cloud queries = {cloud->name, m, cloud->d, keep((size_t)m * cloud->d, sizeof(double))};
    for (int i = 0; i < m; i++) {
        int a = random_below(cloud->n), b = random_below(cloud->n);
        for (int j = 0; j < cloud->d; j++) {
            const double *x = cloud->x + (size_t)j * cloud->n;
            double at[] = {x[a], x[a] / 2 + x[b] / 2, x[random_below(cloud->n)],
                           x[a] + 3 * (x[a] - x[b])};
            queries.x[i + (size_t)j * m] = at[i % 4];
        }
    }
    return queries;
}
