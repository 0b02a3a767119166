# The pictures of plot() as objects of ggplot2. The methods are registered when ggplot2 is loaded.

# ggplot2::aes() of columns given by their names.
aes_of <- function(...) do.call(ggplot2::aes, lapply(list(...), as.name))

gg_theme <- function() {
  ggplot2::theme_minimal() +
    ggplot2::theme(panel.background = ggplot2::element_rect(fill = PAPER, color = NA),
                   panel.grid.major = ggplot2::element_line(color = "white", linewidth = 0.6),
                   panel.grid.minor = ggplot2::element_blank(), plot.title = ggplot2::element_text(face = "bold"),
                   plot.title.position = "plot", legend.position = "bottom")
}

gg_frame <- function(data, picture, x = NULL, y = NULL) {
  empty <- function(text) if (is_empty_text(text)) NULL else text
  ggplot2::ggplot(data) + gg_theme() +
    ggplot2::labs(title = empty(picture$main), subtitle = empty(picture$sub), x = x, y = y, color = NULL, fill = NULL)
}

# The axes of a plane: degrees on a map, otherwise the titles; equal units if `equal`.
gg_plane <- function(plane, equal, xlim = NULL, ylim = NULL) {
  if (!plane$degrees) {
    place <- if (equal) ggplot2::coord_fixed else ggplot2::coord_cartesian
    labels <- function(at) replace(as.character(at), !is.na(at), tick_labels(at[!is.na(at)]))
    return(list(ggplot2::scale_x_continuous(labels = labels, name = plane$labels[1]),
                ggplot2::scale_y_continuous(labels = labels, name = plane$labels[2]), place(xlim = xlim, ylim = ylim)))
  }
  if (is.null(ylim)) ylim <- range(plane$y)
  ticks <- function(limits) ticks_within(limits, TRUE)
  list(ggplot2::scale_x_continuous(breaks = ticks, labels = degrees_east, name = NULL),
       ggplot2::scale_y_continuous(breaks = ticks, labels = degrees_north, name = NULL),
       ggplot2::coord_fixed(ratio = 1 / max(0.2, cospi(abs(mean(ylim)) / 180)), xlim = xlim, ylim = ylim))
}

# `scale`: a value of color_scale().
gg_scale <- function(scale, title) {
  arguments <- list(colors = scale$palette, limits = scale$limits, na.value = "gray75", name = title,
                    guide = ggplot2::guide_colorbar(barwidth = 12, barheight = 0.6))
  # ggplot2 3.5.0 has another name for this argument.
  name <- intersect(c("transform", "trans"), names(formals(ggplot2::continuous_scale)))[1]
  arguments[[name]] <- if (scale$log) "log10" else "identity"
  do.call(ggplot2::scale_color_gradientn, arguments)
}

# Values moved to the ends of a scale.
within_scale <- function(values, scale) pmin(pmax(values, scale$limits[1]), scale$limits[2])

size_of <- function(count) min(1.6, max(0.3, 40 / sqrt(max(1, count))))

