# What a process does for a forest: it builds shards, and answers queries by them. A shard has two
# files: a tree, and the row number of each of its points in the whole data. Any process that can
# read the files can answer; it keeps the shards that it has opened.

# The shards open in this process, by the path of their file; `order` has their paths, the last used
# one last.
open_shards <- new.env(parent = emptyenv())

# Runs a task in any process. This function is sent to the process; all others are those of the
# package that is installed there, which therefore must be the same.
run_task <- function(task) {
  here <- unname(as.character(getNamespaceVersion("covertree")))
  if (!identical(here, task$version)) {
    told <- sprintf(paste("a worker must have version %s of covertree, like this session: it has version %s;",
                          "install the same version for all workers"), task$version, here)
    return(structure(list(message = told), class = "covertree_task_error"))
  }
  tryCatch(
    switch(task$do, build = build_shard(task), knn = shard_knn(task), radius = shard_radius(task)),
    error = function(e) task_error(conditionMessage(e))
  )
}

task_error <- function(why) structure(list(message = why), class = "covertree_task_error")

# The threads of a worker: its share of the processors, unless the user gave a number.
worker_threads <- function(task) {
  if (!is.null(task$threads)) return(task$threads)
  if (task$workers > 1) as.integer(max(1, covertree_threads() %/% task$workers))
}

# ---- files -----------------------------------------------------------------------------

# The file of the row numbers is written last, under another name first: if it has its final name,
# both files are complete.
write_shard <- function(tree, rows, shard) {
  write_tree(tree, paste0(shard$file, ".tree"))
  path <- paste0(shard$file, ".rows")
  part <- paste0(path, ".part")
  on.exit(unlink(part))
  saveRDS(list(rows = rows, id = shard$id), part, compress = FALSE)
  if (!file.rename(part, path)) fail("the file %s cannot be written", path)
}

# Returns list(tree, rows, id) of a shard, from memory if this process has opened it before.
open_shard <- function(shard, max_open) {
  kept <- open_shards[[shard$file]]
  if (is.null(kept)) {
    close_shards(max_open - 1)
    kept <- read_shard(shard)
    assign(shard$file, kept, envir = open_shards)
  }
  open_shards$.order <- c(setdiff(open_shards$.order, shard$file), shard$file)
  kept
}

read_shard <- function(shard) {
  path <- paste0(shard$file, ".rows")
  rows <- tryCatch(readRDS(path), error = function(e) NULL, warning = function(w) NULL)
  if (is.null(rows)) fail("the file %s does not exist, or is damaged", path)
  if (!is.list(rows) || !identical(rows$id, shard$id) || length(rows$rows) != shard$count) {
    fail("the file %s belongs to another forest", path)
  }
  path <- paste0(shard$file, ".tree")
  tree <- tryCatch(read_tree(path), error = function(e) fail("the file %s is not valid: %s", path, conditionMessage(e)))
  if (length(tree) != shard$count) fail("the file %s belongs to another forest", path)
  c(list(tree = tree), rows)
}

# Forgets all shards but the `keep` last used ones.
close_shards <- function(keep) {
  order <- open_shards$.order
  old <- utils::head(order, max(0, length(order) - max(0, keep)))
  rm(list = intersect(old, ls(open_shards)), envir = open_shards)
  open_shards$.order <- setdiff(order, old)
}

# ---- build -----------------------------------------------------------------------------

# Builds the tree of a shard, writes its file, and returns what the forest keeps of it.
build_shard <- function(task) {
  points <- if (is.null(task$spool)) task[c("x", "rows")] else spooled_points(task$spool)
  rows <- points$rows
  if (task$n <= .Machine$integer.max) rows <- as.integer(rows)
  tree <- shard_tree(points$x, task)
  write_shard(tree, rows, task$shard)
  arrays <- .Call(r_tree_arrays, tree$pointer)
  boxes <- boxes_of_tree(arrays)
  list(lower = arrays$lower[1, ], upper = arrays$upper[1, ], count = length(rows), smallest = rows[1],
       box_lower = arrays$lower[boxes, , drop = FALSE], box_upper = arrays$upper[boxes, , drop = FALSE])
}

# The tree of a shard. The coordinates of its points do not depend on the shard: columns are
# matched, and periods begin, as for all points of the forest.
shard_tree <- function(x, task) {
  threads <- worker_threads(task)
  if (is.null(task$metric)) return(cover_tree(x, leaf_size = task$leaf_size, threads = threads))
  colnames(x) <- task$names
  space <- suppressMessages(metric_space(x, task$metric, task$fit), classes = "covertree_reordered")
  leaf_size <- if (is.null(task$leaf_size)) 128L else task$leaf_size
  settings <- list(layout = "hilbert", leaf_size = leaf_size, dimnames = NULL)
  pointer <- .Call(r_tree_build, space$z, TRUE, leaf_size, simd_level(), threads, settings)
  new_cover_tree(pointer, NULL, seal_space(space))
}

BOXES <- 128 # of a shard, at most

