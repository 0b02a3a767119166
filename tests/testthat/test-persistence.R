# A tree can be saved, copied and sent to other processes; it is checked before its first use there.

expect_same_tree <- function(actual, expected) {
  expect_sound_tree(actual)
  expect_identical(knn_query(actual, k = 4), knn_query(expected, k = 4))
  expect_identical(radius_query(actual, radius = 1), radius_query(expected, radius = 1))
  expect_identical(tree_arrays(actual), tree_arrays(expected))
  expect_identical(as.matrix(actual), as.matrix(expected))
}

thaw <- function(bytes) unserialize(bytes)
freeze <- function(tree) serialize(tree, NULL)

test_that("trees survive saveRDS() and readRDS()", {
  file <- tempfile()
  on.exit(unlink(file))
  for (cloud in clouds) {
    tree <- sound_tree(cloud(), leaf_size = 4)
    saveRDS(tree, file)
    expect_same_tree(readRDS(file), tree)
  }
})

test_that("a tree survives save(), load() and serialize(), again and again", {
  file <- tempfile()
  on.exit(unlink(file))
  tree <- original <- sound_tree(clouds$grid())
  for (round in 1:3) tree <- thaw(freeze(tree))
  expect_same_tree(tree, original)
  save(tree, file = file)
  rm(tree)
  load(file)
  expect_same_tree(tree, original)
  expect_same_tree(unserialize(serialize(tree, NULL, ascii = NA)), original)
  expect_same_tree(unserialize(serialize(tree, NULL, xdr = FALSE)), original)
})

test_that("each function is a first use that a restored tree survives", {
  bytes <- freeze(sound_tree(clouds$grid()))
  uses <- list(
    dim, length, format, as.matrix, summary, tree_arrays, validate_tree, knn_query,
    function(tree) radius_query(tree, radius = 1),
    function(tree) knn_query(tree, matrix(0, 1, 2), k = 2),
    function(tree) utils::capture.output(print(tree), str(tree))
  )
  for (use in uses) expect_identical(use(thaw(bytes)), use(thaw(freeze(thaw(bytes)))))
})

test_that("saving twice gives the same bytes, whether the tree was used or not", {
  tree <- sound_tree(clouds$uniform())
  first <- freeze(tree)
  expect_identical(freeze(tree), first)
  knn_query(tree, k = 3)
  tree_arrays(tree)
  expect_identical(freeze(tree), first)
  expect_identical(freeze(thaw(first)), first)
  used <- thaw(first)
  knn_query(used, k = 3)
  expect_identical(freeze(used), first)
})

test_that("the first use of a restored tree copies nothing of the size of the points", {
  skip_if_not(capabilities("profmem"))
  x <- uniform_points(50000, 4)
  tree <- thaw(freeze(cover_tree(x)))
  log <- tempfile()
  on.exit(unlink(log))
  utils::Rprofmem(log, threshold = 8 * length(x))
  dim(tree)
  utils::Rprofmem(NULL)
  expect_length(grep("^[0-9]", readLines(log)), 0)
  expect_sound_tree(tree, x)
})

test_that("copies of a tree are the same tree", {
  tree <- sound_tree(clouds$normal())
  copies <- list(tree, c(list(tree), 1)[[1]], thaw(freeze(list(tree, tree)))[[2]])
  for (copy in copies) expect_same_tree(copy, tree)
  rm(copies, copy)
  expect_same_tree((function(tree) tree)(tree), tree)
})

test_that("a fresh R process reads a tree and gives the same answer", {
  file <- tempfile()
  on.exit(unlink(file))
  tree <- sound_tree(clouds$clustered(), leaf_size = 4)
  saveRDS(tree, file)
  found <- in_fresh_r(function(file) {
    tree <- readRDS(file)
    list(knn_query(tree, k = 4), validate_tree(tree)$valid, tree)
  }, file)
  expect_identical(found[[1]], knn_query(tree, k = 4))
  expect_true(found[[2]])
  expect_same_tree(found[[3]], tree)
})

