# The data of the package are as documented, and searches of them are exact.

test_that("argo has the documented rows, columns and ranges", {
  expect_s3_class(argo, "data.frame", exact = TRUE)
  expect_identical(dim(argo), c(32436L, 6L))
  expect_named(argo, c("longitude", "latitude", "time", "temperature_100", "temperature_150",
                       "temperature_200"))
  expect_true(all(vapply(argo, is.double, NA)))
  expect_false(anyNA(argo))
  within <- function(value, least, most) expect_true(all(value >= least & value <= most))
  within(argo$longitude, 20, 380)
  within(argo$latitude, -65, 65)
  within(argo$time, 0, 31 + 29 + 31)
  for (temperature in argo[4:6]) within(temperature, -2.5, 35)
  expect_gt(mean(argo$temperature_100), mean(argo$temperature_200))
  expect_gt(cor(argo$temperature_100, argo$temperature_150), 0.9)
})

test_that("neighbors on the sphere are the oracle's", {
  longitude <- argo$longitude * pi / 180
  latitude <- argo$latitude * pi / 180
  x <- cbind(cos(latitude) * cos(longitude), cos(latitude) * sin(longitude), sin(latitude))
  some <- round(seq(1, nrow(x), length.out = 25))
  tree <- sound_tree(x)
  own <- knn_query(tree, k = 30)
  found <- knn_query(tree, x[some, ], k = 30)
  near <- radius_query(tree, x[some, ], radius = 0.02)
  for (i in seq_along(some)) {
    others <- oracle_ranking(x, x[some[i], ], self = some[i])
    expect_identical(own$index[some[i], ], others$index[1:30])
    expect_identical(own$distance[some[i], ], others$distance[1:30])
    all <- oracle_ranking(x, x[some[i], ])
    expect_identical(found$index[i, ], all$index[1:30])
    expect_identical(near$index[[i]], all$index[all$distance <= 0.02])
  }
})

test_that("places and days with repeats are the oracle's too", {
  x <- round(argo[, c("longitude", "latitude", "time")])
  tree <- sound_tree(x)
  own <- knn_query(tree, k = 12)
  points <- plain_matrix(x)
  expect_gt(sum(duplicated(x)), 500)
  for (i in round(seq(1, nrow(x), length.out = 25))) {
    expected <- oracle_ranking(points, points[i, ], self = i)
    expect_identical(own$index[i, ], expected$index[1:12])
    expect_identical(own$distance[i, ], expected$distance[1:12])
  }
})
