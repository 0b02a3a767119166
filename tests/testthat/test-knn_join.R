# knn_join() pairs the rows of two data frames, compared with a loop over all pairs.

set.seed(41)
left <- data.frame(id = 1:40, px = runif(40), py = runif(40), g = sample(c("a", "b", NA, "z"), 40, TRUE))
right <- data.frame(id = 101:160, px = round(runif(60), 1), qy = round(runif(60), 1),
                    h = factor(sample(c("b", NA, "a"), 60, TRUE)), v = letters[1 + (1:60) %% 26])

# The rows of both in the pairs of a join, by definition.
oracle_pairs <- function(k, most = Inf, grouped = FALSE) {
  pairs <- lapply(seq_len(nrow(left)), function(i) {
    far <- sqrt((left$px[i] - right$px)^2 + (left$py[i] - right$qy)^2)
    same <- if (grouped) as.character(right$h) %in% left$g[i] else rep(TRUE, nrow(right))
    rows <- order(far)
    rows <- utils::head(rows[same[rows]], k)
    rows <- rows[far[rows] <= most]
    if (length(rows) == 0) rows <- NA_integer_
    data.frame(x = i, y = rows, distance = far[rows])
  })
  do.call(rbind, pairs)
}

test_that("pairs, their order and the columns are those of the definition", {
  for (grouped in c(FALSE, TRUE)) for (most in c(Inf, 0.12)) {
    want <- oracle_pairs(3, most, grouped)
    group <- if (grouped) c(g = "h")
    ours <- knn_join(left, right, c("px", py = "qy"), k = 3, max_distance = most, by_group = group)
    kept <- if (grouped) c("id", "px", "qy", "v") else names(right)
    expected <- data.frame(left[want$x, ], right[want$y, kept], want$distance)
    expected <- stats::setNames(expected, c("id.x", "px.x", "py", "g", "id.y", "px.y", "qy", setdiff(kept, names(right)[1:3]),
                                            "distance"))
    expect_equal(ours, expected, ignore_attr = "row.names")
    expect_identical(attr(ours, "row.names"), seq_len(nrow(ours)))
    inner <- knn_join(left, right, c("px", py = "qy"), k = 3, max_distance = most, by_group = group, type = "inner")
    expect_equal(inner, expected[!is.na(expected$id.y), ], ignore_attr = "row.names")
  }
})

test_that("k = Inf joins all rows within the distance", {
  all_rows <- nrow(right)
  for (grouped in c(FALSE, TRUE)) for (most in c(0.12, 1e200, Inf)) {
    want <- oracle_pairs(all_rows, most, grouped)
    ours <- knn_join(left, right, c("px", py = "qy"), k = Inf, max_distance = most, by_group = if (grouped) c(g = "h"))
    expect_identical(ours$id.x, left$id[want$x])
    expect_identical(ours$id.y, right$id[want$y])
    expect_identical(ours$distance, want$distance)
  }
  mixed <- data.frame(size = c(1, 4, 9), kind = factor(c("a", "b", "a")))
  gower <- function(k) knn_join(mixed, mixed, c("size", "kind"), k = k, max_distance = 0.7, metric = metric_gower())
  expect_identical(gower(Inf), gower(3))
  expect_identical(nrow(gower(Inf)), 7L)
})

test_that("groups by several columns match rows in which all are equal", {
  x <- data.frame(p = c(0, 0, 0), a = c(1, 1, 2), b = c(TRUE, FALSE, TRUE))
  y <- data.frame(p = c(5, 4, 3, 2), a = c(1, 2, 1, 2), b = c(TRUE, TRUE, TRUE, FALSE))
  expect_identical(knn_join(x, y, "p", by_group = c("a", "b"))$p.y, c(3, NA, 4))
})

test_that("other metrics, suffixes and names are as given", {
  joined <- knn_join(left, right, "px", metric = "manhattan", suffix = c("", "_right"), distance = "far")
  expect_named(joined, c(names(left), "id_right", "px_right", "qy", "h", "v", "far"))
  expect_identical(joined$far, vapply(left$px, function(p) min(abs(p - right$px)), 0))
  expect_named(knn_join(left, right["px"], "px", distance = NULL), c("id", "px.x", "py", "g", "px.y"))
  mixed <- data.frame(size = c(1, 4, 9), kind = factor(c("a", "b", "a")))
  expect_identical(knn_join(mixed, mixed, c("size", "kind"), metric = metric_gower(), k = 2)$size.y,
                   c(1, 9, 4, 1, 9, 1))
})

test_that("frames without rows and columns of lists and matrices are joined", {
  expect_identical(nrow(knn_join(left[0, ], right, "px")), 0L)
  none <- knn_join(left, right[0, ], "px")
  expect_true(all(is.na(none$v)) && nrow(none) == 40)
  x <- data.frame(p = 1:2)
  y <- data.frame(p = 2:1, m = I(matrix(1:4, 2)), when = as.Date("2020-01-01") + 0:1)
  y$l <- list("two", 1)
  joined <- knn_join(x, y, "p", max_distance = 0, k = 2)
  expect_identical(joined$l, list(1, "two"))
  expect_identical(unclass(joined$m), rbind(c(2L, 4L), c(1L, 3L)))
  expect_identical(joined$when, as.Date("2020-01-01") + 1:0)
  far <- knn_join(x, transform(y, p = p + 9L), "p", max_distance = 0)
  expect_true(all(is.na(far$when)) && all(is.na(far$m)))
})

