#' Statistics of a search
#'
#' Returns the counts and times that [knn_query()] or [vecchia_neighbors()] recorded with
#' `control = knn_control(stats = TRUE)`.
#'
#' @param knn A result of [knn_query()] or [vecchia_neighbors()] with
#'   `control = knn_control(stats = TRUE)`.
#'
#' @return By Euclidean distance, a list of class `covertree_knn_stats`. Counts are totals over all
#'   queries, as doubles. They describe the search that gave the result, not the calibration of a
#'   recall.
#'   \describe{
#'     \item{`queries`}{the number of queries; a row that `rows` contains several times counts once}
#'     \item{`blocks`}{named vector \[7\]: the number of blocks of queries that traversed the tree
#'       together, by the size of the block (1, 2, up to 4, 8, 16, 32, 64 queries). If all own points
#'       are searched with a `k` of at most 16, most blocks are nodes of up to 512 points; they count
#'       as 64 queries.}
#'     \item{`scans`}{the number of blocks that scanned all points without the tree}
#'     \item{`nodes`}{bounding boxes of nodes compared with the bounding box of a block, once per
#'       block}
#'     \item{`candidates`}{nodes that remained at the end of a traversal, once per block}
#'     \item{`cache_hits`}{remaining nodes that a query took from the traversal of its block instead
#'       of a traversal of its own (the level cache)}
#'     \item{`boxes`}{bounding boxes of tiles compared with a single query. A tile is a run of up to
#'       16 points of one leaf.}
#'     \item{`tiles`}{tiles scanned for a query, by the query alone or by its group; a tile counts
#'       once for each query}
#'     \item{`distances`}{distances computed in double precision. Tiles are scanned in single
#'       precision; only points that may be among the k nearest are computed in double precision.}
#'     \item{`evaluated`, `useful`, `escalations`, `early_stops`}{only with a budget: points
#'       evaluated; useful points (see [budget()]); how often a query continued with the next limit;
#'       queries that stopped before a limit}
#'     \item{`seconds`}{named vector \[s\]: times of the phases, summed over threads: `seed` (first
#'       thresholds), `descent` (traversal), `scan` (boxes and tiles) and `selection` (the k
#'       nearest, in double precision); and `elapsed`, the time of the search without the checks of
#'       arguments}
#'     \item{`evaluations`}{only with a budget: quantiles over the queries of the number of
#'       evaluated points (0, 25, 50, 75 and 100%)}
#'   }
#'   By residual correlation, a list of class `covertree_residual_stats`: `queries`, and for an
#'   exact search the number of pairs of points filtered in single precision (`single`) and in
#'   double precision (`double`), and of `correlations` computed; for an approximate search
#'   `evaluations`, `escalations` and `early_stops` as above.
#'
#'   By a [metric_function()], a list of class `covertree_function_stats`: `queries`; `evaluations`,
#'   the number of distances that its function computed; `calls` of the function; `share`, the
#'   evaluations as a share of the pairs of a query and an object; and `seconds`, with the time in
#'   the function, `f`, and of the whole call, `elapsed`.
#'
#'   The attributes `points`, `k` and `limits` are the number of points, of neighbors, and the limits of
#'   a budget; `evaluated`, only with a budget or by an approximate residual correlation, is the number
#'   of points evaluated for each query. [plot.covertree_knn_stats()] draws them.
#'
#'   The counts and times of a search in a forest of [cover_forest()] are the sums over all workers,
#'   except `elapsed`.
#'
#' @details
#' The results of a search do not depend on the number of threads, but its statistics do. The size
#' of the next block and the kind of its scan depend on the blocks that the same thread has
#' processed. With several threads, the counts also vary between runs.
#'
#' @section Errors:
#' Stops if `knn` has no statistics.
#'
#' @section Cost:
#' Constant time. Recording adds four readings of the clock for each block of queries, or three for
#' each tile of own points.
#'
#' @examples
#' tree <- cover_tree(as.matrix(quakes[, 1:3]))
#' knn_stats(knn_query(tree, k = 5, control = knn_control(stats = TRUE)))
#' @export
knn_stats <- function(knn) {
  if (missing(knn)) fail("knn must be a result of a search with control = knn_control(stats = TRUE): got nothing")
  stats <- attr(knn, "stats")
  if (is.null(stats)) {
    fail("knn must be a result of a search with control = knn_control(stats = TRUE): got %s without statistics",
         describe(knn))
  }
  # What a picture needs besides: the points of the tree, the neighbors of a query, and the budget.
  vecchia <- inherits(knn, "covertree_vecchia")
  structure(stats, points = if (vecchia) length(knn$order) else attr(knn, "points"), k = ncol(knn$distance),
            limits = attr(knn, "budget")$schedule)
}

