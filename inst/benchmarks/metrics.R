# How fast are searches by other metrics than Euclidean distance, compared with Euclidean distance
# and with what other packages offer for the same metric? All sides of a workload run in turn.
#
#   Rscript -e 'source(system.file("benchmarks/metrics.R", package = "covertree"))'
#
# Workloads of covertree alone (`queries`) time the queries of a tree that exists. The others time
# index and queries, from R call to R result. The 10 nearest neighbors of every point, unless a workload
# says otherwise. Sides and workloads whose packages are not installed are left out.

source(system.file("benchmarks/common.R", package = "covertree"))

k <- 10
all_threads <- parallel::detectCores()

normal <- function(n, d) function() matrix(stats::rnorm(size(n) * d), ncol = d)
uniform <- function(n, d) function() matrix(stats::runif(size(n) * d), ncol = d)

# Points with a uniform distribution on the Earth [degrees].
globe <- function(n) function() {
  n <- size(n)
  cbind(longitude = stats::runif(n, -180, 180), latitude = asin(stats::runif(n, -1, 1)) * 180 / pi)
}

# Zeros and ones; 5% to 35% of a column are ones.
binary <- function(n, d) function() {
  n <- size(n)
  1 * (matrix(stats::runif(n * d), n) < rep(stats::runif(d, 0, 0.3) + 0.05, each = n))
}

# Four numeric columns, of different distributions, and four factors with 2 to 8 levels.
mixed <- function(n) function() {
  n <- size(n)
  group <- function(levels) factor(sample(letters[seq_len(levels)], n, replace = TRUE, prob = 1 / seq_len(levels)))
  data.frame(a = stats::rnorm(n), b = stats::rexp(n), c = stats::rlnorm(n), d = stats::runif(n),
             e = group(2), f = group(3), g = group(5), h = group(8))
}

# The factors of `diamonds` are ordered, which gower::gower_topn() does not consider.
diamonds <- function(n, columns) function() {
  x <- as.data.frame(ggplot2::diamonds)[sample(53940, size(n)), columns]
  ranked <- vapply(x, is.ordered, NA)
  x[ranked] <- lapply(x[ranked], factor, ordered = FALSE)
  x
}

english <- function(n) function() {
  words <- words::words$word
  sample(words[nchar(words) > 3], size(n))
}

# Definitions, for the recall: the distances of all rows of x from row i, in plain R ---------------

by_norm <- function(add) function(x, i) {
  sum <- 0
  for (j in seq_len(ncol(x))) sum <- add(sum, abs(x[, j] - x[i, j]))
  sum
}

by_cosine <- function(x, i) 1 - drop(x %*% x[i, ]) / sqrt(rowSums(x^2) * sum(x[i, ]^2))

# The haversine formula [radians].
by_haversine <- function(x, i) {
  x <- x * pi / 180
  h <- sin((x[, 2] - x[i, 2]) / 2)^2 + cos(x[, 2]) * cos(x[i, 2]) * sin((x[, 1] - x[i, 1]) / 2)^2
  2 * asin(pmin(sqrt(h), 1))
}

by_gower <- function(x, i) {
  gaps <- lapply(x, function(column) {
    if (is.factor(column)) as.numeric(column != column[i]) else abs(column - column[i]) / diff(range(column))
  })
  Reduce(`+`, gaps) / ncol(x)
}

by_nearest_image <- function(x, i) {
  gaps <- abs(x - rep(x[i, ], each = nrow(x)))
  sqrt(rowSums(pmin(gaps, 1 - gaps)^2))
}

by_jaccard <- function(x, i) {
  either <- rowSums(x | rep(x[i, ], each = nrow(x)))
  ifelse(either == 0, 0, rowSums(x != rep(x[i, ], each = nrow(x))) / either)
}

by_letters <- function(x, i) drop(utils::adist(x[i], x))

# Returns the recall of `index` for a sample of the points. A neighbor counts if it is not farther than
# the k-th nearest by the definition, up to rounding.
measured_recall <- function(index, x, work, sample = 100) {
  if (is.list(index)) return(measured_radius_recall(index, x, work, sample))
  rows <- spread_rows(nrow(index), sample)
  hits <- vapply(rows, function(i) {
    distance <- work$definition(x, i)
    distance[i] <- Inf
    sum(distance[unique(index[i, ])] <= sort(distance, partial = k)[k] * (1 + 1e-9) + 1e-15)
  }, 0)
  sum(hits) / (length(rows) * k)
}

