# Builds and searches a forest of more points than the process is permitted to hold.
#
#   (ulimit -v 1500000; Rscript -e 'source(system.file("benchmarks/shards_large.R", package = "covertree"))')
#
# The limit is the address space of each process [KiB]. With the default options, 20 million points in
# three dimensions, their coordinates alone take 480 MB, and one tree with its copy for searches needs
# more than the limit. Each process keeps at most two of the 8 shards.
#
#   options(covertree.bench.scale = 0.1)      share of the points
#   options(covertree.bench.daemons = 2)      search by so many daemons of mirai, which inherit the limit
#   options(covertree.bench.path = "/data")   directory for the files of the shards

library(covertree)

n <- getOption("covertree.bench.scale", 1) * 2e7
chunks <- 40
chunk <- function(i) {
  if (i > chunks) return(NULL)
  set.seed(i)
  matrix(stats::runif(n / chunks * 3), ncol = 3)
}
daemons <- getOption("covertree.bench.daemons", 0)
if (daemons > 0) {
  mirai::daemons(url = mirai::local_url(tcp = TRUE))
  mirai::launch_local(daemons)
}
peak <- function() {
  status <- tryCatch(readLines("/proc/self/status"), error = function(e) "VmHWM: NA kB")
  as.numeric(gsub("[^0-9]", "", grep("^VmHWM", status, value = TRUE))) / 1024
}
say <- function(...) cat(sprintf(...), "\n", sep = "")

seconds <- system.time(forest <- cover_forest(chunk, shards = 8, max_open = 2,
                                              path = getOption("covertree.bench.path")))[["elapsed"]]
print(forest)
say("built in %.1f s; peak of this process %.0f MiB", seconds, peak())
set.seed(0)
query <- matrix(stats::runif(3e5), ncol = 3)
for (time in 1:2) {
  seconds <- system.time(found <- knn_query(forest, query, k = 10))[["elapsed"]]
  say("%d queries in %.1f s; peak of this process %.0f MiB", nrow(query), seconds, peak())
}

# The distances of a few queries, by a scan of all chunks.
some <- round(seq(1, nrow(query), length.out = 20))
nearest <- matrix(Inf, length(some), 10)
for (i in seq_len(chunks)) {
  x <- chunk(i)
  for (j in seq_along(some)) {
    q <- query[some[j], ]
    distance <- sqrt((x[, 1] - q[1])^2 + (x[, 2] - q[2])^2 + (x[, 3] - q[3])^2)
    nearest[j, ] <- sort(c(nearest[j, ], distance))[1:10]
  }
}
stopifnot(identical(nearest, found$distance[some, ]))
say("the distances of %d queries are those of a scan of all points", length(some))
one <- tryCatch({
  cover_tree(do.call(rbind, lapply(seq_len(chunks), chunk)))
  "one tree of all points can be built within the limit, too"
}, error = function(e) paste("one tree of all points cannot be built:", conditionMessage(e)))
say("%s", one)
