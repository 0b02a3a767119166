#' What a search did
#'
#' @param knn A result of [knn_query()] with `stats = TRUE`.
#'
#' @return A list of class `covertree_knn_stats`:
#'   \describe{
#'     \item{`queries`}{their number}
#'     \item{`blocks`}{a histogram: how many blocks of neighboring queries, by their
#'       size (up to 1, 2, 4, ..., 64), went down the tree together}
#'     \item{`scans`}{how many blocks met every point instead}
#'     \item{`nodes`}{boxes of nodes that met a block on its way down}
#'     \item{`candidates`, `cache_hits`}{nodes that were left when blocks had come
#'       down, and how often a query took one of them over from its block
#'       instead of going down itself (the level cache)}
#'     \item{`boxes`, `tiles`}{boxes of tiles that met a query which picked its
#'       tiles, and tiles that met a query, on its own or in a team; a tile is a run
#'       of up to 16 points of one leaf}
#'     \item{`distances`}{distances taken in double precision; tiles are met in
#'       single precision, and only what may be among the k nearest in the end, or
#'       is too close to tell apart before, comes to this}
#'     \item{`seconds`}{by phase, summed over threads: `seed` (a first bound
#'       for each query), `descent`, `meeting` (boxes and tiles), and `selection`
#'       (of the k nearest, in double precision); and the whole call's `elapsed`}
#'     \item{`met`, `useful`, `escalations`, `early_stops`}{with a budget: points met, and
#'       those that were of use when they were; how often a query climbed to the next limit,
#'       and how many ended before one}
#'     \item{`evaluations`}{with a budget: quantiles, over the queries, of the points met}
#'   }
#'
#' @details
#' How queries are grouped, and whether they meet tiles in teams, depends on what a
#' thread learnt from the blocks it happened to meet before, so the counts vary a little between runs on several threads; the answer does not.
#'
#' @examples
#' tree <- cover_tree(as.matrix(quakes[, 1:3]))
#' knn_stats(knn_query(tree, k = 5, stats = TRUE))
#' @export
knn_stats <- function(knn) {
  stats <- attr(knn, "stats")
  if (is.null(stats)) fail("knn must be a result of knn_query() with stats = TRUE")
  stats
}

new_stats <- function(tally, queries, evaluated = NULL) {
  names(tally$blocks) <- 2^(0:6)
  counts <- as.list(tally$counts)
  names(counts) <- c("scans", "nodes", "candidates", "cache_hits", "boxes", "tiles", "distances",
                     "met", "useful", "escalations", "early_stops")
  # Without a budget there is no more than a mean.
  if (counts$met == 0) {
    counts[c("met", "useful", "escalations", "early_stops")] <- NULL
    evaluated <- NULL
  }
  names(tally$seconds) <- c("seed", "descent", "meeting", "selection", "elapsed")
  structure(c(list(queries = queries, blocks = tally$blocks), counts, list(seconds = tally$seconds),
              if (!is.null(evaluated)) list(evaluations = stats::quantile(evaluated))),
            class = "covertree_knn_stats")
}

# By residual correlation: pairs that were sieved in single and in double precision and
# correlations taken, or points met on the walk.
residual_stats <- function(found) {
  climbs <- found$climbs
  counts <- if (is.null(found$counts))
    list(evaluations = stats::quantile(found$evaluated),
         escalations = sum(ifelse(climbs < 0, -1 - climbs, climbs)), early_stops = sum(climbs < 0))
            else stats::setNames(as.list(found$counts), c("single", "double", "correlations"))
  structure(c(list(queries = nrow(found$index)), counts), class = "covertree_residual_stats")
}

#' @export
print.covertree_residual_stats <- function(x, ...) {
  cat(sprintf("<knn_stats: %s quer%s>\n", format(x$queries, big.mark = ","),
              if (x$queries == 1) "y" else "ies"))
  if (is.null(x$evaluations)) {
    cat("pairs for each query:\n")
    print(vapply(x[-1], function(count) signif(count / x$queries, 3), 0))
  } else {
    cat("points met by a query, quantiles:\n")
    print(x$evaluations)
  }
  invisible(x)
}

#' @export
print.covertree_knn_stats <- function(x, ...) {
  cat(sprintf("<knn_stats: %s quer%s in %.3f s>\n", format(x$queries, big.mark = ","),
              if (x$queries == 1) "y" else "ies", x$seconds["elapsed"]))
  counts <- c("nodes", "candidates", "cache_hits", "boxes", "tiles", "distances")
  cat("for each query:\n")
  print(vapply(x[counts], function(count) signif(count / x$queries, 3), 0))
  if (!is.null(x$evaluations)) {
    cat("points met by a query, quantiles:\n")
    print(x$evaluations)
  }
  cat("blocks by size (and scanned):\n")
  print(c(x$blocks, scanned = x$scans))
  cat("seconds by phase, summed over threads:\n")
  print(round(x$seconds, 3))
  invisible(x)
}
