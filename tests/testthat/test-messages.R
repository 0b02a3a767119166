# Messages for users: no error comes from the code inside, every argument has the name that the user
# wrote, and edited results are refused.

x <- as.matrix(expand.grid(a = 1:4, b = c(1, 2.5, 3))) / 2
tree <- cover_tree(x, leaf_size = 2)
knn <- knn_query(tree, k = 3)

test_that("an argument that is missing is named", {
  expect_complaints(
    cover_tree(), cover_forest(), hilbert_order(), order_maximin(), order_random(), vecchia_neighbors(),
    vecchia_neighbors(x), knn_query(), radius_query(), radius_query(tree), recall_of(), recall_of(tree),
    insert_points(), insert_points(tree), remove_points(tree), compact(), tree_rows(), tree_arrays(),
    validate_tree(), update_metric(), cover_tree_from_arrays(), write_tree(), write_tree(tree), read_tree(),
    knn_stats(), as_neighbors(), as_neighbors(knn), knn_graph(), knn_graph(x), knn_join(), knn_join(iris),
    knn_predict(), knn_predict(x), knn_impute(), vif_loglik(), budget(), metric_function(), metric_minkowski(),
    metric_mahalanobis(), metric_periodic(), metric_scaled(), residual_correlation(), kernel_custom()
  )
})

test_that("a message has the name of the argument that the user wrote", {
  residual <- residual_correlation(kernel_rbf())
  expect_complaints(
    knn_query(tree, budget = c(5, 3)),
    knn_query(tree, budget = numeric()),
    knn_query(tree, budget = 0),
    knn_query(tree, recall = 0.9, budget = 5),
    knn_query(tree, budget = 5, control = list(search = "scan")),
    knn_query(cover_forest(x, shards = 1), epsilon = 0.1),
    knn_query(cover_forest(x, shards = 1), budget = 5),
    remove_points(tree, NA),
    remove_points(tree, c(TRUE, FALSE)),
    update_metric(tree, residual),
    update_metric(cover_tree(x, metric = "manhattan"), residual),
    radius_query(cover_tree(x, metric = residual), radius = 1),
    vecchia_neighbors(x, 2, order = NULL),
    vecchia_neighbors(x, 2, order = 1.5),
    knn_impute(x, threads = "all"),
    knn_join(data.frame(), data.frame(), by = "a"),
    metric_periodic(TRUE),
    kernel_rbf(lengthscale = matrix(1, 2, 2)),
    print(knn, n = NA),
    knn_query(cover_tree(5, metric = metric_function(function(i, js) abs(i - js))), tree),
    read_tree("nothing.ctree")
  )
})

test_that("a value that is rounded or shortened for a message is still recognized", {
  expect_complaints(
    knn_query(tree, k = 3.0000000001),
    knn_query(tree, k = 1e10),
    knn_query(tree, strrep("long ", 1000)),
    budget(10, escalate = 1 + 1e-12)
  )
})

test_that("a metric of another kind or name is refused with advice", {
  expect_complaints_for(c("Euclidean", "l1", "great_circle", "haversine", "metric_gower", "else"),
                        cover_tree(x, metric = value))
  expect_complaints(
    cover_tree(x, metric = kernel_rbf()),
    cover_tree(x, metric = function(a, b) 0)
  )
})

test_that("functions that cannot be called are refused before the call", {
  expect_complaints(
    metric_function(function(i) 0),
    metric_function(function() 0),
    metric_function(function(i, js) 0, f_query = function(q) 0),
    kernel_custom(function() 1),
    cover_forest(function() NULL)
  )
  expect_s3_class(metric_function(function(...) 0), "covertree_metric_function")
  expect_s3_class(metric_function(`-`), "covertree_metric_function")
  expect_s3_class(metric_function(`[`), "covertree_metric_function")
})

test_that("advice is code that runs, also for a chunk of a source", {
  chunk <- function(value) function(i) if (i == 1) value
  expect_complaints(
    cover_forest(chunk(1:3)),
    cover_forest(chunk(data.frame(a = 1, day = as.Date("2026-01-01"))))
  )
})

