# Trees that grow: a list of parts, each a tree over some of the rows, searched by src/core/forest/.
#
# A grown tree has an environment `forest` with
#   parts      in order of rows: list(pointer, rows, removed, count, x). rows: the rows of the points
#              of the part, ascending, or only the first of consecutive ones; removed: raw vector, 1 for
#              removed points, or NULL; count: the points that are not removed; x: these points as
#              given, where the metric computes coordinates of them (removed ones included)
#   pending    batches of new points that are not in a part yet: list(z, x, rows), in order of rows
#   next_row   the row of the next point
#   extent     the smallest and the largest coordinates [2 x coordinates], with removed points
#   d, columns the number of columns of the points and their names, or NULL
#   layout, leaf_size   the settings of cover_tree()
#   asked      the work of queries since the parts were merged, in points that a build processes
# Parts are never changed. The first use after new points makes a part of them, and queries may replace
# all parts by one: neither changes an answer.

is_grown_tree <- function(tree) inherits(tree, "covertree_grown_tree")

#' Add points to a tree, and remove points
#'
#' `insert_points()` returns a tree that contains more points; `remove_points()` returns one that does
#' not contain some of the points. Both share the memory of the tree that they are given, which does not
#' change. `compact()` rebuilds a tree that has grown as a single tree. `tree_rows()` returns the row
#' numbers of the points.
#'
#' @param tree A tree from [cover_tree()] or from one of these functions, with Euclidean distance or
#'   one of the [metrics] except `metric_gower()`.
#' @param x The points to add \[m x d\]: a matrix or data frame with the columns of the tree's points,
#'   which are matched as those of a `query` in [knn_query()]; m may be 0. For a tree of points of the package
#'   \pkg{sf}, `x` may be of class `sf` or `sfc`.
#' @param rows The row numbers of the points to remove, in any order; a number that occurs several
#'   times counts once.
#' @param threads The number of threads; `NULL` for the default of [covertree_threads()].
#'
#' @return `insert_points()`, `remove_points()` and `compact()` return a `cover_tree`.
#'   `tree_rows()` returns an integer vector: the row numbers of the points, ascending.
#'
#' @section Row numbers:
#' A point keeps its row number for ever. The points from which [cover_tree()] built the tree have the
#' numbers 1 to n, and each new point has the next number. The numbers of removed points are not used
#' again, also not after `compact()`. So after a removal, row i of `as.matrix(tree)` is the point with
#' number `tree_rows(tree)[i]`; `dim()` and `length()` count the points that are left. Results of
#' queries contain row numbers, and the argument `rows` of [knn_query()] and [radius_query()] expects
#' them. A query for all own points has a row for each point that is left. After a removal, the
#' attribute `rows` of such a result has their numbers. Names of rows are not kept.
#'
#' To number the points from 1 again, build another tree: `cover_tree(as.matrix(tree))`.
#'
#' @section Parts:
#' A tree that has grown consists of parts, which are trees themselves; `summary()` lists them. Answers
#' are the same, bit for bit, as those of one tree of all points. The only exception is `metric_periodic()` with
#' points beyond one period from the least value of the first points: they are moved by whole periods, which rounds,
#' as for queries. The first use of the tree after new
#' batches of points makes a part of these points. They are merged with the last part if it does not have
#' more points, then with the part before it if that one does not have more points than both, and so on.
#' Removed
#' points stay in their part, where searches skip them. When a quarter of a part is removed, the part is
#' rebuilt without them.
#'
#' Queries merge the parts as well: when the queries of a tree have taken about as much time
#' for several parts as a single tree takes to build, or when a search needs a single tree, one
#' is built and replaces the parts. Searches with `epsilon` or a `budget` and searches of many
#' predecessors need a single tree. [object.size()] does not count the parts; `summary()` does.
#'
#' @section Other functions:
#' [knn_query()], [radius_query()], [recall_of()], `summary()` and [saveRDS()] work on
#' such a tree. [tree_arrays()], [validate_tree()] and [all.equal()] need a single tree without removed
#' points: use `compact()`, and `cover_tree(as.matrix(tree))` after a removal.
#'
#' @section Errors:
#' `insert_points()` stops if `x` is not valid as the argument `x` of [cover_tree()], except that it may
#' have no rows; if it has other columns than the tree; if the range of the columns of `x` and of the
#' tree's points together is outside the limits of [cover_tree()]; and if row numbers would exceed
#' 2^31 - 1. `remove_points()` stops if a row number is not that of a point in the tree. Both stop for
#' a tree with a [residual_correlation()], with a [metric_function()], or with `metric_gower()`, whose
#' ranges depend on all points. All functions stop if `tree` is not a tree or is damaged.
#'
#' @section Cost:
#' `insert_points()` copies the m new points, O(m d). The first use of the tree builds the part of the new
#' points, and every 256th batch does so, too. If each batch is used, a point takes part in O(log(n / m))
#' builds while a tree grows to n points in batches of m. So all batches together take at most
#' O(log(n / m)) times the time of one build, and most uses take only the time for the points of their
#' own batch. `remove_points()` copies n bytes, and takes O(log n) for each row; the rebuild of a part
#' follows removals of a quarter of its points. `compact()` takes the time of [cover_tree()].
#'
#' A search in several parts takes up to about twice the time of one in a single tree, until the parts are
#' merged.
#'
#' @references
#' Bentley, J. L. and Saxe, J. B. (1980). Decomposable searching problems I: static-to-dynamic
#' transformation. *Journal of Algorithms* 1(4), 301-358. \doi{10.1016/0196-6774(80)90015-2}
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
  forest <- forest_of(tree)
  if (missing(x)) fail("x must be a numeric matrix or a data frame of numeric columns: got nothing")
  new <- new_points(tree, x)
  threads <- check_threads(threads)
  count <- nrow(new$z)
  if (count == 0) return(tree)
  if (forest$next_row > .Machine$integer.max - count) {
    fail("tree must have row numbers of at most %d: got %.0f with the new points", .Machine$integer.max,
         forest$next_row + count - 1)
  }
  new$rows <- seq.int(as.integer(forest$next_row), length.out = count)
  forest$pending <- c(forest$pending, list(new))
  forest$next_row <- forest$next_row + count
  extent <- .Call(r_column_range, new$z)
  forest$extent <- rbind(pmin(forest$extent[1, ], extent[1, ]), pmax(forest$extent[2, ], extent[2, ]))
  if (length(forest$pending) >= PENDING) forest <- settle(forest, threads)
  grown_tree(forest, tree$space, attr(tree, "crs"))
}

