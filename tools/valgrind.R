# Runs each function of the package once or twice on few points, for tools/valgrind.sh. Under
# valgrind, R is about 30 times slower. The exact results of knn_query() are compared with results
# of plain R code.

library(covertree)
stopifnot(identical(covertree_info()$simd, Sys.getenv("COVERTREE_SIMD")))

set.seed(1)
x <- matrix(round(rnorm(900), 1), ncol = 3)
query <- matrix(rnorm(60), ncol = 3)

plain_knn <- function(x, query, k, self) {
  squares <- outer(seq_len(nrow(query)), seq_len(nrow(x)), function(i, j) {
    (query[i, 1] - x[j, 1])^2 + (query[i, 2] - x[j, 2])^2 + (query[i, 3] - x[j, 3])^2
  })
  if (self) diag(squares) <- Inf
  t(apply(sqrt(squares), 1, function(row) order(row)[seq_len(k)]))
}
expect <- function(found, wanted) stopifnot(identical(unname(found), unname(wanted)))

own <- plain_knn(x, x, 7, TRUE)
foreign <- plain_knn(x, query, 7, FALSE)
for (layout in c("hilbert", "natural")) for (leaf_size in c(3, 64)) {
  tree <- cover_tree(x, layout = layout, leaf_size = leaf_size, threads = 2)
  stopifnot(validate_tree(tree)$valid)
  for (search in c("tree", "scan", "auto")) {
    expect(knn_query(tree, k = 7, threads = 2, control = list(search = search))$index, own)
    expect(knn_query(tree, query, k = 7, control = list(search = search, block_size = 5))$index, foreign)
    expect(knn_query(tree, k = 7, rows = c(9, 300, 9), control = list(search = search))$index, own[c(9, 300, 9), ])
    expect(knn_query(tree, query[0, ], k = 7, control = list(search = search))$index, matrix(0L, 0, 7))
  }
  near <- radius_query(tree, radius = 0.6)
  stopifnot(sum(near$count) == sum(dist(x) <= 0.6) * 2)
  radius_query(tree, query, radius = 0.6, sort = FALSE)
  stopifnot(identical(radius_query(tree, radius = 0.6, rows = c(3, 1))$index, near$index[c(3, 1)]),
            length(radius_query(tree, query[0, ], radius = 0.6)$index) == 0)
}

knn_query(tree, k = 5, predecessor = TRUE)
knn_query(tree, k = 5, epsilon = 0.5)
knn_query(tree, k = 5, budget = budget(c(20, 50)), control = list(stats = TRUE))
knn_query(tree, query, k = 5, budget = budget(c(20, 50), diversity = FALSE))
again <- unserialize(serialize(tree, NULL))
expect(knn_query(again, k = 7)$index, own)
expect(knn_query(cover_tree_from_arrays(tree_arrays(tree)), k = 7)$index, own)
file <- tempfile()
write_tree(tree, file)
for (map in c(TRUE, FALSE)) expect(knn_query(read_tree(file, verify = TRUE, map = map), k = 7)$index, own)
stopifnot(inherits(try(read_tree(R.home("COPYING")), silent = TRUE), "try-error"))
stopifnot(inherits(try(cover_tree_from_arrays(replace(tree_arrays(tree), "row", list(1L))),
                       silent = TRUE), "try-error"))
recall_of(tree, knn_query(tree, k = 3), sample = 50)

stopifnot(identical(sort(hilbert_order(x)), seq_len(300L)),
          identical(sort(order_maximin(x)), seq_len(300L)))
vecchia_neighbors(x, m = 5)

metric <- residual_correlation(kernel_matern52(lengthscale = 2), inducing = 17)
tree <- cover_tree(x[1:160, ], metric = metric)
knn_query(tree, k = 5)
knn_query(tree, query, k = 5)
knn_query(tree, k = 5, predecessor = TRUE)
knn_query(tree, k = 5, budget = budget(60))
write_tree(tree, file)
knn_query(read_tree(file), k = 5)
knn_query(tree, k = 5, rows = c(160, 2))
knn_query(tree, query[0, ], k = 5)
summary(tree)
knn_query(unserialize(serialize(tree, NULL)), k = 5)
cat("valgrind: the script came to its end\n")
