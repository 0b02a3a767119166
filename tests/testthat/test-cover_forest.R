# A forest gives the result of one tree, whichever processes search it.

set.seed(1)
cloud <- rbind(matrix(rnorm(9000), ncol = 3), as.matrix(expand.grid(0:9, 0:9, 0:9)) / 5)
colnames(cloud) <- c("a", "b", "c")
cloud <- rbind(cloud, cloud[1:300, ])
other <- rbind(matrix(rnorm(900), ncol = 3), unname(cloud[1:40, ]), c(50, -50, 9))
one_tree <- cover_tree(cloud)

# The sample is small, so that the shards have different sizes.
uneven_forest <- function(x = cloud, shards = 7, sample = 10, ...) cover_forest(x, shards, sample = sample, ...)

# All ways to ask, compared with one tree.
expect_same_answers <- function(forest, tree = one_tree, query = other, reach = 0.4) {
  same <- function(search, ...) {
    expect_identical(search(forest, ...), search(tree, ...))
  }
  n <- length(tree)
  same(knn_query, k = 8)
  same(knn_query, query, k = 5)
  same(knn_query, k = 4, rows = c(n, 2, 17, 2))
  same(knn_query, k = 6, max_distance = rep_len(c(reach, Inf, reach / 2, 0), n))
  same(knn_query, query, k = 6, max_distance = reach)
  same(knn_query, k = 5, predecessor = TRUE)
  same(knn_query, k = 3, predecessor = TRUE, rows = c(n, 2, 17, 2, 1))
  same(knn_query, k = 6, predecessor = TRUE, max_distance = rep_len(c(reach, Inf, reach / 2, 0), n))
  same(radius_query, radius = reach / 2)
  same(radius_query, query, radius = reach)
  same(radius_query, radius = reach, rows = c(9, 4, 9), count_only = TRUE)
  same(radius_query, query, radius = reach, count_only = TRUE)
}

test_that("a forest in this process gives the result of one tree", {
  forest <- uneven_forest()
  parts <- summary(forest)
  expect_gt(max(parts$points) / min(parts$points), 1.5)
  expect_identical(sum(parts$points), 4300)
  expect_identical(dim(forest), dim(cloud))
  expect_identical(format(forest), "<cover_forest: 4,300 points in 3 dimensions, in 7 shards>")
  expect_same_answers(forest)
  expect_identical(knn_query(forest, k = 2, rows = c(5, 5, 9), max_distance = c(0.1, 9, 0.2)),
                   knn_query(one_tree, k = 2, rows = c(5, 5, 9), max_distance = c(0.1, 9, 0.2)))
  # More neighbors than a shard has points, and than there are.
  expect_identical(knn_query(forest, k = 4305, rows = 1:3), knn_query(one_tree, k = 4305, rows = 1:3))
  expect_identical(knn_query(forest, k = 900, rows = c(1000, 4300), predecessor = TRUE),
                   knn_query(one_tree, k = 900, rows = c(1000, 4300), predecessor = TRUE))
  # Row numbers without relation to the place, and with a shard whose rows come first.
  for (along in list(order(cloud[, 1]), order(-cloud[, 2]))) {
    sorted <- cloud[along, ]
    expect_identical(knn_query(uneven_forest(sorted), k = 7, predecessor = TRUE),
                     knn_query(cover_tree(sorted), k = 7, predecessor = TRUE))
  }
  none <- cloud[0, ]
  expect_identical(knn_query(forest, none, k = 3), knn_query(one_tree, none, k = 3))
  expect_identical(radius_query(forest, rows = integer(), radius = 1), radius_query(one_tree, rows = integer(), radius = 1))
  expect_identical(knn_query(forest, other, k = 3, control = list(search = "scan")), knn_query(one_tree, other, k = 3))
})

