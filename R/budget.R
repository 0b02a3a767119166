#' Limit the number of points evaluated for a query
#'
#' Creates a budget for [knn_query()]: a schedule of limits on the number of points whose distance
#' or residual correlation is evaluated for each query. The result is approximate, at a bounded
#' cost.
#'
#' @param schedule The limits \[points\]: a vector of whole numbers of at least 1, strictly
#'   increasing.
#' @param escalate A share from 0 to 1. A query that reaches a limit continues with the next limit
#'   if at least this share of the points evaluated since the previous limit was useful. A point is
#'   useful if it is among the k nearest found so far when it is evaluated.
#' @param stop A share from 0 to `escalate`. A query stops before its limit after two consecutive
#'   windows in which less than this share of the points was useful. A window has k points, rounded
#'   to a multiple of 16 and at least 16. A window ends early, and the next one begins, when its
#'   useful points suffice for a full window.
#' @param diversity Whether to evaluate the points nearest in space first, in any branch of the
#'   tree. `FALSE`: evaluate the points next to the query in the order in which the tree stores
#'   them. This option is a reference for comparisons. It misses neighbors that are near in space
#'   but farther away in this order than the limit. By residual correlation it needs `query = NULL`,
#'   because only the tree's own points have a place in this order.
#'
#' @return A list of class `covertree_budget` with the elements `schedule` (integer vector),
#'   `escalate`, `stop` and `diversity`. The functions that use an edited budget check its elements
#'   again.
#'
#' @details
#' **Order.** By Euclidean distance, a query first evaluates the tiles around it (runs of up to 16
#' points, see `vignette("design")`), which hold at least k points, and usually not more than k +
#' 32. Then it evaluates the tiles nearest to it, approximately in the order of the distance of
#' their bounding boxes. A query also ends when no other tile can contain a neighbor. By residual
#' correlation, a query evaluates the points in the order of their Euclidean distance, 16 at a time.
#'
#' **Limits.** At least k points are evaluated, and with `predecessor = TRUE` at least k
#' predecessors, if that many exist. So the result has `NA` only if there are fewer than k points
#' to find. (A query without residual variance is answered exactly, by distance in space; see
#' [residual_correlation()].) A query checks its limit after every tile, so it may
#' exceed the limit by up to 15 points. By Euclidean distance, the first tiles count, but a query
#' that reaches the first limit with them ends there, without a test of `escalate`. With
#' `predecessor = TRUE`, the first tiles are extended until they hold k predecessors; all of their
#' points count, which may be many more than the limit for a point in an early row.
#'
#' **Useful points.** By Euclidean distance, points are compared with a threshold in single
#' precision that up to k + k/8 + 1 points may satisfy. The count of useful points is therefore
#' approximate. By residual correlation, the first k points all count as useful.
#'
#' @section Errors:
#' Stops if `schedule` is missing, empty, not strictly increasing, or has elements other than whole
#' numbers of at least 1; if `escalate` or `stop` is not one number from 0 to 1, or `stop` exceeds
#' `escalate`; and if `diversity` is not `TRUE` or `FALSE`.
#'
#' @section Cost:
#' `budget()` itself takes constant time and memory. In a search, each query evaluates at most 15
#' points more than the last limit, or the first tiles if these hold more. A Euclidean distance
#' costs O(d) operations, a residual correlation with m inducing points O(d + m). The search for the
#' nearest tiles costs one traversal of the tree for each query.
#'
#' @seealso [knn_query()]; [recall_of()] measures the recall of the result.
#'
#' @examples
#' x <- matrix(rnorm(6000), ncol = 3)
#' knn_query(cover_tree(x), k = 5, budget = budget(c(50, 100)))
#' @export
budget <- function(schedule, escalate = 0.015, stop = 0.002, diversity = TRUE) {
  if (missing(schedule) || !is_numeric(schedule) || length(schedule) == 0) {
    fail("schedule must be increasing whole numbers of at least 1: got %s",
         if (missing(schedule)) "nothing" else describe(schedule))
  }
  schedule <- as.double(schedule)
  whole <- is.finite(schedule) & schedule == trunc(schedule) & schedule >= 1 &
    schedule <= .Machine$integer.max
  if (!all(whole)) {
    fail("schedule must be whole numbers from 1 to 2147483647: element %d is %s",
         which(!whole)[1], format(schedule[which(!whole)[1]]))
  }
  drops <- which(diff(schedule) <= 0)
  if (length(drops) > 0) {
    fail("schedule must be increasing: element %d is %s, after %s", drops[1] + 1,
         format(schedule[drops[1] + 1]), format(schedule[drops[1]]))
  }
  escalate <- check_part(escalate, "escalate")
  stop <- check_part(stop, "stop")
  if (escalate < stop) {
    fail("escalate must be at least stop, %s: got %s", format(stop), format(escalate))
  }
  structure(list(schedule = as.integer(schedule), escalate = escalate, stop = stop,
                 diversity = check_flag(diversity, "diversity")), class = "covertree_budget")
}

# A share that may be 0.
check_part <- function(value, what) {
  if (!is_number(value) || is.na(value) || value < 0 || value > 1) {
    fail("%s must be one number from 0 to 1: got %s", what, describe(value))
  }
  as.double(value)
}

# Returns NULL or a valid budget. The elements of a budget() are checked again, because users can
# edit the list.
check_budget <- function(value) {
  if (is.null(value)) return(NULL)
  if (is_numeric(value)) return(naming("schedule", "budget", budget(value)))
  if (!inherits(value, "covertree_budget")) {
    fail("budget must be NULL, a budget() or a vector of limits: got %s", describe(value))
  }
  parts <- if (is.list(value)) unclass(value)
  check_parts(parts, names(formals(budget)), "budget", "a budget()")
  within_argument("budget", budget(parts$schedule, parts$escalate, parts$stop, parts$diversity))
}

#' @export
format.covertree_budget <- function(x, ...) {
  x <- check_budget(x)
  limits <- x$schedule
  size <- length(limits)
  if (size > 6) limits <- c(limits[1:4], "...", limits[size])
  sprintf("<search budget: %s points, escalate %s, stop %s%s>", toString(limits), format(x$escalate),
          format(x$stop), if (x$diversity) "" else ", in tree order")
}

#' @export
print.covertree_budget <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}
