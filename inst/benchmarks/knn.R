# How fast, next to the exact peers that are installed? Total of building the
# index and finding every point's neighbours, from R call to R result, except
# where a row says that an index is reused. All sides of a row run in turn.
#
#   Rscript -e 'source(system.file("benchmarks/knn.R", package = "covertree"))'

source(system.file("benchmarks/common.R", package = "covertree"))

normal <- function(n, d) function() matrix(stats::rnorm(n * d), n)
uniform <- function(n, d) function() matrix(stats::runif(n * d), n)
subspace <- function(n, d, inner, noise) function() {
  matrix(stats::rnorm(n * inner), n) %*% matrix(stats::rnorm(inner * d), inner) +
    noise * matrix(stats::rnorm(n * d), n)
}

workloads <- list(
  n32k_d3_k10 = list(data = normal(32768, 3), k = 10, text = "n 32,768, d 3 normal, k 10",
                     peers = c("nabor", "RANN")),
  n32k_d3_k50 = list(data = normal(32768, 3), k = 50, text = "n 32,768, d 3 normal, k 50",
                     peers = c("nabor", "RANN")),
  n32k_d3_other = list(data = normal(32768, 3), k = 50, queries = 1024,
                       text = "the same, 1,024 other queries, index reused", peers = "nabor"),
  n1m_d2 = list(data = uniform(1e6, 2), k = 10, text = "n 1,000,000, d 2 uniform, k 10",
                peers = c("nabor", "RANN")),
  n1m_d3 = list(data = uniform(1e6, 3), k = 10, text = "n 1,000,000, d 3 uniform, k 10",
                peers = c("nabor", "RANN")),
  n100k_d8 = list(data = normal(1e5, 8), k = 10, text = "n 100,000, d 8 normal, k 10",
                  peers = "nabor"),
  n50k_d16 = list(data = normal(5e4, 16), k = 10, text = "n 50,000, d 16 normal, k 10",
                  peers = c("FNN", "nabor")),
  n50k_d32 = list(data = normal(5e4, 32), k = 10, text = "n 50,000, d 32 normal, k 10",
                  peers = c("FNN", "nabor")),
  n50k_d64 = list(data = normal(5e4, 64), k = 10, text = "n 50,000, d 64 normal, k 10",
                  peers = "FNN"),
  n50k_sub5 = list(data = subspace(5e4, 64, 5, 0.01), k = 10, reuse = TRUE,
                   text = "n 50,000, d 64, 5-dim subspace + 0.01, k 10, index reused",
                   peers = c("KMKNN", "VPtree")),
  build_1m_d3 = list(data = uniform(1e6, 3), k = 1, build = TRUE,
                     text = "index alone, n 1,000,000, d 3 uniform", peers = "RANN")
)

package_of <- c(nabor = "nabor", RANN = "RANN", FNN = "FNN", KMKNN = "BiocNeighbors",
                VPtree = "BiocNeighbors", covertree = "covertree")

ours <- function(x, work, threads) {
  force(x)
  if (isTRUE(work$build)) return(function() cover_tree(x, threads = threads))
  if (is.null(work$query) && !isTRUE(work$reuse)) {
    return(function() knn_query(cover_tree(x, threads = threads), k = work$k, threads = threads)$index)
  }
  tree <- cover_tree(x)
  function() knn_query(tree, work$query, k = work$k, threads = threads)$index
}

peer <- function(name, x, work) {
  k <- work$k
  query <- work$query
  bioc <- function(param) {
    index <- BiocNeighbors::buildIndex(x, BNPARAM = param)
    function() BiocNeighbors::findKNN(BNINDEX = index, k = k)$index
  }
  switch(name,
    nabor = if (is.null(query)) {
      function() nabor::knn(x, k = k + 1)$nn.idx
    } else {
      index <- nabor::WKNND(x)
      function() index$query(query, k = k, eps = 0, radius = 0)$nn.idx
    },
    # RANN has no call that only builds: one query beside it costs next to nothing.
    RANN = if (isTRUE(work$build)) {
      function() RANN::nn2(x, x[1, , drop = FALSE], k = 1)$nn.idx
    } else {
      function() RANN::nn2(x, k = k + 1)$nn.idx
    },
    FNN = function() FNN::knn.index(x, k = k, algorithm = "brute"),
    KMKNN = bioc(BiocNeighbors::KmknnParam()),
    VPtree = bioc(BiocNeighbors::VptreeParam())
  )
}

