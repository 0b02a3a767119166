#' The graph of nearest neighbors
#'
#' Returns the graph in which each point is connected to its k nearest neighbors: a sparse matrix of
#' the package \pkg{Matrix} or a graph of the package \pkg{igraph}.
#'
#' @param x A tree or a forest ([cover_forest()]), a result of [knn_query()] for all own points of a
#'   tree, or n points in any form that [cover_tree()] takes.
#' @param k The number of neighbors of each point. Must not be given if `x` is a result of
#'   [knn_query()].
#' @param mutual `FALSE`: a directed edge leads from each point to each of its neighbors. `TRUE`: an
#'   undirected edge connects two points if each is a neighbor of the other.
#' @param weights The weights of the edges: `"distance"`; `"one"`: 1 in a matrix, and no weights in a
#'   graph of \pkg{igraph}; or `"jaccard"`: the Jaccard index of the neighbor sets of both points. The
#'   neighbor set of a point is the point and its k neighbors. The index is the number of points in
#'   both sets, divided by the number of points in at least one of them: 1 for equal sets.
#' @param to The class of the graph: `"Matrix"` or `"igraph"`.
#' @param metric The distance, as in [cover_tree()]. Must not be given if `x` is a tree or a result.
#'
#' @return For `"Matrix"`, a sparse matrix \[n x n\]: row i, column j has the weight of the edge
#'   from point i to point j. With `mutual = TRUE`, the matrix is symmetric (class `dsCMatrix`). A
#'   neighbor at distance 0 is a stored 0. For `"igraph"`, a graph of n vertices, directed unless
#'   `mutual` is `TRUE`, with the edge attribute `weight` unless `weights` is `"one"`.
#'
#'   No edge connects a point to itself. In a result of a search with `self = TRUE`, the entry of a
#'   point as its own neighbor becomes no edge.
#'
#'   `igraph::as.undirected(g, edge.attr.comb = "first")` gives the graph in which two points are
#'   connected if at least one is a neighbor of the other. Functions for shortest paths read
#'   `weight` as a distance, but functions for communities read it as a similarity: use `weights =
#'   "one"` or `"jaccard"` for them.
#'
#' @section Errors:
#' Stops if `x` is a result for other queries than all own points, or a tree after
#' [remove_points()]; if `k` is missing although `x` is not a result, or given although `x` is a
#' result; if the package \pkg{Matrix} or \pkg{igraph} is needed and not installed; and if
#' [cover_tree()] or [knn_query()] stops.
#'
#' @section Cost:
#' The cost of [cover_tree()] and [knn_query()], and of a sort of the n k edges. `weights =
#' "jaccard"` takes O(n k^2) time, and memory for about 10 numbers for each edge: a few seconds of one
#' processor for 100,000 points and k = 15.
#'
#' @references
#' Levine, J. H. et al. (2015). Data-driven phenotypic dissection of AML reveals progenitor-like
#' cells that correlate with prognosis. *Cell* 162(1), 184-197. \doi{10.1016/j.cell.2015.05.047}
#' finds communities with Jaccard weights.
#'
#' @seealso [as_neighbors()] for the objects of more packages, and for neighbors within a radius.
#'
#' @examples
#' if (requireNamespace("Matrix", quietly = TRUE)) {
#'   graph <- knn_graph(quakes[1:3], k = 5, mutual = TRUE, weights = "one")
#'   table(Matrix::colSums(graph)) # the numbers of mutual neighbors
#' }
#' @export
knn_graph <- function(x, k, mutual = FALSE, weights = c("distance", "one", "jaccard"), to = c("Matrix", "igraph"),
                      metric = "euclidean") {
  mutual <- check_flag(mutual, "mutual")
  weights <- check_choice(weights, c("distance", "one", "jaccard"), "weights")
  to <- check_choice(to, c("Matrix", "igraph"), "to")
  need_package(to, sprintf("to = \"%s\"", to))
  if (missing(x)) fail("x must be points, a tree or a result of knn_query(): got nothing")
  if (inherits(x, "covertree_radius")) {
    fail("x must be points, a tree or a result of knn_query(): got a result of radius_query(); as_neighbors() makes its graph")
  }
  searched <- inherits(x, "covertree_knn") || inherits(x, "cover_tree") || is_shards(x)
  if (searched && !missing(metric)) fail("metric must not be given if x is a tree or a result, which have their own")
  if (inherits(x, "covertree_knn")) {
    check_knn(x)
    if (!missing(k)) fail("k must not be given if x is a result of knn_query(), which has %d", ncol(x$index))
    check_all_own(x, isTRUE(attr(x, "own")), to)
  } else {
    if (missing(k)) fail("k must be one whole number of at least 1: got nothing")
    k <- check_count(k, "k")
    if (is_grown_tree(x) && length(x) < last_row(x)) {
      fail(paste("x must be a tree with the rows 1 to n, which become the rows of the graph: got one after",
                 "remove_points(); use cover_tree(as.matrix(x))"))
    }
    if (!searched) x <- if (missing(metric)) cover_tree(x) else cover_tree(x, metric = metric)
    x <- knn_query(x, k = min(k, length(x)))
  }
  x$index[which(x$index == row(x$index))] <- NA
  pairs <- as_pairs(x)
  pairs$weight <- switch(weights, distance = pairs$distance, jaccard = jaccard_index(pairs, x$index))
  if (mutual) pairs <- mutual_pairs(pairs, nrow(x$index))
  graph_of(pairs, nrow(x$index), mutual, pairs$weight, to)
}

# Returns the Jaccard index of the neighbor sets of each pair. index: all neighbors [n x k], of which
# the pairs are the entries. A neighbor is in both sets; a query is if the pair has a reverse. The
# other common points are counted by merging the sorted neighbors of both points, all pairs at once.
jaccard_index <- function(pairs, index) {
  n <- nrow(index)
  end <- n + 1L
  sorted <- matrix(index[order(row(index), index)], n, byrow = TRUE)
  sorted[is.na(sorted)] <- end
  sorted <- rbind(t(sorted), end)
  a <- (pairs$query - 1) * nrow(sorted) + 1
  b <- (pairs$neighbor - 1) * nrow(sorted) + 1
  common <- 1 + have_reverse(pairs, n)
  for (step in seq_len(2 * ncol(index))) {
    at_a <- sorted[a]
    at_b <- sorted[b]
    common <- common + (at_a == at_b & at_a < end)
    a <- a + (at_a <= at_b & at_a < end)
    b <- b + (at_b <= at_a & at_b < end)
  }
  size <- 1 + rowSums(!is.na(index))
  common / (size[pairs$query] + size[pairs$neighbor] - common)
}

# Returns the pairs of n points in which each is a neighbor of the other, once, with query <
# neighbor.
mutual_pairs <- function(pairs, n) {
  keep <- pairs$query < pairs$neighbor & have_reverse(pairs, n)
  lapply(pairs, `[`, keep)
}

# `weight`: the weights of the edges, or NULL.
graph_of <- function(pairs, n, mutual, weight, to) {
  if (to == "Matrix") {
    if (is.null(weight)) weight <- rep(1, length(pairs$query))
    return(Matrix::sparseMatrix(pairs$query, pairs$neighbor, x = weight, dims = c(n, n), symmetric = mutual))
  }
  if (is.null(weight)) graph_of_pairs(pairs, n, directed = !mutual)
  else graph_of_pairs(pairs, n, weight = weight, directed = !mutual)
}
