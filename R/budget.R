#' Limit the work of a search
#'
#' A sequence of limits on the number of points whose distance or correlation is evaluated for a
#' query, for [knn_query()].
#'
#' @param schedule The limits: whole numbers of at least 1, strictly increasing.
#' @param escalate The share of useful evaluations at which a query continues with the next
#'   limit: a query that has reached a limit continues if at least this share of the points
#'   evaluated since the previous limit was useful. An evaluation is useful if the point is
#'   among the k nearest found so far.
#' @param stop The share of useful evaluations below which a query stops before its limit; at
#'   most `escalate`. It is measured over runs of k points, rounded to tiles of 16: the query
#'   stops after two consecutive runs below `stop`. A run ends early, and the next one
#'   begins, as soon as it cannot fall below `stop`.
#' @param diversity Whether to evaluate points in the order of their distance in space, in any
#'   branch of the tree. `FALSE` evaluates the points beside the query on the curve, as a simple
#'   budget on a Hilbert-ordered tree would; it serves as a reference for comparisons.
#'
#' @return An object of class `covertree_budget`. If its elements are edited, the functions that use
#'   it check them again.
#'
#' @details
#' At least k points are evaluated (and with `predecessor = TRUE` at least k predecessors, if there
#' are as many), so that the result is never padded without need: lower limits count as k. Points
#' are evaluated in tiles of up to 16, so a limit may be exceeded by up to 15 points. By
#' distance, a query begins with the tiles around it that hold k points or somewhat more, which
#' count. With `predecessor = TRUE`, these tiles hold k predecessors, and all of their points count:
#' for a small row they may be many more than the limit.
#'
#' @section Errors:
#' Stops if the schedule is empty, is not increasing, or holds anything but whole numbers of at
#' least 1, if `escalate` or `stop` is not a share, and if `escalate` is below `stop`.
#'
#' @examples
#' x <- matrix(rnorm(6000), ncol = 3)
#' knn_query(cover_tree(x), k = 5, budget = budget(c(50, 100)))
#' @export
budget <- function(schedule, escalate = 0.015, stop = 0.002, diversity = TRUE) {
  if (missing(schedule) || !is_numeric(schedule) || length(schedule) == 0) {
    fail("schedule must be increasing whole numbers of at least 1, not %s",
         if (missing(schedule)) "missing" else describe(schedule))
  }
  schedule <- as.double(schedule)
  whole <- is.finite(schedule) & schedule == trunc(schedule) & schedule >= 1 &
    schedule <= .Machine$integer.max
  if (!all(whole)) {
    fail("schedule must be whole numbers of at least 1: number %d is %s", which(!whole)[1],
         format(schedule[which(!whole)[1]]))
  }
  drops <- which(diff(schedule) <= 0)
  if (length(drops) > 0) {
    fail("schedule must be increasing: %s is followed by %s", format(schedule[drops[1]]),
         format(schedule[drops[1] + 1]))
  }
  escalate <- check_part(escalate, "escalate")
  stop <- check_part(stop, "stop")
  if (escalate < stop) {
    fail("escalate must be at least stop, %s, not %s", format(stop), format(escalate))
  }
  structure(list(schedule = as.integer(schedule), escalate = escalate, stop = stop,
                 diversity = check_flag(diversity, "diversity")), class = "covertree_budget")
}

check_part <- function(value, what) {
  if (!is_number(value) || is.na(value) || value < 0 || value > 1) {
    fail("%s must be one number from 0 to 1, not %s", what, describe(value))
  }
  as.double(value)
}

# NULL or a valid budget. The elements of a budget() are checked again, because a user may have
# edited them.
check_budget <- function(value) {
  if (is.null(value)) return(NULL)
  if (is_numeric(value)) return(budget(value))
  if (!inherits(value, "covertree_budget")) {
    fail("budget must be NULL, a budget() or the limits of one, not %s", describe(value))
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
          format(x$stop), if (x$diversity) "" else ", along the curve")
}

#' @export
print.covertree_budget <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}
