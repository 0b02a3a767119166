#' Predict classes or values from the nearest neighbors
#'
#' Predicts for each test point the most frequent class of its k nearest training points, the shares
#' of the classes, or the mean of a numeric variable. Without test points, each training point is
#' predicted from the other training points (leave-one-out).
#'
#' @param train The n training points, in any form that [cover_tree()] takes; or a tree or a forest
#'   ([cover_forest()]) of these points.
#' @param y The variable to predict: a vector with an element for each training point, without
#'   missing values. After [remove_points()], the training points are the points in [tree_rows()],
#'   in this order. A factor, character or logical vector has classes; a numeric vector has values.
#' @param test The m points to predict, in any form that [knn_query()] takes. `NULL`: the training
#'   points; a point is not its own neighbor.
#' @param k The number of neighbors: at most n, or n - 1 without `test`.
#' @param weights The weight of a neighbor: `"uniform"`: 1; `"inverse"`: 1 divided by the distance.
#'   With `"inverse"`, if neighbors at distance 0 exist, these get weight 1, and the other neighbors
#'   of the query get weight 0.
#' @param prob Whether to return the shares of classes.
#' @param metric The distance, as in [cover_tree()]. Must not be given if `train` is a tree, which
#'   has a metric.
#' @param exclude,before,window Training points that must not predict a training point, as in
#'   [knn_query()]: those of its group (leave-group-out cross-validation), those that are not
#'   earlier, and those in a window of rows around it. Only without `test`.
#' @param threads The number of threads; `NULL` for the default of [covertree_threads()].
#'
#' @return For classes, a factor of length m with the levels of `y`, or of `factor(y)`, ordered if `y` is: the class
#'   with the largest sum of weights. If several classes have the largest sum, the first level is
#'   predicted. Levels without a training point remain levels. With `prob = TRUE`, a matrix \[m x
#'   number of levels\]: the share of each class in the sum of weights. For values, a numeric vector
#'   of length m: the weighted mean of the values of the neighbors. With `metric_gower(na =
#'   "scan")`, `exclude`, `before` or `window`, a point may have fewer than k neighbors; without
#'   neighbors, the result is `NA`.
#'
#'   The neighbors are exact, and equal distances are ordered by row. So the result is the same in
#'   each call. Results of `class::knn()` and `FNN::knn()` differ only if distances or sums of
#'   weights are equal: these functions choose among equal classes at random, and `class::knn()`
#'   uses all neighbors at the k-th distance.
#'
#' @section Errors:
#' Stops if the length of `y` is not the number of training points; if `y` has a missing value; if
#' `prob` is `TRUE` for values; if `k` is larger than the number of possible neighbors; if `metric`
#' is given together with a tree; if `exclude`, `before` or `window` is given together with `test`;
#' and if [cover_tree()] or [knn_query()] stops.
#'
#' @section Cost:
#' The cost of [cover_tree()] and [knn_query()]; then O(m k) operations, and memory for m numbers
#' per level.
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
#'
#' # The mean absolute error of ozone, from other days, and from days of other months.
#' air <- na.omit(airquality)
#' error <- function(guess) mean(abs(guess - air$Ozone))
#' error(knn_predict(air[c("Wind", "Temp")], air$Ozone, k = 5))
#' error(knn_predict(air[c("Wind", "Temp")], air$Ozone, k = 5, exclude = air$Month))
#' @export
knn_predict <- function(train, y, test = NULL, k = 5, weights = c("uniform", "inverse"), prob = FALSE,
                        metric = "euclidean", exclude = NULL, before = NULL, window = NULL, threads = NULL) {
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
  others <- max(0, n - is.null(test))
  if (k > others) {
    fail("k must be at most the number of %straining points, %d: got %d", if (is.null(test)) "other " else "",
         others, k)
  }
  given <- c("exclude", "before", "window")[!vapply(list(exclude, before, window), is.null, NA)]
  if (!is.null(test) && length(given) > 0) {
    fail("%s must be NULL with test, because it compares training points: got %s", given[1], describe(get(given[1])))
  }
  near <- naming("query", "test", knn_query(tree, test, k = k, exclude = exclude, before = before, window = window,
                                            threads = threads))
  if (is_grown_tree(tree)) near$index[] <- match(near$index, tree_rows(tree))
  weight <- neighbor_weights(near$distance, weights)
  none <- is.na(near$index[, 1])
  if (!is.factor(y)) {
    value <- array(y[near$index], dim(near$index))
    value[is.na(value)] <- 0
    return(replace(weighted_rows(value, weight), none, NA))
  }
  votes <- class_votes(near$index, as.integer(y), nlevels(y), weight)
  if (!prob) return(factor_like(replace(max.col(votes, "first"), none, NA), y))
  votes <- votes / rowSums(votes)
  votes[none, ] <- NA
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

# Returns the factor with the levels of the factor `like`, of which NA may be one, from their numbers.
factor_like <- function(code, like) {
  structure(code, levels = levels(like), class = c(if (is.ordered(like)) "ordered", "factor"))
}

# Returns the weights [m x k] of neighbors at these distances; 0 where there is none, NA.
neighbor_weights <- function(distance, weights) {
  if (weights == "uniform") return(1 - is.na(distance))
  # Relative to the nearest neighbor, so that the inverse of a small distance is finite.
  weight <- distance[, 1] / distance
  zero <- which(distance[, 1] == 0)
  weight[zero, ] <- distance[zero, ] == 0
  weight[is.na(distance)] <- 0
  weight
}

# Returns the weighted mean of each row. Sums run over columns, so that the mean of a row does not
# depend on the other rows.
weighted_rows <- function(value, weight) {
  sum <- total <- numeric(nrow(value))
  for (j in seq_len(ncol(value))) {
    sum <- sum + weight[, j] * value[, j]
    total <- total + weight[, j]
  }
  sum / total
}

# Returns the sums of weights [m x classes] of the neighbors in each class. Neighbors that are NA
# are left out.
class_votes <- function(index, class, classes, weight) {
  votes <- matrix(0, nrow(index), classes)
  for (j in seq_len(ncol(index))) {
    there <- which(!is.na(index[, j]))
    at <- cbind(there, class[index[there, j]])
    votes[at] <- votes[at] + weight[there, j]
  }
  votes
}
