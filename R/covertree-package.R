#' covertree: exact batched nearest neighbors on a Hilbert-ordered cover tree
#'
#' Builds an index of points once, with [cover_tree()], and answers many queries with it:
#' [knn_query()] finds the k nearest points of each query, [radius_query()] all points within a
#' radius. For Gaussian processes, [vecchia_neighbors()] finds conditioning sets, and
#' [residual_correlation()] is a metric for them. Results are exact unless the user permits an
#' approximation. An exact result does not depend on the number of threads, the instruction set, the
#' shape of the tree, or whether the tree was saved and loaded. The order of the points decides only
#' their row numbers, and so the choice among points at equal distances.
#'
#' @section Vignettes:
#' \describe{
#'   \item{`vignette("covertree")`}{Getting started}
#'   \item{`vignette("metrics")`}{Choosing a metric}
#'   \item{`vignette("clustering")`}{Clustering and outliers}
#'   \item{`vignette("embedding")`}{Embedding and graphs}
#'   \item{`vignette("spatial")`}{Spatial joins and weights}
#'   \item{`vignette("matching")`}{Matching and imputation}
#'   \item{`vignette("vecchia")`}{Vecchia Gaussian processes}
#'   \item{`vignette("forest")`}{Points that exceed the memory of one machine}
#'   \item{`vignette("design")`}{How it works}
#'   \item{`vignette("migration")`}{Coming from other packages}
#'   \item{`vignette("performance")`}{Performance: time, recall and memory}
#' }
#'
#' @section Functions:
#' \describe{
#'   \item{Trees}{[cover_tree()], [insert_points()], [remove_points()], [compact()], [tree_rows()],
#'     [validate_tree()], [tree_arrays()], [cover_tree_from_arrays()],
#'     [summary()][summary.cover_tree], [all.equal()][all.equal.cover_tree]}
#'   \item{Pictures}{[plot(tree)][plot.cover_tree], [plot(knn)][plot.covertree_knn],
#'     [plot(stats)][plot.covertree_knn_stats], [plot(curve)][recall_curve]}
#'   \item{Files and several processes}{[write_tree()], [read_tree()], [cover_forest()]; from the
#'     command line: [covertree_cli]}
#'   \item{Searches}{[knn_query()], [radius_query()], [recall_of()], [recall_curve()], [budget()],
#'     [knn_control()], [knn_stats()], [as_neighbors()], [CovertreeParam()]}
#'   \item{Metrics}{[metrics], [metric_function()], [residual_correlation()]}
#'   \item{Tasks}{[knn_join()], [knn_predict()], [knn_impute()], [knn_graph()], [knn_lof()],
#'     [knn_density()], [knn_dimension()]}
#'   \item{Gaussian processes}{[vecchia_neighbors()], [order_maximin()], [hilbert_order()],
#'     [residual_correlation()], [update_metric()], [kernels], [vif_loglik()]}
#'   \item{Settings and data}{[covertree_threads()], [covertree_progress], [covertree_info()], [argo]}
#' }
#'
#' @section The distance:
#' Unless [cover_tree()] is given another of the [metrics], the distance between two points is the
#' Euclidean distance in double precision: the differences of the coordinates are squared, the
#' squares are added in the order of the columns, and the square root of the sum is taken. Every
#' search returns exactly these values. Neighbors are ordered by this distance, and equal distances
#' by row.
#'
#' Squares must not leave the range of doubles. Functions stop if the range of the widest column
#' times the square root of the number of columns exceeds 1e153, or if the range of the widest
#' column is above 0 and below 1e-145. A squared difference below about 2.5e-324 is rounded to 0, so
#' points whose coordinates differ by less than about 1.5e-162 have distance 0.
#'
#' @keywords internal
#' @useDynLib covertree, .registration = TRUE
"_PACKAGE"
