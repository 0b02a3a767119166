#' Draw a cover tree
#'
#' Draws the points of a tree in two dimensions, with the balls of its nodes, the Hilbert curve, the
#' boxes of its leaves, and the boxes that the search for one query reads and skips.
#'
#' @param x A tree from [cover_tree()], with any metric except a [metric_function()].
#' @param what The layers: any of `"points"`, `"curve"`, `"balls"` and `"boxes"`. `NULL` for points
#'   and balls or, with `query`, points and boxes.
#' @param query One point in the coordinates of the tree: a vector \[d\] or a matrix or data frame of
#'   one row. The boxes are then those of the search for its `k` nearest points.
#' @param k The number of neighbors of `query`.
#' @param depth The depths of the nodes whose balls are drawn: the root has depth 0, its children
#'   have depth 1.
#' @param columns The two columns to draw, by number or name. `NULL` for longitude and latitude if
#'   the names or the metric identify them, and otherwise for the first two columns.
#' @param xlim,ylim The limits of the axes; `NULL` for all points.
#' @param main,sub The title, and the line below it; `NULL` for a description, `""` for none.
#' @param object The same as `x`, for `ggplot2::autoplot()`.
#' @param ... Ignored.
#'
#' @return `plot()` returns the data of the picture, invisibly: a data frame with a row for each
#'   point, ball or box, and the columns
#'   \describe{
#'     \item{`layer`}{`"points"`, `"curve"`, `"balls"`, `"boxes"`, `"query"` or `"neighbors"`}
#'     \item{`node`, `row`}{the number of the node, as in [tree_arrays()], and the row of the point or
#'       of the center of the node; `NA` where there is none}
#'     \item{`depth`}{the depth of the node; in the layer `"curve"` the position along the curve}
#'     \item{`x`, `y`, `radius`}{the coordinates that are drawn, and the radius of a ball}
#'     \item{`xmin`, `xmax`, `ymin`, `ymax`}{the sides of a box}
#'     \item{`state`}{of a box: `"leaf"`; with `query`, `"tile read"`, `"tile skipped"` or `"node
#'       skipped"`}
#'   }
#'   `autoplot()`, for which the package \pkg{ggplot2} must be loaded, returns the same picture as a
#'   `ggplot` object.
#'
#' @details
#' **Points.** Of more than 200,000 points, an even sample of 200,000 along the tree's order is
#' drawn. More than 50,000 points are drawn as single pixels. A single column is drawn against the
#' row number.
#'
#' **Balls.** The ball of a node has the node's radius around its center (see [cover_tree()]), so it
#' contains all points of the node. Of more than two columns, the picture shows the projection
#' of the ball on two of them.
#'
#' **Curve.** The curve is the [hilbert_order()] of the tree's points, in all of their columns.
#'
#' **Boxes.** The box of a leaf or tile is the range of its points in the two columns.
#'
#' **The search for one query.** The picture does not record a search. It shows the boxes that every
#' search by bounding boxes must read for an exact answer: those that are not farther from the
#' query than its k-th neighbor. A node is skipped, with all nodes and tiles below it, if its box is
#' farther away. [knn_query()] reads these tiles, and more while its threshold is still above the
#' distance of the k-th neighbor; [knn_stats()] counts them. The k-th distance is drawn as a dashed
#' circle if the picture has all coordinates of a Euclidean or great-circle distance.
#'
#' **Metrics.** The picture shows the coordinates in which the tree was built: divided by the
#' lengthscale for a [residual_correlation()], and the tree's own coordinates, whose axes are labeled
#' so, for a metric that transforms the points. A tree with [metric_great_circle()] is drawn as a map
#' in degrees, and its balls are circles on the sphere.
#'
#' **Graphics.** The margins are those of `par("mar")`; no graphical parameter is changed. The
#' bottom margin has the legend: 5 lines, the default, suffice for one row. The colors are those of
#' Okabe and Ito, or of one scale from dark to bright, and have no transparency.
#'
#' @section Errors:
#' Stops if the tree is damaged, has a [metric_function()], or has points that were inserted or
#' removed (use [compact()] or, after a removal, `cover_tree(as.matrix(x))`); if an argument is not as
#' described; and with `query` if the metric is a residual correlation or one for which boxes are not
#' compared by a norm: [metric_periodic()], [metric_gower()], `"jaccard"`, and
#' [metric_great_circle()] with further columns.
#'
#' @section Cost:
#' O(n d) time and memory; with `query`, also the time of a search for one query.
#'
#' @seealso [plot.covertree_knn()] draws neighbors and maps of distances, [plot.covertree_knn_stats()]
#'   the cost of a search.
#'
#' @examples
#' set.seed(1)
#' x <- cbind(x = c(rnorm(600), rnorm(400, 4, 0.5)), y = rnorm(1000))
#' tree <- cover_tree(x)
#' plot(tree)
#' plot(tree, "curve")
#' plot(tree, query = c(2, 0.5), k = 20)
#'
#' world <- cover_tree(argo[1:3000, c("longitude", "latitude")], metric = metric_great_circle())
#' plot(world, depth = 1:2)
#' @method plot cover_tree
#' @export
plot.cover_tree <- function(x, what = NULL, query = NULL, k = 10, depth = 1:3, columns = NULL, xlim = NULL,
                            ylim = NULL, main = NULL, sub = NULL, ...) {
  picture <- tree_picture(x, what, query, k, depth, columns, main, sub)
  draw_tree(picture, check_limits(xlim, "xlim"), check_limits(ylim, "ylim"))
  invisible(picture$data)
}

