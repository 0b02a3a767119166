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
#'     \item{`metric`}{the [residual_correlation()], or `NULL` for Euclidean distance}
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
      bytes = bytes_of(arrays) + bytes_of(object$metric[names(object$metric) != "seal"]),
      metric = object$metric$metric
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
  data.frame(level = level, cover = ifelse(is.na(level), 0, 2^(level / 4)),
             nodes = count(arrays$level), points = count(highest))
}

#' @export
print.summary.cover_tree <- function(x, ...) {
  number <- function(value) format(value, big.mark = ",")
  say <- function(...) cat(sprintf(...), "\n", sep = "")
  say("Cover tree of %s point%s in %d dimension%s, %s layout", number(x$n), plural(x$n), x$d,
      plural(x$d), layout_label(x$layout))
  say("  %s node%s, %s of them %s (leaf size %d)", number(x$nodes), plural(x$nodes), number(x$leaves),
      if (x$leaves == 1) "a leaf" else "leaves", x$leaf_size)
  say("  points per leaf: %s (minimum, quartiles, maximum)", toString(x$leaf_sizes))
  if (!is.null(x$metric)) say("  metric: %s", gsub("[<>]", "", format(x$metric)))
  say("  memory: %s", format(structure(x$bytes, class = "object_size"), units = "auto"))
  cat("Nodes by level, and centers by the level of their highest node (points):\n")
  shown <- utils::head(x$levels, 12)
  print(shown, row.names = FALSE, digits = 4)
  hidden <- nrow(x$levels) - nrow(shown)
  if (hidden > 0) say(" ... and %d lower level%s", hidden, plural(hidden))
  invisible(x)
}
