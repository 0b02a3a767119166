# plot() of the results of searches: the data against searches in plain R.

x <- uniform_points(150, 2, seed = 17)
tree <- cover_tree(x)
knn <- knn_query(tree, k = 6)
exact <- oracle_knn(x, k = 6)

test_that("a map has the distance of each query", {
  data <- draws(plot(knn, tree))
  expect_identical(data, data.frame(query = 1:150, x = x[, 1], y = x[, 2], distance = exact$distance[, 6]))
  expect_identical(draws(plot(knn, x, rank = 2))$distance, exact$distance[, 2])
  some <- draws(plot(knn_query(tree, k = 6, rows = c(9, 2, 9)), x, mark = 2))
  expect_identical(some$query, c(9L, 2L, 9L))
  expect_identical(some$x, x[c(9, 2, 9), 1])
  at <- uniform_points(20, 2, seed = 3)
  other <- draws(plot(knn_query(tree, at, k = 3), tree, at = at))
  expect_identical(other$distance, oracle_knn(x, at, k = 3)$distance[, 3])
  expect_identical(cbind(other$x, other$y), at)
  expect_identical(draws(plot(knn_query(tree, k = 4, predecessor = TRUE), tree))$distance[1:4], rep(NA_real_, 4))
})

test_that("a query is joined with its neighbors", {
  data <- draws(plot(knn, tree, query = 40))
  expect_identical(data$neighbor, exact$index[40, ])
  expect_identical(data$rank, 1:6)
  expect_identical(data$distance, exact$distance[40, ])
  expect_identical(cbind(data$x, data$y), x[exact$index[40, ], ])
  expect_identical(unique(cbind(data$from_x, data$from_y)), x[40, , drop = FALSE])
  none <- draws(plot(knn_query(tree, k = 4, predecessor = TRUE), tree, query = 1))
  expect_identical(dim(none), c(0L, 8L))
  at <- rbind(c(0.5, 0.5))
  one <- draws(plot(knn_query(tree, at, k = 3), x, at = at, query = 1))
  expect_identical(one$neighbor, oracle_knn(x, at, k = 3)$index[1, ])
})

test_that("the circle is drawn if the picture has all coordinates of the distance", {
  radius_of <- function(knn, points, ...) knn_picture(knn, points, 40, NULL, NULL, NULL, NULL, NULL, NULL, NULL)$circle
  expect_equal(radius_of(knn, x), exact$distance[40, 6])
  expect_null(radius_of(knn_query(cover_tree(x, metric = "manhattan"), k = 6), x))
  wide <- cbind(x, uniform_points(150, 1, seed = 2))
  expect_null(radius_of(knn_query(cover_tree(wide), k = 6), wide))
  world <- cbind(lon = 360 * x[, 1], lat = 180 * x[, 2] - 90)
  angle <- world * pi / 180
  unit <- cbind(cos(angle[, 2]) * cos(angle[, 1]), cos(angle[, 2]) * sin(angle[, 1]), sin(angle[, 2]))
  chords <- knn_query(cover_tree(unit), k = 6)
  arc <- 360 / pi * asin(chords$distance[40, 6] / 2)
  expect_equal(radius_of(chords, world), arc)
  arcs <- knn_query(cover_tree(world, metric = metric_great_circle(unit = "degrees")), k = 6)
  expect_equal(radius_of(arcs, world), arc)
})

test_that("points within a radius are counted and joined", {
  near <- radius_query(tree, radius = 0.1)
  right <- oracle_radius(x, radius = 0.1)
  data <- draws(plot(near, tree))
  expect_identical(data$count, lengths(right$index))
  one <- draws(plot(near, tree, query = which.max(near$count), unit = "m"))
  expect_setequal(one$neighbor, right$index[[which.max(near$count)]])
  expect_true(all(one$distance <= 0.1))
})

test_that("earlier neighbors are those of the order", {
  near <- vecchia_neighbors(x, m = 5)
  data <- draws(plot(near, x, position = c(3, 100)))
  expect_identical(tabulate(match(data$position, c(3, 100))), c(2L, 5L))
  own <- near$order[100]
  earlier <- near$order[1:99]
  distance <- sqrt(colSums((t(x[earlier, ]) - x[own, ])^2))
  late <- data[data$position == 100, ]
  expect_identical(late$neighbor, earlier[order(distance)[1:5]])
  expect_identical(unique(late$query), own)
  expect_identical(cbind(late$x, late$y), x[late$neighbor, ])
  expect_identical(nrow(draws(plot(near, x, position = 1))), 0L)
  expect_identical(sort(unique(draws(plot(near, x))$position)), c(2L, 15L, 150L))
})