#' @method plot covertree_shards
#' @export
plot.covertree_shards <- function(x, ...) naming("tree", "x", refuse_forest())

# What plot() and autoplot() draw of a tree: list(data, plane, main, sub, depth, circle).
tree_picture <- function(tree, what, query, k, depth, columns, main, sub) {
  naming("tree", "x", check_tree(tree))
  if (is_function_tree(tree)) refuse_function_tree("x")
  if (is_grown_tree(tree)) naming("tree", "x", refuse_parts(tree))
  main <- check_text(main, "main")
  sub <- check_text(sub, "sub")
  if (is.null(what)) what <- if (is.null(query)) c("points", "balls") else c("points", "boxes")
  if (!is.character(what) || length(what) == 0 || !all(what %in% LAYERS)) {
    fail("what must be some of %s: got %s", quoted(LAYERS), describe(what))
  }
  k <- check_count(k, "k")
  if (!is_numeric(depth) || length(depth) == 0 || any(!is.finite(depth) | depth < 0 | depth != trunc(depth))) {
    fail("depth must be whole numbers of at least 0: got %s", describe(depth))
  }
  arrays <- tree_arrays(tree)
  plane <- plane_of_tree(tree, columns)
  search <- if (!is.null(query)) query_layers(tree, arrays, plane, one_query(query, tree), k)
  layers <- lapply(unique(what), function(layer) {
    switch(layer,
      points = points_layer(arrays, plane),
      curve = curve_layer(arrays, plane),
      balls = balls_layer(arrays, plane, depth),
      boxes = if (is.null(search)) leaves_layer(arrays, plane) else search$boxes
    )
  })
  data <- do.call(rbind, c(layers, search[c("neighbors", "query")]))
  row.names(data) <- NULL
  n <- length(arrays$row)
  count <- sprintf("%s point%s in %d dimension%s", big_number(n), plural(n), dim(tree)[2], plural(dim(tree)[2]))
  list(data = data, plane = plane, circle = search$circle,
       main = if (is.null(main)) (if (is.null(search)) "Cover tree" else search$main) else main,
       sub = if (is.null(sub)) (if (is.null(search)) paste0(count, layers_label(data)) else search$sub) else sub)
}

layers_label <- function(data) {
  count <- function(layer, one, many) {
    rows <- sum(data$layer == layer)
    if (rows > 0) sprintf(", %s %s", big_number(rows), if (rows == 1) one else many)
  }
  paste0(count("balls", "ball", "balls"), count("boxes", "leaf", "leaves"))
}

# The layers of a query: its boxes, neighbors, and the circle of the k-th neighbor.
query_layers <- function(tree, arrays, plane, query, k) {
  search <- search_boxes(tree, arrays, query, k)
  boxes <- with(search$boxes, boxes_of(arrays, plane, first, last, node, state))
  row <- search$knn$index[1, ]
  at <- query_place(tree, query, plane)
  neighbors <- layer_rows("neighbors", length(row), row = row, x = plane$x[row], y = plane$y[row])
  flat <- ncol(arrays$points) == 2 && is.null(tree$space) && is.null(tree$metric)
  last <- utils::tail(row, 1)
  circle <- if (plane$globe) arc_between(at[1], at[2], plane$x[last], plane$y[last])
            else if (flat) search$knn$distance[1, length(row)]
  size <- search$boxes$last - search$boxes$first + 1
  read <- search$boxes$state == "tile read"
  share <- sum(size[!read]) / length(arrays$row)
  list(boxes = boxes, neighbors = neighbors, query = layer_rows("query", 1, x = at[1], y = at[2]), circle = circle,
       main = sprintf("What the search for %d neighbor%s reads", length(row), plural(length(row))),
       sub = sprintf("%d tile%s of at most 16 points; boxes exclude %.1f%% of %s point%s", sum(read),
                     plural(sum(read)), 100 * share, big_number(length(arrays$row)), plural(length(arrays$row))))
}

# The place of a query in the picture. A single column is drawn against the row: then it is in the
# middle.
query_place <- function(tree, query, plane) {
  # knn_query() has given the message that columns were matched by name.
  z <- suppressMessages(if (plane$globe) match_query(check_metric_points(query, tree$space$metric), tree)
                        else check_query(query, tree))
  at <- z[1, plane$columns]
  if (length(at) == 1) return(c(at, mean(range(plane$y))))
  unname(c(wrap_longitude(at[1], plane$cut), at[2]))
}

