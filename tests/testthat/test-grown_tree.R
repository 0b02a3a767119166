# The answers of a tree that has grown are those of one tree of the same points, with its rows mapped.

# All points that were inserted, by row number, and whether each remains.
new_book <- function(x) list(x = x, left = rep(TRUE, nrow(x)))

left_rows <- function(book) which(book$left)

# One tree of the points that are left: the oracle. A matrix of row numbers of it is renumbered.
one_tree <- function(book, metric = "euclidean") {
  cover_tree(book$x[book$left, , drop = FALSE], metric = metric)
}

renumber <- function(index, book) {
  index[] <- left_rows(book)[index]
  index
}

expect_grown_knn <- function(tree, book, one, ..., rows = NULL) {
  found <- knn_query(tree, ..., rows = rows)
  same <- knn_query(one, ..., rows = if (!is.null(rows)) match(rows, left_rows(book)))
  expect_identical(found$index, renumber(same$index, book))
  expect_identical(found$distance, same$distance)
  expect_identical(attr(found, "exact"), attr(same, "exact"))
}

expect_grown_radius <- function(tree, book, one, ..., rows = NULL) {
  found <- radius_query(tree, ..., rows = rows)
  same <- radius_query(one, ..., rows = if (!is.null(rows)) match(rows, left_rows(book)))
  expect_identical(found$index, lapply(same$index, renumber, book))
  expect_identical(found$distance, same$distance)
  expect_identical(found$count, same$count)
}

expect_same_tree <- function(tree, book, metric = "euclidean") {
  one <- one_tree(book, metric)
  rows <- left_rows(book)
  expect_identical(tree_rows(tree), rows)
  expect_identical(dim(tree), dim(book$x[book$left, , drop = FALSE]))
  expect_identical(as.matrix(tree), unname(book$x[book$left, , drop = FALSE]))
  asked <- rows[sample.int(length(rows), min(5, length(rows)))]
  query <- book$x[sample.int(nrow(book$x), 4), , drop = FALSE]
  radius <- knn_query(one, query, k = 4)$distance[1, 4]
  if (is.na(radius)) radius <- 1
  expect_grown_knn(tree, book, one, query = query, k = 3)
  expect_grown_knn(tree, book, one, k = 4, rows = rev(asked))
  expect_grown_knn(tree, book, one, k = 3, predecessor = TRUE, rows = asked)
  expect_grown_radius(tree, book, one, query = query, radius = radius)
  expect_grown_radius(tree, book, one, radius = radius, rows = asked)
  expect_grown_knn(tree, book, one, query = query, k = 5, max_distance = radius)
  expect_grown_knn(tree, book, one, k = 4, rows = c(asked, asked), max_distance = c(asked, -asked + max(asked)) / 50)
  expect_identical(radius_query(tree, radius = radius, rows = rows, count_only = TRUE),
                   radius_query(one, radius = radius, count_only = TRUE))
}

# Integers, so that many distances are equal.
draw_points <- function(count, d) matrix(as.double(sample.int(12, count * d, replace = TRUE)), count, d)

# Inserts batches and removes points at random, and calls check(tree, book) after each.
grow_at_random <- function(steps, d, metric, check) {
  book <- new_book(draw_points(60, d))
  tree <- cover_tree(book$x, metric = metric, leaf_size = 8)
  for (step in seq_len(steps)) {
    if (step %% 3 > 0) {
      new <- draw_points(sample(c(1, 3, 20, 70), 1), d)
      tree <- insert_points(tree, new)
      book$x <- rbind(book$x, new)
      book$left <- c(book$left, rep(TRUE, nrow(new)))
    } else {
      gone <- sample(left_rows(book), sample(c(1, 5, 30), 1))
      tree <- remove_points(tree, gone)
      book$left[gone] <- FALSE
    }
    check(tree, book)
  }
  invisible(tree)
}

test_that("a tree that grows and shrinks answers as one tree of the points that are left", {
  set.seed(20)
  for (d in c(1, 3)) {
    tree <- grow_at_random(12, d, "euclidean", expect_same_tree)
    expect_s3_class(tree, "cover_tree")
  }
})

test_that("it does by other metrics", {
  set.seed(21)
  for (metric in list("manhattan", "maximum", "cosine", metric_minkowski(3), metric_mahalanobis(diag(1:3)),
                      metric_great_circle(), metric_scaled("manhattan", c(1, 2, 5)))) {
    grow_at_random(4, 3, metric, function(tree, book) expect_same_tree(tree, book, metric))
  }
})

