# Neighbors by residual correlation, against dense matrices in plain R.

# Small sets: more threads, where no test asks for them, would only wait for each other.
threads_before <- covertree_threads(1)

# Clusters, doubles and a few points in between.
residual_points <- function(n, d, seed) {
  with_seed(seed, {
    x <- matrix(runif(n * d), n, d)
    x[sample(n, n %/% 10), ] <- x[sample(n, n %/% 10), ]
    x
  })
}

# Of every kind, with the inducing points in all forms they come in.
residual_cases <- function(kind, x, lengthscale) {
  d <- ncol(x)
  own <- x[c(1, 5, 9, 14, 14, 1), , drop = FALSE]
  elsewhere <- uniform_points(12, d, seed = 51) * 1.2 - 0.1
  chosen <- oracle_inducing(x, lengthscale, 15)
  list(
    none = residual_case(kind, lengthscale),
    none_nugget = residual_case(kind, lengthscale, nugget = 0.2, given = 0),
    number = residual_case(kind, lengthscale, chosen, nugget = 0.05, given = 15),
    number_bare = residual_case(kind, lengthscale, chosen, variance = 2.5, given = 15),
    elsewhere = residual_case(kind, lengthscale, elsewhere, variance = 0.3),
    frame = residual_case(kind, lengthscale, elsewhere, nugget = 1, given = as.data.frame(elsewhere)),
    twice = residual_case(kind, lengthscale, own, nugget = 0.1),
    inside = residual_case(kind, lengthscale, own, jitter = 1e-4),
    one = residual_case(kind, lengthscale, own[1, , drop = FALSE], jitter = 0)
  )
}

expect_residual_answers <- function(case, x, foreign, k, label) {
  tree <- cover_tree(x, metric = metric_of(case))
  points <- oracle_latent(case, x)
  among <- oracle_residual(case, points, points)
  others <- oracle_latent(case, foreign)
  # The rounding of v.v is divided by p.
  least <- min(points$p[points$p > 0], others$p[others$p > 0], Inf) / case$variance
  tolerance <- 1e-10 * max(1, 1e-3 / least)
  for (predecessor in c(FALSE, TRUE)) {
    knn <- knn_query(tree, k = k, predecessor = predecessor)
    expect_residual_knn(knn, oracle_among(among, predecessor), paste(label, predecessor), tolerance)
    expect_true(attr(knn, "exact"))
  }
  expect_residual_knn(knn_query(tree, foreign, k = k), oracle_residual(case, others, points),
                      paste(label, "foreign"), tolerance)
  tree
}

for (kind in names(our_kernels)) {
  test_that(paste("the neighbors are those of the definition, with the kernel", kind), {
    for (d in c(1, 2, 4)) {
      x <- residual_points(90, d, seed = 52 + d)
      foreign <- rbind(uniform_points(20, d, seed = 53), x[c(1, 14, 30), , drop = FALSE])
      for (lengthscale in list(0.02 * 3^d^0.8, 0.02 * 3^d^0.8 * seq(0.7, 1.2, length.out = d))) {
        cases <- residual_cases(kind, x, lengthscale)
        for (name in names(cases)) {
          label <- paste(kind, d, length(lengthscale), name)
          expect_residual_answers(cases[[name]], x, foreign, 7, label)
        }
      }
    }
  })
}

test_that("many points have the neighbors of the definition", {
  x <- uniform_points(1500, 2, seed = 61)
  case <- residual_case("matern32", c(0.1, 0.2), oracle_inducing(x, c(0.1, 0.2), 60), nugget = 0.01,
                        given = 60)
  expect_residual_answers(case, x, uniform_points(70, 2, seed = 62), 30, "many")
  x <- with_seed(63, matrix(rnorm(1000 * 3), 1000))
  case <- residual_case("matern52", 1, x[1:100, ], nugget = 0.1)
  expect_residual_answers(case, x, x[1:20, ] + 0.1, 1100, "all")
})

