# CovertreeParam() gives the results of the exact parameters of BiocNeighbors. The points have no
# equal distances, because other searches order ties otherwise.
set.seed(21)
x <- matrix(rnorm(900), 300, dimnames = list(paste0("p", 1:300), NULL))
query <- matrix(rnorm(120), 40, dimnames = list(paste0("q", 1:40), NULL))

skip_if_old <- function() {
  skip_if_not_installed("BiocNeighbors", "1.10")
  skip_if(packageVersion("BiocNeighbors") >= "1.99", "another interface")
}

# Lists of neighbors have no order in BiocNeighbors.
ordered <- function(found) lapply(found, lapply, sort)

expect_same_search <- function(f, ..., distance) {
  ours <- f(..., BNPARAM = CovertreeParam(distance))
  for (theirs in list(BiocNeighbors::KmknnParam(distance = distance), BiocNeighbors::VptreeParam(distance = distance))) {
    theirs <- f(..., BNPARAM = theirs)
    expect_identical(ours$index, theirs$index)
    expect_equal(ours, theirs)
  }
}

test_that("searches return what the exact parameters of BiocNeighbors return", {
  skip_if_old()
  find_neighbors <- function(...) ordered(BiocNeighbors::findNeighbors(...))
  query_neighbors <- function(...) ordered(BiocNeighbors::queryNeighbors(...))
  for (distance in c("Euclidean", "Manhattan", "Cosine")) {
    same <- function(f, ...) expect_same_search(f, ..., distance = distance)
    same(BiocNeighbors::findKNN, x, k = 6)
    same(BiocNeighbors::findKNN, x, k = 6, last = 2, subset = c("p9", "p3"), get.index = FALSE)
    same(BiocNeighbors::findKNN, t(x), k = 2, transposed = TRUE, subset = c(9, 9, 1), get.distance = FALSE)
    same(BiocNeighbors::queryKNN, x, query, k = 6, last = 1)
    same(BiocNeighbors::queryKNN, x, t(query), k = 2, transposed = TRUE, subset = rep(c(TRUE, FALSE), 20))
    same(BiocNeighbors::queryKNN, x, query, k = 2, subset = "q7")
    same(find_neighbors, x, threshold = 0.5)
    same(find_neighbors, x, threshold = c(0.5, 0.1), subset = c("p9", "p3"))
    same(query_neighbors, x, query, threshold = seq(0.01, 0.6, length.out = 40), get.distance = FALSE)
  }
  count <- function(f, ..., param) f(..., BNPARAM = param, get.index = FALSE, get.distance = FALSE)
  for (threshold in list(0.5, seq(0.01, 0.6, length.out = 40))) {
    expect_identical(count(BiocNeighbors::queryNeighbors, x, query, threshold, param = CovertreeParam()),
                     count(BiocNeighbors::queryNeighbors, x, query, threshold, param = BiocNeighbors::KmknnParam()))
    expect_identical(count(BiocNeighbors::findNeighbors, x[1:40, ], threshold, param = CovertreeParam()),
                     count(BiocNeighbors::findNeighbors, x[1:40, ], threshold, param = BiocNeighbors::KmknnParam()))
  }
})

