#' Order points for a Vecchia approximation
#'
#' `order_maximin()` returns the maximin order: the first point is the point nearest to the
#' centroid, and each following point is the point whose distance to the nearest earlier point is
#' largest. So the first points of the order cover the space evenly. The order is exact, in any
#' dimension. `order_middleout()` orders by the distance to the centroid, `order_coordinate()` by a
#' column or the sum of all columns, `order_random()` at random.
#'
#' @param x The points \[n x d\]: a numeric or integer matrix, or a data frame of numeric columns,
#'   with one row per point. All values must be finite. For `order_random()` also the number of
#'   points.
#' @param threads The number of threads; `NULL` for the default of [covertree_threads()]. The order
#'   is the same for any number.
#' @param column The number of the column to order by; `NULL` for the sum of all columns.
#'
#' @return An integer vector of length n, a permutation of the row numbers of `x`:
#'   `x[order_maximin(x), ]` has the points in maximin order.
#'
#' @details
#' Distances are compared by their squares in double precision: the differences of the coordinates
#' are squared and added in the order of the columns. If squares are equal, the point with the
#' smaller row comes first. So all distinct points come before the duplicates, and the duplicates
#' are in the order of their rows. (Points whose squared distance to an earlier point is rounded to
#' 0 count as duplicates.) Coordinate j of the centroid is `x[1, j]` plus the mean of
#' `x[i, j] - x[1, j]` over all rows i.
#'
#' On a grid, or for points that are symmetric about their centroid, many distances are equal. Other
#' programs order equal distances otherwise, or begin with another point. Their maximin order then
#' differs from this one.
#'
#' `order_middleout()` begins with the same point as `order_maximin()`, and orders equal squares by
#' row. `order_coordinate()` adds the columns from left to right, and orders equal sums by row.
#' `order_random()` calls [sample.int()], so it uses R's random numbers, and [set.seed()] makes the
#' order reproducible.
#'
#' @section Errors:
#' All functions stop if `x` is not as described; the message names the row and column of a value
#' that is not finite. `order_maximin()` and `order_middleout()` stop if the range of the columns of
#' `x` is outside the limits of [cover_tree()]. `order_maximin()` stops if `threads` is not `NULL`
#' or a whole number of at least 1. `order_coordinate()` stops if `column` is not the number of a
#' column, or if the sum of the columns is infinite for a row. `order_random()` stops if `x` is
#' neither points nor a whole number of at least 1.
#'
#' @section Cost:
#' `order_maximin()`: for points of few independent dimensions, the time grows little faster than n
#' (`vignette("performance")`). For points of many independent dimensions, it needs about n^2 / 2
#' distances, O(n^2 d), shared by the threads. Temporary memory of about 8 n (d + 2) bytes, and that
#' of [hilbert_order()]. The other functions: O(n d + n log n) time and O(n) memory.
#'
#' @references
#' Guinness, J. (2018). Permutation and grouping methods for sharpening Gaussian process
#' approximations. *Technometrics* 60(4), 415-429. \doi{10.1080/00401706.2018.1437476}
#'
#' Katzfuss, M. and Guinness, J. (2021). A general framework for Vecchia approximations of Gaussian
#' processes. *Statistical Science* 36(1), 124-141. \doi{10.1214/19-STS755}
#'
#' Schaefer, F., Katzfuss, M. and Owhadi, H. (2021). Sparse Cholesky factorization by
#' Kullback-Leibler minimization. *SIAM Journal on Scientific Computing* 43(3), A2019-A2046.
#' \doi{10.1137/20M1336254}
#'
#' @examples
#' x <- as.matrix(quakes[, c("long", "lat")])
#' first <- order_maximin(x)[1:50]
#' plot(x, pch = ".")
#' points(x[first, ], pch = 19, col = 2)
#'
#' order_middleout(x)[1:5]
#' order_coordinate(x, column = 2)[1:5]
#' set.seed(1)
#' order_random(x)[1:5]
#' @export
order_maximin <- function(x, threads = NULL) {
  x <- check_points(x)
  check_extent(.Call(r_column_range, x), "x")
  .Call(r_order_maximin, x, nrow(x), simd_level(), check_threads(threads))
}

#' @rdname order_maximin
#' @export
order_middleout <- function(x) {
  x <- check_points(x)
  check_extent(.Call(r_column_range, x), "x")
  centroid <- .Call(r_centroid, x)
  square <- 0
  for (j in seq_along(centroid)) square <- square + (x[, j] - centroid[j])^2
  order(square)
}

#' @rdname order_maximin
#' @export
order_coordinate <- function(x, column = NULL) {
  x <- check_points(x)
  if (!is.null(column)) return(order(x[, check_count(column, "column", most = ncol(x))]))
  sum <- 0
  for (j in seq_len(ncol(x))) sum <- sum + x[, j]
  infinite <- which(!is.finite(sum))
  if (length(infinite) > 0) {
    fail("x must have rows with finite sums: the sum of row %d is %s", infinite[1], format(sum[infinite[1]]))
  }
  order(sum)
}

#' @rdname order_maximin
#' @export
order_random <- function(x) {
  if (missing(x)) fail("x must be points or their number: got nothing")
  n <- if (is.null(dim(x))) check_count(x, "x as a number of points") else nrow(check_points(x))
  sample.int(n)
}
