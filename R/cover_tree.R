#' Build a cover tree
#'
#' Builds a tree over points. The tree is an index for [knn_query()] and [radius_query()]. A program
#' builds it once, queries it as often as needed, saves it with [saveRDS()], or sends it to other R
#' processes.
#'
#' @param x The points \[n x d\]: a numeric or integer matrix, or a data frame of numeric columns
#'   (also a tibble or a data.table), with one row per point; or points of the package \pkg{sf}. All
#'   values must be finite. n is at least 1 and at most 2^31 - 1, d is at least 1. See the section
#'   Inputs.
#' @param metric The distance: `"euclidean"`, `"manhattan"`, `"maximum"` (or `"chebyshev"`),
#'   `"cosine"`, `"angular"`, `"hamming"`, `"jaccard"`, an object such as `metric_great_circle()`
#'   (see [metrics]), a [metric_function()], or a [residual_correlation()]. With a residual
#'   correlation, the tree is built over the coordinates divided by the lengthscale. With
#'   [metric_gower()], `x` may be a data frame that also has factors and logical columns; with
#'   `"hamming"` or `"jaccard"`, `x` may be logical. With a [metric_function()], `x` is a collection
#'   of n objects of any kind, or their number.
#' @param layout The order in which the build processes the points: `"hilbert"` for the order of
#'   [hilbert_order()], `"natural"` for the order of the rows. The layout decides between equally
#'   good centers and cuts, and orders the children of a node. It changes the time of the build and
#'   of queries, usually by little, but never an exact result (`vignette("performance")`).
#' @param leaf_size The largest number of points in a node that is not split; `NULL` for 128, or 16
#'   with a [metric_function()]. It changes speed and memory, never an exact result.
#' @param threads The number of threads; `NULL` for the default of [covertree_threads()]. The tree
#'   is the same for any number.
#'
#' @return An object of class `cover_tree`, with the methods
#'   \describe{
#'     \item{`print()`, [`summary()`][summary.cover_tree]}{the size, the layout and the levels}
#'     \item{`dim()`, `length()`, `dimnames()`}{c(n, d), n, and the dimnames of `x`}
#'     \item{`as.matrix()`}{the points as a double matrix \[n x d\] in the order of `x`, with its
#'       dimnames}
#'     \item{[`all.equal()`][all.equal.cover_tree]}{compares two trees}
#'   }
#'   [tree_arrays()] returns the arrays of the tree, [validate_tree()] checks its invariants.
#'
#'   A tree cannot be indexed, changed, or combined with other data: these operations stop with
#'   advice. Build a tree of other points from `as.matrix(tree)` instead.
#'
#' @section Inputs:
#' Points of the package \pkg{sf} (classes `sf` and `sfc`) are searched by their coordinates `X` and
#' `Y`. With a projected coordinate reference system (CRS), the distance is Euclidean, in the unit
#' of the CRS. With longitude and latitude, it is `metric_great_circle(unit = "m")`, in meters,
#' unless `metric` is given. The other columns of an `sf` object are not used. A `query` of class
#' `sf` must have the CRS of the tree, and a `query` that is a matrix or a data frame has
#' coordinates in this CRS. Lines and polygons are an error: use `sf::st_centroid(x)`, or
#' `sf::st_coordinates(x)` for all vertices. Empty points, points without a CRS and points of three
#' coordinates are errors, too.
#'
#' Columns of dates, times and durations are an error, because their unit decides what is near:
#' write `as.numeric(x$date)` for days, `as.numeric(x$time)` for seconds (class `POSIXct`), and
#' scale them with [metric_scaled()]. Factors and logicals need [metric_gower()]; convert character
#' columns to factors.
#'
#' Sparse matrices of the package \pkg{Matrix} are an error, because all searches read dense points:
#' pass `as.matrix(x)`, which takes 8 n d bytes, or fewer columns, such as principal components.
#'
#' Distances of class `dist` are an error, because a tree is built over points. If only the
#' distances exist and they obey the triangle inequality, search by them: `m <- as.matrix(x);
#' cover_tree(nrow(m), metric = metric_function(function(i, js) m[i, js]))`.
#'
#' @section Saved trees:
#' A tree survives [saveRDS()], [save()], a fork, and being sent to a worker of the parallel
#' package. Only the arrays of [tree_arrays()], the data of a metric and the results of calibrations
#' (see [knn_query()]) are saved. At the first use in another process, the tree is checked. The
#' arrays must form a tree, and the arrays and the data of the metric must match their checksums. A
#' damaged file is therefore an error. A file written with `ascii = TRUE` usually is, too, because
#' R then writes doubles with 16 significant digits, which changes the last bits of many values.
#'
#' [write_tree()] writes a tree to a file that [read_tree()] opens without reading it; several R
#' processes then share the memory.
#'
#' @section The structure of the tree:
#' A *node* is a set of points around one of them, its *center*. The *radius* of a node is the
#' distance from its center to its farthest point. The *level* of a node is the smallest integer l
#' for which the radius is at most 2^(l/4), the *cover radius* of the level. A node without children
#' is a *leaf*.
#'
#' A node of more than `leaf_size` points is split by farthest-first traversal: the point that is
#' farthest from all centers chosen so far becomes the next center, until every point is within the
#' cover radius of a lower level of some center. Each point joins the nearest center. The invariants
#' are similar to those of the simplified cover tree of Izbicki and Shelton (2015). The differences
#' are that the radius doubles every four levels, and that covering holds for all points of a node,
#' not only for the centers of its children:
#' \describe{
#'   \item{covering}{the points of a node lie within the cover radius of its level around its
#'     center}
#'   \item{nesting}{the center of a node with children is the center of exactly one child}
#'   \item{descent}{the level of a child is below the level of its parent}
#'   \item{separation}{the centers of siblings are farther apart than 2^((c - 1)/4), where c is the
#'     highest level among the siblings}
#' }
#'
#' Two kinds of nodes are special. Points with equal coordinates form a node of radius 0, which has
#' no level; if it has more than `leaf_size` points, it is divided by row. A node is not split if 64
#' + sqrt(s) centers, for s points, do not reach a lower level. This happens if all distances are
#' similar, as for points of many independent dimensions. A search then scans the points of this
#' leaf.
#'
#' The points of a leaf are stored in tiles of at most 16 points. They are divided in half along the
#' widest coordinate, and each half is divided again, so that the bounding boxes of the tiles are
#' small.
#'
#' @section Errors:
#' Stops if `x` is missing, is not a numeric matrix or a data frame of numeric columns, is of class
#' `integer64` or `dist`, is a sparse matrix, has no row or no column, or has a value that is `NA`,
#' `NaN` or infinite (the message names its row and column). Stops if `x` is of class `sf` or `sfc`
#' and is not as the section Inputs describes. Stops if squared distances would leave the range of
#' doubles: if the range of the widest column times sqrt(d) exceeds 1e153, or if the range of the
#' widest column is above 0 and below 1e-145. Also stops if `metric`, `layout`, `leaf_size` or
#' `threads` is not as described. For the errors of a metric, see [metrics], [metric_function()] and
#' [residual_correlation()].
#'
#' @section Cost:
#' Time: the Hilbert order takes O(n d), and a split of a node compares its s points with at most 64
#' + sqrt(s) centers, O(d) operations each. For points of few independent dimensions, the time grows
#' little faster than n (`vignette("performance")`). A residual correlation with m inducing points
#' also needs O(n m (m + d)) operations for its factors.
#'
#' Memory: 8 n d + 4 n bytes for the points and rows, and 40 + 16 d bytes for each node.
#' [object.size()] counts these arrays. With the default `leaf_size`, there is about one node for 30
#' to 100 points. In addition, a tree in use has a copy of the points in single precision for searches,
#' with bounding boxes. With the default `leaf_size`, this copy takes 50 to 65% of the memory of the
#' arrays. A smaller `leaf_size` needs more memory for both, and the copy can take twice the memory of
#' the arrays. The first query with `predecessor = TRUE` adds the prefix trees ([knn_query()]). The
#' build needs temporary memory: 16 n bytes, 48 bytes for each node, and little for each thread. With
#' d = 1 the sort of the points needs 16 n bytes more, with d > 64 up to n d / 8 bytes. If the
#' temporary memory exceeds 64 MB, the build runs the garbage collector before it fills the copy in
#' single precision, so that both are not needed at the same time.
#'
#' @seealso [insert_points()] and [remove_points()] return a tree with more or fewer points.
#'
#' @references
#' Beygelzimer, A., Kakade, S. and Langford, J. (2006). Cover trees for nearest neighbor.
#' *Proceedings of the 23rd International Conference on Machine Learning*, 97-104.
#' \doi{10.1145/1143844.1143857}
#'
#' Izbicki, M. and Shelton, C. R. (2015). Faster cover trees. *Proceedings of the 32nd International
#' Conference on Machine Learning*, PMLR 37, 1162-1170.
#'
#' Elkin, Y. and Kurlin, V. (2023). A new near-linear time algorithm for k-nearest neighbor search
#' using a compressed cover tree. *Proceedings of the 40th International Conference on Machine
#' Learning*, PMLR 202, 9267-9311.
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
  if (missing(x)) fail("x must be a numeric matrix or a data frame of numeric columns: got nothing")
  outermost <- begin_progress("cover_tree")
  on.exit(end_progress(outermost))
  crs <- NULL
  if (is_sf(x) && !is_function_metric(metric) && !is_gower(metric)) {
    points <- sf_coordinates(x, "x")
    crs <- sf::st_crs(x)
    if (missing(metric)) metric <- sf_metric(crs)
    x <- points
  }
  metric <- check_metric(metric)
  if (is_function_metric(metric)) {
    check_choice(layout, c("hilbert", "natural"), "layout")
    check_threads(threads)
    return(function_tree(x, metric, if (is.null(leaf_size)) 16L else check_count(leaf_size, "leaf_size")))
  }
  x <- check_metric_points(x, metric)
  layout <- check_choice(layout, c("hilbert", "natural"), "layout")
  leaf_size <- if (is.null(leaf_size)) 128L else check_count(leaf_size, "leaf_size")
  threads <- check_threads(threads)
  if (is.null(metric)) check_extent(.Call(r_column_range, x), "x")
  state <- if (is_residual(metric)) metric_state(x, metric, threads)
  space <- if (is_metric(metric)) metric_space(x, metric)
  points <- if (!is.null(state)) state$code$points$z else if (!is.null(space)) space$z else x
  settings <- list(layout = layout, leaf_size = leaf_size,
                   dimnames = if (is.null(space$x)) dimnames(x))
  progress_stage("tree")
  pointer <- .Call(r_tree_build, points, layout == "hilbert", leaf_size, simd_level(), threads,
                   settings)
  new_cover_tree(pointer, state, if (!is.null(space)) seal_space(space), crs)
}

