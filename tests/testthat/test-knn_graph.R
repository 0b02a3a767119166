# knn_graph(), compared with dense matrices of all pairs.

set.seed(71)
x <- round(matrix(rnorm(160), 80), 1)
x[5, ] <- x[6, ]
tree <- cover_tree(x)
knn <- knn_query(tree, k = 4)

# Returns the matrices [n x n] of whether j is a neighbor of i, and of the distances.
near <- oracle_knn(x, k = 4)
edges <- matrix(FALSE, 80, 80)
edges[cbind(rep(1:80, 4), c(near$index))] <- TRUE
apart <- unname(as.matrix(dist(x)))
both <- edges & t(edges)

test_that("matrices have the edges and weights of the definition", {
  skip_if_not_installed("Matrix")
  dense <- function(graph) unname(as.matrix(graph))
  expect_identical(dense(knn_graph(x, 4, weights = "one")), 1 * edges)
  expect_equal(dense(knn_graph(tree, 4)), apart * edges)
  expect_identical(dense(knn_graph(knn, mutual = TRUE, weights = "one")), 1 * both)
  symmetric <- knn_graph(knn, mutual = TRUE)
  expect_s4_class(symmetric, "dsCMatrix")
  expect_equal(dense(symmetric), apart * both)
  expect_equal(length(symmetric@x), sum(both) / 2)
  expect_identical(knn_graph(x, 4, metric = "manhattan"), knn_graph(cover_tree(x, metric = "manhattan"), 4))
  expect_identical(sum(knn_graph(x[1:2, ], 4, weights = "one")), 2)
})

test_that("graphs of igraph have the same edges", {
  skip_if_not_installed("igraph")
  dense <- function(graph, ...) unname(as.matrix(igraph::as_adjacency_matrix(graph, sparse = FALSE, ...)))
  directed <- knn_graph(tree, 4, to = "igraph")
  expect_true(igraph::is_directed(directed))
  expect_equal(dense(directed, attr = "weight"), apart * edges)
  undirected <- knn_graph(tree, 4, mutual = TRUE, weights = "one", to = "igraph")
  expect_false(igraph::is_directed(undirected))
  expect_equal(dense(undirected), 1 * both)
  expect_equal(igraph::vcount(undirected), 80)
  expect_false(igraph::is_weighted(undirected))
})

test_that("no edge connects a point to itself", {
  skip_if_not_installed("Matrix")
  with_self <- knn_query(tree, k = 5, self = TRUE)
  expect_true(all(rowSums(with_self$index == row(with_self$index)) == 1))
  for (weights in c("distance", "one", "jaccard")) for (mutual in c(FALSE, TRUE)) {
    expect_identical(knn_graph(with_self, mutual = mutual, weights = weights),
                     knn_graph(knn, mutual = mutual, weights = weights))
  }
  # Only a point with a duplicate in an earlier row has a nearest neighbor other than itself.
  alone <- knn_query(cover_tree(x[!duplicated(x), ]), k = 1, self = TRUE)
  expect_identical(length(knn_graph(alone)@x), 0L)
  skip_if_not_installed("igraph")
  graph <- knn_graph(with_self, to = "igraph")
  expect_true(igraph::is_simple(graph))
  expect_equal(unname(as.matrix(igraph::as_adjacency_matrix(graph, attr = "weight", sparse = FALSE))), apart * edges)
  skip_if_not_installed("bluster")
  theirs <- igraph::as_edgelist(bluster::neighborsToKNNGraph(with_self$index, directed = FALSE))
  either <- igraph::simplify(igraph::as.undirected(graph, mode = "collapse"))
  expect_setequal(paste(theirs[, 1], theirs[, 2]), do.call(paste, asplit(igraph::as_edgelist(either), 2)))
})

test_that("a k above the number of points connects all points", {
  skip_if_not_installed("Matrix")
  few <- cover_tree(x[1:5, ])
  for (weights in c("one", "jaccard")) {
    expect_identical(knn_graph(few, 2e9, weights = weights), knn_graph(few, 4, weights = weights))
  }
})

test_that("Jaccard weights compare the sets of both points", {
  skip_if_not_installed("Matrix")
  sets <- lapply(1:80, function(i) c(i, near$index[i, ]))
  jaccard <- outer(1:80, 1:80, Vectorize(function(i, j) {
    length(intersect(sets[[i]], sets[[j]])) / length(union(sets[[i]], sets[[j]]))
  }))
  dense <- function(graph) unname(as.matrix(graph))
  expect_equal(dense(knn_graph(knn, weights = "jaccard")), jaccard * edges)
  expect_equal(dense(knn_graph(tree, 4, mutual = TRUE, weights = "jaccard")), jaccard * both)
  # Three points have two neighbors each, so all sets are equal.
  expect_equal(dense(knn_graph(x[1:3, ], 5, weights = "jaccard")), 1 - diag(3))
  skip_if_not_installed("igraph")
  graph <- knn_graph(knn, weights = "jaccard", to = "igraph")
  expect_equal(unname(as.matrix(igraph::as_adjacency_matrix(graph, attr = "weight", sparse = FALSE))),
               jaccard * edges)
})

test_that("Jaccard weights are those of another package", {
  skip_if_not_installed("Matrix")
  skip_if_not_installed("bluster")
  shared <- bluster::neighborsToSNNGraph(knn$index, type = "jaccard")
  other <- as.matrix(igraph::as_adjacency_matrix(shared, attr = "weight", sparse = FALSE))
  expect_equal(unname(as.matrix(knn_graph(knn, weights = "jaccard"))), unname(other) * edges)
})

test_that("wrong arguments are named", {
  skip_if_not_installed("Matrix")
  expect_complaints(
    knn_graph(),
    knn_graph(x),
    knn_graph("a", 2),
    knn_graph(knn, 3),
    knn_graph(tree, 3, metric = "cosine"),
    knn_graph(knn_query(tree, x, k = 2)),
    knn_graph(knn_query(tree, rows = 3, k = 2)),
    knn_graph(x, 2, mutual = NA),
    knn_graph(x, 2, weights = "snn"),
    knn_graph(x, 2, to = "spdep")
  )
})
