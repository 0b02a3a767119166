# Trees whose metric is a metric_function(): arrays without coordinates, searched by
# src/core/metric_space/.

# The names of the arrays, in the order of src/core/metric_space/metric_tree.h.
function_array_names <- c("row", "center", "parent", "first_child", "next_sibling", "subtree_begin",
                          "subtree_end", "level", "min_row", "radius", "to_parent", "nearest", "farthest",
                          "to_center", "pivot", "pivot_distance", "lower", "upper")

is_function_tree <- function(tree) !missing(tree) && inherits(tree, "covertree_function_tree")

# cover_tree() for a metric_function().
function_tree <- function(x, metric, leaf_size) {
  metric <- check_metric_function(metric)
  n <- count_objects(x, metric$n)
  if (metric$check) check_axioms(metric, n)
  built <- .Call(r_metric_build, function_calls(metric), n, leaf_size, count_pivots(n))
  new_function_tree(built$arrays, metric, leaf_size, name_counts(built$counts))
}

# From 8 to 64, a multiple of 8, so that the pivots take few evaluations compared with n^2 and at
# most about 250 MB.
count_pivots <- function(n) 8L * as.integer(max(1, min(8, sqrt(n) %/% 12, 4e6 %/% n)))

new_function_tree <- function(arrays, metric, leaf_size, build) {
  structure(list(arrays = arrays, metric = list(metric = metric), leaf_size = leaf_size, build = build),
            class = c("covertree_function_tree", "cover_tree"))
}

name_counts <- function(counts) c(evaluations = counts[1], calls = counts[2], seconds = counts[3])

# The number of objects: of x, which may be this number, and of the metric.
count_objects <- function(x, n) {
  if (is.null(x)) {
    if (is.null(n)) fail("x must be the objects or their number if metric_function() has no n: got NULL")
    return(n)
  }
  is_count <- is_number(x) && is.null(dim(x)) && !identical(n, 1L)
  count <- if (is_count) check_count(x, "x, the number of objects,") else NROW(x)
  if (count == 0) fail("x must have at least one object: got none")
  if (!is.null(n) && count != n) {
    fail("x must have the %d object%s of the metric_function(): got %d", n, plural(n), count)
  }
  as.integer(count)
}

# A first check of a tree: src/glue/metric_function.c checks the arrays in each call.
check_function_tree <- function(tree) {
  parts <- unclass(tree)
  known <- c("arrays", "metric", "leaf_size", "build")
  if (!is.list(parts) || !identical(names(parts), known) || !is.list(parts$arrays) ||
      !identical(names(parts$arrays), function_array_names) || !is.list(parts$metric) ||
      !inherits(parts$metric$metric, "covertree_metric_function")) {
    fail(paste("tree must have the elements that cover_tree(x, metric = metric_function()) gave it: it was",
               "edited, or built by another version of covertree; build it again with cover_tree()"))
  }
  invisible(NULL)
}

# The foreign query objects as a list.
query_objects <- function(query) {
  if (is.null(query)) return(NULL)
  if (length(dim(query)) == 2) {
    one <- if (is.data.frame(query)) function(i) query[i, , drop = FALSE] else function(i) query[i, ]
    return(lapply(seq_len(nrow(query)), one))
  }
  is_collection <- is.vector(query) || is.factor(query) || !is.null(attr(query, "class"))
  if (!is_collection || inherits(query, c("cover_tree", "covertree_shards"))) {
    fail("query must be a list or vector of objects, or a matrix with a row for each: got %s", describe(query))
  }
  lapply(seq_along(query), function(i) query[[i]])
}

# See euclidean_search(). All answers are exact.
function_search <- function(tree, query, k, options) {
  if (!is.null(options$budget)) {
    fail("budget must be NULL for a tree with a metric_function(), whose searches are exact: got a budget()")
  }
  metric <- check_metric_function(tree$metric$metric)
  n <- length(tree)
  query <- query_objects(query)
  calls <- function_calls(metric, query)
  foreign <- if (is.null(query)) -1L else length(query)
  start <- proc.time()[["elapsed"]]
  list(
    queries = if (is.null(query)) n else foreign,
    exact = function(rows) {
      # The sample of recall_of() may be a part of foreign queries.
      some <- if (is.null(query) || is.null(rows)) calls else function_calls(metric, query[rows])
      count <- if (is.null(query) || is.null(rows)) foreign else length(rows)
      .Call(r_metric_knn, some, tree$arrays, if (is.null(query)) rows, count, k, options)
    },
    distance = function(rows, index) {
      from <- if (is.null(query)) rows else -rows
      distance <- array(NA_real_, dim(index))
      for (i in seq_along(rows)) {
        there <- !is.na(index[i, ])
        if (any(there)) distance[i, there] <- distances_from(metric, query, from[i], index[i, there])
      }
      distance
    },
    stats = function(found) function_stats(found, n, proc.time()[["elapsed"]] - start)
  )
}

