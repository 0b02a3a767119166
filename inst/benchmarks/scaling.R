# How does the time of a query grow with the number of points? How much time do the Hilbert layout,
# compared with the natural one, and a second thread save?
#
#   Rscript -e 'source(system.file("benchmarks/scaling.R", package = "covertree"))'

source(system.file("benchmarks/common.R", package = "covertree"))

sizes <- c(32768, 131072, 524288, 1048576)

run <- function(n) {
  n <- as.numeric(n)
  set.seed(42)
  x <- matrix(stats::runif(3 * size(n)), ncol = 3)
  trees <- list(hilbert = cover_tree(x), natural = cover_tree(x, layout = "natural"))
  query <- function(layout, threads) {
    function() knn_query(trees[[layout]], k = 10, threads = threads)$index
  }
  measured <- interleave(list(
    "hilbert, 1 thread" = query("hilbert", 1), "hilbert, 2 threads" = query("hilbert", 2),
    "natural, 1 thread" = query("natural", 1), "natural, 2 threads" = query("natural", 2),
    "build, 1 thread" = function() { cover_tree(x, threads = 1); NULL },
    "build, 2 threads" = function() { cover_tree(x, threads = 2); NULL }
  ))
  median <- vapply(measured$times, stats::median, 0)
  data.frame(n = n, side = names(median), median = median,
             min = vapply(measured$times, min, 0), max = vapply(measured$times, max, 0),
             microseconds = 1e6 * median / nrow(x),
             recall = vapply(measured$results, function(index)
               if (is.null(index)) NA_real_ else recall(x, index, sample = 50), 0),
             row.names = NULL)
}

all <- renew("scaling", "n", format(sizes, scientific = FALSE, trim = TRUE), run)
all$n <- as.numeric(all$n)
sizes <- intersect(sizes, all$n)
at <- function(n, side, what = "microseconds") all[all$n == n & all$side == side, what]
shown <- do.call(rbind, lapply(sizes, function(n) data.frame(
  n = format(n, big.mark = ","),
  `Hilbert layout, us per query` = signif(at(n, "hilbert, 1 thread"), 3),
  `natural layout, us per query` = signif(at(n, "natural, 1 thread"), 3),
  `Hilbert, relative to the first row` = round(at(n, "hilbert, 1 thread") / at(sizes[1], "hilbert, 1 thread"), 2),
  `speedup by 2 threads` = round(at(n, "hilbert, 1 thread") / at(n, "hilbert, 2 threads"), 2),
  `build, us per point` = signif(at(n, "build, 1 thread"), 3),
  `build, speedup by 2 threads` = round(at(n, "build, 1 thread") / at(n, "build, 2 threads"), 2),
  recall = shares(at(n, "hilbert, 1 thread", "recall")),
  check.names = FALSE
)))
write_table("scaling", shown, all$machine[match(sizes, all$n)])

open_plot("scaling")
graphics::par(mar = c(4, 4, 1, 1), las = 1)
sides <- c("hilbert, 1 thread", "natural, 1 thread", "hilbert, 2 threads", "natural, 2 threads")
lines <- sapply(sides, function(side) vapply(sizes, at, 0, side = side))
colors <- c("#1b7837", "#762a83", "#1b7837", "#762a83")
graphics::matplot(sizes / 1000, lines, type = "b", log = "x", pch = 19, lty = c(1, 1, 2, 2),
                  col = colors, ylim = c(0, max(lines)),
                  xlab = "thousand points (d = 3, uniform)", ylab = "microseconds per query, k = 10")
graphics::legend("topleft", sides, lty = c(1, 1, 2, 2), pch = 19, bty = "n", col = colors)
close_plot("scaling")
