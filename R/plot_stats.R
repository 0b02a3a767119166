#' Draw the statistics of a search
#'
#' Draws how many points a search excluded and evaluated, how the number of evaluated points varies
#' between queries, how long the phases of the search took, or how large its blocks of queries were.
#'
#' @param x A value of [knn_stats()].
#' @param what `"points"`: the mean number of points that remain for a query after each stage of the
#'   search, on a logarithmic axis. `"evaluated"`: the distribution over the queries of the number of
#'   evaluated points, only with a [budget()] or an approximate search by residual correlation; dashed
#'   lines are the limits of the budget. `"seconds"`: the times of the phases, summed over threads.
#'   `"blocks"`: the number of blocks of queries by their size. `NULL` for `"evaluated"` if it was
#'   recorded, and otherwise `"points"`.
#' @param main,sub The title, and the line below it; `NULL` for a description, `""` for none.
#' @param object The same as `x`, for `ggplot2::autoplot()`.
#' @param ... Ignored.
#'
#' @return `plot()` returns the data of the picture, invisibly: a data frame with the columns `stage`,
#'   `count` (points per query) and `share` of the points of the tree; or `evaluated` and `share` (the
#'   share of the queries that evaluated at most this number of points); or `phase` and `seconds`; or
#'   `size` and `blocks`. `autoplot()`, for which the package \pkg{ggplot2} must be loaded, returns the
#'   same picture as a `ggplot` object.
#'
#' @details
#' The stages of a search by Euclidean distance are the points of the tree; those in the tiles that
#' were read, in single precision; those whose distance was computed in double precision; and the k
#' neighbors. By residual correlation, they are the pairs that were filtered in single precision and
#' in double precision, and those whose correlation was computed. With a [budget()] or an approximate
#' residual correlation, the points evaluated are a stage; with a [metric_function()], the distances
#' computed, without those that the tree has kept. A stage that a search does not have has no bar. A
#' tile has up to 16 points and is counted as 16, but not as more points than the tree has.
#'
#' The margins are those of `par("mar")`; no graphical parameter is changed.
#'
#' @section Errors:
#' Stops if `what` is not as described, or was not recorded.
#'
#' @section Cost:
#' Constant time; with `"evaluated"`, the time to sort one number for each query.
#'
#' @seealso [knn_stats()]
#'
#' @examples
#' tree <- cover_tree(as.matrix(quakes[, 1:3]))
#' stats <- knn_stats(knn_query(tree, k = 5, control = list(stats = TRUE)))
#' plot(stats)
#' plot(stats, "seconds")
#'
#' limited <- knn_query(tree, k = 5, budget = c(30, 60, 120), control = list(stats = TRUE))
#' plot(knn_stats(limited))
#' @method plot covertree_knn_stats
#' @export
plot.covertree_knn_stats <- function(x, what = NULL, main = NULL, sub = NULL, ...) {
  picture <- stats_picture(x, what, main, sub)
  draw_stats(picture)
  invisible(picture$data)
}

#' @rdname plot.covertree_knn_stats
#' @method plot covertree_residual_stats
#' @export
plot.covertree_residual_stats <- plot.covertree_knn_stats

#' @rdname plot.covertree_knn_stats
#' @method plot covertree_function_stats
#' @export
plot.covertree_function_stats <- plot.covertree_knn_stats

#' @rdname plot.covertree_knn_stats
#' @method plot covertree_scan_stats
#' @export
plot.covertree_scan_stats <- plot.covertree_knn_stats

# What plot() and autoplot() draw of statistics: list(data, what, limits, main, sub).
stats_picture <- function(stats, what, main, sub) {
  main <- check_text(main, "main")
  sub <- check_text(sub, "sub")
  if (is.null(what)) what <- if (is.null(stats$evaluations) || length(stats$evaluations) == 1) "points" else "evaluated"
  what <- check_choice(what, c("points", "evaluated", "seconds", "blocks"), "what")
  queries <- sprintf("%s quer%s", big_number(stats$queries), if (stats$queries == 1) "y" else "ies")
  absent <- function() fail("what must be a part of these statistics: got \"%s\", which was not recorded", what)
  data <- switch(what,
    points = stages_of(stats),
    evaluated = if (length(stats$evaluations) > 1) evaluated_of(stats) else absent(),
    seconds = if (is.null(stats$seconds)) absent() else {
      data.frame(phase = names(stats$seconds), seconds = unname(stats$seconds))
    },
    blocks = if (is.null(stats$blocks)) absent() else {
      data.frame(size = c(names(stats$blocks), "all points"), blocks = unname(c(stats$blocks, stats$scans)))
    }
  )
  titles <- c(points = "Points that remain for a query", evaluated = "Points evaluated for a query",
              seconds = "Time by phase", blocks = "Blocks of queries by size")
  notes <- c(points = "mean", evaluated = "distribution", seconds = "summed over threads; elapsed: of the call",
             blocks = "queries that traverse the tree together")
  list(data = data, what = what, limits = attr(stats, "limits"), each = !is.null(attr(stats, "evaluated")),
       main = if (is.null(main)) titles[[what]] else main,
       sub = if (is.null(sub)) paste(queries, notes[[what]], sep = ", ") else sub)
}

