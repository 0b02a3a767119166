# A tree uses what earlier searches have stored in it, if it is valid, and computes it again
# otherwise.

x <- uniform_points(1510, 2, seed = 271)
make_tree <- function() {
  cover_tree(x, metric = residual_correlation(kernel_matern32(lengthscale = 0.5), 8, nugget = 0.1))
}
ask <- function(tree) knn_query(tree, k = 5, recall = 0.9)
key_of <- function(tree) setdiff(ls(tree$cache), "quantized")
reread <- function(tree) unserialize(serialize(tree, NULL))

# Returns the choice with the checksum of its contents.
sealed <- function(choice, key) {
  package <- asNamespace("covertree")
  replace(choice, "seal", list(.Call(package$r_seal, c(choice[names(choice) != "seal"], key))))
}

# Returns the choice with one part replaced by an invalid one.
spoiled_choices <- function(choice) {
  edit <- function(...) replace(choice, names(list(...)), list(...))
  list(
    1, "a", TRUE, NULL, list(), list(1), mean, choice[1:3], rev(choice), unname(choice), c(choice, 1), list(choice),
    edit(effort = "a"), edit(effort = numeric()), edit(effort = c(1, 1)), edit(effort = 3L), edit(few = TRUE),
    edit(recall = 1), edit(recall = unname(choice$recall)), edit(recall = as.list(choice$recall)),
    edit(losses = 1:3), edit(losses = NULL), edit(updates = 1L), edit(updates = c(0, 0))
  )
}

test_that("a cache that is none does no harm", {
  tree <- make_tree()
  expect_sound_tree(tree)
  right <- ask(tree)
  locked <- new.env()
  lockEnvironment(locked)
  for (cache in list(NULL, list(), "a", mean, locked)) {
    expect_identical(ask(with_part(tree, "cache", cache)), right)
    spoiled <- with_part(tree, "cache", cache)
    expect_identical(ask(update_metric(spoiled, tree$metric$metric)), right)
  }
  expect_identical(ask(reread(with_part(tree, "cache", list()))), right)
})

test_that("a choice of wrong shape, or with another checksum, is made anew", {
  tree <- make_tree()
  right <- ask(tree)
  key <- key_of(tree)
  kept <- tree$cache[[key]]
  fits <- function(entry) covertree:::is_kept_choice(entry, key)
  expect_true(fits(kept))
  expect_false(covertree:::is_kept_choice(kept, paste(key, 1)))
  spoiled <- spoiled_choices(kept)
  for (entry in spoiled) {
    expect_false(fits(entry))
    if (is.list(entry) && identical(names(entry), names(kept))) expect_false(fits(sealed(entry, key)))
  }
  spoiled <- c(spoiled[c(1, 12, 20)], list(
    replace(kept, "effort", 0.05), replace(kept, "few", 17), replace(kept, "losses", list(c(1, kept$losses[-1]))),
    replace(kept, "recall", list(replace(kept$recall, 1, 0.95))), replace(kept, "seal", list(NULL))
  ))
  for (entry in spoiled) {
    expect_false(fits(entry))
    assign(key, entry, envir = tree$cache)
    expect_identical(ask(tree), right)
    expect_identical(tree$cache[[key]][1:5], kept[1:5])
    tree$cache[[key]] <- entry
    expect_identical(ask(reread(tree)), right)
    # The same holds for the choices before an update.
    fresh <- make_tree()
    fresh$cache$before <- stats::setNames(list(entry), key)
    expect_identical(ask(fresh), right)
  }
  for (before in list(1, list(1), mean, "a")) {
    fresh <- make_tree()
    fresh$cache$before <- before
    expect_identical(ask(fresh), right)
    expect_identical(ask(update_metric(fresh, tree$metric$metric))$index, right$index)
  }
})

test_that("a choice from a file is used", {
  tree <- make_tree()
  right <- ask(tree)
  key <- key_of(tree)
  # A different effort tells which choice was used.
  tree$cache[[key]] <- sealed(replace(tree$cache[[key]], "effort", 18), key)
  used <- ask(reread(tree))
  expect_gt(attr(used, "evaluations"), 2 * attr(right, "evaluations"))
  # No effort suffices.
  tree$cache[[key]] <- sealed(replace(tree$cache[[key]], "effort", NA_real_), key)
  expect_identical(ask(reread(tree)), knn_query(tree, k = 5))
})

test_that("a tree keeps its choice across files, and saves the same bytes", {
  tree <- make_tree()
  right <- ask(tree)
  bytes <- serialize(tree, NULL)
  again <- unserialize(bytes)
  expect_identical(ask(again), right)
  expect_identical(serialize(again, NULL), bytes)
})

test_that("a choice for predecessors is used again, too", {
  tree <- make_tree()
  right <- knn_query(tree, k = 5, recall = 0.9, predecessor = TRUE)
  expect_identical(knn_query(reread(tree), k = 5, recall = 0.9, predecessor = TRUE), right)
})
