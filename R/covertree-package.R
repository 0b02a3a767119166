#' covertree: exact batched nearest neighbors on a Hilbert-ordered cover tree
#'
#' Build an index once with [cover_tree()]; ask it for the nearest neighbors of
#' many points with [knn_query()], or for all points within a radius with
#' [radius_query()]. Answers are exact and do not depend on the number of
#' threads, the order of the points, or whether the tree was saved in between.
#'
#' @section The distance:
#' The distance of two points is the Euclidean one, taken in double precision:
#' differences squared, summed in the order of the columns, and the square root
#' of the sum. Every path through the package gives exactly these bits.
#' Neighbors are ordered by that distance and, where distances are equal, by
#' row. Squares must fit: points may span up to 1e153, and must span more than
#' 1e-145 unless they coincide; beyond that the functions stop and say so.
#'
#' @keywords internal
#' @useDynLib covertree, .registration = TRUE
"_PACKAGE"