test_that("every cloud has neighbors, and none at NaN", {
  # In two of them it is undecided whether anything is left of the variance.
  for (name in setdiff(names(clouds), c("huge", "tiny", "clustered", "far_away"))) {
    x <- plain_matrix(clouds[[name]]())
    for (kind in c("rbf", "exponential")) for (nugget in c(0, 0.1)) {
      inducing <- x[unique(c(1, nrow(x))), , drop = FALSE]
      case <- residual_case(kind, 0.7, inducing, nugget = nugget)
      label <- paste(name, kind, nugget)
      expect_residual_answers(case, x, x[rep_len(seq_len(nrow(x)), 5), , drop = FALSE], 9, label)
    }
  }
})

test_that("residual variances near the jitter lose digits, but nothing else", {
  x <- uniform_points(400, 2, seed = 64)
  for (kind in c("rbf", "matern52")) {
    lengthscale <- if (kind == "rbf") 0.3 else 1
    case <- residual_case(kind, lengthscale, oracle_inducing(x, lengthscale, 60), given = 60)
    points <- oracle_latent(case, x)
    expect_lt(min(points$p), 1e-5)
    # p and v.v are off by about 1e-11, which rho divides by p: the distance of those at
    # 1e-6 is off by 1e-5, and by its root where it is near 0. Who has no residual at
    # all may be undecided.
    tree <- cover_tree(x, metric = metric_of(case))
    knn <- knn_query(tree, k = 399)
    expect_false(anyNA(knn$distance))
    expect_true(all(knn$distance >= 0 & knn$distance <= 1))
    clear <- which(points$p > 2 * case$jitter)
    expect_gt(length(clear), 50)
    right <- oracle_among(oracle_residual(case, points, points), FALSE)
    off <- matrix(0, 400, 400)
    off[cbind(c(row(knn$index)), c(knn$index))] <- c(knn$distance)
    diag(off) <- Inf
    off <- (off - right)[clear, clear]
    expect_lt(max(abs(off), na.rm = TRUE), 5e-3)
    expect_lt(stats::median(abs(off), na.rm = TRUE), 1e-6)
  }
})

test_that("duplicates are neighbors like others, at distance 0 without a nugget", {
  x <- uniform_points(60, 2, seed = 67)[rep(1:60, 5), ]
  inducing <- uniform_points(8, 2, seed = 68)
  bare <- cover_tree(x, metric = residual_correlation(kernel_matern32(lengthscale = 0.3), inducing))
  knn <- knn_query(bare, k = 4)
  same <- outer(1:300, 1:300, function(i, j) (i - j) %% 60 == 0)
  expect_true(all(same[cbind(c(row(knn$index)), c(knn$index))]))
  expect_lt(max(knn$distance), 1e-6)
  noisy <- cover_tree(x, metric = residual_correlation(kernel_matern32(lengthscale = 0.3), inducing,
                                                       nugget = 0.5))
  case <- residual_case("matern32", 0.3, inducing, nugget = 0.5)
  points <- oracle_latent(case, x)
  knn <- knn_query(noisy, k = 299)
  expect_residual_knn(knn, oracle_among(oracle_residual(case, points, points), FALSE), "noisy")
  of_same <- matrix(same[cbind(c(row(knn$index)), c(knn$index))], 300)
  expect_identical(rowSums(of_same), rep(4, 300))
  expect_equal(knn$distance[of_same], sqrt(0.5 / points$p)[row(of_same)[of_same]], tolerance = 1e-10)
})

test_that("duplicates with a tiny residual variance are at distance 0, up to one rounding", {
  inducing <- uniform_points(40, 2, seed = 86)
  x <- rbind(inducing, inducing + 1e-3, inducing + 1e-3)
  for (kernel in list(kernel_matern32, kernel_matern52)) {
    metric <- residual_correlation(kernel(lengthscale = 1), inducing, jitter = 1e-9)
    tree <- cover_tree(x, metric = metric)
    p <- tree$metric$code$points$p[41:120]
    expect_gt(sum(p > 0 & p < 1e-5), 40)
    expect_lt(max(knn_query(tree, k = 1)$distance[41:120][p > 0]), 1e-7)
  }
})

