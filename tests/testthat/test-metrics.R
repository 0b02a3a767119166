# Searches by every metric against plain R: a matrix of all distances from the definition.

by_manhattan <- function(x, q) gaps(x, q, `+`)
by_maximum <- function(x, q) gaps(x, q, pmax)
by_minkowski <- function(p) function(x, q) gaps(x, q, function(sum, gap) sum + gap^p)^(1 / p)

unit <- function(x) {
  x <- x / apply(abs(x), 1, max)
  x / sqrt(rowSums(x^2))
}

# By chords: 1 - cos without cancellation.
by_cosine <- function(x, q) gaps(unit(x), unit(q), function(sum, gap) sum + gap^2) / 2

by_angle <- function(x, q) {
  x <- unit(x)
  q <- unit(q)
  minus <- gaps(x, q, function(sum, gap) sum + gap^2)
  plus <- gaps(-x, q, function(sum, gap) sum + gap^2)
  2 * atan2(sqrt(minus), sqrt(plus))
}

by_mahalanobis <- function(cov) function(x, q) {
  t(apply(q, 1, function(point) sqrt(pmax(stats::mahalanobis(x, point, cov), 0))))
}

test_that("Manhattan and maximum distance are those of R to the bit", {
  for (name in names(clouds)) {
    x <- plain_matrix(clouds[[name]]())
    query <- queries_for(x)
    for (metric in c("manhattan", "maximum")) {
      definition <- if (metric == "manhattan") by_manhattan else by_maximum
      expect_metric(x, metric, definition, paste(name, metric), tolerance = 0)
      k <- min(5, nrow(x))
      found <- knn_query(cover_tree(x, metric), query, k = k)
      all <- definition(x, query)
      index <- apply(all, 1, function(row) order(row, seq_along(row))[seq_len(k)])
      expect_identical(found$index, matrix(index, nrow(query), byrow = TRUE), label = paste(name, metric))
    }
  }
})

test_that("Minkowski distances lie between bounds that lose nothing", {
  for (name in c("uniform", "grid", "duplicates", "clustered", "hundred_columns", "quantized", "one_point")) {
    x <- plain_matrix(clouds[[name]]())
    for (p in c(1.2, 3, 12)) expect_metric(x, metric_minkowski(p), by_minkowski(p), paste(name, p))
  }
  x <- uniform_points(300, 3)
  expect_identical(knn_query(cover_tree(x, metric_minkowski(1)), k = 3)$distance,
                   knn_query(cover_tree(x, "manhattan"), k = 3)$distance)
  expect_identical(knn_query(cover_tree(x, metric_minkowski(2)), k = 3)$distance,
                   knn_query(cover_tree(x), k = 3)$distance)
  expect_identical(knn_query(cover_tree(x, metric_minkowski(Inf)), k = 3)$distance,
                   knn_query(cover_tree(x, "chebyshev"), k = 3)$distance)
})

test_that("cosine and angle are those of the directions", {
  for (name in setdiff(names(clouds), c("two_points", "integers", "quantized", "grid"))) {
    x <- plain_matrix(clouds[[name]]())
    query <- queries_for(x)
    query <- query[rowSums(query^2) > 0 | rowSums(abs(query)) > 0, , drop = FALSE]
    expect_metric(x, "cosine", by_cosine, paste(name, "cosine"), 1e-9, query)
    expect_metric(x, "angular", by_angle, paste(name, "angular"), 1e-9, query)
  }
  x <- with_seed(40, matrix(rnorm(900), 300, 3))
  right <- 1 - tcrossprod(unit(x))
  found <- knn_query(cover_tree(x, "cosine"), k = 4)
  expect_equal(found$distance, matrix(right[cbind(c(row(found$index)), c(found$index))], 300),
               tolerance = 1e-9)
})

