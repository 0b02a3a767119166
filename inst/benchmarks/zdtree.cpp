/* zdtree.cpp: the side of the zd-tree in zdtree.R: a program for the benchmark "octTree" of the
 * Problem Based Benchmark Suite. zdtree.R says how to get the suite and how to compile. */
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "neighbors.h"

namespace {

/* A point with room for K neighbors: what ANN() needs. */
template <class P, int K> struct vertex {
    using pointT = P;
    int identifier;
    P pt;
    vertex *ngh[K];
    std::size_t counter = 0, counter2 = 0;
    vertex(P p, int id) : identifier(id), pt(p) {}
};

point2d<double> point(const double *x, std::size_t n, point2d<double> *)
{
    return {x[0], x[n]};
}

point3d<double> point(const double *x, std::size_t n, point3d<double> *)
{
    return {x[0], x[n], x[2 * n]};
}

/* Builds the tree and finds K neighbors of each point x [n x d, column-major], `runs` times after
 * a first run. Prints the time of each run but the first [s], and writes the neighbors, as
 * numbers from 1 [n x K, row-major], to the file `out`. */
template <class P, int K> int measure(const double *x, std::size_t n, int runs, const char *out)
{
    using vtx = vertex<P, K>;
    parlay::sequence<vtx> all = parlay::tabulate(
        n, [&](std::size_t i) { return vtx(point(x + i, n, (P *)nullptr), (int)i + 1); });
    parlay::sequence<vtx *> v = parlay::tabulate(n, [&](std::size_t i) { return &all[i]; });
    for (int run = 0; run <= runs; run++) {
        auto start = std::chrono::steady_clock::now();
        ANN<K>(v, K);
        std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        if (run > 0)
            std::printf("%.6f\n", took.count());
    }
    std::vector<int> row(n * K);
    for (std::size_t i = 0; i < n; i++)
        for (int j = 0; j < K; j++)
            row[i * K + j] = v[i]->ngh[j]->identifier;
    std::FILE *file = std::fopen(out, "wb");
    bool written = file && std::fwrite(row.data(), sizeof(int), row.size(), file) == row.size();
    return file && std::fclose(file) == 0 && written ? 0 : 1;
}

}

/* zdtree POINTS n d k RUNS OUT: the file POINTS has n * d doubles; d is 2 or 3, k is 1 or 10. */
int main(int count, char **argument)
{
    if (count != 7)
        return 2;
    std::size_t n = std::strtoul(argument[2], nullptr, 10);
    int d = std::atoi(argument[3]), k = std::atoi(argument[4]), runs = std::atoi(argument[5]);
    std::vector<double> x(n * (std::size_t)d);
    std::FILE *file = std::fopen(argument[1], "rb");
    if (!file || std::fread(x.data(), sizeof(double), x.size(), file) != x.size())
        return 2;
    std::fclose(file);
    if (d == 2)
        return k == 1 ? measure<point2d<double>, 1>(x.data(), n, runs, argument[6])
                      : measure<point2d<double>, 10>(x.data(), n, runs, argument[6]);
    return k == 1 ? measure<point3d<double>, 1>(x.data(), n, runs, argument[6])
                  : measure<point3d<double>, 10>(x.data(), n, runs, argument[6]);
}