test_that("own factors V and p are taken as they are", {
  x <- residual_points(250, 3, seed = 69)
  for (columns in c(1, 3, 8, 17)) {
    case <- residual_case("matern52", c(0.5, 0.6, 0.7), uniform_points(columns, 3, seed = 70))
    points <- oracle_latent(case, x)
    points$v <- with_seed(71, points$v + matrix(rnorm(length(points$v)), nrow(x)) / 20)
    points$p <- with_seed(72, replace(runif(nrow(x), 0.5, 2), c(4, 90), 0))
    kernel <- kernel_matern52(lengthscale = c(0.5, 0.6, 0.7))
    tree <- cover_tree(x, metric = residual_correlation(kernel, v = points$v, p = points$p))
    among <- oracle_residual(case, points, points)
    for (predecessor in c(FALSE, TRUE)) {
      knn <- knn_query(tree, k = 12, predecessor = predecessor)
      expect_residual_knn(knn, oracle_among(among, predecessor), paste("own", columns, predecessor))
    }
    kept <- cover_tree(x, metric = residual_correlation(kernel, v = as.data.frame(points$v), p = points$p))
    expect_identical(knn_query(kept, k = 12, predecessor = TRUE), knn)
    near <- vecchia_neighbors(x, 12, metric = residual_correlation(kernel, v = points$v, p = points$p),
                              recall = 1)
    again <- list(z = points$z[near$order, ], v = points$v[near$order, , drop = FALSE],
                  p = points$p[near$order])
    among <- oracle_among(oracle_residual(case, again, again), TRUE)
    expect_residual_knn(list(index = near$NNarray[, -1], distance = near$distance), among, "ordered")
  }
})

test_that("small and large residual variances of one's own do not break it", {
  x <- uniform_points(80, 2, seed = 73)
  v <- with_seed(74, matrix(rnorm(240), 80))
  for (p in list(5e-324, 1e-300, 1e-20, 1e300, 10^seq(-320, 300, length.out = 80))) {
    tree <- cover_tree(x, metric = residual_correlation(kernel_rbf(), v = v, p = rep_len(p, 80)))
    for (recall in c(1, 0.9)) {
      knn <- knn_query(tree, k = 80, recall = recall)
      expect_true(all(knn$distance[, -80] >= 0 & knn$distance[, -80] <= 1))
      expect_identical(t(apply(knn$index[, -80], 1, sort)), t(sapply(1:80, function(i) (1:80)[-i])))
    }
  }
})

test_that("threads and instruction sets change nothing, with any recall", {
  x <- residual_points(1100, 3, seed = 75)
  foreign <- uniform_points(1050, 3, seed = 76)
  metric <- residual_correlation(kernel_matern32(lengthscale = c(0.2, 0.3, 0.4)), 40, nugget = 0.02)
  ask <- function(threads) {
    tree <- cover_tree(x, metric = metric, threads = threads)
    lapply(c(1, 0.95), function(recall) {
      list(knn_query(tree, k = 9, threads = threads, recall = recall),
           knn_query(tree, k = 9, threads = threads, recall = recall, predecessor = TRUE),
           knn_query(tree, foreign, k = 9, threads = threads, recall = recall))
    })
  }
  first <- ask(1)
  for (threads in 2:3) expect_identical(ask(threads), first)
  for_each_simd(function(simd) expect_identical(ask(1), first))
})

test_that("neither the way to search nor the blocks change the exact answer", {
  x <- residual_points(500, 2, seed = 77)
  tree <- cover_tree(x, metric = residual_correlation(kernel_rbf(lengthscale = 0.1), 30))
  first <- knn_query(tree, k = 8)
  for (search in c("tree", "scan")) expect_identical(knn_query(tree, k = 8, control = list(search = search)), first)
  for (layout in c("hilbert", "natural")) for (leaf_size in c(1, 500)) {
    other <- cover_tree(x, layout = layout, leaf_size = leaf_size, metric = tree$metric$metric)
    expect_identical(knn_query(other, k = 8, control = list(block_size = 3)), first)
  }
  expect_same_knn(knn_query(tree, k = 8, control = list(stats = TRUE)), first)
})

