# The points that a query must not find: the arguments self, before, exclude and window of
# knn_query() and radius_query().

# Returns NULL if a query may find every other point, or a list
#   used     the names of the arguments that differ from their defaults
#   self     whether an own point may find itself
#   before   NULL, or list(ranks, rank, max_rank): the number of distinct values; the rank of each
#            point's value [n]; for each query, the number of distinct values below its value
#   exclude  NULL, or list(groups, group, query_group): the number of groups; the group of each
#            point [n] and of each query, from 1; 0: a group without points
#   window   the window, or -1
# Queries are numbered like the rows of `query`, or like the n points of the tree. `arguments`:
# list(self, before, exclude, window) as the user gave them.
check_exclusion <- function(arguments, tree, query, predecessor = FALSE) {
  self <- check_flag(arguments$self, "self")
  used <- c("self", "before", "exclude", "window")
  used <- used[c(self, !vapply(arguments[used[-1]], is.null, NA))]
  if (length(used) == 0) return(NULL)
  check_tree_excludes(tree, used[1])
  if (self) check_self_allowed(used[-1], query, predecessor)
  before <- arguments$before
  if (predecessor && !is.null(query)) refuse_query(query)
  if (predecessor && !is.null(before)) {
    fail("before must be NULL with predecessor = TRUE, which compares row numbers: got %s", describe(before))
  }
  n <- length(tree)
  if (predecessor) before <- seq_len(n)
  list(used = used, self = self,
       before = if (!is.null(before)) ranks_of(of_points_and_queries(before, "before", n, query, check_before)),
       exclude = if (!is.null(arguments$exclude)) {
         groups_of(of_points_and_queries(arguments$exclude, "exclude", n, query, check_groups))
       },
       window = check_window(arguments$window, n, query))
}

# Stops unless the search of a tree can exclude points. `argument`: the name of an argument that
# excludes.
check_tree_excludes <- function(tree, argument) {
  kind <- if (is_shards(tree)) "a forest of cover_forest()"
          else if (is_function_tree(tree)) "one of a metric_function()"
          else if (is_grown_tree(tree)) {
            "one from insert_points() or remove_points(); use compact(tree) or, after a removal, cover_tree(as.matrix(tree))"
          } else if (is_scanned(tree)) "one of metric_gower(na = \"scan\")"
          else if (!is.null(tree$metric)) "one of a residual_correlation()"
  if (!is.null(kind)) {
    fail("tree must be one tree whose metric compares coordinates (see metrics) with %s: got %s", argument, kind)
  }
}

check_self_allowed <- function(others, query, predecessor) {
  if (!is.null(query)) {
    fail("self must be FALSE with query, because the queries are not points of the tree: got TRUE")
  }
  others <- c(others, if (predecessor) "predecessor = TRUE")
  if (length(others) > 0) fail("self must be FALSE with %s, which excludes the point itself: got TRUE", others[1])
}

# Returns list(points, query): values [n], and the values of `query`, or NULL for own queries. A
# query has a value of its own. check(value, argument, size, of): checks `size` values.
of_points_and_queries <- function(value, argument, n, query, check) {
  if (is.null(query)) return(list(points = check(value, argument, n, "point of the tree"), query = NULL))
  if (!is.list(value) || is.object(value)) {
    fail(paste("%s must be a list(points = , query = ) with query, because the points and the queries have values:",
               "got %s"), argument, describe(value))
  }
  check_parts(value, c("points", "query"), argument, "list(points = , query = )")
  list(points = check(value$points, paste0(argument, "$points"), n, "point of the tree"),
       query = check(value$query, paste0(argument, "$query"), NROW(query), "query"))
}

