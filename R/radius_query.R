#' Find all points within a radius
#'
#' Exact: every point at a distance of at most `radius`.
#'
#' @inheritParams knn_query
#' @param radius The largest distance that counts, at least 0.
#' @param sort Whether to order each query's points by distance, and by row
#'   where distances are equal. Unsorted, they come in the order of the walk
#'   through the tree, which saves the sorting.
#'
#' @return A list of class `radius_neighbours` with
#'   \describe{
#'     \item{`index`}{list of m integer vectors: rows of the data that the tree
#'       was built from; one vector for each of the m queries}
#'     \item{`distance`}{list of m double vectors: their distances}
#'     \item{`count`}{integer vector of length m: the numbers of points found}
#'     \item{`radius`}{the radius}
#'   }
#'
#' @section Errors:
#' Stops if `query` is not numeric and finite or has another number of columns
#' than the tree, and if `radius` is not one finite number of at least 0.
#'
#' @examples
#' x <- as.matrix(quakes[, 1:3])
#' near <- radius_query(cover_tree(x), radius = 5)
#' near
#' table(near$count)
#' @export
radius_query <- function(tree, query = NULL, radius, sort = TRUE, threads = NULL) {
  pointer <- check_tree(tree)
  if (!is.null(tree$metric)) {
    fail("tree must be Euclidean: by residual correlation only knn_query() searches")
  }
  if (missing(radius)) fail("radius must be given: the largest distance that counts")
  radius <- check_radius(radius)
  sort <- check_flag(sort, "sort")
  query <- check_query(query, pointer)
  how <- check_how("auto", NULL, threads)
  found <- .Call(r_radius, pointer, query, radius, sort, how)
  structure(c(found, list(radius = radius)), class = "radius_neighbours")
}

#' @export
format.radius_neighbours <- function(x, ...) {
  queries <- length(x$count)
  found <- format(sum(as.numeric(x$count)), big.mark = ",")
  sprintf("<radius_neighbours: %s within %g of %s quer%s>", found, x$radius,
          format(queries, big.mark = ","), if (queries == 1) "y" else "ies")
}

#' @export
print.radius_neighbours <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  cat("points within the radius of a query:\n")
  print(summary(x$count))
  invisible(x)
}
