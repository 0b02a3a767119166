#' Predict classes or values from the nearest neighbors
#'
#' Predicts for each test point the class that most of its k nearest training points have, the shares of the
#' classes, or the mean of a numeric variable. Without test points, each training point is predicted from the
#' others (leave-one-out).
#'
#' @param train The n training points, in any form that [cover_tree()] takes; or a tree or a forest
#'   ([cover_forest()]) of them.
#' @param y The variable to predict: a vector with an element for each training point, without missing values.
#'   After [remove_points()], these are the points in [tree_rows()], in this order. A factor, character or logical vector has classes; a numeric vector has values.
#' @param test The m points to predict, in any form that [knn_query()] takes. `NULL`: the training points, each
#'   without itself.
#' @param k The number of neighbors: at most n, or n - 1 without `test`.
#' @param weights The weight of a neighbor: `"uniform"` for 1; `"inverse"` for 1 over the distance. If neighbors
#'   have distance 0, only these count with `"inverse"`, each with weight 1.
#' @param prob Whether to return the shares of classes.
#' @param metric The distance, as in [cover_tree()]. If `train` is a tree, its own is used.
#' @param threads The number of threads; `NULL` for the default of [covertree_threads()].
#'
#' @return For classes, a factor of length m with the levels of `y`, or of `factor(y)`: the class with the largest
#'   sum of weights; of equal classes, the first level. Levels without a training point remain levels. With
#'   `prob = TRUE`, a matrix \[m x number of levels\] of the shares of each class in the sum of weights. For
#'   values, a numeric vector of length m: the weighted mean of the neighbors.
#'
#'   The neighbors are exact, and equal distances are ordered by row. So the result is the same in each call.
#'   `class::knn()` and `FNN::knn()` differ only where distances or classes are equal: they choose among equal
#'   classes at random, and `class::knn()` adds all neighbors at the k-th distance.
#'
#' @section Errors:
#' Stops if `y` has another length than there are training points or a missing value, if `prob` is `TRUE` for
#' values, if `k` is larger than the number of possible neighbors, if `metric` is given together with a tree, and
#' where [cover_tree()] and [knn_query()] stop.
#'
#' @section Cost:
#' That of [cover_tree()] and [knn_query()]; then O(m k) operations, and m values for each level.
#'
#' @seealso [knn_impute()] predicts the missing values of a data frame.
#'
#' @examples
#' # Leave-one-out error of the species of irises.
#' guess <- knn_predict(iris[1:4], iris$Species, k = 7)
#' table(guess, iris$Species)
#' head(knn_predict(iris[1:4], iris$Species, k = 7, prob = TRUE), 3)
#'
#' # The magnitude of earthquakes at two new places.
#' knn_predict(quakes[1:3], quakes$mag, test = rbind(c(-20, 180, 100), c(-15, 170, 50)), k = 10,
#'             weights = "inverse")
#' @export
knn_predict <- function(train, y, test = NULL, k = 5, weights = c("uniform", "inverse"), prob = FALSE,
                        metric = "euclidean", threads = NULL) {
  if (missing(train)) fail("train must be points or a tree of them: got nothing")
  if (missing(y)) fail("y must be a vector with a value for each training point: got nothing")
  k <- check_count(k, "k")
  weights <- check_choice(weights, c("uniform", "inverse"), "weights")
  prob <- check_flag(prob, "prob")
  if (inherits(train, "cover_tree") || is_shards(train)) {
    if (!missing(metric)) fail("metric must not be given if train is a tree, which has its own")
    tree <- train
  } else {
    tree <- naming("x", "train", if (missing(metric)) cover_tree(train, threads = threads)
                   else cover_tree(train, metric = metric, threads = threads))
  }
  n <- length(tree)
  y <- check_response(y, n, prob)
  others <- n - is.null(test)
  if (k > others) {
    fail("k must be at most the number of %straining points, %d: got %d", if (is.null(test)) "other " else "",
         others, k)
  }
  near <- naming("query", "test", knn_query(tree, test, k = k, threads = threads))
  if (is_grown_tree(tree)) near$index[] <- match(near$index, tree_rows(tree))
  weight <- neighbor_weights(near$distance, weights)
  if (!is.factor(y)) return(weighted_rows(array(y[near$index], dim(near$index)), weight))
  votes <- class_votes(near$index, as.integer(y), nlevels(y), weight)
  if (!prob) return(factor(levels(y)[max.col(votes, "first")], levels(y)))
  votes <- votes / rowSums(votes)
  colnames(votes) <- levels(y)
  votes
}

# Returns a factor or a vector of doubles with n elements.
check_response <- function(y, n, prob) {
  classes <- is.factor(y) || is.character(y) || is.logical(y)
  if (!classes && (!is_numeric(y) || is.object(y)) || length(dim(y)) > 1) {
    fail("y must be a factor or a character, logical or numeric vector: got %s", describe(y))
  }
  if (length(y) != n) {
    fail("y must have a value for each of the %d training point%s: got %d value%s", n, plural(n), length(y),
         plural(length(y)))
  }
  wrong <- which(if (classes) is.na(y) else !is.finite(y))
  if (length(wrong) > 0) {
    fail("y must have no missing%s values: element %d is %s", if (classes) "" else " or infinite", wrong[1],
         format(as.vector(y)[wrong[1]]))
  }
  if (prob && !classes) fail("prob must be FALSE if y has values and not classes: got TRUE")
  if (!classes) as.double(y) else if (is.factor(y)) y else factor(y)
}

# Returns the weights [m x k] of neighbors at these distances.
neighbor_weights <- function(distance, weights) {
  if (weights == "uniform") return(array(1, dim(distance)))
  # Relative to the nearest neighbor, so that the inverse of a small distance is finite.
  weight <- distance[, 1] / distance
  zero <- distance[, 1] == 0
  weight[zero, ] <- distance[zero, ] == 0
  weight
}

# Returns the weighted mean of each row. Summed by column, so that the result does not depend on the number of
# rows.
weighted_rows <- function(value, weight) {
  sum <- total <- numeric(nrow(value))
  for (j in seq_len(ncol(value))) {
    sum <- sum + weight[, j] * value[, j]
    total <- total + weight[, j]
  }
  sum / total
}

# Returns the sums of weights [m x classes] of the neighbors in each class, without the neighbors that are NA.
class_votes <- function(index, class, classes, weight) {
  votes <- matrix(0, nrow(index), classes)
  for (j in seq_len(ncol(index))) {
    there <- which(!is.na(index[, j]))
    at <- cbind(there, class[index[there, j]])
    votes[at] <- votes[at] + weight[there, j]
  }
  votes
}