# Own factors have no inducing points, and so no features of residual functions.
test_that("features of residual functions change nothing but the time", {
  skip_on_cran()
  x <- with_seed(57, matrix(rnorm(3 * 8192), ncol = 3))
  tree <- cover_tree(x, metric = residual_correlation(kernel_rbf(lengthscale = 1), 400, nugget = 1e-9))
  points <- tree$metric$code$points
  plain <- cover_tree(x, metric = residual_correlation(kernel_rbf(lengthscale = 1),
                                                       v = t(points$v[1:400, ]), p = points$p))
  neighbors <- function(tree, ...) {
    found <- knn_query(tree, k = 20, recall = 1, control = knn_control(stats = TRUE), ...)
    list(pairs = found[c("index", "distance")], doubles = knn_stats(found)$double)
  }
  with <- neighbors(tree)
  without <- neighbors(plain)
  expect_identical(with$pairs, without$pairs)
  expect_lt(with$doubles, without$doubles / 2)
  for_each_simd(function(simd) {
    expect_identical(neighbors(tree, threads = 2)$pairs, with$pairs, info = simd)
  })
  # Cheaper than an approximate search, so the answer to a stated recall is exact.
  stated <- knn_query(tree, k = 20, recall = 0.999)
  expect_true(attr(stated, "exact"))
  expect_identical(stated[c("index", "distance")], with$pairs)
  # Other points on, near and between those of the tree, against the definition of the distance.
  query <- x[1:3000, ] + rep(c(0, 1e-3, 0.3), 1000)
  found <- neighbors(tree, query = query)$pairs
  some <- c(1:3, 1500, 3000)
  others <- covertree:::check_query_of(query[some, ], tree$metric, tree_arrays(tree), 1)$points
  all <- .Call(covertree:::r_residual_distance, tree$metric$code, others, NULL,
               matrix(seq_len(8192), 5, 8192, byrow = TRUE), covertree:::simd_level())
  for (i in 1:5) {
    nearest <- order(all[i, ])[1:20]
    expect_identical(found$index[some[i], ], nearest)
    expect_identical(found$distance[some[i], ], all[i, nearest])
  }
})

test_that("update_metric() answers like a tree built anew, and leaves the old one", {
  x <- residual_points(400, 2, seed = 78)
  colnames(x) <- c("a", "b")
  foreign <- uniform_points(50, 2, seed = 79)
  metrics <- list(
    residual_correlation(kernel_matern32(lengthscale = 0.2), 20),
    residual_correlation(kernel_rbf(3, c(0.9, 0.02)), 33, nugget = 0.1),
    residual_correlation(kernel_exponential(0.5, 100)),
    residual_correlation(kernel_matern52(lengthscale = 1e-3), x[1:4, ])
  )
  answers <- function(tree) {
    list(knn_query(tree, k = 6), knn_query(tree, k = 6, predecessor = TRUE), knn_query(tree, foreign, k = 6))
  }
  for (first in metrics) {
    tree <- cover_tree(x, metric = first)
    before <- answers(tree)
    arrays <- tree_arrays(tree)
    knn_query(tree, k = 6, recall = 0.9)
    for (second in metrics) {
      updated <- update_metric(tree, second)
      expect_identical(answers(updated), answers(cover_tree(x, metric = second)))
      expect_identical(tree_arrays(updated), arrays)
      expect_identical(as.matrix(updated), x)
      expect_identical(answers(update_metric(updated, first)), before)
    }
    own <- residual_correlation(kernel_rbf(), v = x, p = rep(1, 400))
    expect_identical(knn_query(update_metric(tree, own), k = 6),
                     knn_query(cover_tree(x, metric = own), k = 6))
    expect_identical(answers(tree), before)
  }
})