# Peers that find a point among its own neighbours gave k + 1: not timed.
recall_of <- function(index, x, work) {
  recall(x, if (ncol(index) > work$k) drop_self(index) else index, work$query)
}

run <- function(name) {
  work <- workloads[[name]]
  set.seed(42)
  x <- work$data()
  if (!is.null(work$queries)) work$query <- matrix(stats::rnorm(work$queries * ncol(x)), work$queries)
  peers <- Filter(function(peer) has(package_of[[peer]]), work$peers)
  sides <- c(list("covertree, 1 thread" = ours(x, work, 1), "covertree, 2 threads" = ours(x, work, 2)),
             sapply(peers, peer, x = x, work = work))
  measured <- interleave(sides)
  m <- if (is.null(work$query)) nrow(x) else nrow(work$query)
  table <- data.frame(
    workload = name, text = work$text, side = names(sides),
    version = vapply(sub(",.*", "", names(sides)), function(side) version_of(package_of[[side]]), ""),
    threads = ifelse(names(sides) == "covertree, 2 threads", 2, 1),
    runs = lengths(measured$times),
    median = vapply(measured$times, stats::median, 0),
    min = vapply(measured$times, min, 0), max = vapply(measured$times, max, 0),
    row.names = NULL
  )
  table$per_second <- if (isTRUE(work$build)) NA else m / table$median
  table$recall <- if (isTRUE(work$build)) NA else
    vapply(measured$results, recall_of, 0, x = x, work = work)
  table$ratio <- table$median / table$median[1]
  print(table[c("workload", "side", "median", "min", "max", "recall", "ratio")], digits = 3)
  table
}

chosen <- if (is.null(bench_only)) names(workloads) else intersect(bench_only, names(workloads))
all <- rbind(do.call(rbind, lapply(chosen, run)), kept("knn", "workload", chosen))
all <- all[order(match(all$workload, names(workloads))), ]

# One line a workload: our seconds, and how many times as long each peer takes.
summarise <- function(name) {
  rows <- all[all$workload == name, ]
  times <- function(side) rows$median[match(side, rows$side)]
  peers <- rows[!startsWith(rows$side, "covertree"), ]
  against <- function(seconds) toString(sprintf("%s %.1fx", peers$side, peers$median / seconds))
  one <- times("covertree, 1 thread")
  two <- times("covertree, 2 threads")
  data.frame(
    workload = rows$text[1],
    `1 thread, s` = signif(one, 3), `peers / 1 thread` = against(one),
    `2 threads, s` = signif(two, 3), `peers / 2 threads` = against(two),
    `queries/s, 2 threads` = if (is.na(rows$per_second[1])) "-" else format(signif(rows$per_second[2], 3), big.mark = ","),
    `recall: ours; peers` = if (is.na(rows$recall[1])) "-" else
      sprintf("%.4f; %s", min(rows$recall[1:2]), toString(sprintf("%.4f", peers$recall))),
    check.names = FALSE
  )
}
write_results("knn", all, do.call(rbind, lapply(unique(all$workload), summarise)))

plot_ratios <- function() {
  open_plot("knn", height = 160 + 70 * nrow(all))
  on.exit(grDevices::dev.off())
  rows <- all[rev(seq_len(nrow(all))), ]
  graphics::par(mar = c(4, 22, 1, 1), las = 1)
  colour <- ifelse(startsWith(rows$side, "covertree"), "#1b7837", "#999999")
  graphics::barplot(rows$median, horiz = TRUE, log = "x", col = colour, border = NA, cex.names = 0.6,
                    names.arg = paste0(rows$workload, ": ", rows$side), xlab = "seconds (median, log scale)",
                    xlim = range(rows$median) * c(0.5, 2))
}
plot_ratios()
