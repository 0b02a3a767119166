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

/* Finds the k nearest points of each point, the point itself among them, with the number of
 * dimensions D known to the compiler; -1: not known. */
template <int D> void search(const cloud &points, std::size_t k, int *index, double *distance)
{
    using metric = nanoflann::L2_Simple_Adaptor<double, cloud>;
    using tree = nanoflann::KDTreeSingleIndexAdaptor<metric, cloud, D, unsigned>;
    tree kd((int)points.d, points, nanoflann::KDTreeSingleIndexAdaptorParams(10));
#if NANOFLANN_VERSION < 0x140 /* later versions build the index in the constructor */
    kd.buildIndex();
#endif
    std::vector<unsigned> found(k);
    std::vector<double> sq(k);
    for (std::size_t i = 0; i < points.n; i++) {
        std::size_t count = kd.knnSearch(&points.x[i * points.d], k, found.data(), sq.data());
        for (std::size_t j = 0; j < count; j++) {
            index[i + j * points.n] = (int)found[j] + 1;
            distance[i + j * points.n] = sq[j];
        }
    }
}

}

/* Returns list(rows, squared distances), matrices [n x k], of the points x [n x d]. */
extern "C" SEXP nanoflann_knn(SEXP x, SEXP k)
{
    std::size_t n = (std::size_t)Rf_nrows(x), d = (std::size_t)Rf_ncols(x);
    SEXP found = PROTECT(Rf_allocVector(VECSXP, 2));
    SET_VECTOR_ELT(found, 0, Rf_allocMatrix(INTSXP, (int)n, Rf_asInteger(k)));
    SET_VECTOR_ELT(found, 1, Rf_allocMatrix(REALSXP, (int)n, Rf_asInteger(k)));
    int *index = INTEGER(VECTOR_ELT(found, 0));
    double *distance = REAL(VECTOR_ELT(found, 1));
    cloud points = {std::vector<double>(n * d), n, d};
    for (std::size_t j = 0; j < d; j++)
        for (std::size_t i = 0; i < n; i++)
            points.x[i * d + j] = REAL(x)[i + j * n];
    if (d == 3)
        search<3>(points, (std::size_t)Rf_asInteger(k), index, distance);
    else if (d == 8)
        search<8>(points, (std::size_t)Rf_asInteger(k), index, distance);
    else
        search<-1>(points, (std::size_t)Rf_asInteger(k), index, distance);
    UNPROTECT(1);
    return found;
}

extern "C" SEXP nanoflann_version()
{
    return Rf_ScalarInteger(NANOFLANN_VERSION);
}
