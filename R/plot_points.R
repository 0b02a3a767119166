# The coordinates in which pictures show points.

# Points in the plane of a picture: a list with
#   x, y     the coordinates to draw [n]
#   labels   the titles of the axes [2]
#   degrees  whether they are longitude and latitude [degrees]
#   cut      the smallest longitude that is drawn; NULL without degrees
#   globe    whether distances are those on a sphere
# `columns`: the two columns of `points` to draw, by number or name. A single column is drawn
# against the row.
plane_of <- function(points, columns, globe = FALSE, places = NULL, names = colnames(points)) {
  given <- !is.null(columns)
  if (!given) columns <- if (!is.null(places)) places else if (ncol(points) > 1) 1:2 else 1
  columns <- check_columns(columns, ncol(points), names)
  degrees <- !is.null(places) && identical(as.integer(columns), as.integer(places))
  x <- unname(points[, columns[1]])
  y <- if (length(columns) == 1) as.double(seq_along(x)) else unname(points[, columns[2]])
  label <- function(j) if (!is.null(names) && nzchar(names[j])) names[j] else sprintf("column %d", j)
  labels <- c(vapply(columns, label, ""), if (length(columns) == 1) "row")
  if (!given && !degrees && ncol(points) > 2) {
    labels[2] <- sprintf("%s (columns 1 and 2 of %d)", labels[2], ncol(points))
  }
  cut <- if (degrees) cut_longitude(x)
  list(x = wrap_longitude(x, cut), y = y, labels = labels, degrees = degrees, cut = cut, globe = globe && degrees,
       columns = columns)
}

check_columns <- function(columns, d, names) {
  if (is.character(columns)) {
    absent <- columns[!columns %in% names]
    if (length(absent) > 0) {
      fail("columns must be names of columns%s: got %s", if (is.null(names)) "" else paste0(", ", quoted(names)),
           quoted(absent[1]))
    }
    columns <- match(columns, names)
  }
  whole <- is_numeric(columns) && length(columns) %in% 1:2 && all(is.finite(columns) & columns == trunc(columns))
  if (!whole || (d > 1 && length(columns) != 2) || anyDuplicated(columns)) {
    fail("columns must be two different columns of the points: got %s", describe(columns))
  }
  wrong <- which(columns < 1 | columns > d)
  if (length(wrong) > 0) fail("columns must be from 1 to %d: element %d is %s", d, wrong[1], format(columns[wrong[1]]))
  as.integer(columns)
}

# The longitude at which a map of these longitudes begins: after the widest gap. Without a gap of 30
# degrees it is 20 degrees east, so that no ocean is divided.
cut_longitude <- function(longitude) {
  sorted <- sort(unique(longitude %% 360))
  if (length(sorted) == 0) return(20)
  gap <- diff(c(sorted, sorted[1] + 360))
  widest <- which.max(gap)
  if (gap[widest] < 30) return(20)
  start <- c(sorted[-1], sorted[1])[widest]
  start - 360 * (start > 180)
}

# Longitudes moved by whole turns to within 360 degrees from `cut`.
wrap_longitude <- function(longitude, cut) {
  if (is.null(cut)) return(longitude)
  cut + (longitude - cut) %% 360
}

# The plane of a tree's points, by row. With a metric whose coordinates differ from the points, the
# tree's own coordinates are drawn, except for longitude and latitude.
plane_of_tree <- function(tree, columns = NULL) {
  arrays <- tree_arrays(tree)
  metric <- tree$space$metric
  if (is_metric(metric) && metric$kind == "great_circle") {
    points <- as.matrix(tree)
    return(plane_of(points, columns, globe = TRUE, places = tree$space$fit$order[1:2]))
  }
  points <- arrays$points
  points[arrays$row, ] <- arrays$points
  names <- if (is.null(tree$space$x)) dimnames(tree)[[2]]
  if (!is.null(tree$metric)) {
    if (is.null(names)) names <- paste("column", seq_len(ncol(points)))
    names <- paste(names, "/ lengthscale")
  } else if (!is.null(tree$space) && !has_plain_points(metric)) {
    names <- paste("tree coordinate", seq_len(ncol(points)))
  }
  places <- if (is.null(tree$metric) && ncol(points) > 1) sphere_places(names)
  plane_of(points, columns, places = places, names = names)
}

