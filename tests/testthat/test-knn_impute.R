# knn_impute(), compared with its definition by loops, and with the distances of cluster::daisy().

set.seed(61)
n <- 90
whole <- data.frame(a = rnorm(n), b = sample(20L, n, TRUE), kind = factor(sample(c("p", "q", "r"), n, TRUE)),
                    size = factor(sample(c("S", "M", "L"), n, TRUE), c("S", "M", "L", "XL"), ordered = TRUE))
# No two distances are equal, because of a complete column: rounding would decide between them.
whole$c <- rnorm(n)
# Missing: a few values everywhere; and one column in many rows, so that trees are used.
holes <- whole
for (j in 1:4) holes[[j]][sample(n, 6)] <- NA
holes$a[sample(n, 30)] <- NA
numbers <- cbind(as.matrix(holes[1:2]), matrix(rnorm(2 * n), n))

# The value by definition, from all distances.
oracle_impute <- function(x, apart, k, aggregate) {
  x <- as.data.frame(x)
  value <- x
  for (j in seq_along(x)) for (i in which(is.na(x[[j]]))) {
    far <- ifelse(is.na(x[[j]]), NA, apart[i, ])
    near <- utils::head(order(far, na.last = NA), k)
    w <- if (aggregate != "weighted") rep(1, length(near))
         else if (any(far[near] == 0)) as.numeric(far[near] == 0) else 1 / far[near]
    y <- x[[j]][near]
    value[[j]][i] <- if (is.factor(y)) levels(y)[which.max(vapply(levels(y), function(l) sum(w[y == l]), 0))]
                     else if (aggregate == "median") stats::median(y) else sum(w * y) / sum(w)
  }
  value
}

test_that("mixed data are imputed by Gower distance", {
  skip_if_not_installed("cluster")
  apart <- as.matrix(cluster::daisy(holes, "gower"))
  for (aggregate in c("median", "mean", "weighted")) {
    expect_equal(knn_impute(holes, k = 4, aggregate = aggregate), oracle_impute(holes, apart, 4, aggregate))
  }
})

test_that("numbers are imputed by scaled Euclidean distance, with trees and without", {
  scaled <- scale(numbers)
  apart <- sapply(seq_len(n), function(i) apply(scaled, 1, function(q) sqrt(mean((q - scaled[i, ])^2, na.rm = TRUE))))
  for (aggregate in c("median", "mean", "weighted")) {
    ours <- knn_impute(numbers, k = 5, aggregate = aggregate)
    expect_equal(ours, as.matrix(oracle_impute(numbers, apart, 5, aggregate)), ignore_attr = TRUE)
    expect_identical(dimnames(ours), dimnames(numbers))
  }
  expect_identical(knn_impute(as.data.frame(numbers)), as.data.frame(knn_impute(numbers)))
  range <- apply(numbers, 2, function(v) diff(range(v, na.rm = TRUE)))
  apart <- sapply(seq_len(n), function(i) colMeans(abs(t(numbers) - numbers[i, ]) / range, na.rm = TRUE))
  expect_equal(knn_impute(numbers, k = 5, metric = "gower"), as.matrix(oracle_impute(numbers, apart, 5, "median")),
               ignore_attr = TRUE)
})

test_that("types, classes, attributes and given values are kept", {
  filled <- knn_impute(holes, k = 3)
  expect_false(anyNA(filled))
  for (j in 1:4) expect_identical(filled[[j]][!is.na(holes[[j]])], holes[[j]][!is.na(holes[[j]])])
  expect_identical(lapply(filled, class), lapply(holes, class))
  expect_identical(knn_impute(whole), whole)
  flags <- data.frame(a = c(1, 2, 3, 4, 1.4), f = c(TRUE, FALSE, FALSE, TRUE, NA))
  expect_identical(knn_impute(flags, k = 2)$f[5], FALSE)
  expect_identical(knn_impute(flags, k = 2, aggregate = "weighted")$f[5], TRUE)
  expect_identical(knn_impute(flags, k = 50, metric = "gower")$f[5], FALSE)
  count <- cbind(a = c(1L, 4L, 2L, 9L), b = c(3L, 8L, NA, 20L))
  expect_identical(knn_impute(count, k = 1)[3, "b"], c(b = 3L))
  expect_identical(knn_impute(count, k = 2)[3, "b"], c(b = 5.5))
  rownames(holes) <- paste0("r", seq_len(n))
  expect_identical(rownames(knn_impute(holes)), rownames(holes))
  skip_if_not_installed("tibble")
  expect_identical(knn_impute(tibble::as_tibble(holes), k = 3), tibble::as_tibble(filled))
})

test_that("neither the size of values nor a large k matters", {
  for (size in c(1e-320, 1e-200, 1, 1e308)) for (metric in c("euclidean", "gower")) {
    x <- cbind(a = c(1, NA, 3), b = size * c(1, -1, -0.9), c = size)
    expect_identical(knn_impute(x, k = 1, metric = metric)[2, "a"], c(a = 3))
    expect_identical(knn_impute(x, k = 2e9, metric = metric)[2, "a"], c(a = 2))
  }
})

test_that("equal levels give the first, and columns of one value add nothing", {
  x <- data.frame(a = c(0, 1, -1, 5), one = 7, f = factor(c(NA, "v", "u", "v"), c("w", "v", "u")))
  expect_identical(as.character(knn_impute(x, k = 2)$f[1]), "v")
  expect_identical(knn_impute(x[1:2], metric = "euclidean"), x[1:2])
})

test_that("wrong arguments are named", {
  late <- data.frame(a = c(1, NA), day = Sys.Date())
  expect_complaints(
    knn_impute(),
    knn_impute(1:3),
    knn_impute(late[0, ]),
    knn_impute(late),
    knn_impute(data.frame(a = c("x", NA))),
    knn_impute(data.frame(a = c(1, NA), b = NA_real_)),
    knn_impute(cbind(c(1, NA, 3), c(2, NA, 4))),
    knn_impute(cbind(c(1, NA, 3), c(2, Inf, 4))),
    knn_impute(cbind(p = c(1, NA), q = c(NA, 2))),
    knn_impute(holes, metric = "euclidean"),
    knn_impute(holes, metric = "manhattan"),
    knn_impute(holes, k = 0),
    knn_impute(holes, aggregate = "mode"),
    knn_impute(holes, threads = 0)
  )
})
