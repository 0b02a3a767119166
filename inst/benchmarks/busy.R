# How much do other processes slow down a search? Times of searches on a quiet machine and beside two
# busy processes, on one and on two threads, with another package under the same load. Total time of
# building the index and finding the neighbors of every point, unless a workload says otherwise. On a
# quiet machine, and then on a busy one, all sides of a workload run in turn.
#
#   Rscript -e 'source(system.file("benchmarks/busy.R", package = "covertree"))'

source(system.file("benchmarks/common.R", package = "covertree"))

busy_processes <- 2

normal <- function(n, d) function() matrix(stats::rnorm(size(n) * d), ncol = d)
uniform <- function(n, d) function() matrix(stats::runif(size(n) * d), ncol = d)

workloads <- list(
  busy_32k_d3_k1 = list(data = normal(32768, 3), k = 1, text = "n 32,768, d 3 normal, k 1", peer = "nabor"),
  busy_32k_d3_k10 = list(data = normal(32768, 3), k = 10, text = "n 32,768, d 3 normal, k 10", peer = "nabor"),
  busy_1m_d3 = list(data = uniform(1e6, 3), k = 10, runs = 5, text = "n 1,000,000, d 3 uniform, k 10", peer = "nabor"),
  busy_1m_d3_calls = list(data = uniform(1e6, 3), k = 10, queries = 1000,
                          text = "n 1,000,000, d 3 uniform, k 10, 1,000 calls with one query each, index reused",
                          peer = "nabor"),
  busy_100k_d8 = list(data = normal(1e5, 8), k = 10, runs = 3, text = "n 100,000, d 8 normal, k 10", peer = "nabor"),
  busy_50k_d64 = list(data = normal(5e4, 64), k = 10, queries = 2000, others = TRUE, runs = 5,
                      text = "n 50,000, d 64 normal, k 10, 2,000 other queries", peer = "FNN")
)

# Starts processes that keep processors busy. Returns their numbers. They end with this process, too.
start_busy <- function(count = busy_processes) {
  loop <- sprintf("while kill -0 %d 2>/dev/null; do i=0; while [ $i -lt 10000 ]; do i=$((i+1)); done; done", Sys.getpid())
  command <- sprintf("(%s) >/dev/null 2>&1 & echo $!", loop)
  vapply(seq_len(count), function(i) as.integer(system2("sh", c("-c", shQuote(command)), stdout = TRUE)), 0L)
}

# Calls `search` for each query alone.
one_by_one <- function(query, search) {
  for (i in seq_len(nrow(query))) search(query[i, , drop = FALSE])
}

ours <- function(x, query, work, threads) {
  k <- work$k
  if (isTRUE(work$others)) return(function() knn_query(cover_tree(x, threads = threads), query, k = k, threads = threads))
  if (is.null(query)) return(function() knn_query(cover_tree(x, threads = threads), k = k, threads = threads))
  tree <- cover_tree(x)
  function() one_by_one(query, function(q) knn_query(tree, q, k = k, threads = threads))
}

peer <- function(x, query, work) {
  k <- work$k
  if (work$peer == "FNN") return(function() FNN::knnx.index(x, query, k = k, algorithm = "brute"))
  if (is.null(query)) return(function() nabor::knn(x, k = k + 1))
  index <- nabor::WKNND(x)
  function() one_by_one(query, function(q) index$query(q, k = k, eps = 0, radius = 0))
}

# Returns the median times of all sides [s], in turn.
medians <- function(sides, runs) {
  times <- interleave(lapply(sides, function(side) function() { side(); NULL }), reps = runs)$times
  vapply(times, stats::median, 0)
}

run <- function(name) {
  work <- workloads[[name]]
  set.seed(42)
  x <- work$data()
  query <- if (!is.null(work$queries)) {
    draw <- if (isTRUE(work$others)) stats::rnorm else stats::runif
    matrix(draw(size(work$queries) * ncol(x)), ncol = ncol(x))
  }
  sides <- list("covertree, 1 thread" = ours(x, query, work, 1), "covertree, 2 threads" = ours(x, query, work, 2))
  if (has(work$peer)) sides[[work$peer]] <- peer(x, query, work)
  runs <- if (is.null(work$runs)) 9 else work$runs
  quiet <- medians(sides, runs)
  busy <- start_busy()
  on.exit(tools::pskill(busy, tools::SIGKILL))
  table <- data.frame(workload = name, text = work$text, side = names(sides), quiet = quiet,
                      busy = medians(sides, runs), row.names = NULL)
  table$slower <- table$busy / table$quiet
  print(table, digits = 3)
  table
}

if (.Platform$OS.type != "unix") {
  message("busy: needs a shell of Unix, skipped")
} else {
  all <- renew("busy", "workload", names(workloads), run)
  summarize <- function(name) {
    rows <- all[all$workload == name, ]
    one <- rows[rows$side == "covertree, 1 thread", ]
    two <- rows[rows$side == "covertree, 2 threads", ]
    other <- rows[!startsWith(rows$side, "covertree"), ]
    data.frame(
      workload = one$text, `quiet: 1 thread, s` = figures(one$quiet), `2 threads, s` = figures(two$quiet),
      `busy: 1 thread, s` = figures(one$busy), `busy: 2 threads, s` = figures(two$busy),
      `peer, busy / 1 thread` = toString(sprintf("%s %.1fx", other$side, other$busy / one$busy)),
      `peer, busy / 2 threads` = toString(sprintf("%s %.1fx", other$side, other$busy / two$busy)), check.names = FALSE
    )
  }
  measured <- unique(all$workload)
  write_table("busy", do.call(rbind, lapply(measured, summarize)), all$machine[match(measured, all$workload)])
}