test_that("after an update, other points are sought where they are in the tree's space", {
  x <- residual_points(2000, 2, seed = 80)
  foreign <- uniform_points(1200, 2, seed = 81)
  wide <- residual_correlation(kernel_matern32(lengthscale = 0.2), 50, nugget = 0.01)
  tree <- cover_tree(x, metric = residual_correlation(kernel_matern32(lengthscale = 5), 50))
  updated <- knn_query(update_metric(tree, wide), foreign, k = 10, recall = 0.9)
  fresh <- knn_query(cover_tree(x, metric = wide), foreign, k = 10, recall = 0.9)
  expect_identical(attr(updated, "evaluations"), attr(fresh, "evaluations"))
  expect_same_knn(updated, fresh)
})

test_that("trees with a metric survive saving, and being sent to a worker", {
  local_env(c(R_TESTS = NA))
  x <- residual_points(300, 2, seed = 82)
  foreign <- uniform_points(20, 2, seed = 83)
  tree <- cover_tree(x, metric = residual_correlation(kernel_matern32(lengthscale = 0.2), 20))
  ask <- function(tree, foreign, library = NULL) {
    if (!is.null(library)) .libPaths(library)
    list(covertree::knn_query(tree, k = 5), covertree::knn_query(tree, foreign, k = 5),
         covertree::knn_query(tree, k = 5, predecessor = TRUE, recall = 0.9), as.matrix(tree),
         covertree::recall_of(tree, covertree::knn_query(tree, k = 5)))
  }
  answers <- ask(tree, foreign)
  file <- tempfile()
  workers <- parallel::makeCluster(1)
  on.exit({
    unlink(file)
    parallel::stopCluster(workers)
  }, add = TRUE)
  saveRDS(tree, file)
  expect_identical(ask(readRDS(file), foreign), answers)
  expect_identical(ask(unserialize(serialize(tree, NULL)), foreign), answers)
  sent <- parallel::clusterCall(workers, in_globalenv(ask), tree, foreign, .libPaths())[[1]]
  expect_identical(sent, answers)
  updated <- update_metric(readRDS(file), residual_correlation(kernel_rbf(), 5))
  expect_identical(knn_query(updated, k = 3),
                   knn_query(cover_tree(x, metric = residual_correlation(kernel_rbf(), 5)), k = 3))
})

test_that("a tree with a metric says so, and keeps the points as they came", {
  x <- as.matrix(quakes[1:60, c("long", "lat")])
  rownames(x) <- paste0("q", 1:60)
  metric <- residual_correlation(kernel_matern32(2, c(3, 1.5)), 10, nugget = 0.1)
  for (points in list(x, as.data.frame(x), round(x), unname(x))) {
    tree <- cover_tree(points, metric = metric)
    expect_identical(as.matrix(tree), as.matrix(points))
    expect_identical(dim(tree), dim(x))
    expect_length(tree, 60)
    expect_true(validate_tree(tree)$valid)
    plain <- cover_tree(plain_matrix(points), metric = metric)
    expect_identical(knn_query(tree, k = 3), knn_query(plain, k = 3))
  }
  expect_snapshot({
    kernel_rbf(lengthscale = c(1, 2.5))
    metric
    residual_correlation(kernel_exponential())
    residual_correlation(kernel_rbf(), x[1, , drop = FALSE])
    residual_correlation(kernel_rbf(), v = x, p = rep(1, 60))
    tree
    summary(tree)
    str(tree)
    print(knn_query(tree, k = 3), n = 2)
  })
  stats <- knn_stats(knn_query(tree, k = 3, control = list(stats = TRUE)))
  expect_identical(stats$queries, 60L)
  expect_gt(stats$correlations, 0)
  expect_output(print(stats), "pairs per query")
  approximate <- knn_query(cover_tree(uniform_points(1700, 2), metric = metric), recall = 0.5,
                           control = list(stats = TRUE))
  expect_output(print(knn_stats(approximate)), "points evaluated per query, quantiles")
})