test_that("a worker of the parallel package gives the same answer", {
  local_env(c(R_TESTS = NA))
  workers <- parallel::makeCluster(1)
  on.exit(parallel::stopCluster(workers), add = TRUE)
  tree <- sound_tree(clouds$circle())
  ask <- function(tree, library) {
    .libPaths(library)
    list(knn = covertree::knn_query(tree, k = 4), tree = tree)
  }
  found <- parallel::clusterCall(workers, in_globalenv(ask), tree, .libPaths())[[1]]
  expect_identical(found$knn, knn_query(tree, k = 4))
  expect_same_tree(found$tree, tree)
})

# Returns the tree with one number changed in its serialized bytes, as from a damaged file. `from`
# must occur once.
edit_bytes <- function(tree, from, to) {
  bytes <- freeze(tree)
  as_bytes <- function(value) {
    head <- c(if (is.integer(value)) 13L else 14L, length(value))
    c(writeBin(head, raw(), endian = "big"), writeBin(value, raw(), endian = "big"))
  }
  at <- grepRaw(as_bytes(from), bytes, fixed = TRUE, all = TRUE)
  stopifnot(length(at) == 1, length(from) == length(to), typeof(from) == typeof(to))
  new <- as_bytes(to)
  bytes[at + seq_along(new) - 1] <- new
  thaw(bytes)
}

test_that("a damaged file is noticed at the first use, and at every further one", {
  x <- clouds$uniform()
  tree <- sound_tree(x, leaf_size = 9)
  arrays <- tree_arrays(tree)
  for (name in c("row", "center", "parent", "first_child", "next_sibling", "subtree_begin",
                 "subtree_end", "level", "min_row", "radius")) {
    for (at in c(1, 5, length(arrays[[name]]))) {
      wrong <- arrays[[name]]
      wrong[at] <- if (is.integer(wrong)) 12345L else 12345
      worse <- edit_bytes(tree, arrays[[name]], wrong)
      for (use in list(dim, knn_query, tree_arrays, validate_tree)) {
        expect_error(use(worse), paste0("tree array `(", name, "|center|subtree_begin)` is damaged"))
      }
    }
  }
  expect_sound_tree(tree, x)
})

# The tree with another list of arrays behind its pointer, as a file of another version has it.
# serialize() numbers the symbols of a list after a pointer in the same way as behind it.
with_arrays <- function(tree, arrays) {
  item <- function(list) {
    nothing <- serialize(list(methods::new("externalptr"), NULL), NULL)
    serialize(list(methods::new("externalptr"), list), NULL)[-seq_len(length(nothing) - 4)]
  }
  bytes <- freeze(tree)
  from <- item(kept_arrays(tree))
  at <- grepRaw(from, bytes, fixed = TRUE, all = TRUE)
  stopifnot(length(at) == 1)
  thaw(c(bytes[seq_len(at - 1)], item(arrays), bytes[-seq_len(at + length(from) - 1)]))
}

# With the checksums.
kept_arrays <- function(tree) .Call(covertree:::r_tree_arrays, tree$pointer)

# The arrays of the first version of the format.
first_version <- function(arrays) {
  arrays$format <- 1L
  names(arrays)[match(c("center", "layout"), names(arrays))] <- c("centre", "order")
  arrays
}

# All that takes a tree.
uses_of_a_tree <- list(
  print, format, utils::str, summary, dim, length, dimnames, as.matrix, tree_arrays, validate_tree, knn_query,
  function(tree) knn_query(tree, matrix(0, 1, 3), k = 2),
  function(tree) knn_query(tree, matrix(0, 0, 3), k = 2),
  function(tree) knn_query(tree, k = 2, rows = 1:2),
  function(tree) knn_query(tree, k = 2, recall = 0.9),
  function(tree) knn_query(tree, k = 2, budget = 20),
  function(tree) knn_query(tree, k = 2, predecessor = TRUE),
  function(tree) radius_query(tree, radius = 1),
  function(tree) recall_of(tree, matrix(1L, 200, 1)),
  function(tree) all.equal(tree, sound_tree(clouds$uniform())),
  function(tree) all.equal(sound_tree(clouds$uniform()), tree),
  function(tree) update_metric(tree, residual_correlation(kernel_rbf()))
)

test_that("a list of arrays put behind the pointer of a tree is used", {
  tree <- sound_tree(clouds$uniform(), leaf_size = 9)
  expect_same_tree(with_arrays(tree, kept_arrays(tree)), tree)
})

