# The great circle.

test_that("great-circle distances are those of the haversine formula", {
  x <- rbind(places(300, 42), cbind(c(0, 90, 180, -180, 360, 12), c(90, 90, -90, 0, 0, 48)), places(20, 42))
  x <- rbind(x, x[c(5, 9), ])
  query <- rbind(places(40, 43), x[1:10, ], cbind(c(180, -180, 540, 0), c(90, 0, -90, 0)))
  for (unit in c("km", "degrees")) {
    radius <- if (unit == "km") 6371.0088 else 180 / pi
    expect_metric(x, metric_great_circle(unit = unit), by_great_circle(radius), unit, 1e-6, query)
  }
  time <- with_seed(44, sample(0:40, nrow(x) + nrow(query), replace = TRUE))
  expect_metric(cbind(x, time[seq_len(nrow(x))]), metric_great_circle(scale = 0.01),
                by_great_circle(6371.0088, 0.01), "with time", 1e-6,
                cbind(query, time[nrow(x) + seq_len(nrow(query))]))
  expect_metric(cbind(x, time[seq_len(nrow(x))]), metric_great_circle(scale = 1e-3),
                by_great_circle(6371.0088, 1e-3), "with much time", 1e-6,
                cbind(query, time[nrow(x) + seq_len(nrow(query))]))
})

test_that("great-circle distances are accurate for millimeters and for antipodes", {
  distance <- function(a, b, ...) {
    knn_query(cover_tree(rbind(a), metric_great_circle(unit = "m", ...)), rbind(b), k = 1)$distance[1]
  }
  radius <- 6371008.8
  degree <- radius * pi / 180
  for (lat in c(0, 35, 60)) {
    expect_equal(distance(c(12, lat), c(12, lat + 1e-8)), 1e-8 * degree, tolerance = 1e-5)
    expect_equal(distance(c(12, lat), c(12 + 1e-7, lat)), 1e-7 * degree * cospi(lat / 180), tolerance = 1e-5)
    antipode <- c(12 - 180, -lat)
    expect_equal(distance(c(12, lat), antipode), pi * radius, tolerance = 1e-15)
    expect_equal(distance(c(12, lat), antipode + c(0, 1e-6)), pi * radius - 1e-6 * degree, tolerance = 1e-14)
  }
  expect_identical(distance(c(0, 90), c(77, 90)), 0)
  expect_identical(distance(c(180, 10), c(-180, 10)), 0)
})

test_that("columns are taken by name, in any order", {
  x <- cbind(places(60, 56), time = seq_len(60))
  query <- cbind(places(9, 57), time = 1:9)
  metric <- metric_great_circle(scale = 0.1)
  right <- knn_query(cover_tree(unname(x), metric), unname(query), k = 4)
  turned <- x[, c("time", "lat", "lon")]
  tree <- cover_tree(turned, metric)
  expect_identical(as.matrix(tree), turned)
  for (q in list(query, query[, 3:1], query[, c(2, 1, 3)])) {
    expect_same_knn(suppressMessages(knn_query(tree, q, k = 4)), right, "named query")
    expect_same_knn(knn_query(cover_tree(unname(x), metric), q, k = 4), right, "tree without names")
  }
  expect_same_knn(knn_query(tree, unname(query[, colnames(turned)]), k = 4), right, "query without names")
  for (names in list(c("Longitude", "Latitude"), c("LNG", "lat"), c("long", "LAT"))) {
    named <- x
    colnames(named)[1:2] <- names
    for (columns in list(1:3, 3:1)) {
      expect_same_knn(suppressMessages(knn_query(cover_tree(named[, columns], metric), query, k = 4)), right,
                      toString(names))
    }
  }
  expect_message(knn_query(cover_tree(x, metric), turned, k = 1), class = "covertree_reordered")
  expect_no_message(knn_query(cover_tree(x, metric), stats::setNames(as.data.frame(query),
                                                                     c("long", "latitude", "time")), k = 1))
  scaled <- knn_query(cover_tree(turned, metric_great_circle(scale = c(time = 0.1))), k = 4)
  expect_same_knn(scaled, knn_query(tree, k = 4), "scale by name")
  # Names that do not match are told as the user wrote them.
  expect_error(knn_query(tree, `colnames<-`(x, c("long", "LAT", "day"))), '"time", "lat", "lon": got "long", "LAT", "day"')
  only <- x
  colnames(only) <- c("lat", "y", "time")
  swapped <- places(5, 58)[, 2:1]
  swapped[1, 2] <- 95
  expect_complaints(
    cover_tree(only, metric), cover_tree(`colnames<-`(x, c("x", "lon", "lat2")), metric),
    cover_tree(`colnames<-`(x, c("lat", "lat", "lon")), metric),
    cover_tree(rbind(swapped, c(91, 0)), metric), knn_query(tree, only), knn_query(tree, query[, 1:2]),
    cover_tree(x, metric_great_circle(scale = c(lat = 1)))
  )
})

test_that("scales belong to the further columns, which have to exist", {
  x <- cbind(places(30, 71), time = 1:30, depth = 30:1)
  expect_complaints(
    cover_tree(x, metric_great_circle(scale = c(depth = 2))), cover_tree(x, metric_great_circle(scale = 1:3)),
    cover_tree(x[, 1:2], metric_great_circle(scale = 1:2)),
    cover_tree(x[, 1:2], metric_great_circle(scale = c(depth = 2)))
  )
  expect_same_knn(knn_query(cover_tree(x[, 1:2], metric_great_circle(scale = 7)), k = 3),
                  knn_query(cover_tree(x[, 1:2], metric_great_circle()), k = 3))
})
