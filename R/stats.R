#' Statistics of a search
#'
#' Returns the counts and times that [knn_query()] or [vecchia_neighbors()] recorded.
#'
#' @param knn A result of [knn_query()] or [vecchia_neighbors()] with
#'   `control = knn_control(stats = TRUE)`.
#'
#' @return By Euclidean distance, a list of class `covertree_knn_stats`:
#'   \describe{
#'     \item{`queries`}{the number of queries; repeated `rows` count once}
#'     \item{`blocks`}{a histogram: the number of blocks of neighboring queries that traversed the
#'       tree together, by their size (up to 1, 2, 4, ..., 64)}
#'     \item{`scans`}{the number of blocks that scanned every point instead}
#'     \item{`nodes`}{boxes of nodes that were tested against the box of a block}
#'     \item{`candidates`, `cache_hits`}{nodes that remained at the end of a traversal, and the
#'       number of times that a query took one of them from its block instead of traversing the tree
#'       itself (the level cache)}
#'     \item{`boxes`, `tiles`}{boxes of tiles that were tested against a query that selects its
#'       own tiles, and tiles that were scanned for a query, alone or in a group of queries; a tile is
#'       a run of up to 16 points of one leaf}
#'     \item{`distances`}{distances computed in double precision; tiles are scanned in single
#'       precision, and only points that may be among the k nearest, or whose order is
#'       uncertain, are computed again}
#'     \item{`evaluated`, `useful`, `escalations`, `early_stops`}{only with a budget: points evaluated;
#'       points that were among the k nearest so far when they were evaluated; the number of times
#'       that a query continued with the next limit; and the number of queries that stopped before
#'       a limit}
#'     \item{`seconds`}{by phase, summed over threads: `seed` (a first threshold for each query),
#'       `descent`, `scan` (boxes and tiles) and `selection` (of the k nearest, in double
#'       precision); and `elapsed`, of the whole call}
#'     \item{`evaluations`}{only with a budget: quantiles over the queries of the points evaluated}
#'   }
#'   By residual correlation, a list of class `covertree_residual_stats`: `queries`; and for an exact
#'   search `single`, `double` and `correlations`, the numbers of pairs that were filtered in single
#'   and in double precision, and of correlations computed; otherwise `evaluations`, `escalations`
#'   and `early_stops` as above.
#'
#' @details
#' The grouping of queries, and the choice between group scans and selection by each query, depends
#' on the blocks that a thread processed before. The counts therefore vary a little between runs on
#' several threads; the answer does not.
#'
#' @examples
#' tree <- cover_tree(as.matrix(quakes[, 1:3]))
#' knn_stats(knn_query(tree, k = 5, control = knn_control(stats = TRUE)))
#' @export
knn_stats <- function(knn) {
  stats <- attr(knn, "stats")
  if (is.null(stats)) fail("knn must be a result of a search with control = knn_control(stats = TRUE)")
  stats
}

new_stats <- function(found, queries, evaluated = NULL) {
  counts <- as.list(found$counts)
  # Without a budget, evaluations are known only in total.
  if (counts$evaluated == 0) {
    counts[c("evaluated", "useful", "escalations", "early_stops")] <- NULL
    evaluated <- NULL
  }
  structure(c(list(queries = queries, blocks = found$blocks), counts, list(seconds = found$seconds),
              if (!is.null(evaluated)) list(evaluations = stats::quantile(evaluated))),
            class = "covertree_knn_stats")
}

# By residual correlation: the pairs that the exact search filtered in single and in double
# precision and the correlations that it computed, or the points that the approximate search
# evaluated.
residual_stats <- function(found) {
  counts <- if (!is.null(found$counts)) found$counts
            else list(evaluations = stats::quantile(found$evaluated),
                      escalations = sum(found$escalations), early_stops = sum(found$stopped_early))
  structure(c(list(queries = nrow(found$index)), counts), class = "covertree_residual_stats")
}

#' @export
print.covertree_residual_stats <- function(x, ...) {
  cat(sprintf("<knn_stats: %s quer%s>\n", format(x$queries, big.mark = ","),
              if (x$queries == 1) "y" else "ies"))
  if (is.null(x$evaluations)) {
    cat("pairs for each query:\n")
    print(vapply(x[-1], function(count) signif(count / max(1, x$queries), 3), 0))
  } else {
    cat("points evaluated for a query, quantiles:\n")
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
  print(vapply(x[counts], function(count) signif(count / max(1, x$queries), 3), 0))
  if (!is.null(x$evaluations)) {
    cat("points evaluated for a query, quantiles:\n")
    print(x$evaluations)
  }
  cat("blocks by size (and scanned):\n")
  print(c(x$blocks, scanned = x$scans))
  cat("seconds by phase, summed over threads:\n")
  print(round(x$seconds, 3))
  invisible(x)
}
