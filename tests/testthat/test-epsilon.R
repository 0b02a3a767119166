# Searches with an epsilon.

# Small sets: more threads, where no test asks for them, would only wait for each other.
threads_before <- covertree_threads(1)

test_that("every neighbor is within 1 + epsilon of the true one of its rank", {
  for (name in c("uniform", "grid", "circle", "duplicates", "clustered", "hundred_columns", "huge",
                 "tiny", "far_away", "quantized", "one_point")) {
    x <- clouds[[name]]()
    tree <- cover_tree(x, leaf_size = 4)
    for (query in list(NULL, queries_for(x))) for (k in c(1, 20)) {
      exact <- knn_query(tree, query, k = k)
      for (epsilon in c(1e-9, 0.2, 100)) {
        label <- paste(name, k, epsilon, if (is.null(query)) "own" else "others")
        found <- knn_query(tree, query, k = k, epsilon = epsilon)
        expect_approximate(found, exact, label)
        expect(all(found$distance <= (1 + epsilon) * exact$distance * (1 + 1e-12), na.rm = TRUE),
               paste(label, "too far"))
        expect_identical(attr(found, "epsilon"), epsilon)
      }
    }
  }
})

test_that("epsilon holds for many points, for predecessors and any threads, and saves work", {
  for (d in c(2, 6)) {
    x <- budget_points(1500, d, seed = 219)
    tree <- cover_tree(x)
    for (predecessor in c(FALSE, TRUE)) {
      exact <- knn_query(tree, k = 8, predecessor = predecessor, control = list(stats = TRUE))
      for (epsilon in c(0.05, 0.5, 3)) {
        ask <- function(...) knn_query(tree, k = 8, predecessor = predecessor, epsilon = epsilon, ...)
        found <- ask()
        label <- paste(d, predecessor, epsilon)
        expect_approximate(found, exact, label)
        expect(all(found$distance <= (1 + epsilon) * exact$distance * (1 + 1e-12), na.rm = TRUE),
               paste(label, "too far"))
        expect_same_knn(ask(threads = 2), found, paste(label, "two threads"))
      }
      expect_lt(attr(found, "recall")[["estimate"]], 1)
    }
  }
  expect_identical(knn_query(tree, k = 8, epsilon = 0), knn_query(tree, k = 8))
})

test_that("by residual correlation epsilon changes nothing", {
  tree <- cover_tree(budget_points(500, 2, seed = 220), metric = budget_metric())
  found <- knn_query(tree, k = 6, epsilon = 0.5)
  expect_true(attr(found, "exact"))
  expect_same_knn(found, knn_query(tree, k = 6))
})

covertree_threads(threads_before)