# The mean number of points of a query after each stage of a search.
stages_of <- function(stats) {
  queries <- max(1, stats$queries)
  n <- attr(stats, "points")
  count <- c(
    "points of the tree" = n,
    "in tiles read, in single precision" = if (!is.null(stats$tiles)) min(16 * stats$tiles / queries, n),
    "pairs filtered in single precision" = if (isTRUE(stats$single > 0)) stats$single / queries,
    "pairs filtered in double precision" = if (isTRUE(stats$double > 0)) stats$double / queries,
    "correlations computed" = if (!is.null(stats$correlations)) stats$correlations / queries,
    "distances computed" = if (length(stats$evaluations) == 1) stats$evaluations / queries,
    "points evaluated" = if (length(stats$evaluations) > 1) mean_evaluated(stats),
    "distances in double precision" = if (!is.null(stats$distances)) stats$distances / queries,
    "neighbors" = if (!is.null(attr(stats, "k"))) min(attr(stats, "k"), n)
  )
  data.frame(stage = names(count), count = unname(count), share = if (is.null(n)) NA_real_ else unname(count) / n)
}

# The mean number of evaluated points, or their median if the number of each query is not known.
mean_evaluated <- function(stats) {
  known <- attr(stats, "evaluated")
  if (is.null(known)) stats$evaluations[["50%"]] else mean(known)
}

# The distribution of the number of evaluated points: of each query, or its quantiles.
evaluated_of <- function(stats) {
  known <- attr(stats, "evaluated")
  if (is.null(known)) {
    return(data.frame(evaluated = unname(stats$evaluations), share = seq(0, 1, length.out = length(stats$evaluations))))
  }
  value <- sort(unique(known))
  data.frame(evaluated = value, share = cumsum(tabulate(match(known, value), length(value))) / max(1, length(known)))
}

# ---- drawing ---------------------------------------------------------------------------------------

draw_stats <- function(picture) {
  data <- picture$data
  switch(picture$what,
    points = {
      share <- ifelse(is.na(data$share) | data$share == 1, "", sprintf(" (%s%%)", format_share(100 * data$share)))
      draw_bars(data$stage, data$count, paste0(format_count(data$count), share), "points per query", log = TRUE)
    },
    evaluated = draw_distribution(picture),
    seconds = draw_bars(data$phase, data$seconds, sprintf("%s s", format_count(data$seconds)), "seconds"),
    blocks = draw_bars(ifelse(data$size == "all points", "blocks that scanned all points",
                              sprintf("%s%s %s", ifelse(data$size %in% c("1", "2"), "", "up to "), data$size,
                                      ifelse(data$size == "1", "query", "queries"))),
                       data$blocks, format_count(data$blocks), "blocks")
  )
  add_title(picture$main, picture$sub)
}

format_count <- function(count) {
  vapply(count, function(one) format(signif(one, 3), big.mark = ",", scientific = FALSE, drop0trailing = TRUE), "")
}

format_share <- function(percent) vapply(percent, function(one) format(signif(one, 2), scientific = FALSE), "")

# Horizontal bars from the top down, with the label above each bar and the value at its end. A bar of
# value 0 has no length; on a logarithmic axis, bars begin below the smallest value.
draw_bars <- function(labels, values, ends, title, log = FALSE) {
  count <- length(values)
  floor <- if (log) 10^floor(log10(min(1, values[values > 0]))) else 0
  most <- max(values, floor * 10, if (!log) 1e-12)
  xlim <- if (log) c(floor, floor * (most / floor)^1.25) else c(0, 1.25 * most)
  open_frame(xlim, c(count + 0.4, 0.2)[2:1], c(title, ""), log = if (log) "x" else "", yaxt = FALSE)
  y <- rev(seq_len(count)) - 0.35
  colors <- rep_len(DISTINCT[["blue"]], count)
  graphics::rect(xlim[1], y - 0.2, pmax(values, xlim[1]), y + 0.15, col = colors, border = NA)
  graphics::text(xlim[1], y + 0.36, labels, adj = c(0, 0.5), cex = 0.9, col = INK)
  gap <- if (log) (xlim[2] / xlim[1])^0.01 else 0.01 * xlim[2]
  graphics::text(if (log) pmax(values, xlim[1]) * gap else values + gap, y - 0.025, ends, adj = c(0, 0.5), cex = 0.85,
                 col = INK)
}

draw_distribution <- function(picture) {
  data <- picture$data
  limits <- picture$limits
  open_frame(range(data$evaluated, limits), c(0, 1), c("points evaluated", "share of the queries"),
             log = if (min(data$evaluated) > 0 && max(data$evaluated) > 10 * min(data$evaluated)) "x" else "")
  graphics::abline(v = limits, lty = 2, col = "gray45")
  step <- if (picture$each) "s" else "b"
  graphics::lines(data$evaluated, data$share, type = step, lwd = 2.5, col = DISTINCT[["blue"]], pch = 16)
  if (nrow(data) == 1) graphics::points(data$evaluated, data$share, pch = 16, col = DISTINCT[["blue"]])
  add_keys(rbind(keys("queries with at most this number", DISTINCT[["blue"]], "line"),
                 if (length(limits) > 0) keys("limits of the budget", "gray45", "dashes")))
}
