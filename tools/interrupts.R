# Measures how long functions take to respond to an interrupt: Rscript tools/interrupts.R [cases],
# where `cases` is a list of numbers such as 1,3. Each case runs once without an interrupt, then
# again with an interrupt after 5, 25, 50 and 80% of this time. Prints the longest time between an
# interrupt and the response [s].
library(covertree)

set.seed(1)
large <- matrix(runif(2.1e6), ncol = 3)
wide <- matrix(rnorm(5e4 * 24), ncol = 24)
plane <- matrix(runif(6e4), ncol = 2)
matern <- function(m) residual_correlation(kernel_matern52(lengthscale = 0.1), inducing = m)
tree <- cover_tree(large)
wide_tree <- cover_tree(wide)
plane_tree <- cover_tree(plane)
residual_tree <- cover_tree(plane, metric = matern(200))
knn <- knn_query(tree, k = 10)
saved <- serialize(tree, NULL)

cases <- list(
  "factor of 3,000 inducing points" = function() cover_tree(plane[1:3200, ], metric = matern(plane[1:3000, ])),
  "V of 1,000 inducing points" = function() cover_tree(plane[1:10000, ], metric = matern(plane[1:1000, ])),
  "inducing points among many" = function() cover_tree(large, metric = matern(20)),
  "build" = function() cover_tree(large),
  "build, 24 columns" = function() cover_tree(wide),
  "knn_query" = function() knn_query(tree, k = 30),
  "knn_query, 24 columns" = function() knn_query(wide_tree, k = 30),
  "predecessors" = function() knn_query(tree, k = 30, predecessor = TRUE),
  "budget" = function() knn_query(tree, k = 30, budget = 200),
  "radius_query" = function() radius_query(tree, radius = 0.02),
  "residual, exact" = function() knn_query(residual_tree, k = 30),
  "residual, recall 0.999" = function() knn_query(residual_tree, k = 30, recall = 0.999, control = list(seed = sample(1e6, 1))),
  "recall_of, Euclidean" = function() recall_of(tree, knn, sample = 5000),
  "recall_of, residual" = function() recall_of(residual_tree, knn$index[1:30000, ] %% 30000 + 1, sample = 5000),
  "as.data.frame" = function() as.data.frame(knn),
  "order_maximin" = function() order_maximin(large),
  "order_maximin, 24 columns" = function() order_maximin(wide),
  "vecchia_neighbors" = function() vecchia_neighbors(large, m = 20),
  "validate_tree" = function() validate_tree(tree),
  "first use of a saved tree" = function() knn_query(unserialize(saved), large[1:2, ], k = 1)
)
chosen <- commandArgs(TRUE)
if (length(chosen) > 0) cases <- cases[as.integer(strsplit(chosen[1], ",")[[1]])]

wait_for <- function(case, after) {
  file <- tempfile()
  system(sprintf("(sleep %.3f; date +%%s.%%N >%s; kill -INT %d)", after, file, Sys.getpid()), wait = FALSE)
  ended <- tryCatch({
    case()
    NA
  }, interrupt = function(condition) as.numeric(Sys.time()))
  # If the case has ended first, wait for the interrupt, so that it does not reach the next case.
  if (is.na(ended)) tryCatch(Sys.sleep(after / 2 + 1), interrupt = function(condition) NULL)
  ended - as.numeric(readLines(file))
}

for (name in names(cases)) {
  whole <- system.time(cases[[name]]())[["elapsed"]]
  shares <- c(0.05, 0.25, 0.5, 0.8)
  waits <- vapply(shares * whole, function(after) wait_for(cases[[name]], after), 0)
  cat(sprintf("%-34s %7.2f s, longest wait %.2f s\n", name, whole, max(waits, na.rm = TRUE)))
}