test_that("empty, equal and grown results are drawn", {
  expect_identical(nrow(draws(plot(knn_query(tree, k = 2, rows = integer()), tree))), 0L)
  expect_identical(draws(plot(knn_query(tree, k = 2, max_distance = 0), tree))$distance, rep(NA_real_, 150))
  expect_identical(draws(plot(knn_query(cover_tree(matrix(1, 9, 2)), k = 1), matrix(1, 9, 2)))$distance, numeric(9))
  expect_identical(draws(plot(knn_query(cover_tree(matrix(1, 1, 2)), k = 1), matrix(1, 1, 2)))$distance, NA_real_)
  line <- x[, 1, drop = FALSE]
  expect_identical(draws(plot(knn_query(cover_tree(line), k = 1), line))$y, as.double(1:150))
  grown <- remove_points(insert_points(tree, x[1:5, ] + 1), 1:10)
  data <- draws(plot(knn_query(grown, k = 3), grown))
  expect_identical(data$query, 11:155)
  expect_identical(data$x, c(x[11:150, 1], x[1:5, 1] + 1))
  draws(plot(knn_query(grown, k = 3), grown, query = 145))
})

test_that("query points are matched by the names of their columns", {
  named <- x
  colnames(named) <- c("a", "b")
  at <- named[1:9, ] + 0.01
  other <- knn_query(cover_tree(named), at, k = 2)
  right <- draws(plot(other, named, at = at))
  expect_identical(cbind(right$x, right$y), unname(at))
  expect_message(swapped <- draws(plot(other, named, at = at[, 2:1])), "matched by name")
  expect_identical(swapped, right)
})

test_that("a query window is as wide as the neighbors, also far from the origin", {
  far <- x + rep(c(5e5, 5e6), each = nrow(x))
  window <- query_window(knn_picture(knn_query(cover_tree(far), k = 6), far, 40, NULL, NULL, NULL, NULL, NULL, NULL, NULL))
  expect_lt(diff(window$xlim), 3 * exact$distance[40, 6])
  same <- matrix(1, 9, 2)
  window <- query_window(knn_picture(knn_query(cover_tree(same), k = 2), same, 4, NULL, NULL, NULL, NULL, NULL, NULL, NULL))
  expect_identical(window$xlim, c(0.5, 1.5))
})

test_that("labels of ticks differ and do not overlap", {
  expect_identical(tick_labels(c(1000000000L, 1200000000L)), c("1e+09", "1.2e+09"))
  expect_identical(tick_labels(c(0, 1e6, 2e6)), c("0", "1,000,000", "2,000,000"))
  expect_identical(tick_labels(5e6 + c(0, 0.5)), c("5,000,000", "5,000,000.5"))
  expect_identical(tick_labels(5e6 + c(0, 0.25)), c("5,000,000", "5,000,000.25"))
  expect_identical(tick_labels(numeric()), character())
  expect_false(anyDuplicated(tick_labels(1e12 + 0:3)) > 0)
  expect_identical(without_overlap(c(1, 2, 3, 5), c(2, 2, 2, 1)), c(1L, 3L, 4L))
  expect_identical(without_overlap(numeric(), numeric()), integer())
  expect_identical(color_scale(c(0, 0))$limits, c(0, 1))
})

test_that("the scale of colors is logarithmic for wide positive values", {
  expect_true(color_scale(c(1, 10, 100))$log)
  expect_false(color_scale(c(4, 5, 6))$log)
  expect_false(color_scale(c(-1, 10, 100))$log)
  expect_true(color_scale(c(0, 10, 100, 1000))$log)
  scale <- color_scale(c(1, 2, 4, NA))
  expect_identical(scale$colors(c(-5, 1)), rep(scale$palette[1], 2))
  expect_identical(scale$colors(c(4, NA)), c(scale$palette[length(scale$palette)], "gray75"))
  expect_identical(vapply(c(1, 2, 3, 4, 11, 12, 13, 21, 102, 111), ordinal, ""),
                   c("1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th"))
  expect_identical(degrees_east(c(0, 190, -190, 180, 540)),
                   paste0(c("0", "170", "170", "180", "180"), "\u00b0", c("", "W", "E", "", "")))
})

test_that("mistakes in arguments have errors", {
  at <- uniform_points(3, 2)
  foreign <- knn_query(tree, at, k = 2)
  mixed <- cover_tree(iris[c(1, 5)], metric = metric_gower())
  expect_complaints(
    plot(knn), plot(knn, "x"), plot(knn, x[1:20, ]), plot(knn, tree, query = 151), plot(knn, tree, query = 1:2),
    plot(knn, tree, rank = 7), plot(knn, tree, at = at), plot(foreign, tree), plot(foreign, tree, at = at[1:2, ]),
    plot(knn, tree, unit = 5), plot(knn, tree, mark = 0), plot(knn, tree, columns = "a"),
    plot(vecchia_neighbors(x, m = 2), x[1:9, ]), plot(vecchia_neighbors(x, m = 2), x, position = 1:7),
    plot(vecchia_neighbors(x, m = 2), x, position = 151), plot(vecchia_neighbors(x, m = 2), x, position = integer()),
    plot(foreign, tree, at = at[, 1, drop = FALSE]), plot(knn, remove_points(tree, 7)),
    plot(knn_query(mixed, k = 2), mixed), plot(knn, cover_forest(x, shards = 2)), plot(knn, tree, main = c("a", "b")),
    plot(knn, tree, sub = NA)
  )
})