measured_radius_recall <- function(index, x, work, sample) {
  counts <- vapply(spread_rows(length(index), sample), function(i) {
    true <- setdiff(which(work$definition(x, i) <= work$radius), i)
    c(sum(true %in% index[[i]]), length(true))
  }, numeric(2))
  sum(counts[1, ]) / sum(counts[2, ])
}

# Sides: functions without arguments that do the work once and return the index of the neighbors. ---

# Index and queries by covertree, on one thread and on all.
ours <- function(x, metric, label = "covertree") {
  search <- function(threads) {
    force(threads)
    function() knn_query(cover_tree(x, metric, threads = threads), k = k, threads = threads)$index
  }
  stats::setNames(list(search(1), search(all_threads)),
                  sprintf("%s, %d thread%s", label, c(1, all_threads), c("", "s")))
}

# The queries of trees over x by several metrics, on one thread.
queries_by <- function(x, metrics) {
  lapply(metrics, function(metric) {
    tree <- cover_tree(x, metric)
    function() knn_query(tree, k = k, threads = 1)$index
  })
}

norms <- list(Euclidean = "euclidean", Manhattan = "manhattan", maximum = "maximum")
powers <- list(Euclidean = "euclidean", `Minkowski, p = 1.5` = metric_minkowski(1.5),
               `Minkowski, p = 3` = metric_minkowski(3))

bioc <- function(x, distance) {
  find <- function(param) function() BiocNeighbors::findKNN(x, k = k, BNPARAM = param)$index
  list("BiocNeighbors, KMKNN" = find(BiocNeighbors::KmknnParam(distance = distance)),
       "BiocNeighbors, VP-tree" = find(BiocNeighbors::VptreeParam(distance = distance)))
}

on_sphere <- function(degrees) {
  a <- degrees * pi / 180
  cbind(cos(a[, 2]) * cos(a[, 1]), cos(a[, 2]) * sin(a[, 1]), sin(a[, 2]))
}

cosine_peers <- function(x) {
  approximate <- function(ef) {
    force(ef)
    function() RcppHNSW::hnsw_knn(x, k = k + 1, distance = "cosine", ef = ef, n_threads = 1)$idx
  }
  c(if (has("BiocNeighbors")) bioc(x, "Cosine"),
    if (has("RcppHNSW")) list("RcppHNSW, ef 20 (approximate)" = approximate(20),
                              "RcppHNSW, ef 200 (approximate)" = approximate(200)))
}

# RANN finds neighbors by chords; the arcs are computed from them.
sphere_peers <- function(x) {
  c(if (has("RANN")) list(RANN = function() {
      found <- RANN::nn2(on_sphere(x), k = k + 1)
      found$nn.dists <- 2 * 6371.0088 * asin(found$nn.dists / 2)
      found$nn.idx
    }),
    if (has("s2")) list(s2 = function() {
      points <- s2::s2_lnglat(x[, 1], x[, 2])
      found <- s2::s2_closest_edges(points, points, k = k + 1)
      matrix(unlist(found), ncol = k + 1, byrow = TRUE)
    }))
}

order_all_pairs <- function(x, method) {
  function() {
    all <- as.matrix(stats::dist(x, method))
    diag(all) <- Inf
    t(apply(all, 1, function(distance) order(distance)[1:k]))
  }
}

# The distance function of words. stringdist compares all pairs of a row at once.
edit_distance <- function(words) {
  metric_function(function(i, js) stringdist::stringdist(words[i], words[js], method = "lv", nthread = 1),
                  length(words), tolerance = 0)
}

compare_all_words <- function(words, pick) {
  lapply(seq_along(words), function(i) {
    distance <- stringdist::stringdist(words[i], words, method = "lv", nthread = 1)
    distance[i] <- Inf
    pick(distance)
  })
}

