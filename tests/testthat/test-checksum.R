# A saved tree contains checksums: a flipped bit in its numbers is an error, or changes no result.

threads_before <- covertree_threads(1)

numbers <- c("points", "row", "center", "parent", "first_child", "next_sibling", "subtree_begin",
             "subtree_end", "level", "min_row", "radius", "lower", "upper")

saved_points <- function() uniform_points(150, 3, seed = 401)
saved_metric <- function(inducing = 12) {
  residual_correlation(kernel_matern52(variance = 1.3, lengthscale = c(0.3, 0.7, 0.45)), inducing,
                       nugget = 0.01)
}
given_factors <- function() {
  v <- with_seed(402, matrix(rnorm(150 * 5) / 4, 150, 5))
  residual_correlation(kernel_rbf(lengthscale = 0.4), v = v, p = with_seed(403, runif(150)))
}
saved_trees <- function() {
  list(euclidean = cover_tree(saved_points(), leaf_size = 8),
       residual = cover_tree(saved_points(), leaf_size = 8, metric = saved_metric()),
       given = cover_tree(saved_points(), leaf_size = 8, metric = given_factors()))
}

again <- function(tree, ...) unserialize(serialize(tree, NULL, ...))

# Returns the position of the numbers of a vector in the bytes of a saved object.
bytes_of_vector <- function(vector, bytes) {
  wanted <- writeBin(as.vector(vector), raw(), endian = "big")
  at <- grepRaw(wanted, bytes, fixed = TRUE, all = TRUE)
  if (length(at) == 0) stop("the vector is not there")
  lapply(at, function(first) first + seq_along(wanted) - 1)
}

flip <- function(bytes, at, bit) {
  bytes[at] <- xor(bytes[at], as.raw(2^bit))
  unserialize(bytes)
}

# Returns the results of all functions of a tree.
ask_everything <- function(tree) {
  query <- if (!identical(tree$metric$metric$inducing, NULL) || is.null(tree$metric)) saved_points()[1:20, ] + 0.01
  answers <- list(knn_query(tree, k = 7), knn_query(tree, k = 4, predecessor = TRUE),
                  as.matrix(tree), dim(tree), format(tree$metric$metric))
  if (is.null(tree$metric)) answers <- c(answers, list(radius_query(tree, radius = 0.3)))
  else answers <- c(answers, list(knn_query(tree, k = 5, budget = 30)))
  if (!is.null(query)) answers <- c(answers, list(knn_query(tree, query, k = 3)))
  answers
}

# Flips single bits of a vector at each of its positions in the saved tree. Returns the messages.
flip_bits <- function(tree, vector, times, label) {
  bytes <- serialize(tree, NULL)
  right <- ask_everything(tree)
  messages <- character()
  for (place in bytes_of_vector(vector, bytes)) for (time in seq_len(times)) {
    at <- place[with_seed(time, sample(length(place), 1))]
    bit <- if (time == 1) 7 else with_seed(time, sample(0:7, 1))
    found <- tryCatch(ask_everything(flip(bytes, at, bit)), error = conditionMessage)
    if (is.character(found)) messages <- c(messages, found)
    else expect(identical(found, right), paste(label, "gives another answer, byte", at, "bit", bit))
  }
  messages
}

test_that("a flipped bit in any array of a saved tree is refused, and the array is named", {
  tree <- saved_trees()$euclidean
  arrays <- tree_arrays(tree)
  for (name in numbers) {
    messages <- flip_bits(tree, arrays[[name]], 12, name)
    expect_gte(length(messages), 12)
    blamed <- grepl(paste0("tree array `", name, "` is damaged: it does not match"), messages)
    # Sizes are checked first, so the message may name another array.
    expect(all(blamed | grepl("^tree array `\\w+` must", messages)), paste(name, "is not named"))
    expect_gte(sum(blamed), 9)
  }
  expect_identical(ask_everything(again(tree)), ask_everything(tree))
})

