# Searches by a distance function of the user: how many distances are evaluated, and how the time of
# build and search compares with the time that the function itself takes for them.
#
#   Rscript -e 'source(system.file("benchmarks/metric_function.R", package = "covertree"))'
#
# The 10 nearest neighbors of all objects, or all objects within a radius. "All pairs" evaluates every
# pair once (search = "scan").
# Words need the packages words and stringdist.

source(system.file("benchmarks/common.R", package = "covertree"))

euclidean <- function(n, d) {
  x <- matrix(stats::runif(size(n) * d), d)
  metric_function(function(i, js) sqrt(colSums((x[, js, drop = FALSE] - x[, i])^2)), ncol(x))
}

# Words of at least four letters.
levenshtein <- function(n) {
  words <- words::words$word
  words <- sample(words[nchar(words) > 3], size(n))
  metric_function(function(i, js) stringdist::stringdist(words[i], words[js], method = "lv", nthread = 1),
                  length(words))
}

# Leaves of a binary tree with 20 levels; the distance of two leaves is the height of their last common
# ancestor, which halves from each level to the next.
tree_heights <- function(n) {
  leaf <- sample(2^20, size(n)) - 1L
  metric_function(function(i, js) {
    differ <- bitwXor(leaf[i], leaf[js])
    ifelse(differ == 0, 0, 2^floor(log2(differ)))
  }, length(leaf))
}

# Each workload: the metric, the name of its function, and the radius of a radius search, if it is one.
workloads <- list(
  "points, 3 dimensions" = list(metric = function() euclidean(20000, 3), f = "Euclidean, base R"),
  "points, 8 dimensions" = list(metric = function() euclidean(20000, 8), f = "Euclidean, base R"),
  "leaves of a tree" = list(metric = function() tree_heights(20000), f = "height of the ancestor, base R"),
  "English words" = list(metric = function() levenshtein(20000), f = "Levenshtein, stringdist"),
  "English words, radius 1" = list(metric = function() levenshtein(20000), f = "Levenshtein, stringdist", radius = 1)
)
if (is.null(bench_only) && !(has("words") && has("stringdist"))) bench_only <- names(workloads)[1:3]

k <- 10

# A metric whose function adds to the counts of an environment.
counting <- function(metric, counts) {
  f <- metric$f
  metric_function(function(i, js) {
    counts$evaluations <- counts$evaluations + length(js)
    counts$seconds <- counts$seconds + seconds_of(value <- f(i, js))
    value
  }, metric$n)
}

run_radius <- function(metric, radius) {
  counts <- list2env(list(evaluations = 0, seconds = 0))
  n <- metric$n
  tree <- cover_tree(n, metric = counting(metric, counts))
  counts$evaluations <- counts$seconds <- 0
  search <- seconds_of(found <- radius_query(tree, radius = radius))
  result <- list(search = search, in_f = counts$seconds, share = counts$evaluations / n^2)
  result$all_pairs <- seconds_of(all <- radius_query(tree, radius = radius, control = knn_control(search = "scan")))
  stopifnot(identical(found, all))
  result
}

run_knn <- function(tree) {
  search <- seconds_of(found <- knn_query(tree, k = k, control = knn_control(stats = TRUE)))
  all_pairs <- seconds_of(all <- knn_query(tree, k = k, control = knn_control(search = "scan")))
  stopifnot(identical(found$index, all$index))
  stats <- knn_stats(found)
  list(search = search, in_f = stats$seconds[["f"]], share = stats$share, all_pairs = all_pairs)
}

run <- function(name) {
  set.seed(1)
  workload <- workloads[[name]]
  metric <- workload$metric()
  n <- metric$n
  seconds <- seconds_of(tree <- cover_tree(n, metric = metric))
  build <- summary(tree)$build
  found <- if (is.null(workload$radius)) run_knn(tree) else run_radius(metric, workload$radius)
  table <- data.frame(data = name, f = workload$f, n = n, build = seconds, build_share = build[["evaluations"]] / n^2,
                      build_in_f = build[["seconds"]], found)
  print(table, digits = 3)
  table
}
all <- renew("metric_function", "data", names(workloads), run)

percent <- function(share) paste0(figures(100 * share, 2), "%")
write_table("metric_function", data.frame(
  objects = sprintf("%s %s", format(all$n, big.mark = ",", trim = TRUE), all$data), `distance function` = all$f,
  `distances, build` = percent(all$build_share), `distances, search` = percent(all$share),
  `build, s` = figures(all$build), `search, s` = figures(all$search),
  `of both in the function, s` = figures(all$build_in_f + all$in_f), `all pairs, s` = figures(all$all_pairs),
  check.names = FALSE
), all$machine)
