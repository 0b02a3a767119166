# How fast is an exact search, compared with the exact searches of other packages that are
# installed? Total time of building the index and finding the neighbors of every point, from
# R call to R result, unless a workload says otherwise. All sides of a workload run in turn.
#
#   Rscript -e 'source(system.file("benchmarks/knn.R", package = "covertree"))'

source(system.file("benchmarks/common.R", package = "covertree"))

normal <- function(n, d) function() matrix(stats::rnorm(size(n) * d), ncol = d)
uniform <- function(n, d) function() matrix(stats::runif(size(n) * d), ncol = d)
subspace <- function(n, d, inner, noise) function() {
  n <- size(n)
  matrix(stats::rnorm(n * inner), n) %*% matrix(stats::rnorm(inner * d), inner) +
    noise * matrix(stats::rnorm(n * d), n)
}

workloads <- list(
  n32k_d3_k1 = list(data = normal(32768, 3), k = 1, text = "n 32,768, d 3 normal, k 1",
                    peers = c("nanoflann", "nabor")),
  n32k_d3_k3 = list(data = normal(32768, 3), k = 3, text = "n 32,768, d 3 normal, k 3",
                    peers = c("nanoflann", "nabor")),
  n32k_d3_k5 = list(data = normal(32768, 3), k = 5, text = "n 32,768, d 3 normal, k 5",
                    peers = c("nanoflann", "nabor")),
  n32k_d3_k10 = list(data = normal(32768, 3), k = 10, text = "n 32,768, d 3 normal, k 10",
                     peers = c("nanoflann", "nabor", "RANN")),
  n32k_d3_k50 = list(data = normal(32768, 3), k = 50, text = "n 32,768, d 3 normal, k 50",
                     peers = c("nabor", "RANN")),
  n32k_d3_other = list(data = normal(32768, 3), k = 50, queries = 1024,
                       text = "n 32,768, d 3 normal, k 50, 1,024 other queries, index reused", peers = "nabor"),
  n20k_d3_k1000 = list(data = normal(20000, 3), k = 1000, queries = 2000, whole = TRUE,
                       text = "n 20,000, d 3 normal, k 1,000, 2,000 other queries",
                       peers = c("nanoflann", "nabor", "RANN", "dbscan", "VPtree")),
  n20k_d3_k5000 = list(data = normal(20000, 3), k = 5000, queries = 2000, whole = TRUE,
                       text = "n 20,000, d 3 normal, k 5,000, 2,000 other queries",
                       peers = c("nanoflann", "nabor", "VPtree", "Exhaustive")),
  n20k_d8_k1000 = list(data = normal(20000, 8), k = 1000, queries = 2000, whole = TRUE,
                       text = "n 20,000, d 8 normal, k 1,000, 2,000 other queries",
                       peers = c("nanoflann", "nabor", "RANN", "dbscan", "VPtree")),
  n1m_d3_calls = list(data = uniform(1e6, 3), k = 10, queries = 1000, calls = TRUE,
                      text = "n 1,000,000, d 3 uniform, k 10, 1,000 calls with one query each, index reused",
                      peers = "nabor"),
  n1m_d3_k1 = list(data = uniform(1e6, 3), k = 1, text = "n 1,000,000, d 3 uniform, k 1",
                   peers = c("nanoflann", "nabor")),
  n1m_d2 = list(data = uniform(1e6, 2), k = 10, text = "n 1,000,000, d 2 uniform, k 10",
                peers = c("nabor", "RANN")),
  n1m_d3 = list(data = uniform(1e6, 3), k = 10, text = "n 1,000,000, d 3 uniform, k 10",
                peers = c("nabor", "RANN")),
  n100k_d8 = list(data = normal(1e5, 8), k = 10, text = "n 100,000, d 8 normal, k 10",
                  peers = c("nanoflann", "nabor")),
  n50k_d16 = list(data = normal(5e4, 16), k = 10, text = "n 50,000, d 16 normal, k 10",
                  peers = c("FNN", "nabor")),
  n50k_d32 = list(data = normal(5e4, 32), k = 10, text = "n 50,000, d 32 normal, k 10",
                  peers = "FNN"),
  n50k_d64 = list(data = normal(5e4, 64), k = 10, text = "n 50,000, d 64 normal, k 10",
                  peers = "FNN"),
  n50k_sub5 = list(data = subspace(5e4, 64, 5, 0.01), k = 10, reuse = TRUE,
                   text = "n 50,000, d 64, 5-dim subspace + 0.01, k 10, index reused",
                   peers = c("KMKNN", "VPtree")),
  radius_100k_d3 = list(data = uniform(1e5, 3), radius = 0.04,
                        text = "n 100,000, d 3 uniform, all points within 0.04", peers = "dbscan"),
  build_1m_d3 = list(data = uniform(1e6, 3), k = 1, build = TRUE,
                     text = "index alone, n 1,000,000, d 3 uniform", peers = "RANN")
)

