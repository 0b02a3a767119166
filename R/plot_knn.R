#' Draw the results of a search
#'
#' Draws a map of the distances to the k-th neighbor, a map of the number of points within a radius,
#' or one query with its neighbors.
#'
#' @param x A result of [knn_query()], [radius_query()] or [vecchia_neighbors()].
#' @param points The points among which the search found neighbors: their tree, or a matrix or data
#'   frame. Its columns may differ from those of the search, such as longitude and latitude for a
#'   search by coordinates in space. For [vecchia_neighbors()], the locations in the
#'   order of `x`.
#' @param query The number of a query, from 1 to m: draws this query and its neighbors. `NULL`: draws a
#'   map of all queries.
#' @param at The query points, with the columns of `points`, if the queries are not points of the tree.
#'   Columns are matched by name, if both have names.
#' @param rank Which neighbor the map shows: the `rank`-th nearest; `NULL` for the last.
#' @param columns The two columns to draw, by number or name. `NULL` for longitude and latitude if
#'   the names or the metric identify them, and otherwise for the first two columns.
#' @param unit The unit of the distances, for the legend. `NULL` for that of a tree with
#'   [metric_great_circle()], otherwise none.
#' @param mark The numbers of queries to mark with a square on the map.
#' @param position The positions in the order of the locations at which neighbors are drawn, with a
#'   color for each; at most six. `NULL` for about n / 1000, n / 100, n / 10 and n.
#' @param main,sub The title, and the line below it; `NULL` for a description, `""` for none.
#' @param object The same as `x`, for `ggplot2::autoplot()`.
#' @param ... Ignored.
#'
#' @return The data of the picture, invisibly. A map: a data frame with a row for each query that is
#'   drawn, and the columns `query`, its row number or the number in `at`; `x`, `y`, the coordinates; and
#'   `distance` to the neighbor of this rank, `NA` without one, or `count`, the number of points within
#'   the radius. One query, and [vecchia_neighbors()]: a data frame with a row for each neighbor, and
#'   the columns `query`, `neighbor` (rows), `rank`, `distance`, `x`, `y` (the neighbor's coordinates)
#'   and `from_x`, `from_y` (those of the query); for [vecchia_neighbors()] also `position` in the order.
#'
#'   `autoplot()`, for which the package \pkg{ggplot2} must be loaded, returns the same picture as a
#'   `ggplot` object.
#'
#' @details
#' The colors go from dark for a small distance to bright for a large one, and from dark to bright
#' for counts, on a logarithmic scale if most values are positive and their range exceeds a factor of
#' five. The ends of the scale are the 2% and 99% quantiles (of fewer than 100 values, the smallest and
#' the largest; of a logarithmic scale, those of the positive values). Values beyond an end have the
#' color of the end.
#' Queries without a neighbor of this rank are gray. Large values are drawn last.
#'
#' With `query`, a dashed circle has the distance of the farthest neighbor, if the picture has all
#' coordinates of the distance. Lines from a query of [radius_query()] lead to all points within the
#' radius.
#'
#' Of more than 200,000 queries, an even sample of 200,000 is drawn; more than 50,000 points are drawn
#' as single pixels. A single column is drawn against the row number. A map of longitudes and
#' latitudes has axes in degrees. It begins after the widest gap between longitudes, and at 20 degrees
#' east if no gap has 30 degrees.
#'
#' The margins are those of `par("mar")`; no graphical parameter is changed. The legend is in the bottom
#' margin.
#'
#' @section Errors:
#' Stops if `points` is missing, is not a tree or numeric and finite, or does not have all rows of the
#' result; if `at` is needed and missing, or does not fit; and if another argument is not as described.
#'
#' @section Cost:
#' Time and memory in proportion to the number of queries and of points.
#'
#' @seealso [plot.cover_tree()]
#'
#' @examples
#' places <- argo[1:3000, c("longitude", "latitude")]
#' tree <- cover_tree(places, metric = metric_great_circle())
#' knn <- knn_query(tree, k = 10)
#' plot(knn, tree)
#' plot(knn, tree, query = 100)
#'
#' near <- radius_query(tree, radius = 200)
#' plot(near, tree)
#'
#' plot(vecchia_neighbors(places, m = 10, lonlat = TRUE), places)
#' @method plot covertree_knn
#' @export
plot.covertree_knn <- function(x, points, query = NULL, at = NULL, rank = NULL, columns = NULL, unit = NULL,
                               mark = NULL, main = NULL, sub = NULL, ...) {
  if (missing(points)) refuse_no_points()
  picture <- knn_picture(x, points, query, at, rank, columns, unit, mark, main, sub)
  draw_result(picture)
  invisible(picture$data)
}

#' @rdname plot.covertree_knn
#' @method plot covertree_radius
#' @export
plot.covertree_radius <- function(x, points, query = NULL, at = NULL, columns = NULL, unit = NULL, mark = NULL,
                                  main = NULL, sub = NULL, ...) {
  if (missing(points)) refuse_no_points()
  picture <- knn_picture(x, points, query, at, NULL, columns, unit, mark, main, sub)
  draw_result(picture)
  invisible(picture$data)
}

