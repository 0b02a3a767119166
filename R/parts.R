# Parts of a grown tree: immutable trees over disjoint rows, which src/core/parts/ searches
# together.
#
# A part is list(pointer, rows, removed, count, x):
#   pointer    the tree
#   rows       the rows of the points of the tree, ascending, or only the first of consecutive rows
#   removed    raw vector [points of the tree]: 1 for removed points; NULL if no point is removed
#   count      the number of remaining points
#   x          the points as given, removed ones included, if the metric computes coordinates of them
# The tree numbers its points from 1: these numbers are local rows. See R/grown_tree.R.

# The remaining points of the parts with their rows, and then the points of `more`: list(z, x,
# rows), in order of rows. z: coordinates [n x coordinates]; x: the points as given [n x d], or NULL
# if z are the points. `more` is such a list, or NULL.
points_of <- function(parts, more = NULL) {
  if (length(parts) == 0) return(more)
  x <- lapply(parts, function(part) {
    if (is.null(part$removed)) part$x else part$x[part$removed == 0, , drop = FALSE]
  })
  list(z = .Call(r_parts_points, parts, more$z), x = do.call(rbind, c(x, list(more$x))),
       rows = c(.Call(r_parts_rows, parts), more$rows))
}

# Returns the state with a part of its pending points. The last part is merged with this part if the
# last part does not have more points, then the part before if it does not have more points than
# both, and so on.
build_pending <- function(state, threads) {
  if (length(state$pending) == 0) return(state)
  if (!all(vapply(state$pending, is_sound_batch, NA, ncol(state$extent)))) refuse_damaged()
  all <- function(name) do.call(rbind, lapply(state$pending, `[[`, name))
  new <- list(z = all("z"), x = all("x"), rows = unlist(lapply(state$pending, `[[`, "rows")))
  last <- length(state$parts)
  size <- nrow(new$z)
  while (last > 0 && state$parts[[last]]$count <= size) {
    size <- size + state$parts[[last]]$count
    last <- last - 1
  }
  points <- points_of(state$parts[seq_along(state$parts) > last], new)
  state$parts <- c(state$parts[seq_len(last)], list(build_part(state, points, threads)))
  state$pending <- list()
  state
}

# The parts of a tree, with all of its points. Builds a part of pending points; the tree keeps this
# part.
parts_of <- function(tree, threads = NULL) {
  state <- tree$state
  if (length(state$pending) == 0) return(state$parts)
  built <- build_pending(mget(state_names, envir = state), check_threads(threads))
  keep_parts(state, built$parts, state$query_work)
  built$parts
}

# Stores the parts in the state of a tree, unless a user has locked the state.
keep_parts <- function(state, parts, query_work) {
  if (is_locked(state)) return()
  # In one call, so that an interrupt cannot leave the new points in a part and pending as well.
  list2env(list(parts = parts, pending = list(), query_work = query_work), state)
}

is_locked <- function(state) {
  environmentIsLocked(state) || bindingIsLocked("parts", state) || bindingIsLocked("pending", state) ||
    bindingIsLocked("query_work", state)
}

# Builds a part of points: list(z, x, rows).
build_part <- function(state, points, threads) {
  n <- nrow(points$z)
  names <- if (!is.null(state$columns) && is.null(points$x)) list(NULL, state$columns)
  settings <- list(layout = state$layout, leaf_size = state$leaf_size, dimnames = names)
  pointer <- .Call(r_tree_build, points$z, state$layout == "hilbert", state$leaf_size, simd_level(),
                   threads, settings)
  rows <- points$rows
  if (rows[n] - rows[1] == n - 1) rows <- rows[1]
  list(pointer = pointer, rows = rows, removed = NULL, count = n, x = points$x)
}

# Returns a part without these local rows, or NULL if no point remains.
drop_rows <- function(state, part, rows, threads) {
  if (length(rows) == 0) return(part)
  n <- nrow(.Call(r_tree_arrays, part$pointer)$points)
  if (is.null(part$removed)) part["removed"] <- list(raw(n))
  part$removed[rows] <- as.raw(1)
  part$count <- part$count - length(rows)
  if (part$count == 0) NULL
  else if (4 * (n - part$count) < n) part
  else build_part(state, points_of(list(part)), threads)
}

# Returns one part of all remaining points, without removed points. The state must have points.
single_part <- function(state, threads) {
  if (is_single(state$parts)) return(state$parts[[1]])
  build_part(state, points_of(state$parts), threads)
}

is_single <- function(parts) length(parts) == 1 && is.null(parts[[1]]$removed)

# Whether a state has a single part with all rows from 1 to next_row - 1.
is_plain <- function(state) {
  part <- if (length(state$parts) == 1) state$parts[[1]]
  identical(part$rows, 1L) && is.null(part$removed) && part$count == state$next_row - 1
}

# The metric `space` with the points and the extent of a part; without a part, only the elements
# that all parts have in common.
space_of_part <- function(space, part = NULL) {
  arrays <- if (!is.null(part)) .Call(r_tree_arrays, part$pointer)
  seal_space(c(space[c("metric", "fit", "code")],
               list(x = part$x, n = nrow(arrays$points),
                    extent = if (!is.null(part)) rbind(arrays$lower[1, ], arrays$upper[1, ]))))
}

# The tree of a part without removed points; its rows are local rows.
part_tree <- function(part, space, crs = NULL) {
  if (!is.null(space)) space <- space_of_part(space, part)
  new_cover_tree(part$pointer, NULL, space, crs)
}

# Replaces the parts of a tree by one part, and returns this part. The tree must have points.
merge_parts <- function(tree, threads) {
  state <- mget(state_names, envir = tree$state)
  state$parts <- parts_of(tree, threads)
  part <- single_part(state, threads)
  keep_parts(tree$state, list(part), 0)
  part
}

remaining_rows <- function(parts) if (length(parts) == 0) integer() else .Call(r_parts_rows, parts)

# The number of points that are not removed.
remaining_count <- function(state) {
  as.integer(sum(vapply(state$parts, function(part) part$count, 0),
                 vapply(state$pending, function(new) length(new$rows), 0)))
}
