#' A metric of your own
#'
#' Makes a metric of any R function that computes distances: between strings, curves, trees,
#' vertices of a graph. Pass it to [cover_tree()] as `metric`; then [knn_query()], [radius_query()]
#' and [recall_of()] search by it, exactly.
#'
#' @param f A function of `i`, the number of an object, and `js`, a vector of numbers of objects.
#'   Its value is the vector of the distances from object `i` to each of `js`: finite numbers of at
#'   least 0. The objects themselves are not passed; `f` has them in its environment.
#' @param n The number of objects; `NULL` to take it from the `x` that [cover_tree()] is given.
#' @param check Whether to check that `f` is a metric: on a sample of the objects when the tree is
#'   built, and on the distances that the build and the searches evaluate anyway. See Errors.
#' @param f_query A function of `q`, one query object, and `js`, like `f`, for queries that are not
#'   among the objects. `NULL`: `f` itself is called with the query object in the place of
#'   `i`.
#' @param tolerance The relative rounding error of the distances: a number of at least 0 and below
#'   0.1. Points are excluded only by bounds that hold with this error. If all distances are whole
#'   numbers, use 0: more pairs are then excluded, because many bounds are equal to distances.
#'
#' @return An object of class `covertree_metric_function`.
#'
#' @section The tree and the searches:
#' `x` of [cover_tree()] is the collection of objects (anything with a length or rows), their
#' number, or `NULL` if `n` was given. Only the number is used. The tree has no coordinates:
#' `as.matrix()` and `dim()` have nothing to return, `length()` is the number of objects. It keeps
#' `f`, with the environment of `f`, also in [saveRDS()]. Objects in the global environment are not
#' saved with a function: make `f` in a function that is given the objects, as in the example.
#'
#' `query` of [knn_query()] and [radius_query()] is a list or a vector of query objects, or a matrix
#' or data frame with a row for each. `predecessor`, `rows`, and `search = "scan"` of
#' [knn_control()] work as for other trees. Results are always exact, also with `recall` below 1 or
#' an `epsilon`; a `budget` is an error. `layout`, `threads` and `block_size` have no effect,
#' because R functions run on the main thread only.
#'
#' @section Cost:
#' `f` is called with many objects at once, a few times for each query: a vectorized `f` is much
#' faster than a loop. A pair is evaluated only if the triangle inequality does not exclude it, and
#' at most once in a search. If the queries are all objects of the tree, a distance is used for both
#' objects of the pair. The build evaluates the distances of 8 to 64 objects (pivots) to all others,
#' and some for each level of the tree; `summary()` reports the numbers. [knn_stats()] reports the
#' distances, the calls and the time in `f` of a search.
#'
#' How many pairs are excluded depends on the metric: nearly all for points in few dimensions, few
#' if most distances are nearly equal, as between random strings. If more than nine tenths of the
#' pairs of the first 65 queries had to be evaluated, the others are compared with all objects,
#' unless `search = "tree"`.
#'
#' @section Exactness:
#' `f` must be symmetric and obey the triangle inequality, d(a, c) <= d(a, b) + d(b, c). Then the
#' neighbors are those of a comparison of all pairs, with equal distances ordered by row. Rounding
#' errors up to `tolerance` times the distances involved are permitted. If f(i, j) and f(j, i)
#' differ by rounding, either may be returned.
#'
#' @section Errors:
#' Stops if `f` is not a function that can be called with two arguments. [cover_tree()] and the
#' searches stop if a value of `f` has another length than `js`, is not numeric, or has an element
#' that is `NA`, negative or infinite; the message shows the call. Errors of `f` itself are passed on.
#'
#' With `check = TRUE`, [cover_tree()] evaluates all distances among 24 objects, and stops if an
#' object is not at distance 0 from itself, if two distances are not symmetric, or if three objects
#' break the triangle inequality, as dynamic time warping (DTW), squared Euclidean distance and 1 -
#' correlation do. The message shows the three objects. Build and searches stop, too, if a distance
#' contradicts the distances of the pivots. A function without a breach in these samples is not
#' proven to be a metric.
#'
#' @references
#' Mico, M. L., Oncina, J. and Vidal, E. (1994). A new version of the ... approximating and
#' eliminating search algorithm (AESA) with linear preprocessing time and memory requirements.
#' *Pattern Recognition Letters* 15(1), 9-17. \doi{10.1016/0167-8655(94)90095-7}
#'
#' @seealso [knn_stats()]
#'
#' @examples
#' edit_distance <- function(words) {
#'   metric_function(
#'     function(i, js) drop(adist(words[i], words[js])),
#'     n = length(words),
#'     f_query = function(q, js) drop(adist(q, words[js]))
#'   )
#' }
#' words <- rownames(mtcars)
#' tree <- cover_tree(words, metric = edit_distance(words))
#' tree
#' near <- knn_query(tree, k = 2)
#' cbind(words, matrix(words[near$index], ncol = 2))[1:6, ]
#' words[knn_query(tree, query = "Toyota Corola", k = 1)$index]
#' @export
metric_function <- function(f, n = NULL, check = TRUE, f_query = NULL, tolerance = 1e-12) {
  if (missing(f) || !is.function(f)) {
    fail("f must be a function of i and js: got %s", if (missing(f)) "nothing" else describe(f))
  }
  if (!takes_arguments(f, 2)) fail("f must be a function of i and js: got a function of %s", argument_names(f))
  if (!is.null(f_query) && !(is.function(f_query) && takes_arguments(f_query, 2))) {
    fail("f_query must be NULL or a function of q and js: got %s", describe(f_query))
  }
  if (!is_number(tolerance) || is.na(tolerance) || tolerance < 0 || tolerance >= 0.1) {
    fail("tolerance must be one number of at least 0 and below 0.1: got %s", describe(tolerance))
  }
  structure(list(f = f, n = if (!is.null(n)) check_count(n, "n"), check = check_flag(check, "check"),
                 f_query = f_query, tolerance = as.double(tolerance)),
            class = "covertree_metric_function")
}