test_that("one shard, as many shards as points, and equal points", {
  few <- cloud[1:20, ]
  tree <- cover_tree(few)
  for (shards in c(1, 20, 2e9)) expect_same_answers(cover_forest(few, shards), tree, other[1:5, ])
  equal <- matrix(1, 30, 2)
  expect_same_answers(cover_forest(equal, 3), cover_tree(equal), matrix(c(1, 2, 1, 2), 2))
})

test_that("a forest searches by the metrics of coordinates", {
  set.seed(2)
  x <- cbind(runif(1500, -180, 180), runif(1500, -80, 80))
  query <- cbind(runif(100, -180, 180), runif(100, -80, 80))
  metrics <- list("manhattan", "maximum", "cosine", "angular", metric_minkowski(3), metric_great_circle(),
                  metric_scaled("manhattan", c(2, 0.5)), metric_mahalanobis(cov(x)))
  for (metric in metrics) {
    tree <- cover_tree(x, metric)
    reach <- stats::median(knn_query(tree, k = 8, rows = 1:50)$distance)
    expect_same_answers(uneven_forest(x, metric = metric), tree, query, reach)
  }
})

test_that("shards match columns and periods as one tree does, also of points in chunks", {
  set.seed(3)
  n <- 900
  chunks <- function(x) function(i) if (i <= 3) x[(300 * i - 299):(300 * i), ]
  torus <- cbind(a = runif(n, 3, 12.9), b = rnorm(n), c = runif(n, -8, -3.1))
  around <- cbind(runif(50, -90, 90), rnorm(50), runif(50, -90, 90))
  places <- cbind(lat = runif(n, -80, 80), lon = runif(n, -170, 170))
  renamed <- cbind(longitude = runif(50, -170, 170), latitude = runif(50, -80, 80))
  sets <- matrix(runif(n * 6) < 0.4, n)
  cases <- list(
    list(torus, metric_periodic(c(c = 5, b = NA, a = 10)), around, 0.3),
    list(places, metric_great_circle(), renamed, 900),
    list(torus, metric_scaled("manhattan", c(b = 1, c = 5, a = 0.2)), around, 3),
    list(torus, metric_mahalanobis(cov(torus)[3:1, 3:1]), around, 0.4),
    list(sets, "jaccard", sets[1:50, ], 0.3), list(sets, "hamming", !sets[1:50, ], 1)
  )
  for (case in cases) for (source in list(case[[1]], chunks(case[[1]]), as.data.frame(case[[1]]))) suppressMessages({
    expect_same_answers(uneven_forest(source, 4, metric = case[[2]]), cover_tree(case[[1]], case[[2]]), case[[3]], case[[4]])
  })
  expect_error(cover_forest(chunks(torus), metric = metric_periodic(c(9, NA, 5))), "box must be at least as wide")
  expect_error(cover_forest(1 + sets, metric = "jaccard"), "source must be 0, 1, FALSE or TRUE")
  expect_error(knn_query(cover_forest(sets, 2, metric = "hamming"), 1 + sets), "query must be 0, 1, FALSE or TRUE")
})

test_that("chunks of a function and of files give the forest of a matrix", {
  chunk <- function(i) {
    if (i == 2) return(cloud[0, ])
    first <- 700 * (i - 1 - (i > 2)) + 1
    if (first <= nrow(cloud)) cloud[first:min(first + 699, nrow(cloud)), c("c", "a", "b")[if (i > 2) 1:3 else c(2, 3, 1)]]
  }
  expect_same_answers(suppressMessages(uneven_forest(chunk)))
  csv <- tempfile(fileext = ".csv")
  on.exit(unlink(csv))
  exact <- cloud
  exact[] <- round(exact * 1024) / 1024
  write.csv(exact, csv, row.names = FALSE)
  expect_same_answers(uneven_forest(csv), cover_tree(exact))
  skip_if_not_installed("nanoparquet")
  files <- tempfile(fileext = c("1.parquet", "2.parquet"))
  on.exit(unlink(files), add = TRUE)
  nanoparquet::write_parquet(as.data.frame(cloud[1:2500, ]), files[1])
  nanoparquet::write_parquet(as.data.frame(cloud[2501:4300, ]), files[2])
  forest <- uneven_forest(files)
  expect_identical(knn_query(forest, k = 5), knn_query(one_tree, k = 5))
})

