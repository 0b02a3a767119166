# knn_predict(), compared with loops and with the packages class and FNN.

set.seed(51)
x <- matrix(rnorm(300), 100)
test <- matrix(rnorm(90), 30)
value <- x[, 1] + x[, 2]^2
two <- factor(ifelse(value > 1, "high", "low"), c("low", "none", "high"))
three <- cut(value, c(-Inf, 0, 1.5, Inf), c("a", "b", "c"))

# Returns the sums of weights of each class, or the mean of values.
oracle_predict <- function(x, y, test, k, inverse = FALSE) {
  one <- function(i) {
    far <- if (is.null(test)) replace(oracle_distance(x, x[i, ]), i, Inf) else oracle_distance(x, test[i, ])
    near <- order(far)[seq_len(k)]
    w <- if (!inverse) rep(1, k) else if (any(far[near] == 0)) as.numeric(far[near] == 0) else 1 / far[near]
    if (is.factor(y)) vapply(levels(y), function(l) sum(w[y[near] == l]), 0) / sum(w) else sum(w * y[near]) / sum(w)
  }
  rows <- seq_len(nrow(if (is.null(test)) x else test))
  if (is.factor(y)) t(vapply(rows, one, numeric(nlevels(y)))) else vapply(rows, one, 0)
}

test_that("classes, shares and values are those of the definition", {
  tied <- round(x)
  for (points in list(x, tied)) for (places in list(NULL, round(test, 1), tied[1:10, ])) for (w in c("uniform", "inverse")) {
    shares <- oracle_predict(points, three, places, 4, w == "inverse")
    expect_equal(knn_predict(points, three, places, k = 4, weights = w, prob = TRUE), shares)
    expect_equal(knn_predict(points, value, places, k = 4, weights = w),
                 oracle_predict(points, value, places, 4, w == "inverse"))
    if (w == "uniform") {
      expect_identical(knn_predict(points, three, places, k = 4), factor(levels(three)[apply(shares, 1, which.max)], levels(three)))
    }
  }
})

test_that("equal classes go to the first level, and unused levels stay", {
  line <- cbind(c(-1, 1, -2, 2))
  expect_identical(knn_predict(line, factor(c("b", "a", "b", "a"), c("b", "a", "z")), cbind(0), k = 2),
                   factor("b", c("b", "a", "z")))
  expect_identical(knn_predict(line, c("b", "a", "b", "a"), cbind(0), k = 2), factor("a", c("a", "b")))
  expect_identical(knn_predict(line, c(TRUE, FALSE, TRUE, FALSE), cbind(0), k = 2, prob = TRUE),
                   cbind("FALSE" = 0.5, "TRUE" = 0.5))
  expect_identical(colnames(knn_predict(x, two, test, k = 3, prob = TRUE)), levels(two))
  expect_true(all(knn_predict(x, two, test, k = 3, prob = TRUE)[, "none"] == 0))
})

test_that("class and FNN predict the same where nothing is equal", {
  skip_if_not_installed("class")
  same <- function(ours, theirs) expect_identical(as.character(ours), as.character(theirs))
  same(knn_predict(x, two, test, k = 5), class::knn(x, test, two, k = 5))
  same(knn_predict(x, two, k = 5), class::knn.cv(x, two, k = 5))
  skip_if_not_installed("FNN")
  expect_equal(knn_predict(x, value, test, k = 4), FNN::knn.reg(x, test, value, k = 4)$pred)
  expect_equal(knn_predict(x, value, k = 4), FNN::knn.reg(x, y = value, k = 4)$pred)
  same(knn_predict(x, two, k = 7), FNN::knn.cv(x, two, k = 7))
})

test_that("trees, data frames and no test points are taken", {
  tree <- cover_tree(x, metric = "manhattan")
  expect_identical(knn_predict(tree, value, test, k = 3), knn_predict(x, value, test, k = 3, metric = "manhattan"))
  expect_identical(knn_predict(as.data.frame(x), three, k = 3, threads = 1), knn_predict(x, three, k = 3))
  mixed <- transform(iris, Species = NULL, wide = Sepal.Width > 3)
  expect_identical(levels(knn_predict(mixed, iris$Species, k = 3, metric = metric_gower())), levels(iris$Species))
  none <- x[0, ]
  expect_identical(knn_predict(x, value, none, k = 3), numeric())
  expect_identical(knn_predict(x, three, none, k = 3), three[0])
  expect_identical(dim(knn_predict(x, three, none, k = 3, prob = TRUE)), c(0L, 3L))
  expect_equal(knn_predict(x * 1e-140, value, test * 1e-140, k = 3, weights = "inverse"),
               knn_predict(x, value, test, k = 3, weights = "inverse"))
})

test_that("a tree after a removal has the values of the points that are left", {
  grown <- remove_points(insert_points(cover_tree(x[1:80, ]), x[81:100, ]), c(3, 50, 90))
  left <- tree_rows(grown)
  for (tree in list(grown, compact(grown))) for (places in list(NULL, test)) {
    expect_identical(knn_predict(tree, value[left], places, k = 3), knn_predict(x[left, ], value[left], places, k = 3))
    expect_identical(knn_predict(tree, three[left], places, k = 3), knn_predict(x[left, ], three[left], places, k = 3))
  }
  forest <- cover_forest(x, shards = 3)
  expect_identical(knn_predict(forest, three, test, k = 4), knn_predict(x, three, test, k = 4))
  expect_identical(knn_predict(forest, value, k = 4), knn_predict(x, value, k = 4))
})