#' @rdname insert_points
#' @export
remove_points <- function(tree, rows, threads = NULL) {
  check_tree(tree)
  forest <- settle(forest_of(tree), check_threads(threads))
  if (missing(rows)) fail("rows must be a vector of row numbers of the tree's points: got nothing")
  if (is.null(rows)) fail("rows must be a vector of row numbers of the tree's points: got NULL")
  count_queries(NULL, rows, length(tree))
  threads <- check_threads(threads)
  rows <- unique(check_living(rows, forest$parts, forest$next_row))
  if (length(rows) == 0) return(tree)
  found <- .Call(r_forest_find, forest$parts, rows)
  parts <- lapply(seq_along(forest$parts), function(p) {
    drop_rows(forest, forest$parts[[p]], found$row[found$part == p], threads)
  })
  forest$parts <- parts[!vapply(parts, is.null, NA)]
  grown_tree(forest, tree$space, attr(tree, "crs"))
}

#' @rdname insert_points
#' @export
compact <- function(tree, threads = NULL) {
  check_tree(tree)
  threads <- check_threads(threads)
  if (!is_grown_tree(tree)) return(tree)
  forest <- settle(forest_of(tree), threads)
  if (length(forest$parts) > 0) forest$parts <- list(single_part(forest, threads))
  crs <- attr(tree, "crs")
  if (is_plain(forest)) part_tree(forest$parts[[1]], tree$space, crs) else grown_tree(forest, tree$space, crs)
}

#' @rdname insert_points
#' @export
tree_rows <- function(tree) {
  check_tree(tree)
  if (!is_grown_tree(tree)) return(seq_len(length(tree)))
  living_rows(parts_of(tree))
}

