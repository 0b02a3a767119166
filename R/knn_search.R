# The searches behind knn_query(): which of them answers a call, and the search by distance.

# Returns the search of a call, as euclidean_search() describes it. Its queries are the tree's own
# points, or the points in `query`.
search_for <- function(tree, query, k, options) {
  if (options$predecessor && !is.null(query)) refuse_query(query)
  if (is_function_tree(tree)) function_search(tree, query, k, options)
  else if (is_scanned(tree)) gower_search(tree, query, k, options)
  else if (is.null(tree$metric)) euclidean_search(tree, query, k, options)
  else residual_search(tree, query, k, options)
}

refuse_query <- function(query) {
  fail("query must be NULL with predecessor = TRUE, because only the tree's own points have rows: got %s",
       describe(query))
}

# Returns a search: a list of functions of `rows`, the numbers of some queries (ascending, each
# once), or NULL for all queries. With epsilon the core processes each query alone, so that its
# result does not depend on the other queries.
euclidean_search <- function(tree, query, k, options) {
  pointer <- tree$pointer
  query <- check_query(query, tree)
  options["metric"] <- list(tree$space$code)
  some <- function(rows) if (is.null(rows) || is.null(query)) query else query[rows, , drop = FALSE]
  go <- function(rows, epsilon = options$epsilon, budget = options$budget, stats = options$stats) {
    options$stats <- stats
    options$epsilon <- epsilon
    options["budget"] <- list(budget)
    options["limits"] <- list(limits_for(options$exclusion, rows))
    .Call(r_knn, pointer, some(rows), if (is.null(query)) rows, k, options)
  }
  queries <- if (is.null(query)) nrow(.Call(r_tree_arrays, pointer)$points) else nrow(query)
  start <- proc.time()[["elapsed"]]
  exact <- function(rows) {
    asked <- if (is.null(rows)) seq_len(queries) else rows
    if (!is.null(options$exclusion) || !prefers_bits(tree, asked, options, function(rows) go(rows, 0, NULL, TRUE))) return(go(rows, 0, NULL))
    .Call(r_scan_knn, bit_sets(tree), query, rows, k, options)
  }
  list(
    queries = queries,
    key = if (is.null(query)) list(k, options$predecessor),
    limits = c(options$epsilon, unlist(options$budget)),
    cache = if (is.null(query)) cache_of(tree),
    exact = exact,
    within = function(rows) add_evaluated(go(rows, stats = TRUE)),
    distance = function(rows, index) {
      .Call(r_metric_distance, pointer, options$metric, query, as.integer(rows), index)
    },
    stats = function(found) {
      if (is.null(found$stats)) scan_stats(found, length(tree), start)
      else new_stats(found$stats, nrow(found$index), found$evaluated)
    }
  )
}

# Returns the distances [m x k] of queries [m x d] to the rows `index` [m x k] of points; NA where a
# row is NA.
row_distance <- function(query, points, index) {
  sum <- 0
  for (j in seq_len(ncol(query))) sum <- sum + (points[index, j] - query[row(index), j])^2
  array(sqrt(sum), dim(index))
}

# Adds the number of points evaluated for each query, if a budget has recorded it; otherwise the
# mean, which is 16 for each scanned tile.
add_evaluated <- function(found) {
  if (is.null(found$evaluated)) found$evaluated <- 16 * found$stats$counts[["tiles"]] / nrow(found$index)
  found
}
