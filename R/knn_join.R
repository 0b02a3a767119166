#' Join each row of a data frame with its nearest rows of another
#'
#' Finds, for each row of `x`, the k rows of `y` with the smallest distances. Distances are computed
#' from the columns `by`, and the result is exact. The result has a row for each pair, with the
#' columns of both data frames.
#'
#' @param x,y Two data frames (also tibbles and data.tables), or two `sf` objects of points (package
#'   \pkg{sf}) in the same coordinate reference system (CRS).
#' @param by The columns from which distances are computed: names of columns of both, or `c("name in
#'   x" = "name in y")`. The columns must be numeric; with [metric_gower()], they may also be
#'   factors or logicals. Values must not be missing. For points of \pkg{sf}, `by` must be `NULL`:
#'   distances are computed from their coordinates.
#' @param k The largest number of rows of `y` for each row of `x`: a whole number, or `Inf` for all
#'   rows of `y` within `max_distance`.
#' @param max_distance The largest distance of a pair: a number of at least 0, or `Inf`.
#' @param metric The distance, as in [cover_tree()]: any but a [metric_function()] or a
#'   [residual_correlation()]. For longitude and latitude, use [metric_great_circle()]. For points
#'   of \pkg{sf}, the default is the default of [cover_tree()]. With [metric_gower()], ranges are
#'   computed from the rows of `y` in each group, and the factors of `y` must have all levels that
#'   occur in `x`.
#' @param by_group Columns whose values must be equal in both rows of a pair: names, or `c("name in
#'   x" = "name in y")`; `NULL` for one group of all rows. A missing value equals a missing value,
#'   as in [merge()].
#' @param suffix Two strings, appended to names that columns of both `x` and `y` have.
#' @param distance The name of the column of distances; `NULL` for no such column.
#' @param type The treatment of a row of `x` without a row of `y` in its group within
#'   `max_distance`: `"left"` keeps the row, with `NA` in the columns of `y`; `"inner"` drops it.
#'
#' @return A data frame of the class of `x` (data frame, tibble, data.table or sf) with a row for
#'   each pair. The groups of a grouped or rowwise tibble `x` are kept as by the joins of the package
#'   \pkg{dplyr}, if it is installed. Pairs are ordered by row of `x`, then by distance, then by row of `y`. The columns
#'   are: the columns of `x`; the columns of `y` without the columns `by_group` and without a
#'   geometry; the distance; the geometry of `x`. The columns `by` of both are kept, as in the
#'   package \pkg{fuzzyjoin}. Row names are dropped.
#'
#' @section Errors:
#' Stops if `x` or `y` is not a data frame, or lacks a column of `by` or `by_group`; if a value of
#' `by` is missing or not finite (the message names the column and row); if a column named in `by`
#' is not numeric; if `suffix` and `distance` give two columns the same name; and if `k`,
#' `max_distance` or `metric` is not as described.
#'
#' @section Cost:
#' For each group of values that occurs in both `x` and `y`, one tree is built and searched; see
#' [cover_tree()] and [knn_query()]. If a group of `y` has fewer than k rows, each row of `x` in the
#' group gets all of them. With `k = Inf` and a finite `max_distance`, [radius_query()] searches.
#'
#' @seealso [knn_query()] returns the row numbers. [knn_predict()] and [knn_impute()] use the values
#'   of neighbors.
#'
#' @examples
#' strong <- quakes[quakes$mag >= 5.8, ]
#' # The two strong earthquakes that are nearest to each of the first earthquakes [km].
#' knn_join(head(quakes, 3), strong, by = c("long", "lat"), k = 2, metric = metric_great_circle())
#'
#' # Within 100 km, of the same depth class.
#' quakes$deep <- quakes$depth > 300
#' strong$deep <- strong$depth > 300
#' knn_join(head(quakes), strong, by = c("long", "lat"), max_distance = 100, by_group = "deep",
#'          metric = metric_great_circle(), type = "inner")
#'
#' # All strong earthquakes within 100 km of the first one.
#' knn_join(quakes[1, ], strong, by = c("long", "lat"), k = Inf, max_distance = 100,
#'          metric = metric_great_circle())
#' @export
knn_join <- function(x, y, by = NULL, k = 1, max_distance = Inf, metric = "euclidean", by_group = NULL,
                     suffix = c(".x", ".y"), distance = "distance", type = c("left", "inner")) {
  check_join_frame(x, "x")
  check_join_frame(y, "y")
  if (!identical(k, Inf)) k <- check_count(k, "k")
  max_distance <- check_join_distance(max_distance)
  type <- check_choice(type, c("left", "inner"), "type")
  by_group <- check_join_columns(by_group, "by_group", x, y)
  kept <- setdiff(names(y), c(by_group$y, if (is_sf(y)) attr(y, "sf_column")))
  names <- joined_names(names(x), kept, suffix, distance)
  if (is_sf(x) || is_sf(y)) {
    points <- join_geometries(x, y, by)
    if (missing(metric)) metric <- sf_metric(sf::st_crs(y))
  } else {
    by <- check_join_columns(by, "by", x, y)
    if (is.null(by)) fail("by must name the columns from which distances are computed: got NULL")
  }
  metric <- check_metric(metric)
  if (is_function_metric(metric)) fail("metric must compare columns: got a metric_function()")
  if (!is_sf(x)) points <- list(x = key_columns(x, by$x, "x", metric, by$y), y = key_columns(y, by$y, "y", metric))
  groups <- join_groups(x, y, by_group)
  pairs <- nearest_pairs(points, groups, k, if (is.null(metric)) "euclidean" else metric, max_distance)
  if (type == "left") pairs <- with_unmatched(pairs, nrow(x))
  columns <- c(lapply(seq_along(x), function(j) take_rows(x[[j]], pairs$x)),
               lapply(match(kept, names(y)), function(j) take_rows(y[[j]], pairs$y)),
               if (!is.null(distance)) list(pairs$distance))
  frame_like(x, stats::setNames(columns, names), nrow(pairs))
}

