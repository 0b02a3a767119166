#' Tuning of a search
#'
#' Collects the settings of a search that change its speed, its random sample or its side
#' effects, but never an exact answer. [knn_query()], [radius_query()], [vecchia_neighbors()] and
#' [recall_of()] take it as `control`.
#'
#' @param search `"tree"` uses the index; `"scan"` compares every query with every point;
#'   `"auto"` uses the index, and scans where the index excludes too few points to be worth
#'   its cost, as with many independent dimensions. All three give the same exact answer. A
#'   scan by Euclidean distance is exact even if `recall` or `epsilon` permit less, and it
#'   excludes `budget`.
#' @param block_size The number of neighboring queries that traverse the tree together, from 1
#'   to 64; `NULL` lets the search adapt it.
#' @param seed The random seed for the sample of queries on which a recall is measured: one
#'   whole number. R's own random numbers are left alone.
#' @param stats Whether to attach the statistics of the search to the result, as attribute
#'   `stats`; see [knn_stats()].
#' @param progress Whether to report the progress of a long call on the console.
#'
#' @return A list of class `covertree_knn_control`. A plain list with some of these names, such as
#'   `control = list(search = "scan")`, is accepted wherever a `knn_control()` is; the other
#'   settings then have their defaults. The same holds for a `knn_control()` that was edited: its
#'   settings are checked again.
#'
#' @details
#' \tabular{lccccc}{
#'   \tab `search` \tab `block_size` \tab `seed` \tab `stats` \tab `progress` \cr
#'   [knn_query()] \tab yes \tab yes \tab yes \tab yes \tab yes \cr
#'   [vecchia_neighbors()] \tab yes \tab yes \tab yes \tab yes \tab yes \cr
#'   [radius_query()] \tab yes \tab yes \tab \tab \tab \cr
#'   [recall_of()] \tab yes \tab yes \tab yes \tab \tab yes
#' }
#' Settings that a function does not use are checked and ignored. By residual correlation,
#' `search` and `block_size` have no effect.
#'
#' @section Errors:
#' Stops if a setting is not as described, and if a list has other names than these.
#'
#' @examples
#' tree <- cover_tree(as.matrix(quakes[, 1:3]))
#' knn_query(tree, k = 3, control = knn_control(search = "scan", stats = TRUE))
#' knn_query(tree, k = 3, control = list(block_size = 16))
#' @export
knn_control <- function(search = c("auto", "tree", "scan"), block_size = NULL, seed = 1,
                        stats = FALSE, progress = interactive()) {
  structure(
    list(search = check_choice(search, search_modes, "search"),
         block_size = if (!is.null(block_size)) check_count(block_size, "block_size", most = 64),
         seed = check_seed(seed), stats = check_flag(stats, "stats"),
         progress = check_flag(progress, "progress")),
    class = "covertree_knn_control"
  )
}

search_modes <- c("auto", "tree", "scan")

check_seed <- function(seed) {
  if (!is_number(seed) || !is.finite(seed) || abs(seed) > .Machine$integer.max || seed != trunc(seed)) {
    fail("seed must be one whole number, not %s", describe(seed))
  }
  as.integer(seed)
}

# A valid knn_control(). The settings of a knn_control() are checked again, because a user may have
# edited them.
check_control <- function(control) {
  if (!is.list(control) || (is.object(control) && !inherits(control, "covertree_knn_control"))) {
    fail("control must be a knn_control() or a list of its arguments, not %s", describe(control))
  }
  control <- unclass(control)
  known <- names(formals(knn_control))
  unnamed <- length(control) > 0 && (is.null(names(control)) || !all(nzchar(names(control))))
  if (unnamed) fail("control must have a name for each of its elements: %s", quoted(known))
  wrong <- setdiff(names(control), known)
  if (length(wrong) > 0) {
    fail("control must have the names of knn_control(), %s, not %s", quoted(known), quoted(wrong))
  }
  twice <- names(control)[duplicated(names(control))]
  if (length(twice) > 0) fail("control must name each setting once, not %s twice", quoted(twice[1]))
  within_argument("control", do.call(knn_control, control, quote = TRUE))
}

#' @export
format.covertree_knn_control <- function(x, ...) {
  x <- check_control(x)
  size <- if (is.null(x$block_size)) "adapted" else format(x$block_size)
  sprintf("<knn_control: search \"%s\", block size %s, seed %d, stats %s, progress %s>", x$search, size,
          x$seed, x$stats, x$progress)
}

#' @export
print.covertree_knn_control <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}
