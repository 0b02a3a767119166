# as_neighbors() gives the objects of other packages: equal to their own result, and accepted by
# their functions. The points have no equal distances, because other packages order ties otherwise.
set.seed(20)
x <- matrix(rnorm(600), 200)
tree <- cover_tree(x)
knn <- knn_query(tree, k = 5)
near <- radius_query(tree, radius = 0.7)
query <- matrix(rnorm(90), 30)
other <- knn_query(tree, query, k = 5)

test_that("RANN gives the same lists", {
  skip_if_not_installed("RANN")
  expect_equal(as_neighbors(knn, "RANN"), RANN::nn2(x, k = 6))
  expect_equal(as_neighbors(other, "RANN"), RANN::nn2(x, query, k = 5))
  longest <- max(near$count) + 1
  expect_equal(as_neighbors(near, "RANN"),
               RANN::nn2(x, k = longest, searchtype = "radius", radius = 0.7))
})

test_that("FNN gives the same lists", {
  skip_if_not_installed("FNN")
  expect_equal(as_neighbors(knn, "FNN"), FNN::get.knn(x, 5), ignore_attr = TRUE)
  expect_equal(as_neighbors(other, "FNN"), FNN::get.knnx(x, query, 5), ignore_attr = TRUE)
})

test_that("dbscan gives the same objects, and clusters them alike", {
  skip_if_not_installed("dbscan")
  ours <- as_neighbors(knn, "dbscan")
  expect_equal(ours[c("dist", "id", "k", "sort")], unclass(dbscan::kNN(x, 5))[c("dist", "id", "k", "sort")],
               ignore_attr = TRUE)
  expect_s3_class(ours, class(dbscan::kNN(x, 5)), exact = TRUE)
  expect_equal(dbscan::sNN(ours, k = 5)$shared, dbscan::sNN(x, k = 5)$shared)
  ours <- as_neighbors(near, "dbscan")
  expect_equal(ours$id, dbscan::frNN(x, 0.7)$id)
  expect_equal(ours$dist, dbscan::frNN(x, 0.7)$dist)
  expect_equal(dbscan::dbscan(ours, minPts = 4)$cluster, dbscan::dbscan(x, 0.7, minPts = 4)$cluster)
})

test_that("spdep gives the same neighbor lists", {
  skip_if_not_installed("spdep")
  # spdep takes points of two columns.
  plane <- cover_tree(x[, 1:2])
  same <- function(ours, theirs) {
    expect_equal(unclass(ours), unclass(theirs), ignore_attr = TRUE)
    expect_equal(attr(ours, "sym"), attr(theirs, "sym"))
    expect_equal(attr(ours, "region.id"), attr(theirs, "region.id"))
  }
  ours <- as_neighbors(knn_query(plane, k = 4), "spdep")
  same(ours, spdep::knn2nb(spdep::knearneigh(x[, 1:2], k = 4)))
  same(as_neighbors(radius_query(plane, radius = 0.3), "spdep"), spdep::dnearneigh(x[, 1:2], 0, 0.3))
  mutual <- as_neighbors(radius_query(plane, radius = 0.3), "spdep")
  expect_identical(c(attr(ours, "sym"), attr(mutual, "sym")), c(FALSE, TRUE))
  expect_identical(spdep::is.symmetric.nb(ours, verbose = FALSE, force = TRUE), FALSE)
  expect_identical(spdep::is.symmetric.nb(mutual, verbose = FALSE, force = TRUE), TRUE)
  test <- spdep::moran.test(x[, 1], spdep::nb2listw(ours))
  expect_gt(test$estimate[["Moran I statistic"]], 0.5)
})

test_that("BiocNeighbors gives the same lists", {
  skip_if_not_installed("BiocNeighbors")
  expect_equal(as_neighbors(knn, "BiocNeighbors"), BiocNeighbors::findKNN(x, k = 5)[c("index", "distance")],
               ignore_attr = TRUE)
  ours <- as_neighbors(near, "BiocNeighbors")
  theirs <- BiocNeighbors::findNeighbors(x, threshold = 0.7)
  expect_equal(lapply(ours$index, sort), lapply(theirs$index, sort))
  expect_equal(lapply(ours$distance, sort), lapply(theirs$distance, sort))
})

