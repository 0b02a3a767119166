# Oracles in plain R, independent of the package: neighbors by a scan, and the invariants of a tree
# from its exported arrays.

# Returns the distance of every row of x to the point q, by the definition of the package.
oracle_distance <- function(x, q) sqrt(oracle_square(x, q))

oracle_square <- function(x, q) {
  sum <- 0
  for (j in seq_len(ncol(x))) sum <- sum + (x[, j] - q[j])^2
  sum
}

plain_matrix <- function(x) {
  x <- as.matrix(x)
  matrix(as.double(x), nrow(x), ncol(x))
}

# Returns all points in the order of (distance to the query, row), without the row `self`.
oracle_ranking <- function(x, q, self = NULL) {
  distance <- oracle_distance(x, q)
  row <- order(distance, seq_along(distance))
  row <- row[!row %in% self]
  list(index = row, distance = distance[row])
}

oracle_rankings <- function(x, query) {
  x <- plain_matrix(x)
  own <- is.null(query)
  query <- if (own) x else plain_matrix(query)
  lapply(seq_len(nrow(query)), function(i) oracle_ranking(x, query[i, ], self = if (own) i))
}

oracle_knn <- function(x, query = NULL, k) {
  found <- oracle_rankings(x, query)
  pick <- function(part) {
    values <- lapply(found, function(ranking) ranking[[part]][seq_len(k)])
    matrix(unlist(values), nrow = length(found), ncol = k, byrow = TRUE)
  }
  list(index = pick("index"), distance = pick("distance"))
}

oracle_radius <- function(x, query = NULL, radius, found = oracle_rankings(x, query)) {
  within <- function(ranking, part) ranking[[part]][ranking$distance <= radius]
  pick <- function(part) lapply(found, within, part)
  list(index = pick("index"), distance = pick("distance"))
}

oracle_centroid <- function(x) {
  apply(x, 2, function(column) {
    sum <- 0
    for (value in column) sum <- sum + (value - column[1])
    column[1] + sum / length(column)
  })
}

# Returns the first `size` rows of the maximin order.
oracle_maximin <- function(x, size = nrow(x)) {
  x <- plain_matrix(x)
  order <- which.min(oracle_square(x, oracle_centroid(x)))
  least <- rep(Inf, nrow(x))
  while (length(order) < size) {
    newest <- order[length(order)]
    least <- pmin(least, oracle_square(x, x[newest, ]))
    least[newest] <- -1
    order <- c(order, which.max(least))
  }
  order
}

# Returns cover radii, from constants: the last bit of pow() depends on the library.
oracle_cover <- function(level) {
  quarter <- c(1, 1.189207115002721, 1.4142135623730951, 1.681792830507429)
  ifelse(is.na(level), 0, quarter[level %% 4 + 1] * 2^(level %/% 4))
}

# Returns the names of all invariants that a tree violates; character() for a valid tree.
tree_faults <- function(arrays) {
  faults <- c(shape_faults(arrays), if (!all(sort(arrays$row) == seq_along(arrays$row))) "row")
  if (length(faults) > 0) return(faults)
  faults <- link_faults(arrays)
  if (length(faults) > 0) return(faults)
  c(cell_faults(arrays), family_faults(arrays))
}

broken <- function(...) {
  fine <- list(...)
  names(fine)[!vapply(fine, isTRUE, NA)]
}

shape_faults <- function(arrays) {
  n <- nrow(arrays$points)
  d <- ncol(arrays$points)
  nodes <- length(arrays$center)
  links <- c("center", "parent", "level", "first_child", "next_sibling", "subtree_begin",
             "subtree_end", "min_row")
  per_node <- vapply(arrays[links], function(a) is.integer(a) && length(a) == nodes, NA)
  broken(
    points = is.double(arrays$points) && all(is.finite(arrays$points)),
    row = is.integer(arrays$row) && length(arrays$row) == n,
    per_node = all(per_node) && is.double(arrays$radius) && length(arrays$radius) == nodes,
    lower = is.double(arrays$lower) && identical(dim(arrays$lower), c(nodes, d)),
    upper = is.double(arrays$upper) && identical(dim(arrays$upper), c(nodes, d))
  )
}