#' @rdname plot.cover_tree
#' @exportS3Method ggplot2::autoplot
autoplot.cover_tree <- function(object, what = NULL, query = NULL, k = 10, depth = 1:3, columns = NULL, main = NULL,
                                sub = NULL, ...) {
  picture <- tree_picture(object, what, query, k, depth, columns, main, sub)
  plane <- picture$plane
  layer <- function(name) picture$data[picture$data$layer == name, ]
  points <- layer("points")
  figure <- gg_frame(points, picture) + gg_plane(plane, length(plane$columns) == 2) + gg_boxes(layer("boxes"))
  curve <- layer("curve")
  if (nrow(curve) > 1) {
    figure <- figure + ggplot2::geom_path(aes_of(x = "x", y = "y", color = "depth"), curve) +
      gg_scale(list(palette = map_colors(200), limits = c(1, nrow(curve)), log = FALSE),
               "Order along the Hilbert curve")
  }
  figure <- figure +
    ggplot2::geom_point(aes_of(x = "x", y = "y"), points, color = "gray45", size = size_of(nrow(points)))
  figure <- figure + gg_balls(layer("balls"), plane, nrow(curve) > 1)
  if (is.null(query)) return(if (nrow(curve) > 1) figure else figure + gg_colors(picture$data))
  at <- layer("query")
  if (!is.null(picture$circle)) figure <- figure + gg_rim(circle_path(at$x, at$y, picture$circle, plane))
  if (nrow(curve) > 1) {
    return(figure + ggplot2::geom_point(aes_of(x = "x", y = "y"), layer("neighbors"), color = DISTINCT[["blue"]]) +
             ggplot2::geom_point(aes_of(x = "x", y = "y"), at, shape = 4, stroke = 1.5, size = 3, color = INK))
  }
  figure + ggplot2::geom_point(aes_of(x = "x", y = "y", color = "layer"), layer("neighbors"), size = 1.6) +
    ggplot2::geom_point(aes_of(x = "x", y = "y", color = "layer"), at, shape = 4, stroke = 1.5, size = 3) +
    gg_colors(picture$data)
}

# A circle as a dashed line.
gg_rim <- function(path) {
  rim <- data.frame(x = path[, 1], y = path[, 2])
  ggplot2::geom_path(aes_of(x = "x", y = "y"), rim, linetype = 2, color = "gray45", na.rm = TRUE)
}

# The colors of balls by depth, of the query and of its neighbors.
gg_colors <- function(data) {
  depths <- sort(unique(data$depth[data$layer == "balls"]))
  colors <- c(stats::setNames(depth_colors(depths), sprintf("depth %d", depths)),
              if ("query" %in% data$layer) c(query = INK, neighbors = DISTINCT[["blue"]]))
  if (length(colors) == 0) return(NULL)
  # A ball has a line as its key, a query a cross, and neighbors a point.
  shapes <- c(query = 4, neighbors = 16)[names(colors)]
  guide <- ggplot2::guide_legend(override.aes = list(shape = unname(shapes), linetype = ifelse(is.na(shapes), 1, 0)))
  ggplot2::scale_color_manual(values = colors, breaks = names(colors), name = NULL, guide = guide)
}

gg_boxes <- function(boxes) {
  if (nrow(boxes) == 0) return(NULL)
  fill <- ifelse(is.na(BOX_COLORS), PAPER, BOX_COLORS)
  boxes <- boxes[order(match(boxes$state, rev(names(BOX_COLORS)))), ]
  list(ggplot2::geom_rect(aes_of(xmin = "xmin", xmax = "xmax", ymin = "ymin", ymax = "ymax", fill = "state"),
                          boxes, color = "gray45", linewidth = 0.2),
       ggplot2::scale_fill_manual(values = fill, name = NULL))
}

gg_balls <- function(balls, plane, colored) {
  if (nrow(balls) == 0) return(NULL)
  path <- lapply(seq_len(nrow(balls)), function(i) {
    ball <- balls[i, ]
    at <- if (length(plane$columns) == 1) cbind(ball$x + c(-1, 1) * ball$radius, ball$y)
          else circle_path(ball$x, ball$y, ball$radius, plane)
    data.frame(node = ball$node, depth = paste("depth", ball$depth), x = at[, 1], y = at[, 2])
  })
  path <- do.call(rbind, path)
  if (colored) {
    return(ggplot2::geom_path(aes_of(x = "x", y = "y", group = "node"), path, color = "gray30", na.rm = TRUE))
  }
  ggplot2::geom_path(aes_of(x = "x", y = "y", group = "node", color = "depth"), path, na.rm = TRUE)
}

