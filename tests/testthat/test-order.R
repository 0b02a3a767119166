# Orders for Vecchia approximations are those of their definitions.

# Point sets with more blocks than the other point sets.
larger_clouds <- list(
  plane = function() uniform_points(3000, 2),
  grid = function() as.matrix(expand.grid(1:50, 1:40)),
  twice = function() with_seed(31, uniform_points(700, 3)[sample(700, 1500, replace = TRUE), ]),
  many_columns = function() with_seed(32, matrix(rnorm(1000 * 30), 1000)),
  corners = function() with_seed(33, matrix(rbinom(1200 * 20, 1, 0.5), 1200)),
  skewed = function() with_seed(34, cbind(exp(3 * rnorm(2000)), rnorm(2000)^3))
)

test_that("the maximin order is that of its definition, whatever the setting", {
  old <- options(covertree.simd = NULL)
  on.exit(options(old))
  sets <- c(clouds, larger_clouds)
  for (name in names(sets)) {
    x <- sets[[name]]()
    right <- oracle_maximin(x)
    for (simd in covertree_info()$simd_available) {
      options(covertree.simd = simd)
      for (threads in 1:2) {
        expect_identical(order_maximin(x, threads), right, label = paste(name, simd, threads))
      }
    }
  }
})

test_that("threads do not change the maximin order of many points", {
  for (x in list(uniform_points(1e5, 2), uniform_points(20000, 6), uniform_points(3000, 100))) {
    order <- order_maximin(x, threads = 1)
    expect_identical(sort(order), seq_len(nrow(x)))
    for (threads in 2:3) expect_identical(order_maximin(x, threads), order)
  }
})

test_that("duplicates come last, by row", {
  x <- uniform_points(300, 2)
  repeats <- with_seed(35, sample(300, 500, replace = TRUE))
  order <- order_maximin(rbind(x, x[repeats, ]))
  expect_identical(sort(order[1:300]), 1:300)
  expect_identical(order[301:800], 301:800)
  expect_identical(order_maximin(matrix(7, 1000, 3)), 1:1000)
})

test_that("ties go to the smaller row", {
  expect_identical(order_maximin(cbind(c(4, 0, 2, 1, 3))), c(3L, 1L, 2L, 4L, 5L))
  expect_identical(order_maximin(rbind(c(0, 0), c(0, 1), c(1, 0), c(1, 1))), c(1L, 4L, 2L, 3L))
})

test_that("shift and scale do not change the orders", {
  x <- round(clouds$uniform() * 1024)
  for (moved in list(x + 4096, x * 2^40, x * 2^-400, x * 2^400 - 2^400)) {
    expect_identical(order_maximin(moved), order_maximin(x))
    expect_identical(order_middleout(moved), order_middleout(x))
    expect_identical(order_coordinate(moved), order_coordinate(x))
  }
})

test_that("points near the ends of the range have orders where they are alike", {
  for (value in c(1e308, -1e308, 5e-324)) {
    expect_identical(order_maximin(matrix(value, 5, 2)), 1:5)
    expect_identical(order_middleout(matrix(value, 5, 2)), 1:5)
    expect_identical(order_coordinate(matrix(value, 5, 1)), 1:5)
  }
})

test_that("from the middle outwards is by distance to the centroid, then by row", {
  for (cloud in clouds) {
    x <- plain_matrix(cloud())
    square <- oracle_square(x, oracle_centroid(x))
    expect_identical(order_middleout(cloud()), order(square, seq_along(square)))
    expect_identical(order_middleout(cloud())[1], order_maximin(cloud())[1])
  }
})

test_that("by coordinate is by the sum or by one column, then by row", {
  for (cloud in clouds) {
    x <- plain_matrix(cloud())
    sum <- 0
    for (j in seq_len(ncol(x))) sum <- sum + x[, j]
    expect_identical(order_coordinate(cloud()), order(sum, seq_along(sum)))
    for (j in unique(c(1, ncol(x)))) {
      expect_identical(order_coordinate(cloud(), j), order(x[, j], seq_len(nrow(x))))
    }
  }
})

test_that("a random order is a permutation that R's seed decides", {
  x <- clouds$uniform()
  order <- with_seed(36, order_random(x))
  expect_identical(sort(order), seq_len(nrow(x)))
  expect_identical(with_seed(36, order_random(nrow(x))), order)
  expect_identical(with_seed(36, sample.int(nrow(x))), order)
  expect_false(identical(with_seed(37, order_random(x)), order))
})

test_that("one point, a data frame and integers have orders", {
  for (order in list(order_maximin, order_middleout, order_coordinate, order_random)) {
    expect_identical(order(matrix(5, 1, 4)), 1L)
  }
  x <- clouds$integers()
  for (order in list(order_maximin, order_middleout, order_coordinate)) {
    expect_type(order(x), "integer")
    expect_identical(order(as.data.frame(x)), order(x))
    expect_identical(order(x + 0), order(x))
  }
})

test_that("points that have no order are refused", {
  x <- matrix(c(1:5, NA), 3)
  wide <- cbind(c(-1e308, 1e308))
  expect_complaints(
    order_maximin(NULL),
    order_maximin("a"),
    order_maximin(1:3),
    order_maximin(iris),
    order_maximin(x),
    order_maximin(matrix(0, 0, 3)),
    order_maximin(matrix(0, 3, 0)),
    order_maximin(wide),
    order_maximin(cbind(c(0, 5e-324))),
    order_maximin(matrix(0, 2, 2), threads = 0),
    order_middleout(x),
    order_middleout(wide),
    order_coordinate(x),
    order_coordinate(matrix(c(1, 1e308, 1, 1e308), 2)),
    order_random(x),
    order_random(matrix(0, 0, 3)),
    order_random("a"),
    order_random(0)
  )
})

test_that("column must be that of a column", {
  expect_complaints_for(
    list(0, 4, 1.5, NA, "1", c(1, 2), TRUE),
    order_coordinate(matrix(0, 2, 3), column = value)
  )
})
