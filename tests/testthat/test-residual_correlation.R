# Neighbors by residual correlation, against dense matrices in plain R.

# Small sets: more threads, where no test asks for them, would only wait for each other.
threads_before <- covertree_threads(1)

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

covertree_threads(threads_before)