test_that("scaled and Mahalanobis distances are Euclidean or another after a transformation", {
  x <- with_seed(41, matrix(rnorm(600), 200, 3) %*% matrix(c(2, 1, 0, 0, 1, 3, 0, 0, 0.1), 3))
  scale <- c(0.5, 10, 3)
  expect_same_knn(knn_query(cover_tree(x, metric_scaled("euclidean", scale)), k = 5),
                  knn_query(cover_tree(x / rep(scale, each = 200)), k = 5))
  expect_metric(x, metric_scaled("manhattan", scale), function(x, q) {
    by_manhattan(x / rep(scale, each = nrow(x)), q / rep(scale, each = nrow(q)))
  }, "scaled Manhattan", 0)
  expect_metric(x, metric_scaled("cosine", scale), function(x, q) {
    by_cosine(x / rep(scale, each = nrow(x)), q / rep(scale, each = nrow(q)))
  }, "scaled cosine")
  expect_metric(x, metric_mahalanobis(stats::cov(x)), by_mahalanobis(stats::cov(x)), "Mahalanobis")
  colnames(x) <- c("a", "b", "c")
  expect_identical(knn_query(cover_tree(x, metric_scaled("maximum", c(c = 3, a = 0.5, b = 10))), k = 3),
                   knn_query(cover_tree(x, metric_scaled("maximum", scale)), k = 3))
  # Columns of cbind(a, x[, 2:3]): names that some columns lack are no names to match by.
  colnames(x) <- c("a", "", "")
  expect_identical(knn_query(cover_tree(x, metric_scaled("maximum", apply(x, 2, max))), k = 3),
                   knn_query(cover_tree(unname(x), metric_scaled("maximum", unname(apply(x, 2, max)))), k = 3))
})

# By definition; `x` determines the ranges.
by_gower <- function(weights) function(x, q) {
  sum <- 0
  for (j in seq_along(x)) {
    if (is.factor(x[[j]]) && !is.ordered(x[[j]])) {
      gap <- 1 * outer(as.character(q[[j]]), as.character(x[[j]]), `!=`)
    } else {
      value <- as.numeric(x[[j]])
      width <- if (is.logical(x[[j]])) 1 else diff(range(value))
      gap <- abs(outer(as.numeric(q[[j]]), value, `-`)) / if (width > 0) width else Inf
    }
    sum <- sum + weights[j] * gap
  }
  sum / sum(weights)
}

test_that("Gower distances are those of the definition and of daisy()", {
  x <- mixed(250, 45)
  query <- mixed(40, 46)
  weights <- c(1, 2, 0.5, 3, 1, 1, 0, 2)
  expect_metric(x, metric_gower(), by_gower(rep(1, 8)), "Gower", 1e-9, query)
  expect_metric(x, metric_gower(weights), by_gower(weights), "weighted Gower", 1e-9, query)
  named <- stats::setNames(weights, names(x))
  expect_identical(knn_query(cover_tree(x, metric_gower(rev(named))), query, k = 3),
                   knn_query(cover_tree(x, metric_gower(weights)), query, k = 3))
  turned <- suppressMessages(knn_query(cover_tree(x, metric_gower()), rev(query), k = 3))
  expect_identical(turned, knn_query(cover_tree(x, metric_gower()), query, k = 3))
  skip_if_not_installed("cluster")
  right <- as.matrix(cluster::daisy(transform(x, flag = factor(flag)), metric = "gower",
                                    weights = weights, warnConst = FALSE))
  found <- knn_query(cover_tree(x, metric_gower(weights)), k = 6)
  expect_equal(found$distance, matrix(right[cbind(c(row(found$index)), c(found$index))], 250),
               tolerance = 1e-12)
})

test_that("a covariance matrix may have any scales but no dependent columns", {
  expect_s3_class(metric_mahalanobis(diag(c(1e-30, 1, 1e30))), "covertree_metric")
  correlated <- matrix(1 - 1e-13, 2, 2)
  diag(correlated) <- 1
  expect_s3_class(metric_mahalanobis(correlated), "covertree_metric")
  for (d in 2:6) for (seed in 1:10) {
    x <- with_seed(seed, matrix(rnorm(30 * d), 30) %*% diag(10^runif(d, -3, 3)))
    expect_error(metric_mahalanobis(stats::cov(cbind(x, rowSums(x)))), "positive definite")
  }
})

test_that("approximate searches serve every metric", {
  x <- with_seed(47, matrix(rnorm(9000), 3000, 3))
  for (metric in list("manhattan", "maximum", "cosine", metric_minkowski(3), metric_great_circle())) {
    points <- if (is.list(metric) && metric$kind == "great_circle") places(3000, 48) else x
    tree <- cover_tree(points, metric)
    exact <- knn_query(tree, k = 5)
    expect_same_knn(knn_query(tree, k = 5, recall = 0.9), exact, "recall")
    for (found in list(knn_query(tree, k = 5, epsilon = 0.2), knn_query(tree, k = 5, budget = 100))) {
      expect_false(attr(found, "exact"))
      expect_possible(found, exact, "approximate")
      expect_gt(recall_of(tree, found)$estimate, 0.8)
    }
    near <- knn_query(tree, k = 5, epsilon = 0.2)
    expect_true(all(near$distance <= 1.2 * exact$distance * (1 + 1e-12)))
  }
})