# ---- parts ----------------------------------------------------------------------------------------

# The forest of a tree as a list: copied, so that changes to it do not change the tree.
forest_of <- function(tree) {
  if (is_grown_tree(tree)) return(mget(forest_names, envir = tree$forest))
  other <- if (is_function_tree(tree)) "a metric_function()"
           else if (!is.null(tree$metric)) "a residual_correlation()"
           else if (!is.null(tree$space) && is_gower(tree$space$metric)) {
             "metric_gower(), whose ranges are those of all points"
           }
  if (!is.null(other)) {
    fail(paste("tree must have Euclidean distance or one of ?metrics except metric_gower(), to get more or fewer",
               "points: got %s; build another tree with cover_tree()"), other)
  }
  arrays <- tree_arrays(tree)
  n <- nrow(arrays$points)
  list(parts = list(list(pointer = tree$pointer, rows = 1L, removed = NULL, count = n, x = tree$space$x)),
       pending = list(), next_row = n + 1, extent = tree_extent(tree), d = dim(tree)[2],
       columns = dimnames(tree)[[2]], layout = arrays$layout, leaf_size = arrays$leaf_size, asked = 0)
}

forest_names <- c("parts", "pending", "next_row", "extent", "d", "columns", "layout", "leaf_size", "asked")

PENDING <- 256 # batches of new points at which they become a part, also without a query

# `space`: the metric of a tree, of which the points are not kept here. `crs`: see new_cover_tree().
grown_tree <- function(forest, space, crs = NULL) {
  forest$asked <- 0
  if (!is.null(space)) space <- space_of_part(space)
  structure(c(list(forest = list2env(forest, parent = emptyenv()), cache = new.env(parent = emptyenv())),
              if (!is.null(space)) list(space = space)),
            class = c("covertree_grown_tree", "cover_tree"), crs = crs)
}

check_grown_tree <- function(tree) {
  parts <- unclass(tree)
  sound <- is.list(parts) && all(names(parts) %in% c("forest", "cache", "space")) &&
    is.environment(parts$forest) && all(forest_names %in% ls(parts$forest)) && is_sound_forest(parts$forest)
  if (!sound) refuse_damaged()
  check_space(parts[["space", exact = TRUE]])
  invisible(NULL)
}

refuse_damaged <- function() {
  fail("tree is damaged: it does not have the parts that insert_points() gave it; build it again with cover_tree()")
}

# Whether the values of a forest have the types and shapes that functions rely on: a user may have edited
# them. settle() checks new points; src/glue/forest.c compares rows and removed points with the trees.
is_sound_forest <- function(forest) {
  whole <- function(value, least) is_number(value) && is.finite(value) && value >= least && value == trunc(value)
  sound_part <- function(part) {
    is.list(part) && typeof(part$pointer) == "externalptr" && is.integer(part$rows) && whole(part$count, 1)
  }
  is.matrix(forest$extent) && is.double(forest$extent) && nrow(forest$extent) == 2 && whole(forest$d, 1) &&
    whole(forest$next_row, 1) && whole(forest$leaf_size, 1) && isTRUE(forest$layout %in% c("hilbert", "natural")) &&
    is_number(forest$asked) && is.list(forest$parts) && all(vapply(forest$parts, sound_part, NA)) &&
    is.list(forest$pending) && all(vapply(forest$pending, is.list, NA))
}

# Whether a batch of new points has rows and coordinates that fit.
is_sound_batch <- function(new, columns) {
  is.double(new$z) && is.matrix(new$z) && ncol(new$z) == columns && is.integer(new$rows) &&
    length(new$rows) == nrow(new$z)
}

# Points with their rows: list(z, x, rows), in order of rows: those of the parts and after them those of
# `more`, such a list. x is NULL where z are the points.
points_of <- function(parts, more = NULL) {
  if (length(parts) == 0) return(more)
  x <- lapply(parts, function(part) {
    if (is.null(part$removed)) part$x else part$x[part$removed == 0, , drop = FALSE]
  })
  list(z = .Call(r_forest_points, parts, more$z), x = do.call(rbind, c(x, list(more$x))),
       rows = c(.Call(r_forest_rows, parts), more$rows))
}

