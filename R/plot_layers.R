# The layers of plot(tree), as data frames with the same columns.

LAYERS <- c("points", "curve", "balls", "boxes")
NO_VALUE <- list(layer = NA_character_, node = NA_integer_, row = NA_integer_, depth = NA_integer_, x = NA_real_,
                 y = NA_real_, radius = NA_real_, xmin = NA_real_, xmax = NA_real_, ymin = NA_real_, ymax = NA_real_,
                 state = NA_character_)

# A data frame of `count` rows with the columns of NO_VALUE.
layer_rows <- function(layer, count, ...) {
  columns <- utils::modifyList(NO_VALUE, list(layer = layer, ...))
  as.data.frame(lapply(columns, rep_len, count), stringsAsFactors = FALSE)
}

# The depth of each node: 0 for the root. Nodes are numbered breadth first.
depth_of <- function(arrays) {
  depth <- integer(length(arrays$parent))
  for (node in seq_along(depth)[-1]) depth[node] <- depth[arrays$parent[node]] + 1L
  depth
}

# All points, or a sample, in the order of the tree.
points_layer <- function(arrays, plane) {
  row <- arrays$row[drawn_of(length(arrays$row))]
  layer_rows("points", length(row), row = row, x = plane$x[row], y = plane$y[row])
}

# The points along the Hilbert curve; `depth` counts them along the curve.
curve_layer <- function(arrays, plane) {
  order <- arrays$row[hilbert_order(arrays$points)]
  row <- order[drawn_of(length(order))]
  layer_rows("curve", length(row), row = row, depth = seq_along(row), x = plane$x[row], y = plane$y[row])
}

# A ball around each node of these depths that has a radius. On a globe, the radius is an arc
# [degrees].
balls_layer <- function(arrays, plane, depth) {
  depths <- depth_of(arrays)
  node <- which(depths %in% depth & arrays$radius > 0)
  row <- arrays$row[arrays$center[node]]
  radius <- arrays$radius[node]
  if (plane$globe) radius <- 360 / pi * asin(pmin(1, radius / 2))
  layer_rows("balls", length(node), node = node, row = row, depth = depths[node], x = plane$x[row], y = plane$y[row],
             radius = radius)
}

# Boxes around runs of positions, from the points in the picture. On a map, longitudes are compared
# with that of the first point of a run, so that a box may cross the border of the map.
boxes_of <- function(arrays, plane, first, last, node, state) {
  depth <- depth_of(arrays)[node]
  range_in <- function(i) {
    row <- arrays$row[first[i]:last[i]]
    x <- plane$x[row]
    if (plane$degrees) x <- x[1] + (x - x[1] + 180) %% 360 - 180
    c(range(x), range(plane$y[row]))
  }
  limits <- vapply(seq_along(first), range_in, numeric(4))
  layer_rows("boxes", length(first), node = node, depth = depth, xmin = limits[1, ], xmax = limits[2, ],
             ymin = limits[3, ], ymax = limits[4, ], state = state)
}

leaves_layer <- function(arrays, plane) {
  leaf <- which(arrays$first_child == 0L)
  boxes_of(arrays, plane, arrays$subtree_begin[leaf], arrays$subtree_end[leaf], leaf, "leaf")
}

# ---- the search of one query -----------------------------------------------------------------------

# The distance of a point z [d] to boxes [count x d] by a norm: 1, 2, or another power, or Inf.
box_distance <- function(z, lower, upper, power) {
  gap <- matrix(0, nrow(lower), ncol(lower))
  for (j in seq_along(z)) gap[, j] <- pmax(lower[, j] - z[j], z[j] - upper[, j], 0)
  largest <- do.call(pmax, as.data.frame(gap))
  if (is.infinite(power)) return(largest)
  # Divided by the largest gap, powers do not overflow.
  scale <- ifelse(largest > 0, largest, 1)
  scale * rowSums((gap / scale)^power)^(1 / power)
}

# The power of the norm by which a tree's coordinates are compared. Stops for a metric whose distance
# is no function of such a norm.
norm_power <- function(tree) {
  if (!is.null(tree$metric)) {
    fail("query must be NULL for a tree with a residual correlation, whose search is not by boxes")
  }
  metric <- tree$space$metric
  if (is.null(metric)) return(2)
  flat <- metric$kind != "great_circle" || dim(tree)[2] == 2
  if (metric$kind %in% c("periodic", "jaccard", "gower") || !flat) {
    fail("query must be NULL for a tree with the %s, which is not a norm of its coordinates", metric_label(metric))
  }
  inner <- if (metric$kind == "scaled") metric$inner else metric
  switch(inner$kind, manhattan = , hamming = 1, maximum = Inf, minkowski = inner$exponent, 2)
}

# The query as a matrix of one row. A vector is one point.
one_query <- function(query, tree) {
  if (is.null(dim(query)) && is_numeric(query)) query <- matrix(query, 1, dimnames = list(NULL, names(query)))
  query <- plain_query(query, tree)
  if (NROW(query) != 1) fail("query must be one point: got %d", NROW(query))
  query
}

# The nodes and tiles that a search for the k nearest points of one query has to read, whatever
# its order: those whose bounding box is not farther away than the k-th neighbor. Returns list(knn,
# boxes, row), where `boxes` has first, last, node and state of each box: tiles that are read, tiles
# that are not, and nodes that are skipped with all that is below.
search_boxes <- function(tree, arrays, query, k) {
  power <- norm_power(tree)
  knn <- knn_query(tree, query, k = min(k, length(arrays$row)))
  z <- drop(suppressMessages(check_query(query, tree)))
  found <- arrays$points[match(knn$index[1, ], arrays$row), , drop = FALSE]
  reach <- max(box_distance(z, found, found, power)) * (1 + 1e-9)
  near <- box_distance(z, arrays$lower, arrays$upper, power) <= reach
  parent <- arrays$parent
  entered <- near
  for (node in seq_along(near)[-1]) entered[node] <- near[node] && entered[parent[node]]
  skipped <- which(!entered & c(FALSE, entered[parent[-1]]))
  tiles <- do.call(rbind, lapply(which(entered & arrays$first_child == 0L), tiles_of_leaf, arrays))
  side <- function(best) {
    t(vapply(seq_len(nrow(tiles)), function(i) {
      apply(arrays$points[tiles$first[i]:tiles$last[i], , drop = FALSE], 2, best)
    }, numeric(length(z))))
  }
  shape <- c(nrow(tiles), length(z))
  read <- box_distance(z, array(side(min), shape), array(side(max), shape), power) <= reach
  nodes <- data.frame(first = arrays$subtree_begin[skipped], last = arrays$subtree_end[skipped], node = skipped)
  boxes <- rbind(nodes, tiles)
  boxes$state <- c(rep("node skipped", nrow(nodes)), ifelse(read, "tile read", "tile skipped"))
  list(knn = knn, boxes = boxes)
}

# The tiles of a leaf: see ct_count_leaf_tiles() in src/core/tree/tiles.h.
tiles_of_leaf <- function(leaf, arrays) {
  begin <- arrays$subtree_begin[leaf] - 1L
  size <- arrays$subtree_end[leaf] - begin
  tiles <- (size + 15L) %/% 16L
  cut <- begin + (as.double(size) * 0:tiles) %/% tiles
  data.frame(first = as.integer(cut[seq_len(tiles)] + 1), last = as.integer(cut[-1]), node = leaf)
}
