#' Check the invariants of a tree
#'
#' Compares a tree with its points: counts the nodes that violate an invariant.
#'
#' @inheritParams tree_arrays
#'
#' @return A list:
#'   \describe{
#'     \item{`valid`}{`TRUE` if no node violates an invariant}
#'     \item{`violations`}{named integer vector: the number of nodes that violate each invariant
#'       below}
#'     \item{`slack`}{named double vector: the smallest margin by which two invariants hold.
#'       `covering` is the minimum over the nodes of 1 - radius / (cover radius), and `separation`
#'       the minimum over pairs of siblings of (distance of the centers) / (separation radius) - 1.
#'       In a valid tree, `covering` is at least 0, and `separation` is above 0. A value is `Inf` if
#'       the tree has no node to which the invariant applies.}
#'   }
#'   By a [metric_function()], the distances are evaluated again: n for each level of the tree. In
#'   place of boxes, `to_center` and `range` stand for the stored distances to centers and the
#'   ranges of distances to pivots.
#'
#' @details
#' The cover radius of level l is 2^(l/4). The invariants are:
#' \describe{
#'   \item{`nesting`}{exactly one child has the center of the node}
#'   \item{`covering`}{the points of the node lie within the cover radius of its level around its
#'     center}
#'   \item{`descent`}{the level of the node is below the level of its parent}
#'   \item{`separation`}{the centers of the children are farther apart than the separation radius
#'     2^((c - 1)/4), where c is the highest level among the children}
#'   \item{`radius`, `level`, `lower`, `upper`, `min_row`}{the stored value is the value computed
#'     from the points}
#' }
#' A node of points with equal coordinates has no level. Its children are exempt from `descent` and
#' `separation`.
#'
#' @section Errors:
#' Stops if `tree` is not a tree or is damaged, and if `threads` is not `NULL` or a whole number of
#' at least 1. The first use of a tree from a file checks the invariants as well, and stops at a
#' violation.
#'
#' @section Cost:
#' Time: n distances for each generation of the tree, and for each node the distances of all pairs
#' of its children, O(d) operations each, shared by the threads. Constant memory.
#'
#' @examples
#' validate_tree(cover_tree(as.matrix(quakes[, 1:3])))
#' @export
validate_tree <- function(tree, threads = NULL) {
  if (is_function_tree(tree)) return(function_validate(tree))
  if (is_grown_tree(tree)) refuse_parts(tree)
  found <- .Call(r_tree_validate, check_tree(tree), check_threads(threads))
  list(valid = all(found[[1]] == 0L), violations = found[[1]],
       slack = c(covering = found[[2]][1], separation = found[[2]][2]))
}
