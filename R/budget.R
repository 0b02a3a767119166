#' Limit the work of a search
#'
#' A ladder of limits on the points whose distance or correlation is evaluated for a
#' query, for [knn_query()].
#'
#' @param schedule The limits: whole numbers of at least 1, rising.
#' @param up A query climbs from a limit to the next one if at least this share of the
#'   points it met since the last one was useful, that is, among the k nearest when it was
#'   met.
#' @param down It ends before the limit if, of each of two runs of k points on end, rounded to
#'   tiles of 16, less than this share was useful; at most `up`. A run that cannot fall
#'   below ends at once, and the next one begins.
#' @param diversity Whether to meet the points in the order of space, on whatever branch of
#'   the tree they lie. `FALSE` meets those beside the query on the curve, which is what a
#'   plain budget on a Hilbert-ordered tree comes to, and is here to be measured against.
#'
#' @return An object of class `covertree_budget`.
#'
#' @details
#' At least k points are met (and with `predecessor = TRUE` as many predecessors), so that
#' there are always as many neighbors as there can be: limits below that count as that.
#' Points are met by tiles of up to 16, so a limit may be passed by that. By distance, a
#' query begins with the tiles where it lies, k points or somewhat more, which count; where
#' only predecessors are wanted, with so many tiles that they hold k of these, and all of
#' their points count: for a small row that can be many more than the limit.
#'
#' @section Errors:
#' Stops if the schedule is empty, does not rise, or holds anything but whole numbers of at
#' least 1, if `up` or `down` is not a share, and if `up` is below `down`.
#'
#' @examples
#' x <- matrix(rnorm(6000), ncol = 3)
#' knn_query(cover_tree(x), k = 5, budget = budget(c(50, 100)))
#' @export
budget <- function(schedule, up = 0.015, down = 0.002, diversity = TRUE) {
  if (missing(schedule) || !is_numeric(schedule) || length(schedule) == 0) {
    fail("schedule must be whole numbers of at least 1, rising, not %s",
         if (missing(schedule)) "missing" else describe(schedule))
  }
  whole <- is.finite(schedule) & schedule == trunc(schedule) & schedule >= 1 &
    schedule <= .Machine$integer.max
  if (!all(whole)) {
    fail("schedule must be whole numbers of at least 1: number %d is %s", which(!whole)[1],
         format(schedule[which(!whole)[1]]))
  }
  falls <- which(diff(schedule) <= 0)
  if (length(falls) > 0) {
    fail("schedule must rise: %s is followed by %s", format(schedule[falls[1]]),
         format(schedule[falls[1] + 1]))
  }
  up <- check_part(up, "up")
  down <- check_part(down, "down")
  if (up < down) fail("up must be at least down, %s, not %s", format(down), format(up))
  structure(list(schedule = as.integer(schedule), up = up, down = down,
                 diversity = check_flag(diversity, "diversity")), class = "covertree_budget")
}

check_part <- function(value, what) {
  if (!is_number(value) || is.na(value) || value < 0 || value > 1) {
    fail("%s must be one number from 0 to 1, not %s", what, describe(value))
  }
  as.double(value)
}

check_budget <- function(budget) {
  if (is.null(budget) || inherits(budget, "covertree_budget")) return(budget)
  if (is_numeric(budget)) return(budget(budget))
  fail("budget must be NULL, a budget() or the limits of one, not %s", describe(budget))
}

#' @export
format.covertree_budget <- function(x, ...) {
  limits <- x$schedule
  size <- length(limits)
  if (size > 6) limits <- c(limits[1:4], "...", limits[size])
  sprintf("<search budget: %s points, up %s, down %s%s>", toString(limits), format(x$up),
          format(x$down), if (x$diversity) "" else ", along the curve")
}

#' @export
print.covertree_budget <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}
