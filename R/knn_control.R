#' Settings of a search
#'
#' Collects settings that change the speed, the random sample or the output of a search, but never
#' an exact result. [knn_query()], [radius_query()], [vecchia_neighbors()] and [recall_of()] take
#' them as `control`.
#'
#' @param search `"tree"`: use the tree. `"scan"`: compare every query with every point. `"auto"`:
#'   use the tree, and scan where the tree excludes too few points to save time, as for points of
#'   many independent dimensions. All three give the same exact result. By Euclidean distance, a
#'   scan is exact even if `epsilon` permits less, and cannot be combined with a `budget`.
#' @param block_size The number of neighboring queries that traverse the tree together, from 1 to
#'   64; `NULL`: the search adapts the number to the data.
#' @param seed The random seed for the samples of queries on which a recall is measured: one whole
#'   number. A search leaves the state of R's random number generator unchanged.
#' @param stats Whether to attach the statistics of the search to the result as attribute `stats`;
#'   see [knn_stats()].
#' @param progress Whether to print the progress of a call on the console: see
#'   [covertree_progress].
#' @param worst_recall A second target for a search with `recall` below 1: the share of the true
#'   neighbors to find for the 1% of the queries that miss most, from 0 to 1. The effort is
#'   increased until the worst sampled queries exceed it by three standard errors. 0: no such
#'   target.
#'
#' @return A list of class `covertree_knn_control` with the six settings. A plain list with some of
#'   these names, such as `control = list(search = "scan")`, is accepted in place of a
#'   `knn_control()`; the other settings then have their defaults. An edited
#'   `knn_control()` is accepted in the same way: its settings are checked again.
#'
#' @details The table shows which settings a function uses. It checks the other settings and ignores
#'   them. \tabular{lcccccc}{
#'   \tab `search` \tab `block_size` \tab `seed` \tab `stats` \tab `progress` \tab `worst_recall`
#'   \cr [knn_query()] \tab yes \tab yes \tab yes \tab yes \tab yes \tab yes \cr
#'   [vecchia_neighbors()] \tab yes \tab yes \tab yes \tab yes \tab yes \tab yes \cr
#'   [radius_query()] \tab yes \tab yes \tab \tab \tab \tab \cr [recall_of()] \tab yes \tab yes \tab
#'   yes \tab \tab yes \tab
#' }
#' By residual correlation, an exact search does not use `search` and `block_size`. An approximate
#' search uses them when it lists the points that are nearest in space; there they change the time,
#' never the result. By Euclidean distance, `worst_recall` has no effect.
#'
#' @section Errors:
#' Stops if a setting is not as described. A function with the argument `control` stops if `control`
#' is not a list, or has elements without a name, with other names than these, or with the same
#' name.
#'
#' @section Cost:
#' Constant time and memory.
#'
#' @examples
#' tree <- cover_tree(as.matrix(quakes[, 1:3]))
#' knn_query(tree, k = 3, control = knn_control(search = "scan", stats = TRUE))
#' knn_query(tree, k = 3, control = list(block_size = 16))
#' @export
knn_control <- function(search = c("auto", "tree", "scan"), block_size = NULL, seed = 1,
                        stats = FALSE, progress = getOption("covertree.progress", interactive()),
                        worst_recall = 0) {
  structure(
    list(search = check_choice(search, search_modes, "search"),
         block_size = if (!is.null(block_size)) check_count(block_size, "block_size", most = 64),
         seed = check_seed(seed), stats = check_flag(stats, "stats"),
         progress = check_flag(progress, "progress"),
         worst_recall = check_part(worst_recall, "worst_recall")),
    class = "covertree_knn_control"
  )
}

search_modes <- c("auto", "tree", "scan")

check_seed <- function(seed) {
  if (!is_number(seed) || !is.finite(seed) || abs(seed) > .Machine$integer.max || seed != trunc(seed)) {
    fail("seed must be one whole number from -2147483647 to 2147483647: got %s", describe(seed))
  }
  as.integer(seed)
}

# Returns a complete control. A value of knn_control() is checked again, because users can edit the
# list.
check_control <- function(control) {
  if (!is.list(control) || (is.object(control) && !inherits(control, "covertree_knn_control"))) {
    fail("control must be a knn_control() or a list of its arguments: got %s", describe(control))
  }
  control <- unclass(control)
  known <- names(formals(knn_control))
  unnamed <- length(control) > 0 && (is.null(names(control)) || !all(nzchar(names(control))))
  if (unnamed) {
    fail("control must be a list with the names %s: got an element without a name", quoted(known))
  }
  wrong <- setdiff(names(control), known)
  if (length(wrong) > 0) {
    fail("control must be a list with the names %s: got %s", quoted(known), quoted(wrong))
  }
  twice <- names(control)[duplicated(names(control))]
  if (length(twice) > 0) fail("control must name each setting once: got %s twice", quoted(twice[1]))
  within_argument("control", do.call(knn_control, control, quote = TRUE))
}

#' @export
format.covertree_knn_control <- function(x, ...) {
  x <- check_control(x)
  size <- if (is.null(x$block_size)) "adaptive" else format(x$block_size)
  worst <- if (x$worst_recall > 0) sprintf(", worst recall %s", format(x$worst_recall)) else ""
  sprintf("<knn_control: search \"%s\", block size %s, seed %d, stats %s, progress %s%s>", x$search, size,
          x$seed, x$stats, x$progress, worst)
}

#' @export
print.covertree_knn_control <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}
