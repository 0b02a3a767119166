# Grown trees: trees to which points were added, or from which points were removed. Help page,
# changes.
#
# A grown tree has an environment `state` with
#   parts       list of parts, in order of rows: see R/parts.R
#   pending     list of batches of new points that no part has yet: list(z, x, rows), in order of rows
#   next_row    the row of the next new point
#   extent      the smallest and the largest coordinates [2 x coordinates], removed points included
#   d, columns  the number of columns of the points, and their names or NULL
#   layout, leaf_size  the settings of cover_tree()
#   query_work  the work of queries since the parts were merged, in points that a build processes
# No function changes a part. The first use after new points builds a part of them, and queries may
# replace all parts by one: neither changes an answer.

is_grown_tree <- function(tree) !missing(tree) && inherits(tree, "covertree_grown_tree")

#' Add points to a tree, and remove points
#'
#' `insert_points()` returns a tree with more points, and `remove_points()` returns a tree with
#' fewer points. The new tree shares the memory of the old tree, which does not change. Trees from
#' these functions are *grown trees*. `compact()` rebuilds a grown tree as a single tree.
#' `tree_rows()` returns the row numbers of the points of a tree.
#'
#' @param tree A tree from [cover_tree()] or from one of these functions, by Euclidean distance or
#'   by one of the [metrics] except `metric_gower()`.
#' @param x The points to add \[m x d\]: a matrix or data frame with the columns of the tree's
#'   points. Columns are matched as for a `query` in [knn_query()]. m may be 0. For a tree of points
#'   of the package \pkg{sf}, `x` may be of class `sf` or `sfc`.
#' @param rows The row numbers of the points to remove, in any order. Repeated numbers count once.
#' @param threads The number of threads; `NULL` for the default of [covertree_threads()].
#'
#' @return `insert_points()`, `remove_points()` and `compact()` return a `cover_tree`. `tree_rows()`
#'   returns an integer vector: the row numbers of the points, ascending.
#'
#' @section Row numbers:
#' A point keeps its row number. The points from which [cover_tree()] built the tree have the
#' numbers 1 to n, and each new point gets the next number. The number of a removed point is not
#' used again, also not after `compact()`. After a removal, row i of `as.matrix(tree)` is therefore
#' the point with the number `tree_rows(tree)[i]`. `dim()` and `length()` count the remaining
#' points.
#'
#' The results of queries contain row numbers, and the argument `rows` of [knn_query()] and
#' [radius_query()] expects row numbers. A query for all own points has a result row for each
#' remaining point. After a removal, the attribute `rows` of such a result has the row numbers of
#' these points. Names of rows are not kept.
#'
#' To number the points from 1 again, build another tree: `cover_tree(as.matrix(tree))`.
#'
#' @section Parts:
#' A grown tree consists of parts, each a tree over some of the points; `summary()` lists the parts.
#' Answers are the same, bit for bit, as the answers of one tree of all points. The only exception
#' is `metric_periodic()` with new points beyond one period from the least value of the first
#' points: such points are moved by whole periods, with rounding, as in queries. The first use of
#' the tree after new batches of points builds a part of these points. This part is merged with the
#' last part if the last part does not have more points, then with the part before if that part does
#' not have more points than both together, and so on (the logarithmic method of Bentley and Saxe).
#' Removed points stay in their part, and searches skip them. When a quarter of the points of a part
#' is removed, the part is rebuilt without them.
#'
#' Queries merge the parts as well. A single tree is built, and replaces the parts, in two cases:
#' when queries have spent about as much time on searching several parts as the build of a single
#' tree takes, and when a search needs a single tree. Searches with `epsilon` or a `budget`, and
#' searches with `predecessor = TRUE` for more than 1,000 queries, need a single tree.
#' [object.size()] does not count the memory of the parts; `summary()` does.
#'
#' @section Other functions:
#' [knn_query()], [radius_query()], [recall_of()], [write_tree()], `summary()` and [saveRDS()]
#' accept a grown tree. [tree_arrays()], [validate_tree()] and [all.equal()] need a single tree
#' without removed points: use `compact()`, or `cover_tree(as.matrix(tree))` after a removal.
#'
#' @section Errors:
#' `insert_points()` stops if `x` is not valid as the argument `x` of [cover_tree()], except that
#' `x` may have no rows; if `x` has other columns than the tree; if the range of the columns of `x`
#' and of the tree's points together is outside the limits of [cover_tree()]; and if row numbers
#' would exceed 2^31 - 1. `remove_points()` stops if the tree has no point with one of the row
#' numbers. Both stop for a tree with a [residual_correlation()] or a [metric_function()], and for a
#' tree with `metric_gower()`, whose ranges depend on all points. All functions stop if `tree` is
#' not a tree or is damaged.
#'
#' @section Cost:
#' `insert_points()` copies the m new points, O(m d). The first use of the tree, and every 256th
#' batch without a use, builds a part of the new points. If each batch is used and a tree grows to n
#' points in batches of m points, each point takes part in O(log(n / m)) builds. So all batches
#' together take at most O(log(n / m)) times the time of one build, and most uses take only the time
#' to build a part of their own batch. `remove_points()` copies n bytes and takes O(log n) for each
#' row; it also rebuilds parts with a quarter of their points removed. `compact()` takes the time of
#' [cover_tree()].
#'
#' A search in several parts takes up to about twice the time of a search in a single tree, until
#' the parts are merged.
#'
#' @references Bentley, J. L. and Saxe, J. B. (1980). Decomposable searching problems I:
#'   static-to-dynamic transformation. *Journal of Algorithms* 1(4), 301-358.
#'   \doi{10.1016/0196-6774(80)90015-2}
#'
#' @seealso [cover_tree()] builds the first tree; [write_tree()] writes a tree to a file;
#'   [cover_forest()] divides points that exceed the memory of one process.
#'
#' @examples
#' x <- as.matrix(quakes[, 1:3])
#' tree <- cover_tree(x[1:900, ])
#' grown <- insert_points(tree, x[901:1000, ])
#' grown
#' identical(knn_query(grown, k = 3), knn_query(cover_tree(x), k = 3))
#'
#' fewer <- remove_points(grown, c(1, 950))
#' summary(fewer)
#' knn_query(fewer, rows = 2, k = 3)
#' length(tree)
#' @export
insert_points <- function(tree, x, threads = NULL) {
  check_tree(tree)
  state <- state_of(tree)
  if (missing(x)) fail("x must be a numeric matrix or a data frame of numeric columns: got nothing")
  new <- new_points(tree, x)
  threads <- check_threads(threads)
  count <- nrow(new$z)
  if (count == 0) return(tree)
  if (state$next_row > .Machine$integer.max - count) {
    fail("tree must have row numbers of at most %d: got %.0f with the new points", .Machine$integer.max,
         state$next_row + count - 1)
  }
  new$rows <- seq.int(as.integer(state$next_row), length.out = count)
  state$pending <- c(state$pending, list(new))
  state$next_row <- state$next_row + count
  state$extent <- join_extents(state$extent, .Call(r_column_range, new$z))
  if (length(state$pending) >= PENDING) state <- build_pending(state, threads)
  grown_tree(state, tree$space, attr(tree, "crs"))
}

