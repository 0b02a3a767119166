# Compares the speed of two installed versions of covertree:
#
#   Rscript tools/compare.R OLD_LIBRARY NEW_LIBRARY [rounds] [cases]
#
# `cases` is a list of numbers such as 1,3; the default is all cases. Each version runs in its own R
# process. The processes alternate. Prints the medians [s] of each case and their ratio, new to old.
arguments <- commandArgs(TRUE)
if (length(arguments) < 2) stop("usage: compare.R OLD_LIBRARY NEW_LIBRARY [rounds] [cases]")
libraries <- normalizePath(arguments[1:2])
rounds <- if (length(arguments) > 2) as.integer(arguments[3]) else 9L

prepare <- function(library) {
  .libPaths(c(library, .libPaths()))
  loadNamespace("covertree", lib.loc = library)
  attachNamespace("covertree")
  set.seed(1)
  normal <- function(n, d) matrix(rnorm(n * d), ncol = d)
  x3 <<- normal(32768, 3)
  x8 <<- normal(100000, 8)
  x16 <<- normal(50000, 16)
  million <<- matrix(runif(3e6), ncol = 3)
  foreign <<- normal(1024, 3)
  tree <<- cover_tree(x3)
  sites <<- x3[1:20000, 1:2]
  invisible(NULL)
}

# Expressions, each with the number of times that one measurement repeats it.
cases <- list(
  "build and query 32,768 x 3, k 10, 1 thread" =
    list(3, quote(knn_query(cover_tree(x3, threads = 1), k = 10, threads = 1))),
  "build and query 32,768 x 3, k 10, 2 threads" =
    list(3, quote(knn_query(cover_tree(x3, threads = 2), k = 10, threads = 2))),
  "build and query 32,768 x 3, k 50, 1 thread" =
    list(1, quote(knn_query(cover_tree(x3, threads = 1), k = 50, threads = 1))),
  "1,024 other queries, k 50, 1 thread" =
    list(20, quote(knn_query(tree, foreign, k = 50, threads = 1))),
  "build and query 1,000,000 x 3, k 10, 2 threads" =
    list(1, quote(knn_query(cover_tree(million, threads = 2), k = 10, threads = 2))),
  "build 1,000,000 x 3, 1 thread" = list(1, quote(cover_tree(million, threads = 1))),
  "build and query 100,000 x 8, k 10, 2 threads" =
    list(1, quote(knn_query(cover_tree(x8, threads = 2), k = 10, threads = 2))),
  "build and query 50,000 x 16, k 10, 2 threads" =
    list(1, quote(knn_query(cover_tree(x16, threads = 2), k = 10, threads = 2))),
  "build 100,000 x 8, 1 thread" = list(1, quote(cover_tree(x8, threads = 1))),
  "radius 0.2, 32,768 x 3, 1 thread" = list(1, quote(radius_query(tree, radius = 0.2, threads = 1))),
  "budget 200, 32,768 x 3, k 30, 1 thread" =
    list(1, quote(knn_query(tree, k = 30, budget = budget(200), threads = 1))),
  "Vecchia 20,000 x 2, m 20, 1 thread" =
    list(1, quote(vecchia_neighbors(sites, m = 20, threads = 1)))
)
if (length(arguments) > 3) cases <- cases[as.integer(strsplit(arguments[4], ",")[[1]])]

measure <- function(case) {
  gc()
  from <- as.numeric(Sys.time())
  for (i in seq_len(case[[1]])) eval(case[[2]], globalenv())
  (as.numeric(Sys.time()) - from) / case[[1]]
}

workers <- parallel::makePSOCKcluster(2)
for (i in 1:2) parallel::clusterCall(workers[i], prepare, libraries[i])
for (name in names(cases)) {
  seconds <- vapply(0:rounds, function(round) {
    turn <- if (round %% 2) 1:2 else 2:1
    vapply(turn, function(i) parallel::clusterCall(workers[i], measure, cases[[name]])[[1]], 0)[turn]
  }, numeric(2))[, -1]
  middle <- apply(seconds, 1, median)
  cat(sprintf("%-48s %.4f %.4f s  %.3f\n", name, middle[1], middle[2], middle[2] / middle[1]))
}
parallel::stopCluster(workers)