# The values of the C code before a search.
no_stats <- list(
  blocks = c("1" = 0, "2" = 0, "4" = 0, "8" = 0, "16" = 0, "32" = 0, "64" = 0),
  counts = c(scans = 0, nodes = 0, candidates = 0, cache_hits = 0, boxes = 0, tiles = 0, distances = 0,
             evaluated = 0, useful = 0, escalations = 0, early_stops = 0),
  seconds = c(seed = 0, descent = 0, scan = 0, selection = 0, elapsed = 0)
)

# Returns the statistics of a Euclidean search from the values of the C code.
new_stats <- function(found, queries, evaluated = NULL) {
  counts <- as.list(found$counts)
  # Without a budget, the number of evaluated points is not recorded for each query.
  if (counts$evaluated == 0) {
    counts[c("evaluated", "useful", "escalations", "early_stops")] <- NULL
    evaluated <- NULL
  }
  structure(c(list(queries = queries, blocks = found$blocks), counts, list(seconds = found$seconds),
              if (!is.null(evaluated)) list(evaluations = stats::quantile(evaluated))),
            class = "covertree_knn_stats", evaluated = evaluated)
}

# Returns the statistics of a search by residual correlation: counts of pairs if it was exact,
# otherwise quantiles of the number of evaluated points.
residual_stats <- function(found) {
  counts <- if (!is.null(found$counts)) found$counts
            else list(evaluations = stats::quantile(found$evaluated),
                      escalations = sum(found$escalations), early_stops = sum(found$stopped_early))
  structure(c(list(queries = nrow(found$index)), counts), class = "covertree_residual_stats",
            evaluated = if (is.null(found$counts)) found$evaluated)
}

#' @export
print.covertree_residual_stats <- function(x, ...) {
  cat(sprintf("<knn_stats: %s quer%s>\n", format(x$queries, big.mark = ","),
              if (x$queries == 1) "y" else "ies"))
  if (is.null(x$evaluations)) {
    cat("pairs per query:\n")
    print(vapply(x[-1], function(count) signif(count / max(1, x$queries), 3), 0))
  } else {
    cat("points evaluated per query, quantiles:\n")
    print(x$evaluations)
  }
  invisible(x)
}

#' @export
print.covertree_knn_stats <- function(x, ...) {
  cat(sprintf("<knn_stats: %s quer%s in %.3f s>\n", format(x$queries, big.mark = ","),
              if (x$queries == 1) "y" else "ies", x$seconds["elapsed"]))
  counts <- c("nodes", "candidates", "cache_hits", "boxes", "tiles", "distances")
  cat("counts per query:\n")
  print(vapply(x[counts], function(count) signif(count / max(1, x$queries), 3), 0))
  if (!is.null(x$evaluations)) {
    cat("points evaluated per query, quantiles:\n")
    print(x$evaluations)
  }
  cat("blocks by number of queries, and blocks that scanned all points:\n")
  print(c(x$blocks, scanned = x$scans))
  cat("seconds by phase (summed over threads), and elapsed:\n")
  print(round(x$seconds, 3))
  invisible(x)
}
