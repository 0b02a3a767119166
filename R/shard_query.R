# Queries of a forest: the tasks of both rounds, and the merge of their results. See cover_forest().

# knn_query() for a forest.
shards_knn <- function(forest, query, k, rows, predecessor, recall, epsilon, budget, max_distance, threads,
                       max_pairs, control) {
  start <- proc.time()[["elapsed"]]
  predecessor <- check_flag(predecessor, "predecessor")
  if (predecessor && !is.null(query)) refuse_query(query)
  call <- begin_forest_call(forest, query, rows, predecessor, threads, control)
  k <- check_count(k, "k")
  check_share(recall, "recall")
  if (check_amount(epsilon, "epsilon") > 0) {
    fail("epsilon must be 0 for a forest, whose searches are exact: got %s", describe(epsilon))
  }
  if (!is.null(budget)) fail("budget must be NULL for a forest, whose searches are exact: got %s", describe(budget))
  check_pairs(call$queries, k, length(forest), call$options$threads, check_max_pairs(max_pairs))
  max_distance <- check_max_distance(max_distance, call$queries)
  limits <- if (!is.null(max_distance)) limits_of(max_distance, call$rows, call$distinct)
  constant <- list(do = "knn", k = k)
  first <- first_tasks(call, c(constant, list(boxes = call$boxes)), function(line) list(max_distance = limits[line]),
                       limits)
  found <- forest_run(call, first)
  limits_at <- function(at) {
    # Own points are in order of rows.
    c(list(max_distance = at$reach),
      if (predecessor) list(before = if (is.null(call$distinct)) at$line else call$distinct[at$line]))
  }
  more <- forest_run(call, later_tasks(found, constant, limits_at))
  result <- .Call(r_merge_neighbors, c(found, more), call$count, k, is.double(call$no_row), call$options$threads)
  if (!identical(call$rows, call$distinct)) result <- lines_of(result, match(call$rows, call$distinct))
  if (!is.null(max_distance)) result <- drop_farther(result, max_distance)
  knn <- structure(result, class = "covertree_knn", exact = TRUE,
                   own = is.null(query), points = length(forest))
  attr(knn, "rows") <- call$rows
  if (call$options$stats) attr(knn, "stats") <- forest_stats(c(found, more), call$count, start)
  knn
}

# The statistics of the searches in all shards, added up, for so many queries since `start`.
forest_stats <- function(parts, queries, start) {
  total <- no_stats
  for (part in parts) total <- Map(`+`, total, part$stats[names(total)])
  total$seconds[["elapsed"]] <- proc.time()[["elapsed"]] - start
  new_stats(total, queries)
}

# radius_query() for a forest.
shards_radius <- function(forest, query, radius, rows, sort, count_only, threads, max_pairs, control) {
  call <- begin_forest_call(forest, query, rows, FALSE, threads, control)
  radius <- check_radius(radius)
  sort <- check_flag(sort, "sort")
  max_pairs <- check_max_pairs(max_pairs)
  if (!count_only) check_queries(call$queries, call$count, max_pairs)
  constant <- list(do = "radius", radius = radius, sort = sort, count_only = count_only,
                   max_pairs = max_pairs)
  first <- first_tasks(call, c(constant, list(boxes = call$boxes)), function(line) NULL, NULL)
  found <- forest_run(call, first)
  more <- forest_run(call, later_tasks(found, constant, function(at) NULL))
  parts <- c(found, more)
  refused <- Filter(Negate(is.null), lapply(parts, `[[`, "refused"))
  if (length(refused) > 0) refuse_counted(refused[[1]], max_pairs)
  count <- integer(call$count)
  for (part in parts) count[part$line] <- count[part$line] + part$count
  place <- if (!identical(call$rows, call$distinct)) match(call$rows, call$distinct)
  every <- if (is.null(place)) count else count[place]
  if (count_only) return(every)
  limit <- if (is.null(max_pairs)) radius_limit(radius_bytes(call$queries, call$count)) else max_pairs
  pairs <- sum(as.double(every))
  if (pairs > max(limit, if (is.null(max_pairs)) FEW_PAIRS)) refuse_counted(c(pairs, limit, 0), max_pairs)
  lists <- c(merge_pairs(parts, call, sort), list(count = count))
  if (!is.null(place)) lists <- lapply(lists, `[`, place)
  structure(c(lists, list(radius = radius)), class = "covertree_radius", rows = call$rows,
            own = is.null(query), points = length(forest))
}

