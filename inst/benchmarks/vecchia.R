# How fast are orders and conditioning neighbors for Vecchia Gaussian processes, compared with
# the packages that are installed?
#
#   Rscript -e 'source(system.file("benchmarks/vecchia.R", package = "covertree"))'

source(system.file("benchmarks/common.R", package = "covertree"))

m <- 30

line <- function(task, side, n, seconds, recall = NA) {
  data.frame(task = task, side = side, n = n, seconds = seconds, recall = recall)
}

# Runs the sides in turn, `reps` times each, and returns their rows of the table.
compare <- function(task, n, sides, reps, share = function(result) NA) {
  measured <- interleave(sides, reps)
  table <- line(task, names(sides), n, vapply(measured$times, stats::median, 0),
                vapply(measured$results, share, 0))
  rownames(table) <- NULL
  print(table, digits = 3)
  table
}

# Neighbors alone: both packages get the same locations in the same order.
euclidean <- function(n) {
  set.seed(42)
  x <- matrix(stats::runif(2 * n), n)
  x <- x[order_maximin(x), ]
  tree <- cover_tree(x)
  sides <- list("covertree" = function() vecchia_neighbors(x, m, order = "none")$NNarray,
                "covertree, 1 thread" = function() vecchia_neighbors(x, m, order = "none", threads = 1)$NNarray)
  if (has("GpGp")) sides$GpGp <- function() GpGp::find_ordered_nn(x, m)
  compare("neighbors, d 2, 30 predecessors", n, sides, 3, function(index) {
    recall_of(tree, index[, -1], predecessor = TRUE)$estimate
  })
}

maximin <- function(n, peers) {
  set.seed(42)
  x <- matrix(stats::runif(2 * n), n)
  sides <- list("covertree" = function() order_maximin(x),
                "covertree, 1 thread" = function() order_maximin(x, threads = 1))
  if (has("GPvecchia")) sides[["GPvecchia, exact"]] <- function() GPvecchia::order_maxmin_exact(x)
  if (has("GpGp") && peers) sides[["GpGp, approximate"]] <- function() GpGp::order_maxmin(x)
  compare("maximin order, d 2", n, sides, 2)
}

# By residual correlation: the whole call, and its parts with the same locations.
residual <- function(n, with_exact) {
  set.seed(42)
  x <- matrix(stats::runif(5 * n), n)
  metric <- residual_correlation(kernel_matern32(lengthscale = 0.25), size(200))
  task <- "residual correlation, d 5, 200 inducing points, 30 predecessors"
  whole <- seconds_of(near <- vecchia_neighbors(x, m, metric = metric))
  x <- x[near$order, ]
  tree <- NULL
  parts <- c(
    "tree, V and p" = seconds_of(tree <- cover_tree(x, metric = metric)),
    "V and p again (update_metric)" = seconds_of(update_metric(tree, metric)),
    "neighbors, recall 0.999, with calibration" =
      seconds_of(knn <- knn_query(tree, k = m, predecessor = TRUE, recall = 0.999)),
    "neighbors, recall 0.999, calibrated" =
      seconds_of(knn_query(tree, k = m, predecessor = TRUE, recall = 0.999))
  )
  found <- if (with_exact) {
    parts["neighbors, exact (recall 1)"] <-
      seconds_of(exact <- knn_query(tree, k = m, predecessor = TRUE))
    share_found(knn, exact)
  } else {
    if (isTRUE(attr(knn, "exact"))) 1 else attr(knn, "recall")[["estimate"]]
  }
  recall <- ifelse(grepl("exact", names(parts)), 1, ifelse(grepl("0.999", names(parts)), found, NA))
  table <- rbind(line(task, "whole call: order, tree, V, neighbors", n, whole, found),
                 line(task, names(parts), n, parts, recall))
  rownames(table) <- NULL
  print(table, digits = 3)
  table
}

sizes <- size(c(50000, 100000, 200000))
workloads <- list(
  neighbors = function() euclidean(size(1e5)),
  maximin = function() maximin(size(1e5), peers = TRUE),
  maximin_1m = function() maximin(size(1e6), peers = FALSE),
  residual = function() do.call(rbind, lapply(sizes, function(n) residual(n, with_exact = n == sizes[2])))
)
run <- function(name) cbind(workload = name, workloads[[name]]())
all <- renew("vecchia", "workload", names(workloads), run)

# The exponent of n in the growth of the time, from the smallest to the largest n.
growth <- vapply(seq_len(nrow(all)), function(i) {
  same <- all[all$task == all$task[i] & all$side == all$side[i], ]
  if (nrow(same) < 3 || same$n[3] != all$n[i]) return(NA_real_)
  log(same$seconds[3] / same$seconds[1]) / log(same$n[3] / same$n[1])
}, 0)
ours <- vapply(seq_len(nrow(all)), function(i) {
  all$seconds[all$task == all$task[i] & all$n == all$n[i] & all$side == "covertree"][1]
}, 0)
ratio <- all$seconds / ours
write_table("vecchia", data.frame(
  task = all$task, n = format(all$n, big.mark = ",", scientific = FALSE), step = all$side,
  seconds = figures(all$seconds), `times covertree` = ifelse(is.na(ratio), "-", sprintf("%.1f", ratio)),
  recall = shares(all$recall), `growth, power of n` = figures(growth), check.names = FALSE
), all$machine)
