# The classes of this package do not collide with those of other packages.

x <- uniform_points(60, 2, seed = 211)
tree <- cover_tree(x)
residual <- cover_tree(x, metric = residual_correlation(kernel_rbf(), 5))

# Returns an object of each class of this package.
ours <- list(
  tree, residual, summary(tree), knn_query(tree, k = 2), radius_query(tree, radius = 0.1),
  recall_of(tree, knn_query(tree, k = 2)), budget(10), knn_stats(knn_query(tree, k = 2, control = list(stats = TRUE))),
  knn_stats(knn_query(residual, k = 2, control = list(stats = TRUE))), residual_correlation(kernel_rbf()),
  vecchia_neighbors(x, m = 3), kernel_rbf(), covertree_info(), knn_control(),
  summary(knn_query(residual, k = 2)), summary(vecchia_neighbors(x, m = 3))
)

test_that("every class has the package's name in its own", {
  expect_sound_tree(tree, x)
  classes <- unlist(lapply(ours, class))
  expect_identical(lengths(lapply(ours, class)), rep(1L, length(ours)))
  expect_in_set(classes, c("cover_tree", "summary.cover_tree", grep("^covertree_", classes, value = TRUE)))
  methods <- getNamespaceInfo("covertree", "S3methods")
  expect_match(methods[, 2], "^(cover_tree|summary\\.cover_tree|covertree_[a-z_0-9]+)$")
})

test_that("everything prints by a method of its own", {
  for (one in ours) {
    method <- getS3method("print", class(one))
    expect_identical(environmentName(environment(method)), "covertree")
    expect_output(print(one))
  }
})

test_that("spdep's neighbors print and convert as spdep has it", {
  skip_if_not_installed("spdep")
  theirs <- suppressWarnings(spdep::knearneigh(x, k = 3))
  expect_s3_class(theirs, "knn")
  for (generic in c("print", "format", "as.data.frame")) {
    method <- getS3method(generic, "knn", optional = TRUE)
    expect_false(identical(environment(method), asNamespace("covertree")))
  }
  expect_output(print(theirs))
  expect_identical(theirs$nn, knn_query(tree, k = 3)$index)
  expect_s3_class(spdep::knn2nb(theirs), "nb")
})

test_that("neither package takes the other's neighbors for its own", {
  skip_if_not_installed("spdep")
  expect_error(spdep::knn2nb(knn_query(tree, k = 3)), "Not a knn object")
  theirs <- suppressWarnings(spdep::knearneigh(x, k = 3))
  expect_error(recall_of(tree, theirs), "result must be .*: got a knn$")
  expect_identical(recall_of(tree, theirs$nn)$estimate, 1)
})
