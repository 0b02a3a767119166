# What does recall cost? 32,768 points of a 3-D normal distribution, 50 neighbours, for
# 1,024 other queries and for all points; by Euclidean distance and by residual
# correlation; exactly, to a stated recall, and within a budget.
#
#   Rscript -e 'source(system.file("benchmarks/gold.R", package = "covertree"))'

source(system.file("benchmarks/common.R", package = "covertree"))

k <- 50
limits <- c(100, 200, 500, 1000, 2000)
set.seed(42)
x <- matrix(stats::rnorm(3 * size(32768)), ncol = 3)
others <- matrix(stats::rnorm(3 * size(1024)), ncol = 3)
inducing <- size(512)
metrics <- list(
  Euclidean = "euclidean",
  "Matern-5/2" = residual_correlation(kernel_matern52(lengthscale = 1), inducing),
  RBF = residual_correlation(kernel_rbf(lengthscale = 1), inducing)
)

# A way to search, which has a row in the table. `once` for what takes too long to be run again.
way <- function(label, order = "hilbert", recall = 1, budget = NULL, search = "auto",
                block_size = NULL, once = FALSE) {
  list(label = label, order = order, recall = recall, budget = budget, search = search,
       block_size = block_size, once = once)
}

budget_rows <- function(diversity, label) {
  lapply(limits, function(limit) {
    way(sprintf("%s %d", label, limit), budget = budget(limit, diversity = diversity))
  })
}

target_rows <- list(way("recall 0.99", recall = 0.99), way("recall 0.999", recall = 0.999))

# The first row is the exact answer, which gives all others their recall. By residual
# correlation it meets every point, whatever the order and the block; there, orders are
# compared by the search to a stated recall.
euclidean_rows <- c(
  list(way("Hilbert order (recall 1)"), way("natural order", order = "natural"),
       way("no level cache: block size 1", block_size = 1), way("fixed block size 16", block_size = 16),
       way("scan", search = "scan")),
  target_rows, budget_rows(TRUE, "budget"), budget_rows(FALSE, "budget without diversity")
)
residual_rows <- c(
  list(way("certified scan (recall 1)", once = TRUE)), target_rows,
  list(way("natural order, recall 0.999", order = "natural", recall = 0.999)),
  budget_rows(TRUE, "budget"), budget_rows(FALSE, "budget without diversity")
)

ask <- function(way, tree, query, stats = FALSE) {
  knn_query(tree, query, k = k, recall = way$recall, budget = way$budget, search = way$search,
            block_size = way$block_size, stats = stats)
}

# The search without the sample of queries that knn_query() also answers exactly, to
# choose its effort or to measure its recall. The effort is that for the tree's own
# points: other queries are too few to draw a sample from, and knn_query() answers them
# exactly.
inside <- asNamespace("covertree")
alone <- function(way, tree, query) {
  options <- inside$search_options(way$search, way$block_size, NULL, budget = way$budget)
  open <- function(query) inside$search_for(tree, query, k, options)
  if (!is.null(way$budget)) return(function() open(query)$within())
  choice <- if (way$recall < 1) inside$choose_effort(open(NULL), way$recall, 1L)
  if (is.null(choice)) return(function() open(query)$exact(NULL))
  function() open(query)$attempt(NULL, choice$effort, choice)
}

# Points met for a query; of an exact search through the tree, 16 for each tile.
evaluations <- function(way, found, tree, query) {
  if (!is.null(found$evaluated)) return(mean(found$evaluated))
  if (!is.null(tree$metric) || way$search == "scan") return(nrow(x))
  min(nrow(x), 16 * knn_stats(ask(way, tree, query, stats = TRUE))$tiles / nrow(found$index))
}

# Every way once as a user calls it, and again; then the searches alone, in turn.
measure <- function(ways, trees, query) {
  exact <- NULL
  table <- do.call(rbind, lapply(ways, function(way) {
    tree <- trees[[way$order]]
    first <- seconds_of(found <- ask(way, tree, query))
    again <- if (way$recall < 1) seconds_of(ask(way, tree, query)) else first
    if (!way$once) found <- alone(way, tree, query)()
    if (is.null(exact)) exact <<- found
    data.frame(row = way$label, order = way$order, first = first, call = again,
               evaluations = evaluations(way, found, tree, query), recall = share_found(found, exact))
  }))
  often <- !vapply(ways, `[[`, NA, "once")
  sides <- lapply(ways[often], function(way) {
    search <- alone(way, trees[[way$order]], query)
    function() { search(); NULL }
  })
  names(sides) <- table$row[often]
  times <- interleave(sides, seconds = min(20, bench_seconds))$times
  table$runs <- 1
  table$runs[often] <- lengths(times)
  table$seconds <- table$call
  table$seconds[often] <- vapply(times, stats::median, 0)
  exactly <- !vapply(ways, function(way) way$recall < 1 || !is.null(way$budget), NA)
  table$call[exactly] <- table$seconds[exactly]
  list(table = table, exact = exact)
}