test_that("a saved forest works as long as its files do", {
  place <- tempfile("place")
  on.exit(unlink(place, recursive = TRUE))
  forest <- unserialize(serialize(uneven_forest(path = place, max_open = 2), NULL))
  expect_match(list.files(place), "^forest-[0-9a-f]+-[1-7][.](rows|tree)$")
  expect_length(list.files(place), 14)
  expect_identical(knn_query(forest, other, k = 3), knn_query(one_tree, other, k = 3))
  expect_lte(sum(startsWith(ls(open_shards), place)), 2)
  close_shards(0)
  file <- summary(forest)$file[3]
  rows <- readRDS(paste0(file, ".rows"))
  saveRDS(1, paste0(file, ".rows"))
  expect_error(knn_query(forest, k = 3), "shard 3, with [0-9,]+ of the 4,300 rows .* belongs to another forest")
  unlink(paste0(file, ".rows"))
  expect_error(radius_query(forest, radius = 9, rows = 1:3), "shard 3, .* does not exist")
  saveRDS(rows, paste0(file, ".rows"))
  close_shards(0)
  write_tree(one_tree, paste0(file, ".tree"))
  expect_error(knn_query(forest, k = 3), "shard 3, .* belongs to another forest")
  close_shards(0)
  writeBin(as.raw(1:9), paste0(file, ".tree"))
  expect_error(knn_query(forest, k = 3), "shard 3, .* cannot be reached, .* is not valid: ")
})

test_that("row numbers beyond the integers are doubles", {
  expect_identical(check_rows(c(3e9, 5), 4e9), c(3e9, 5))
  expect_error(check_rows(5e9, 4e9), "rows must be whole numbers from 1 to 4000000000, the number of points: element 1 is 5e+09",
               fixed = TRUE)
  # A shard of a large forest keeps its rows as doubles.
  place <- list(number = 1, file = tempfile(), id = "test")
  built <- run_task(list(do = "build", version = own_version(), workers = 1, shard = place, n = 4e9,
                         x = cloud[1:50, ], rows = 3e9 + 1:50))
  expect_identical(built$smallest, 3000000001)
  found <- run_task(list(do = "knn", version = own_version(), workers = 1, k = 2, rows = c(5, 3e9 + 7),
                         shard = c(place, list(count = 50)), max_open = 1, options = search_options()))
  expect_identical(found$index, knn_query(cover_tree(cloud[1:50, ]), rows = 7, k = 2)$index + 3e9)
  expect_identical(found$line, 2L)
  unlink(paste0(place$file, c(".rows", ".tree")))
})

test_that("an edited forest is refused", {
  forest <- cover_forest(cloud[1:50, ], 2)
  edited <- function(...) structure(replace(unclass(forest), names(list(...)), list(...)), class = class(forest))
  for (wrong in list(edited(shards = list()), edited(n = 20L), edited(n = "all"), edited(boxes = list()), edited(d = NULL),
                     structure(list(), class = class(forest)), structure(1, class = class(forest)))) {
    for (call in list(knn_query, print, summary, function(x) radius_query(x, radius = 1))) {
      expect_error(call(wrong), "tree must have the elements that cover_forest() gave it: it was edited", fixed = TRUE)
    }
  }
})

test_that("another version of the package in a worker is an error", {
  task <- list(do = "knn", version = "0.0.1")
  expect_match(run_task(task)$message, "must have version 0.0.1 of covertree, .* has version 0.1.0; install")
})