#' @rdname plot.covertree_knn
#' @method plot covertree_vecchia
#' @export
plot.covertree_vecchia <- function(x, points, position = NULL, columns = NULL, unit = NULL, main = NULL, sub = NULL,
                                   ...) {
  if (missing(points)) refuse_no_points()
  picture <- vecchia_picture(x, points, position, columns, unit, main, sub)
  draw_result(picture)
  invisible(picture$data)
}

refuse_no_points <- function() {
  fail("points must be the tree or the points of the search, because a result has no coordinates: got nothing")
}

# ---- the data of a picture -------------------------------------------------------------------------

# What plot() and autoplot() draw of a result: list(data, plane, ground, kind, ...), where `ground` has
# the points in the background. kind: "map", "query" or "vecchia".
knn_picture <- function(x, points, query, at, rank, columns, unit, mark, main, sub) {
  ground <- drawable_points(points, columns)
  queries <- query_points(x, ground, at, columns)
  own <- attr(x, "own")
  m <- length(seq_along_queries(x))
  main <- check_text(main, "main")
  sub <- check_text(sub, "sub")
  if (is.null(unit)) unit <- ground$unit
  if (!is.null(unit) && !(is.character(unit) && length(unit) == 1 && !is.na(unit))) {
    fail("unit must be NULL or one string: got %s", describe(unit))
  }
  about <- list(plane = queries$plane, ground = ground$plane, unit = unit, main = main, sub = sub)
  if (is.null(query)) map_of(x, queries, m, rank, check_number(mark, m, "mark"), about)
  else one_query_of(x, queries, check_number(query, m, "query", 1), own, about)
}

# Numbers of queries; NULL if `value` is NULL.
check_number <- function(value, m, what, size = NULL) {
  if (is.null(value)) return(NULL)
  whole <- is_numeric(value) && all(is.finite(value) & value == trunc(value) & value >= 1 & value <= m)
  if (!whole || (!is.null(size) && length(value) != size)) {
    fail("%s must be %s from 1 to %d: got %s", what, if (is.null(size)) "whole numbers" else "the number of a query", m,
         describe(value))
  }
  as.integer(value)
}

# The queries of a result: list(plane, row), with the coordinates by query, and the row of each own
# point.
query_points <- function(x, ground, at, columns) {
  n <- nrow(ground$points)
  index <- if (is.matrix(x$index)) x$index else unlist(x$index)
  rows <- attr(x, "rows")
  m <- length(seq_along_queries(x))
  own <- !identical(attr(x, "own"), FALSE)
  need <- max(0, index, if (own) c(rows, if (is.null(rows)) m), na.rm = TRUE)
  if (n < need) fail("points must have a row for each point of the search, at least %d: got %d", need, n)
  removed <- which(is.na(ground$points[, 1]))
  removed <- removed[removed %in% c(index, if (own) if (is.null(rows)) seq_len(m) else rows)]
  if (length(removed) > 0) fail("points must be those of the search: row %d has been removed", removed[1])
  if (!own) {
    if (is.null(at)) fail("at must be the query points, because they are not points of the tree: got NULL")
    plane <- ground$plane
    at <- drawable_points(at, NULL, "at")$points
    if (nrow(at) != m) fail("at must have a row for each of the %d queries: got %d", m, nrow(at))
    if (ncol(at) != ncol(ground$points)) {
      fail("at must have as many columns as points, %d: got %d", ncol(ground$points), ncol(at))
    }
    at <- match_columns(at, colnames(ground$points), "at", "points")
    plane$x <- wrap_longitude(unname(at[, plane$columns[1]]), plane$cut)
    plane$y <- if (length(plane$columns) == 1) as.double(seq_len(m)) else unname(at[, plane$columns[2]])
    return(list(plane = plane, row = seq_len(m)))
  }
  if (!is.null(at)) fail("at must be NULL, because the queries are points of the tree: got %s", describe(at))
  row <- if (is.null(rows)) seq_len(m) else as.integer(rows)
  plane <- ground$plane
  plane[c("x", "y")] <- list(plane$x[row], plane$y[row])
  list(plane = plane, row = row)
}