# ---- arguments --------------------------------------------------------------------------------------

check_join_frame <- function(x, what) {
  if (missing(x)) fail("%s must be a data frame: got nothing", what)
  if (!is.data.frame(x)) fail("%s must be a data frame: got %s", what, describe(x))
  twice <- names(x)[duplicated(names(x))]
  if (length(twice) > 0) fail("%s must have columns of different names: got %s twice", what, quoted(twice[1]))
}

check_join_distance <- function(value) {
  if (!is_number(value) || is.na(value) || value < 0) {
    fail("max_distance must be one number of at least 0, or Inf: got %s", describe(value))
  }
  as.double(value)
}

# Returns the names of the columns in x and in y: list(x, y). An element of `by` without a name is
# the name in both.
check_join_columns <- function(by, what, x, y) {
  if (is.null(by)) return(NULL)
  if (!is.character(by) || length(by) == 0 || anyNA(by)) {
    fail("%s must be names of columns: got %s", what, describe(by))
  }
  in_x <- names(by)
  in_x <- if (is.null(in_x)) unname(by) else unname(ifelse(nzchar(in_x), in_x, by))
  absent <- function(names, frame, argument) {
    missing <- setdiff(names, names(frame))
    if (length(missing) > 0) {
      fail("%s must name columns of %s, %s: got %s", what, argument, quoted(names(frame)), quoted(missing[1]))
    }
  }
  absent(in_x, x, "x")
  absent(by, y, "y")
  list(x = in_x, y = unname(by))
}

# Returns the columns from which distances are computed, with the names `as`: a matrix, or a data
# frame for Gower distance.
key_columns <- function(frame, names, what, metric, as = names) {
  for (name in names) {
    column <- frame[[name]]
    kind <- column_kind(column)
    if (is.null(kind) || kind != "numeric" && !is_gower(metric)) {
      fail("%s must have numeric columns in by%s: `%s` is %s%s", what, if (is_gower(metric)) ", factors or logicals" else "",
           name, describe(column), column_advice(column, what, name))
    }
    wrong <- which(if (kind == "numeric") !is.finite(column) else is.na(column))
    if (length(wrong) > 0) {
      fail("%s must have finite values in the columns of by: row %d of `%s` is %s", what, wrong[1], name,
           format(column[wrong[1]]))
    }
  }
  keys <- structure(lapply(names, function(name) frame[[name]]), names = as, class = "data.frame",
                    row.names = .set_row_names(nrow(frame)))
  if (is_gower(metric)) keys else as.matrix(keys)
}

join_geometries <- function(x, y, by) {
  if (!is_sf(x) || !is_sf(y)) {
    fail("x and y must both be of class sf, or neither: got %s and %s", describe(x), describe(y))
  }
  if (!is.null(by)) fail("by must be NULL for points of class sf: got %s", describe(by))
  points <- list(x = sf_coordinates(x, "x"), y = sf_coordinates(y, "y"))
  check_crs(x, "x", sf::st_crs(y), "y", "sf::st_crs(y)")
  points
}