# Each workload: data, definition of the distance, sides, and the packages that it needs. Ratios refer to
# the side `reference`, or to the first one. Without `threads`, the names of the sides state the threads,
# or a side has one.
by_power <- function(p) by_norm(function(sum, gap) sum + gap^p)
norm_workload <- function(text, data, metrics) {
  list(text = text, data = data, queries = TRUE, sides = function(x) queries_by(x, metrics),
       definition_of = list(Euclidean = by_power(2), Manhattan = by_norm(`+`), maximum = by_norm(pmax),
                            `Minkowski, p = 1.5` = by_power(1.5), `Minkowski, p = 3` = by_power(3)))
}

gower_workload <- function(text, data, needs) {
  list(text = text, data = data, definition = by_gower, reference = 2, needs = needs,
       threads = c(1, all_threads, all_threads),
       sides = function(x) c(ours(x, metric_gower()), list(gower = function() {
         t(gower::gower_topn(x, x, n = k + 1, nthread = all_threads)$index)
       })))
}

workloads <- list(
  norms_d3 = norm_workload("norms, n 100,000, d 3 uniform", uniform(1e5, 3), norms),
  norms_d8 = norm_workload("norms, n 50,000, d 8 normal", normal(5e4, 8), norms),
  norms_d32 = norm_workload("norms, n 20,000, d 32 normal", normal(2e4, 32), norms),
  powers_d3 = norm_workload("powers, n 20,000, d 3 uniform", uniform(2e4, 3), powers),
  powers_d8 = norm_workload("powers, n 10,000, d 8 normal", normal(1e4, 8), powers),
  manhattan_d3 = list(
    text = "Manhattan, n 50,000, d 3 uniform", data = uniform(5e4, 3), definition = by_norm(`+`),
    sides = function(x) c(ours(x, "manhattan"), if (has("BiocNeighbors")) bioc(x, "Manhattan"))
  ),
  manhattan_d8 = list(
    text = "Manhattan, n 20,000, d 8 normal", data = normal(2e4, 8), definition = by_norm(`+`),
    sides = function(x) c(ours(x, "manhattan"), if (has("BiocNeighbors")) bioc(x, "Manhattan"))
  ),
  torus_d3 = list(
    text = "periodic, n 100,000, d 3 uniform", data = uniform(1e5, 3), queries = TRUE,
    definition_of = list(Euclidean = by_power(2), periodic = by_nearest_image),
    sides = function(x) queries_by(x, list(Euclidean = "euclidean", periodic = metric_periodic(1)))
  ),
  jaccard = list(
    text = "Jaccard, n 5,000, 64 columns of zeros and ones", data = binary(5000, 64), definition = by_jaccard,
    sides = function(x) c(ours(x, "jaccard"), list("stats, dist() and order()" = order_all_pairs(x, "binary")))
  ),
  directions = list(
    text = "cosine, n 50,000, d 8 normal", data = normal(5e4, 8), definition = by_cosine, queries = TRUE,
    sides = function(x) c(queries_by(x / sqrt(rowSums(x^2)), list("Euclidean, unit rows" = "euclidean")),
                          queries_by(x, list(cosine = "cosine", angular = "angular")))
  ),
  cosine = list(
    text = "cosine, n 20,000, d 8 normal", data = normal(2e4, 8), definition = by_cosine,
    sides = function(x) c(ours(x, "cosine"), cosine_peers(x))
  ),
  sphere = list(
    text = "great circle, n 100,000 on the globe", data = globe(1e5), definition = by_haversine, queries = TRUE,
    sides = function(x) c(queries_by(on_sphere(x), list("Euclidean, xyz" = "euclidean")),
                          queries_by(x, list("great circle" = metric_great_circle())))
  ),
  great_circle = list(
    text = "great circle, n 100,000 on the globe", data = globe(1e5), definition = by_haversine,
    sides = function(x) c(ours(x, metric_great_circle()), sphere_peers(x))
  ),
  great_circle_small = list(
    text = "great circle, n 5,000 on the globe", data = globe(5000), definition = by_haversine, needs = "spdep",
    sides = function(x) c(ours(x, metric_great_circle()), list(
      "spdep, longlat" = function() spdep::knearneigh(x, k = k, longlat = TRUE)$nn
    ))
  ),
  gower = gower_workload("Gower, n 30,000, 4 numeric columns and 4 factors", mixed(30000), "gower"),
  diamonds = gower_workload(
    "Gower, 10,000 diamonds, 5 numeric columns and 3 factors",
    diamonds(10000, c("carat", "depth", "table", "price", "x", "cut", "color", "clarity")), c("gower", "ggplot2")
  ),
  words = list(
    text = "Levenshtein, 5,000 English words", data = english(5000), definition = by_letters,
    needs = c("words", "stringdist"),
    sides = function(x) list(
      "covertree, stringdist" = function() knn_query(cover_tree(x, edit_distance(x)), k = k)$index,
      "stringdist, all pairs" = function() {
        do.call(rbind, compare_all_words(x, function(distance) order(distance)[1:k]))
      }
    )
  ),
  words_radius = list(
    text = "Levenshtein, 5,000 English words, all within 1", data = english(5000), definition = by_letters,
    radius = 1, needs = c("words", "stringdist"),
    sides = function(x) list(
      "covertree, stringdist" = function() radius_query(cover_tree(x, edit_distance(x)), radius = 1)$index,
      "stringdist, all pairs" = function() compare_all_words(x, function(distance) which(distance <= 1))
    )
  )
)

