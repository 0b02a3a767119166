# A call without queries returns a result without rows.

x <- uniform_points(200, 3, seed = 521)
tree <- cover_tree(x)
metric <- residual_correlation(kernel_matern32(lengthscale = 0.5), 10, nugget = 0.1)
residual <- cover_tree(x, metric = metric)
given <- cover_tree(x, metric = residual_correlation(
  kernel_rbf(), v = matrix(0.1, 200, 4), p = rep(0.5, 200)))

# R's types of empty data: a logical matrix or column, and NULL for a column.
frame_of <- function(...) structure(list(...), class = "data.frame", row.names = integer())
empty_queries <- list(
  x[0, ], as.data.frame(x)[0, ], matrix(numeric(), 0, 3), matrix(integer(), 0, 3),
  matrix(logical(), 0, 3), matrix(NA, 0, 3), data.frame(a = logical(), b = logical(), c = logical()),
  data.frame(a = logical(), b = integer(), c = numeric()), frame_of(a = NULL, b = NULL, c = logical()),
  utils::read.csv(text = "a,b,c")
)
no_rows <- list(integer(), numeric(), logical())

expect_no_knn <- function(found, k) {
  expect_s3_class(found, "covertree_knn", exact = TRUE)
  expect_identical(found$index, matrix(integer(), 0, k))
  expect_identical(found$distance, matrix(numeric(), 0, k))
  expect_true(attr(found, "exact"))
}

ways <- list(list(), list(recall = 0.9), list(epsilon = 1), list(budget = 20),
             list(budget = budget(c(20, 40), diversity = FALSE)), list(control = list(search = "tree")),
             list(control = list(search = "scan")), list(control = list(block_size = 1)),
             list(recall = 0.9, control = list(search = "scan")))

test_that("knn_query() without queries returns 0 x k matrices, whatever the search", {
  for (tree in list(tree, residual)) for (way in ways) for (threads in 1:2) for (k in c(1, 5, 300)) {
    ask <- function(...) do.call(knn_query, c(list(tree, k = k, threads = threads), way, list(...)))
    for (query in empty_queries) expect_no_knn(ask(query = query), k)
    for (predecessor in c(FALSE, TRUE)) for (rows in no_rows) {
      expect_no_knn(ask(rows = rows, predecessor = predecessor), k)
    }
  }
  for (rows in no_rows) expect_no_knn(knn_query(given, k = 2, rows = rows), 2)
  plain <- cover_tree(x, metric = residual_correlation(kernel_rbf()))
  expect_no_knn(knn_query(plain, x[0, ], k = 2), 2)
  expect_no_knn(knn_query(cover_tree(x[1, , drop = FALSE]), x[0, ], k = 2), 2)
})

test_that("a result of radius_query() without queries is printed and converted", {
  none <- radius_query(tree, x[0, ], radius = 1)
  expect_output(print(none), "0 points within 1 of 0 queries")
  expect_identical(as.data.frame(none), data.frame(query = integer(), neighbor = integer(), distance = numeric()))
  expect_identical(as_neighbors(none, "BiocNeighbors"), list(index = list(), distance = list()))
  expect_identical(dim(as_neighbors(none, "RANN")$nn.idx), c(0L, 0L))
})

test_that("statistics of no queries are zeros", {
  for (tree in list(tree, residual)) for (budget in list(NULL, 20)) {
    stats <- knn_stats(knn_query(tree, x[0, ], k = 2, budget = budget, control = list(stats = TRUE)))
    expect_identical(stats$queries, 0L)
    expect_false(anyNA(unlist(unclass(stats))))
    expect_output(print(stats), "0 queries")
  }
  expect_true(all(knn_stats(knn_query(tree, x[0, ], control = list(stats = TRUE)))$blocks == 0))
})

test_that("radius_query() without queries returns empty lists", {
  for (threads in 1:2) for (sort in c(TRUE, FALSE)) for (max_pairs in list(NULL, 0, Inf)) {
    ask <- function(...) radius_query(tree, radius = 0.3, sort = sort, threads = threads, max_pairs = max_pairs, ...)
    for (found in c(lapply(empty_queries, function(query) ask(query = query)),
                    lapply(no_rows, function(rows) ask(rows = rows)))) {
      expect_s3_class(found, "covertree_radius", exact = TRUE)
      expect_identical(found$index, list())
      expect_identical(found$distance, list())
      expect_identical(found$count, integer())
      expect_identical(found$radius, 0.3)
    }
  }
})