test_that("points on a line, one point, integers and one inducing point are answered", {
  line <- matrix(c(3L, 1L, 4L, 1L, 5L))
  for (inducing in list(NULL, 0, 1, 2L, matrix(0), matrix(3L))) for (lengthscale in c(1, 2)) {
    given <- if (is.matrix(inducing)) inducing
             else if (isTRUE(inducing > 0)) oracle_inducing(line, lengthscale, inducing)
    case <- residual_case("exponential", lengthscale, given, nugget = 0.1, given = inducing)
    expect_residual_answers(case, line, matrix(c(0, 1, 9)), 6, paste("line", format(inducing)))
  }
  alone <- cover_tree(matrix(1:2, 1), metric = residual_correlation(kernel_rbf(), 1, nugget = 1))
  expect_identical(knn_query(alone, k = 2)$index, matrix(NA_integer_, 1, 2))
  expect_identical(knn_query(alone, k = 2, predecessor = TRUE)$distance, matrix(NA_real_, 1, 2))
  expect_identical(knn_query(alone, matrix(1:2, 1), k = 2)$index, cbind(1L, NA))
  expect_identical(knn_query(alone, matrix(1:2, 1), k = 2, recall = 0.9)$index, cbind(1L, NA))
})

test_that("metric = \"euclidean\" is the default", {
  x <- clouds$uniform()
  expect_identical(tree_arrays(cover_tree(x, metric = "euclidean")), tree_arrays(cover_tree(x)))
  expect_identical(knn_query(cover_tree(x, metric = NULL), k = 4), knn_query(cover_tree(x), k = 4))
})

test_that("the arrays of such a tree are those of the coordinates divided by the lengthscale", {
  x <- uniform_points(50, 2, seed = 84)
  tree <- cover_tree(x, metric = residual_correlation(kernel_rbf(lengthscale = c(2, 0.3)), 5))
  expect_identical(tree_arrays(tree), tree_arrays(cover_tree(divide(x, c(2, 0.3)))))
})

# ---- what is refused --------------------------------------------------------------------

x <- uniform_points(20, 2, seed = 85)
rbf <- kernel_rbf(lengthscale = 0.3)
tree <- cover_tree(x, metric = residual_correlation(rbf, 5))

test_that("variance and lengthscale must be above 0", {
  expect_complaints_for(list(0, -1, NA, NaN, Inf, "1", c(1, 2), NULL, TRUE), kernel_rbf(value))
  expect_complaints_for(
    list(0, -1, NA_real_, NA, NaN, Inf, "1", c(1, 0), c(1, NA), numeric(), NULL, factor(1), list(1)),
    kernel_matern32(lengthscale = value)
  )
  expect_complaints(
    cover_tree(x, metric = residual_correlation(kernel_rbf(lengthscale = 1:3))),
    cover_tree(x[, 1, drop = FALSE], metric = residual_correlation(kernel_rbf(lengthscale = 1:2))),
    cover_tree(x, metric = residual_correlation(kernel_rbf(lengthscale = 1e-200), x[1:2, ])),
    cover_tree(x * 1e200, metric = residual_correlation(kernel_rbf(lengthscale = 1e-200))),
    cover_tree(x, metric = residual_correlation(kernel_rbf(lengthscale = 1e200)))
  )
})

test_that("a kernel must be a kernel", {
  expect_complaints(residual_correlation())
  expect_complaints(residual_correlation(kernel_rbf))
  expect_complaints_for(list("rbf", NULL, 1, list(kind = "rbf")), residual_correlation(value))
})