test_that("a tree of an earlier version is refused by every function, with advice", {
  x <- clouds$uniform()
  metric <- residual_correlation(kernel_rbf(), 5)
  for (tree in list(sound_tree(x, leaf_size = 9), cover_tree(x, leaf_size = 9, metric = metric))) {
    old <- with_arrays(tree, first_version(kept_arrays(tree)))
    # Everything else may be different, too.
    olds <- list(old, with_part(old, "metric", list(kind = 1)), with_part(old, "order", "hilbert"),
                 structure(unclass(old)["pointer"], class = "cover_tree"))
    for (old in olds) for (use in uses_of_a_tree) for (time in 1:2) {
      expect_error(use(old), paste("^tree was built by an earlier version of covertree: its array `format`",
                                   "is 1, not 2; build it again with cover_tree\\(\\)$"))
    }
  }
  file <- tempfile()
  on.exit(unlink(file))
  saveRDS(olds[[1]], file)
  expect_error(knn_query(readRDS(file)), "earlier version")
})

test_that("arrays of an earlier version are refused, with advice", {
  arrays <- tree_arrays(sound_tree(clouds$uniform()))
  earlier <- "^tree was built by an earlier version of covertree: its array `format` is 1, not 2; build it again"
  expect_error(cover_tree_from_arrays(first_version(arrays)), earlier)
  expect_error(cover_tree_from_arrays(rev(first_version(arrays))), earlier)
  expect_error(cover_tree_from_arrays(replace(arrays, "format", 1L)), earlier)
})

test_that("the number of the format alone decides about the version", {
  tree <- sound_tree(clouds$uniform(), leaf_size = 9)
  arrays <- kept_arrays(tree)
  for (use in uses_of_a_tree) {
    expect_error(use(with_arrays(tree, replace(arrays, "format", 1L))), "earlier version")
    expect_error(use(with_arrays(tree, replace(arrays, "format", 3L))), "later version")
    expect_error(use(with_arrays(tree, replace(arrays, "format", 2))), "`format` must be the integer 2")
  }
})

test_that("a saved tree with an array too few or too many is refused, with advice", {
  tree <- sound_tree(clouds$uniform(), leaf_size = 9)
  arrays <- kept_arrays(tree)
  expect_length(arrays, 18)
  lists <- c(lapply(seq_along(arrays), function(i) arrays[-i]),
             lapply(c(0, 1, 9, 17, 18), function(after) append(arrays, list(extra = 1), after)),
             list(arrays[0], arrays[1:5], rev(arrays), unname(arrays), list()))
  for (list in lists) for (use in list(dim, print, tree_arrays, knn_query, validate_tree)) {
    expect_error(use(with_arrays(tree, list)), "build (it|the tree) again with cover_tree\\(\\)")
  }
})

test_that("a tree with other parts is refused, with advice", {
  tree <- sound_tree(clouds$uniform(), leaf_size = 9)
  of <- function(parts) structure(parts, class = "cover_tree")
  parts <- unclass(tree)
  expect_complaints(
    knn_query(with_part(tree, "metric2", 1)),
    print(with_part(tree, "order", "hilbert")),
    dim(of(parts["pointer"])),
    summary(of(parts["cache"])),
    tree_arrays(of(c(parts, parts)))
  )
})

# C code finds arrays by position, R code by name.
test_that("a file in which an array lost its name is refused", {
  tree <- sound_tree(clouds$uniform(), leaf_size = 9)
  bytes <- freeze(tree)
  for (name in c("points", "row", "next_sibling", "format", "layout", "dimnames")) {
    as_bytes <- c(writeBin(nchar(name), raw(), endian = "big"), charToRaw(name))
    at <- grepRaw(as_bytes, bytes, fixed = TRUE)
    worse <- replace(bytes, at + length(as_bytes) - 1, as.raw(0x21))
    for (use in list(dim, as.matrix, knn_query, validate_tree)) {
      expect_error(use(thaw(worse)), sprintf("must have the name `%s`", name))
    }
  }
})

test_that("a tree without arrays says so", {
  nothing <- structure(list(pointer = methods::new("externalptr")), class = "cover_tree")
  expect_complaints(knn_query(nothing), print(nothing), tree_arrays(thaw(freeze(nothing))))
})