test_that("tibbles and data.tables stay what they are", {
  plain <- knn_join(left, right, "px", k = 2)
  skip_if_not_installed("tibble")
  ours <- knn_join(tibble::as_tibble(left), tibble::as_tibble(right), "px", k = 2)
  expect_s3_class(ours, c("tbl_df", "tbl", "data.frame"), exact = TRUE)
  expect_identical(as.data.frame(ours), plain)
  skip_if_not_installed("data.table")
  ours <- knn_join(data.table::as.data.table(left), right, "px", k = 2)
  expect_s3_class(ours, c("data.table", "data.frame"), exact = TRUE)
  expect_identical(as.data.frame(ours), plain)
})

test_that("groups of a tibble are those of a join of dplyr", {
  skip_if_not_installed("dplyr")
  x <- dplyr::as_tibble(data.frame(px = c(4, 2, 9), g = factor(c("u", "v", "u"), levels = c("u", "v", "w")), v = 1:3))
  y <- data.frame(qx = x$px, v = 3:1)
  for (drop in c(TRUE, FALSE)) {
    grouped <- dplyr::group_by(x, g, v, .drop = drop)
    want <- dplyr::left_join(grouped, y, by = c(px = "qx"))
    ours <- knn_join(grouped, y, c(px = "qx"))
    expect_s3_class(ours, class(grouped), exact = TRUE)
    expect_identical(attributes(ours)$groups, attributes(want)$groups)
  }
  ours <- knn_join(dplyr::rowwise(x, g), y, c(px = "qx"), k = 2)
  expect_s3_class(ours, "rowwise_df")
  expect_identical(dplyr::group_data(ours)$.rows, dplyr::group_data(dplyr::rowwise(as.data.frame(ours)))$.rows)
  expect_identical(knn_join(dplyr::group_by(x, v), y, c(px = "qx")), knn_join(x, y, c(px = "qx")))
  skip_if_not_installed("sf")
  points <- sf::st_as_sf(dplyr::group_by(x, g), coords = c("px", "v"), crs = 3857)
  ours <- knn_join(points, points, k = 2, suffix = c("", ".y"))
  expect_s3_class(ours, class(points), exact = TRUE)
  expect_identical(dplyr::group_vars(ours), "g")
})

test_that("points of sf keep the geometry of x", {
  skip_if_not_installed("sf")
  a <- sf::st_as_sf(left, coords = c("px", "py"), crs = 4326)
  b <- sf::st_as_sf(right, coords = c("px", "qy"), crs = 4326)
  joined <- knn_join(a, b, by_group = c(g = "h"))
  expect_s3_class(joined, "sf")
  expect_named(joined, c("id.x", "g", "id.y", "v", "distance", "geometry"))
  expect_identical(sf::st_geometry(joined), sf::st_geometry(a))
  flat <- knn_join(left, right, c("px", py = "qy"), by_group = c(g = "h"), metric = metric_great_circle(unit = "m"))
  expect_identical(joined$id.y, flat$id.y)
  expect_identical(joined$distance, flat$distance)
  expect_identical(knn_join(a, b, metric = "euclidean")$distance, oracle_pairs(1)$distance)
  expect_complaints(
    knn_join(a, right, "px"),
    knn_join(a, b, by = "id"),
    knn_join(a, sf::st_transform(b, 3857))
  )
})

test_that("wrong arguments are named", {
  hole <- transform(right, px = replace(px, 7, NA))
  twice <- data.frame(px = 1, px = 2, check.names = FALSE)
  expect_complaints(
    knn_join(as.matrix(left[2:3]), right, "px"),
    knn_join(left, right),
    knn_join(left, right, 2),
    knn_join(left, right, "py"),
    knn_join(left, right, c(qy = "px")),
    knn_join(left, hole, "px"),
    knn_join(hole, right, "px"),
    knn_join(left, right, c(g = "v")),
    knn_join(left, twice, "px"),
    knn_join(left, right, "px", k = 0),
    knn_join(left, right, "px", max_distance = -1),
    knn_join(left, right, "px", max_distance = NA),
    knn_join(left, right, "px", by_group = c(px = "h")),
    knn_join(left, right, "px", by_group = "g"),
    knn_join(left, transform(right, g = I(cbind(px, qy))), "px", by_group = "g"),
    knn_join(cbind(left["px"], w = I(left[1:2])), right, "px", by_group = c(w = "h")),
    knn_join(left, right, "px", suffix = ".x"),
    knn_join(left, right, "px", suffix = c("", "")),
    knn_join(left, right, "px", distance = "v"),
    knn_join(left, right, "px", distance = ""),
    knn_join(left, right, "px", metric = metric_function(function(i, js) js)),
    knn_join(left, transform(right, px = replace(px, 9, 0)), "px", metric = "cosine"),
    knn_join(transform(left, px = replace(px, 9, 0)), transform(right, px = 1), "px", metric = "cosine", by_group = c(g = "h")),
    knn_join(left, right, "px", type = "full")
  )
})
