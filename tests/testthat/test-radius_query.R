# radius_query() has the bits of the oracle's result, for every point set and radii that find no
# point to all points.

# Radii that distinguish < from <=: distances that occur, and the doubles next to them.
radii_for <- function(rankings) {
  distance <- unlist(lapply(rankings, `[[`, "distance"))
  if (length(distance) == 0) return(c(0, 1))
  some <- unname(stats::quantile(distance, c(0.001, 0.02, 0.3), type = 1))
  radii <- c(0, some, some[2] * (1 - 2^-53), some[2] * (1 + 2^-52), max(distance))
  unique(radii)
}

for (name in names(clouds)) {
  test_that(paste("radius_query() gives the oracle's answer around:", name), {
    x <- clouds[[name]]()
    for (query in list(NULL, queries_for(x))) {
      rankings <- oracle_rankings(x, query)
      trees <- list(sound_tree(x), sound_tree(x, layout = "natural", leaf_size = 5), sound_tree(x, leaf_size = 1))
      for (radius in radii_for(rankings)) {
        expected <- oracle_radius(radius = radius, found = rankings)
        for (threads in 1:3) {
          actual <- radius_query(trees[[threads]], query, radius, threads = threads)
          expect_same_neighbors(actual, expected, paste("radius", radius))
        }
      }
    }
  })
}

test_that("without sorting, the same points come in another order", {
  x <- clouds$uniform()
  tree <- sound_tree(x, leaf_size = 3)
  for (query in list(NULL, queries_for(x))) {
    sorted <- radius_query(tree, query, 0.4)
    loose <- radius_query(tree, query, 0.4, sort = FALSE, threads = 2)
    expect_false(identical(sorted$index, loose$index))
    place <- Map(order, loose$distance, loose$index)
    parts <- c("index", "distance")
    loose[parts] <- lapply(loose[parts], function(part) Map(`[`, part, place))
    expect_identical(loose, sorted)
  }
})

test_that("the radius is inclusive, and a point is left out of its own by row", {
  x <- rbind(c(0, 0), c(3, 4), c(0, 0), c(0, 5))
  tree <- sound_tree(x)
  found <- radius_query(tree, radius = 5)
  expect_identical(found$index, list(c(3L, 2L, 4L), c(4L, 1L, 3L), c(1L, 2L, 4L), c(2L, 1L, 3L)))
  expect_identical(radius_query(tree, radius = 0)$index, list(3L, integer(), 1L, integer()))
  expect_identical(radius_query(tree, x[2:3, ], radius = 0)$index, list(2L, c(1L, 3L)))
  expect_identical(radius_query(tree, radius = 5 - 1e-15)$count, c(1L, 1L, 1L, 1L))
})

test_that("a radius may be an integer and as large as distances get", {
  x <- clouds$huge()
  tree <- sound_tree(x)
  expect_identical(radius_query(tree, radius = 1e153)$count, rep(nrow(x) - 1L, nrow(x)))
  expect_identical(radius_query(sound_tree(clouds$two_points()), radius = 5L)$index, list(2L, 1L))
})

test_that("the result says what it is", {
  found <- radius_query(sound_tree(clouds$uniform()), radius = 0.2)
  expect_s3_class(found, "covertree_radius", exact = TRUE)
  expect_named(found, c("index", "distance", "count", "radius"))
  expect_identical(found$radius, 0.2)
  expect_identical(found$count, lengths(found$index))
  expect_true(all(vapply(found$index, is.integer, NA), vapply(found$distance, is.double, NA)))
  alone <- radius_query(sound_tree(clouds$one_point()), radius = 1)
  expect_identical(
    unclass(alone),
    structure(list(index = list(integer()), distance = list(double()), count = 0L, radius = 1),
              own = TRUE, points = 1L)
  )
})

test_that("queries may come as a data frame or in integers", {
  x <- clouds$integers()
  tree <- sound_tree(x)
  expected <- oracle_radius(x, x[1:9, ], 3)
  for (query in list(x[1:9, ], as.data.frame(x[1:9, ]))) {
    expect_same_neighbors(radius_query(tree, query, 3), expected)
  }
})

test_that("radius results print", {
  x <- clouds$grid()
  expect_snapshot({
    radius_query(sound_tree(x), radius = 0.5)
    radius_query(sound_tree(x), x[1, , drop = FALSE], radius = 0)
  })
})

test_that("a result becomes a data frame of its pairs", {
  x <- clouds$uniform()
  tree <- sound_tree(x)
  within <- oracle_radius(x, radius = 0.3)
  pairs <- data.frame(query = rep(seq_along(within$index), lengths(within$index)), neighbor = unlist(within$index),
                      distance = unlist(within$distance))
  expect_gt(nrow(pairs), nrow(x))
  expect_identical(as.data.frame(radius_query(tree, radius = 0.3)), pairs)
  rows <- c(9L, 2L, 9L)
  some <- do.call(rbind, lapply(rows, function(row) pairs[pairs$query == row, ]))
  expect_equal(as.data.frame(radius_query(tree, radius = 0.3, rows = rows)), some, ignore_attr = "row.names")
  nothing <- pairs[0, ]
  expect_identical(as.data.frame(radius_query(sound_tree(cbind(1:5)), radius = 0.5)), nothing)
  expect_identical(as.data.frame(radius_query(tree, x[0, ], radius = 1)), nothing)
})
