# How long do seven common tasks take with covertree, and with the tool that is usually used for
# them? Cluster (in many columns and in few), embed, join, predict, weigh, impute: from R call to R
# result, on one thread. The lines of R in the table are the lines that are timed. Both sides get
# the same objects and run in turn. Tasks whose packages are not installed are left out.
#
#   Rscript -e 'source(system.file("benchmarks/tasks.R", package = "covertree"))'

source(system.file("benchmarks/common.R", package = "covertree"))

# Data: each function returns a list of the objects in the lines of a task --------------------

first_rows <- function(x) x[unique(round(seq(1, nrow(x), length.out = size(nrow(x))))), , drop = FALSE]

# Points of 50 groups with a normal distribution.
groups <- function(n, d) {
  centers <- matrix(stats::rnorm(50 * d, sd = 4), 50)
  list(x = centers[sample(50, n, replace = TRUE), ] + stats::rnorm(n * d))
}

# Positions of Argo profiles on a sphere [km].
argo_sphere <- function() {
  x <- first_rows(argo)
  lambda <- x$longitude * pi / 180
  phi <- x$latitude * pi / 180
  list(x = 6371 * cbind(cos(phi) * cos(lambda), cos(phi) * sin(lambda), sin(phi)))
}

argo_points <- function(rows = TRUE) {
  sf::st_as_sf(first_rows(argo)[rows, ], coords = c("longitude", "latitude"), crs = 4326)
}

# The profiles of February and of January.
argo_months <- function() {
  month <- findInterval(first_rows(argo)$time, c(0, 31, 60))
  list(february = argo_points(month == 2), january = argo_points(month == 1))
}

# A sample of `diamonds`.
some_diamonds <- function(n) {
  x <- as.data.frame(ggplot2::diamonds)
  x[sample(nrow(x), size(n)), ]
}

scaled <- function(x) unname(scale(as.matrix(x[vapply(x, is.numeric, NA)])))

diamonds_scaled <- function() list(x = scaled(some_diamonds(20000)))

# Half of the rows are for training. Two classes and an odd k give no equal votes.
diamonds_halves <- function() {
  all <- some_diamonds(50000)
  half <- seq_len(nrow(all) %/% 2)
  x <- scaled(all)
  list(train = x[half, ], y = factor(all$cut[half] == "Ideal"), test = x[-half, ])
}

# 5% of the prices are missing. VIM treats ordered factors otherwise than covertree.
diamonds_holes <- function() {
  x <- some_diamonds(10000)
  ranked <- vapply(x, is.ordered, NA)
  x[ranked] <- lapply(x[ranked], factor, ordered = FALSE)
  x$price <- as.numeric(x$price)
  x$price[sample(nrow(x), nrow(x) %/% 20)] <- NA
  list(x = x)
}

# Agreement: each function returns the share of equal answers ------------------------------------

same_clusters <- function(ours, peer, data) mean(ours$cluster == peer$cluster)

# The share of the true neighbors that uwot finds by itself.
uwot_recall <- function(ours, peer, data) {
  own <- uwot::umap(data$x, n_epochs = 0, init = "rand", ret_nn = TRUE)$nn[[1]]$idx
  recall(data$x, drop_self(own))
}

# Two rows of y may be equally near, so the share of the rows of x that get a row of y at the same place.
same_places <- function(ours, peer, data) {
  place <- function(joined) {
    key <- paste(data$january$time, data$january$temperature_100)
    match(paste(joined$time.y, joined$temperature_100.y), key)
  }
  at <- sf::st_coordinates(data$january)
  mean(rowSums(at[place(ours), ] == at[place(peer), ]) == 2)
}

same_values <- function(ours, peer, data) mean(as.character(ours) == as.character(peer))

same_neighbors <- function(ours, peer, data) {
  pairs <- function(list) unlist(Map(function(i, j) i + j * 2^31, seq_along(list), list))
  mean(pairs(peer) %in% pairs(ours))
}

same_prices <- function(ours, peer, data) {
  hole <- is.na(data$x$price)
  mean(ours$price[hole] == peer$price[hole])
}

# Tasks ------------------------------------------------------------------------------------------

