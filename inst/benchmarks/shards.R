# What does a forest of shards cost, compared with one tree? Both in this process, with all threads:
# all points as queries, their predecessors, other queries, all points within a radius.
#
#   Rscript -e 'source(system.file("benchmarks/shards.R", package = "covertree"))'
#
# For points that no process can hold, see shards_large.R.

source(system.file("benchmarks/common.R", package = "covertree"))

k <- 10
workloads <- c("1m_d3_8", "1m_d3_7", "1m_d2_32")

run <- function(name) {
  d <- as.integer(sub(".*_d(.)_.*", "\\1", name))
  shards <- as.integer(sub(".*_", "", name))
  n <- size(1e6)
  set.seed(42)
  x <- matrix(stats::runif(n * d), n)
  query <- matrix(stats::runif(n / 5 * d), n / 5)
  radius <- 1.2 / n^(1 / d)
  builds <- interleave(list(tree = function() cover_tree(x), forest = function() cover_forest(x, shards)), reps = 3)
  tree <- builds$results$tree
  forest <- builds$results$forest
  searches <- list(
    "own points" = function(index) knn_query(index, k = k),
    predecessors = function(index) knn_query(index, k = k, predecessor = TRUE),
    "other points" = function(index) knn_query(index, query, k = k),
    "radius, counts" = function(index) radius_query(index, query, radius, count_only = TRUE)
  )
  compare <- function(search) {
    # The first calls open the shards, and copy the tree into tiles.
    search(tree)
    search(forest)
    both <- interleave(list(tree = function() search(tree), forest = function() search(forest)),
                       seconds = bench_seconds / length(searches))
    stopifnot(identical(both$results$tree, both$results$forest))
    vapply(both$times, stats::median, 0)
  }
  seconds <- c(list(build = vapply(builds$times, stats::median, 0)), lapply(searches, compare))
  table <- data.frame(name = name, n = n, d = d, shards = shards, step = names(seconds),
                      tree = vapply(seconds, `[[`, 0, "tree"), forest = vapply(seconds, `[[`, 0, "forest"),
                      row.names = NULL)
  table$ratio <- table$forest / table$tree
  print(table, digits = 3)
  table
}

all <- renew("shards", "name", workloads, run)
write_table("shards", data.frame(
  n = all$n, d = all$d, shards = all$shards, step = all$step, `one tree, s` = figures(all$tree, 3),
  `forest, s` = figures(all$forest, 3), ratio = sprintf("%.2f", all$ratio), check.names = FALSE
), all$machine)
