#' Order points for Vecchia's approximation
#'
#' `order_maximin()` begins with the point nearest to the centroid. Each following point is the
#' one whose distance to the nearest point before it is largest, so that every initial part of
#' the order covers the points evenly. It is exact, in any dimension. The other functions order by a
#' coordinate, by the distance to the centroid, or at random.
#'
#' @param x A numeric or integer matrix, or a data frame of numeric columns: a
#'   row for each point. Values must be finite. For `order_random()` also the
#'   number of points.
#' @param threads The number of threads; `NULL` for the default of
#'   [covertree_threads()]. The order is the same for any number.
#' @param column The number of the column to order by; `NULL` for the sum of all
#'   columns.
#'
#' @return An integer vector, a permutation of the row numbers of `x`:
#'   `x[order_maximin(x), ]` is `x` in maximin order.
#'
#' @details
#' Distances are compared by their squares: differences squared and summed in the
#' order of the columns, in double precision, without the root. Of points whose
#' squares are equal, to the last bit, the one with the smaller row is taken. So
#' duplicates come last, by row, after all distinct points (as do points so near
#' to others that the square underflows to zero). The centroid of a column is its
#' first value plus the mean of the differences from that, summed by row in double
#' precision. The order is the same for any number of threads and on any instruction
#' set.
#'
#' Points that are symmetric about their centroid, or lie on a grid, have many equal
#' distances; then the rows decide, and other programs, which break ties otherwise
#' or start elsewhere, give another order that covers the points as well.
#'
#' With few dimensions, the time of `order_maximin()` grows little faster than the
#' number of points. With many, from about ten independent ones on, it grows with
#' the square of that number, times the dimensions; there threads help.
#'
#' `order_coordinate()` sums columns from left to right; equal sums keep the order
#' of their rows. `order_middleout()` goes from the centroid outwards, equal
#' squares by row; it begins with the point that `order_maximin()` begins with.
#' `order_random()` is [sample.int()], so it takes R's random numbers and
#' [set.seed()] makes it the same again.
#'
#' @section Errors:
#' All stop if `x` is not numeric, is empty, or holds `NA`, `NaN` or infinite
#' values (and say where). `order_maximin()` and `order_middleout()` also stop if
#' `x` spans more than 1e153 or, without all rows being the same, less than 1e-145,
#' where squared distances leave the range of doubles; `order_coordinate()` if
#' there is no such column, or a sum of columns is infinite.
#'
#' @references
#' Guinness, J. (2018). Permutation and grouping methods for sharpening Gaussian
#' process approximations. *Technometrics* 60(4), 415-429.
#' \doi{10.1080/00401706.2018.1437476}
#'
#' Katzfuss, M. and Guinness, J. (2021). A general framework for Vecchia
#' approximations of Gaussian processes. *Statistical Science* 36(1), 124-141.
#' \doi{10.1214/19-STS755}
#'
#' Schaefer, F., Katzfuss, M. and Owhadi, H. (2021). Sparse Cholesky factorization
#' by Kullback-Leibler minimization. *SIAM Journal on Scientific Computing* 43(3),
#' A2019-A2046. \doi{10.1137/20M1336254}
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
  if (length(infinite) > 0) fail("x must have finite sums of columns, but not in row %d", infinite[1])
  order(sum)
}

#' @rdname order_maximin
#' @export
order_random <- function(x) {
  n <- if (is.null(dim(x))) check_count(x, "x, if not points,") else nrow(check_points(x))
  sample.int(n)
}
