# How much time does a recall take? The gold data set, 50 neighbors of all points and of 1,024 other
# points: by Euclidean distance and by residual correlation; exact, to a stated recall, and
# within a budget. In rows.R, the queries are 1,024 of the tree's own points.
#
#   Rscript -e 'source(system.file("benchmarks/gold.R", package = "covertree"))'

source(system.file("benchmarks/gold_setup.R", package = "covertree"))

limits <- c(100, 200, 500, 1000, 2000)
budget_searches <- c(
  lapply(limits, function(limit) new_search(sprintf("budget %d", limit), budget = budget(limit))),
  lapply(limits, function(limit) {
    new_search(sprintf("budget without diversity %d", limit), budget = budget(limit, diversity = FALSE))
  })
)

# The first search is exact, and the recall of all others is measured against it. By residual
# correlation the exact search evaluates every pair, for any layout and block size;
# layouts are compared there by the search to a stated recall.
searches <- list(
  euclidean = c(
    list(new_search("exact (recall 1)"), new_search("natural layout", layout = "natural"),
         new_search("no level cache: block size 1", block_size = 1),
         new_search("fixed block size 16", block_size = 16), new_search("scan", search = "scan")),
    budget_searches
  ),
  residual = c(
    list(new_search("exact scan (recall 1)", once = TRUE)), recall_searches,
    list(new_search("natural layout, recall 0.999", layout = "natural", recall = 0.999)), budget_searches
  )
)

# The mean number of evaluated points of a query. Euclidean searches without a budget count 16
# points for each scanned tile.
evaluations <- function(search, found, tree, query) {
  if (!is.null(found$evaluated)) return(mean(found$evaluated))
  if (!is.null(tree$metric) || search$search == "scan") return(nrow(x))
  min(nrow(x), 16 * knn_stats(ask(search, tree, query, stats = TRUE))$tiles / nrow(found$index))
}

# Measures each search once as a user calls it, and a second time with the kept effort; then the
# searches alone, in turn.
measure <- function(searches, trees, query) {
  exact <- NULL
  table <- do.call(rbind, lapply(searches, function(search) {
    tree <- trees[[search$layout]]
    first <- seconds_of(found <- ask(search, tree, query))
    again <- if (search$recall < 1) seconds_of(ask(search, tree, query)) else first
    if (!search$once) found <- search_alone(search, tree, query)()
    if (is.null(exact)) exact <<- found
    data.frame(search = search$label, layout = search$layout, first = first, call = again,
               evaluations = evaluations(search, found, tree, query), recall = share_found(found, exact))
  }))
  often <- !vapply(searches, `[[`, NA, "once")
  sides <- lapply(searches[often], function(search) {
    run <- search_alone(search, trees[[search$layout]], query)
    function() { run(); NULL }
  })
  names(sides) <- table$search[often]
  times <- interleave(sides)$times
  table$runs <- 1
  table$runs[often] <- lengths(times)
  table$seconds <- table$call
  table$seconds[often] <- vapply(times, stats::median, 0)
  exactly <- vapply(searches, function(search) search$recall == 1 && is.null(search$budget), NA)
  table$call[exactly] <- table$seconds[exactly]
  table
}

run <- function(name) {
  layouts <- c(hilbert = "hilbert", natural = "natural")
  builds <- interleave(lapply(layouts, function(layout) function() build(name, layout)), 3)
  those <- searches[[if (name == "Euclidean") "euclidean" else "residual"]]
  # By residual correlation, a budget without diversity needs own points of the tree.
  for_others <- name == "Euclidean" |
    !vapply(those, function(search) identical(search$budget$diversity, FALSE), NA)
  table <- do.call(rbind, lapply(list(all = NULL, others = other_points), function(query) {
    measured <- measure(if (is.null(query)) those else those[for_others], builds$results, query)
    m <- if (is.null(query)) nrow(x) else nrow(query)
    scan <- measured$seconds[grep("scan", measured$search)]
    cbind(metric = name, queries = m, measured, per_second = m / measured$seconds,
          against_scan = scan / measured$seconds)
  }))
  table$build <- vapply(builds$times, stats::median, 0)[table$layout]
  rownames(table) <- NULL
  print(table[c("metric", "queries", "search", "seconds", "evaluations", "recall")], digits = 4)
  table
}

all <- renew("gold", "metric", names(metrics), run)
own <- all[all$queries == max(all$queries), ]
write_table("gold", data.frame(
  metric = own$metric, search = own$search, `build, s` = figures(own$build), `search, s` = figures(own$seconds),
  `queries/s` = figures(own$per_second), recall = shares(own$recall),
  `evaluated points` = figures(own$evaluations),
  `scan / search` = sprintf("%sx", figures(own$against_scan, 2)), `call, s` = figures(own$call),
  `calibration, s` = figures(ifelse(grepl("^(natural layout, )?recall", own$search), own$first - own$call, NA)),
  check.names = FALSE
), own$machine)
other <- all[all$queries < max(all$queries), ]
write_table("gold_other", data.frame(
  metric = other$metric, search = other$search, `search, s` = figures(other$seconds),
  `queries/s` = figures(other$per_second), recall = shares(other$recall),
  `evaluated points` = figures(other$evaluations), check.names = FALSE
), other$machine)

# Plots recall against queries per second, for all points. Exact searches are on the upper edge.
plot_recall <- function() {
  open_plot("gold", width = 1500, height = 675)
  on.exit(close_plot("gold"))
  names <- unique(own$metric)
  graphics::par(mfrow = c(1, length(names)), mar = c(4, 5, 3, 1), las = 1)
  least <- 1e-6
  kinds <- list(
    list("^budget \\d", "budget", "#1b7837", 19, "b"),
    list("^budget without", "budget without diversity", "#b35806", 17, "b"),
    list("^recall", "stated recall", "#762a83", 15, "p"),
    list("^exact", "exact", "#000000", 8, "p")
  )
  for (name in names) {
    table <- own[own$metric == name, ]
    table$thousands <- table$per_second / 1000
    graphics::plot(NA, log = "xy", xlim = range(table$thousands), ylim = c(12, least), yaxt = "n",
                   xlab = "thousand queries per second", ylab = "", main = name)
    at <- 10^(0:-6)
    graphics::axis(2, at, c(format(1 - at[1:6], drop0trailing = TRUE), "1"))
    graphics::abline(h = at, col = "#eeeeee")
    for (kind in kinds) {
      part <- table[grepl(kind[[1]], table$search), ]
      graphics::points(part$thousands, pmax(1 - part$recall, least), type = kind[[5]], col = kind[[3]],
                       pch = kind[[4]])
    }
    if (name == names[1]) {
      graphics::mtext("recall", 2, 4, las = 0)
      graphics::legend("bottomleft", vapply(kinds, `[[`, "", 2), bty = "n",
                       col = vapply(kinds, `[[`, "", 3), pch = vapply(kinds, `[[`, 0, 4))
    }
  }
}
plot_recall()
