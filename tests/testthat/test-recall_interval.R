# The interval for the recall of all queries, from a sample.

interval <- covertree:::recall_interval

# The limits of Clopper and Pearson, from their definition: the shares at which a count as small, or as
# large, has a probability of 2.5%.
oracle_limits <- function(lost, n) {
  at <- function(count, ...) {
    stats::uniroot(function(p) stats::pbinom(count, n, p, ...) - 0.025, c(0, 1), tol = 1e-12)$root
  }
  c(if (lost > 0) at(lost - 1, lower.tail = FALSE) else 0, if (lost < n) at(lost) else 1)
}

test_that("with one neighbor for each query, the limits are those of Clopper and Pearson", {
  for (n in c(30, 500)) for (lost in c(0, 1, 2, 12, 30)) {
    found <- interval(rep(0:1, c(lost, n - lost)), 1e12)
    expect_equal(1 - found[["estimate"]], lost / n)
    expect_equal(1 - found[c("upper", "lower")], oracle_limits(lost, n), tolerance = 1e-6,
                 ignore_attr = TRUE, label = paste(lost, "of", n))
  }
})

test_that("queries that lose the same part count as more queries that lose all", {
  found <- interval(rep(c(0.9, 1), c(20, 980)), 1e12)
  expect_equal(1 - found[c("upper", "lower")], oracle_limits(20, 10000), tolerance = 0.01,
               ignore_attr = TRUE)
  expect_equal(found[["estimate"]], 0.998)
})

test_that("where most queries lose something, the interval is that of a mean", {
  share <- with_seed(132, 1 - stats::rbeta(1000, 6, 14))
  found <- interval(share, 1e12)
  expect_equal(unname(found[c("lower", "upper")]), mean(share) + c(-1, 1) * 1.96 * stats::sd(share) / sqrt(1000),
               tolerance = 1e-3)
})

test_that("a few lost neighbors do not tell how many a query can lose", {
  few <- interval(rep(c(0.99, 1), c(9, 991)), 1e12)
  # 0.09 lost neighborhoods; with half of one for each query, that is 0.18 of 2,000.
  expect_equal(1 - few[["lower"]], stats::qbeta(0.975, 0.18 + 1, 2000 - 0.18), tolerance = 1e-3)
  more <- interval(rep(c(0.99, 1), c(10, 990)), 1e12)
  expect_gt(more[["lower"]], few[["lower"]])
  none <- interval(rep(1, 1000), 1e12)
  expect_equal(none[["lower"]], 0.025^(1 / 1000))
  expect_identical(none[["upper"]], 1)
})

test_that("a sample that is the population, or nearly, leaves no doubt", {
  share <- rep(c(0.5, 1), c(20, 80))
  expect_identical(interval(share, 100)[["lower"]], 0.9)
  expect_identical(interval(share, 100)[["upper"]], 0.9)
  width <- vapply(c(101, 150, 1e3, 1e9), function(queries) {
    diff(interval(share, queries)[c("lower", "upper")])
  }, 0)
  expect_true(all(diff(width) > 0))
  expect_lt(width[1], width[4] / 5)
  expect_identical(unname(interval(numeric(), 10)), rep(NA_real_, 4))
})

# Queries of which a share `missing` loses neighbors, a geometric number of k.
lossy <- function(queries, k, missing) {
  lost <- stats::rbinom(queries, 1, missing) * (1 + stats::rgeom(queries, 0.4))
  1 - pmin(lost, k) / k
}

test_that("the interval covers the recall of all queries in 95% of samples", {
  covered <- with_seed(131, sapply(c(1, 10, 50), function(k) {
    sapply(c(0.2, 0.02, 0.004, 0.001), function(missing) {
      share <- lossy(2e5, k, missing)
      mean(replicate(400, {
        limits <- interval(sample(share, 1500), 2e5)
        limits[["lower"]] <= mean(share) && mean(share) <= limits[["upper"]]
      }))
    })
  }))
  # Of 400 samples, 2.8 standard errors.
  expect_true(all(covered > 0.92), label = toString(covered))
  expect_gt(mean(covered), 0.955)
})

test_that("the worst queries are one in a hundred, rounded up", {
  worst <- function(share) interval(share, 1e9)[["worst"]]
  expect_identical(worst(c(0.5, rep(1, 99))), 0.5)
  expect_identical(worst(c(0.5, rep(1, 100))), 0.75)
  expect_identical(worst(0.25), 0.25)
  expect_equal(worst(rep(c(0.1, 0.2, 1), c(10, 5, 1485))), 2 / 15)
})

test_that("the share found is counted query by query", {
  share <- covertree:::recall_by_query
  exact <- list(index = rbind(c(5L, 2L, 9L), c(1L, 4L, NA), NA), distance = rbind(1:3, c(1, 2, NA), NA))
  found <- function(index, distance) list(index = index, distance = distance)
  expect_equal(share(exact, exact), c(1, 1, 1))
  expect_equal(share(found(rbind(c(2L, 2L, 7L), c(4L, NA, NA), NA), rbind(c(2, 2, 4), c(2, NA, NA), NA)), exact),
               c(1 / 3, 1 / 2, 1))
  # Row 7 is as near as the farthest exact neighbor; rows of another query do not count.
  expect_equal(share(found(rbind(c(7L, NA, 1L), c(5L, 2L, 9L), NA), rbind(c(3, NA, 4), c(4, 5, 6), NA)), exact),
               c(1 / 3, 0, 1))
  # Two exact neighbors are at the largest distance, 3: of the points at 3, two count.
  tied <- list(index = rbind(1:4), distance = rbind(c(1, 2, 3, 3)))
  expect_equal(share(found(rbind(c(3L, 5L, 6L, 7L)), rbind(c(3, 3, 3, 3))), tied), 1 / 2)
  expect_equal(share(found(rbind(c(1L, 2L, 6L, 7L)), rbind(c(1, 2, 3, 3))), tied), 1)
  close <- found(rbind(c(1L, 2L, 6L, 7L)), rbind(c(1, 2, 3 * (1 + 1e-9), 3 * (1 - 1e-9))))
  expect_equal(share(close, tied), 3 / 4)
  expect_equal(share(close, tied, 1e-8), 1)
  expect_identical(share(lapply(exact, function(m) m[0, ]), lapply(exact, function(m) m[0, ])), numeric())
})
