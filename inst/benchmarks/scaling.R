# How do the times of a build and of a query grow with the number of points, up to 10,000,000? How much
# time do the Hilbert layout, compared with the natural one, and a second thread save?
#
#   Rscript -e 'source(system.file("benchmarks/scaling.R", package = "covertree"))'

source(system.file("benchmarks/common.R", package = "covertree"))

sizes <- c(32768, 131072, 524288, 1048576, 3e6, 1e7)
most_natural <- 2e6 # points of the natural layout

run <- function(n) {
  n <- as.numeric(n)
  set.seed(42)
  x <- matrix(stats::runif(3 * size(n)), ncol = 3)
  layouts <- c("hilbert", if (n <= most_natural) "natural")
  trees <- sapply(layouts, function(layout) cover_tree(x, layout = layout), simplify = FALSE)
  query <- function(layout, threads) {
    function() knn_query(trees[[layout]], k = 10, threads = threads)$index
  }
  build <- function(threads) function() { cover_tree(x, threads = threads); NULL }
  sides <- list("hilbert, 1 thread" = query("hilbert", 1), "hilbert, 2 threads" = query("hilbert", 2),
                "natural, 1 thread" = query("natural", 1), "natural, 2 threads" = query("natural", 2),
                "build, 1 thread" = build(1), "build, 2 threads" = build(2))
  measured <- interleave(sides[sub(",.*", "", names(sides)) %in% c(layouts, "build")])
  spread <- spread_of(measured$times)
  data.frame(n = n, side = names(measured$times), spread, microseconds = 1e6 * spread$median / nrow(x),
             recall = vapply(measured$results, function(index)
               if (is.null(index)) NA_real_ else recall(x, index, sample = ceiling(min(50, 1e8 / n))), 0),
             row.names = NULL)
}

all <- renew("scaling", "n", format(sizes, scientific = FALSE, trim = TRUE), run)
all$n <- as.numeric(all$n)
sizes <- intersect(sizes, all$n)
at <- function(n, side, what = "microseconds") {
  value <- all[all$n == n & all$side == side, what]
  if (length(value) == 0) NA_real_ else value
}
# The median [us per point] of a side, with its spread.
cell <- function(n, side) {
  row <- all[all$n == n & all$side == side, ]
  if (nrow(row) == 0) return("-")
  with_spread(row, row$microseconds / row$median)
}
ratio <- function(a, b) ifelse(is.na(a / b), "-", sprintf("%.2f", a / b))
shown <- do.call(rbind, lapply(sizes, function(n) data.frame(
  n = format(n, big.mark = ",", scientific = FALSE),
  `query, 1 thread, us` = cell(n, "hilbert, 1 thread"), `query, 2 threads, us` = cell(n, "hilbert, 2 threads"),
  `speedup` = ratio(at(n, "hilbert, 1 thread"), at(n, "hilbert, 2 threads")),
  `relative to the first row` = ratio(at(n, "hilbert, 1 thread"), at(sizes[1], "hilbert, 1 thread")),
  `natural layout, 1 thread, us` = cell(n, "natural, 1 thread"),
  `build, 1 thread, us` = cell(n, "build, 1 thread"), `build, 2 threads, us` = cell(n, "build, 2 threads"),
  `speedup of the build` = ratio(at(n, "build, 1 thread"), at(n, "build, 2 threads")),
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
                  col = colors, ylim = c(0, max(lines, na.rm = TRUE)),
                  xlab = "thousand points (d = 3, uniform)", ylab = "microseconds per query, k = 10")
graphics::legend("topleft", sides, lty = c(1, 1, 2, 2), pch = 19, bty = "n", col = colors)
close_plot("scaling")