# Points to draw, from a tree, a matrix or a data frame: list(points, plane, unit). `what`: the name
# of the argument.
drawable_points <- function(points, columns, what = "points") {
  if (is_shards(points)) naming("tree", what, refuse_forest())
  if (inherits(points, "cover_tree")) {
    naming("tree", what, check_tree(points))
    if (is_function_tree(points)) refuse_function_tree(what)
    metric <- points$space$metric
    x <- points_by_row(points)
    if (!is.numeric(x)) fail("%s must have numeric coordinates to draw: got a tree with the %s", what, metric_label(metric))
    globe <- is_metric(metric) && metric$kind == "great_circle"
    places <- if (globe) points$space$fit$order[1:2] else if (ncol(x) > 1) sphere_places(colnames(x))
    return(list(points = x, plane = plane_of(x, columns, globe, places), unit = if (globe) metric$unit))
  }
  x <- if (is_sf(points)) sf_coordinates(points, what) else check_points(points, what, empty = TRUE)
  longlat <- is_sf(points) && isTRUE(sf::st_is_longlat(points))
  places <- if (longlat) 1:2 else if (ncol(x) > 1) sphere_places(colnames(x))
  list(points = x, plane = plane_of(x, columns, longlat, places))
}

# The points of a tree by row number; NA for removed points.
points_by_row <- function(tree) {
  x <- as.matrix(tree)
  if (!is_grown_tree(tree)) return(x)
  all <- matrix(NA_real_, last_row(tree), ncol(x), dimnames = if (!is.null(colnames(x))) list(NULL, colnames(x)))
  all[tree_rows(tree), ] <- x
  all
}

refuse_function_tree <- function(what) {
  fail("%s must have coordinates to draw: got a tree with a metric_function()", what)
}

# ---- circles ---------------------------------------------------------------------------------------

# The points [361 x 2] of a circle in a plane. On a globe, `radius` is an arc [degrees], and the path
# is interrupted where it crosses the border of the map.
circle_path <- function(x, y, radius, plane, steps = 180) {
  bearing <- seq(0, 2 * pi, length.out = steps + 1)
  if (!plane$globe) return(cbind(x + radius * cos(bearing), y + radius * sin(bearing)))
  arc <- radius * pi / 180
  from <- y * pi / 180
  to <- asin(pmin(1, pmax(-1, sin(from) * cos(arc) + cos(from) * sin(arc) * cos(bearing))))
  east <- atan2(sin(bearing) * sin(arc) * cos(from), cos(arc) - sin(from) * sin(to))
  break_path(wrap_longitude(x + east * 180 / pi, plane$cut), to * 180 / pi, plane)
}

# Separates the parts of a path on a map that lie on different sides of its border.
break_path <- function(x, y, plane) {
  if (!plane$degrees) return(cbind(x, y))
  jump <- which(abs(diff(x)) > 180)
  if (length(jump) == 0) return(cbind(x, y))
  at <- order(c(seq_along(x), jump + 0.5))
  cbind(c(x, rep(NA, length(jump)))[at], c(y, rep(NA, length(jump)))[at])
}

# The arc [degrees] on a sphere between points given in degrees.
arc_between <- function(x, y, to_x, to_y) {
  half <- function(degrees) sinpi(degrees / 360)^2
  square <- half(to_y - y) + cospi(y / 180) * cospi(to_y / 180) * half(to_x - x)
  360 / pi * asin(pmin(1, sqrt(square)))
}

# The ratio of the axes of a picture: on a map, that at the middle latitude. A map of more than half
# of the globe is higher, up to a ratio of 1.7, if the device has room.
ratio_of <- function(plane, xlim, ylim) {
  if (!plane$degrees) return(1)
  true <- 1 / max(0.5, cospi(min(60, abs(mean(ylim))) / 180))
  if (diff(xlim) < 180) return(true)
  size <- graphics::par("pin")
  max(true, min(1.7, size[2] / size[1] * diff(xlim) / max(1, diff(ylim))))
}

# Two limits of an axis, in ascending order; NULL for none.
check_limits <- function(limits, what) {
  if (is.null(limits)) return(NULL)
  if (!is_numeric(limits) || length(limits) != 2 || any(!is.finite(limits)) || limits[1] >= limits[2]) {
    fail("%s must be NULL or two ascending numbers: got %s", what, describe(limits))
  }
  as.double(limits)
}