# nanoflann is a C++ library of one header (Debian: libnanoflann-dev). Its side is nanoflann.cpp.
has_nanoflann <- any(vapply(workloads, function(work) "nanoflann" %in% work$peers, NA)) &&
  !identical(bench_only, "none") && load_compiled("nanoflann.cpp")

nanoflann <- function(x, k, query = x) .Call("nanoflann_knn", x, query, k)[[1]]

has_peer <- function(name) if (name == "nanoflann") has_nanoflann else has(package_of[[name]])

version_of_side <- function(name) {
  if (name != "nanoflann") return(version_of(package_of[[name]]))
  version <- .Call("nanoflann_version")
  paste(version %/% 256, version %/% 16 %% 16, version %% 16, sep = ".")
}

package_of <- c(nabor = "nabor", RANN = "RANN", FNN = "FNN", dbscan = "dbscan", KMKNN = "BiocNeighbors",
                VPtree = "BiocNeighbors", Exhaustive = "BiocNeighbors", covertree = "covertree")

# Calls `search` for each query alone.
one_by_one <- function(query, search) {
  do.call(rbind, lapply(seq_len(nrow(query)), function(i) search(query[i, , drop = FALSE])))
}

# Returns a function without arguments that does the work once and returns the index of the
# neighbors.
ours <- function(x, work, threads) {
  force(x)
  if (isTRUE(work$build)) return(function() { cover_tree(x, threads = threads); NULL })
  if (!is.null(work$radius)) {
    return(function() radius_query(cover_tree(x, threads = threads), radius = work$radius, threads = threads)$index)
  }
  if (is.null(work$query) && !isTRUE(work$reuse)) {
    return(function() knn_query(cover_tree(x, threads = threads), k = work$k, threads = threads)$index)
  }
  if (isTRUE(work$whole)) {
    return(function() knn_query(cover_tree(x, threads = threads), work$query, k = work$k, threads = threads)$index)
  }
  tree <- cover_tree(x)
  if (isTRUE(work$calls)) {
    search <- function(query) knn_query(tree, query, k = work$k, threads = threads)$index
    return(function() one_by_one(work$query, search))
  }
  function() knn_query(tree, work$query, k = work$k, threads = threads)$index
}

# A peer whose time for other queries includes the index, like ours.
whole_peer <- function(name, x, query, k) {
  bioc <- function(param) function() BiocNeighbors::queryKNN(x, query, k = k, BNPARAM = param)$index
  switch(name,
    nabor = function() nabor::knn(x, query, k = k)$nn.idx,
    RANN = function() RANN::nn2(x, query, k = k)$nn.idx,
    nanoflann = function() nanoflann(x, k, query),
    dbscan = function() dbscan::kNN(x, k = k, query = query)$id,
    VPtree = bioc(BiocNeighbors::VptreeParam()),
    Exhaustive = bioc(BiocNeighbors::ExhaustiveParam())
  )
}

peer <- function(name, x, work) {
  k <- work$k
  query <- work$query
  if (isTRUE(work$whole)) return(whole_peer(name, x, query, k))
  bioc <- function(param) {
    index <- BiocNeighbors::buildIndex(x, BNPARAM = param)
    function() BiocNeighbors::findKNN(BNINDEX = index, k = k)$index
  }
  switch(name,
    nabor = if (is.null(query)) {
      function() nabor::knn(x, k = k + 1)$nn.idx
    } else {
      index <- nabor::WKNND(x)
      search <- function(query) index$query(query, k = k, eps = 0, radius = 0)$nn.idx
      if (isTRUE(work$calls)) function() one_by_one(query, search) else function() search(query)
    },
    # RANN has no function that only builds; a single query adds almost nothing.
    RANN = if (isTRUE(work$build)) {
      function() { RANN::nn2(x, x[1, , drop = FALSE], k = 1); NULL }
    } else {
      function() RANN::nn2(x, k = k + 1)$nn.idx
    },
    nanoflann = function() nanoflann(x, k + 1),
    FNN = function() FNN::knn.index(x, k = k, algorithm = "brute"),
    dbscan = function() dbscan::frNN(x, work$radius)$id,
    KMKNN = bioc(BiocNeighbors::KmknnParam()),
    VPtree = bioc(BiocNeighbors::VptreeParam())
  )
}

# nabor, RANN and nanoflann return k + 1 neighbors, the point among them; removing it is not timed.
measured_recall <- function(index, x, work) {
  if (is.null(index)) return(NA)
  if (!is.null(work$radius)) return(radius_recall(x, index, work$radius))
  recall(x, if (ncol(index) > work$k) drop_self(index) else index, work$query)
}

