# Hashes of the results of a fixed set of cases, as fingerprint.txt records them
# (tools/fingerprint.R writes it). The data come from R's uniform random numbers and
# IEEE arithmetic only, so they are the same on every processor.

# Returns the MD5 sum of the values alone, without names, classes and attributes.
hash_values <- function(...) {
  file <- tempfile()
  on.exit(unlink(file))
  connection <- file(file, "wb")
  lapply(flatten_values(list(...)), writeBin, con = connection, endian = "little")
  close(connection)
  unname(tools::md5sum(file))
}

flatten_values <- function(value) {
  if (is.list(value)) return(do.call(c, c(lapply(unname(value), flatten_values), list(list()))))
  if (is.null(value)) return(list())
  if (is.logical(value)) value <- as.integer(value)
  list(as.vector(value))
}

# Sums of uniform numbers have nearly a normal distribution, and need no library function.
fingerprint_data <- function(n, d, seed, kind = "normal") {
  with_seed(seed, switch(kind,
    uniform = matrix(runif(n * d), n, d),
    normal = matrix(rowSums(matrix(runif(12 * n * d), n * d, 12)) - 6, n, d),
    clusters = matrix(seq_len(n * d) %% 7, n, d) + 0.01 * matrix(runif(n * d), n, d),
    grid = as.matrix(expand.grid(rep(list(0:12), d)))[seq_len(n), , drop = FALSE] / 4,
    duplicates = matrix(runif(20 * d), 20, d)[rep_len(1:20, n), , drop = FALSE]
  ))
}

euclidean_fingerprint <- function(x, query, threads) {
  tree <- cover_tree(x, threads = threads)
  natural <- cover_tree(x, layout = "natural", leaf_size = 20, threads = threads)
  knn <- function(...) {
    found <- knn_query(tree, threads = threads, ...)
    list(found$index, found$distance, attr(found, "recall"), attr(found, "evaluations"))
  }
  arrays <- c("points", "row", "parent", "first_child", "next_sibling", "subtree_begin",
              "subtree_end", "level", "min_row", "radius", "lower", "upper")
  center <- function(arrays) arrays[[grep("^(center|center)$", names(arrays))]]
  both <- lapply(list(tree, natural), tree_arrays)
  width <- max(apply(x, 2, max) - apply(x, 2, min))
  within <- function(...) radius_query(tree, radius = width / 8, threads = threads, ...)
  radius <- lapply(list(within(), within(query = query)), function(r) r[c("index", "distance", "count")])
  list(
    tree = lapply(both, function(a) list(a[arrays], center(a))),
    hilbert = hilbert_order(x, threads = threads),
    maximin = order_maximin(x, threads = threads),
    middleout = order_middleout(x), coordinate = order_coordinate(x),
    knn = list(knn(k = 1), knn(k = 10), knn(query = query, k = 40), knn(k = nrow(x) + 2, control = list(search = "tree"))),
    scan = list(knn(k = 10, control = list(search = "scan")), knn(query = query, k = 40, control = list(search = "scan"))),
    predecessor = knn(k = 12, predecessor = TRUE),
    epsilon = list(knn(k = 5, epsilon = 0.5), knn(query = query, k = 5, epsilon = 2)),
    budget = list(knn(k = 8, budget = c(40, 160)), knn(query = query, k = 8, budget = 60),
                  knn(k = 8, budget = budget(c(40, 160), diversity = FALSE)),
                  knn(k = 8, budget = 50, predecessor = TRUE)),
    recall = knn(k = 5, recall = 0.9),
    exclusion = list(knn(k = 7, self = TRUE), knn(k = 7, before = (row(x)[, 1] * 7L) %% 13L, window = 2),
                     knn(k = 7, exclude = floor(3 * x[, 1] / width)),
                     within(before = x[, 1], exclude = seq_len(nrow(x)) %% 5)[c("index", "distance", "count")]),
    radius = radius
  )
}

# All own points of many dimensions, as queries of a scan that multiplies each pair of points once.
products_fingerprint <- function(threads, ...) {
  tree <- cover_tree(fingerprint_data(2100, 20, 9), threads = threads)
  knn <- function(k) knn_query(tree, k = k, threads = threads, control = knn_control(search = "scan", ...))
  lapply(c(one = 1, ten = 10, most = 32), knn)
}

