#' Find all points within a radius
#'
#' Exact: every point at a distance of at most `radius`.
#'
#' @inheritParams knn_query
#' @param radius The largest distance that counts, at least 0.
#' @param sort Whether to order each query's points by distance, and by row
#'   where distances are equal. Unsorted, they come in the order of the walk
#'   through the tree, which saves the sorting.
#' @param max_pairs The largest number of pairs (a query and a point within its radius)
#'   that the result may have: one number, or `Inf`. `NULL` for as many as half of the
#'   available memory holds, at most 2^31 - 1.
#'
#' @return A list of class `covertree_radius` with
#'   \describe{
#'     \item{`index`}{list of m integer vectors: rows of the data that the tree
#'       was built from; one vector for each of the m queries}
#'     \item{`distance`}{list of m double vectors: their distances}
#'     \item{`count`}{integer vector of length m: the numbers of points found}
#'     \item{`radius`}{the radius}
#'   }
#'
#' @details
#' The points of each query are counted before anything is allocated for them. A pair
#' takes 12 bytes. After 5 million pairs, a sample of the queries is counted first: if it
#' shows that there are more than `max_pairs`, the call stops, and says about how many there
#' are. Otherwise counting goes on, and the call stops if there are more than `max_pairs`.
#'
#' The available memory is that which the system reports (`MemAvailable` on Linux, within
#' the limits of control groups, as in containers; free and inactive pages on macOS; free
#' physical memory on Windows), or 8 GB where it reports none. Results of up to 5 million
#' pairs are always allowed by default.
#'
#' @section Errors:
#' Stops if `query` is not numeric and finite or has other columns than the tree, by number
#' or by name, if `radius` is not one finite number of at least 0, if `max_pairs` is not
#' one number of at least 0, and if the result would have more than `max_pairs` pairs.
#'
#' @examples
#' x <- as.matrix(quakes[, 1:3])
#' near <- radius_query(cover_tree(x), radius = 5)
#' near
#' table(near$count)
#' @export
radius_query <- function(tree, query = NULL, radius, sort = TRUE, threads = NULL, max_pairs = NULL) {
  pointer <- check_tree(tree)
  if (!is.null(tree$metric)) {
    fail("tree must be Euclidean: by residual correlation only knn_query() searches")
  }
  if (missing(radius)) fail("radius must be given: the largest distance that counts")
  radius <- check_radius(radius)
  sort <- check_flag(sort, "sort")
  max_pairs <- check_max_pairs(max_pairs)
  query <- check_query(query, pointer)
  how <- check_how("auto", NULL, threads)
  limit <- function() {
    if (is.null(max_pairs)) radius_limit(if (is.null(query)) length(tree) else nrow(query)) else max_pairs
  }
  found <- .Call(r_radius, pointer, query, radius, sort, min(FEW_PAIRS, max_pairs), limit, how)
  if (is.double(found)) refuse_counted(found, max_pairs)
  structure(c(found, list(radius = radius)), class = "covertree_radius")
}

#' @export
format.covertree_radius <- function(x, ...) {
  queries <- length(x$count)
  found <- format(sum(as.numeric(x$count)), big.mark = ",")
  sprintf("<radius_neighbors: %s within %g of %s quer%s>", found, x$radius,
          format(queries, big.mark = ","), if (queries == 1) "y" else "ies")
}

#' @export
print.covertree_radius <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  cat("points within the radius of a query:\n")
  print(summary(x$count))
  invisible(x)
}