test_that("a .csv file for a forest is refused at its first wrong line", {
  old <- setwd(tempdir())
  on.exit({
    unlink("forest.csv")
    setwd(old)
  })
  refused <- function(...) {
    writeLines(c(...), "forest.csv")
    tryCatch({
      cover_forest("forest.csv", shards = 1)
      "no error"
    }, error = conditionMessage)
  }
  expect_snapshot(writeLines(c(
    refused("1,2", "3,4"), refused("a,b", "1,2", "3,x"), refused("a,b", "1,2", "3"), refused("a,b", "1,2,3"),
    refused("a,b", "1,\"2"), refused(character()), refused("a,b", "1,NA")
  )))
  expect_identical(refused("\"1\",\"2\"", "3,4"), "no error")
})

test_that("edited results are refused", {
  edited <- function(result, ...) {
    parts <- list(...)
    for (name in names(parts)) result[name] <- list(parts[[name]])
    result
  }
  near <- radius_query(tree, radius = 1)
  pairs <- vecchia_neighbors(x, 2)
  expect_complaints(
    print(edited(knn, index = NULL)),
    summary(edited(knn, distance = "far")),
    as.data.frame(edited(knn, index = knn$index[1:5, ])),
    as_neighbors(edited(knn, index = knn$index[1:5, ]), "RANN"),
    as_neighbors(edited(knn, index = knn$index[1:5, ], distance = knn$distance[1:5, ]), "dbscan"),
    print(edited(near, distance = near$distance[1:5])),
    print(edited(near, count = NULL)),
    as_neighbors(edited(near, radius = "wide"), "dbscan"),
    print(edited(pairs, distance = 1:3)),
    summary(edited(pairs, exact = NA)),
    as_neighbors(edited(pairs, NNarray = pairs$NNarray[1:5, ]), "spNNGP"),
    as_neighbors(edited(pairs, order = NULL), "spNNGP"),
    knn_dimension(edited(knn, distance = 1:3)),
    knn_lof(edited(knn, index = replace(knn$index, 30, 13L))),
    as_neighbors(edited(knn, index = replace(knn$index, 30, 0L)), "igraph"),
    as_neighbors(edited(near, index = rapply(near$index, function(row) row + 0.5, how = "list")), "dbscan"),
    as.data.frame(edited(near, count = NULL)),
    as_neighbors(structure(knn, points = NULL), "RANN"),
    as_neighbors(structure(near, points = "all"), "RANN"),
    as.data.frame(structure(knn_query(tree, rows = 4:2), rows = 4:3)),
    as_neighbors(structure(near, rows = letters[1:12]), "RANN")
  )
  skip_if_not_installed("Matrix")
  expect_complaints(knn_graph(edited(knn, distance = NULL)), knn_graph(near), recall_curve(tree, numeric()))
})

test_that("one neighbor of one query is not plural", {
  expect_output(print(recall_of(tree, knn_query(tree, rows = 1, k = 1))), "1 neighbor of 1 query$")
})

test_that("printed objects have no half numbers, and an empty result has no quantiles", {
  expect_output(print(kernel_rbf(1, c(0.5, 10))), "lengthscale 0.5, 10>", fixed = TRUE)
  expect_output(print(kernel_rbf(1, 1:20)), "lengthscale 1, 2, 3, 4, ..., 20>", fixed = TRUE)
  expect_output(print(metric_scaled("manhattan", 91:99)), "divided by 91, 92, 93, 94, ..., 99>", fixed = TRUE)
  expect_output(print(summary(knn_query(tree, rows = integer()))), "distances: none$")
  by_function <- cover_tree(5, metric = metric_function(function(i, js) abs(i - js)))
  expect_output(print(summary(by_function)), "1 node, 1 leaf \\(leaf size 16\\).*memory: ")
})