test_that("a change of a name or a setting is refused, whatever the encoding of names", {
  x <- saved_points()
  dimnames(x) <- list(sprintf("row %d", seq_len(150)), c("width", "l\u00e4nge", "H\u00f6he"))
  for (metric in list("euclidean", saved_metric())) {
    tree <- cover_tree(x, leaf_size = 77, metric = metric)
    bytes <- serialize(tree, NULL)
    expect_identical(as.matrix(unserialize(bytes)), x)
    for (text in c("width", "row 17", "hilbert")) {
      at <- grepRaw(charToRaw(text), bytes, fixed = TRUE, all = TRUE)
      for (first in at) expect_error(as.matrix(flip(bytes, first + 1, 0)), "damaged: .* match its checksum")
    }
  }
  latin <- x
  colnames(latin) <- iconv(colnames(x), "UTF-8", "latin1")
  sums <- function(x) .Call(covertree:::r_tree_arrays, cover_tree(x)$pointer)$checksums
  expect_identical(sums(latin), sums(x))
  colnames(latin)[2] <- "l\xe4nge"
  Encoding(colnames(latin)) <- "bytes"
  expect_identical(as.matrix(again(cover_tree(latin))), latin)
})

test_that("a flipped bit in what a metric needs is refused, and it is named", {
  for (tree in saved_trees()[-1]) {
    state <- tree$metric
    parts <- covertree:::state_parts(state)
    parts$lengthscale <- state$metric$kernel$lengthscale
    parts$variance <- state$code$variance
    parts$own <- c(state$metric$v)
    parts$points <- tree_arrays(tree)$points
    parts$metric <- NULL
    for (name in names(Filter(length, parts))) {
      messages <- flip_bits(tree, parts[[name]], 10, name)
      expect_gte(length(messages), 10)
      expect(all(grepl("damaged|must be one that cover_tree", messages)), paste(name, messages[1]))
      if (name %in% c("z", "p", "inducing", "factor")) {
        # Factors v and p that the user gave are also in the metric.
        named <- grepl(paste0("`", name, "`"), messages) | (!is.null(parts$own) & grepl("`metric`", messages))
        expect(all(named), paste(name, "is not named"))
      }
    }
    expect_identical(ask_everything(again(tree)), ask_everything(tree))
    expect_identical(ask_everything(again(again(tree), xdr = FALSE)), ask_everything(tree))
    expect_identical(ask_everything(again(tree, ascii = NA)), ask_everything(tree))
  }
})

# Replaces one number in the bytes of a saved tree.
put_value <- function(tree, vector, i, value) {
  bytes <- serialize(tree, NULL)
  at <- bytes_of_vector(vector, bytes)[[1]][8 * (i - 1) + 1:8]
  bytes[at] <- writeBin(value, raw(), endian = "big")
  unserialize(bytes)
}

test_that("values that make no sense are refused once and for all", {
  tree <- saved_trees()$residual
  points <- tree$metric$code$points
  expect_complaints_for(list(NaN, -1, Inf), knn_query(put_value(tree, points$p, 2, value), k = 3))
  expect_complaints_for(list(NaN, Inf), knn_query(put_value(tree, points$z, 5, value), k = 3))
  expect_complaints_for(list(NaN, -Inf), knn_query(put_value(tree, points$v, 9, value), k = 3))
  damaged <- put_value(tree, points$p, 2, 0.5)
  expect_complaints(
    knn_query(damaged, k = 3),
    knn_query(damaged, saved_points()[1:2, ], k = 3, recall = 0.9),
    recall_of(damaged, matrix(1:3, 150, 3)),
    update_metric(damaged, saved_metric(5)),
    as.matrix(damaged)
  )
  for (time in 1:2) expect_error(knn_query(damaged, k = 3), "`p` does not match its checksum")
})