test_that("Vecchia neighbors take a metric", {
  x <- places(400, 49)
  near <- vecchia_neighbors(x, m = 5, metric = metric_great_circle())
  expect_nearest(list(index = near$NNarray[, -1], distance = near$distance),
                 by_great_circle(6371.0088)(x[near$order, ], x[near$order, ]), "Vecchia", 1e-6,
                 predecessor = TRUE)
  frame <- mixed(100, 50)
  by_columns <- vecchia_neighbors(frame, m = 5, metric = metric_gower())
  expect_nearest(list(index = by_columns$NNarray[, -1], distance = by_columns$distance),
                 by_gower(rep(1, 8))(frame[by_columns$order, ], frame[by_columns$order, ]), "Gower", 1e-9,
                 predecessor = TRUE)
  coordinates <- tree_arrays(cover_tree(frame, metric_gower()))
  expect_identical(by_columns$order, order_maximin(coordinates$points[order(coordinates$row), ]))
  chord <- vecchia_neighbors(x, m = 5, lonlat = TRUE)
  expect_identical(chord$order, near$order)
  expect_equal(2 * 6371.0088 * asin(chord$distance / 2), near$distance, tolerance = 1e-7)
})

test_that("a tree tells its metric and gives back its points", {
  x <- places(100, 50)
  tree <- cover_tree(x, metric_great_circle())
  expect_identical(as.matrix(tree), x)
  expect_identical(dim(tree), dim(x))
  expect_identical(dimnames(tree), dimnames(x))
  expect_identical(length(tree), 100L)
  expect_identical(as.matrix(cover_tree(x, "maximum")), x)
  frame <- mixed(30, 51)
  expect_identical(dim(cover_tree(frame, metric_gower())), dim(frame))
  expect_identical(summary(tree)$metric, metric_great_circle())
  expect_true(all.equal(tree, cover_tree(x, metric_great_circle(), threads = 1)))
  expect_match(all.equal(cover_tree(x, "maximum"), cover_tree(x, "manhattan")), "metric", all = FALSE)
  metrics <- list("manhattan", "chebyshev", "cosine", "angular", metric_great_circle(),
                  metric_great_circle(1, "radius"), metric_scaled("cosine", c(1, 2)),
                  metric_mahalanobis(diag(2)), metric_minkowski(3), metric_gower(c(1, 3)))
  expect_snapshot(for (metric in metrics[-(1:4)]) print(metric))
  expect_snapshot(for (metric in metrics) print(cover_tree(x, metric)))
})

test_that("what is not a metric, or not for its points, is refused", {
  x <- places(20, 52)
  frame <- mixed(20, 53)
  gower <- cover_tree(frame, metric_gower())
  expect_complaints(
    cover_tree(x, "manhatan"), cover_tree(x, metric = 1), cover_tree(x, c("manhattan", "maximum")),
    cover_tree(x, NA), cover_tree(x, list(kind = "manhattan")), cover_tree(x, structure(1, class = "covertree_metric")),
    cover_tree(rbind(x, NA), "manhattan"), cover_tree(rbind(x, NaN), metric_mahalanobis(diag(2))),
    cover_tree(rbind(x, Inf), metric_great_circle()), cover_tree(rbind(x, NA), metric_minkowski(3)),
    metric_minkowski(0.5), metric_minkowski(NA), metric_minkowski("2"), metric_minkowski(1:2), metric_minkowski(),
    metric_scaled("manhattan", Inf), metric_scaled("manhattan", NA), metric_scaled("manhattan", numeric()),
    metric_scaled(scale = 1), metric_scaled("nothing", 1), metric_scaled(metric_function(adist), 1),
    metric_mahalanobis(matrix(c(1, NA, NA, 1), 2)), metric_mahalanobis(matrix(0, 2, 2)),
    metric_mahalanobis(matrix(1, 2, 3)), metric_great_circle(radius = Inf), metric_great_circle(1, unit = NULL),
    metric_gower("a"), metric_gower(c(1, NA)), cover_tree(frame, metric_gower(c(size = 1, b = 2))),
    cover_tree(data.frame(a = as.Date("2020-01-01")), metric_gower()),
    knn_query(gower, transform(frame, color = "red")), knn_query(gower, transform(frame, size = NA)),
    knn_query(gower, 1:8), knn_query(cover_tree(x, "cosine"), cbind(NA, 0)),
    knn_query(cover_tree(x, metric_great_circle()), cbind(lon = 1, lat = 91)),
    knn_query(cover_tree(x, metric_great_circle()), cbind(a = 1, b = 2)),
    metric_scaled("euclidean", 0), metric_scaled("euclidean", c(1, -2)), metric_scaled("euclidean"),
    metric_scaled(metric_gower(), 1), cover_tree(x, metric_scaled("manhattan", 1:3)),
    cover_tree(x, metric_scaled("manhattan", c(a = 1, b = 2))),
    metric_mahalanobis(1:3), metric_mahalanobis(matrix(c(1, 2, 2, 1), 2)),
    metric_mahalanobis(matrix(c(1, 3, 3, 9 + 8e-15), 2)),
    metric_mahalanobis(matrix(c(1, 0, 1, 1), 2)), cover_tree(x, metric_mahalanobis(diag(3))),
    metric_great_circle(0), metric_great_circle(unit = "mile"), metric_great_circle(scale = -1),
    cover_tree(unname(x[, 2:1]), metric_great_circle()),
    cover_tree(x[, 1, drop = FALSE], metric_great_circle()),
    cover_tree(cbind(x[, 1], 91), metric_great_circle()), cover_tree(rbind(x, 0), "cosine"),
    knn_query(cover_tree(x, "angular"), matrix(0, 1, 2)),
    cover_tree(1e153 * x, "manhattan"), cover_tree(x, metric_scaled("manhattan", 1e-306)),
    metric_gower(-1), metric_gower(c(0, 0)), cover_tree(frame, metric_gower(1:2)),
    cover_tree(transform(frame, size = NA), metric_gower()), cover_tree(letters, metric_gower()),
    cover_tree(data.frame(a = letters), metric_gower()), cover_tree(frame, "manhattan"),
    knn_query(gower, transform(frame, color = factor("pink"))), knn_query(gower, frame[-1]),
    knn_query(gower, transform(frame, size = factor("a"))), knn_query(gower, x),
    vecchia_neighbors(x, 3, metric = "cosine", lonlat = TRUE),
    update_metric(gower, metric_gower())
  )
})

