# Compares the times of two threads and of one, on a quiet machine and on a machine with busy
# processes:
#
#   Rscript tools/busy.R [rounds] [cases] [busy processes]
#
# `cases` is a list of numbers such as 1,3; the default is all cases. By default there are as many
# busy processes as processors. Prints for each case the medians and the 95% quantiles of the times
# [s], and the ratio of two threads to one. Runs on one and on two threads alternate.
library(covertree)
arguments <- commandArgs(TRUE)
rounds <- if (length(arguments) > 0) as.integer(arguments[1]) else 40
set.seed(1)
x <- matrix(rnorm(3e5), ncol = 3)
x16 <- matrix(rnorm(8e5), ncol = 16)
tree <- cover_tree(x)
small <- cover_tree(x[1:32768, ])
foreign <- matrix(rnorm(3 * 1024), ncol = 3)
points <- x[1:20000, 1:2]
cases <- list(
  "1,024 queries, k 10" = function(threads) knn_query(small, foreign, k = 10, threads = threads),
  "32,768 queries, k 10" = function(threads) knn_query(small, k = 10, threads = threads),
  "build 100,000 x 3" = function(threads) cover_tree(x, threads = threads),
  "build 50,000 x 16" = function(threads) cover_tree(x16, threads = threads),
  "Vecchia 20,000 x 20" = function(threads) vecchia_neighbors(points, m = 20, threads = threads),
  "radius 100,000" = function(threads) radius_query(tree, radius = 0.1, threads = threads)
)
if (length(arguments) > 1) cases <- cases[as.integer(strsplit(arguments[2], ",")[[1]])]

seconds <- function(case, threads) {
  clock <- function() as.numeric(Sys.time())
  from <- clock()
  case(threads)
  clock() - from
}

measure <- function(label) {
  for (name in names(cases)) {
    case <- cases[[name]]
    case(1)
    case(2)
    taken <- vapply(seq_len(rounds), function(round) {
      order <- if (round %% 2) 1:2 else 2:1
      vapply(order, function(threads) seconds(case, threads), 0)[order]
    }, numeric(2))
    middle <- apply(taken, 1, median)
    late <- apply(taken, 1, quantile, 0.95)
    cat(sprintf("%-6s %-22s median %.4f %.4f s (%.2f)  95%% %.4f %.4f s (%.2f)\n", label, name,
                middle[1], middle[2], middle[2] / middle[1], late[1], late[2], late[2] / late[1]))
  }
}

if (length(arguments) < 3 || arguments[3] == "0") measure("quiet")
busy <- if (length(arguments) > 2) as.integer(arguments[3]) else parallel::detectCores()
if (busy > 0) {
  others <- lapply(seq_len(busy), function(i) parallel::mcparallel(repeat sqrt(2), detached = TRUE))
  on_exit <- function() lapply(others, function(job) tools::pskill(job$pid, tools::SIGKILL))
  tryCatch(measure("busy"), finally = on_exit())
}