# ---- drawing ---------------------------------------------------------------------------------------

BOX_COLORS <- c("tile read" = "#F6C66B", "tile skipped" = "#BCDDF3", "node skipped" = "gray90", leaf = NA)

depth_colors <- function(depth) {
  unname(DISTINCT[c("blue", "red", "green", "purple", "orange", "sky")][1 + (rank_in(depth) - 1) %% 6])
}

rank_in <- function(values) match(values, sort(unique(values)))

draw_tree <- function(picture, xlim, ylim) {
  data <- picture$data
  plane <- picture$plane
  layer <- function(name) data[data$layer == name, ]
  shown <- layer("points")
  range_of <- function(axis) range(plane[[axis]], data[data$layer == "query", axis])
  if (is.null(xlim)) xlim <- range_of("x")
  if (is.null(ylim)) ylim <- range_of("y")
  # Circles of a Euclidean distance in degrees are round.
  asp <- if (length(plane$columns) == 1) NA else if (plane$globe) ratio_of(plane, xlim, ylim) else 1
  open_frame(xlim, ylim, plane$labels, asp = asp, degrees = plane$degrees)
  draw_boxes(layer("boxes"), plane)
  draw_curve(layer("curve"), plane)
  if (nrow(shown) > 0) scatter(shown$x, shown$y, if (nrow(data) > nrow(shown)) "gray45" else DISTINCT[["blue"]])
  draw_balls(layer("balls"), plane)
  draw_query(layer("query"), layer("neighbors"), picture$circle, plane)
  add_title(picture$main, picture$sub)
  if (any(data$layer == "curve") && nrow(data) > 1) {
    along <- layer("curve")
    add_color_bar(list(limits = c(1, max(2, nrow(along))), log = FALSE, open = FALSE, palette = map_colors(200)),
                  "Order along the Hilbert curve", legend_line(plane))
  } else {
    add_keys(tree_keys(data), legend_line(plane))
  }
}

# The keys of the layers with colors of their own.
tree_keys <- function(data) {
  state <- intersect(names(BOX_COLORS), data$state)
  is_leaf <- state == "leaf"
  depth <- sort(unique(data$depth[data$layer == "balls"]))
  rbind(
    if (length(state) > 0) {
      keys(ifelse(is_leaf, "range of a leaf", state), ifelse(is_leaf, DISTINCT[["sky"]], BOX_COLORS[state]),
           ifelse(is_leaf, "frame", "box"))
    },
    if (length(depth) > 0) keys(paste("depth", depth), depth_colors(depth), "line"),
    if (any(data$layer == "query")) {
      keys(c("query", "neighbors"), c(INK, DISTINCT[["blue"]]), c("cross", "point"))
    },
    keys(character(), character(), character())
  )
}

draw_boxes <- function(boxes, plane) {
  if (nrow(boxes) == 0) return()
  boxes <- boxes[order(match(boxes$state, rev(names(BOX_COLORS)))), ]
  border <- ifelse(boxes$state == "leaf", DISTINCT[["sky"]], ifelse(boxes$state == "node skipped", "white", "gray45"))
  for (turn in if (plane$degrees) c(-360, 0, 360) else 0) {
    graphics::rect(boxes$xmin + turn, boxes$ymin, boxes$xmax + turn, boxes$ymax, col = BOX_COLORS[boxes$state],
                   border = border, lwd = 0.8)
  }
}

draw_balls <- function(balls, plane) {
  if (nrow(balls) == 0) return()
  depth <- rank_in(balls$depth)
  color <- depth_colors(balls$depth)
  for (i in rev(seq_len(nrow(balls)))) {
    width <- max(0.6, 2.4 - 0.6 * (depth[i] - 1))
    if (length(plane$columns) == 1) {
      graphics::segments(balls$x[i] - balls$radius[i], balls$y[i], balls$x[i] + balls$radius[i], balls$y[i],
                         col = color[i], lwd = width)
    } else {
      graphics::lines(circle_path(balls$x[i], balls$y[i], balls$radius[i], plane), col = color[i], lwd = width)
    }
  }
}

draw_curve <- function(curve, plane) {
  count <- nrow(curve)
  if (count < 2) return()
  from <- seq_len(count - 1)
  if (plane$degrees) from <- from[abs(diff(curve$x)) <= 180]
  graphics::segments(curve$x[from], curve$y[from], curve$x[from + 1], curve$y[from + 1],
                     col = map_colors(200)[1 + (from * 199) %/% count], lwd = if (count > 5000) 0.5 else 1.2)
}

draw_query <- function(query, neighbors, circle, plane) {
  if (nrow(query) == 0) return()
  if (!is.null(circle)) graphics::lines(circle_path(query$x, query$y, circle, plane), lty = 2, col = INK, lwd = 1.5)
  graphics::points(neighbors$x, neighbors$y, pch = 21, bg = DISTINCT[["blue"]], col = "white", cex = 1)
  graphics::points(query$x, query$y, pch = 4, lwd = 3, cex = 1.4, col = INK)
}
