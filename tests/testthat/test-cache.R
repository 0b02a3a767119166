# A tree uses what earlier searches have stored in it, if it is valid, and computes it again
# otherwise.

x <- uniform_points(1510, 2, seed = 271)
make <- list(
  euclidean = function() cover_tree(x),
  residual = function() {
    cover_tree(x, metric = residual_correlation(kernel_matern32(lengthscale = 0.5), 8, nugget = 0.1))
  }
)
ask <- function(tree) knn_query(tree, k = 5, recall = 0.9)
key_of <- function(tree) setdiff(ls(tree$cache), "quantized")
reread <- function(tree) unserialize(serialize(tree, NULL))

# Returns the choice with one part replaced by an invalid one.
spoiled_choices <- function(choice) {
  edit <- function(...) replace(choice, names(list(...)), list(...))
  exact <- choice$exact
  index <- exact$index
  list(
    1, "a", TRUE, list(), list(1), choice[1:3], rev(choice), choice$exact, mean,
    edit(effort = "a"), edit(effort = NA_real_), edit(effort = -1), edit(effort = c(1, 1)), edit(effort = 3),
    edit(evaluated = "a"), edit(evaluated = numeric()), edit(evaluated = NaN), edit(evaluated = -1),
    edit(rows = 1:3), edit(rows = as.double(choice$rows)), edit(rows = replace(choice$rows, 1, 0L)),
    edit(rows = replace(choice$rows, 5, NA)), edit(rows = replace(choice$rows, 5, 1511L)),
    edit(exact = list(index = index, distance = 1)), edit(exact = exact[1]),
    edit(exact = list(index = index[1:9, ], distance = exact$distance[1:9, ])),
    edit(exact = list(index = index + 0, distance = exact$distance)),
    edit(exact = list(index = replace(index, 7, 0L), distance = exact$distance)),
    edit(exact = list(index = replace(index, 7, 1511L), distance = exact$distance))
  )
}

for (name in names(make)) {
  test_that(paste("a cache that is none does no harm:", name), {
    tree <- make[[name]]()
    expect_sound_tree(tree)
    right <- ask(tree)
    locked <- new.env()
    lockEnvironment(locked)
    for (cache in list(NULL, list(), "a", mean, locked)) {
      expect_identical(ask(with_part(tree, "cache", cache)), right)
    }
    expect_identical(ask(reread(with_part(tree, "cache", list()))), right)
  })

  test_that(paste("a choice of wrong shape is made anew:", name), {
    tree <- make[[name]]()
    right <- ask(tree)
    key <- key_of(tree)
    kept <- tree$cache[[key]]
    spoiled <- lapply(spoiled_choices(kept[[1]]), list, kept[[2]])
    spoiled <- c(spoiled, list(1, "a", mean, kept[[1]], c(kept, 1), list(kept)))
    call <- covertree:::search_for(tree, NULL, 5L, covertree:::search_options())
    fits <- function(entry) covertree:::is_kept_choice(entry, call, 0.9, 1L)
    expect_true(fits(kept))
    expect_true(fits(kept[1]))
    for (entry in spoiled) expect_false(fits(entry))
    for (entry in spoiled[c(1, 12, 24, length(spoiled))]) {
      assign(key, entry, envir = tree$cache)
      expect_identical(ask(tree), right)
      expect_identical(tree$cache[[key]], kept)
    }
  })

  test_that(paste("a choice from a file is used if it is right, and made anew if not:", name), {
    tree <- make[[name]]()
    right <- ask(tree)
    key <- key_of(tree)
    kept <- tree$cache[[key]]
    choice <- kept[[1]]
    # The result of a different effort shows which choice the search has used.
    other_effort <- choice
    other_effort$effort <- if (name == "euclidean") 0.02 else 0.05 * 1.1^62
    used <- knn_query(local({
      assign(key, list(other_effort), envir = tree$cache)
      reread(tree)
    }), k = 5, recall = 0.9)
    expect_false(identical(attributes(used), attributes(right)))
    call <- covertree:::search_for(tree, NULL, 5L, covertree:::search_options())
    fits <- function(entry) covertree:::is_kept_choice(entry, call, 0.9, 1L)
    expect_true(fits(list(other_effort)))
    exact <- choice$exact
    for (wrong in list(
      list(rows = choice$rows[c(2, 1, 3:500)]), list(rows = replace(choice$rows, 3, choice$rows[3] + 1L)),
      list(exact = list(index = exact$index, distance = replace(exact$distance, 11, 0.3))),
      list(exact = list(index = replace(exact$index, 11, 4L), distance = exact$distance)),
      list(exact = list(index = replace(exact$index, 11, NA), distance = exact$distance))
    )) {
      expect_false(fits(list(replace(other_effort, names(wrong), wrong))))
    }
    assign(key, list(replace(other_effort, names(wrong), wrong), kept[[2]]), envir = tree$cache)
    expect_identical(ask(reread(tree)), right)
  })
}

test_that("a tree keeps its choice across files, and saves the same bytes", {
  for (make_one in make) {
    tree <- make_one()
    right <- ask(tree)
    bytes <- serialize(tree, NULL)
    again <- unserialize(bytes)
    expect_identical(ask(again), right)
    expect_identical(serialize(again, NULL), bytes)
  }
})

test_that("a choice for predecessors is used again, too", {
  for (make_one in make) {
    tree <- make_one()
    right <- knn_query(tree, k = 5, recall = 0.9, predecessor = TRUE)
    expect_identical(knn_query(reread(tree), k = 5, recall = 0.9, predecessor = TRUE), right)
  }
})