test_that("uwot takes the lists and gives the embedding of its own exact search", {
  skip_if_not_installed("uwot")
  embed <- function(method) {
    set.seed(1)
    uwot::umap(x, n_neighbors = 6, nn_method = method, n_threads = 1, n_sgd_threads = 1, init = "pca",
               n_epochs = 20)
  }
  expect_equal(embed(as_neighbors(knn, "uwot")), embed("fnn"), tolerance = 1e-6)
})

test_that("GpGp takes predecessors", {
  previous <- knn_query(tree, k = 5, predecessor = TRUE)
  array <- as_neighbors(previous, "GpGp")
  expect_identical(array, cbind(1:200, previous$index))
  expect_error(as_neighbors(knn, "GpGp"), "predecessor = TRUE")
  skip_if_not_installed("GpGp")
  loglik <- function(array) {
    GpGp::vecchia_meanzero_loglik(c(1, 0.5, 0.01), "exponential_isotropic", x[, 1], x, array)$loglik
  }
  expect_equal(loglik(array), loglik(GpGp::find_ordered_nn(x, 5)))
})

# The layout of spNNGP and BRISC, point by point.
nngp_by_point <- function(points, m) {
  index <- count <- start <- distance <- between <- NULL
  n <- nrow(points)
  d <- as.matrix(dist(points))
  each <- vector("list", n)
  for (i in seq_len(n)) {
    each[[i]] <- head(order(d[i, seq_len(i - 1)]), m)
    start <- c(start, length(index))
    count <- c(count, length(each[[i]]))
    index <- c(index, each[[i]] - 1L)
    distance <- c(distance, d[i, each[[i]]])
    between <- c(between, d[each[[i]], each[[i]]])
  }
  list(each = each, index = index, lu = c(start, count), distance = unname(distance), between = unname(between),
       count = count)
}

test_that("spNNGP and BRISC take predecessors in one vector, from a search or ordered", {
  places <- x[, 1:2]
  ordered <- vecchia_neighbors(places, m = 6, order = "coordinate")
  previous <- knn_query(cover_tree(places), k = 6, predecessor = TRUE)
  for (near in list(ordered, previous)) {
    order <- if (inherits(near, "covertree_vecchia")) near$order else 1:200
    expected <- nngp_by_point(places[order, ], 6)
    info <- as_neighbors(near, "spNNGP")
    expect_identical(info[-2], list(n.neighbors = 6L, nn.indx = expected$index, nn.indx.lu = expected$lu, ord = order))
    expect_identical(info$n.indx, c(list(NA), expected$each[-1]))
    list <- as_neighbors(near, "BRISC", points = places)
    expect_equal(list, list(nnIndxLU = expected$lu, CIndx = c(0, cumsum(expected$count^2)[-200], expected$count^2),
                            D = expected$between, d = expected$distance, nnIndx = expected$index,
                            Length.D = sum(expected$count^2)))
    expect_type(list$CIndx, "integer")
  }
  expect_identical(as_neighbors(ordered, "GpGp"), ordered$NNarray)
})

test_that("spNNGP fits the model of its own neighbors", {
  skip_if_not_installed("spNNGP")
  places <- x[, 1:2]
  y <- x[, 3]
  fit <- function(...) {
    set.seed(1)
    suppressWarnings(asNamespace("spNNGP")$spNNGP(
      y ~ 1, coords = places, starting = list(phi = 3, sigma.sq = 1, "tau.sq" = 1), n.neighbors = 6,
      tuning = list(phi = 0.5, sigma.sq = 0.1, "tau.sq" = 0.1), cov.model = "exponential", n.samples = 50,
      priors = list(phi.Unif = c(1, 30), sigma.sq.IG = c(2, 1), "tau.sq.IG" = c(2, 1)), verbose = FALSE,
      return.neighbor.info = TRUE, ...))
  }
  info <- as_neighbors(vecchia_neighbors(places, m = 6, order = order(places[, 1])), "spNNGP")
  own <- fit()
  expect_equal(own$neighbor.info[names(info)], info)
  expect_identical(fit(neighbor.info = info)$p.theta.samples, own$p.theta.samples)
})

