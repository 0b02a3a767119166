# Checks of the results of searches before other functions read them, because users can edit the lists.

# Stops unless x has the matrices of a result of knn_query(). `what` is the name of the argument.
check_knn <- function(x, what = "x") {
  parts <- if (is.list(x)) unclass(x)
  if (is_number_matrix(parts$index) && is_number_matrix(parts$distance) &&
      identical(dim(parts$index), dim(parts$distance))) {
    check_query_rows(x, nrow(parts$index), what)
    return(check_found_rows(parts$index, row(parts$index), attr(x, "points"), what))
  }
  fail("%s must have the matrices index and distance of knn_query(), of the same size: got %s and %s; it was edited",
       what, describe_size(parts$index), describe_size(parts$distance))
}

# Stops unless x has the lists of a result of radius_query().
check_radius_result <- function(x, what = "x") {
  parts <- if (is.list(x)) unclass(x)
  if (!is_number_list(parts$index) || !is_number_list(parts$distance) ||
      !identical(lengths(parts$index), lengths(parts$distance))) {
    fail(paste("%s must have the lists index and distance of radius_query(), of the same lengths: got %s and %s;",
               "it was edited"), what, describe_size(parts$index), describe_size(parts$distance))
  }
  if (!is_numeric(parts$count) || !identical(as.integer(parts$count), lengths(parts$index))) {
    fail("%s must have the count of radius_query(), the length of each vector of index: got %s; it was edited", what,
         describe(parts$count))
  }
  if (!is_number(parts$radius)) {
    fail("%s must have the radius of radius_query(): got %s; it was edited", what, describe(parts$radius))
  }
  check_query_rows(x, length(parts$index), what)
  check_found_rows(as.numeric(unlist(parts$index)), rep(seq_along(parts$index), lengths(parts$index)),
                   attr(x, "points"), what)
}

# Stops unless a result has no rows of its queries, or one for each of the m queries.
check_query_rows <- function(x, m, what) {
  rows <- attr(x, "rows")
  if (is.null(rows) || is_numeric(rows) && length(rows) == m) return(invisible())
  fail("%s must have a row for each of %d quer%s in the attribute rows: got %s; it was edited", what, m,
       if (m == 1) "y" else "ies", describe(rows))
}

# Stops unless each element of `index` is a row of the n points, or NA. `query`: the query of each element.
check_found_rows <- function(index, query, n, what) {
  if (!is_number(n)) {
    fail("%s must have the number of points in the attribute points: got %s; it was edited", what, describe(n))
  }
  wrong <- which(index < 1 | index > n | index != trunc(index))
  if (length(wrong) > 0) {
    fail("%s must have row numbers from 1 to %.0f in index: got %s for query %d; it was edited", what, n,
         format(index[wrong[1]]), query[wrong[1]])
  }
}

# Stops unless x has the elements of vecchia_neighbors() that its methods read.
check_vecchia <- function(x, what = "x") {
  parts <- if (is.list(x)) unclass(x)
  if (!is_number_matrix(parts$distance)) {
    fail("%s must have the matrix distance of vecchia_neighbors(): got %s; it was edited", what,
         describe_size(parts$distance))
  }
  n <- nrow(parts$distance)
  if (!is_number_matrix(parts$NNarray) || !identical(dim(parts$NNarray), c(n, ncol(parts$distance) + 1L))) {
    fail("%s must have the matrix NNarray of vecchia_neighbors(), of %d x %d: got %s; it was edited", what, n,
         ncol(parts$distance) + 1L, describe_size(parts$NNarray))
  }
  if (!is_numeric(parts$order) || length(parts$order) != n) {
    fail("%s must have the order of vecchia_neighbors(), a vector of length %d: got %s; it was edited", what, n,
         describe(parts$order))
  }
  if (!is.logical(parts$exact) || length(parts$exact) != 1 || is.na(parts$exact)) {
    fail("%s must have the flag exact of vecchia_neighbors(): got %s; it was edited", what, describe(parts$exact))
  }
}

is_number_matrix <- function(value) is.matrix(value) && is_numeric(value)

is_number_list <- function(value) is.list(value) && all(vapply(value, is_numeric, NA))

# The same as describe(), with the size of a matrix or a list.
describe_size <- function(value) {
  if (is.matrix(value)) return(sprintf("%s of %d x %d", describe(value), nrow(value), ncol(value)))
  if (is.list(value)) return(sprintf("%s of length %d", describe(value), length(value)))
  describe(value)
}