test_that("queries for all points list what is left, and merge the parts", {
  set.seed(22)
  grow_at_random(9, 2, "euclidean", function(tree, book) {
    one <- one_tree(book)
    all <- knn_query(tree, k = 3)
    same <- knn_query(one, k = 3)
    expect_identical(all$index, renumber(same$index, book))
    expect_identical(all$distance, same$distance)
    expect_identical(attr(all, "rows"), if (!all(book$left)) left_rows(book))
    near <- radius_query(tree, radius = 2)
    expect_identical(near$index, lapply(radius_query(one, radius = 2)$index, renumber, book))
    expect_identical(attr(near, "rows"), attr(all, "rows"))
    before <- knn_query(tree, k = 3, predecessor = TRUE)
    expect_identical(before$index, renumber(knn_query(one, k = 3, predecessor = TRUE)$index, book))
    for (i in 1:3) knn_query(tree, k = 1)
    expect_equal(nrow(summary(tree)$parts), 1)
    expect_same_tree(tree, book)
  })
})

test_that("searches that need one tree get one", {
  set.seed(23)
  x <- matrix(rnorm(900), ncol = 3)
  tree <- remove_points(insert_points(cover_tree(x[1:200, ]), x[201:300, ]), 7)
  one <- cover_tree(x[-7, ])
  for (settings in list(list(epsilon = 0.5), list(budget = 50), list(recall = 0.9))) {
    found <- do.call(knn_query, c(list(tree, k = 4), settings))
    same <- do.call(knn_query, c(list(one, k = 4), settings))
    expect_identical(found$index, array(setdiff(1:300, 7L)[same$index], dim(same$index)))
    expect_identical(attr(found, "recall"), attr(same, "recall"))
  }
  tree <- remove_points(insert_points(cover_tree(x[1:200, ]), x[201:300, ]), 7)
  found <- knn_query(tree, k = 4)
  expect_equal(recall_of(tree, found)$estimate, 1)
  found$index[1:10, 1] <- NA
  expect_equal(recall_of(tree, found)$estimate, 1 - 10 / (4 * 299))
})

test_that("the old tree answers as before", {
  x <- as.matrix(quakes[, 1:3])
  tree <- cover_tree(x[1:800, ])
  before <- knn_query(tree, k = 3)
  grown <- insert_points(tree, x[801:1000, ])
  fewer <- remove_points(grown, 1:20)
  expect_identical(knn_query(tree, k = 3), before)
  expect_identical(knn_query(grown, k = 3), knn_query(cover_tree(x), k = 3))
  expect_identical(length(fewer), 980L)
  expect_identical(length(grown), 1000L)
  expect_identical(length(tree), 800L)
})

test_that("parts are few, and each has fewer points than the part before", {
  set.seed(24)
  tree <- cover_tree(draw_points(50, 2))
  for (i in 1:60) {
    tree <- insert_points(tree, draw_points(10, 2))
    points <- summary(tree)$parts$points
    expect_true(all(diff(points) < 0))
    expect_lte(length(points), 8)
  }
})

test_that("a part is rebuilt when a quarter of it is removed", {
  set.seed(25)
  tree <- remove_points(cover_tree(draw_points(100, 2)), 1:24)
  expect_identical(summary(tree)$parts$removed, 24L)
  tree <- remove_points(tree, 25)
  expect_identical(summary(tree)$parts$removed, 0L)
  expect_identical(tree_rows(tree), 26:100)
  expect_snapshot(tree)
})

test_that("compact() makes one tree, and keeps the row numbers", {
  x <- as.matrix(quakes[, 1:3])
  grown <- insert_points(insert_points(cover_tree(x[1:700, ]), x[701:950, ]), x[951:1000, ])
  expect_identical(all.equal(compact(grown), cover_tree(x)), TRUE)
  tree <- cover_tree(x)
  expect_identical(compact(tree), tree)
  fewer <- compact(remove_points(grown, c(1, 1000)))
  expect_equal(nrow(summary(fewer)$parts), 1)
  expect_identical(tree_rows(fewer), 2:999)
  # The number of the last point is not used again.
  more <- insert_points(fewer, x[1, , drop = FALSE])
  expect_identical(tree_rows(more), c(2:999, 1001L))
})

