#' Summarize a cover tree
#'
#' Returns the size, the settings and the levels of a tree.
#'
#' @param object A tree from [cover_tree()].
#' @param ... Ignored.
#'
#' @return A list of class `summary.cover_tree`:
#'   \describe{
#'     \item{`n`, `d`}{the number of points and of dimensions}
#'     \item{`layout`, `leaf_size`}{the settings of [cover_tree()]}
#'     \item{`nodes`, `leaves`}{the number of nodes, and of nodes without children}
#'     \item{`levels`}{data frame with a row for each level, from the highest to the lowest:
#'       `level`; `cover`, its cover radius; `nodes`, the number of nodes of this level; `points`,
#'       the number of centers whose highest node has this level. Points that are not a center of
#'       any node are not counted. Nodes of radius 0 have no level; they are in the last row, with
#'       level `NA`.}
#'     \item{`leaf_sizes`}{minimum, quartiles and maximum of the number of points in a leaf}
#'     \item{`bytes`}{size of the arrays and of the data of the metric in memory \[bytes\]; see
#'       [cover_tree()] for the memory that is not counted}
#'     \item{`metric`}{the [residual_correlation()] or other metric ([metrics]); `NULL` for
#'       Euclidean distance}
#'     \item{`no_residual`}{only with a residual correlation: the number of points without residual
#'       variance}
#'   }
#'   For a tree with a [metric_function()], a list of class `covertree_function_summary` that has,
#'   in place of `d`, `layout` and `no_residual`, the elements
#'   \describe{
#'     \item{`pivots`}{the number of pivots}
#'     \item{`build`}{what the build took: `evaluations`, the number of distances; `calls` of the
#'       function; `seconds` in these calls}
#'   }
#'
#' @section Errors:
#' Stops if the tree is damaged.
#'
#' @section Cost:
#' Time and temporary memory in proportion to the number of nodes.
#'
#' @examples
#' summary(cover_tree(as.matrix(quakes[, 1:3])))
#' @export
summary.cover_tree <- function(object, ...) {
  arrays <- tree_arrays(object)
  leaf <- arrays$first_child == 0L
  size <- arrays$subtree_end - arrays$subtree_begin + 1L
  structure(
    list(
      n = nrow(arrays$points), d = ncol(arrays$points), layout = arrays$layout,
      leaf_size = arrays$leaf_size, nodes = length(leaf), leaves = sum(leaf),
      levels = level_table(arrays), leaf_sizes = stats::quantile(size[leaf], names = FALSE),
      bytes = bytes_of(arrays) + bytes_of(object$metric[names(object$metric) != "seal"]) +
        bytes_of(object$space[names(object$space) != "seal"]),
      metric = if (is.null(object$metric)) object$space$metric else object$metric$metric,
      no_residual = if (!is.null(object$metric)) sum(object$metric$code$points$p == 0)
    ),
    class = "summary.cover_tree"
  )
}

bytes_of <- function(vectors) {
  sum(vapply(vectors, function(vector) as.numeric(utils::object.size(vector)), 0))
}

# Returns the data frame `levels`. Nodes are numbered from the root, so the first node of a center
# has the highest level.
level_table <- function(arrays) {
  level <- sort(unique(arrays$level), decreasing = TRUE, na.last = TRUE)
  count <- function(of) tabulate(match(of, level), length(level))
  highest <- arrays$level[!duplicated(arrays$center)]
  data.frame(level = level, cover = cover_radius(level),
             nodes = count(arrays$level), points = count(highest))
}

#' @export
print.summary.cover_tree <- function(x, ...) {
  number <- function(value) format(value, big.mark = ",")
  say <- function(...) cat(sprintf(...), "\n", sep = "")
  say("Cover tree of %s point%s in %d dimension%s, %s layout", number(x$n), plural(x$n), x$d,
      plural(x$d), layout_label(x$layout))
  say("  %s node%s, %s %s (leaf size %d)", number(x$nodes), plural(x$nodes), number(x$leaves),
      if (x$leaves == 1) "leaf" else "leaves", x$leaf_size)
  say("  points per leaf: %s (minimum, quartiles, maximum)", toString(x$leaf_sizes))
  if (!is.null(x$metric)) {
    say("  metric: %s", gsub("[<>]", "", format(x$metric)))
  }
  if (!is.null(x$no_residual)) {
    say("  %s point%s without residual variance", number(x$no_residual), plural(x$no_residual))
  }
  say("  memory: %s", format(structure(x$bytes, class = "object_size"), units = "auto"))
  cat("Nodes by level, and centers by the level of their highest node (points):\n")
  shown <- utils::head(x$levels, 12)
  print(shown, row.names = FALSE, digits = 4)
  hidden <- nrow(x$levels) - nrow(shown)
  if (hidden > 0) say(" ... and %d lower level%s", hidden, plural(hidden))
  invisible(x)
}

#' Summarize the result of a search
#'
#' Returns the size, the recall and the quartiles of the distances of a result.
#'
#' @param object A result of [knn_query()] or [vecchia_neighbors()].
#' @param ... Ignored.
#'
#' @return A list of class `covertree_search_summary`:
#'   \describe{
#'     \item{`queries`, `k`}{the number of queries, and of neighbors that each query asked for}
#'     \item{`found`}{the number of neighbors found for all queries together}
#'     \item{`exact`, `recall`}{as in [knn_query()]; `recall` only if the result is not exact}
#'     \item{`no_residual`, `reason`}{as in [knn_query()], only with a [residual_correlation()]}
#'     \item{`distance`}{minimum, quartiles and maximum of the distances}
#'     \item{`label`}{the result in one line, for printing}
#'   }
#'
#' @section Errors:
#' None for a result of these functions.
#'
#' @section Cost:
#' O(m k) time and temporary memory for m queries.
#'
#' @examples
#' summary(knn_query(cover_tree(as.matrix(quakes[, 1:3])), k = 3))
#' @name summary.covertree_knn
#' @export
summary.covertree_knn <- function(object, ...) {
  check_knn(object, "object")
  search_summary(object, object$distance, attr(object, "exact"), attr(object, "recall"))
}

#' @rdname summary.covertree_knn
#' @export
summary.covertree_vecchia <- function(object, ...) {
  check_vecchia(object, "object")
  search_summary(object, object$distance, object$exact, object$recall)
}

# Returns the summary of a result; the arguments after it are parts of the result.
search_summary <- function(result, distance, exact, recall) {
  parts <- list(queries = nrow(distance), k = ncol(distance), found = sum(!is.na(distance)),
                exact = exact, recall = recall, no_residual = attr(result, "no_residual"),
                reason = attr(result, "reason"),
                distance = stats::quantile(distance, na.rm = TRUE, names = FALSE), label = format(result))
  structure(parts[!vapply(parts, is.null, NA)], class = "covertree_search_summary")
}

#' @export
print.covertree_search_summary <- function(x, ...) {
  cat(c(x$label, x$reason), sep = "\n")
  distances <- if (x$found == 0) "none" else paste(toString(signif(x$distance, 4)), "(minimum, quartiles, maximum)")
  cat("distances: ", distances, "\n", sep = "")
  invisible(x)
}