test_that("only the neighbors that there are count, and none gives NA", {
  # Rows 1, 2 and 4 have the first column, rows 3 and 5 the second, row 6 neither.
  tree <- cover_tree(data.frame(a = c(1, 2, NA, 4, NA, NA), b = c(NA, NA, 3, NA, 4, NA), c = NA_real_),
                     metric = metric_gower(na = "scan"))
  y <- c(1, 2, 3, 4, 5, 6)
  expect_equal(knn_predict(tree, y, k = 2), c(3, 2.5, 5, 1.5, 3, NA))
  expect_equal(knn_predict(tree, y, k = 5, weights = "inverse"),
               c((2 / 1 + 4 / 3) / (1 + 1 / 3), (1 + 4 / 2) / 1.5, 5, (1 / 3 + 2 / 2) / (1 / 3 + 1 / 2), 3, NA))
  class <- c("u", "v", "u", "v", "w", "w")
  expect_identical(knn_predict(tree, class, k = 5), factor(c("v", "u", "w", "u", "u", NA), c("u", "v", "w")))
  expect_equal(unname(knn_predict(tree, class, k = 5, prob = TRUE)[5:6, ]), rbind(c(1, 0, 0), NA))
})

test_that("excluded training points do not predict", {
  group <- rep(1:7, length.out = 100)
  time <- value + group %% 3
  for (weights in c("uniform", "inverse")) {
    without <- function(y, drop) {
      unlist(lapply(1:100, function(i) {
        left <- which(!drop(i))
        if (length(left) == 0) return(y[NA_integer_])
        knn_predict(x[left, , drop = FALSE], y[left], x[i, , drop = FALSE], k = min(4, length(left)), weights = weights)
      }))
    }
    same_group <- function(i) group == group[i]
    expect_equal(knn_predict(x, value, k = 4, weights = weights, exclude = group), without(value, same_group))
    expect_identical(knn_predict(x, three, k = 4, weights = weights, exclude = group), without(three, same_group))
    earlier <- knn_predict(cover_tree(x), value, k = 4, weights = weights, before = time)
    expect_equal(earlier, without(value, function(i) time >= time[i]))
    expect_identical(which(is.na(earlier)), which(time == min(time)))
    expect_equal(knn_predict(x, value, k = 4, weights = weights, window = 20),
                 without(value, function(i) abs(1:100 - i) <= 20))
  }
})

test_that("a level NA is predicted like any other", {
  y <- addNA(factor(c(NA, "u", NA, "u")))
  near <- knn_predict(cbind(c(1, 2, 8, 9)), y, cbind(c(1, 9, 8)), k = 1)
  expect_identical(near, y[c(1, 2, 3)])
  holes <- data.frame(a = c(1, NA, 8), b = y[1:3])
  expect_identical(knn_impute(holes)$b, y[1:3])
})

test_that("columns of test points in another order are named as such", {
  x <- cbind(a = 1:4, b = 4:1)
  expect_message(knn_predict(x, 1:4, x[, 2:1], k = 1), "^test has the columns of the tree in another order")
})

test_that("the prediction of an ordered factor is ordered", {
  ranked <- factor(three, levels = rev(levels(three)), ordered = TRUE)
  predicted <- knn_predict(x, ranked, test, k = 5)
  expect_s3_class(predicted, c("ordered", "factor"), exact = TRUE)
  plain <- factor(three, levels = rev(levels(three)))
  expect_identical(as.character(predicted), as.character(knn_predict(x, plain, test, k = 5)))
})

test_that("wrong arguments are named", {
  expect_complaints(
    knn_predict(y = value),
    knn_predict(x),
    knn_predict("a", value),
    knn_predict(data.frame(day = Sys.Date()), 1),
    knn_predict(x, value[-1]),
    knn_predict(x, replace(value, 3, NA)),
    knn_predict(x, replace(three, 4, NA)),
    knn_predict(x, as.list(value)),
    knn_predict(x, Sys.Date() + seq_len(100)),
    knn_predict(x, value, prob = TRUE),
    knn_predict(x, value, k = 100),
    knn_predict(x, value, test, k = 101),
    knn_predict(x, value, test[, 1:2]),
    knn_predict(x, value, weights = "gauss"),
    knn_predict(cover_tree(x), value, metric = "manhattan"),
    knn_predict(x, value, test, exclude = three),
    knn_predict(x, value, window = -1)
  )
  skip_if_not_installed("sf")
  places <- sf::st_sfc(sf::st_point(1:2), sf::st_point(), crs = 4326)
  expect_error(knn_predict(places[1], 1, places, k = 1),
               "test must have points with coordinates: row 2 is empty; use test[!sf::st_is_empty(test), ]", fixed = TRUE)
})

test_that("a tree that has grown predicts by the points that are left", {
  grown <- remove_points(insert_points(cover_tree(x[1:60, ]), x[61:100, ]), c(3, 60, 99))
  left <- setdiff(1:100, c(3, 60, 99))
  for (places in list(NULL, test)) {
    expect_identical(knn_predict(grown, value[left], places, k = 4), knn_predict(x[left, ], value[left], places, k = 4))
  }
})