test_that("a tree that has grown can be saved", {
  x <- as.matrix(quakes[, 1:3])
  tree <- remove_points(insert_points(cover_tree(x[1:700, ]), x[701:1000, ]), c(3, 800))
  file <- tempfile(fileext = ".rds")
  saveRDS(tree, file)
  again <- readRDS(file)
  expect_identical(knn_query(again, x[1:9, ], k = 5), knn_query(tree, x[1:9, ], k = 5))
  expect_identical(as.matrix(again), as.matrix(tree))
  expect_identical(tree_rows(insert_points(again, x[1:2, ])), c(tree_rows(tree), 1001:1002))
})

test_that("nothing is left when all points are removed, and points can be added again", {
  x <- as.matrix(quakes[, 1:3])
  tree <- remove_points(cover_tree(x), 1:1000)
  expect_identical(dim(tree), c(0L, 3L))
  expect_identical(dim(as.matrix(tree)), c(0L, 3L))
  expect_identical(tree_rows(tree), integer())
  found <- knn_query(tree, x[1:2, ], k = 3)
  expect_true(all(is.na(found$index)) && all(is.na(found$distance)))
  expect_identical(dim(knn_query(tree, k = 3)$index), c(0L, 3L))
  expect_identical(radius_query(tree, x[1:2, ], radius = 1)$count, c(0L, 0L))
  expect_identical(length(radius_query(tree, radius = 1)$count), 0L)
  expect_output(print(summary(tree)), "0 parts, 1,000 points removed")
  expect_identical(dim(compact(tree)), c(0L, 3L))
  again <- insert_points(tree, x[1:5, ])
  expect_identical(tree_rows(again), 1001:1005)
  expect_identical(knn_query(again, x[1, , drop = FALSE], k = 1)$index[1], 1001L)
})

test_that("columns are matched, and nothing to do changes nothing", {
  x <- as.matrix(quakes[, 1:3])
  tree <- cover_tree(x[1:990, ])
  expect_message(grown <- insert_points(tree, x[991:1000, 3:1]), "another order")
  expect_identical(as.matrix(grown), x)
  expect_identical(insert_points(tree, x[0, ]), tree)
  expect_identical(remove_points(tree, integer()), tree)
  expect_identical(insert_points(tree, as.data.frame(x[991:1000, ])) |> as.matrix(), x)
})

test_that("bad arguments are refused", {
  x <- as.matrix(quakes[, 1:3])
  tree <- insert_points(cover_tree(x[1:990, ]), x[991:1000, ])
  fewer <- remove_points(tree, 5)
  damaged <- tree
  attr(damaged, "class") <- NULL
  damaged$state <- list2env(list(parts = list()))
  class(damaged) <- class(tree)
  expect_snapshot(error = TRUE, {
    insert_points(tree)
    insert_points(1, x)
    insert_points(tree, x[, 1:2])
    insert_points(tree, `colnames<-`(x, c("lat", "long", "height")))
    insert_points(tree, "a")
    insert_points(tree, c(1, 2, 3))
    insert_points(tree, replace(x, 5, NA))
    insert_points(tree, 1e200 * x)
    insert_points(tree, x, threads = 0)
    remove_points(tree)
    remove_points(tree, NULL)
    remove_points(tree, 1001)
    remove_points(tree, 0)
    remove_points(tree, 1.5)
    remove_points(tree, NA)
    remove_points(tree, "a")
    remove_points(tree, -1)
    remove_points(fewer, c(4, 5))
    knn_query(fewer, rows = 5, k = 1)
    knn_query(fewer, rows = 1001, k = 1)
    knn_query(fewer, x, predecessor = TRUE)
    knn_query(fewer, x[, 1:2])
    radius_query(fewer, radius = 1, rows = 5)
    recall_of(fewer, matrix(5L, 999, 1))
    tree_arrays(fewer)
    validate_tree(fewer)
    compact("a")
    tree_rows(NULL)
    insert_points(cover_tree(iris, metric = metric_gower()), iris)
    insert_points(cover_tree(3, metric = metric_function(function(i, j) abs(i - j), n = 3)), 1)
    insert_points(cover_tree(x, metric = residual_correlation(kernel_matern32(lengthscale = 1), 10)), x)
    dim(damaged)
  })
})