tasks <- list(
  cluster = list(
    what = "20,000 points in 16 columns by density", packages = "dbscan", data = function() groups(size(20000), 16),
    ours = 'dbscan::dbscan(as_neighbors(radius_query(cover_tree(x), radius = 4), "dbscan"), minPts = 5)',
    peers = c("dbscan::dbscan" = "dbscan::dbscan(x, eps = 4, minPts = 5)"), agreement = same_clusters
  ),
  embed = list(
    what = "20,000 diamonds in two dimensions", packages = c("uwot", "ggplot2"), data = diamonds_scaled,
    ours = 'uwot::umap(x, nn_method = as_neighbors(knn_query(cover_tree(x), k = 14), "uwot"))',
    peers = c("uwot::umap" = "uwot::umap(x)"), agreement = uwot_recall
  ),
  join = list(
    what = "profiles of February with the nearest of January", packages = "sf", data = argo_months,
    ours = "knn_join(february, january)",
    peers = c("sf::st_join" = "sf::st_join(february, january, join = sf::st_nearest_feature)"),
    agreement = same_places
  ),
  predict = list(
    what = "25,000 diamonds: ideal cut or not, from 25,000 others", packages = c("class", "FNN", "ggplot2"),
    data = diamonds_halves,
    ours = "knn_predict(train, y, test, k = 7)",
    peers = c("class::knn" = "class::knn(train, test, y, k = 7)", "FNN::knn" = "FNN::knn(train, test, y, k = 7)"),
    agreement = same_values
  ),
  weigh = list(
    what = "neighbors of 32,436 positions for spatial weights", packages = c("spdep", "sf"),
    data = function() list(x = argo_points()),
    ours = 'as_neighbors(knn_query(cover_tree(x), k = 8), "spdep")',
    peers = c("spdep::knearneigh" = "spdep::knn2nb(spdep::knearneigh(x, k = 8))"), agreement = same_neighbors
  ),
  impute = list(
    what = "500 prices of 10,000 diamonds", packages = c("VIM", "ggplot2"), data = diamonds_holes,
    ours = "knn_impute(x, k = 5)",
    peers = c("VIM::kNN" = "VIM::kNN(x, k = 5, imp_var = FALSE)"), agreement = same_prices
  ),
  # In few columns the search takes little time on both sides, and lists of neighbors cost more.
  `cluster, few columns` = list(
    what = "32,436 positions by density", packages = "dbscan", data = argo_sphere,
    ours = 'dbscan::dbscan(as_neighbors(radius_query(cover_tree(x), radius = 100), "dbscan"), minPts = 5)',
    peers = c("dbscan::dbscan" = "dbscan::dbscan(x, eps = 100, minPts = 5)"), agreement = same_clusters
  )
)

# Returns a function that evaluates a line of R with the objects in `data`.
evaluate <- function(line, data) {
  code <- parse(text = line)
  where <- list2env(data, parent = globalenv())
  function() suppressWarnings(suppressMessages(eval(code, where)))
}

run <- function(name) {
  task <- tasks[[name]]
  set.seed(42)
  data <- task$data()
  threads <- covertree_threads(1)
  on.exit(covertree_threads(threads))
  lines <- c(covertree = task$ours, task$peers)
  measured <- interleave(lapply(lines, evaluate, data = data))
  agreement <- vapply(measured$results[-1], task$agreement, 0, ours = measured$results[[1]], data = data)
  table <- data.frame(
    task = name, what = task$what, side = names(lines), line = lines, runs = lengths(measured$times),
    version = vapply(sub("::.*", "", names(lines)), version_of, ""),
    seconds = vapply(measured$times, stats::median, 0), agreement = c(NA, agreement), row.names = NULL
  )
  print(table[c("task", "side", "runs", "seconds", "agreement")], digits = 3)
  table
}

able <- Filter(function(name) all(vapply(tasks[[name]]$packages, has, NA)), names(tasks))
bench_only <- intersect(workloads_to_measure("tasks", names(tasks)), able)
all <- renew("tasks", "task", names(tasks), run)

# Returns the row of a task in the table.
summarize <- function(name) {
  rows <- all[all$task == name, ]
  peers <- rows[rows$side != "covertree", ]
  data.frame(
    task = sprintf("**%s** %s", name, rows$what[1]), `one line of R` = sprintf("`%s`", rows$line[1]),
    `covertree, s` = figures(rows$seconds[1]),
    `usual tool, s` = toString(sprintf("%s %s", peers$side, figures(peers$seconds))),
    agreement = toString(shares(peers$agreement)), check.names = FALSE
  )
}
names_measured <- unique(all$task)
write_table("tasks", do.call(rbind, lapply(names_measured, summarize)), all$machine[match(names_measured, all$task)])
cat(readLines(file.path(bench_dir, "tasks.md")), sep = "\n")