# A map of the distance to a neighbor, or of the number of points within a radius.
map_of <- function(x, queries, m, rank, mark, about) {
  drawn <- drawn_of(m)
  plane <- queries$plane
  data <- data.frame(query = queries$row[drawn], x = plane$x[drawn], y = plane$y[drawn])
  number <- paste(big_number(m), if (m == 1) "query" else "queries")
  bracket <- if (!is.null(about$unit)) sprintf(" [%s]", about$unit) else ""
  if (is.matrix(x$index)) {
    k <- ncol(x$index)
    rank <- if (is.null(rank)) k else check_count(rank, "rank", most = k)
    data$distance <- x$distance[drawn, rank]
    title <- sprintf("Distance to the %sneighbor", if (rank == 1) "nearest " else paste0(ordinal(rank), " "))
    about$legend <- sprintf("distance%s", bracket)
    quality <- if (isTRUE(attr(x, "exact"))) "exact" else approximate_label(attr(x, "recall"))
    subtitle <- paste(number, quality, sep = ", ")
  } else {
    data$count <- x$count[drawn]
    title <- sprintf("Points within %s%s", format(x$radius), if (is.null(about$unit)) "" else paste0(" ", about$unit))
    about$legend <- "points"
    subtitle <- number
  }
  if (is.null(about$main)) about$main <- title
  if (is.null(about$sub)) about$sub <- subtitle
  marked <- data.frame(x = plane$x[mark], y = plane$y[mark])
  c(list(kind = "map", data = data, value = data[[4]], marked = marked), about)
}

# One query with lines to its neighbors.
one_query_of <- function(x, queries, query, own, about) {
  ground <- about$ground
  if (is.matrix(x$index)) {
    there <- !is.na(x$index[query, ])
    row <- x$index[query, there]
    distance <- x$distance[query, there]
  } else {
    row <- x$index[[query]]
    distance <- x$distance[[query]]
  }
  from <- c(queries$plane$x[query], queries$plane$y[query])
  to_x <- if (ground$degrees) from[1] + (ground$x[row] - from[1] + 180) %% 360 - 180 else ground$x[row]
  data <- data.frame(query = rep(queries$row[query], length(row)), neighbor = row, rank = seq_along(row),
                     distance = distance, x = to_x, y = ground$y[row], from_x = rep(from[1], length(row)),
                     from_y = rep(from[2], length(row)))
  unit <- if (is.null(about$unit)) "" else paste0(" ", about$unit)
  if (is.null(about$main)) {
    about$main <- paste(if (isFALSE(own)) "Query" else "Point", big_number(queries$row[query]))
  }
  if (is.null(about$sub)) {
    about$sub <- sprintf("%d %s%s%s", length(row), if (is.matrix(x$index)) "neighbor" else "point", plural(length(row)),
                         if (length(row) == 0) "" else sprintf(" within %s%s", format(signif(max(distance), 3)), unit))
  }
  c(list(kind = "query", data = data, from = from, circle = neighbor_circle(data, ground)), about)
}

# The radius of the circle around the query through its farthest neighbor, in the units of
# circle_path(): NULL unless distances in the picture are those of the search, up to a factor.
neighbor_circle <- function(data, ground) {
  if (nrow(data) == 0 || length(ground$columns) == 1) return(NULL)
  known <- data$distance
  if (!ground$degrees) {
    shown <- sqrt((data$x - data$from_x)^2 + (data$y - data$from_y)^2)
    return(if (isTRUE(all.equal(shown, known))) max(shown))
  }
  shown <- arc_between(data$from_x, data$from_y, data$x, data$y)
  proportional <- function(one) all(abs(one * max(known) - known * max(one)) <= 1e-3 * max(known) * max(one))
  # Distances on the sphere, or straight through it.
  if (max(known) > 0 && (proportional(shown) || proportional(sinpi(shown / 360)))) max(shown)
}

# Locations at some positions of the order, with lines to their earlier neighbors.
vecchia_picture <- function(x, points, position, columns, unit, main, sub) {
  ground <- drawable_points(points, columns)
  n <- length(x$order)
  if (nrow(ground$points) != n) {
    fail("points must have a row for each of the %d locations: got %d", n, nrow(ground$points))
  }
  main <- check_text(main, "main")
  sub <- check_text(sub, "sub")
  if (is.null(position)) position <- unique(pmax(2, round(n / c(1000, 100, 10, 1))))
  position <- unique(check_number(position, n, "position"))
  if (!length(position) %in% 1:6) fail("position must have from 1 to 6 numbers: got %d", length(position))
  plane <- ground$plane
  lines <- lapply(position, function(i) {
    near <- x$NNarray[i, -1]
    there <- which(!is.na(near))
    row <- x$order[near[there]]
    from <- x$order[i]
    data.frame(position = rep(i, length(there)), query = rep(from, length(there)), neighbor = row, rank = there,
               distance = x$distance[i, there], x = plane$x[row], y = plane$y[row],
               from_x = rep(plane$x[from], length(there)), from_y = rep(plane$y[from], length(there)))
  })
  m <- ncol(x$distance)
  about <- sprintf("up to %d neighbor%s at %d position%s in the order of %s", m, plural(m), length(position),
                   plural(length(position)), big_number(n))
  list(kind = "vecchia", data = do.call(rbind, lines), plane = plane, ground = plane, position = position,
       from = data.frame(x = plane$x[x$order[position]], y = plane$y[x$order[position]]), unit = unit,
       main = if (is.null(main)) "Locations and their earlier neighbors" else main,
       sub = if (is.null(sub)) about else sub)
}
