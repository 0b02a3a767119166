# plot(tree): the data of each layer by definitions of their own.

x <- with_seed(31, cbind(a = c(rnorm(300), rnorm(200, 4, 0.3)), b = rnorm(500)))
tree <- cover_tree(x, leaf_size = 40)
arrays <- tree_arrays(tree)
layer <- function(data, name) data[data$layer == name, ]

# The depth of a node, by following its parents.
depth_by_parents <- function(node) {
  depth <- 0
  while (arrays$parent[node] > 0) {
    node <- arrays$parent[node]
    depth <- depth + 1
  }
  depth
}

rows_of_node <- function(node) arrays$row[arrays$subtree_begin[node]:arrays$subtree_end[node]]

test_that("points, balls, boxes and curve are those of the tree", {
  data <- draws(plot(tree, c("points", "curve", "balls", "boxes"), depth = 0:2))
  expect_identical(unique(data$layer), c("points", "curve", "balls", "boxes"))
  points <- layer(data, "points")
  expect_identical(sort(points$row), 1:500)
  expect_identical(unname(cbind(points$x, points$y)), unname(x[points$row, ]))
  curve <- layer(data, "curve")
  expect_identical(curve$depth, 1:500)
  along <- hilbert_order(x)
  expect_identical(curve$row, arrays$row[hilbert_order(arrays$points)])
  expect_identical(sort(curve$row), sort(along))
  balls <- layer(data, "balls")
  wanted <- which(vapply(seq_along(arrays$parent), depth_by_parents, 0) <= 2 & arrays$radius > 0)
  expect_identical(balls$node, wanted)
  expect_equal(balls$depth, vapply(wanted, depth_by_parents, 0))
  for (i in seq_len(nrow(balls))) {
    inside <- x[rows_of_node(balls$node[i]), , drop = FALSE]
    far <- max(sqrt((inside[, 1] - balls$x[i])^2 + (inside[, 2] - balls$y[i])^2))
    expect_equal(balls$radius[i], far)
  }
  boxes <- layer(data, "boxes")
  expect_identical(boxes$node, which(arrays$first_child == 0))
  for (i in seq_len(nrow(boxes))) {
    inside <- x[rows_of_node(boxes$node[i]), , drop = FALSE]
    expect_identical(unlist(boxes[i, c("xmin", "xmax", "ymin", "ymax")], use.names = FALSE),
                     c(range(inside[, 1]), range(inside[, 2])))
  }
})

test_that("the boxes of a query are read if and only if the k-th neighbor is not nearer", {
  for (k in c(1, 15)) {
    query <- c(1.8, 0.2)
    data <- draws(plot(tree, query = query, k = k))
    distance <- sqrt(colSums((t(x) - query)^2))
    nearest <- order(distance, seq_along(distance))[seq_len(k)]
    expect_identical(layer(data, "neighbors")$row, nearest)
    expect_identical(unlist(layer(data, "query")[c("x", "y")], use.names = FALSE), query)
    boxes <- layer(data, "boxes")
    gap <- function(least, most, q) pmax(least - q, q - most, 0)
    away <- sqrt(gap(boxes$xmin, boxes$xmax, query[1])^2 + gap(boxes$ymin, boxes$ymax, query[2])^2)
    expect_identical(boxes$state == "tile read", away <= max(distance[nearest]))
    expect_in_set(boxes$state, c("tile read", "tile skipped", "node skipped"))
    read <- boxes[boxes$state == "tile read", ]
    covered <- vapply(nearest, function(row) {
      any(x[row, 1] >= read$xmin & x[row, 1] <= read$xmax & x[row, 2] >= read$ymin & x[row, 2] <= read$ymax)
    }, NA)
    expect_true(all(covered))
  }
})

test_that("each point is in one box of a query, and tiles are those of the core", {
  search <- search_boxes(tree, arrays, rbind(c(1.8, 0.2)), 15)$boxes
  expect_identical(sort(unlist(Map(seq, search$first, search$last))), 1:500)
  tiles <- search[search$state != "node skipped", ]
  expect_lte(max(tiles$last - tiles$first), 15)
  # A search that reads the tree alone reads at least the tiles of the picture.
  stats <- knn_stats(knn_query(tree, rbind(c(1.8, 0.2)), k = 15, control = list(stats = TRUE, search = "tree")))
  expect_gte(stats$tiles, sum(search$state == "tile read"))
})

test_that("norms of other metrics decide which boxes are read", {
  for (power in c(1, 3, Inf)) {
    other <- cover_tree(x, metric = metric_minkowski(power))
    boxes <- layer(draws(plot(other, query = c(1.8, 0.2), k = 9)), "boxes")
    norm <- function(a, b) if (is.infinite(power)) pmax(abs(a), abs(b)) else (abs(a)^power + abs(b)^power)^(1 / power)
    gap <- function(least, most, q) pmax(least - q, q - most, 0)
    away <- norm(gap(boxes$xmin, boxes$xmax, 1.8), gap(boxes$ymin, boxes$ymax, 0.2))
    reach <- sort(norm(x[, 1] - 1.8, x[, 2] - 0.2))[9]
    expect_identical(boxes$state == "tile read", away <= reach * (1 + 1e-9))
    for (unit in 2^c(-460, 460)) {
      scaled <- cover_tree(x * unit, metric = metric_minkowski(power))
      expect_identical(layer(draws(plot(scaled, query = c(1.8, 0.2) * unit, k = 9)), "boxes")$state, boxes$state)
    }
  }
})