test_that("a metric that is edited by hand is refused, and the tree it came from is not", {
  tree <- saved_trees()$residual
  right <- knn_query(tree, k = 3)
  expect_edit <- function(edit, message) {
    state <- tree$metric
    edited <- with_part(tree, "metric", edit(state))
    expect_error(knn_query(edited, saved_points(), k = 3), message)
    expect_identical(knn_query(tree, k = 3), right)
  }
  expect_edit(function(state) { state$code$points$p[3] <- NaN; state }, "number 3 of `p` is NaN")
  expect_edit(function(state) { state$code$points$v[1, 1] <- 0.1; state }, "`v` does not match its checksum")
  expect_edit(function(state) { state$metric$kernel$variance <- 9; state }, "`metric` does not match")
  expect_edit(function(state) { names(state$metric$kernel)[1] <- "kin"; state }, "`metric` does not match")
  expect_edit(function(state) { state$seal <- NULL; state }, "no checksums")
  # These values have no other reference, so R could change them in place.
  parts <- unclass(saved_trees()$residual)
  parts$metric$code$points$p[3] <- 0.5
  expect_error(knn_query(structure(parts, class = "cover_tree"), k = 3), "`p` does not match its checksum")
})

# An element that has lost its name would be NULL if code takes it by name.
test_that("a flipped bit in the name of a kernel's part is refused", {
  tree <- saved_trees()$residual
  bytes <- serialize(tree, NULL)
  for (name in names(tree$metric$metric$kernel)) {
    for (at in grepRaw(charToRaw(name), bytes, fixed = TRUE, all = TRUE)) {
      expect_error(knn_query(flip(bytes, at, 0), saved_points(), k = 3),
                   "`metric` does not match|metric must be one that cover_tree")
    }
  }
})

test_that("checksums are compared once in a session", {
  fresh <- function(tree) {
    .Call(covertree:::r_seal_is_fresh, tree$metric$seal, covertree:::state_parts(tree$metric))
  }
  for (tree in saved_trees()[-1]) {
    expect_true(fresh(tree))
    bytes <- serialize(tree, NULL)
    restored <- unserialize(bytes)
    expect_false(fresh(restored))
    knn_query(restored, k = 2)
    expect_true(fresh(restored))
    expect_true(fresh(update_metric(restored, saved_metric(3))))
    expect_identical(serialize(restored, NULL), bytes)
  }
})

test_that("a tree saved as text is refused where it lost bits", {
  for (tree in saved_trees()) {
    expect_error(knn_query(again(tree, ascii = TRUE), k = 3), "tree array `points`.* ascii = TRUE")
  }
  whole <- cover_tree(clouds$integers())
  expect_identical(knn_query(again(whole, ascii = TRUE), k = 3), knn_query(whole, k = 3))
})

test_that("a checksum that is itself damaged is refused", {
  tree <- saved_trees()$euclidean
  bytes <- serialize(tree, NULL)
  sums <- .Call(covertree:::r_tree_arrays, tree$pointer)$checksums
  expect_match(sums, "^[0-9a-f]{16}$")
  expect_length(sums, length(tree_arrays(tree)))
  expect_length(unique(sums), length(sums))
  at <- grepRaw(charToRaw(sums[1]), bytes, fixed = TRUE)
  expect_error(knn_query(flip(bytes, at, 0), k = 2), "`points` is damaged: it does not match")
})

test_that("arrays are handed out without checksums, and edited ones make a tree with its own", {
  tree <- saved_trees()$euclidean
  arrays <- tree_arrays(tree)
  expect_null(arrays$checksums)
  copy <- cover_tree_from_arrays(arrays)
  expect_identical(.Call(covertree:::r_tree_arrays, copy$pointer), .Call(covertree:::r_tree_arrays, tree$pointer))
  # A small change of a point that defines no box and no radius gives a valid tree.
  moved <- NULL
  for (i in seq_len(150)) {
    edited <- arrays
    edited$points[i, ] <- edited$points[i, ] * (1 + 2^-40)
    moved <- tryCatch(cover_tree_from_arrays(edited), error = function(e) NULL)
    if (!is.null(moved)) break
  }
  expect_sound_tree(moved)
  expect_identical(tree_arrays(again(moved)), edited)
  expect_same_knn(knn_query(again(moved), k = 5), oracle_knn(as.matrix(moved), k = 5))
})

covertree_threads(threads_before)