test_that("wrong arguments are errors", {
  forest <- uneven_forest()
  expect_error(cover_forest(), "source must be points, a function or a file: got nothing", fixed = TRUE)
  expect_error(cover_forest("no such.csv"), "source must be files that exist: element 1 is", fixed = TRUE)
  expect_error(cover_forest(function(i) NULL), "source must have at least one row: got none", fixed = TRUE)
  expect_error(cover_forest(function(i) if (i < 3) matrix(i, 2, i)),
               "chunk 2 of source must have as many columns as the first, 1: got 2", fixed = TRUE)
  expect_error(cover_forest(function(i) if (i < 3) cbind(c(1, if (i == 2) NA))),
               "chunk 2 of source must be finite: row 2, column 1 is NA", fixed = TRUE)
  calls <- 0
  changing <- function(i) {
    calls <<- calls + 1
    if (i < 3 - (calls > 3)) cloud[1:50, ]
  }
  expect_error(cover_forest(changing, 2), "source must return the same chunks each time: got 100 rows, then 50", fixed = TRUE)
  expect_error(cover_forest(cloud, metric = residual_correlation(kernel_matern32(1))), "metric must be one by coordinates",
               fixed = TRUE)
  expect_error(cover_forest(cloud, shards = 0), "shards must be one whole number of at least 1: got 0", fixed = TRUE)
  text <- tempfile(fileext = ".csv")
  on.exit(unlink(text))
  writeLines(c("a,b", "1,2", "3,x"), text)
  expect_error(cover_forest(text), "must have numbers: line 3, column \"b\" is \"x\"", fixed = TRUE)
  writeLines(c("a,b", "1,2", "3"), text)
  expect_error(cover_forest(text), "must have 2 values in each line, one for each column name: line 3 has 1", fixed = TRUE)
  expect_error(knn_query(forest, epsilon = 0.1), "epsilon must be 0 for a forest, whose searches are exact: got 0.1", fixed = TRUE)
  expect_error(knn_query(forest, other[, 1:2]), "query must have as many columns as the tree, 3: got 2", fixed = TRUE)
  expect_error(knn_query(forest, rows = 4301), "rows must be whole numbers from 1 to 4300", fixed = TRUE)
  expect_error(radius_query(forest, radius = 3, max_pairs = 100), "the result must have at most 100 pairs")
})

test_that("what a forest cannot do is refused with advice", {
  forest <- uneven_forest()
  knn <- knn_query(forest, k = 2)
  expect_complaints(
    recall_of(forest, knn),
    insert_points(forest, cloud),
    remove_points(forest, 1),
    compact(forest),
    tree_rows(forest),
    write_tree(forest, "forest.tree"),
    update_metric(forest, residual_correlation(kernel_matern32(1))),
    tree_arrays(forest),
    validate_tree(forest),
    as.matrix(forest),
    forest[1],
    forest$n <- 5L,
    forest[["n"]] <- 5L,
    forest[1] <- 5L,
    c(forest, forest),
    rep(forest, 2),
    t(forest),
    rbind(forest, cloud),
    cbind(forest, 1),
    knn_query(forest, other, predecessor = TRUE),
    cover_forest(iris, metric = metric_gower()),
    cover_forest(cloud, metric = residual_correlation(kernel_matern32(1)))
  )
  expect_output(str(forest), "<cover_forest: 4,300 points", fixed = TRUE)
  expect_true(all.equal(forest, forest))
  expect_identical(length(read_tree(paste0(summary(forest)$file[2], ".tree"))), as.integer(summary(forest)$points[2]))
})

