# Distances on a torus, against the minimum over the images of each point.

# Distances of the rows of x and q; box: one period for each column, NA for none. The nearest image of a
# column is found for each column alone, because squares are added.
by_images <- function(box) function(x, q) {
  sum <- 0
  for (j in seq_len(ncol(x))) {
    gap <- abs(outer(q[, j], x[, j], `-`))
    shifts <- if (is.na(box[j])) 0 else -30:30 * box[j]
    sum <- sum + do.call(pmin, lapply(shifts, function(shift) (gap - shift)^2))
  }
  sqrt(sum)
}

wide_box <- function(x) apply(x, 2, function(column) {
  if (diff(range(column)) > 0) diff(range(column)) * 1.01 else 1
})

test_that("distances are those of the nearest images", {
  for (name in setdiff(names(clouds), c("hundred_columns", "tiny"))) {
    x <- plain_matrix(clouds[[name]]())
    box <- wide_box(x)
    expect_metric(x, metric_periodic(box), by_images(box), name, 1e-6)
  }
  x <- uniform_points(150, 3, 60)
  for (box in list(c(1, NA, 2), c(NA, 1.5, NA), c(1, 1, 1))) {
    expect_metric(x, metric_periodic(box), by_images(box), toString(box), 1e-9)
  }
})

test_that("points at both ends of a period are near, and ties go to the smaller row", {
  x <- cbind(c(0, 0.125, 0.5, 0.875, 1), 0)
  near <- knn_query(cover_tree(x, metric_periodic(c(1, NA))), k = 4)
  expect_identical(near$index[1, ], c(5L, 2L, 4L, 3L))
  expect_identical(near$distance[1, 1], 0)
  grid <- as.matrix(expand.grid(0:7, 0:7))
  near <- knn_query(cover_tree(grid, metric_periodic(8)), k = 8)
  expect_identical(near$distance, matrix(sqrt(c(1, 1, 1, 1, 2, 2, 2, 2)), 64, 8, byrow = TRUE))
  expect_true(all(near$index[, 1] < near$index[, 2]))
  days <- c(3, 360, 200, 1)
  tree <- cover_tree(matrix(days), metric_periodic(365.25))
  expect_identical(knn_query(tree, k = 2)$index[1, ], c(4L, 2L))
  expect_identical(knn_query(tree, matrix(days + 10 * 365.25), k = 1)$index[, 1], 1:4)
})

test_that("all points of a large set keep the bounds", {
  x <- with_seed(61, cbind(runif(4000, -180, 180), runif(4000), rnorm(4000)))
  box <- c(360, 1, NA)
  tree <- cover_tree(x, metric_periodic(box))
  near <- knn_query(tree, k = 9)
  some <- seq(1, 4000, 37)
  all <- by_images(box)(x, x[some, ])
  all[cbind(seq_along(some), some)] <- Inf
  expect_equal(near$distance[some, ], t(apply(all, 1, function(d) sort(d)[1:9])), tolerance = 1e-12)
  expect_gt(recall_of(tree, knn_query(tree, k = 9, epsilon = 0.1))$estimate, 0.8)
})

test_that("boxes that do not fit are refused", {
  x <- cbind(a = c(0, 2), b = c(0, 1))
  expect_complaints(
    metric_periodic(), metric_periodic("a"), metric_periodic(c(1, 0)), metric_periodic(-1),
    metric_periodic(NA), metric_periodic(Inf), metric_periodic(diag(2)), cover_tree(x, metric_periodic(1)),
    cover_tree(x, metric_periodic(1:3)), cover_tree(x, metric_periodic(c(a = 2, c = 2))),
    cover_tree(rbind(x, NA), metric_periodic(2)), metric_scaled(metric_periodic(1), 2),
    knn_query(cover_tree(x, metric_periodic(2)), x[, 1, drop = FALSE]),
    cover_tree(x, utils::modifyList(metric_periodic(2), list(box = -1)))
  )
  expect_snapshot(print(cover_tree(x, metric_periodic(c(b = 1, a = 3)))))
})