# Returns the forest with its new points in a part. The last part is merged with them if it does not have
# more points, then the part before it if that one does not have more points than both, and so on.
settle <- function(forest, threads) {
  if (length(forest$pending) == 0) return(forest)
  if (!all(vapply(forest$pending, is_sound_batch, NA, ncol(forest$extent)))) refuse_damaged()
  all <- function(name) do.call(rbind, lapply(forest$pending, `[[`, name))
  new <- list(z = all("z"), x = all("x"), rows = unlist(lapply(forest$pending, `[[`, "rows")))
  last <- length(forest$parts)
  size <- nrow(new$z)
  while (last > 0 && forest$parts[[last]]$count <= size) {
    size <- size + forest$parts[[last]]$count
    last <- last - 1
  }
  points <- points_of(forest$parts[seq_along(forest$parts) > last], new)
  forest$parts <- c(forest$parts[seq_len(last)], list(build_part(forest, points, threads)))
  forest$pending <- list()
  forest
}

# The parts of a tree, with all of its points. New points become a part, which the tree keeps.
parts_of <- function(tree, threads = NULL) {
  forest <- tree$forest
  if (length(forest$pending) == 0) return(forest$parts)
  settled <- settle(mget(forest_names, envir = forest), check_threads(threads))
  keep_parts(forest, settled$parts, forest$asked)
  settled$parts
}

# Keeps the parts in the forest of a tree, unless a user has locked it.
keep_parts <- function(forest, parts, asked) {
  if (is_locked(forest)) return()
  # In one call, so that an interrupt cannot leave the new points in a part and pending as well.
  list2env(list(parts = parts, pending = list(), asked = asked), forest)
}

is_locked <- function(forest) {
  environmentIsLocked(forest) || bindingIsLocked("parts", forest) || bindingIsLocked("pending", forest) ||
    bindingIsLocked("asked", forest)
}

# Builds the part of these points.
build_part <- function(forest, points, threads) {
  n <- nrow(points$z)
  names <- if (!is.null(forest$columns) && is.null(points$x)) list(NULL, forest$columns)
  settings <- list(layout = forest$layout, leaf_size = forest$leaf_size, dimnames = names)
  pointer <- .Call(r_tree_build, points$z, forest$layout == "hilbert", forest$leaf_size, simd_level(),
                   threads, settings)
  rows <- points$rows
  if (rows[n] - rows[1] == n - 1) rows <- rows[1]
  list(pointer = pointer, rows = rows, removed = NULL, count = n, x = points$x)
}

# Returns a part without these rows of its tree; NULL if none is left.
drop_rows <- function(forest, part, rows, threads) {
  if (length(rows) == 0) return(part)
  n <- nrow(.Call(r_tree_arrays, part$pointer)$points)
  if (is.null(part$removed)) part["removed"] <- list(raw(n))
  part$removed[rows] <- as.raw(1)
  part$count <- part$count - length(rows)
  if (part$count == 0) NULL
  else if (4 * (n - part$count) < n) part
  else build_part(forest, points_of(list(part)), threads)
}

# Returns one part without removed points, for a forest with points.
single_part <- function(forest, threads) {
  if (is_single(forest$parts)) return(forest$parts[[1]])
  build_part(forest, points_of(forest$parts), threads)
}

is_single <- function(parts) length(parts) == 1 && is.null(parts[[1]]$removed)

# Whether the single part of a forest has all rows from 1 on.
is_plain <- function(forest) {
  part <- if (length(forest$parts) == 1) forest$parts[[1]]
  identical(part$rows, 1L) && is.null(part$removed) && part$count == forest$next_row - 1
}

# The state of the metric `space` in the tree of a part; without a part, what all parts have in common.
space_of_part <- function(space, part = NULL) {
  arrays <- if (!is.null(part)) .Call(r_tree_arrays, part$pointer)
  seal_space(c(space[c("metric", "fit", "code")],
               list(x = part$x, n = nrow(arrays$points),
                    extent = if (!is.null(part)) rbind(arrays$lower[1, ], arrays$upper[1, ]))))
}

