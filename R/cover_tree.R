#' Build a cover tree
#'
#' Sorts the points along a Hilbert curve and builds a cover tree over them, in
#' parallel. The tree is an index for [knn_query()] and [radius_query()]: build
#' it once, query it as often as needed, save it with [saveRDS()], send it to
#' other processes.
#'
#' @param x A numeric or integer matrix, or a data frame of numeric columns: a
#'   row for each point. Values must be finite. Any number of columns from 1 on,
#'   up to 2^31 - 1 rows.
#' @param order How points are arranged when the build finds them: along the
#'   curve of [hilbert_order()], or as they come (`"natural"`). It decides which of
#'   equally good centers and cuts the build takes, and in which order the children of
#'   a node lie. Answers are the same; after the Hilbert curve, points near each
#'   other in space are near each other in memory, and queries are faster.
#' @param leaf_size The largest number of points that a node may hold without
#'   being split; `NULL` for 128. It changes speed, never answers.
#' @param threads The number of threads; `NULL` for the default of
#'   [covertree_threads()]. The tree is the same for any number.
#' @param metric `"euclidean"`, or a [residual_correlation()]: then the tree is built
#'   over the coordinates divided by the lengthscale, and [knn_query()] searches by
#'   that metric.
#'
#' @return An object of class `cover_tree`. It has methods for `print()`,
#'   `summary()`, `dim()`, `dimnames()`, `length()` (the number of points) and
#'   `as.matrix()` (the points in the order of `x`, with its dimnames). [tree_arrays()]
#'   gives its arrays, [validate_tree()] checks its invariants, and
#'   [all.equal()][all.equal.cover_tree] compares two trees.
#'
#'   A tree cannot be changed, indexed or combined with others: build another one of
#'   `as.matrix(tree)`, with the rows or columns it is to have.
#'
#'   The tree keeps its own copy of the points. [object.size()] counts that copy and the
#'   other arrays, but not the copy in single precision that searches read, which is up to
#'   about as large and is not saved, nor the trees of the first rows that the first query with
#'   `predecessor = TRUE` leaves ([knn_query()]): these double the memory of the tree. The tree
#'   survives [saveRDS()] and
#'   [save()], a fork, and being sent to a worker of the parallel package: the
#'   arrays travel, and are checked when the tree is first used in its new place: whether
#'   they make a tree, and whether they and what belongs to a metric have the checksums that
#'   [cover_tree()] gave them, so that a damaged file is refused. (Serialized as text, with
#'   `ascii = TRUE`, doubles lose their last bits, and the check refuses the tree.)
#'
#' @details
#' Each node is a set of points around one of them, its center. The *radius* of a
#' node is the distance from its center to its farthest point; its *level* is the
#' least integer l with radius at most 2^(l/4). A node of more than `leaf_size`
#' points is split by farthest-first traversal until every point is within the
#' radius of a lower level of some center; each center gets the points nearest to it.
#' So a node's points lie within the cover radius of its level (*covering*), the
#' node's center is the center of one of its children (*nesting*), and the centers of
#' siblings are farther apart than 2^((c - 1)/4), where c is the highest of
#' their levels (*separation*), as in the simplified cover tree of Izbicki and
#' Shelton, with four levels to each doubling of the radius. Points that
#' coincide share a node without a level, which is cut into runs by row. In a leaf,
#' points are put in an order in which each run of 16 is compact: the leaf is halved
#' along its widest coordinate, and so are its halves. Where distances are so alike that hundreds of centers would not lower the level, as
#' with points of many independent dimensions, the node stays whole and is
#' scanned.
#'
#' @section Errors:
#' Stops if `x` is not numeric, is of class `integer64` or `dist`, is empty, holds `NA`,
#' `NaN` or infinite values (and says where), or spans more than 1e153 or, without all rows being the
#' same, less than 1e-145, where squared distances leave the range of doubles.
#'
#' @references
#' Beygelzimer, A., Kakade, S. and Langford, J. (2006). Cover trees for nearest
#' neighbor. *ICML*. \doi{10.1145/1143844.1143857}
#'
#' Izbicki, M. and Shelton, C. (2015). Faster cover trees. *ICML*, PMLR 37.
#'
#' Elkin, Y. and Kurlin, V. (2023). A new near-linear time algorithm for
#' k-nearest neighbor search using a compressed cover tree. *ICML*, PMLR 202.
#'
#' @examples
#' x <- matrix(rnorm(3000), ncol = 3)
#' tree <- cover_tree(x)
#' tree
#' summary(tree)
#' knn_query(tree, k = 5)
#' @export
cover_tree <- function(x, order = c("hilbert", "natural"), leaf_size = NULL, threads = NULL,
                       metric = "euclidean") {
  if (missing(x)) fail("x must be given: the points, a row for each")
  metric <- check_metric(metric)
  x <- check_points(x)
  order <- check_choice(order, c("hilbert", "natural"), "order")
  leaf_size <- if (is.null(leaf_size)) 128L else check_count(leaf_size, "leaf_size")
  threads <- check_threads(threads)
  if (is.null(metric)) check_extent(.Call(r_column_range, x), "x")
  state <- if (!is.null(metric)) metric_state(x, metric, threads)
  space <- if (is.null(metric)) x else state$code[[4]]$z
  settings <- list(order = order, leaf_size = leaf_size, dimnames = dimnames(x))
  pointer <- .Call(r_tree_build, space, order == "hilbert", leaf_size, simd_level(), threads,
                   settings)
  new_cover_tree(pointer, state)
}

# The cache keeps what searches to a stated recall found out on their samples.
new_cover_tree <- function(pointer, metric = NULL) {
  structure(c(list(pointer = pointer, cache = new.env(parent = emptyenv())),
              if (!is.null(metric)) list(metric = metric)),
            class = "cover_tree")
}

# Anything may have taken the cache's place in a file: then nothing is kept.
cache_of <- function(tree) {
  cache <- tree$cache
  if (is.environment(cache) && !environmentIsLocked(cache)) cache else new.env(parent = emptyenv())
}

#' @export
dim.cover_tree <- function(x) dim(tree_arrays(x)$points)

#' @export
length.cover_tree <- function(x) nrow(tree_arrays(x)$points)

#' @export
dimnames.cover_tree <- function(x) {
  arrays <- tree_arrays(x)
  column_names(arrays)
  arrays$dimnames
}

#' @export
as.matrix.cover_tree <- function(x, ...) {
  arrays <- tree_arrays(x)
  if (!is.null(x$metric)) return(check_state(x$metric, dim(arrays$points))$x)
  points <- arrays$points
  points[arrays$row, ] <- arrays$points
  dimnames(points) <- dimnames(x)
  points
}

#' @export
format.cover_tree <- function(x, ...) {
  size <- dim(x)
  sprintf("<cover_tree: %s point%s in %d dimension%s, %s order%s>", format(size[1], big.mark = ","),
          plural(size[1]), size[2], plural(size[2]), order_label(tree_arrays(x)$order),
          if (is.null(x$metric)) "" else ", by residual correlation")
}

order_label <- function(order) if (order == "hilbert") "Hilbert" else order

plural <- function(count) if (count == 1) "" else "s"

#' @export
print.cover_tree <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}

#' @export
str.cover_tree <- function(object, ...) cat(format(object), "\n", sep = "")