run <- function(name) {
  work <- workloads[[name]]
  set.seed(42)
  x <- work$data()
  m <- if (is.null(work$queries)) nrow(x) else size(work$queries)
  if (!is.null(work$queries)) {
    draw <- if (isTRUE(work$calls)) stats::runif else stats::rnorm
    work$query <- matrix(draw(m * ncol(x)), m)
  }
  peers <- Filter(function(peer) has_peer(peer), work$peers)
  sides <- c(list("covertree, 1 thread" = ours(x, work, 1), "covertree, 2 threads" = ours(x, work, 2)),
             sapply(peers, peer, x = x, work = work))
  measured <- interleave(sides)
  table <- data.frame(
    workload = name, text = work$text, side = names(sides),
    version = vapply(sub(",.*", "", names(sides)), version_of_side, ""),
    threads = ifelse(names(sides) == "covertree, 2 threads", 2, 1), spread_of(measured$times),
    row.names = NULL
  )
  table$per_second <- if (isTRUE(work$build)) NA else m / table$median
  table$recall <- vapply(measured$results, measured_recall, 0, x = x, work = work)
  table$ratio <- table$median / table$median[1]
  print(table[c("workload", "side", "runs", "median", "min", "max", "recall", "ratio")], digits = 3)
  table
}

all <- renew("knn", "workload", names(workloads), run)

rows_of <- function(name, peers) {
  rows <- all[all$workload == name, ]
  rows[startsWith(rows$side, "covertree") != peers, ]
}
multiple <- function(ratio) sprintf(ifelse(ratio < 1.95, "%.2fx", "%.1fx"), ratio)

# Returns the row of a workload in the first table: covertree.
summarize <- function(name) {
  ours <- rows_of(name, peers = FALSE)
  data.frame(
    workload = ours$text[1], `1 thread, s` = with_spread(ours[1, ]), `2 threads, s` = with_spread(ours[2, ]),
    `speedup by 2 threads` = multiple(ours$median[1] / ours$median[2]),
    `queries/s, 2 threads` = figures(ours$per_second[2]), runs = min(ours$runs), recall = shares(min(ours$recall)),
    check.names = FALSE
  )
}

# Returns the rows of a workload in the second table: one for each other package.
summarize_peers <- function(name) {
  ours <- rows_of(name, peers = FALSE)
  peers <- rows_of(name, peers = TRUE)
  if (nrow(peers) == 0) return(NULL)
  data.frame(
    workload = c(peers$text[1], rep("", nrow(peers) - 1)), package = peers$side, `1 thread, s` = with_spread(peers),
    `relative to covertree, 1 thread` = multiple(peers$median / ours$median[1]),
    `relative to covertree, 2 threads` = multiple(peers$median / ours$median[2]),
    runs = peers$runs, recall = shares(peers$recall), machine = peers$machine, check.names = FALSE
  )
}

names_measured <- unique(all$workload)
write_table("knn", do.call(rbind, lapply(names_measured, summarize)),
            all$machine[match(names_measured, all$workload)])
peers <- do.call(rbind, lapply(names_measured, summarize_peers))
if (!is.null(peers)) write_table("knn_peers", peers[names(peers) != "machine"], peers$machine)

# Plots a line for each workload, with a point for each side.
plot_times <- function() {
  open_plot("knn", height = 150 + 41 * length(names_measured))
  on.exit(close_plot("knn"))
  graphics::par(mar = c(4, 24, 1, 8), las = 1)
  height <- length(names_measured) + 1 - match(all$workload, names_measured)
  sides <- unique(all$side)
  marks <- data.frame(side = sides, pch = c(1, 19, 2:25)[seq_along(sides)],
                      color = ifelse(startsWith(sides, "covertree"), "#1b7837", "#555555"))
  of <- match(all$side, marks$side)
  graphics::plot(all$median, height, log = "x", pch = marks$pch[of], col = marks$color[of], yaxt = "n", ylab = "",
                 xaxt = "n", xlab = "seconds (median, log scale)", ylim = c(0.5, length(names_measured) + 0.5),
                 panel.first = graphics::abline(h = seq_along(names_measured), col = "#eeeeee"))
  at <- 10^(-3:3)
  graphics::axis(1, at, format(at, drop0trailing = TRUE, scientific = FALSE, trim = TRUE))
  labels <- sub(", (1,000 calls)", ",\n\\1", all$text[match(names_measured, all$workload)])
  graphics::axis(2, rev(seq_along(names_measured)), labels, tick = FALSE, cex.axis = 0.8)
  edge <- graphics::par("usr")
  graphics::legend(10^edge[2], edge[4], marks$side, pch = marks$pch, col = marks$color, bty = "n", cex = 0.8, xpd = NA)
}
plot_times()
