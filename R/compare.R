#' Compare two trees
#'
#' Compares the points, the structure, the settings and the metric of two trees.
#'
#' @param target,current Trees from [cover_tree()].
#' @param ... Passed to [all.equal()], which compares the doubles: for example `tolerance`. With
#'   `tolerance = 0`, all values must be equal.
#'
#' @return `TRUE`, or a character vector with one element for each difference: the name of the array
#'   and how it differs.
#'
#' @details
#' [identical()] compares the pointers inside two trees: it is `TRUE` only for copies of one tree,
#' and `FALSE` for two trees built from the same points. `all.equal()` compares the data to which
#' the pointers refer. For trees with Euclidean distance,
#' `identical(tree_arrays(a), tree_arrays(b))` compares the same data without a tolerance.
#'
#' Two kinds of data are not compared: those that an approximate search keeps with a tree (see
#' [knn_query()]), and arrays of trees whose sizes or kinds of metric differ, except for the
#' settings.
#'
#' @section Errors:
#' Stops if `target` is not a tree, or if one of the trees is damaged.
#'
#' @section Cost:
#' One pass over the arrays of both trees, O(n d) time. [all.equal()] makes temporary copies of
#' doubles that are not identical.
#'
#' @examples
#' x <- as.matrix(quakes[, 1:3])
#' identical(cover_tree(x), cover_tree(x))
#' all.equal(cover_tree(x), cover_tree(x, threads = 1))
#' all.equal(cover_tree(x), cover_tree(x, leaf_size = 8))
#' @method all.equal cover_tree
#' @export
all.equal.cover_tree <- function(target, current, ...) {
  ours <- tree_arrays(target)
  if (!inherits(current, "cover_tree")) {
    return(sprintf("target is a cover_tree, current is %s", describe(current)))
  }
  if (is_function_tree(current)) return("target is a tree of points, current is by a metric_function()")
  theirs <- tree_arrays(current)
  # Arrays of trees with different sizes, or of which only one has a metric, are not compared.
  sizes <- c(size_label(target), size_label(current))
  alike <- sizes[1] == sizes[2]
  same_space <- is.null(target$metric) == is.null(current$metric)
  names <- if (alike && same_space) array_names else c("format", "layout", "leaf_size")
  found <- c(if (!alike) sprintf("points: %s in target, %s in current", sizes[1], sizes[2]),
             unlist(lapply(names, function(name) difference(name, ours[[name]], theirs[[name]], ...))),
             metric_difference(target$metric, current$metric, ...),
             difference("metric", target$space$metric, current$space$metric, ...),
             difference("points of the metric", target$space$x, current$space$x, ...))
  if (is.null(found)) TRUE else found
}

# Returns NULL if two arrays are equal, or a message with their name. Doubles are compared by
# all.equal(), with the arguments in `...`.
difference <- function(name, target, current, ...) {
  if (identical(target, current)) return(NULL)
  if (is.atomic(target) && is.atomic(current) && !is.null(target) && !is.null(current)) {
    labels <- c(size_label(target), size_label(current))
    if (length(target) == 1 && length(current) == 1) labels <- c(describe(target), describe(current))
    if (labels[1] != labels[2]) return(sprintf("%s: %s in target, %s in current", name, labels[1], labels[2]))
  }
  if (is.integer(target) && is.integer(current)) {
    unequal <- is.na(target) != is.na(current) | (target != current) %in% TRUE
    return(sprintf("%s: %d of %d values differ", name, sum(unequal), length(target)))
  }
  said <- all.equal(target, current, ...)
  if (!isTRUE(said)) paste0(name, ": ", said)
}

size_label <- function(array) {
  if (is.null(dim(array))) paste("length", length(array)) else paste(dim(array), collapse = " x ")
}

# Returns NULL if two metrics are equal, or a message. If the metrics differ, the factors that were
# computed from them are not compared.
metric_difference <- function(target, current, ...) {
  if (is.null(target) != is.null(current)) {
    label <- function(state) if (is.null(state)) "euclidean" else format(state$metric)
    return(sprintf("metric: %s in target, %s in current", label(target), label(current)))
  }
  found <- difference("metric", target$metric, current$metric, ...)
  if (is.null(found)) difference("data of the metric", target, current, ...) else found
}
