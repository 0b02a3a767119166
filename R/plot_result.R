# Draws the pictures that R/plot_knn.R describes.

draw_result <- function(picture) {
  switch(picture$kind, map = draw_map(picture), query = draw_one_query(picture), vecchia = draw_vecchia(picture))
  add_title(picture$main, picture$sub)
}

# The frame of a picture of points. Without points, it has the range 0 to 1.
points_frame <- function(x, y, plane) {
  if (length(x) == 0) x <- y <- c(0, 1)
  open_frame(range(x), range(y), plane$labels, degrees = plane$degrees,
             asp = if (plane$degrees) ratio_of(plane, range(x), range(y)) else NA)
}

# The line of the bottom margin for a legend: maps have no titles of axes.
legend_line <- function(plane) if (plane$degrees) 2.2 else 3.4

draw_map <- function(picture) {
  data <- picture$data
  scale <- color_scale(picture$value)
  points_frame(data$x, data$y, picture$plane)
  last <- order(picture$value, na.last = FALSE)
  scatter(data$x[last], data$y[last], scale$colors(picture$value[last]))
  graphics::points(picture$marked$x, picture$marked$y, pch = 0, cex = 2.4, lwd = 2, col = INK)
  if (any(!is.na(picture$value))) add_color_bar(scale, picture$legend, legend_line(picture$plane))
}

# The part of the plane that a picture of one query shows: list(xlim, ylim, rim, others), with the path
# of the circle, or NULL, and the other points.
query_window <- function(picture) {
  data <- picture$data
  plane <- picture$ground
  from <- picture$from
  near <- function(x) from[1] + turn(x - from[1], plane)
  rim <- if (!is.null(picture$circle)) {
    circle_path(from[1], from[2], picture$circle, list(degrees = plane$degrees, cut = plane$cut, globe = plane$degrees))
  }
  if (!is.null(rim)) rim[, 1] <- near(rim[, 1])
  drawn <- drawn_of(length(plane$x))
  others <- data.frame(x = near(plane$x[drawn]), y = plane$y[drawn])
  shown <- if (nrow(data) > 0) data else others
  room <- function(values, center) {
    half <- 1.15 * max(abs(values - center), na.rm = TRUE)
    # A range of no width, or of a few units in the last place of the center.
    if (half <= abs(center) * 1e-12) half <- max(0.5, abs(center) * 1e-6)
    center + c(-half, half)
  }
  list(xlim = room(c(from[1], shown$x, rim[, 1]), from[1]), ylim = room(c(from[2], shown$y, rim[, 2]), from[2]),
       rim = rim, others = others)
}

draw_one_query <- function(picture) {
  data <- picture$data
  plane <- picture$ground
  from <- picture$from
  window <- query_window(picture)
  asp <- if (plane$degrees) 1 / max(0.2, cospi(from[2] / 180)) else if (!is.null(window$rim)) 1 else NA
  open_frame(window$xlim, window$ylim, plane$labels, degrees = plane$degrees, asp = asp)
  graphics::points(window$others$x, window$others$y, pch = if (nrow(window$others) > MANY) "." else 16, cex = 0.6,
                   col = "gray75")
  if (!is.null(window$rim)) graphics::lines(window$rim, lty = 2, col = "gray45")
  graphics::segments(data$from_x, data$from_y, data$x, data$y, col = "gray45")
  scale <- color_scale(data$distance)
  graphics::points(data$x, data$y, pch = 21, cex = 1.2, col = "white", bg = scale$colors(data$distance))
  graphics::points(from[1], from[2], pch = 22, cex = 1.8, col = "white", bg = INK)
  if (nrow(data) > 0) {
    add_color_bar(scale, if (is.null(picture$unit)) "distance" else sprintf("distance [%s]", picture$unit),
                  legend_line(plane))
  }
}

# Differences of longitudes, to within half a turn.
turn <- function(difference, plane) if (plane$degrees) (difference + 180) %% 360 - 180 else difference

# Whether the line to a neighbor would cross the whole map.
crosses_border <- function(data, plane) plane$degrees & abs(data$x - data$from_x) > 180

draw_vecchia <- function(picture) {
  data <- picture$data
  plane <- picture$ground
  points_frame(plane$x, plane$y, plane)
  drawn <- drawn_of(length(plane$x))
  scatter(plane$x[drawn], plane$y[drawn], "gray75")
  colors <- unname(DISTINCT)[seq_along(picture$position)]
  color <- colors[match(data$position, picture$position)]
  split <- crosses_border(data, plane)
  graphics::segments(data$from_x[!split], data$from_y[!split], data$x[!split], data$y[!split], col = color[!split],
                     lwd = 1.3)
  graphics::points(data$x, data$y, pch = 16, cex = 0.8, col = color)
  graphics::points(picture$from$x, picture$from$y, pch = 22, cex = 1.6, col = "white", bg = colors)
  label <- paste("position", format(picture$position, big.mark = ",", trim = TRUE))
  add_keys(keys(label, colors, "point"), legend_line(plane))
}
