# Queries of a grown tree: knn_query(), radius_query() and recall_of(). See R/grown_tree.R.

# The time that a query takes in each further part, divided by the time that a build takes for a
# point.
PART_COST <- 0.7

# Searches the parts of a tree with `several(parts)`, or a single tree that replaces the parts with
# `single(tree, part)`, whose rows are local rows of `part`. The parts are merged if the search
# needs one tree (`needs_one`), or if the work of the queries since the last merge exceeds the cost
# of a build.
search_parts <- function(tree, queries, needs_one, several, single, threads) {
  state <- tree$state
  parts <- parts_of(tree, threads)
  work <- state$query_work + queries * (length(parts) - 1) * PART_COST
  if (needs_one || is_single(parts) || work > remaining_count(state)) {
    part <- merge_parts(tree, check_threads(threads))
    return(single(part_tree(part, tree$space), part))
  }
  if (!is_locked(state)) state$query_work <- work
  several(lapply(parts, `[`, c("pointer", "rows", "removed")))
}

# The local rows of rows; the part must have all of them.
to_local_rows <- function(rows, part) {
  if (length(part$rows) == 1) rows - part$rows + 1L else match(rows, part$rows)
}

# The rows of a matrix or vector of local rows.
to_rows <- function(index, part) {
  if (identical(part$rows, 1L)) return(index)
  index[] <- if (length(part$rows) == 1) index + (part$rows - 1L) else part$rows[index]
  index
}

# The rows of the queries: list(rows, all). rows: NULL for foreign queries. `all`: whether the
# result does not list the rows, because queries are foreign, or are all points and no point is
# removed.
query_rows <- function(tree, query, rows) {
  if (is.null(rows) && !is.null(query)) return(list(rows = NULL, all = TRUE))
  parts <- parts_of(tree)
  next_row <- tree$state$next_row
  if (!is.null(rows)) return(list(rows = check_remaining(rows, parts, next_row), all = FALSE))
  remaining <- remaining_rows(parts)
  list(rows = remaining, all = length(remaining) == next_row - 1)
}

# knn_query() of a grown tree. `arguments`: list of the other arguments of knn_query(). Arguments
# that only the search in a single tree uses are checked there.
grown_knn <- function(tree, query, k, rows, arguments) {
  n <- remaining_count(tree$state)
  queries <- count_queries(query, rows, n)
  predecessor <- check_flag(arguments$predecessor, "predecessor")
  if (predecessor && !is.null(query)) refuse_query(query)
  max_distance <- check_max_distance(arguments$max_distance, queries)
  own <- query_rows(tree, query, rows)
  several <- function(parts) {
    control <- check_control(arguments$control)
    outermost <- begin_progress("knn_query", control$progress)
    on.exit(end_progress(outermost))
    progress_stage("search")
    options <- search_options(control, arguments$threads, predecessor)
    options["metric"] <- list(tree$space$code)
    check_pairs(queries, k, n, options$threads, check_max_pairs(arguments$max_pairs))
    query <- check_query(query, tree)
    distinct <- if (!is.null(own$rows)) sort(unique(own$rows))
    if (!is.null(max_distance)) options$max_distance <- limits_of(max_distance, own$rows, distinct)
    found <- .Call(r_parts_knn, parts, query, distinct, k, options)
    result <- found[c("index", "distance")]
    if (!identical(own$rows, distinct)) result <- lines_of(result, match(own$rows, distinct))
    if (!is.null(max_distance)) result <- drop_farther(result, max_distance)
    result <- structure(result, class = "covertree_knn", exact = TRUE)
    if (control$stats) attr(result, "stats") <- new_stats(found$stats, nrow(found$index), NULL)
    result
  }
  single <- function(one, part) {
    rows <- if (!is.null(own$rows) && !(own$all && is_whole(part, own$rows))) {
      to_local_rows(own$rows, part)
    }
    found <- do.call(knn_query, c(list(one, query, k, rows), arguments), quote = TRUE)
    found$index <- to_rows(found$index, part)
    found
  }
  many <- predecessor && queries > 1000
  exact <- arguments$epsilon == 0 && is.null(arguments$budget)
  result <- if (n == 0) knn_of_none(tree, query, k, queries, arguments)
            else search_parts(tree, queries, many || !exact, several, single, arguments$threads)
  attr(result, "rows") <- if (!own$all) own$rows
  attr(result, "own") <- is.null(query)
  attr(result, "points") <- last_row(tree)
  result
}

# The largest row number of a point of the tree so far, removed points included.
last_row <- function(tree) if (is_grown_tree(tree)) as.integer(tree$state$next_row - 1) else length(tree)

# Whether these rows, ascending and all in the part, are all rows of the part.
is_whole <- function(part, rows) length(rows) == part$count

# The result for a tree whose points are all removed.
knn_of_none <- function(tree, query, k, queries, arguments) {
  check_query(query, tree)
  check_control(arguments$control)
  check_threads(arguments$threads)
  structure(list(index = matrix(NA_integer_, queries, k), distance = matrix(NA_real_, queries, k)),
            class = "covertree_knn", exact = TRUE)
}

# radius_query() of a grown tree, after the checks of the other arguments. `search(tree, query,
# rows)` searches a pointer, with local rows, or a list of parts, with rows. Returns list(found,
# rows).
grown_radius <- function(tree, query, rows, queries, search, threads) {
  own <- query_rows(tree, query, rows)
  query <- check_query(query, tree)
  if (length(tree) == 0) {
    none <- rep(list(integer()), queries)
    found <- list(index = none, distance = lapply(none, as.double), count = integer(queries))
    return(list(found = found, rows = if (!own$all) own$rows))
  }
  several <- function(parts) search(parts, query, own$rows)
  single <- function(one, part) {
    found <- search(one$pointer, query, if (!is.null(own$rows)) to_local_rows(own$rows, part))
    if (!is.null(found$index)) found$index <- lapply(found$index, to_rows, part)
    found
  }
  list(found = search_parts(tree, queries, FALSE, several, single, threads),
       rows = if (!own$all) own$rows)
}

# recall_of() of a grown tree. `arguments`: see grown_knn().
grown_recall <- function(tree, result, query, rows, arguments) {
  own <- query_rows(tree, query, rows)
  if (length(tree) == 0) fail("tree must have points: got one whose points are all removed")
  if (inherits(result, "covertree_knn")) result <- result$index
  index <- check_result(result, as.integer(tree$state$next_row - 1))
  part <- merge_parts(tree, check_threads(arguments$threads))
  local <- to_local_rows(index, part)
  removed <- which(is.na(local) & !is.na(index))
  if (length(removed) > 0) {
    place <- arrayInd(removed[1], dim(index))
    fail("result must have rows of points in the tree, or NA: row %d, column %d is %d, the row of a removed point",
         place[1], place[2], index[removed[1]])
  }
  dim(local) <- dim(index)
  rows <- if (!is.null(own$rows)) to_local_rows(own$rows, part)
  do.call(recall_of, c(list(part_tree(part, tree$space), local, query, rows), arguments), quote = TRUE)
}

refuse_parts <- function(tree) {
  fail(paste("tree must be a single tree without removed points: got one from insert_points() or",
             "remove_points(); use compact(tree) or, after a removal, cover_tree(as.matrix(tree))"))
}