test_that("inducing points must fit", {
  expect_complaints_for(list(-1, 2.5, NA, Inf, "5", TRUE, c(1, 2), list(1), 1e10),
                        residual_correlation(rbf, value))
  expect_complaints(
    residual_correlation(rbf, x[0, ]),
    residual_correlation(rbf, x[, 0]),
    residual_correlation(rbf, replace(x, 3, NA)),
    residual_correlation(rbf, iris),
    cover_tree(x, metric = residual_correlation(rbf, 21)),
    cover_tree(x, metric = residual_correlation(rbf, rbind(x, x))),
    cover_tree(x, metric = residual_correlation(rbf, cbind(x, 1))),
    cover_tree(x, metric = residual_correlation(rbf, x[, 1, drop = FALSE])),
    cover_tree(x, metric = residual_correlation(rbf, x[1:2, ] * 1e200)),
    cover_tree(x, metric = residual_correlation(rbf, x[c(1, 1), ], jitter = 0))
  )
})

test_that("nugget and jitter must be at least 0", {
  expect_complaints_for(list(-1, NA, Inf, "0", c(0, 1)), residual_correlation(rbf, nugget = value))
  expect_complaints_for(list(-1, NA, Inf, "0", c(0, 1)), residual_correlation(rbf, jitter = value))
})

test_that("own factors must fit", {
  v <- matrix(0.1, 20, 3)
  expect_complaints(
    residual_correlation(rbf, v = v),
    residual_correlation(rbf, p = rep(1, 20)),
    residual_correlation(rbf, 5, v = v, p = rep(1, 20)),
    residual_correlation(rbf, v = v, p = rep(1, 19)),
    residual_correlation(rbf, v = v, p = matrix(1, 20)),
    residual_correlation(rbf, v = v, p = rep("1", 20)),
    residual_correlation(rbf, v = v, p = c(rep(1, 19), -1)),
    residual_correlation(rbf, v = v, p = c(NA, rep(1, 19))),
    residual_correlation(rbf, v = v, p = c(1, Inf, rep(1, 18))),
    residual_correlation(rbf, v = 1:20, p = rep(1, 20)),
    residual_correlation(rbf, v = v[, 0], p = rep(1, 20)),
    residual_correlation(rbf, v = replace(v, 5, NaN), p = rep(1, 20)),
    residual_correlation(rbf, v = v * 1e200, p = rep(1, 20)),
    cover_tree(x[1:19, ], metric = residual_correlation(rbf, v = v, p = rep(1, 20))),
    knn_query(cover_tree(x, metric = residual_correlation(rbf, v = v, p = rep(1, 20))), x)
  )
})

test_that("a metric must be one, and fit the tree", {
  expect_complaints_for(list("manhatan", "Euclidean", 1, NA, c("euclidean", "euclidean")),
                        cover_tree(x, metric = value))
  expect_complaints(
    update_metric(tree, residual_correlation(kernel_rbf(lengthscale = 1:3), 5)),
    update_metric(tree, residual_correlation(rbf, uniform_points(3, 3))),
    update_metric(tree, residual_correlation(rbf, 21)),
    update_metric(tree, residual_correlation(rbf, v = matrix(0, 19, 2), p = rep(1, 19))),
    update_metric(tree, "euclidean"),
    update_metric(tree, kernel_rbf()),
    update_metric(tree),
    update_metric(cover_tree(x), residual_correlation(rbf, 5)),
    update_metric(x, residual_correlation(rbf, 5)),
    update_metric(tree, residual_correlation(rbf, 5), threads = 0)
  )
})

test_that("a query must fit the tree and the range of doubles", {
  expect_complaints(
    knn_query(tree, cbind(x, 1)),
    knn_query(tree, 1:2),
    knn_query(tree, replace(x, 3, NaN)),
    knn_query(tree, cbind(0, 1e200)),
    knn_query(tree, cbind(0, 1e200), recall = 0.9),
    knn_query(update_metric(tree, residual_correlation(kernel_rbf(lengthscale = 1e160))), x),
    radius_query(tree, radius = 0.5)
  )
})