test_that("a damaged file is refused", {
  x <- as.matrix(quakes[, 1:3])
  damage <- function(change) {
    tree <- remove_points(insert_points(cover_tree(x[1:500, ]), x[501:600, ]), c(510, 520))
    tree$state$parts[[2]] <- change(tree$state$parts[[2]])
    knn_query(tree, x[1:3, ], k = 1)
  }
  expect_error(damage(function(part) replace(part, "rows", list(1:3))), "do not fit its points")
  expect_error(damage(function(part) replace(part, "rows", list(100:1))), "not in order")
  expect_error(damage(function(part) replace(part, "rows", 400L)), "not in order of rows")
  expect_error(damage(function(part) replace(part, "rows", .Machine$integer.max)), "out of range")
  expect_error(damage(function(part) replace(part, "removed", list(raw(3)))), "do not fit its points")
  expect_error(damage(function(part) part[-1]), "tree is damaged")
  expect_error(damage(function(part) replace(part, "count", NA)), "tree is damaged")
  expect_error(damage(function(part) 1), "tree is damaged")
  wider <- insert_points(cover_tree(as.matrix(quakes[1:500, ])), as.matrix(quakes[501:600, ]))
  tree <- insert_points(cover_tree(x[1:500, ]), x[501:600, ])
  for (t in list(wider, tree)) knn_query(t, rows = 1, k = 1)
  tree$state$parts <- wider$state$parts
  expect_error(knn_query(tree, x[1:3, ], k = 1), "other columns")
  expect_error(radius_query(tree, x[1:3, ], radius = 1), "other columns")
})

test_that("edited values of the state of a grown tree are refused, also without parts", {
  x <- as.matrix(quakes[, 1:3])
  edit <- function(name, value) {
    tree <- insert_points(cover_tree(x[1:500, ]), x[501:600, ])
    assign(name, value, tree$state)
    tree
  }
  batch <- list(z = unname(x[501:600, ]), x = NULL, rows = 501:600)
  edited <- list(edit("parts", NULL), edit("pending", list(replace(batch, "rows", list(1:3)))),
                 edit("pending", list(replace(batch, "z", list(x[501:600, 1:2])))), edit("layout", NULL),
                 edit("leaf_size", -1L), edit("extent", 1), edit("next_row", NA_real_), edit("d", "3"))
  for (tree in edited) expect_error(knn_query(tree, k = 1), "tree is damaged")
  expect_identical(length(edit("pending", list(batch))), 600L)
})

test_that("sets and points on a torus may be added", {
  bits <- matrix(rbinom(240 * 9, 1, 0.4), 240)
  torus <- matrix(runif(480), 240)
  for (case in list(list(bits, "hamming"), list(bits, "jaccard"), list(torus, metric_periodic(c(1, NA))))) {
    x <- case[[1]]
    one <- cover_tree(x, metric = case[[2]])
    grown <- insert_points(cover_tree(x[1:150, ], metric = case[[2]]), x[151:200, ])
    grown <- insert_points(grown, x[201:240, ])
    expect_identical(knn_query(grown, k = 6), knn_query(one, k = 6))
    expect_identical(radius_query(grown, radius = 0.3), radius_query(one, radius = 0.3))
    fewer <- remove_points(grown, c(5, 220))
    expect_identical(knn_query(compact(fewer), rows = c(7, 210), k = 4),
                     knn_query(fewer, rows = c(7, 210), k = 4))
  }
  expect_error(insert_points(cover_tree(bits, metric = "jaccard"), rbind(rep(2, 9))), "0, 1, FALSE or TRUE")
})

test_that("new points are matched like queries by the metrics that keep them as given", {
  sets <- matrix(runif(60 * 5) < 0.5, 60)
  grown <- insert_points(cover_tree(sets[1:50, ], metric = "jaccard"), sets[51:60, ])
  expect_identical(knn_query(grown, k = 4), knn_query(cover_tree(sets, metric = "jaccard"), k = 4))
  expect_identical(as.matrix(grown), 1 * sets)
  places <- cbind(lat = runif(40, -80, 80), lon = runif(40, -170, 170))
  renamed <- cbind(longitude = places[31:40, 2], latitude = places[31:40, 1])
  grown <- insert_points(cover_tree(places[1:30, ], metric = metric_great_circle()), renamed) |> suppressMessages()
  expect_identical(as.matrix(grown), places)
  expect_identical(dimnames(compact(grown)), dimnames(places))
  # Without names in the tree, those of the new points tell the columns.
  unnamed <- insert_points(cover_tree(unname(places[1:30, 2:1]), metric = metric_great_circle()), places[31:40, ])
  expect_identical(as.matrix(unnamed), unname(places[, 2:1]))
  for (tree in list(unnamed, compact(unnamed))) expect_identical(knn_query(tree, k = 3), knn_query(grown, k = 3))
})