# Metrics whose coordinates need IEEE operations only.
metrics_fingerprint <- function(threads) {
  x <- fingerprint_data(1500, 3, 21)
  query <- fingerprint_data(60, 3, 22)
  frame <- function(x) {
    level <- function(values, of) factor(of[1 + floor(abs(values)) %% length(of)], levels = of)
    data.frame(a = x[, 1], b = level(x[, 2], c("u", "v", "w")), c = x[, 3] > 0)
  }
  knn <- function(metric, x, query) {
    tree <- cover_tree(x, metric, threads = threads)
    lapply(list(knn_query(tree, k = 10, threads = threads),
                knn_query(tree, query, k = 20, threads = threads),
                knn_query(tree, k = 5, epsilon = 0.5, threads = threads),
                radius_query(tree, query, radius = 0.05, threads = threads)), unclass)
  }
  c(lapply(c(manhattan = "manhattan", maximum = "maximum", cosine = "cosine", angular = "angular"),
           knn, x, query),
    list(gower = knn(metric_gower(c(1, 2, 0.5)), frame(x), frame(query)),
         scaled = knn(metric_scaled("manhattan", c(1, 3, 0.5)), x, query)))
}

residual_fingerprint <- function(x, metric, threads, query = NULL) {
  tree <- cover_tree(x, metric = metric, threads = threads)
  knn <- function(...) {
    found <- knn_query(tree, threads = threads, ...)
    list(found$index, found$distance, attr(found, "recall"), attr(found, "evaluations"))
  }
  list(exact = list(knn(k = 10), knn(k = 10, predecessor = TRUE),
                    if (!is.null(query)) knn(query = query, k = 10)),
       approximate = list(knn(k = 10, recall = 0.95), knn(k = 10, recall = 0.9, predecessor = TRUE)),
       budget = knn(k = 10, budget = c(50, 200)))
}

# Factors v and p without a covariance function behind them.
plain_factors <- function(n, m, seed) {
  v <- fingerprint_data(n, m, seed)
  p <- with_seed(seed + 1, 0.01 + 0.99 * runif(n))
  sum <- 0
  for (j in seq_len(m)) sum <- sum + v[, j] * v[, j]
  list(v = v * sqrt((1 - p) / sum), p = p)
}

fingerprint_hashes <- function(threads = 1) {
  euclidean <- list(
    uniform_2 = fingerprint_data(2500, 2, 1, "uniform"), normal_3 = fingerprint_data(2200, 3, 2),
    normal_9 = fingerprint_data(1700, 9, 3), normal_30 = fingerprint_data(900, 30, 4),
    clusters_3 = fingerprint_data(1800, 3, 5, "clusters"), grid_3 = fingerprint_data(1600, 3, 6, "grid"),
    duplicates_2 = fingerprint_data(600, 2, 7, "duplicates"), line_1 = fingerprint_data(700, 1, 8)
  )
  results <- lapply(euclidean, function(x) {
    rows <- unique(round(seq(1, nrow(x), length.out = 150)))
    query <- (x[rows, , drop = FALSE] + x[rev(rows), , drop = FALSE]) / 2
    euclidean_fingerprint(x, query, threads)
  })
  x <- fingerprint_data(1900, 2, 11, "uniform")
  kernels <- list(rbf = kernel_rbf, exponential = kernel_exponential, matern32 = kernel_matern32,
                  matern52 = kernel_matern52)
  factors <- plain_factors(nrow(x), 30, 12)
  for (kind in names(kernels)) {
    kernel <- kernels[[kind]](2, 0.1)
    metric <- residual_correlation(kernel, v = sqrt(2) * factors$v, p = 2 * factors$p)
    results[[paste0("factors_", kind)]] <- residual_fingerprint(x, metric, threads)
    metric <- residual_correlation(kernel, inducing = 40)
    results[[paste0("inducing_", kind)]] <-
      residual_fingerprint(x, metric, threads, fingerprint_data(80, 2, 13, "uniform"))
  }
  near <- vecchia_neighbors(x, m = 10, threads = threads)
  results$vecchia <- list(euclidean = near[c("order", "NNarray", "distance")])
  results$products <- lapply(products_fingerprint(threads), unclass)
  results$metric <- metrics_fingerprint(threads)
  unlist(lapply(results, lapply, hash_values))
}