# Nodes are numbered breadth first, siblings have consecutive numbers, and children divide the
# parent's run.
link_faults <- function(arrays) {
  parent <- arrays$parent
  nodes <- length(parent)
  child <- seq_len(nodes)[-1]
  first <- c(TRUE, diff(parent) != 0)
  last <- c(first[-1], TRUE)
  begin <- arrays$subtree_begin
  end <- arrays$subtree_end
  first_child <- integer(nodes)
  first_child[parent[child[first[child]]]] <- child[first[child]]
  broken(
    root = parent[1] == 0 && begin[1] == 1 && end[1] == nrow(arrays$points),
    parent = all(parent[child] >= 1, parent[child] < child, diff(parent) >= 0),
    first_child = identical(arrays$first_child, first_child),
    next_sibling = identical(arrays$next_sibling, ifelse(last, 0L, seq_len(nodes) + 1L)),
    run = all(begin <= end),
    first_run = all(begin[first & parent > 0] == begin[parent[first]]),
    next_run = all(begin[!first] == end[which(!first) - 1] + 1L),
    last_run = all(end[last & parent > 0] == end[parent[last]]),
    center = all(arrays$center >= begin, arrays$center <= end)
  )
}

# The stored values of a node are those of its points: radius, level, box, smallest row.
cell_faults <- function(arrays) {
  size <- arrays$subtree_end - arrays$subtree_begin + 1L
  node <- rep(seq_along(size), size)
  pos <- sequence(size, arrays$subtree_begin)
  ends <- cumsum(size)
  most <- function(value) value[order(node, value)][ends]
  points <- arrays$points
  sum <- 0
  fits <- TRUE
  for (j in seq_len(ncol(points))) {
    at <- points[pos, j]
    sum <- sum + (at - points[arrays$center[node], j])^2
    fits <- fits && all(most(at) == arrays$upper[, j], -most(-at) == arrays$lower[, j])
  }
  radius <- most(sqrt(sum))
  level <- arrays$level
  some <- !is.na(level)
  split <- arrays$first_child > 0
  broken(
    box = fits,
    radius = identical(arrays$radius, radius),
    min_row = identical(arrays$min_row, -most(-arrays$row[pos])),
    no_level = identical(some, radius > 0),
    covering = all(radius <= oracle_cover(level)),
    level = all(radius[some] > oracle_cover(level[some] - 1L)),
    leaf_size = all(size[split] > arrays$leaf_size)
  )
}

# Invariants of siblings and their parent: nesting, descent, separation.
family_faults <- function(arrays) {
  level <- arrays$level
  inner <- which(arrays$first_child > 0)
  child <- which(arrays$parent > 0)
  parent <- arrays$parent[child]
  nests <- tabulate(parent[arrays$center[child] == arrays$center[parent]], length(level))
  lower <- is.na(level[child]) | is.na(level[parent]) | level[child] < level[parent]
  families <- split(child, parent)[!is.na(level[inner])]
  slack <- vapply(families, oracle_separation, 0, arrays = arrays)
  broken(nesting = all(nests[inner] == 1), descent = all(lower), separation = all(slack > 0))
}

# Returns (smallest distance of the centers of two siblings) / (separation radius) - 1. If no
# sibling has a level, the centers only need to differ.
oracle_separation <- function(family, arrays) {
  at <- arrays$points[arrays$center[family], , drop = FALSE]
  least <- Inf
  for (i in seq_along(family)[-1]) {
    least <- min(least, oracle_distance(at[seq_len(i - 1), , drop = FALSE], at[i, ]))
  }
  if (all(is.na(arrays$level[family]))) return(if (least > 0) Inf else -1)
  least / oracle_cover(max(arrays$level[family], na.rm = TRUE) - 1L) - 1
}

oracle_slack <- function(arrays) {
  some <- !is.na(arrays$level)
  cover <- oracle_cover(arrays$level[some])
  child <- which(arrays$parent > 0 & some[pmax(arrays$parent, 1L)])
  apart <- vapply(split(child, arrays$parent[child]), oracle_separation, 0, arrays = arrays)
  c(covering = min(Inf, 1 - arrays$radius[some] / cover), separation = min(Inf, apart))
}
