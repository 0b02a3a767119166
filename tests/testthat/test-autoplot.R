# autoplot(): the data of plot() as objects of ggplot2.

skip_if_not_installed("ggplot2")

x <- uniform_points(200, 2, seed = 4)
tree <- cover_tree(x)
built <- function(figure) {
  expect_s3_class(figure, "ggplot")
  ggplot2::ggplot_build(figure)$data
}

test_that("layers of a tree have the data of plot()", {
  data <- draws(plot(tree, c("points", "balls", "boxes"), depth = 1))
  layers <- built(ggplot2::autoplot(tree, c("points", "balls", "boxes"), depth = 1))
  expect_identical(layers[[1]][c("xmin", "xmax")], data[data$layer == "boxes", c("xmin", "xmax")], ignore_attr = TRUE)
  expect_identical(layers[[2]]$x, data$x[data$layer == "points"])
  expect_identical(length(unique(layers[[3]]$group)), sum(data$layer == "balls"))
  expect_gt(length(built(ggplot2::autoplot(tree, query = c(0.5, 0.5), k = 3))), 3)
  built(ggplot2::autoplot(tree, c("curve", "balls"), query = c(0.5, 0.5)))
})

test_that("results, statistics and recalls have the data of plot()", {
  knn <- knn_query(tree, k = 4, control = list(stats = TRUE))
  map <- built(ggplot2::autoplot(knn, tree, mark = 3))
  expect_setequal(map[[1]]$x, x[, 1])
  one <- built(ggplot2::autoplot(knn, tree, query = 5))
  expect_identical(one[[3]]$xend, x[knn$index[5, ], 1])
  built(ggplot2::autoplot(radius_query(tree, radius = 0.05), tree))
  near <- vecchia_neighbors(x, m = 3)
  expect_identical(nrow(built(ggplot2::autoplot(near, x, position = c(2, 200)))[[2]]), 4L)
  for (what in c("points", "seconds", "blocks")) built(ggplot2::autoplot(knn_stats(knn), what))
  built(ggplot2::autoplot(knn_stats(knn_query(tree, k = 4, budget = 30, control = list(stats = TRUE)))))
  curve <- recall_curve(tree, c(20, 60), k = 4)
  expect_identical(built(ggplot2::autoplot(curve))[[1]]$y, c(curve$estimate, curve$worst))
  built(ggplot2::autoplot(recall_of(tree, knn)))
  world <- cover_tree(argo[1:500, c("longitude", "latitude")], metric = metric_great_circle())
  built(ggplot2::autoplot(world, depth = 1))
  built(ggplot2::autoplot(knn_query(world, k = 2), world))
})

test_that("the keys of a tree have the shapes of the layers", {
  keys <- function(layers, depth) {
    guide <- gg_colors(data.frame(layer = layers, depth = depth))$guide
    c(guide$override.aes$shape, guide$params$override.aes$shape)
  }
  expect_identical(keys(c("points", "balls", "query"), c(NA, 2L, NA)), c(NA, 4, 16))
  expect_identical(keys(c("points", "query"), c(NA_integer_, NA)), c(4, 16))
  expect_null(gg_colors(data.frame(layer = "points", depth = NA_integer_)))
})

test_that("a curve is drawn without the rows that have no recall or cost", {
  curve <- recall_curve(tree, c(20, 50), k = 4)
  curve$cost[1] <- NA
  expect_silent(layers <- built(ggplot2::autoplot(curve)))
  expect_identical(unique(layers[[2]]$x), curve$cost[2])
  none <- recall_of(tree, knn_query(tree, x[0, ], k = 2), query = x[0, ])
  expect_identical(nrow(built(ggplot2::autoplot(none))[[2]]), 0L)
})

test_that("labels of points far from the origin differ", {
  far <- x + 5e6
  axis <- ggplot2::ggplot_build(ggplot2::autoplot(cover_tree(far)))$layout$panel_params[[1]]$x
  expect_false(anyDuplicated(axis$get_labels()) > 0)
})