#' @rdname plot.covertree_knn
#' @exportS3Method ggplot2::autoplot
autoplot.covertree_knn <- function(object, points, query = NULL, at = NULL, rank = NULL, columns = NULL, unit = NULL,
                                   mark = NULL, main = NULL, sub = NULL, ...) {
  if (missing(points)) refuse_no_points()
  gg_result(knn_picture(object, points, query, at, rank, columns, unit, mark, main, sub))
}

#' @rdname plot.covertree_knn
#' @exportS3Method ggplot2::autoplot
autoplot.covertree_radius <- function(object, points, query = NULL, at = NULL, columns = NULL, unit = NULL,
                                      mark = NULL, main = NULL, sub = NULL, ...) {
  if (missing(points)) refuse_no_points()
  gg_result(knn_picture(object, points, query, at, NULL, columns, unit, mark, main, sub))
}

#' @rdname plot.covertree_knn
#' @exportS3Method ggplot2::autoplot
autoplot.covertree_vecchia <- function(object, points, position = NULL, columns = NULL, unit = NULL, main = NULL,
                                       sub = NULL, ...) {
  if (missing(points)) refuse_no_points()
  gg_result(vecchia_picture(object, points, position, columns, unit, main, sub))
}

gg_result <- function(picture) {
  data <- picture$data
  figure <- gg_frame(data, picture)
  if (picture$kind == "map") {
    value <- names(data)[4]
    data <- data[order(data[[value]], na.last = FALSE), ]
    scale <- color_scale(data[[value]])
    data[[value]] <- within_scale(data[[value]], scale)
    figure <- figure + ggplot2::geom_point(aes_of(x = "x", y = "y", color = value), data, size = size_of(nrow(data))) +
      gg_scale(scale, picture$legend)
    if (nrow(picture$marked) > 0) {
      figure <- figure + ggplot2::geom_point(aes_of(x = "x", y = "y"), picture$marked, shape = 0, size = 4, stroke = 1)
    }
    return(figure + gg_plane(picture$plane, FALSE))
  }
  plane <- picture$ground
  lines <- aes_of(x = "from_x", y = "from_y", xend = "x", yend = "y")
  if (picture$kind == "query") {
    legend <- if (is.null(picture$unit)) "distance" else sprintf("distance [%s]", picture$unit)
    scale <- color_scale(data$distance)
    data$distance <- within_scale(data$distance, scale)
    window <- query_window(picture)
    from <- data.frame(x = picture$from[1], y = picture$from[2])
    figure <- figure + ggplot2::geom_point(aes_of(x = "x", y = "y"), window$others, color = "gray75", size = 1)
    if (!is.null(window$rim)) figure <- figure + gg_rim(window$rim)
    return(figure + ggplot2::geom_segment(lines, data, color = "gray45") +
             ggplot2::geom_point(aes_of(x = "x", y = "y", color = "distance"), data, size = 2) +
             ggplot2::geom_point(aes_of(x = "x", y = "y"), from, shape = 15, size = 3, color = INK) +
             gg_scale(scale, legend) + gg_plane(plane, !is.null(window$rim), window$xlim, window$ylim))
  }
  ground <- data.frame(x = plane$x, y = plane$y)[drawn_of(length(plane$x)), ]
  data <- data[!crosses_border(data, plane), ]
  data$position <- factor(data$position, picture$position)
  from <- data.frame(picture$from, position = factor(picture$position, picture$position))
  colors <- stats::setNames(unname(DISTINCT)[seq_along(picture$position)], picture$position)
  figure + ggplot2::geom_point(aes_of(x = "x", y = "y"), ground, color = "gray75", size = size_of(nrow(ground))) +
    ggplot2::geom_segment(utils::modifyList(lines, aes_of(color = "position")), data) +
    ggplot2::geom_point(aes_of(x = "x", y = "y", color = "position"), from, shape = 15, size = 3) +
    ggplot2::scale_color_manual(values = colors, name = "position in the order") + gg_plane(plane, FALSE)
}

