#' Summarize a cover tree
#'
#' @param object A tree from [cover_tree()].
#' @param ... Ignored.
#'
#' @return A list of class `summary.cover_tree`: `n` and `d`, the numbers of
#'   points and of dimensions; `layout`; `leaf_size`; `nodes` and `leaves`, their
#'   numbers; `levels`, a data frame with a row for each level from the root
#'   down: `level`, `cover` (its cover radius), `nodes` and `points` (those
#'   whose highest node has this level), with the nodes of coinciding points
#'   last, and points that are no node's center not counted; `leaf_sizes`, the
#'   quartiles of the number of points in a leaf; `bytes`, the size of the
#'   arrays in memory, with what the tree keeps for its metric; `metric`, the
#'   [residual_correlation()], or `NULL`; `no_residual`, with such a metric, the number of points
#'   without residual variance.
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
      metric = object$metric$metric,
      no_residual = if (!is.null(object$metric)) sum(object$metric$code$points$p == 0)
    ),
    class = "summary.cover_tree"
  )
}

bytes_of <- function(vectors) {
  sum(vapply(vectors, function(vector) as.numeric(utils::object.size(vector)), 0))
}

# Nodes are numbered from the root down, so a center's first node is its highest.
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
  say("  %s node%s, %s of them leaves of at most %d points where points allow", number(x$nodes),
      plural(x$nodes), number(x$leaves), x$leaf_size)
  say("  points in a leaf: %s (minimum, quartiles, maximum)", toString(x$leaf_sizes))
  if (!is.null(x$metric)) {
    say("  by %s", gsub("[<>]", "", format(x$metric)))
    say("  %s point%s without residual variance", number(x$no_residual), plural(x$no_residual))
  }
  say("  %s", format(structure(x$bytes, class = "object_size"), units = "auto"))
  cat("Nodes by level, and points by the level of their highest node:\n")
  shown <- utils::head(x$levels, 12)
  print(shown, row.names = FALSE, digits = 4)
  hidden <- nrow(x$levels) - nrow(shown)
  if (hidden > 0) say(" ... and %d level%s below", hidden, plural(hidden))
  invisible(x)
}

#' Summarize the result of a search
#'
#' @param object A result of [knn_query()] or [vecchia_neighbors()].
#' @param ... Ignored.
#'
#' @return A list of class `covertree_search_summary`: `queries`, the number of queries; `k`, the number
#'   of neighbors of each; `found`, the number of neighbors found for all queries together; `exact`;
#'   `recall`, if the result is not exact; `no_residual` and `reason` as in [knn_query()], if the
#'   metric is a [residual_correlation()]; `distance`, the quartiles of the distances.
#'
#' @examples
#' summary(knn_query(cover_tree(as.matrix(quakes[, 1:3])), k = 3))
#' @name summary.covertree_knn
#' @export
summary.covertree_knn <- function(object, ...) {
  search_summary(object, object$distance, attr(object, "exact"), attr(object, "recall"))
}

#' @rdname summary.covertree_knn
#' @export
summary.covertree_vecchia <- function(object, ...) {
  search_summary(object, object$distance, object$exact, object$recall)
}

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
  cat(sprintf("distances: %s (minimum, quartiles, maximum)\n", toString(signif(x$distance, 4))))
  invisible(x)
}