# Returns the names of the columns of a join: of x, of y and of the distance.
joined_names <- function(x, y, suffix, distance) {
  if (!is.character(suffix) || length(suffix) != 2 || anyNA(suffix)) {
    fail("suffix must be two strings: got %s", describe(suffix))
  }
  if (!is.null(distance) && (!is.character(distance) || length(distance) != 1 || distance %in% c(NA, ""))) {
    fail("distance must be NULL or the name of a column: got %s", describe(distance))
  }
  both <- intersect(x, y)
  add <- function(names, end) ifelse(names %in% both, paste0(names, end), names)
  names <- c(add(x, suffix[1]), add(y, suffix[2]))
  if (anyDuplicated(names)) {
    fail("suffix must give columns of different names: got %s twice", quoted(names[duplicated(names)][1]))
  }
  if (!is.null(distance) && distance %in% names) {
    fail("distance must be a name that no other column has: got %s", quoted(distance))
  }
  c(names, distance)
}

# ---- pairs --------------------------------------------------------------------------------------------

# Returns the number of the group of each row: list(x, y). Rows with equal values of the columns
# by_group have equal numbers.
join_groups <- function(x, y, by_group) {
  id <- rep(1L, nrow(x) + nrow(y))
  for (j in seq_along(by_group$x)) {
    values <- list(x = x[[by_group$x[j]]], y = y[[by_group$y[j]]])
    wide <- names(values)[lengths(lapply(values, dim)) > 0]
    if (length(wide) > 0) {
      fail("by_group must name columns that are vectors: `%s` of %s is a %s", by_group[[wide[1]]][j], wide[1],
           if (is.data.frame(values[[wide[1]]])) "data frame" else "matrix")
    }
    kinds <- vapply(values, group_kind, "")
    if (kinds[1] != kinds[2]) {
      fail("by_group must name columns of the same kind in x and y: `%s` of x is %s, `%s` of y is %s",
           by_group$x[j], with_article(kinds[1]), by_group$y[j], with_article(kinds[2]))
    }
    if (kinds[1] == "text") values <- lapply(values, as.character)
    value <- do.call(c, unname(values))
    key <- complex(real = id, imaginary = match(value, unique(value)))
    id <- match(key, unique(key))
  }
  list(x = id[seq_len(nrow(x))], y = id[-seq_len(nrow(x))])
}

group_kind <- function(column) {
  if (is.factor(column) || is.character(column)) "text"
  else if (is.numeric(column) && !is.object(column)) "number"
  else class(column)[1]
}

# Returns a data frame of the pairs of a row of x and a row of y, ordered by x, distance and y.
nearest_pairs <- function(points, groups, k, metric, max_distance) {
  rows_x <- split(seq_along(groups$x), groups$x)
  rows_y <- split(seq_along(groups$y), groups$y)
  place <- if (length(rows_y) > 1) " (counted in a group of by_group)" else ""
  pairs <- lapply(intersect(names(rows_x), names(rows_y)), function(group) {
    from <- rows_x[[group]]
    to <- rows_y[[group]]
    tree <- naming("x", "y", cover_tree(points$y[to, , drop = FALSE], metric = metric), place)
    query <- points$x[from, , drop = FALSE]
    found <- as.data.frame(naming("query", "x", if (k == Inf && max_distance <= widest) {
      radius_query(tree, query, max_distance)
    } else {
      knn_query(tree, query, k = min(k, length(to)), max_distance = max_distance)
    }, place))
    data.frame(x = from[found$query], y = to[found$neighbor], distance = found$distance)
  })
  pairs <- do.call(rbind, c(list(data.frame(x = integer(), y = integer(), distance = numeric())), pairs))
  pairs[order(pairs$x, pairs$distance, pairs$y), ]
}

# Adds a pair with NA for each of the n rows of x that have none.
with_unmatched <- function(pairs, n) {
  alone <- setdiff(seq_len(n), pairs$x)
  pairs <- rbind(pairs, data.frame(x = alone, y = rep(NA_integer_, length(alone)),
                                   distance = rep(NA_real_, length(alone))))
  pairs[order(pairs$x), ]
}

take_rows <- function(column, rows) {
  if (length(dim(column)) == 2) column[rows, , drop = FALSE] else column[rows]
}

# Returns n rows of columns as a data frame of the class of `x`. The columns of `x` come first.
frame_like <- function(x, columns, n) {
  frame <- structure(columns, class = "data.frame", row.names = .set_row_names(n))
  if (inherits(x, "tbl_df")) class(frame) <- c("tbl_df", "tbl", "data.frame")
  if (inherits(x, "data.table")) return(data.table::as.data.table(frame))
  if (inherits(x, c("grouped_df", "rowwise_df")) && requireNamespace("dplyr", quietly = TRUE)) {
    frame <- dplyr::dplyr_reconstruct(frame, structure(x, class = setdiff(class(x), "sf")))
  }
  if (!is_sf(x)) return(frame)
  sf::st_sf(frame, sf_column_name = names(columns)[match(attr(x, "sf_column"), names(x))])
}