test_that("BRISC makes the same list, and fits the same model", {
  skip_if_not_installed("BRISC")
  brisc <- asNamespace("BRISC")
  places <- x[, 1:2]
  near <- vecchia_neighbors(places, m = 6, order = order(places[, 1] + places[, 2]))
  ours <- as_neighbors(near, "BRISC", points = places)
  theirs <- brisc$BRISC_neighbor(places, n.neighbors = 6, ordering = near$order, verbose = FALSE)
  # BRISC sets one triangle of the distances between neighbors only.
  used <- unlist(lapply(pmin(0:199, 6), function(c) lower.tri(matrix(0, c, c), diag = TRUE)))
  ours$D[!used] <- 0
  theirs$D[!used] <- 0
  expect_equal(ours, theirs)
  fit <- function(neighbor) {
    suppressWarnings(brisc$BRISC_estimation(places, x[, 3], n.neighbors = 6, ordering = near$order,
                                            neighbor = neighbor, verbose = FALSE))[c("Theta", "Beta")]
  }
  expect_equal(fit(ours), fit(theirs))
})

test_that("sparse matrices and graphs have one entry per pair", {
  skip_if_not_installed("Matrix")
  matrix <- as_neighbors(knn, "Matrix")
  dense <- matrix(0, 200, 200)
  dense[cbind(c(row(knn$index)), c(knn$index))] <- knn$distance
  expect_s4_class(matrix, "dgCMatrix")
  expect_identical(as.matrix(matrix), dense)
  expect_identical(dim(as_neighbors(other, "Matrix")), c(30L, 200L))
  twice <- as_neighbors(knn_query(cover_tree(rbind(x, x)), k = 1), "Matrix")
  expect_identical(twice@x, numeric(400))
  expect_identical(Matrix::nnzero(as_neighbors(near, "Matrix")), sum(near$count))
  skip_if_not_installed("igraph")
  graph <- as_neighbors(knn, "igraph")
  expect_equal(igraph::vcount(graph), 200)
  edges <- igraph::as_edgelist(graph)
  expect_equal(dense[edges], igraph::E(graph)$distance)
  expect_equal(nrow(unique(edges)), 1000)
})

test_that("self, missing neighbors and rows follow the table", {
  few <- knn_query(cover_tree(x[1:3, ]), k = 5)
  expect_identical(as_neighbors(few, "RANN")$nn.idx[, 4:6], matrix(0L, 3, 3))
  expect_identical(as_neighbors(few, "nabor")$nn.dists[, 4:6], matrix(Inf, 3, 3))
  expect_identical(as_neighbors(few, "nabor", self = FALSE)$nn.idx[, 1:2], few$index[, 1:2])
  some <- as_neighbors(knn_query(tree, k = 2, rows = c(9, 4)), "RANN")
  expect_identical(some$nn.idx[, 1], c(9L, 4L))
  expect_identical(some$nn.dists[, 1], c(0, 0))
  alone <- as_neighbors(radius_query(cover_tree(x), radius = 0), "spdep")
  expect_identical(unique(unlist(alone)), 0L)
  expect_identical(dim(as_neighbors(radius_query(cover_tree(x), radius = 0), "nabor", self = FALSE)$nn.idx),
                   c(200L, 0L))
})