test_that("the statistics of shards are added up", {
  control <- knn_control(stats = TRUE, block_size = 8)
  ask <- function(index, ...) knn_query(index, ..., k = 5, threads = 1, control = control)
  counts <- function(knn) {
    stats <- knn_stats(knn)
    expect_gt(stats$seconds[["elapsed"]], 0)
    stats[names(stats) != "seconds"]
  }
  # One shard is one tree, whose search does the same.
  whole <- cover_forest(cloud, 1)
  expect_identical(counts(ask(whole)), counts(ask(one_tree)))
  expect_identical(counts(ask(whole, other)), counts(ask(one_tree, other)))
  none <- function(index) {
    stats <- knn_stats(ask(index, cloud[0, ]))
    stats[names(stats) != "seconds"]
  }
  expect_identical(none(whole), none(one_tree))
  forest <- uneven_forest()
  both <- counts(ask(forest))
  expect_identical(both$queries, 4300L)
  expect_gte(both$distances, 4300 * 5)
  # Each query is asked in one shard at least, and some in several.
  expect_gt(sum(both$blocks) + both$scans, sum(counts(ask(one_tree))$blocks))
  expect_identical(ask(forest)$index, knn_query(one_tree, k = 5)$index)
})

test_that("results of a forest are those of a tree for other functions, too", {
  forest <- uneven_forest()
  for (to in c("RANN", "FNN", "dbscan", "uwot", "BiocNeighbors", "spdep")) {
    expect_identical(as_neighbors(knn_query(forest, k = 3), to), as_neighbors(knn_query(one_tree, k = 3), to))
  }
  expect_identical(as_neighbors(knn_query(forest, k = 3, predecessor = TRUE), "GpGp"),
                   as_neighbors(knn_query(one_tree, k = 3, predecessor = TRUE), "GpGp"))
  expect_identical(as_neighbors(radius_query(forest, radius = 0.2), "dbscan"),
                   as_neighbors(radius_query(one_tree, radius = 0.2), "dbscan"))
  expect_identical(knn_predict(forest, cloud[, 1], other, k = 3), knn_predict(one_tree, cloud[, 1], other, k = 3))
  skip_if_not_installed("Matrix")
  expect_identical(knn_graph(forest, k = 3), knn_graph(one_tree, k = 3))
})

test_that("daemons of mirai give the result of one tree, also when one dies", {
  skip_on_cran()
  skip_if_not_installed("mirai")
  mirai::daemons(url = mirai::local_url(tcp = TRUE))
  on.exit(mirai::daemons(0))
  mirai::launch_local(2)
  for (try in 1:400) if (count_daemons() < 2) Sys.sleep(0.05)
  forest <- uneven_forest()
  expect_identical(find_engine(), list(name = "mirai", workers = 2L))
  expect_same_answers(forest)
  expected <- knn_query(one_tree, k = 30)
  pid <- mirai::mirai(Sys.getpid())[]
  skip_on_os("windows")
  system(sprintf("(sleep 0.3; kill -9 %d) &", pid))
  started <- proc.time()[["elapsed"]]
  while (proc.time()[["elapsed"]] < started + 0.8) expect_identical(knn_query(forest, k = 30), expected)
  expect_identical(count_daemons(), 1L)
  expect_identical(knn_query(forest, k = 30), expected)
  tools::pskill(mirai::mirai(Sys.getpid())[], 9)
  while (count_daemons() > 0) Sys.sleep(0.01)
  expect_error(wait_for_daemons(0.1), "mirai must have daemons connected: got none within 0.1 seconds", fixed = TRUE)
  lost <- run_by_mirai(list(list(do = "none")))
  expect_s3_class(lost[[1]], "covertree_lost_task")
})

test_that("a plan of future gives the result of one tree", {
  skip_on_cran()
  skip_if_not_installed("future")
  old <- future::plan(future::multisession, workers = 2)
  on.exit(future::plan(old))
  skip_if_not(future::value(future::future(requireNamespace("covertree", quietly = TRUE), seed = NULL)))
  expect_identical(find_engine()$name, "future")
  forest <- uneven_forest()
  expect_identical(knn_query(forest, k = 8), knn_query(one_tree, k = 8))
  expect_identical(radius_query(forest, other, radius = 0.4), radius_query(one_tree, other, radius = 0.4))
  tools::pskill(future::value(future::future(Sys.getpid(), seed = NULL)), 9)
  expect_error(knn_query(forest, k = 8), "shard [0-9], with .* cannot be reached, and no answer is given without it")
})
