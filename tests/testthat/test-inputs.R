# Points come as matrices, data frames of several classes, and points of sf. Other objects are errors
# that say what to write instead.

x <- uniform_points(80, 2, seed = 31)
colnames(x) <- c("a", "b")
direct <- knn_query(cover_tree(x), k = 3)

test_that("data frames of any class are the same points", {
  expect_identical(knn_query(cover_tree(as.data.frame(x)), k = 3), direct)
  skip_if_not_installed("tibble")
  expect_identical(knn_query(cover_tree(tibble::as_tibble(x)), k = 3), direct)
  skip_if_not_installed("data.table")
  expect_identical(knn_query(cover_tree(data.table::as.data.table(x)), k = 3), direct)
})

test_that("columns that are not numeric are named, with the conversion", {
  day <- data.frame(a = 1:2, when = as.Date("2016-01-01") + 0:1)
  second <- data.frame(a = 1:2, `at time` = as.POSIXct("2016-01-01", tz = "UTC") + 0:1, check.names = FALSE)
  span <- data.frame(lag = as.difftime(1:2, units = "mins"))
  nested <- data.frame(a = 1:2)
  nested$more <- list(1, 2:3)
  expect_complaints(
    cover_tree(day),
    cover_tree(second),
    cover_tree(span),
    cover_tree(nested),
    cover_tree(day, metric = metric_gower()),
    knn_query(cover_tree(x), day)
  )
  seconds <- transform(second, at = as.numeric(second[["at time"]]))[c("a", "at")]
  expect_identical(knn_query(cover_tree(seconds), k = 1)$distance, cbind(c(sqrt(2), sqrt(2))))
})

test_that("the advice about distances works", {
  between <- dist(x)
  m <- as.matrix(between)
  tree <- cover_tree(nrow(m), metric = metric_function(function(i, js) m[i, js]))
  expect_identical(knn_query(tree, k = 3)$index, direct$index)
})

test_that("sparse matrices are refused with the size of the dense one", {
  skip_if_not_installed("Matrix")
  sparse <- Matrix::sparseMatrix(1:3, 1:3, x = 1, dims = c(1000, 20))
  expect_complaints(cover_tree(sparse), knn_query(cover_tree(x), sparse))
  expect_identical(dim(cover_tree(as.matrix(sparse))), c(1000L, 20L))
})

test_that("projected points of sf are searched in the unit of the CRS", {
  skip_if_not_installed("sf")
  points <- sf::st_as_sf(as.data.frame(1e5 * x), coords = c("a", "b"), crs = 32633)
  tree <- cover_tree(points)
  expect_identical(knn_query(tree, k = 3)[1:2], knn_query(cover_tree(1e5 * x), k = 3)[1:2])
  apart <- unclass(sf::st_distance(points))
  nearest <- unname(t(apply(`diag<-`(apart, Inf), 1, function(d) order(d)[1:3])))
  expect_identical(knn_query(tree, k = 3)$index, nearest)
  expect_identical(knn_query(tree, points[1:5, ], k = 2), knn_query(tree, 1e5 * unname(x[1:5, ]), k = 2))
  expect_identical(radius_query(tree, sf::st_geometry(points), radius = 9000),
                   radius_query(tree, 1e5 * unname(x), radius = 9000))
  expect_identical(recall_of(tree, knn_query(tree, points, k = 2), points)$estimate, 1)
  expect_identical(nrow(knn_query(tree, points[0, ], k = 2)$index), 0L)
})

test_that("longitude and latitude are searched by great circle in meters", {
  skip_if_not_installed("sf")
  degrees <- cbind(360 * x[, 1] - 180, 180 * x[, 2] - 90)
  points <- sf::st_as_sf(as.data.frame(degrees), coords = 1:2, crs = 4326)
  near <- knn_query(cover_tree(points), k = 3)
  expect_identical(near, knn_query(cover_tree(degrees, metric = metric_great_circle(unit = "m")), k = 3))
  apart <- matrix(as.numeric(sf::st_distance(points)), nrow(points))
  nearest <- unname(t(apply(`diag<-`(apart, Inf), 1, function(d) sort(d)[1:3])))
  expect_equal(near$distance, nearest, tolerance = 1e-6)
  expect_identical(knn_query(cover_tree(points, metric = "euclidean"), k = 3)[1:2],
                   knn_query(cover_tree(degrees), k = 3)[1:2])
  again <- unserialize(serialize(cover_tree(points), NULL))
  expect_identical(knn_query(again, points, k = 3), knn_query(cover_tree(points), points, k = 3))
})

test_that("trees of sf points keep their CRS when they grow, shrink and lie in a file", {
  skip_if_not_installed("sf")
  degrees <- cbind(360 * x[, 1] - 180, 180 * x[, 2] - 90)
  points <- sf::st_as_sf(as.data.frame(degrees), coords = 1:2, crs = 4326)
  n <- nrow(points)
  one <- cover_tree(points)
  grown <- insert_points(cover_tree(points[1:(n - 5), ]), points[(n - 4):n, ])
  path <- tempfile()
  on.exit(unlink(path))
  for (tree in list(grown, compact(grown), remove_points(insert_points(grown, points[1, ]), n + 1), one)) {
    write_tree(tree, path)
    for (same in list(tree, read_tree(path))) {
      expect_identical(knn_query(same, points[3:9, ], k = 2), {
        found <- knn_query(one, points[3:9, ], k = 2)
        attr(found, "points") <- attr(knn_query(same, points[3, ], k = 1), "points")
        found
      })
      expect_identical(attr(same, "crs"), sf::st_crs(points))
    }
  }
  expect_complaints(insert_points(one, sf::st_transform(points, 3857)), insert_points(cover_tree(degrees), points),
                    cover_forest(points))
})

test_that("other objects of sf are errors with advice", {
  skip_if_not_installed("sf")
  points <- sf::st_as_sf(as.data.frame(x), coords = c("a", "b"), crs = 4326)
  tree <- cover_tree(points)
  line <- sf::st_sfc(sf::st_point(1:2), sf::st_linestring(diag(2)), crs = 4326)
  empty <- points
  sf::st_geometry(empty)[3] <- sf::st_point()
  without <- sf::st_set_crs(points, NA)
  tall <- sf::st_sfc(sf::st_point(c(1, 2, 3)), crs = 4326)
  plane <- sf::st_transform(points, 3857)
  expect_complaints(
    cover_tree(line),
    cover_tree(empty),
    cover_tree(without),
    cover_tree(tall),
    cover_tree(points[0, ]),
    cover_tree(sf::st_point(1:2)),
    cover_tree(points, metric = metric_gower()),
    hilbert_order(points),
    knn_query(tree, plane),
    knn_query(tree, without),
    radius_query(tree, line, radius = 1),
    knn_query(cover_tree(x), points)
  )
})