# Arguments of each function with which it works, and values that are wrong for almost all arguments.
working_calls <- function() {
  metric <- residual_correlation(kernel_matern32(1, 0.5), inducing = x[1:3, ])
  residual <- cover_tree(x, metric = metric)
  frame <- cbind(as.data.frame(x), g = rep(c("u", "v"), 6))
  holes <- replace(x, 5, NA)
  control <- knn_control(progress = FALSE)
  search <- list(k = 2, rows = NULL, recall = 1, epsilon = 0, budget = NULL, max_distance = Inf, threads = NULL,
                 max_pairs = NULL, control = control)
  list(
    as_neighbors = list(x = knn, to = "RANN", self = NULL),
    budget = list(schedule = 9, escalate = 0.1, stop = 0, diversity = TRUE),
    cover_tree = list(x = x, metric = "euclidean", layout = "hilbert", leaf_size = NULL, threads = NULL),
    cover_tree_from_arrays = list(arrays = tree_arrays(tree), threads = NULL),
    hilbert_order = list(x = x, threads = NULL),
    insert_points = list(tree = tree, x = x, threads = NULL),
    kernel_rbf = list(variance = 1, lengthscale = 1),
    knn_control = list(search = "auto", block_size = NULL, seed = 1, stats = FALSE, progress = FALSE, worst_recall = 0),
    knn_density = list(x = x, k = 2, query = x, log = FALSE, metric = "euclidean"),
    knn_dimension = list(x = x, k = 3, local = FALSE, metric = "euclidean"),
    knn_lof = list(x = x, k = 2, metric = "euclidean"),
    knn_impute = list(x = holes, k = 2, metric = NULL, aggregate = "median", threads = NULL),
    knn_join = list(x = frame, y = frame, by = "a", k = 1, max_distance = Inf, metric = "euclidean", by_group = "g",
                    suffix = c(".x", ".y"), distance = "d", type = "left"),
    knn_predict = list(train = x, y = 1:12, test = x, k = 2, weights = "uniform", prob = FALSE, metric = "euclidean",
                       threads = NULL),
    knn_query = c(list(tree = tree, query = x), search),
    knn_query = c(list(tree = insert_points(tree, x), query = x), search),
    knn_query = c(list(tree = residual, query = x), search),
    metric_function = list(f = function(i, js) abs(i - js), n = 5, check = TRUE, f_query = NULL, tolerance = 0),
    metric_gower = list(weights = NULL, na = NULL),
    metric_great_circle = list(radius = NULL, unit = "km", scale = 1),
    order_coordinate = list(x = x, column = NULL),
    order_maximin = list(x = x, threads = NULL),
    radius_query = list(tree = tree, query = x, radius = 1, rows = NULL, sort = TRUE, count_only = FALSE,
                        threads = NULL, max_pairs = NULL, control = control),
    recall_of = list(tree = tree, result = knn, query = NULL, rows = NULL, predecessor = FALSE, sample = 5,
                     threads = NULL, max_pairs = NULL, control = control),
    remove_points = list(tree = tree, rows = 1, threads = NULL),
    residual_correlation = list(kernel = kernel_rbf(), inducing = NULL, nugget = 0, jitter = NULL, v = NULL, p = NULL),
    update_metric = list(tree = residual, metric = metric, threads = NULL),
    vecchia_neighbors = list(x = x, m = 2, order = "maximin", metric = "euclidean", lonlat = FALSE, recall = NULL,
                             threads = NULL, max_pairs = NULL, control = control),
    vif_loglik = list(y = 1:12, x = x, neighbors = vecchia_neighbors(x, 2), metric = metric, lonlat = FALSE,
                      threads = NULL)
  )
}

test_that("no error and no warning comes from the code inside", {
  wrong <- list(NULL, NA, "abc", character(), list(), -1, 2.5, Inf, c(1, NA), mean, data.frame(), matrix(0, 3, 0),
                as.Date("2026-01-01"), data.frame(a = 1:3, b = as.Date("2026-01-01")), quote(f(y)), tree, knn)
  calls <- working_calls()
  for (i in seq_along(calls)) {
    name <- names(calls)[i]
    expect_error(do.call(name, calls[[i]], quote = TRUE), NA)
    for (argument in names(calls[[i]])) {
      for (value in wrong) {
        arguments <- replace(calls[[i]], argument, list(value))
        found <- tryCatch(suppressMessages(do.call(name, arguments, quote = TRUE)), error = identity,
                          warning = identity)
        accident <- inherits(found, "condition") && !is.null(conditionCall(found))
        expect(!accident, sprintf("%s(%s = %s) fails by accident: %s", name, argument, deparse1(value),
                                  if (accident) conditionMessage(found)))
      }
    }
  }
})
