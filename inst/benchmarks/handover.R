# How much time does a search in another process take? The arrays of a tree (by residual
# correlation: the tree with V) are written to a file, read by another R process, checked, and
# searched there.
#
#   Rscript -e 'source(system.file("benchmarks/handover.R", package = "covertree"))'

source(system.file("benchmarks/gold_setup.R", package = "covertree"))

receive <- function(file) {
  read <- seconds_of(got <- readRDS(file))
  check <- seconds_of({
    arrived <<- if (inherits(got, "cover_tree")) got else covertree::cover_tree_from_arrays(got)
    length(arrived)
  })
  c(read, check)
}

search_there <- function(search, result) {
  run <- search_alone(search, arrived)
  if (result) run()[c("index", "distance")] else seconds_of(run())
}

start_worker <- function() {
  worker <- parallel::makePSOCKcluster(1)
  invisible(parallel::clusterCall(worker, .libPaths, .libPaths()))
  invisible(parallel::clusterEvalQ(worker, library(covertree)))
  parallel::clusterExport(worker, c("search_alone", "seconds_of", "k", "inside"))
  invisible(parallel::clusterCall(worker, covertree::covertree_threads, covertree_threads()))
  worker
}

# Returns the size of the file [MB] and the time of each step [ms].
hand_over <- function(worker, tree) {
  file <- tempfile(fileext = ".rds")
  on.exit(unlink(file))
  steps <- replicate(5, {
    export <- seconds_of(load <- if (is.null(tree$metric)) tree_arrays(tree) else tree)
    write <- seconds_of(saveRDS(load, file, compress = FALSE))
    c(export, write, parallel::clusterCall(worker, receive, file)[[1]])
  })
  steps <- 1000 * apply(steps, 1, stats::median)
  data.frame(megabytes = file.size(file) / 1e6, export = steps[1], write = steps[2], read = steps[3],
             check = steps[4])
}

# Searches all points in both processes in turn, in pairs, because the times differ little.
run <- function(name) {
  worker <- start_worker()
  on.exit(parallel::stopCluster(worker))
  tree <- build(name)
  sizes <- hand_over(worker, tree)
  search <- new_search("", recall = if (name == "Euclidean") 1 else 0.999)
  here <- search_alone(search, tree)
  exact <- search_alone(new_search(""), tree)()
  there <- parallel::clusterCall(worker, search_there, search, TRUE)[[1]]
  pairs <- max(bench_reps, min(41, ceiling(bench_seconds / 4 / seconds_of(here()))))
  times <- replicate(pairs, c(there = parallel::clusterCall(worker, search_there, search, FALSE)[[1]],
                              here = seconds_of(here())))
  cbind(metric = name, sizes, here = stats::median(times["here", ]), there = stats::median(times["there", ]),
        ratio = stats::median(times["there", ] / times["here", ]), recall = share_found(there, exact))
}

all <- renew("handover", "metric", names(metrics), run)
milliseconds <- function(value) sprintf("%.1f", value)
write_table("handover", data.frame(
  metric = all$metric, `file, MB` = figures(all$megabytes), `export, ms` = milliseconds(all$export),
  `write, ms` = milliseconds(all$write), `read, ms` = milliseconds(all$read),
  `check, ms` = milliseconds(all$check), `search here, s` = figures(all$here),
  `search there, s` = figures(all$there), `there / here` = sprintf("%.3f", all$ratio),
  recall = shares(all$recall), check.names = FALSE
), all$machine)
