#' Find all points within a radius
#'
#' Finds, for each query point, every point of a tree at a distance of at most `radius`. The result
#' is exact.
#'
#' @inheritParams knn_query
#' @param tree A tree of n points in d dimensions from [cover_tree()], [insert_points()],
#'   [remove_points()] or [read_tree()], or a forest from [cover_forest()], with any of the
#'   [metrics] except a residual correlation.
#' @param radius The largest distance, in the units of the tree's metric: one number from 0 to
#'   1e153.
#' @param count_only Whether to return only the number of points within the radius of each query.
#'   Points are not stored, so `max_pairs` and `sort` have no effect.
#' @param sort Whether to order the points of each query by distance, and equal distances by row.
#'   `FALSE` saves time. The order is then arbitrary, and may differ between calls and numbers of
#'   threads.
#' @param max_pairs The largest number of pairs (a query and a point within its radius) that the
#'   result may have, including the pairs of repeated `rows`: one number, or `Inf`. `NULL`: as many
#'   as fit into half of the available memory, but at most 2^31 - 1.
#' @param control A [knn_control()]; only `search` and `block_size` are used.
#'
#' @return A list of class `covertree_radius` with
#'   \describe{
#'     \item{`index`}{list of m integer vectors: row numbers of the points from which the tree was
#'       built. Vector i has the points within the radius of query i. If the queries are own points
#'       of the tree, it does not contain the query itself, unless `self` is `TRUE`.}
#'     \item{`distance`}{list of m double vectors: the distances of these points}
#'     \item{`count`}{integer vector \[m\]: the number of points found for each query}
#'     \item{`radius`}{the radius}
#'   }
#'   and the attributes `own` (whether the queries are the tree's own points), `points` (n, or the
#'   largest row number in a grown tree), `rows`, if `rows` is given, and `exclusion`, the names of
#'   the arguments `self`, `before`, `exclude` and `window`, if used. Without queries, the lists
#'   and `count` are empty.
#'
#'   With `count_only = TRUE`: only the integer vector `count`.
#'
#'   `as.data.frame()` converts the result to a data frame with a row for each pair, and the columns
#'   `query` (the number of the query, or with `rows` the row number of the point), `neighbor` and
#'   `distance`.
#'
#' @section The limit on pairs:
#' The search counts the points of each query before it allocates the result. If it has counted 5
#' million pairs (or `max_pairs`, if that is less), it estimates the total from a sample of the
#' queries. If the estimate exceeds `max_pairs` clearly, the call stops and reports the estimate.
#' Otherwise it continues to count, and stops when the count exceeds `max_pairs`. With the default,
#' results of up to 5 million pairs are always permitted.
#'
#' The available memory is the memory that the system reports: `MemAvailable` on Linux, within the
#' limits of control groups (containers); free and inactive pages on macOS; free physical memory on
#' Windows. If the system reports nothing, 8 GB are assumed. Unless `max_pairs` is `Inf`, the call
#' also stops if the result without its pairs would take more than half of the available memory.
#'
#' @section Errors:
#' Stops if `tree` is not a tree or has a residual correlation; if `query` is not numeric and
#' finite, or has other columns than the tree, by number or by name; if the range of the columns of
#' `query` and of the tree's points together is outside the limits of [cover_tree()]; if `rows`
#' contains anything but row numbers of the tree; if `radius`, `self`, `before`, `exclude`, `window`,
#' `sort`, `count_only`, `threads`, `max_pairs` or `control` is not as described; and if the result
#' would have more than `max_pairs` pairs, or more queries than fit into memory.
#'
#' @section Cost:
#' Time: two searches, one to count and one to fill the result; one search with `count_only`. Each
#' search takes at most O(n d) operations for each query. Sorting takes O(c log c) for a query with
#' c points.
#'
#' Memory: 12 bytes for each pair (up to 80 bytes during a search by a [metric_function()]), and up
#' to 152 bytes for each query; with `count_only`, 4 bytes for each query. Repeated `rows` share
#' their vectors. Sorting needs temporary memory for the longest vector of each thread. In addition,
#' each thread needs temporary memory for the nodes and tiles of the tree.
#'
#' @seealso [knn_query()] finds the k nearest points, and explains `before`, `exclude` and `window`.
#'   [as_neighbors()] converts a result to the objects of other packages. [insert_points()] explains
#'   the row numbers of a grown tree.
#'
#' @examples
#' x <- as.matrix(quakes[, 1:3])
#' near <- radius_query(cover_tree(x), radius = 5)
#' near
#' table(near$count)
#' radius_query(cover_tree(x), radius = 5, rows = 1:3, count_only = TRUE)
#'
#' # One row for each pair.
#' head(as.data.frame(near))
#' @export
radius_query <- function(tree, query = NULL, radius, rows = NULL, self = FALSE, before = NULL, exclude = NULL,
                         window = NULL, sort = TRUE, count_only = FALSE, threads = NULL, max_pairs = NULL,
                         control = knn_control()) {
  excluding <- list(self = self, before = before, exclude = exclude, window = window)
  if (is_shards(tree)) {
    check_exclusion(excluding, tree, query)
    if (missing(radius)) fail("radius must be one finite number of at least 0: got nothing")
    return(shards_radius(tree, query, radius, rows, sort, check_flag(count_only, "count_only"), threads,
                         max_pairs, control))
  }
  pointer <- check_tree(tree)
  count_only <- check_flag(count_only, "count_only")
  if (is_function_tree(tree)) {
    check_exclusion(excluding, tree, query)
    return(function_radius(tree, query, radius, rows, sort, count_only, threads, max_pairs, control))
  }
  if (!is.null(tree$metric)) {
    fail("tree must have Euclidean distance or one of ?metrics: got a residual correlation, for which only knn_query() searches")
  }
  if (missing(radius)) fail("radius must be one finite number of at least 0: got nothing")
  radius <- check_radius(radius)
  sort <- check_flag(sort, "sort")
  max_pairs <- check_max_pairs(max_pairs)
  query <- plain_query(query, tree)
  exclusion <- check_exclusion(excluding, tree, query)
  options <- search_options(check_control(control), threads, metric = tree$space$code, exclusion = exclusion)
  queries <- count_queries(query, rows, length(tree))
  if (!count_only) check_queries(queries, if (is.null(rows)) queries else min(queries, length(tree)), max_pairs)
  search <- function(tree, query, rows, scan = NULL) {
    distinct <- if (!is.null(rows)) sort(unique(rows))
    place <- if (!identical(rows, distinct)) match(rows, distinct)
    options["limits"] <- list(limits_for(exclusion, distinct))
    if (count_only) {
      count <- if (!is.null(scan)) .Call(r_scan_count, scan$points, scan$query, distinct, radius, options)
               else .Call(r_radius_count, tree, query, distinct, radius, options)
      return(list(count = if (is.null(place)) count else count[place]))
    }
    times <- if (length(distinct) < length(rows)) tabulate(place, length(distinct))
    bytes <- radius_bytes(queries, if (is.null(rows)) queries else length(distinct))
    limit <- function() if (is.null(max_pairs)) radius_limit(bytes) else max_pairs
    found <- if (!is.null(scan)) {
      .Call(r_scan_radius, scan$points, scan$query, distinct, times, radius, limit(), options)
    } else {
      .Call(r_radius, tree, query, distinct, times, radius, sort, min(FEW_PAIRS, max_pairs), limit, options)
    }
    if (is.double(found)) refuse_counted(found, max_pairs)
    if (is.null(place)) found else lapply(found, `[`, place)
  }
  if (is_grown_tree(tree)) {
    grown <- grown_radius(tree, query, rows, queries, search, threads)
    rows <- grown$rows
    found <- grown$found
  } else {
    rows <- check_rows(rows, length(tree))
    scan <- radius_scan(tree, query, queries, options)
    found <- search(pointer, if (is.null(scan)) check_query(query, tree), rows, scan)
  }
  if (count_only) return(found$count)
  structure(c(found, list(radius = radius)), class = "covertree_radius", rows = rows,
            own = is.null(query), points = last_row(tree), exclusion = exclusion$used)
}

#' @export
format.covertree_radius <- function(x, ...) {
  check_radius_result(x)
  queries <- length(x$count)
  found <- sum(as.numeric(x$count))
  sprintf("<radius: %s point%s within %g of %s quer%s>", format(found, big.mark = ","), plural(found),
          x$radius, format(queries, big.mark = ","), if (queries == 1) "y" else "ies")
}

#' @export
print.covertree_radius <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  if (length(x$count) > 0) {
    cat("points per query:\n")
    print(summary(x$count))
  }
  invisible(x)
}

#' @export
as.data.frame.covertree_radius <- function(x, ...) {
  check_radius_result(x)
  query <- if (is.null(attr(x, "rows"))) seq_along(x$index) else attr(x, "rows")
  # Row numbers of a forest may be doubles.
  neighbor <- if (sum(x$count) > 0) unlist(x$index) else integer()
  data.frame(query = rep(query, lengths(x$index)), neighbor = neighbor, distance = as.double(unlist(x$distance)))
}
