/* nanoflann.cpp: the side of nanoflann in knn.R, which compiles this file if the header of the
 * library is installed. Points lie row by row, as nanoflann recommends. */
#include <nanoflann.hpp>

#include <cstddef>
#include <vector>

#define R_NO_REMAP
#include <Rinternals.h>

namespace {

/* Points [n x d, row-major], for nanoflann. */
struct cloud {
    std::vector<double> x;
    std::size_t n, d;

    std::size_t kdtree_get_point_count() const { return n; }
    double kdtree_get_pt(std::size_t i, std::size_t j) const { return x[i * d + j]; }
    template <class Box> bool kdtree_get_bbox(Box &) const { return false; }
};

/* Copies a matrix [n x d]. */
cloud copy_points(SEXP x)
{
    std::size_t n = (std::size_t)Rf_nrows(x), d = (std::size_t)Rf_ncols(x);
    cloud points = {std::vector<double>(n * d), n, d};
    for (std::size_t j = 0; j < d; j++)
        for (std::size_t i = 0; i < n; i++)
            points.x[i * d + j] = REAL(x)[i + j * n];
    return points;
}

/* Finds the k nearest points of each query, with the number of dimensions D known to the compiler;
 * -1: not known. */
template <int D>
void search(const cloud &points, const cloud &query, std::size_t k, int *index, double *distance)
{
    using metric = nanoflann::L2_Simple_Adaptor<double, cloud>;
    using tree = nanoflann::KDTreeSingleIndexAdaptor<metric, cloud, D, unsigned>;
    tree kd((int)points.d, points, nanoflann::KDTreeSingleIndexAdaptorParams(10));
#if NANOFLANN_VERSION < 0x140 /* later versions build the index in the constructor */
    kd.buildIndex();
#endif
    std::vector<unsigned> found(k);
    std::vector<double> sq(k);
    for (std::size_t i = 0; i < query.n; i++) {
        std::size_t count = kd.knnSearch(&query.x[i * query.d], k, found.data(), sq.data());
        for (std::size_t j = 0; j < count; j++) {
            index[i + j * query.n] = (int)found[j] + 1;
            distance[i + j * query.n] = sq[j];
        }
    }
}

}

/* Returns list(rows, squared distances), matrices [m x k], for the points x [n x d] and the queries
 * q [m x d]. */
extern "C" SEXP nanoflann_knn(SEXP x, SEXP q, SEXP k)
{
    std::size_t neighbors = (std::size_t)Rf_asInteger(k);
    SEXP found = PROTECT(Rf_allocVector(VECSXP, 2));
    SET_VECTOR_ELT(found, 0, Rf_allocMatrix(INTSXP, Rf_nrows(q), (int)neighbors));
    SET_VECTOR_ELT(found, 1, Rf_allocMatrix(REALSXP, Rf_nrows(q), (int)neighbors));
    int *index = INTEGER(VECTOR_ELT(found, 0));
    double *distance = REAL(VECTOR_ELT(found, 1));
    cloud points = copy_points(x), query = copy_points(q);
    if (points.d == 3)
        search<3>(points, query, neighbors, index, distance);
    else if (points.d == 8)
        search<8>(points, query, neighbors, index, distance);
    else
        search<-1>(points, query, neighbors, index, distance);
    UNPROTECT(1);
    return found;
}

extern "C" SEXP nanoflann_version()
{
    return Rf_ScalarInteger(NANOFLANN_VERSION);
}