# The numbers of nodes that together contain all points: the largest node is replaced by its
# children, while there are few.
boxes_of_tree <- function(arrays) {
  size <- arrays$subtree_end - arrays$subtree_begin + 1L
  nodes <- 1L
  repeat {
    inner <- nodes[arrays$first_child[nodes] > 0]
    if (length(inner) == 0) return(nodes)
    largest <- inner[which.max(size[inner])]
    children <- which(arrays$parent == largest)
    if (length(nodes) + length(children) - 1 > BOXES) return(nodes)
    nodes <- c(setdiff(nodes, largest), children)
  }
}

# ---- queries ---------------------------------------------------------------------------

# The queries of a task, for this shard: own points, all of them or those in task$rows, or the
# points task$z. `line`: which queries of the call they are; `rows`: own points by their number in
# the tree.
queries_of <- function(task, shard) {
  if (!is.null(task$z)) return(list(line = task$line, z = task$z))
  if (is.null(task$rows)) return(list(line = shard$rows))
  at <- match(task$rows, shard$rows)
  list(line = which(!is.na(at)), rows = at[!is.na(at)])
}

# The options of src/glue/query.c for a task.
worker_options <- function(task, tree) {
  options <- task$options
  options["threads"] <- list(worker_threads(task))
  options["metric"] <- list(tree$space$code)
  options
}

# list(line, index, distance, stats, crossing): neighbors in this shard, by the row numbers of the
# whole data. crossing: only if task$boxes is given, as in the first round. The second round returns
# only queries with a neighbor in this shard. task$before: neighbors must have smaller rows.
shard_knn <- function(task) {
  shard <- open_shard(task$shard, task$max_open)
  queries <- queries_of(task, shard)
  options <- worker_options(task, shard$tree)
  limit <- task$max_distance
  if (length(limit) > 1) limit <- limit[if (is.null(task$z)) queries$line else seq_along(queries$line)]
  count <- length(queries$line)
  if (!is.null(limit)) options$max_distance <- rep_len(limit, count)
  if (!is.null(task$before)) {
    options$predecessor <- FALSE
    options$max_row <- findInterval(task$before, shard$rows, left.open = TRUE)
  }
  found <- .Call(r_knn, shard$tree$pointer, queries$z, queries$rows, task$k, options)
  index <- shard$rows[found$index]
  dim(index) <- dim(found$index)
  result <- list(line = queries$line, index = index, distance = found$distance, stats = found$stats)
  if (is.null(task$boxes)) return(hits_of(result))
  reach <- found$distance[, task$k]
  reach[is.na(reach)] <- Inf
  if (!is.null(limit)) reach <- pmin(reach, limit)
  c(result, list(crossing = crossing_queries(task, shard, queries, reach)))
}

hits_of <- function(result) {
  hit <- which(!is.na(result$index[, 1]))
  list(line = result$line[hit], index = result$index[hit, , drop = FALSE],
       distance = result$distance[hit, , drop = FALSE], stats = result$stats)
}

# The queries that may have neighbors in other shards: list(line, shard, z, reach), an element for
# each query and shard. reach [m]: the largest distance of a neighbor. Predecessors are only in
# shards with a smaller row.
crossing_queries <- function(task, shard, queries, reach) {
  if (nrow(task$boxes$lower) < 2) return(NULL)
  # Queries near each other follow each other, because they are compared with boxes in groups.
  arrays <- .Call(r_tree_arrays, shard$tree$pointer)
  if (!is.null(queries$z)) {
    at <- .Call(r_hilbert_order, queries$z, NULL)
    z <- queries$z[at, , drop = FALSE]
  } else if (is.null(queries$rows)) {
    at <- arrays$row
    z <- arrays$points
  } else {
    place <- match(queries$rows, arrays$row)
    at <- order(place)
    z <- arrays$points[place[at], , drop = FALSE]
  }
  near <- .Call(r_near_shards, task$boxes, shard$tree$space$code, z, as.double(reach[at]),
                rep_len(task$shard$number, length(at)), worker_threads(task))
  if (task$options$predecessor) {
    own <- if (is.null(queries$rows)) shard$rows else shard$rows[queries$rows]
    earlier <- task$boxes$smallest[near$shard] < own[at[near$query]]
    near <- lapply(near, `[`, earlier)
  }
  query <- at[near$query]
  list(line = queries$line[query], shard = near$shard, z = z[near$query, , drop = FALSE], reach = reach[query])
}

# list(line, index, distance, count, crossing) within task$radius; with count_only, without the
# lists. A number of pairs beyond the limit comes as `refused`, as r_radius() returns it.
shard_radius <- function(task) {
  shard <- open_shard(task$shard, task$max_open)
  queries <- queries_of(task, shard)
  options <- worker_options(task, shard$tree)
  pointer <- shard$tree$pointer
  if (task$count_only) {
    found <- list(count = .Call(r_radius_count, pointer, queries$z, queries$rows, task$radius, options))
  } else {
    limit <- function() if (is.null(task$max_pairs)) radius_limit(0) else task$max_pairs
    found <- .Call(r_radius, pointer, queries$z, queries$rows, NULL, task$radius, task$sort,
                   min(FEW_PAIRS, task$max_pairs), limit, options)
    if (is.double(found)) return(list(refused = found))
    found$index <- lapply(found$index, function(index) shard$rows[index])
  }
  result <- c(list(line = queries$line), found)
  if (!is.null(task$boxes)) {
    result$crossing <- crossing_queries(task, shard, queries, rep_len(task$radius, length(queries$line)))
  }
  result
}