#' @export
format.covertree_metric_function <- function(x, ...) {
  sprintf("<metric by a function: f(%s), %s%s>", toString(names(formals(args(x$f)))),
          if (is.null(x$n)) "any number of objects" else paste(big_number(x$n), "objects"),
          if (isTRUE(x$check)) "" else ", not checked")
}

#' @export
print.covertree_metric_function <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}

# Returns a valid metric_function(). Its elements are checked again, because a user may have edited
# them.
check_metric_function <- function(metric) {
  parts <- if (is.list(metric)) unclass(metric)
  check_parts(parts, names(formals(metric_function)), "metric", "a metric_function()")
  within_argument("metric", do.call(metric_function, parts, quote = TRUE))
}

# What src/glue/metric_function.c needs of a metric. `query` is the list of foreign query objects.
function_calls <- function(metric, query = NULL) {
  f <- metric$f
  of_query <- if (is.null(metric$f_query)) f else metric$f_query
  where <- list2env(list(
    f = f,
    query = function(q, js) of_query(query[[q]], js),
    wrong = function(value, call) refuse_distances(value, call[1], call[-1]),
    breach = function(from, js) refuse_breach(metric, query, from, js)
  ), parent = emptyenv())
  list(where = where, check = metric$check, tolerance = metric$tolerance)
}

# The distances from an object, or from a foreign query if `from` is negative, checked.
distances_from <- function(metric, query, from, js) {
  where <- function_calls(metric, query)$where
  value <- if (from > 0) where$f(from, js) else where$query(-from, js)
  sound <- is_numeric(value) && !is.object(value) && length(value) == length(js) &&
    all(is.finite(value) & value >= 0)
  if (!sound) refuse_distances(value, from, js)
  as.double(value)
}