# The array engine: a process that has only the arrays of a tree (by residual
# correlation: the tree, which holds V as well), from a file.
worker <- parallel::makePSOCKcluster(1)
invisible(parallel::clusterCall(worker, .libPaths, .libPaths()))
parallel::clusterExport(worker, c("alone", "seconds_of", "k", "inside"))
invisible(parallel::clusterCall(worker, covertree::covertree_threads, covertree_threads()))

receive <- function(file) {
  read <- seconds_of(got <- readRDS(file))
  check <- seconds_of({
    arrived <<- if (inherits(got, "cover_tree")) got else covertree::cover_tree_from_arrays(got)
    length(arrived)
  })
  c(read, check)
}

serve <- function(way, query, result) {
  search <- alone(way, arrived, query)
  if (result) search()[c("index", "distance")] else seconds_of(search())
}

hand_over <- function(tree) {
  file <- tempfile(fileext = ".rds")
  on.exit(unlink(file))
  steps <- replicate(5, {
    export <- seconds_of(load <- if (is.null(tree$metric)) tree_arrays(tree) else tree)
    write <- seconds_of(saveRDS(load, file, compress = FALSE))
    c(export, write, parallel::clusterCall(worker, receive, file)[[1]])
  })
  steps <- 1000 * apply(steps, 1, stats::median)
  data.frame(megabytes = file.size(file) / 1e6, export = steps[1], write = steps[2], read = steps[3],
             check = steps[4])
}

# In the other process and in this one, in turn: often, because they differ by little.
measure_arrays <- function(tree, query, exact) {
  way <- way("array engine", recall = if (is.null(tree$metric)) 1 else 0.999)
  found <- parallel::clusterCall(worker, serve, way, query, TRUE)[[1]]
  here <- alone(way, tree, query)
  pairs <- max(bench_reps, min(41, ceiling(bench_seconds / 4 / seconds_of(here()))))
  times <- replicate(pairs, c(there = parallel::clusterCall(worker, serve, way, query, FALSE)[[1]],
                                   here = seconds_of(here())))
  times <- c(apply(times, 1, stats::median), ratio = stats::median(times["there", ] / times["here", ]))
  label <- if (way$recall < 1) "array engine, recall 0.999" else "array engine"
  list(table = data.frame(row = label, order = "hilbert", first = NA, call = NA,
                          evaluations = NA, recall = share_found(found, exact), runs = pairs,
                          seconds = times[["there"]]),
       times = times)
}

run <- function(name) {
  metric <- metrics[[name]]
  orders <- c(hilbert = "hilbert", natural = "natural")
  builds <- interleave(lapply(orders, function(order) function() cover_tree(x, order, metric = metric)), 3)
  trees <- builds$results
  hand <- hand_over(trees$hilbert)
  rows <- if (name == "Euclidean") euclidean_rows else residual_rows
  # Other queries have no place on the curve, unless the metric is Euclidean.
  spatial <- !vapply(rows, function(way) identical(way$budget$diversity, FALSE), NA)
  tables <- lapply(list(all = NULL, other = others), function(query) {
    ways <- if (is.null(query) || name == "Euclidean") rows else rows[spatial]
    measured <- measure(ways, trees, query)
    arrays <- measure_arrays(trees$hilbert, query, measured$exact)
    table <- rbind(measured$table, arrays$table)
    m <- if (is.null(query)) nrow(x) else nrow(query)
    scan <- table$seconds[grep("scan", table$row)]
    table <- cbind(metric = name, queries = m, table, per_second = m / table$seconds,
                   against_scan = scan / table$seconds)
    list(table = table, arrays = arrays$times)
  })
  table <- rbind(tables$all$table, tables$other$table)
  table$build <- vapply(builds$times, stats::median, 0)[table$order]
  hand$here <- tables$all$arrays[["here"]]
  hand$there <- tables$all$arrays[["there"]]
  hand$ratio <- tables$all$arrays[["ratio"]]
  print(table[c("metric", "queries", "row", "seconds", "evaluations", "recall")], digits = 4)
  list(table = table, hand = cbind(metric = name, hand))
}