test_that("an index is searched like its points, and survives a file", {
  skip_if_old()
  for (distance in c("Euclidean", "Manhattan", "Cosine")) {
    param <- CovertreeParam(distance)
    index <- BiocNeighbors::buildIndex(x, BNPARAM = param)
    theirs <- BiocNeighbors::buildIndex(x, BNPARAM = BiocNeighbors::VptreeParam(distance = distance))
    expect_s4_class(index, "BiocNeighborIndex")
    expect_identical(dim(index), dim(theirs))
    expect_identical(rownames(index), rownames(theirs))
    expect_identical(BiocNeighbors::bndistance(index), distance)
    expect_equal(BiocNeighbors::bndata(index)[, order(BiocNeighbors::bnorder(index))],
                 BiocNeighbors::bndata(theirs)[, order(BiocNeighbors::bnorder(theirs))], ignore_attr = TRUE)
    file <- tempfile(fileext = ".rds")
    saveRDS(index, file)
    for (index in list(index, readRDS(file))) {
      expect_identical(BiocNeighbors::findKNN(BNINDEX = index, k = 4), BiocNeighbors::findKNN(x, k = 4, BNPARAM = param))
      expect_identical(BiocNeighbors::queryKNN(BNINDEX = index, query = query, k = 4, BNPARAM = param),
                       BiocNeighbors::queryKNN(x, query, k = 4, BNPARAM = param))
      expect_identical(BiocNeighbors::findNeighbors(BNINDEX = index, threshold = 0.4),
                       BiocNeighbors::findNeighbors(x, threshold = 0.4, BNPARAM = param))
    }
    unlink(file)
  }
})

test_that("equal distances are ordered by row, the own point first, without a warning", {
  skip_if_old()
  twice <- rbind(x[1:3, ], x[1:3, ])
  expect_silent(found <- BiocNeighbors::findKNN(twice, k = 1, BNPARAM = CovertreeParam()))
  expect_identical(found$index[, 1], c(4L, 5L, 6L, 1L, 2L, 3L))
  found <- BiocNeighbors::findNeighbors(twice, threshold = 0, BNPARAM = CovertreeParam())
  expect_identical(found$index[[5]], c(5L, 2L))
  expect_identical(found$distance[[5]], c(0, 0))
  expect_length(BiocNeighbors::findNeighbors(twice, threshold = Inf, BNPARAM = CovertreeParam())$index[[1]], 6)
})

test_that("k beyond the points is capped with the warning of BiocNeighbors", {
  skip_if_old()
  few <- x[1:4, ]
  expect_warning(found <- BiocNeighbors::findKNN(few, k = 9, BNPARAM = CovertreeParam()),
                 "'k' capped at the number of observations minus 1")
  expect_identical(dim(found$index), c(4L, 3L))
  expect_warning(found <- BiocNeighbors::queryKNN(few, query, k = 9, BNPARAM = CovertreeParam()),
                 "'k' capped at the number of observations$")
  expect_identical(dim(found$index), c(40L, 4L))
  expect_identical(dim(BiocNeighbors::findKNN(few, k = 0, BNPARAM = CovertreeParam())$index), c(4L, 0L))
})

test_that("the methods are there whichever package is loaded first, and for sparse points", {
  skip_if_old()
  expected <- BiocNeighbors::findKNN(x, k = 2, BNPARAM = CovertreeParam())
  # This is what happens if covertree is loaded after BiocNeighbors.
  expect_silent(register_bioc_neighbors())
  expect_identical(BiocNeighbors::findKNN(x, k = 2, BNPARAM = CovertreeParam()), expected)
  skip_if_not_installed("Matrix")
  sparse <- Matrix::Matrix(x, sparse = TRUE)
  expect_identical(BiocNeighbors::findKNN(sparse, k = 2, BNPARAM = CovertreeParam()), expected)
})

test_that("a package to which no methods can be added does not prevent loading", {
  before <- getHook(packageEvent("stats", "onLoad"))
  on.exit(setHook(packageEvent("stats", "onLoad"), before, "replace"))
  expect_warning(when_loaded("stats", function() stop("no class")), "no methods for package stats: no class")
})

test_that("bluster and findMutualNN() take the parameter", {
  skip_if_old()
  expect_identical(BiocNeighbors::findMutualNN(x, query, k1 = 3, BNPARAM = CovertreeParam()),
                   BiocNeighbors::findMutualNN(x, query, k1 = 3))
  skip_if_not_installed("bluster")
  skip_if_not_installed("igraph")
  bluster <- asNamespace("bluster")
  graph <- bluster$makeSNNGraph(x, k = 5, BNPARAM = CovertreeParam())
  expect_true(igraph::identical_graphs(graph, bluster$makeSNNGraph(x, k = 5)))
  set.seed(1)
  ours <- bluster$clusterRows(x, bluster$NNGraphParam(k = 5, BNPARAM = CovertreeParam()))
  set.seed(1)
  expect_identical(ours, bluster$clusterRows(x, bluster$NNGraphParam(k = 5)))
})

