#' Order points along a Hilbert curve
#'
#' Returns the order of the points along a Hilbert curve through their bounding cube. Points that
#' are near each other in this order are near each other in space.
#'
#' @inheritParams cover_tree
#' @param threads The number of threads; `NULL` for the default of [covertree_threads()]. The order
#'   is the same for any number.
#'
#' @return An integer vector of length n, a permutation of the row numbers of `x`:
#'   `x[hilbert_order(x), ]` has the points in the order of the curve. Points in the same cell of
#'   the curve keep the order of their rows.
#'
#' @details
#' The curve is a Hilbert curve in any dimension: consecutive cells share a face. The cells are
#' computed by the algorithm of Skilling (2004). The cells are cubes, so all columns have the same
#' scale, which is that of the widest column. The bounding cube is divided into 2^b cells along each
#' of the d columns, with b = min(32, max(1, floor(64 / d))): b is 32 for d = 1 and 2, 21 for d = 3,
#' 8 for d = 8, 4 for d = 16 and 2 for d = 32. For d above 32, b is 1: the curve distinguishes only
#' two halves of each column. Then points that are neighbors on the curve are often not near in
#' space.
#'
#' @section Errors:
#' Stops if `x` is not as described for [cover_tree()], or if the range of its columns is outside
#' the limits stated there; and if `threads` is not `NULL` or a whole number of at least 1.
#'
#' @section Cost:
#' Time O(n d b). Temporary memory up to d = 32: 16 n bytes, and 36 bytes more for each point whose
#' place on the curve agrees with that of another point in the first 32 bits; from d = 33 on: 8 n (w
#' + 3) bytes, where w = ceiling(d b / 64).
#'
#' @references
#' Skilling, J. (2004). Programming the Hilbert curve. *AIP Conference Proceedings* 707, 381-387.
#' \doi{10.1063/1.1751381}
#'
#' @examples
#' x <- as.matrix(expand.grid(1:16, 1:16))
#' plot(x[hilbert_order(x), ], type = "l", asp = 1)
#' @export
hilbert_order <- function(x, threads = NULL) {
  x <- check_points(x)
  check_extent(.Call(r_column_range, x), "x")
  .Call(r_hilbert_order, x, check_threads(threads))
}
