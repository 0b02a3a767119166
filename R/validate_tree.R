#' Check the invariants of a tree
#'
#' Measures every invariant of a cover tree against its points, from scratch.
#'
#' @inheritParams tree_arrays
#'
#' @return A list: `valid`, whether no invariant is broken; `violations`, a
#'   named integer vector with the number of nodes that break each invariant;
#'   `slack`, the worst case of the two that are inequalities, as shares of the
#'   radius concerned: `covering`, the least of 1 - radius / (cover radius), and
#'   `separation`, the least of (distance of sibling centers) / (separation
#'   radius) - 1. Both are at least 0 in a valid tree, and `Inf` where there is
#'   nothing to measure. The invariants are
#'   \describe{
#'     \item{nesting}{exactly one child has the node's center}
#'     \item{covering}{the node's points lie within 2^(l/4) of its center, l its level}
#'     \item{descent}{a child's level is below its parent's}
#'     \item{separation}{centers of siblings are farther apart than 2^((c - 1)/4),
#'       c the highest level among them}
#'     \item{radius, level, lower, upper, min_row}{the stored values are those of the points}
#'   }
#'
#' @examples
#' validate_tree(cover_tree(as.matrix(quakes[, 1:3])))
#' @export
validate_tree <- function(tree, threads = NULL) {
  found <- .Call(r_tree_validate, check_tree(tree), check_threads(threads))
  list(valid = all(found[[1]] == 0L), violations = found[[1]],
       slack = c(covering = found[[2]][1], separation = found[[2]][2]))
}