# Makes a tree from a pointer and the state of a metric: `metric` for a residual correlation,
# `space` for another metric. The cache is an environment that keeps the results of calibrations and
# the quantized V. `crs`: the coordinate reference system of points of the package sf.
new_cover_tree <- function(pointer, metric = NULL, space = NULL, crs = NULL) {
  structure(c(list(pointer = pointer, cache = new.env(parent = emptyenv())),
              if (!is.null(metric)) list(metric = metric), if (!is.null(space)) list(space = space)),
            class = "cover_tree", crs = crs)
}

# Returns the cache of a tree. A damaged file can contain another object in its place: then the
# value is a new environment, which is not kept.
cache_of <- function(tree) {
  cache <- tree$cache
  if (is.environment(cache) && !environmentIsLocked(cache)) cache else new.env(parent = emptyenv())
}

#' @export
dim.cover_tree <- function(x) {
  arrays <- tree_arrays(x)
  if (is.null(x$space$x)) dim(arrays$points) else dim(x$space$x)
}

#' @export
length.cover_tree <- function(x) nrow(tree_arrays(x)$points)

#' @export
dimnames.cover_tree <- function(x) {
  arrays <- tree_arrays(x)
  if (!is.null(x$space$x)) return(dimnames(x$space$x))
  column_names(arrays)
  arrays$dimnames
}

#' @export
as.matrix.cover_tree <- function(x, ...) {
  arrays <- tree_arrays(x)
  if (!is.null(x$metric)) return(check_state(x$metric, dim(arrays$points))$x)
  if (!is.null(x$space$x)) return(as.matrix(x$space$x))
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
          if (!is.null(x$metric)) ", by residual correlation"
          else if (!is.null(x$space)) paste0(", by ", metric_label(x$space$metric)) else "")
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