#' @rdname insert_points
#' @export
remove_points <- function(tree, rows, threads = NULL) {
  check_tree(tree)
  state <- build_pending(state_of(tree), check_threads(threads))
  if (missing(rows)) fail("rows must be a vector of row numbers of the tree's points: got nothing")
  if (is.null(rows)) fail("rows must be a vector of row numbers of the tree's points: got NULL")
  tryCatch(count_queries(NULL, rows, length(tree)), error = function(e) {
    fail("%s", sub("rows must be NULL or", "rows must be", conditionMessage(e), fixed = TRUE))
  })
  threads <- check_threads(threads)
  rows <- unique(check_remaining(rows, state$parts, state$next_row))
  if (length(rows) == 0) return(tree)
  found <- .Call(r_parts_find, state$parts, rows)
  parts <- lapply(seq_along(state$parts), function(p) {
    drop_rows(state, state$parts[[p]], found$row[found$part == p], threads)
  })
  state$parts <- parts[!vapply(parts, is.null, NA)]
  grown_tree(state, tree$space, attr(tree, "crs"))
}

#' @rdname insert_points
#' @export
compact <- function(tree, threads = NULL) {
  check_tree(tree)
  threads <- check_threads(threads)
  if (!is_grown_tree(tree)) return(tree)
  state <- build_pending(state_of(tree), threads)
  if (length(state$parts) > 0) state$parts <- list(single_part(state, threads))
  crs <- attr(tree, "crs")
  if (is_plain(state)) part_tree(state$parts[[1]], tree$space, crs) else grown_tree(state, tree$space, crs)
}

#' @rdname insert_points
#' @export
tree_rows <- function(tree) {
  check_tree(tree)
  if (!is_grown_tree(tree)) return(seq_len(length(tree)))
  remaining_rows(parts_of(tree))
}

# ---- the state -------------------------------------------------------------------------------------