test_that("a map is in degrees, begins after the widest gap, and has balls on the sphere", {
  x <- with_seed(5, cbind(lon = runif(200, 120, 230), lat = runif(200, -80, 80)))
  x[, 1] <- ifelse(x[, 1] > 180, x[, 1] - 360, x[, 1])
  world <- cover_tree(x, metric = metric_great_circle(), leaf_size = 16)
  data <- draws(plot(world, c("points", "balls", "boxes"), depth = 1))
  points <- layer(data, "points")
  expect_true(all(points$x >= 119 & points$x <= 231))
  expect_equal(points$x %% 360, unname(x[points$row, 1]) %% 360)
  balls <- layer(data, "balls")
  a <- tree_arrays(world)
  unit <- function(lon, lat) cbind(cos(lat) * cos(lon), cos(lat) * sin(lon), sin(lat))
  for (i in seq_len(nrow(balls))) {
    inside <- x[a$row[a$subtree_begin[balls$node[i]]:a$subtree_end[balls$node[i]]], , drop = FALSE] * pi / 180
    cosine <- unit(inside[, 1], inside[, 2]) %*% t(unit(balls$x[i] * pi / 180, balls$y[i] * pi / 180))
    expect_equal(balls$radius[i], max(acos(pmin(1, cosine))) * 180 / pi, tolerance = 1e-6)
  }
  boxes <- layer(data, "boxes")
  expect_true(all(boxes$xmax - boxes$xmin <= 111))
  read <- layer(draws(plot(world, query = c(179.5, 10), k = 5)), "neighbors")
  expect_identical(read$row, knn_query(world, rbind(c(179.5, 10)), k = 5)$index[1, ])
  expect_identical(cut_longitude(seq(-180, 179)), 20)
  expect_identical(cut_longitude(c(350, 20, 100)), -10)
  expect_equal(arc_between(10, 0, -170, 0), 180)
  expect_equal(arc_between(0, 0, 90, 45), 90)
})

test_that("one point, duplicates, a line, many columns and other metrics are drawn", {
  one <- draws(plot(cover_tree(matrix(c(3, 4), 1)), c("points", "curve", "balls", "boxes"), depth = 0:2))
  expect_identical(one$layer, c("points", "curve", "boxes"))
  expect_identical(unlist(one[3, c("xmin", "xmax", "ymin", "ymax")], use.names = FALSE), c(3, 3, 4, 4))
  twice <- matrix(1, 60, 2)
  expect_identical(sum(draws(plot(cover_tree(twice)))$layer == "balls"), 0L)
  expect_identical(nrow(layer(draws(plot(cover_tree(twice), query = c(1, 1), k = 3)), "neighbors")), 3L)
  line <- uniform_points(100, 1)
  data <- draws(plot(cover_tree(line, leaf_size = 8), c("points", "balls"), query = 0.5, k = 4))
  points <- layer(data, "points")
  expect_identical(points$x, line[points$row, 1])
  expect_identical(points$y, as.double(points$row))
  wide <- uniform_points(100, 4)
  data <- draws(plot(cover_tree(wide), columns = c(4, 2), query = wide[7, ], k = 2))
  points <- layer(data, "points")
  expect_identical(cbind(points$x, points$y), wide[points$row, c(4, 2)])
  expect_identical(layer(data, "neighbors")$row[1], 7L)
  for (metric in list("cosine", metric_scaled("euclidean", 2), metric_mahalanobis(stats::cov(wide)),
                      residual_correlation(kernel_rbf(lengthscale = 0.5), 5))) {
    expect_identical(sum(draws(plot(cover_tree(wide, metric = metric)))$layer == "points"), 100L)
  }
  scaled <- draws(plot(cover_tree(wide, metric = residual_correlation(kernel_rbf(lengthscale = 0.5), 5)), "points"))
  expect_equal(cbind(scaled$x, scaled$y), wide[scaled$row, 1:2] / 0.5)
  expect_identical(sum(draws(plot(cover_tree(iris, metric = metric_gower()), "points"))$layer == "points"), 150L)
})

test_that("a query whose columns have another order has one message", {
  named <- cover_tree(cbind(a = x[, 1], b = x[, 2]))
  expect_identical(length(capture_messages(swapped <- draws(plot(named, query = c(b = 1, a = 2), k = 3)))), 1L)
  expect_identical(swapped, draws(plot(named, query = c(2, 1), k = 3)))
})

test_that("of many points, a sample is drawn", {
  expect_identical(drawn_of(MOST), seq_len(MOST))
  some <- drawn_of(3 * MOST)
  expect_identical(length(some), as.integer(MOST))
  expect_identical(range(some), c(1, 3 * MOST))
  expect_false(anyDuplicated(some) > 0)
})

test_that("mistakes in arguments have errors", {
  of_function <- cover_tree(5, metric = metric_function(function(i, js) abs(i - js)))
  residual <- cover_tree(x, metric = residual_correlation(kernel_rbf(), 5))
  periodic <- cover_tree(x, metric = metric_periodic(c(20, NA)))
  grown <- insert_points(tree, rbind(c(1, 1)))
  expect_complaints(
    plot(tree, "leaves"), plot(tree, character()), plot(tree, depth = -1), plot(tree, depth = "a"),
    plot(tree, columns = 3), plot(tree, columns = c(1, 3)), plot(tree, columns = c("a", "c")),
    plot(tree, columns = c(1, 1)),
    plot(tree, query = 1:3), plot(tree, query = x), plot(tree, query = c(1, NA)), plot(tree, query = c(0, 0), k = 0),
    plot(tree, xlim = 1), plot(tree, ylim = c(2, 1)), plot(of_function), plot(residual, query = c(0, 0)),
    plot(periodic, query = c(0, 0)), plot(grown), plot(cover_forest(x, shards = 2)),
    plot(tree, main = 1:2), plot(tree, sub = list())
  )
})
