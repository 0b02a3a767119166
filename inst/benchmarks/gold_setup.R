# The gold data set and the searches over it, for gold.R, rows.R and handover.R: 32,768 points
# of a 3-D normal distribution, 50 neighbors, three metrics.

source(system.file("benchmarks/common.R", package = "covertree"))

k <- 50
set.seed(42)
x <- matrix(stats::rnorm(3 * size(32768)), ncol = 3)
other_points <- matrix(stats::rnorm(3 * size(1024)), ncol = 3)
own_rows <- sort(sample.int(nrow(x), size(1024)))
metrics <- list(
  Euclidean = "euclidean",
  "Matern-5/2" = residual_correlation(kernel_matern52(lengthscale = 1), size(512)),
  RBF = residual_correlation(kernel_rbf(lengthscale = 1), size(512))
)

# A search: one row of a table. `once`: too slow to be timed more than once.
new_search <- function(label, layout = "hilbert", recall = 1, budget = NULL, search = "auto",
                       block_size = NULL, once = FALSE) {
  list(label = label, layout = layout, recall = recall, budget = budget, search = search,
       block_size = block_size, once = once)
}

recall_searches <- list(new_search("recall 0.99", recall = 0.99), new_search("recall 0.999", recall = 0.999))

build <- function(metric, layout = "hilbert") cover_tree(x, metric = metrics[[metric]], layout = layout)

# The search as a user calls it.
ask <- function(search, tree, query = NULL, rows = NULL, stats = FALSE, threads = NULL) {
  knn_query(tree, query = query, rows = rows, k = k, recall = search$recall, budget = search$budget,
            threads = threads,
            control = knn_control(search = search$search, block_size = search$block_size, stats = stats))
}

inside <- asNamespace("covertree")

# The search without the sample of queries that knn_query() also answers exactly, to choose its
# effort or to measure its recall: a function without arguments. The effort is the one that
# knn_query() chooses for all points of the tree.
search_alone <- function(search, tree, query = NULL, rows = NULL, threads = NULL) {
  options <- inside$search_options(threads = threads, budget = search$budget,
                                   control = knn_control(search = search$search, block_size = search$block_size))
  open <- function(query) inside$search_for(tree, query, k, options)
  if (!is.null(search$budget)) return(function() open(query)$within(rows))
  choice <- if (search$recall < 1) inside$choose_effort(open(NULL), c(mean = search$recall, worst = 0), 1L)
  if (is.null(choice) || is.na(choice$effort)) return(function() open(query)$exact(rows))
  function() open(query)$attempt(rows, choice$effort, choice$few)
}