test_that("a damaged metric of a saved tree is refused", {
  tree <- cover_tree(places(50, 54), metric_great_circle())
  space <- unclass(tree)$space
  change <- function(part, value) {
    space[part] <- list(value)
    with_part(tree, "space", space)
  }
  code <- space$code
  code$radius <- 2
  expect_complaints(
    knn_query(change("code", code)), knn_query(change("metric", metric_great_circle(1))),
    knn_query(change("x", NULL)), radius_query(change("seal", NULL), radius = 1),
    knn_query(with_part(tree, "space", list())), knn_query(with_part(tree, "metric", list()))
  )
  x <- places(50, 54)
  other <- function(x, metric) with_part(tree, "space", unclass(cover_tree(x, metric))$space)
  expect_complaints(
    knn_query(other(x, "cosine")), knn_query(other(x, "manhattan"), x), dim(other(x[-1, ], "cosine")),
    radius_query(other(places(50, 55), metric_great_circle()), radius = 1),
    knn_query(other(as.data.frame(x), metric_gower(na = "scan"))), update_metric(tree, "cosine"),
    tree$metric <- "cosine"
  )
})

test_that("an edited metric is checked again", {
  x <- places(20, 55)
  edit <- function(metric, ...) utils::modifyList(metric, list(...))
  sphere <- metric_great_circle()
  scaled <- metric_scaled("manhattan", 2)
  expect_complaints(
    cover_tree(x, edit(sphere, radius = -1)), cover_tree(x, edit(sphere, kind = "plane")),
    cover_tree(x, edit(sphere, scale = 0)), cover_tree(x, edit(sphere, more = 1)),
    cover_tree(x, edit(sphere, unit = NULL)), cover_tree(x, edit(scaled, inner = "gower")),
    cover_tree(x, edit(metric_minkowski(3), exponent = 0)),
    cover_tree(x, edit(metric_mahalanobis(diag(2)), cov = diag(c(1, -1)))),
    cover_tree(x, edit(metric_gower(), weights = c(-1, 1))),
    vecchia_neighbors(x, 2, metric = edit(sphere, radius = NA))
  )
  cov <- matrix(c(2, 1, 1, 3), 2)
  edited <- cover_tree(x, edit(metric_mahalanobis(diag(2)), cov = cov))
  expect_true(all.equal(edited, cover_tree(x, metric_mahalanobis(cov))))
  for (metric in list(sphere, scaled, metric_minkowski(3), metric_gower(1:2), metric_mahalanobis(cov),
                      metric_scaled(metric_minkowski(2), 1:2))) {
    expect_identical(check_metric(metric), metric)
  }
})