call_label <- function(from, js) {
  numbers <- toString(c(utils::head(js, 5), if (length(js) > 5) "..."))
  sprintf("f(%s, %s)", if (from > 0) from else sprintf("query %d", -from),
          if (length(js) == 1) numbers else sprintf("c(%s)", numbers))
}

refuse_distances <- function(value, from, js) {
  label <- call_label(from, js)
  if (!is_numeric(value) || is.factor(value) || length(value) != length(js)) {
    fail("f must return a numeric vector with a distance for each of js: got %s for %s, with %d number%s in js",
         describe(value), label, length(js), plural(length(js)))
  }
  wrong <- which(!is.finite(value) | value < 0)[1]
  fail("f must return finite distances of at least 0: element %d of %s, the distance to %d, is %s", wrong,
       label, js[wrong], format(as.vector(value)[wrong]))
}

# Three objects that break the triangle inequality: from, js[1] and js[2].
refuse_breach <- function(metric, query, from, js) {
  to <- distances_from(metric, query, from, js)
  sides <- c(to, distances_from(metric, query, js[1], js[2]))
  objects <- c(if (from > 0) from else sprintf("query %d", -from), js)
  if (2 * max(sides) <= sum(sides)) {
    fail("f must return the same distance in each call: the distances of objects %s have changed",
         toString(objects))
  }
  refuse_triangle(objects, sides)
}

# sides: the distances of objects 1 and 2, 1 and 3, 2 and 3.
refuse_triangle <- function(objects, sides) {
  ends <- list(c(1, 2, 3), c(1, 3, 2), c(2, 3, 1))[[which.max(sides)]]
  name <- objects[ends]
  other <- switch(which.max(sides), sides[c(2, 3)], sides[c(1, 3)], sides[c(1, 2)])
  number <- function(value) format(value, digits = 6)
  fail(paste("f must obey the triangle inequality, without which searches miss neighbors: d(%s, %s) = %s is",
             "more than d(%s, %s) + d(%s, %s) = %s + %s. Dynamic time warping (DTW), squared distances and",
             "1 - correlation are not metrics. If rounding is the cause, use a larger tolerance;",
             "check = FALSE omits this check"),
       name[1], name[2], number(max(sides)), name[1], name[3], name[3], name[2], number(other[1]),
       number(other[2]))
}

axiom_sample <- 24 # objects whose pairs are checked

# Stops if a sample of n objects shows that f is not a metric.
check_axioms <- function(metric, n) {
  rows <- sample_rows(n, axiom_sample, 1)
  size <- length(rows)
  d <- matrix(unlist(lapply(rows, function(i) distances_from(metric, NULL, i, rows))), size, byrow = TRUE)
  scale <- metric$tolerance * max(d)
  self <- which(diag(d) > scale)
  if (length(self) > 0) {
    fail("f must return distance 0 from an object to itself: f(%1$d, %1$d) is %2$s", rows[self[1]],
         format(d[self[1], self[1]]))
  }
  uneven <- which(abs(d - t(d)) > scale, arr.ind = TRUE)
  if (length(uneven) > 0) {
    pair <- uneven[1, 2:1]
    fail("f must be symmetric: f(%1$d, %2$d) is %3$s and f(%2$d, %1$d) is %4$s", rows[pair[1]],
         rows[pair[2]], format(d[pair[1], pair[2]], digits = 15), format(d[pair[2], pair[1]], digits = 15))
  }
  for (b in seq_len(size)) {
    around <- outer(d[, b], d[, b], "+")
    excess <- d - around - metric$tolerance * (d + around)
    if (max(excess) > 0) {
      ac <- arrayInd(which.max(excess), dim(d))
      objects <- c(ac, b)
      refuse_triangle(rows[objects], c(d[ac], d[ac[1], b], d[ac[2], b]))
    }
  }
}
