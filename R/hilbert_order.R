#' Order points along a Hilbert curve
#'
#' The order of the points along a Hilbert curve through their bounding cube. Points near each
#' other in this order are near each other in space.
#'
#' @inheritParams cover_tree
#' @param threads The number of threads; `NULL` for the default of [covertree_threads()].
#'   The order is the same for any number.
#'
#' @return An integer vector, a permutation of the row numbers of `x`:
#'   `x[hilbert_order(x), ]` is `x` along the curve. Points in the same cell of
#'   the curve keep the order of their rows.
#'
#' @details
#' The curve is a true Hilbert curve in every dimension, by Skilling's
#' transform: consecutive cells share a face. Its cells are cubes, so all columns share one
#' scale, that of the widest. With d columns, each coordinate is resolved into
#' 2^b cells with b = 32 for d = 1 and 2, and b = floor(64 / d), but at least 1,
#' above: 21 bits at d = 3, 8 at d = 8, 4 at d = 16, 2 at d = 32. From d = 33 on
#' there is one bit per coordinate: the curve only distinguishes the halves of the cube's
#' sides, and neighbors on the curve need not be close; with that many dimensions the order
#' costs little, but has little effect.
#'
#' @references
#' Skilling, J. (2004). Programming the Hilbert curve. *AIP Conference
#' Proceedings* 707, 381-387. \doi{10.1063/1.1751381}
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