#' @rdname plot.covertree_knn_stats
#' @exportS3Method ggplot2::autoplot
autoplot.covertree_knn_stats <- function(object, what = NULL, main = NULL, sub = NULL, ...) {
  picture <- stats_picture(object, what, main, sub)
  data <- picture$data
  figure <- gg_frame(data, picture)
  if (picture$what == "evaluated") {
    line <- if (picture$each) ggplot2::geom_step else ggplot2::geom_line
    return(figure + line(aes_of(x = "evaluated", y = "share"), color = DISTINCT[["blue"]], linewidth = 1) +
             ggplot2::geom_vline(xintercept = picture$limits, linetype = 2, color = "gray45") +
             ggplot2::labs(x = "points evaluated", y = "share of the queries"))
  }
  data[[1]] <- factor(data[[1]], rev(data[[1]]))
  titles <- c(points = "points per query", seconds = "seconds", blocks = "blocks")
  if (picture$what != "points") {
    return(figure + ggplot2::geom_col(aes_of(x = names(data)[2], y = names(data)[1]), data, width = 0.6,
                                      fill = DISTINCT[["blue"]]) + ggplot2::labs(x = titles[[picture$what]], y = NULL))
  }
  data <- data[data$count > 0, ]
  data$floor <- min(1, data$count)
  figure + ggplot2::geom_segment(aes_of(x = "floor", xend = "count", y = "stage", yend = "stage"), data, linewidth = 6,
                                 color = DISTINCT[["blue"]]) +
    ggplot2::scale_x_log10() + ggplot2::labs(x = titles[[picture$what]], y = NULL)
}

#' @rdname plot.covertree_knn_stats
#' @exportS3Method ggplot2::autoplot
autoplot.covertree_residual_stats <- autoplot.covertree_knn_stats

#' @rdname plot.covertree_knn_stats
#' @exportS3Method ggplot2::autoplot
autoplot.covertree_function_stats <- autoplot.covertree_knn_stats

#' @rdname plot.covertree_knn_stats
#' @exportS3Method ggplot2::autoplot
autoplot.covertree_scan_stats <- autoplot.covertree_knn_stats

#' @rdname recall_curve
#' @exportS3Method ggplot2::autoplot
autoplot.covertree_recall_curve <- function(object, label = "points evaluated for a query", main = NULL, sub = NULL,
                                            ...) {
  gg_recall(curve_picture(object, label, main, sub, attr(object, "k"), attr(object, "sample")))
}

#' @rdname recall_curve
#' @exportS3Method ggplot2::autoplot
autoplot.covertree_recall <- function(object, ..., cost = NULL, label = if (is.null(cost)) "result" else "cost",
                                      main = NULL, sub = NULL) {
  gg_recall(curve_picture(recall_rows(list(object, ...), cost), label, main, sub, common("k", object, ...),
                          common("sample", object, ...)))
}

gg_recall <- function(picture) {
  data <- picture$data[stats::complete.cases(picture$data), ]
  both <- data.frame(cost = rep(data$cost, 2), recall = c(data$estimate, data$worst),
                     of = rep(c("mean, with its 95% interval", "worst 1% of the queries"), each = nrow(data)))
  figure <- gg_frame(both, picture, picture$label, "share of the neighbors found") +
    ggplot2::geom_line(aes_of(x = "cost", y = "recall", color = "of", linetype = "of")) +
    ggplot2::geom_point(aes_of(x = "cost", y = "recall", color = "of")) +
    ggplot2::geom_linerange(aes_of(x = "cost", ymin = "lower", ymax = "upper"), data, color = DISTINCT[["blue"]]) +
    ggplot2::scale_color_manual(values = unname(DISTINCT[c("blue", "red")]), name = NULL) +
    ggplot2::scale_linetype_manual(values = 1:2, name = NULL)
  if (nrow(data) > 1 && min(data$cost) > 0 && max(data$cost) > 5 * min(data$cost)) figure + ggplot2::scale_x_log10() else figure
}