test_that("a metric that was put into a tree by hand does no harm", {
  worse <- function(...) with_part(tree, "metric", replace(tree$metric, ...))
  euclidean <- with_part(cover_tree(x), "metric", residual_correlation(rbf, 5))
  code <- tree$metric$code
  with_code <- function(name, value) worse("code", list(replace(code, name, list(value))))
  trees <- list(euclidean, worse("code", list(NULL)), worse("code", list(code[1:3])),
                worse("code", list(unname(code))), worse("code", list(rev(code))),
                with_code("m", 50L), with_code("kind", 9L), with_code("kind", 0:1),
                with_code("points", unname(code$points)), with_code("points", lapply(code$points, head, 3)),
                worse("factor", list(diag(4))), worse("inducing", list(matrix(0, 5, 3))))
  for (bad in trees) for (recall in c(1, 0.5)) {
    expect_error(knn_query(bad, x, k = 2, recall = recall), "tree's metric must be one that")
    expect_error(knn_query(bad, k = 2, recall = recall), "tree's metric must be one that")
    expect_error(recall_of(bad, matrix(1L, 20, 1)), "tree's metric must be one that")
  }
})

covertree_threads(threads_before)

test_that("kernels and metrics that were edited by hand are checked again", {
  x <- uniform_points(60, 2, seed = 541)
  edited <- function(object, name, value) {
    object[name] <- list(value)
    object
  }
  kernel <- kernel_matern32()
  kernels <- list(edited(kernel, "kind", "cubic"), edited(kernel, "kind", 1), edited(kernel, "kind", NULL),
                  edited(kernel, "variance", "a"), edited(kernel, "variance", -1), edited(kernel, "variance", NULL),
                  edited(kernel, "lengthscale", 0), edited(kernel, "lengthscale", NULL), edited(kernel, "extra", 1),
                  structure(list(), class = "covertree_kernel"), structure("a", class = "covertree_kernel"))
  expect_complaints_for(kernels, residual_correlation(value, 5))
  metric <- residual_correlation(kernel, 5)
  given <- residual_correlation(kernel, v = matrix(0.1, 60, 3), p = rep(0.5, 60))
  metrics <- c(
    lapply(kernels, function(kernel) edited(metric, "kernel", kernel)),
    list(edited(metric, "kernel", NULL), edited(metric, "kernel", 1), edited(metric, "nugget", NA),
         edited(metric, "nugget", -1), edited(metric, "jitter", "a"), edited(metric, "jitter", NULL),
         edited(metric, "inducing", "a"), edited(metric, "inducing", 2.5),
         edited(metric, "inducing", matrix("a", 2, 2)), edited(metric, "inducing", matrix(NA_real_, 2, 2)),
         edited(metric, "v", matrix(0, 60, 2)), edited(given, "p", NULL), edited(given, "p", -0.5),
         edited(given, "p", rep(-1, 60)), edited(given, "v", NULL), edited(given, "v", matrix("a", 60, 3)),
         edited(given, "v", matrix(1e200, 60, 3)), edited(given, "inducing", 5),
         structure(list(), class = "covertree_residual_correlation"),
         structure("a", class = "covertree_residual_correlation"))
  )
  tree <- cover_tree(x, metric = metric)
  near <- vecchia_neighbors(x, m = 3)
  for (wrong in metrics) {
    for (use in list(function() cover_tree(x, metric = wrong), function() update_metric(tree, wrong),
                     function() vecchia_neighbors(x, m = 3, metric = wrong), function() print(wrong),
                     function() vif_loglik(seq_len(60), x, near, wrong))) {
      error <- tryCatch(use(), error = identity)
      expect_s3_class(error, "error")
      expect_null(conditionCall(error))
      expect_match(conditionMessage(error), "^metric (is not valid: |must have the elements of a residual_correl)")
    }
  }
  for (wrong in kernels) expect_error(print(wrong), "^kernel (is not valid: |must have the elements of a kernel)")
  # Valid values are as good as those of a new metric.
  wider <- metric
  wider$kernel$lengthscale <- 2L
  wider$nugget <- 0L
  expect_identical(knn_query(cover_tree(x, metric = wider), k = 3),
                   knn_query(cover_tree(x, metric = residual_correlation(kernel_matern32(lengthscale = 2), 5)), k = 3))
})