test_that("results without queries print and convert", {
  knn <- knn_query(tree, x[0, ], k = 2)
  expect_snapshot(knn)
  expect_snapshot(radius_query(tree, x[0, ], radius = 1))
  expect_identical(as.data.frame(knn),
                   data.frame(query = integer(), neighbor = integer(), rank = integer(), distance = numeric()))
  expect_identical(as.data.frame(knn_query(tree, k = 2, rows = integer())), as.data.frame(knn))
})

test_that("the recall of no queries is not known", {
  for (tree in list(tree, residual)) {
    for (recall in list(recall_of(tree, knn_query(tree, x[0, ], k = 2), query = x[0, ]),
                        recall_of(tree, knn_query(tree, k = 2, rows = integer())),
                        recall_of(tree, matrix(integer(), 0, 2), rows = integer(), predecessor = TRUE))) {
      expect_identical(recall$estimate, NA_real_)
      expect_identical(recall$lower, NA_real_)
      expect_identical(recall$sample, 0L)
      expect_output(print(recall), "recall NA .* 2 neighbors of 0 queries")
    }
  }
})

test_that("the recall of no queries is not known, whatever the types of empty data", {
  for (tree in list(tree, residual)) for (result in list(matrix(integer(), 0, 2), matrix(logical(), 0, 2))) {
    for (query in empty_queries) expect_identical(recall_of(tree, result, query = query)$sample, 0L)
    for (rows in no_rows) expect_identical(recall_of(tree, result, rows = rows)$estimate, NA_real_)
  }
})

test_that("a result in which nothing was found has recall 0", {
  expect_identical(recall_of(tree, matrix(NA, 200, 2))$estimate, 0)
  expect_identical(recall_of(tree, matrix(NA, 2, 2), rows = 1:2)$estimate, 0)
  expect_error(recall_of(tree, matrix(TRUE, 200, 2)), "result must be")
})

test_that("rows = NULL is all of the tree's points", {
  for (each in list(tree, residual)) {
    expect_identical(knn_query(each, k = 2, rows = NULL), knn_query(each, k = 2))
  }
  expect_identical(radius_query(tree, radius = 0.2, rows = NULL), radius_query(tree, radius = 0.2))
  expect_identical(recall_of(tree, knn_query(tree, k = 2), rows = NULL)$sample, 200L)
})

test_that("empty results join results of other queries", {
  split <- split.data.frame(x, factor(rep(c("a", "c"), 100), levels = c("a", "b", "c")))
  parts <- lapply(split, function(query) knn_query(tree, query, k = 3)$index)
  expect_identical(dim(do.call(rbind, parts)), c(200L, 3L))
})

test_that("a query without rows is checked like any other", {
  names <- function(x) `colnames<-`(x, c("a", "b", "c"))
  named <- cover_tree(names(x))
  expect_message(knn_query(named, names(x)[0, 3:1], k = 2), class = "covertree_reordered")
  expect_complaints(
    knn_query(tree, x[0, 1:2]),
    knn_query(tree, matrix(numeric(), 0, 0)),
    knn_query(tree, data.frame()),
    knn_query(tree, matrix("", 0, 3)),
    knn_query(tree, matrix(logical(), 0, 2)),
    knn_query(tree, array(logical(), c(0, 3, 1))),
    knn_query(tree, logical()),
    knn_query(tree, matrix(TRUE, 1, 3)),
    knn_query(tree, data.frame(a = logical(), b = logical(), c = character())),
    knn_query(tree, data.frame(a = logical(), b = logical(), c = factor(character()))),
    knn_query(tree, data.frame(a = NA, b = NA, c = NA)),
    knn_query(tree, rows = character()),
    knn_query(tree, rows = list()),
    knn_query(tree, rows = factor(character())),
    knn_query(tree, rows = matrix(logical(), 0, 1)),
    knn_query(tree, numeric()),
    knn_query(tree, x[0, ], k = 0),
    knn_query(tree, x[0, ], predecessor = TRUE),
    knn_query(named, `colnames<-`(x[0, ], c("a", "b", "d"))),
    knn_query(residual, x[0, 1:2]),
    knn_query(given, x[0, ]),
    radius_query(tree, x[0, 1:2], radius = 1),
    recall_of(tree, matrix(integer(), 0, 2)),
    cover_tree(x[0, ]),
    vecchia_neighbors(x[0, ], m = 1)
  )
})
