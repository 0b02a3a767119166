# Queries are 1,024 of the tree's own points, by row number: the workload of the published figures
# of another system, which are in the last rows of the table. The gold data set, 50 neighbors, by
# Euclidean distance and by residual correlation with 512 inducing points.
#
#   Rscript -e 'source(system.file("benchmarks/rows.R", package = "covertree"))'

source(system.file("benchmarks/gold_setup.R", package = "covertree"))

# 96 points are the largest budget of the published search. By Euclidean distance, a search to a stated
# recall is exact.
searches_by <- function(name) {
  c(list(new_search("exact (recall 1)")), if (name != "Euclidean") rev(recall_searches),
    list(new_search("budget 96", budget = budget(96))))
}

# The first call of a search also answers a sample of all points exactly, to choose its effort
# or to measure its recall. The tree keeps both; later calls only answer their queries.
run <- function(name) {
  searches <- searches_by(name)
  building <- interleave(list(build = function() build(name)), 3)
  tree <- building$results$build
  call <- function(search, threads = NULL) ask(search, tree, rows = own_rows, threads = threads)
  first <- numeric(length(searches))
  found <- vector("list", length(searches))
  for (i in seq_along(searches)) first[i] <- seconds_of(found[[i]] <- call(searches[[i]]))
  sides <- unlist(lapply(1:2, function(threads) {
    lapply(searches, function(search) function() { call(search, threads); NULL })
  }), recursive = FALSE)
  names(sides) <- seq_along(sides)
  times <- interleave(sides)$times
  seconds <- vapply(times, stats::median, 0)
  exactly <- vapply(searches, function(search) search$recall == 1 && is.null(search$budget), NA)
  table <- data.frame(
    metric = name, search = vapply(searches, `[[`, "", "label"), build = stats::median(building$times$build),
    first = ifelse(exactly, NA, first), threads = rep(1:2, each = length(searches)), runs = lengths(times),
    seconds = seconds, queries = length(own_rows), per_second = length(own_rows) / seconds,
    recall = vapply(found, share_found, 0, found[[1]]), row.names = NULL
  )
  print(table, digits = 3)
  table
}
all <- renew("rows", "metric", names(metrics), run)

# Published for another cover tree, in Python with Numba and in Rust (native), on its machine
# with 16 cores: RBF kernel, 1,024 queries by row number. Its search evaluated at most 96 points
# per query. Its recall was never published.
published <- data.frame(
  metric = "RBF", search = c("Python and Numba, natural order", "native, natural order", "native, Hilbert order"),
  build = c(16.10, 7.42, 4.20), threads = 16, seconds = c(0.05, 0.14, 0.21),
  per_second = c(21123, 7105, 4971)
)
utils::write.csv(published, csv_of("published"), row.names = FALSE)

two <- all[all$threads == 2, ]
one <- all[all$threads == 1, ]
write_table("rows", data.frame(
  metric = c(two$metric, published$metric),
  search = c(two$search, paste0("published elsewhere: ", published$search)),
  threads = c(two$threads, published$threads), `build, s` = figures(c(two$build, published$build)),
  `first call, s` = figures(c(two$first, rep(NA, nrow(published)))),
  `later calls, s` = figures(c(two$seconds, published$seconds)),
  `queries/s` = figures(c(two$per_second, published$per_second)),
  `queries/s, 1 thread` = figures(c(one$per_second, rep(NA, nrow(published)))),
  recall = c(shares(two$recall), rep("not published", nrow(published))), check.names = FALSE
), c(two$machine, rep(NA, nrow(published))))