function_stats <- function(found, n, elapsed) {
  counts <- name_counts(found$counts)
  queries <- nrow(found$index)
  structure(list(queries = queries, evaluations = counts[["evaluations"]], calls = counts[["calls"]],
                 share = counts[["evaluations"]] / (queries * as.double(n)),
                 seconds = c(f = counts[["seconds"]], elapsed = elapsed)),
            class = "covertree_function_stats")
}

#' @export
print.covertree_function_stats <- function(x, ...) {
  cat(sprintf("<knn_stats: %s quer%s in %.3f s>\n", big_number(x$queries), if (x$queries == 1) "y" else "ies",
              x$seconds[["elapsed"]]))
  cat(sprintf("%s distances in %s calls of f, which took %.3f s\n", big_number(x$evaluations),
              big_number(x$calls), x$seconds[["f"]]))
  cat(sprintf("%.3g%% of the distances from all queries to all objects\n", 100 * x$share))
  invisible(x)
}

# radius_query() for a metric_function().
function_radius <- function(tree, query, radius, rows, sort, count_only, threads, max_pairs, control) {
  if (missing(radius)) fail("radius must be one finite number of at least 0: got nothing")
  radius <- check_radius(radius)
  check_flag(sort, "sort")
  max_pairs <- check_max_pairs(max_pairs)
  options <- search_options(check_control(control), threads)
  queries <- count_queries(query, rows, length(tree))
  if (!count_only) check_queries(queries, if (is.null(rows)) queries else min(queries, length(tree)), max_pairs)
  rows <- check_rows(rows, length(tree))
  query <- query_objects(query)
  distinct <- if (!is.null(rows)) sort(unique(rows))
  metric <- check_metric_function(tree$metric$metric)
  calls <- function_calls(metric, query)
  foreign <- if (is.null(query)) -1L else length(query)
  if (count_only) {
    count <- .Call(r_metric_radius_count, calls, tree$arrays, distinct, foreign, radius, options)
    return(if (is.null(rows)) count else count[match(rows, distinct)])
  }
  limit <- if (is.null(max_pairs)) radius_limit(radius_bytes(queries, queries), FUNCTION_RADIUS_PAIR)
           else max_pairs
  found <- .Call(r_metric_radius, calls, tree$arrays, distinct, foreign, radius, limit, options)
  if (is.double(found)) refuse_counted(c(NA, limit, 0), max_pairs, FUNCTION_RADIUS_PAIR)
  lists <- radius_lists(found, if (is.null(rows)) queries else length(distinct))
  if (!is.null(rows)) lists <- lapply(lists, `[`, match(rows, distinct))
  if (sum(as.double(lists$count)) > limit) refuse_counted(c(NA, limit, 0), max_pairs, FUNCTION_RADIUS_PAIR)
  structure(c(lists, list(radius = radius)), class = "covertree_radius", rows = rows,
            own = is.null(query), points = length(tree))
}

# The lists of radius_query() from its pairs, ordered by query.
radius_lists <- function(found, queries) {
  by_query <- factor(found$query, levels = seq_len(queries))
  list(index = unname(split(found$index, by_query)), distance = unname(split(found$distance, by_query)),
       count = tabulate(found$query, queries))
}

#' @export
length.covertree_function_tree <- function(x) length(unclass(x)$arrays$row)

#' @export
dim.covertree_function_tree <- function(x) NULL

#' @export
dimnames.covertree_function_tree <- function(x) NULL

#' @export
as.matrix.covertree_function_tree <- function(x, ...) {
  fail("tree must have coordinates: got one with a metric_function(), whose objects only the function has")
}

#' @export
format.covertree_function_tree <- function(x, ...) {
  sprintf("<cover_tree: %s object%s, by a function>", big_number(length(x)), plural(length(x)))
}

#' @export
summary.covertree_function_tree <- function(object, ...) {
  check_function_tree(object)
  arrays <- object$arrays
  leaf <- arrays$first_child == 0L
  size <- arrays$subtree_end - arrays$subtree_begin + 1L
  structure(
    list(n = length(object), leaf_size = object$leaf_size, nodes = length(leaf), leaves = sum(leaf),
         pivots = length(arrays$pivot), levels = level_table(arrays),
         leaf_sizes = stats::quantile(size[leaf], names = FALSE), bytes = bytes_of(arrays),
         build = object$build, metric = object$metric$metric),
    class = "covertree_function_summary"
  )
}