# The state of a tree as a list: a copy, so that changes of the list do not change the tree.
state_of <- function(tree) {
  if (is_grown_tree(tree)) return(mget(state_names, envir = tree$state))
  other <- if (is_function_tree(tree)) "a metric_function()"
           else if (!is.null(tree$metric)) "a residual_correlation()"
           else if (!is.null(tree$space) && is_gower(tree$space$metric)) {
             "metric_gower(), whose ranges depend on all points"
           }
  if (!is.null(other)) {
    fail(paste("tree must have Euclidean distance or one of ?metrics except metric_gower(), to get more or fewer",
               "points: got %s; build another tree with cover_tree()"), other)
  }
  arrays <- tree_arrays(tree)
  n <- nrow(arrays$points)
  list(parts = list(list(pointer = tree$pointer, rows = 1L, removed = NULL, count = n, x = tree$space$x)),
       pending = list(), next_row = n + 1, extent = tree_extent(tree), d = dim(tree)[2],
       columns = dimnames(tree)[[2]], layout = arrays$layout, leaf_size = arrays$leaf_size, query_work = 0)
}

state_names <- c("parts", "pending", "next_row", "extent", "d", "columns", "layout", "leaf_size", "query_work")

PENDING <- 256 # the number of pending batches from which a part is built, also without a query

# The grown tree with this state. `space`: the metric of a tree; its points are dropped, because
# each part keeps its own points.
grown_tree <- function(state, space, crs = NULL) {
  state$query_work <- 0
  if (!is.null(space)) space <- space_of_part(space)
  structure(c(list(state = list2env(state, parent = emptyenv()), cache = new.env(parent = emptyenv())),
              if (!is.null(space)) list(space = space)),
            class = c("covertree_grown_tree", "cover_tree"), crs = crs)
}

check_grown_tree <- function(tree) {
  parts <- unclass(tree)
  sound <- is.list(parts) && all(names(parts) %in% c("state", "cache", "space")) &&
    is.environment(parts$state) && all(state_names %in% ls(parts$state)) && is_sound_state(parts$state)
  if (!sound) refuse_damaged()
  check_space(parts[["space", exact = TRUE]])
  invisible(NULL)
}

refuse_damaged <- function() {
  fail("tree is damaged: it does not have the elements that insert_points() gave it; build it again with cover_tree()")
}

# Whether the values of a state have the types and shapes that functions rely on: a user may have
# edited them. build_pending() checks new points; src/glue/parts.c compares rows and removed points
# with the trees.
is_sound_state <- function(state) {
  whole <- function(value, least) is_number(value) && is.finite(value) && value >= least && value == trunc(value)
  sound_part <- function(part) {
    is.list(part) && typeof(part$pointer) == "externalptr" && is.integer(part$rows) && whole(part$count, 1)
  }
  is.matrix(state$extent) && is.double(state$extent) && nrow(state$extent) == 2 && whole(state$d, 1) &&
    whole(state$next_row, 1) && whole(state$leaf_size, 1) && isTRUE(state$layout %in% c("hilbert", "natural")) &&
    is_number(state$query_work) && is.list(state$parts) && all(vapply(state$parts, sound_part, NA)) &&
    is.list(state$pending) && all(vapply(state$pending, is.list, NA))
}

# Whether a batch of new points has rows and coordinates that fit.
is_sound_batch <- function(new, columns) {
  is.double(new$z) && is.matrix(new$z) && ncol(new$z) == columns && is.integer(new$rows) &&
    length(new$rows) == nrow(new$z)
}

# ---- arguments --------------------------------------------------------------------------------------

# Row numbers as integers. Stops unless each is the row of a point that is not removed.
check_remaining <- function(rows, parts, next_row) {
  numbers <- check_rows(rows, as.integer(next_row - 1), "the largest row number so far")
  part <- if (length(parts) == 0) rep(0L, length(numbers)) else .Call(r_parts_find, parts, numbers)$part
  absent <- which(part == 0L)
  if (length(absent) > 0) {
    fail("rows must be rows of points in the tree: element %d, %d, is the row of a removed point", absent[1],
         numbers[absent[1]])
  }
  numbers
}

# New points: list(z, x) like points_of().
new_points <- function(tree, x) {
  x <- plain_query(x, tree, "x")
  z <- check_query(x, tree, "x")
  list(z = z, x = if (!is.null(tree$space) && !has_plain_points(tree$space$metric)) given_points(tree, x))
}

# The new points as given, with the columns of the tree's points in their order and with their
# names.
given_points <- function(tree, x) {
  metric <- tree$space$metric
  names <- dimnames(tree)[[2]]
  given <- suppressMessages(match_query(check_metric_points(x, metric, empty = TRUE), tree, "x"),
                            classes = "covertree_reordered")
  if (metric$kind == "great_circle" && is.null(names)) given <- given[, sphere_order(given, "x"), drop = FALSE]
  dimnames(given) <- if (!is.null(names)) list(NULL, names)
  given
}