# The tree of a part without removed points, with rows from 1.
part_tree <- function(part, space, crs = NULL) {
  if (!is.null(space)) space <- space_of_part(space, part)
  new_cover_tree(part$pointer, NULL, space, crs)
}

# Replaces the parts of a tree, which has points, by one, and returns the part.
merge_parts <- function(tree, threads) {
  forest <- mget(forest_names, envir = tree$forest)
  forest$parts <- parts_of(tree, threads)
  part <- single_part(forest, threads)
  keep_parts(tree$forest, list(part), 0)
  part
}

living_rows <- function(parts) if (length(parts) == 0) integer() else .Call(r_forest_rows, parts)

# The number of points that are not removed.
living_count <- function(forest) {
  as.integer(sum(vapply(forest$parts, function(part) part$count, 0),
                 vapply(forest$pending, function(new) length(new$rows), 0)))
}

# ---- arguments --------------------------------------------------------------------------------------

# Row numbers as integers, which must be those of points that are not removed.
check_living <- function(rows, parts, next_row) {
  numbers <- check_rows(rows, as.integer(next_row - 1), "the largest row number so far")
  part <- if (length(parts) == 0) rep(0L, length(numbers)) else .Call(r_forest_find, parts, numbers)$part
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

# The new points as given, with the columns of the tree's points in their order and with their names.
given_points <- function(tree, x) {
  metric <- tree$space$metric
  names <- dimnames(tree)[[2]]
  given <- suppressMessages(match_query(check_metric_points(x, metric, empty = TRUE), tree, "x"),
                            classes = "covertree_reordered")
  if (metric$kind == "great_circle" && is.null(names)) given <- given[, sphere_order(given, "x"), drop = FALSE]
  dimnames(given) <- if (!is.null(names)) list(NULL, names)
  given
}

# ---- queries ----------------------------------------------------------------------------------------

# Searches the parts of a tree, or the single tree that replaces them: where a search needs one, or
# when the queries since the last merge would have paid for one. `several(parts)` searches parts;
# `single(tree, rows)` searches the tree of a single part, and rows() turns row numbers of the forest
# into those of this tree. The costs are in points that a build processes: a query takes in each further
# part about 0.7 times the time that a build takes for a point.
search_parts <- function(tree, queries, needs_one, several, single, threads) {
  forest <- tree$forest
  parts <- parts_of(tree, threads)
  asked <- forest$asked + queries * (length(parts) - 1) * 0.7
  if (needs_one || is_single(parts) || asked > living_count(forest)) {
    part <- merge_parts(tree, check_threads(threads))
    return(single(part_tree(part, tree$space), part))
  }
  if (!is_locked(forest)) forest$asked <- asked
  several(lapply(parts, `[`, c("pointer", "rows", "removed")))
}

# Row numbers of a part's tree, for those of the forest. All of them are in the part.
to_part_rows <- function(rows, part) {
  if (length(part$rows) == 1) rows - part$rows + 1L else match(rows, part$rows)
}

# A matrix or vector of row numbers of the forest, for those of a part's tree.
to_forest_rows <- function(index, part) {
  if (identical(part$rows, 1L)) return(index)
  index[] <- if (length(part$rows) == 1) index + (part$rows - 1L) else part$rows[index]
  index
}

# The rows that own-point queries ask for, as row numbers: list(rows, all). `all`: whether all points
# ask and no point is removed, so that the result does not list them.
asked_rows <- function(tree, query, rows) {
  if (is.null(rows) && !is.null(query)) return(list(rows = NULL, all = TRUE))
  parts <- parts_of(tree)
  next_row <- tree$forest$next_row
  if (!is.null(rows)) return(list(rows = check_living(rows, parts, next_row), all = FALSE))
  living <- living_rows(parts)
  list(rows = living, all = length(living) == next_row - 1)
}

# knn_query() of a grown tree: `arguments` is the list of the other arguments of knn_query(), checked
# here only where the search in parts needs them.
grown_knn <- function(tree, query, k, rows, arguments) {
  n <- living_count(tree$forest)
  queries <- count_queries(query, rows, n)
  predecessor <- check_flag(arguments$predecessor, "predecessor")
  if (predecessor && !is.null(query)) refuse_query(query)
  max_distance <- check_max_distance(arguments$max_distance, queries)
  asked <- asked_rows(tree, query, rows)
  several <- function(parts) {
    control <- check_control(arguments$control)
    options <- search_options(control, arguments$threads, predecessor)
    options["metric"] <- list(tree$space$code)
    check_pairs(queries, k, n, options$threads, check_max_pairs(arguments$max_pairs))
    query <- check_query(query, tree)
    distinct <- if (!is.null(asked$rows)) sort(unique(asked$rows))
    if (!is.null(max_distance)) options$max_distance <- limits_of(max_distance, asked$rows, distinct)
    found <- .Call(r_forest_knn, parts, query, distinct, k, options)
    result <- found[c("index", "distance")]
    if (!identical(asked$rows, distinct)) result <- lines_of(result, match(asked$rows, distinct))
    if (!is.null(max_distance)) result <- drop_farther(result, max_distance)
    result <- structure(result, class = "covertree_knn", exact = TRUE)
    if (control$stats) attr(result, "stats") <- new_stats(found$stats, nrow(found$index), NULL)
    result
  }
  single <- function(one, part) {
    rows <- if (!is.null(asked$rows) && !(asked$all && is_whole(part, asked$rows))) {
      to_part_rows(asked$rows, part)
    }
    found <- do.call(knn_query, c(list(one, query, k, rows), arguments))
    found$index <- to_forest_rows(found$index, part)
    found
  }
  many <- predecessor && queries > 1000
  exact <- arguments$epsilon == 0 && is.null(arguments$budget)
  result <- if (n == 0) knn_of_none(tree, query, k, queries, arguments)
            else search_parts(tree, queries, many || !exact, several, single, arguments$threads)
  attr(result, "rows") <- if (!asked$all) asked$rows
  attr(result, "own") <- is.null(query)
  attr(result, "points") <- last_row(tree)
  result
}

# The largest row number that a point of the tree has had.
last_row <- function(tree) if (is_grown_tree(tree)) as.integer(tree$forest$next_row - 1) else length(tree)

# Whether these rows are all rows of a part, in order.
is_whole <- function(part, rows) length(rows) == part$count

# The result for a tree whose points are all removed.
knn_of_none <- function(tree, query, k, queries, arguments) {
  check_query(query, tree)
  check_control(arguments$control)
  check_threads(arguments$threads)
  structure(list(index = matrix(NA_integer_, queries, k), distance = matrix(NA_real_, queries, k)),
            class = "covertree_knn", exact = TRUE)
}

# radius_query() of a grown tree, after the checks of its other arguments. `search(pointer, query, rows,
# count)` searches a pointer or a list of parts, for rows of it.
grown_radius <- function(tree, query, rows, queries, search, threads) {
  asked <- asked_rows(tree, query, rows)
  query <- check_query(query, tree)
  if (length(tree) == 0) {
    none <- rep(list(integer()), queries)
    found <- list(index = none, distance = lapply(none, as.double), count = integer(queries))
    return(list(found = found, rows = if (!asked$all) asked$rows))
  }
  several <- function(parts) search(parts, query, asked$rows)
  single <- function(one, part) {
    found <- search(one$pointer, query, if (!is.null(asked$rows)) to_part_rows(asked$rows, part))
    if (!is.null(found$index)) found$index <- lapply(found$index, to_forest_rows, part)
    found
  }
  list(found = search_parts(tree, queries, FALSE, several, single, threads),
       rows = if (!asked$all) asked$rows)
}

# recall_of() of a grown tree; `arguments` as in grown_knn().
grown_recall <- function(tree, result, query, rows, arguments) {
  asked <- asked_rows(tree, query, rows)
  if (length(tree) == 0) fail("tree must have points: got one whose points are all removed")
  if (inherits(result, "covertree_knn")) result <- result$index
  index <- check_result(result, as.integer(tree$forest$next_row - 1))
  part <- merge_parts(tree, check_threads(arguments$threads))
  local <- to_part_rows(index, part)
  removed <- which(is.na(local) & !is.na(index))
  if (length(removed) > 0) {
    fail("result must hold rows of points in the tree, or NA: it holds %d, the row of a removed point",
         index[removed[1]])
  }
  dim(local) <- dim(index)
  rows <- if (!is.null(asked$rows)) to_part_rows(asked$rows, part)
  do.call(recall_of, c(list(part_tree(part, tree$space), local, query, rows), arguments))
}

refuse_parts <- function(tree) {
  fail(paste("tree must be a single tree without removed points: got one from insert_points() or",
             "remove_points(); use compact(tree) or, after a removal, cover_tree(as.matrix(tree))"))
}

# ---- methods ------------------------------------------------------------------------------------------

#' @export
dim.covertree_grown_tree <- function(x) {
  check_tree(x)
  c(living_count(x$forest), as.integer(x$forest$d))
}

#' @export
length.covertree_grown_tree <- function(x) dim(x)[1]

#' @export
dimnames.covertree_grown_tree <- function(x) {
  check_tree(x)
  if (!is.null(x$forest$columns)) list(NULL, x$forest$columns)
}

#' @export
as.matrix.covertree_grown_tree <- function(x, ...) {
  check_tree(x)
  points <- points_of(parts_of(x))
  if (is.null(points)) return(matrix(0, 0, x$forest$d, dimnames = dimnames(x)))
  matrix <- if (is.null(points$x)) points$z else points$x
  dimnames(matrix) <- dimnames(x)
  matrix
}

#' @export
format.covertree_grown_tree <- function(x, ...) {
  size <- dim(x)
  parts <- length(parts_of(x))
  removed <- x$forest$next_row - 1 - size[1]
  sprintf("<cover_tree: %s point%s in %d dimension%s, %s layout%s, %d part%s%s>",
          format(size[1], big.mark = ","), plural(size[1]), size[2], plural(size[2]),
          layout_label(x$forest$layout),
          if (!is.null(x$space)) paste0(", by ", metric_label(x$space$metric)) else "", parts, plural(parts),
          if (removed > 0) sprintf(", %s removed", format(removed, big.mark = ",")) else "")
}

#' @export
summary.covertree_grown_tree <- function(object, ...) {
  check_tree(object)
  forest <- object$forest
  each <- lapply(parts_of(object), function(part) {
    arrays <- .Call(r_tree_arrays, part$pointer)
    n <- nrow(arrays$points)
    rows <- if (length(part$rows) == n) range(part$rows) else part$rows + c(0L, n - 1L)
    data.frame(points = as.integer(part$count), removed = as.integer(n - part$count), first_row = rows[1],
               last_row = rows[2], nodes = length(arrays$level),
               bytes = bytes_of(arrays) + bytes_of(part[c("rows", "removed", "x")]))
  })
  parts <- do.call(rbind, each)
  structure(list(n = length(object), d = dim(object)[2], layout = forest$layout,
                 leaf_size = forest$leaf_size, removed = forest$next_row - 1 - length(object),
                 parts = parts, bytes = sum(parts$bytes), metric = object$space$metric),
            class = "covertree_grown_summary")
}

#' @export
print.covertree_grown_summary <- function(x, ...) {
  number <- function(value) format(value, big.mark = ",")
  count <- NROW(x$parts)
  cat(sprintf("Cover tree of %s point%s in %d dimension%s, %s layout (leaf size %d)\n", number(x$n), plural(x$n),
              x$d, plural(x$d), layout_label(x$layout), x$leaf_size))
  cat(sprintf("  %d part%s, %s point%s removed since the first build\n", count, plural(count),
              number(x$removed), plural(x$removed)))
  if (!is.null(x$metric)) cat(sprintf("  metric: %s\n", gsub("[<>]", "", format(x$metric))))
  cat(sprintf("  memory: %s\n", format(structure(x$bytes, class = "object_size"), units = "auto")))
  if (count > 0) print(x$parts, row.names = FALSE)
  invisible(x)
}