test_that("own points in the result of a search do not change the form", {
  points <- rbind(x, x[1:20, ], x[rep(1, 9), ])
  tree <- cover_tree(points)
  for (to in c("RANN", "FNN", "dbscan", "uwot", "spdep", "BiocNeighbors")) {
    expect_identical(as_neighbors(knn_query(tree, k = 6, self = TRUE), to), as_neighbors(knn_query(tree, k = 5), to))
    if (to %in% c("FNN", "uwot")) next
    expect_identical(as_neighbors(radius_query(tree, radius = 0.3, self = TRUE), to),
                     as_neighbors(radius_query(tree, radius = 0.3), to))
  }
  some <- function(...) knn_query(tree, rows = c(229, 3), max_distance = 0.5, ...)
  for (self in c(TRUE, FALSE)) {
    expect_identical(as_neighbors(some(k = 12, self = TRUE), "nabor", self = self),
                     as_neighbors(some(k = 11), "nabor", self = self))
  }
  alone <- knn_query(tree, k = 1, self = TRUE)
  expect_identical(as_neighbors(alone, "RANN"), list(nn.idx = cbind(1:229), nn.dists = matrix(0, 229, 1)))
  expect_snapshot_error(as_neighbors(alone, "FNN"))
})

test_that("results of a tree that has grown have its row numbers", {
  grown <- insert_points(cover_tree(x[1:150, ]), x[151:200, ])
  for (to in c("RANN", "dbscan", "uwot", "spdep")) {
    expect_identical(as_neighbors(knn_query(grown, k = 5), to), as_neighbors(knn_query(tree, k = 5), to))
  }
  expect_identical(as_neighbors(radius_query(grown, radius = 0.5), "dbscan"),
                   as_neighbors(radius_query(tree, radius = 0.5), "dbscan"))
  fewer <- remove_points(grown, c(1, 160, 200))
  left <- knn_query(fewer, k = 2)
  expect_identical(as_neighbors(left, "RANN")$nn.idx, cbind(setdiff(1:200, c(1L, 160L, 200L)), left$index))
  expect_error(as_neighbors(left, "dbscan"), "all own points .* got the neighbors of some rows")
  skip_if_not_installed("Matrix")
  matrix <- as_neighbors(left, "Matrix")
  expect_identical(dim(matrix), c(197L, 200L))
  expect_identical(matrix[cbind(c(row(left$index)), c(left$index))], c(left$distance))
  expect_error(knn_graph(fewer, k = 2), "x must be a tree with the rows 1 to n, .* got one after remove_points")
  expect_identical(knn_graph(grown, k = 2), knn_graph(tree, k = 2))
})

test_that("results that the package has no form for are refused", {
  refused <- function(...) expect_snapshot_error(as_neighbors(...))
  refused(x, "RANN")
  refused(knn)
  refused(knn, "annoy")
  refused(near, "FNN")
  refused(near, "GpGp")
  refused(other, "dbscan")
  refused(knn_query(tree, rows = 1:3, k = 2), "igraph")
  refused(knn_query(cover_tree(x[1:3, ]), k = 5), "uwot")
  refused(knn, "RANN", self = NA)
  refused(knn, "dbscan", self = TRUE)
  refused(other, "RANN", self = TRUE)
  places <- x[, 1:2]
  near <- vecchia_neighbors(places, m = 3)
  refused(near, "RANN")
  refused(near, "BRISC")
  refused(near, "BRISC", points = x)
  refused(near, "BRISC", points = places + places^2)
  refused(near, "spNNGP", points = places)
  refused(knn, "spNNGP")
  refused(knn_query(tree, k = 3, predecessor = TRUE, max_distance = 0.1), "spNNGP")
  refused(knn_query(cover_tree(x[1:3, ]), k = 3, predecessor = TRUE), "spNNGP")
})

test_that("results without queries give empty forms", {
  for (tree in list(cover_tree(diag(3)), remove_points(cover_tree(diag(3)), 1:3))) {
    none <- knn_query(tree, k = 2, rows = integer())
    expect_silent(lists <- as_neighbors(none, "RANN"))
    expect_identical(lapply(lists, dim), list(nn.idx = c(0L, 3L), nn.dists = c(0L, 3L)))
    expect_silent(as_neighbors(none, "BiocNeighbors", self = TRUE))
  }
})