chosen <- if (is.null(bench_only)) names(metrics) else intersect(bench_only, names(metrics))
runs <- lapply(chosen, run)
parallel::stopCluster(worker)
all <- do.call(rbind, lapply(runs, `[[`, "table"))
hand <- rbind(do.call(rbind, lapply(runs, `[[`, "hand")), kept("handover", "metric", chosen))
hand <- hand[order(match(hand$metric, names(metrics))), ]

# What the Python and Rust cover tree that this project follows published for 1,024
# queries by residual correlation. Its search stopped after at most 96 points.
published <- data.frame(
  metric = "published elsewhere, 16 cores", queries = 1024,
  row = c("Python, natural order", "native, natural order", "native, Hilbert order"),
  order = c("natural", "natural", "hilbert"), first = NA, call = NA, evaluations = NA, recall = NA,
  runs = NA, seconds = c(0.05, 0.14, 0.21), per_second = c(21123, 7105, 4971), against_scan = NA,
  build = c(16.10, 7.42, 4.20)
)
all <- rbind(all, kept("gold", "metric", c(chosen, published$metric)))
all <- rbind(all[order(match(all$metric, names(metrics))), ], published)

# One line for both kinds of queries.
shown <- function(all) {
  lines <- unique(all[c("metric", "row", "build")])
  of <- function(part) part[match(paste(lines$metric, lines$row), paste(part$metric, part$row)), ]
  other <- of(all[all$queries < nrow(x), ])
  own <- of(all[all$queries == nrow(x), ])
  data.frame(
    metric = lines$metric, search = lines$row, `build, s` = figures(lines$build),
    `1,024 queries, s` = figures(other$seconds), `queries/s` = figures(other$per_second),
    recall = ifelse(grepl("published", lines$metric), "unknown", shares(other$recall)),
    `all points, s` = figures(own$seconds), `queries/s ` = figures(own$per_second),
    `points met` = figures(own$evaluations), `recall ` = shares(own$recall),
    `against the scan` = ifelse(is.na(own$against_scan), "-", sprintf("%sx", figures(own$against_scan, 2))),
    `call, s` = figures(own$call),
    `calibration, s` = figures(ifelse(grepl("^(natural order, )?recall", lines$row), own$first - own$call, NA)),
    check.names = FALSE
  )
}
write_results("gold", all, shown(all))

milliseconds <- function(value) sprintf("%.1f", value)
write_results("handover", hand, data.frame(
  metric = hand$metric, MB = figures(hand$megabytes), `export, ms` = milliseconds(hand$export),
  `write, ms` = milliseconds(hand$write), `read, ms` = milliseconds(hand$read),
  `check, ms` = milliseconds(hand$check), `all points here, s` = figures(hand$here),
  `in the other process, s` = figures(hand$there), ratio = sprintf("%.3f", hand$ratio),
  check.names = FALSE
))

# Recall against throughput, all points; what is exact lies on the upper edge.
plot_recall <- function() {
  open_plot("gold", width = 2000, height = 900)
  on.exit(grDevices::dev.off())
  measured <- intersect(names(metrics), all$metric)
  graphics::par(mfrow = c(1, length(measured)), mar = c(4, 5, 3, 1), las = 1)
  floor <- 1e-6
  kinds <- list(
    list("^budget \\d", "budget", "#1b7837", 19, "b"),
    list("^budget without", "budget without diversity", "#b35806", 17, "b"),
    list("^recall", "recall target", "#762a83", 15, "p"),
    list("^Hilbert|^certified", "exact", "#000000", 8, "p")
  )
  for (name in measured) {
    table <- all[all$metric == name & all$queries == nrow(x), ]
    graphics::plot(NA, log = "xy", xlim = range(table$per_second), ylim = c(12, floor), yaxt = "n",
                   xlab = "queries per second", ylab = "", main = name)
    at <- 10^(0:-6)
    graphics::axis(2, at, c(format(1 - at[1:6], drop0trailing = TRUE), "1"))
    graphics::abline(h = at, col = "#eeeeee")
    for (kind in kinds) {
      part <- table[grepl(kind[[1]], table$row), ]
      graphics::points(part$per_second, pmax(1 - part$recall, floor), type = kind[[5]], col = kind[[3]],
                       pch = kind[[4]])
    }
    if (name == measured[1]) {
      graphics::mtext("recall", 2, 4, las = 0)
      graphics::legend("bottomleft", vapply(kinds, `[[`, "", 2), bty = "n",
                       col = vapply(kinds, `[[`, "", 3), pch = vapply(kinds, `[[`, 0, 4))
    }
  }
}
plot_recall()
