# Does the recall within a budget depend on the layout of the points? Recall on trees in
# natural and in Hilbert layout, for all points and for predecessors in maximin order, with
# diversity (a query evaluates the points nearest in space) and without (the points next to the
# query in the order of the tree).
#
#   Rscript -e 'source(system.file("benchmarks/diversity.R", package = "covertree"))'

source(system.file("benchmarks/common.R", package = "covertree"))

k <- 50
limits <- c(100, 200, 500, 1000, 2000)
set.seed(42)
x <- matrix(stats::rnorm(3 * size(32768)), ncol = 3)
metrics <- list(
  Euclidean = "euclidean",
  "Matern-5/2" = residual_correlation(kernel_matern52(lengthscale = 1), size(512))
)
rows <- list("all points" = x, "predecessors, maximin order" = x[order_maximin(x), ])

# The recall that knn_query() states, for a sample of 1,000 queries, the same in all cases.
run <- function(name) {
  measure <- function(queries, layout, tree) {
    cases <- expand.grid(limit = limits, diversity = c(TRUE, FALSE))
    found <- t(mapply(function(limit, diversity) {
      knn <- knn_query(tree, k = k, predecessor = queries != "all points",
                       budget = budget(limit, diversity = diversity))
      c(attr(knn, "recall"), evaluations = attr(knn, "evaluations"))
    }, cases$limit, cases$diversity))
    data.frame(metric = name, queries = queries, layout = layout, cases, found)
  }
  cases <- expand.grid(queries = names(rows), layout = c("hilbert", "natural"), stringsAsFactors = FALSE)
  do.call(rbind, Map(function(queries, layout) {
    measure(queries, layout, cover_tree(rows[[queries]], metric = metrics[[name]], layout = layout))
  }, cases$queries, cases$layout))
}
all <- renew("diversity", "metric", names(metrics), run)

# Returns the column of a layout, with or without diversity.
column <- function(layout, diversity) {
  shares(all$estimate[all$layout == layout & all$diversity == diversity])
}
lines <- all[all$layout == "hilbert" & all$diversity, ]
write_table("diversity", data.frame(
  metric = lines$metric, queries = lines$queries, budget = figures(lines$limit, 4),
  `in space, Hilbert layout` = column("hilbert", TRUE),
  `in space, natural layout` = column("natural", TRUE),
  `along the curve, Hilbert layout` = column("hilbert", FALSE),
  `along the curve, natural layout` = column("natural", FALSE),
  check.names = FALSE
), lines$machine)

open_plot("diversity", width = 1200, height = 900)
graphics::par(mfrow = c(2, 2), mar = c(4, 4, 3, 1), las = 1)
colors <- c(hilbert = "#1b7837", natural = "#762a83")
for (part in split(all, list(all$queries, all$metric))) {
  graphics::plot(NA, log = "x", xlim = range(limits), ylim = c(0, 1), xlab = "budget, points",
                 ylab = "recall", main = paste(part$metric[1], part$queries[1], sep = ", "))
  for (one in split(part, list(part$layout, part$diversity))) {
    graphics::lines(one$limit, one$estimate, type = "b", col = colors[[one$layout[1]]],
                    pch = if (one$diversity[1]) 19 else 1, lty = if (one$layout[1] == "natural") 2 else 1)
  }
}
graphics::legend("bottomright", c("in space, Hilbert", "in space, natural", "along the curve, Hilbert",
                                  "along the curve, natural"), bty = "n", col = colors[c(1, 2, 1, 2)],
                 pch = c(19, 19, 1, 1), lty = c(1, 2, 1, 2))
close_plot("diversity")