# Stops unless a value is a vector of `size` elements without NA. `is_valid`: whether it has a
# suitable type.
check_vector <- function(value, is_valid, argument, expected, size, of) {
  if (!is_valid || !is.null(dim(value)) || length(value) != size) {
    fail("%s must be %s with one value for each %s, %s: got %s", argument, expected, of,
         big_number(size), describe_vector(value))
  }
  if (anyNA(value)) fail("%s must not have NA: element %d is NA", argument, which(is.na(value))[1])
}

describe_vector <- function(value) {
  if (!is.object(value) || is_integer64(value)) return(describe(value))
  sprintf("%s of length %d", describe(value), length(value))
}

is_time <- function(value) inherits(value, c("Date", "POSIXct"))

check_before <- function(value, argument, size, of) {
  check_vector(value, is_numeric(value) || is_time(value), argument, "a vector of numbers, a Date or a POSIXct", size, of)
  value
}

check_groups <- function(value, argument, size, of) {
  is_valid <- is.factor(value) || is_time(value) || (is.atomic(value) && !is.object(value) && !is.null(value))
  check_vector(value, is_valid, argument, "a factor or a vector", size, of)
  value
}

# Returns the ranks of values, equal values with equal ranks: see check_exclusion().
ranks_of <- function(values) {
  classes <- lapply(Filter(Negate(is.null), values), function(value) if (is_time(value)) class(value)[1] else "number")
  if (length(unique(classes)) > 1) {
    fail("before$query must be of the type of before$points, %s: got %s", classes$points, classes$query)
  }
  points <- as.double(unclass(values$points))
  at <- order(points, method = "radix")
  sorted <- points[at]
  is_first <- c(TRUE, sorted[-1] != sorted[-length(sorted)])
  distinct <- sorted[is_first]
  rank <- integer(length(points))
  rank[at] <- cumsum(is_first)
  list(ranks = length(distinct), rank = rank,
       max_rank = if (is.null(values$query)) rank - 1L
                  else findInterval(as.double(unclass(values$query)), distinct, left.open = TRUE))
}

groups_of <- function(values) {
  groups <- unique(values$points)
  group <- match(values$points, groups)
  list(groups = length(groups), group = group,
       query_group = if (is.null(values$query)) group else match(values$query, groups, nomatch = 0L))
}

check_window <- function(window, n, query) {
  if (is.null(window)) return(-1L)
  if (!is_number(window) || !is.finite(window) || window < 0 || window != trunc(window)) {
    fail("window must be NULL or one whole number of at least 0: got %s", describe(window))
  }
  if (!is.null(query)) {
    fail("window must be NULL with query, because only the tree's own points have rows: got %s", describe(window))
  }
  as.integer(min(window, n))
}

# Returns what src/glue/row_limits.c reads, for the queries `rows` of a search (NULL: all), or NULL
# without limits.
limits_for <- function(exclusion, rows) {
  some <- function(values) if (is.null(rows) || is.null(values)) values else values[rows]
  before <- exclusion$before
  exclude <- exclusion$exclude
  if (is.null(before) && is.null(exclude) && !isTRUE(exclusion$window >= 0)) return(NULL)
  list(ranks = c(before$ranks, 0L)[1], groups = c(exclude$groups, 0L)[1], rank = before$rank,
       max_rank = some(before$max_rank), group = exclude$group, query_group = some(exclude$query_group),
       window = exclusion$window)
}

# Stops if a search that excludes points would be approximate.
check_exact_exclusion <- function(exclusion, epsilon, budget) {
  given <- c("epsilon must be 0", "budget must be NULL")[c(epsilon > 0, !is.null(budget))]
  if (length(given) > 0) {
    fail("%s with %s, because it needs an exact search: got %s", given[1], exclusion$used[1],
         if (epsilon > 0) format(epsilon) else "a budget")
  }
}

# Stops if a result of a search is one of permitted points only. `argument`: its name.
refuse_exclusion <- function(result, argument) {
  used <- attr(result, "exclusion")
  if (length(used) > 0) fail("%s must be a result without self, before, exclude and window: got one with %s", argument, used[1])
}
