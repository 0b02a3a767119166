# How fast is an exact search of all points for k = 1 and k = 10, compared with the zd-tree of
# Blelloch and Dobson ("Parallel nearest neighbors in low dimensions with batch updates", ALENEX
# 2022)? Time of building the index and finding the neighbors of every point; all sides in turn.
#
#   Rscript -e 'source(system.file("benchmarks/zdtree.R", package = "covertree"))'
#
# The zd-tree is a C++ program that is no part of the package. The script needs a compiled one, named
# by the environment variable ZDTREE or by options(covertree.bench.zdtree = ). With git and g++:
#
#   git clone https://github.com/cmuparlay/pbbsbench
#   cd pbbsbench
#   git submodule update --init parlaylib
#   cd benchmarks/nearestNeighbors/octTree
#   g++ -std=c++17 -O3 -march=native -mcx16 -DNDEBUG -pthread -I. .../benchmarks/zdtree.cpp -o zdtree
#
# where .../ is the folder of the installed package. The measured version is the commit 3932578 of the
# suite, with the commit f8e38c7 of parlaylib.
#
# The two sides do not do the same work, in favor of the zd-tree: its time excludes one untimed run
# before each timed one (its memory is allocated and paged in), the points have its own layout, and
# its result is a list of pointers for each point. The time of covertree is that of the R calls,
# which check the points, allocate new memory, and return matrices of rows and of distances.

source(system.file("benchmarks/common.R", package = "covertree"))

program <- getOption("covertree.bench.zdtree", Sys.getenv("ZDTREE"))

uniform <- function(n, d) function() matrix(stats::runif(size(n) * d), ncol = d)

# The Plummer model of a star cluster: dense in the center, with far points around it.
plummer <- function(n) function() {
  direction <- matrix(stats::rnorm(3 * size(n)), ncol = 3)
  radius <- 1 / sqrt(stats::runif(size(n))^(-2 / 3) - 1)
  direction * (radius / sqrt(rowSums(direction^2)))
}

workloads <- list(
  zd_d3_k1 = list(data = uniform(1e6, 3), k = 1, text = "n 1,000,000, d 3 uniform, k 1"),
  zd_d3_k10 = list(data = uniform(1e6, 3), k = 10, text = "n 1,000,000, d 3 uniform, k 10"),
  zd_d2_k1 = list(data = uniform(1e6, 2), k = 1, text = "n 1,000,000, d 2 uniform, k 1"),
  zd_d2_k10 = list(data = uniform(1e6, 2), k = 10, text = "n 1,000,000, d 2 uniform, k 10"),
  zd_plummer_k1 = list(data = plummer(1e6), k = 1, text = "n 1,000,000, d 3 Plummer, k 1")
)

ours <- function(x, k, threads) {
  function() knn_query(cover_tree(x, threads = threads), k = k, threads = threads)$index
}

# Returns a function that runs the program once and returns the neighbors [n x k], with the time that
# the program measured.
zdtree <- function(file, x, k, threads) {
  out <- tempfile()
  arguments <- c(shQuote(file), format(nrow(x), scientific = FALSE), ncol(x), k, 1, shQuote(out))
  function() {
    seconds <- system2(program, arguments, stdout = TRUE, env = paste0("PARLAY_NUM_THREADS=", threads))
    index <- matrix(readBin(out, "integer", nrow(x) * k), ncol = k, byrow = TRUE)
    structure(index, seconds = as.numeric(seconds))
  }
}

run <- function(name) {
  work <- workloads[[name]]
  set.seed(42)
  x <- work$data()
  file <- tempfile()
  on.exit(unlink(file))
  writeBin(as.vector(x), file)
  measured <- interleave(list(
    "covertree, 1 thread" = ours(x, work$k, 1), "covertree, 2 threads" = ours(x, work$k, 2),
    "zd-tree, 1 thread" = zdtree(file, x, work$k, 1), "zd-tree, 2 threads" = zdtree(file, x, work$k, 2)
  ))
  table <- data.frame(
    workload = name, text = work$text, side = names(measured$times), spread_of(measured$times),
    recall = vapply(measured$results, function(index) recall(x, index), 0), row.names = NULL
  )
  print(table[c("workload", "side", "runs", "median", "min", "max", "recall")], digits = 3)
  table
}

measurable <- .Platform$OS.type == "unix" && nzchar(program)
if (!measurable) {
  message("zdtree: no program; the head of zdtree.R says how to compile it")
  bench_only <- "none"
}
all <- renew("zdtree", "workload", names(workloads), run)

summarize <- function(name) {
  rows <- all[all$workload == name, ]
  side <- function(side) rows[rows$side == side, ]
  one <- side("covertree, 1 thread")
  two <- side("covertree, 2 threads")
  zd_one <- side("zd-tree, 1 thread")
  zd_two <- side("zd-tree, 2 threads")
  data.frame(
    workload = rows$text[1],
    `covertree, 1 thread, s` = with_spread(one), `zd-tree, 1 thread, s` = with_spread(zd_one),
    ratio = sprintf("%.2fx", zd_one$median / one$median),
    `covertree, 2 threads, s` = with_spread(two), `zd-tree, 2 threads, s` = with_spread(zd_two),
    `ratio ` = sprintf("%.2fx", zd_two$median / two$median),
    recall = shares(min(one$recall, two$recall)), `recall of zd-tree` = shares(min(zd_one$recall, zd_two$recall)),
    check.names = FALSE
  )
}
names_measured <- unique(all$workload)
write_table("zdtree", do.call(rbind, lapply(names_measured, summarize)),
            all$machine[match(names_measured, all$workload)])
