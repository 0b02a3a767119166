#' Find all points within a radius
#'
#' Finds, for each query point, every point of a tree at a distance of at most `radius`. The
#' answer is exact.
#'
#' @inheritParams knn_query
#' @param radius The largest distance that counts, at least 0.
#' @param sort Whether to order each query's points by distance, and by row where distances are
#'   equal. Unsorted points are in the order of the traversal, which saves time.
#' @param max_pairs The largest number of pairs (a query and a point within its radius) that the
#'   result may have, including those of repeated `rows`: one number, or `Inf`. `NULL` for as many as
#'   fit into half of the available memory, at most 2^31 - 1.
#' @param control A [knn_control()], of which `search` and `block_size` are used.
#'
#' @return A list of class `covertree_radius` with
#'   \describe{
#'     \item{`index`}{list of m integer vectors: rows of the data from which the tree was built;
#'       one vector for each of the m queries}
#'     \item{`distance`}{list of m double vectors: their distances}
#'     \item{`count`}{integer vector of length m: the numbers of points found}
#'     \item{`radius`}{the radius}
#'   }
#'   and, if `rows` was given, the attribute `rows`. Without queries (no rows in `query`, or
#'   `rows = integer()`), the lists and `count` are empty.
#'
#' @details
#' The points of each query are counted before memory for them is allocated. A pair takes 12 bytes.
#' After 5 million pairs, the total is estimated from a sample of the queries: if it exceeds
#' `max_pairs`, the call stops and reports the estimate. Otherwise counting continues, and the
#' call stops if the count exceeds `max_pairs`.
#'
#' The available memory is what the system reports (`MemAvailable` on Linux, within the limits of
#' control groups, as in containers; free and inactive pages on macOS; free physical memory on
#' Windows), or 8 GB where it reports none. Results of up to 5 million pairs are always allowed by
#' default. Each query takes up to 152 bytes besides its pairs: unless `max_pairs` is `Inf`, the call
#' stops if all queries together take more than half of the available memory.
#'
#' @section Errors:
#' Stops if `query` is not numeric and finite or has other columns than the tree, by number
#' or by name; if `rows` holds anything but row numbers of the tree; if `radius` is not one finite
#' number of at least 0; if `max_pairs` is not one number of at least 0; if the result would
#' have more than `max_pairs` pairs; and if it would have more queries than fit into memory.
#'
#' @examples
#' x <- as.matrix(quakes[, 1:3])
#' near <- radius_query(cover_tree(x), radius = 5)
#' near
#' table(near$count)
#' @export
radius_query <- function(tree, query = NULL, radius, rows = NULL, sort = TRUE, threads = NULL,
                         max_pairs = NULL, control = knn_control()) {
  pointer <- check_tree(tree)
  if (!is.null(tree$metric)) {
    fail("tree must be Euclidean: by residual correlation only knn_query() searches")
  }
  if (missing(radius)) fail("radius must be given: the largest distance that counts")
  radius <- check_radius(radius)
  sort <- check_flag(sort, "sort")
  max_pairs <- check_max_pairs(max_pairs)
  options <- search_options(check_control(control), threads)
  queries <- count_queries(query, rows, length(tree))
  check_queries(queries, if (is.null(rows)) queries else min(queries, length(tree)), max_pairs)
  rows <- check_rows(rows, length(tree))
  query <- check_query(query, pointer)
  distinct <- if (!is.null(rows)) sort(unique(rows))
  place <- if (!identical(rows, distinct)) match(rows, distinct)
  times <- if (length(distinct) < length(rows)) tabulate(place, length(distinct))
  bytes <- radius_bytes(queries, if (is.null(rows)) queries else length(distinct))
  limit <- function() if (is.null(max_pairs)) radius_limit(bytes) else max_pairs
  found <- .Call(r_radius, pointer, query, distinct, times, radius, sort, min(FEW_PAIRS, max_pairs),
                 limit, options)
  if (is.double(found)) refuse_counted(found, max_pairs)
  if (!is.null(place)) found <- lapply(found, `[`, place)
  structure(c(found, list(radius = radius)), class = "covertree_radius", rows = rows)
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
  if (length(x$count) > 0) {
    cat("points within the radius of a query:\n")
    print(summary(x$count))
  }
  invisible(x)
}
