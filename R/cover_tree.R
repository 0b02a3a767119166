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
#' @param metric `"euclidean"`, or a [residual_correlation()]: then the tree is built
#'   over the coordinates divided by the lengthscale, and [knn_query()] searches by
#'   that metric.
#' @param layout The order in which the build processes the points: along the curve of
#'   [hilbert_order()] (`"hilbert"`), or by row (`"natural"`). It determines which of equally good
#'   centers and cuts the build takes, and the order of the children of a node. Answers are
#'   the same. With the Hilbert curve, points that are near each other in space are near each other
#'   in memory, and queries are faster.
#' @param leaf_size The largest number of points in a node that is not split; `NULL` for 128.
#'   It changes speed, never answers.
#' @param threads The number of threads; `NULL` for the default of
#'   [covertree_threads()]. The tree is the same for any number.
#'
#' @return An object of class `cover_tree`. It has methods for `print()`,
#'   `summary()`, `dim()`, `dimnames()`, `length()` (the number of points) and
#'   `as.matrix()` (the points in the order of `x`, with its dimnames). [tree_arrays()]
#'   returns its arrays, [validate_tree()] checks its invariants, and
#'   [all.equal()][all.equal.cover_tree] compares two trees.
#'
#'   A tree cannot be changed, indexed or combined with others: build another tree from
#'   `as.matrix(tree)`, with the rows or columns that it is to have.
#'
#'   The tree keeps its own copy of the points. [object.size()] counts that copy and the
#'   other arrays, but not the copy in single precision that searches read, which is at most
#'   about as large and is not saved, nor the trees of the first rows that the first query with
#'   `predecessor = TRUE` builds ([knn_query()]), which take about as much memory as the tree. The
#'   tree survives [saveRDS()] and
#'   [save()], a fork, and being sent to a worker of the parallel package: the arrays are
#'   serialized, and checked when the tree is first used in its new place. The checks are that the
#'   arrays form a tree, and that they and the data of a metric match the checksums that
#'   [cover_tree()] computed, so that a damaged file is refused. (Serialized as text, with
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
#' Shelton, with four levels for each doubling of the radius. Coinciding points share a node
#' without a level, which is cut into runs by row. In a leaf, points are ordered such that each run
#' of 16 is compact: the leaf is halved along its widest coordinate, and so are its halves. If
#' distances are so alike that hundreds of centers would not lower the level, as with points of many
#' independent dimensions, the node is not split and is scanned.
#'
#' @section Errors:
#' Stops if `x` is not numeric, is of class `integer64` or `dist`, is empty, holds `NA`,
#' `NaN` or infinite values (the message names the row and column), or spans more than 1e153 or,
#' unless all rows are the same, less than 1e-145, where squared distances leave the range of
#' doubles.
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
cover_tree <- function(x, metric = "euclidean", layout = c("hilbert", "natural"), leaf_size = NULL,
                       threads = NULL) {
  if (missing(x)) fail("x must be given: the points, a row for each")
  metric <- check_metric(metric)
  x <- check_points(x)
  layout <- check_choice(layout, c("hilbert", "natural"), "layout")
  leaf_size <- if (is.null(leaf_size)) 128L else check_count(leaf_size, "leaf_size")
  threads <- check_threads(threads)
  if (is.null(metric)) check_extent(.Call(r_column_range, x), "x")
  state <- if (!is.null(metric)) metric_state(x, metric, threads)
  space <- if (is.null(metric)) x else state$code$points$z
  settings <- list(layout = layout, leaf_size = leaf_size, dimnames = dimnames(x))
  pointer <- .Call(r_tree_build, space, layout == "hilbert", leaf_size, simd_level(), threads,
                   settings)
  new_cover_tree(pointer, state)
}

# The cache keeps the efforts that searches to a stated recall have chosen, and the quantized V.
new_cover_tree <- function(pointer, metric = NULL) {
  structure(c(list(pointer = pointer, cache = new.env(parent = emptyenv())),
              if (!is.null(metric)) list(metric = metric)),
            class = "cover_tree")
}

# A file can contain anything in place of the cache: then nothing is kept.
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
  sprintf("<cover_tree: %s point%s in %d dimension%s, %s layout%s>", format(size[1], big.mark = ","),
          plural(size[1]), size[2], plural(size[2]), layout_label(tree_arrays(x)$layout),
          if (is.null(x$metric)) "" else ", by residual correlation")
}

layout_label <- function(layout) if (layout == "hilbert") "Hilbert" else layout

plural <- function(count) if (count == 1) "" else "s"

#' @export
print.cover_tree <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}

#' @export
str.cover_tree <- function(object, ...) cat(format(object), "\n", sep = "")