# Checks the arguments that all queries have. Returns what their tasks need: count, the number of
# different queries; rows and distinct, as in knn_query(); z, the coordinates of other queries.
begin_forest_call <- function(forest, query, rows, predecessor, threads, control) {
  check_shards(forest)
  parts <- unclass(forest)
  control <- check_control(control)
  if (is.null(threads)) threads <- parts$threads
  options <- search_options(control, threads, predecessor)
  options$progress <- FALSE
  queries <- count_queries(query, rows, parts$n)
  if (queries > .Machine$integer.max) {
    fail("rows must be given for a forest of more than %d points, because a result has at most as many rows: got NULL",
         .Machine$integer.max)
  }
  rows <- check_rows(rows, parts$n)
  distinct <- if (!is.null(rows)) sort(unique(rows))
  z <- forest_coordinates(query, parts)
  list(parts = parts, options = options, queries = queries, rows = rows, distinct = distinct, z = z,
       boxes = c(parts$boxes, list(smallest = vapply(parts$shards, function(shard) as.double(shard$smallest), 0))),
       count = if (is.null(rows)) queries else length(distinct),
       no_row = if (parts$n <= .Machine$integer.max) NA_integer_ else NA_real_)
}

# The coordinates of query points, checked as by check_query().
forest_coordinates <- function(query, parts) {
  if (is.null(query)) return(NULL)
  query <- match_points(check_metric_points(query, parts$metric, "query"), parts$metric, parts$d, parts$names, "query")
  if (nrow(query) == 0) return(matrix(0, 0, ncol(parts$boxes$lower)))
  z <- coordinates_of(parts$metric, parts$fit, query, "query")
  extent <- rbind(.Call(r_column_range, z), parts$boxes$lower, parts$boxes$upper)
  check_extent(apply(extent, 2, range), "query and the tree's points together")
  z
}

# Tasks of the first round: a query asks the shard that contains it, or the nearest. `limit`: the
# arguments of a task for the queries in these lines; `limits`: for own points, the limits of all
# queries.
first_tasks <- function(call, constant, limit, limits) {
  shards <- call$parts$shards
  if (is.null(call$z)) {
    own <- c(constant, list(rows = call$distinct), if (!is.null(limits)) list(max_distance = limits))
    return(if (call$count > 0) lapply(shards, function(shard) c(own, list(shard = shard))))
  }
  nearest <- .Call(r_nearest_shard, call$boxes, call$parts$code, call$z, call$options$threads)
  lines <- by_shard(seq_len(nrow(call$z)), nearest, length(shards))
  unname(Map(function(number, line) {
    c(constant, list(shard = shards[[number]], line = line, z = call$z[line, , drop = FALSE]),
      if (!is.null(limits)) limit(line))
  }, as.integer(names(lines)), lines))
}

# The values of each shard that has some, by its number. split() would first search the numbers for
# those that occur.
by_shard <- function(values, shard, shards) {
  groups <- split(values, structure(shard, levels = as.character(seq_len(shards)), class = "factor"))
  groups[lengths(groups) > 0]
}

# Tasks of the second round: the queries that may have neighbors in a shard other than their first.
later_tasks <- function(found, constant, limit) {
  crossing <- lapply(found, `[[`, "crossing")
  pick <- function(name) unlist(lapply(crossing, `[[`, name))
  shard <- pick("shard")
  if (length(shard) == 0) return(NULL)
  line <- pick("line")
  reach <- pick("reach")
  z <- do.call(rbind, lapply(crossing, `[[`, "z"))
  # The merge needs lines in order.
  along <- order(line)
  groups <- by_shard(along, shard[along], max(shard))
  unname(Map(function(number, at) {
    c(constant, list(number = number, line = line[at], z = z[at, , drop = FALSE]), limit(list(line = line[at], reach = reach[at])))
  }, as.integer(names(groups)), groups))
}

# Runs tasks, which name a shard or have its number.
forest_run <- function(call, tasks) {
  tasks <- lapply(tasks, function(task) {
    if (is.null(task$shard)) task$shard <- call$parts$shards[[task$number]]
    c(task, list(options = call$options, max_open = call$parts$max_open, threads = call$options$threads))
  })
  about <- function(task) {
    sprintf("shard %d, with %s of the %s rows (the first: row %s),", task$shard$number,
            big_number(task$shard$count), big_number(call$parts$n), big_number(task$shard$smallest))
  }
  run_tasks(tasks, about)
}

# The lists of radius_query(), from those of several shards.
merge_pairs <- function(parts, call, sort) {
  index <- rep(list(if (is.integer(call$no_row)) integer() else numeric()), call$count)
  distance <- rep(list(numeric()), call$count)
  asked <- integer(call$count)
  for (part in parts) {
    asked[part$line] <- asked[part$line] + 1L
    fresh <- asked[part$line] == 1L
    index[part$line[fresh]] <- part$index[fresh]
    distance[part$line[fresh]] <- part$distance[fresh]
    for (at in which(!fresh & part$count > 0)) {
      line <- part$line[at]
      index[[line]] <- c(index[[line]], part$index[[at]])
      distance[[line]] <- c(distance[[line]], part$distance[[at]])
    }
  }
  if (sort) {
    for (line in which(asked > 1)) {
      along <- order(distance[[line]], index[[line]])
      index[[line]] <- index[[line]][along]
      distance[[line]] <- distance[[line]][along]
    }
  }
  list(index = index, distance = distance)
}