lacking <- Filter(length, lapply(workloads, function(work) Filter(Negate(has), work$needs)))
for (name in names(lacking)) {
  cat(sprintf("metrics: %s is left out: not installed: %s\n", name, toString(lacking[[name]])))
}
peers <- c("BiocNeighbors", "RANN", "RcppHNSW", "ggplot2", "gower", "s2", "spdep", "stringdist", "words")
cat(sprintf("metrics: peers and data: %s\n", toString(paste(
  peers, vapply(peers, function(package) if (has(package)) version_of(package) else "(not installed)", "")))))

# Peers return k neighbors, or k + 1 with the point among them; removing it is not timed.
without_self <- function(index) if (is.matrix(index) && ncol(index) > k) drop_self(index) else index

recall_of_side <- function(side, index, x, work) {
  if (!is.null(work$definition_of)) work$definition <- work$definition_of[[side]]
  measured_recall(without_self(index), x, work)
}

threads_of <- function(sides, work) {
  if (!is.null(work$threads)) return(work$threads)
  stated <- regmatches(sides, regexec(", ([0-9]+) threads?$", sides))
  vapply(stated, function(part) if (length(part) > 0) as.numeric(part[2]) else 1, 0)
}

version_of_side <- function(side, work) {
  package <- sub(",.*", "", side)
  if (isTRUE(work$queries) || package == "covertree") version_of("covertree") else version_of(package)
}

run <- function(name) {
  work <- workloads[[name]]
  set.seed(42)
  x <- work$data()
  sides <- work$sides(x)
  measured <- interleave(sides)
  n <- if (is.null(dim(x))) length(x) else nrow(x)
  seconds <- vapply(measured$times, stats::median, 0)
  table <- data.frame(
    workload = name, text = work$text, what = if (isTRUE(work$queries)) "queries" else "index and queries",
    side = names(sides), version = vapply(names(sides), version_of_side, "", work = work),
    threads = threads_of(names(sides), work), runs = lengths(measured$times), median = seconds,
    min = vapply(measured$times, min, 0), max = vapply(measured$times, max, 0), per_second = n / seconds,
    recall = mapply(recall_of_side, names(sides), measured$results, MoreArgs = list(x = x, work = work)),
    reference = seconds[if (is.null(work$reference)) 1 else work$reference], row.names = NULL
  )
  table$ratio <- table$median / table$reference
  print(table[c("workload", "side", "runs", "median", "min", "max", "recall", "ratio")], digits = 3)
  table
}

bench_only <- setdiff(if (is.null(bench_only)) names(workloads) else bench_only, names(lacking))
all <- renew("metrics", "workload", names(workloads), run)

# One row for each side. The text of a workload stands in its first row only.
again <- duplicated(all$workload)
write_table("metrics", data.frame(
  `metric and data` = ifelse(again, "", paste0(all$text, ifelse(all$what == "queries", ", queries only", ""))),
  `package or metric` = sub(", [0-9]+ threads?$", "", all$side), threads = all$threads, `time, s` = figures(all$median),
  runs = all$runs,
  `shortest to longest, s` = ifelse(all$runs > 1, paste(figures(all$min, 2), "to", figures(all$max, 2)), "-"),
  `queries/s` = figures(all$per_second), ratio = figures(all$ratio, 2), recall = shares(all$recall),
  check.names = FALSE
), all$machine)