#' @export
print.covertree_function_summary <- function(x, ...) {
  say <- function(...) cat(sprintf(...), "\n", sep = "")
  say("Cover tree of %s object%s", big_number(x$n), plural(x$n))
  say("  %s node%s, %s %s (leaf size %d)", big_number(x$nodes), plural(x$nodes), big_number(x$leaves),
      if (x$leaves == 1) "leaf" else "leaves", x$leaf_size)
  say("  objects per leaf: %s (minimum, quartiles, maximum)", toString(x$leaf_sizes))
  say("  %s", gsub("[<>]", "", format(x$metric)))
  say("  build: %s distances in %s calls of f, %d pivot%s", big_number(x$build[["evaluations"]]),
      big_number(x$build[["calls"]]), x$pivots, plural(x$pivots))
  say("  memory: %s", format(structure(x$bytes, class = "object_size"), units = "auto"))
  invisible(x)
}

#' @method all.equal covertree_function_tree
#' @export
all.equal.covertree_function_tree <- function(target, current, ...) {
  if (!is_function_tree(current)) {
    return(sprintf("target is a cover_tree by a function, current is %s",
                   if (inherits(current, "cover_tree")) "another cover_tree" else describe(current)))
  }
  ours <- function_arrays(target)
  theirs <- function_arrays(current)
  found <- unlist(lapply(names(ours), function(name) difference(name, ours[[name]], theirs[[name]], ...)))
  found <- c(found, difference("metric", target$metric$metric, current$metric$metric, ...))
  if (is.null(found)) TRUE else found
}

# tree_arrays() for a metric_function().
function_arrays <- function(tree) {
  check_function_tree(tree)
  c(tree$arrays, list(leaf_size = tree$leaf_size))
}

# validate_tree() for a metric_function(): every distance is evaluated again.
function_validate <- function(tree) {
  check_function_tree(tree)
  arrays <- tree$arrays
  metric <- check_metric_function(tree$metric$metric)
  checked <- lapply(seq_along(arrays$center), function(node) validate_node(node, arrays, metric))
  violations <- colSums(do.call(rbind, lapply(checked, `[[`, "broken")))
  slack <- do.call(pmin, lapply(checked, `[[`, "slack"))
  list(valid = all(violations == 0), violations = stats::setNames(as.integer(violations), names(violations)),
       slack = slack)
}

cover_radius <- function(level) ifelse(is.na(level), 0, 2^(level / 4))

# Which invariants a node breaks, and the slack of the two that are inequalities.
validate_node <- function(node, arrays, metric) {
  points <- arrays$subtree_begin[node]:arrays$subtree_end[node]
  rows <- arrays$row[points]
  from <- function(pos) distances_from(metric, NULL, arrays$row[pos], rows)
  same <- function(a, b) abs(a - b) <= metric$tolerance * (a + b)
  to_center <- from(arrays$center[node])
  radius <- max(to_center)
  level <- arrays$level[node]
  cover <- cover_radius(level)
  parent <- arrays$parent[node]
  ring <- if (parent > 0) range(from(arrays$center[parent])) else c(0, 0)
  pivots <- arrays$pivot_distance[, points, drop = FALSE]
  child <- which(arrays$parent == node)
  apart <- sibling_separation(child, arrays, metric)
  broken <- c(
    nesting = length(child) > 0 && sum(arrays$center[child] == arrays$center[node]) != 1,
    covering = radius > cover * (1 + 1e-12),
    descent = any((arrays$level[child] >= level) %in% TRUE),
    separation = apart <= 0,
    radius = !same(radius, arrays$radius[node]),
    level = is.na(level) != (radius == 0) ||
      (!is.na(level) && radius <= cover_radius(level - 1) * (1 - 1e-12)),
    min_row = min(rows) != arrays$min_row[node],
    to_center = length(child) == 0 && !all(same(to_center, arrays$to_center[points])),
    range = !all(same(ring, c(arrays$nearest[node], arrays$farthest[node]))) ||
      !identical(c(apply(pivots, 1, min), apply(pivots, 1, max)),
                 c(arrays$lower[, node], arrays$upper[, node]))
  )
  list(broken = broken, slack = c(covering = if (is.na(level)) Inf else 1 - radius / cover, separation = apart))
}

# (Least distance of sibling centers) / (separation radius) - 1.
sibling_separation <- function(child, arrays, metric) {
  if (length(child) < 2) return(Inf)
  rows <- arrays$row[arrays$center[child]]
  least <- min(unlist(lapply(seq_along(rows)[-1], function(i) {
    distances_from(metric, NULL, rows[i], rows[seq_len(i - 1)])
  })))
  if (all(is.na(arrays$level[child]))) return(if (least > 0) Inf else -1)
  least / cover_radius(max(arrays$level[child], na.rm = TRUE) - 1) - 1
}