test_that("threads come from the parameter, the workers or num.threads", {
  skip_if_not_installed("BiocNeighbors")
  expect_identical(bioc_threads(CovertreeParam(threads = 3), 2, NULL), 3L)
  expect_identical(bioc_threads(CovertreeParam(), NULL, NULL), 1L)
  expect_identical(bioc_threads(CovertreeParam(), 2, NULL), 2)
  skip_if_not_installed("BiocParallel")
  expect_equal(bioc_threads(CovertreeParam(), 2, asNamespace("BiocParallel")$SnowParam(4)), 4)
})

test_that("functions of later versions of BiocNeighbors return what it describes", {
  skip_if_not_installed("BiocNeighbors")
  index <- bioc_index(x, CovertreeParam())
  tree <- cover_tree(unname(x))
  knn <- knn_query(tree, k = 3)
  near <- radius_query(tree, radius = 0.4)
  expect_identical(bioc_find_knn(index, 3, get.index = "transposed", get.distance = FALSE),
                   list(index = t(knn$index)))
  k <- rep(1:3, 100)
  lists <- bioc_find_knn(index, k)
  expect_identical(lengths(lists$index), k)
  expect_identical(lists$index[[2]], knn$index[2, 1:2])
  expect_identical(lists$distance[[3]], knn$distance[3, ])
  expect_identical(bioc_find_knn(index, I(2), subset = 7), list(index = list(knn$index[7, 1:2]),
                                                               distance = list(knn$distance[7, 1:2])))
  expect_identical(bioc_find_distance(index, 3), knn$distance[, 3])
  expect_identical(bioc_find_distance(index, k), knn$distance[cbind(1:300, k)])
  expect_identical(bioc_query_distance(index, query, 2), knn_query(tree, unname(query), k = 2)$distance[, 2])
  expect_identical(bioc_find_neighbors(index, 0.4), near[c("index", "distance")])
  expect_identical(bioc_find_neighbors(index, 0.4, get.index = FALSE, get.distance = FALSE), near$count)
  # The generic functions have arguments in another order, or others.
  generic <- function(BNINDEX, k, get.index = TRUE, get.distance = TRUE, num.threads = 1, subset = NULL, ...) NULL
  method <- method_for(generic, quote(bioc_find_knn), quote(BNINDEX))
  expect_identical(formals(method), formals(generic))
  expect_identical(method(index, 3, subset = 2:1), list(index = knn$index[2:1, ], distance = knn$distance[2:1, ]))
})

test_that("wrong arguments are refused", {
  expect_snapshot_error(CovertreeParam("cosine"))
  expect_snapshot_error(CovertreeParam(threads = 0))
  expect_snapshot_error(refuse_builder(NULL))
  skip_if_old()
  refused <- function(...) expect_snapshot_error(BiocNeighbors::findKNN(..., BNPARAM = CovertreeParam("Cosine")))
  refused(x, k = 2.5)
  refused(x, k = 2, subset = "q1")
  refused(rbind(x, 0), k = 2)
  refused(rbind(x, NaN), k = 2)
  expect_snapshot_error(BiocNeighbors::queryKNN(x, query[, 1:2], k = 1, BNPARAM = CovertreeParam()))
  expect_snapshot_error(BiocNeighbors::queryNeighbors(x, query, threshold = -1, BNPARAM = CovertreeParam()))
  expect_error(BiocNeighbors::findKNN(x, k = 2, neighbors = 3, BNPARAM = CovertreeParam()), "unused argument")
  expect_error(BiocNeighbors::findKNN(x, k = 2, subset = c(-1, 2), BNPARAM = CovertreeParam()),
               "subset must have negative numbers only, or none: got both")
})
