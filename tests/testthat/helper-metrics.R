# Expectations of searches by any metric, against a matrix of all distances, and data for them.

# Distances of the rows of x and q by definition, in the order of the columns.
gaps <- function(x, q, add) {
  sum <- matrix(0, nrow(q), nrow(x))
  for (j in seq_len(ncol(x))) sum <- add(sum, abs(outer(q[, j], x[, j], `-`)))
  sum
}

# Points spread evenly over the sphere.
places <- function(n, seed) {
  with_seed(seed, cbind(lon = runif(n, -180, 180), lat = asin(runif(n, -1, 1)) * 180 / pi))
}

# Columns of all kinds.
mixed <- function(n, seed) {
  with_seed(seed, data.frame(
    size = rnorm(n), count = rpois(n, 3), constant = 7,
    color = factor(sample(c("red", "green", "blue", "violet"), n, replace = TRUE)),
    yes = factor(sample(c("no", "yes"), n, replace = TRUE)),
    cut = factor(sample(letters[1:4], n, replace = TRUE), levels = letters[1:5], ordered = TRUE),
    flag = sample(c(TRUE, FALSE), n, replace = TRUE), one = factor(rep("a", n))
  ))
}

# Every answer is ordered, has the distances of the definition, and misses nothing nearer.
expect_nearest <- function(found, all, label, tolerance, own = FALSE, predecessor = FALSE) {
  k <- ncol(found$index)
  if (own) diag(all) <- Inf
  if (predecessor) all[col(all) >= row(all)] <- Inf
  all[is.infinite(all)] <- NA
  best <- matrix(apply(all, 1, sort, na.last = TRUE), nrow(all), byrow = TRUE)
  best <- best[, seq_len(min(k, ncol(all))), drop = FALSE]
  if (k > ncol(all)) best <- cbind(best, matrix(NA, nrow(best), k - ncol(all)))
  there <- matrix(all[cbind(c(row(found$index)), c(found$index))], nrow(found$index))
  expect_identical(is.na(found$index), is.na(best), label = paste(label, "number of neighbors"))
  near <- function(a, b) all(abs(a - b) <= tolerance * pmax(abs(b), max(0, b, na.rm = TRUE) * 1e-3), na.rm = TRUE)
  expect(near(found$distance, there), paste(label, "distances are not those of the definition"))
  expect(near(found$distance, best), paste(label, "misses a nearer point"))
  ordered <- apply(rbind(0, t(found$distance)), 2, function(d) all(diff(d) >= 0, na.rm = TRUE))
  expect(all(ordered), paste(label, "not in order"))
  if (k > 1) {
    i <- seq_len(k - 1)
    ties <- which(found$distance[, i, drop = FALSE] == found$distance[, i + 1, drop = FALSE])
    rows <- found$index[, i + 1, drop = FALSE] - found$index[, i, drop = FALSE]
    expect(all(rows[ties] > 0), paste(label, "ties are not in the order of rows"))
  }
  expect_none_twice(found$index, label)
}

# All ways to the same answer.
expect_one_answer <- function(x, metric, right, label, ...) {
  ways <- list(
    natural = cover_tree(x, metric, layout = "natural", leaf_size = 5, threads = 2),
    restored = unserialize(serialize(cover_tree(x, metric), NULL))
  )
  for (way in names(ways)) expect_same_knn(knn_query(ways[[way]], ...), right, paste(label, way))
  tree <- ways$natural
  for (control in list(list(search = "scan"), list(search = "tree", block_size = 3))) {
    expect_same_knn(knn_query(tree, ..., control = control), right, paste(label, control$search))
  }
  for (simd in covertree_info()$simd_available) {
    old <- options(covertree.simd = simd)
    expect_same_knn(knn_query(tree, ..., threads = 1), right, paste(label, simd))
    options(old)
  }
}

expect_metric <- function(x, metric, definition, label, tolerance = 1e-9, query = queries_for(x)) {
  tree <- cover_tree(x, metric)
  expect_sound_tree(tree)
  all <- definition(x, x)
  k <- min(nrow(x) + 1, 7)
  own <- knn_query(tree, k = k)
  expect_nearest(own, all, paste(label, "own"), tolerance, own = TRUE)
  expect_one_answer(x, metric, own, paste(label, "own"), k = k)
  before <- knn_query(tree, k = k, predecessor = TRUE)
  expect_nearest(before, all, paste(label, "predecessors"), tolerance, predecessor = TRUE)
  foreign <- definition(x, query)
  found <- knn_query(tree, query, k = k)
  expect_nearest(found, foreign, paste(label, "query"), tolerance)
  expect_one_answer(x, metric, found, paste(label, "query"), query = query, k = k)
  rows <- rev(seq_len(nrow(x)))[seq_len(min(nrow(x), 9))]
  some <- knn_query(tree, k = k, rows = rows)
  expect_same_knn(some, list(index = own$index[rows, , drop = FALSE],
                             distance = own$distance[rows, , drop = FALSE]), label)
  expect_identical(recall_of(tree, own)$estimate, 1, label = label)
  every <- knn_query(tree, query, k = nrow(x))
  for (radius in every$distance[c(1, length(every$distance) %/% 3)]) {
    near <- radius_query(tree, query, radius = radius)
    within <- lapply(seq_len(nrow(query)), function(i) every$distance[i, ] <= radius)
    expect_identical(near$index, Map(function(i, w) every$index[i, w], seq_len(nrow(query)), within))
    expect_identical(near$distance, Map(function(i, w) every$distance[i, w], seq_len(nrow(query)), within))
  }
}

# The haversine formula.
by_great_circle <- function(radius, scale = 1) function(x, q) {
  rad <- pi / 180
  lat <- outer(q[, 2], x[, 2], `-`) * rad / 2
  lon <- outer(q[, 1], x[, 1], `-`) * rad / 2
  h <- sin(lat)^2 + outer(cos(q[, 2] * rad), cos(x[, 2] * rad)) * sin(lon)^2
  arc <- 2 * radius * asin(pmin(sqrt(h), 1))
  if (ncol(x) == 2) return(arc)
  sqrt(arc^2 + (outer(q[, 3], x[, 3], `-`) / scale)^2)
}
