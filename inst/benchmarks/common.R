# What the benchmarks share: timing both sides in turn, recall, tables, the machine.
# results/ beside this file holds what they wrote last; `make bench` renews it.
#
# Set before sourcing a script, if the defaults do not suit:
#   options(covertree.bench.reps = 5)      timed runs of each side, at most
#   options(covertree.bench.seconds = 60)  time after which no further run of a
#                                          workload is begun
#   options(covertree.bench.dir = ".")     where results are written
#   options(covertree.bench.only = "d8")   workloads, by name (all if not set)

library(covertree)

bench_reps <- getOption("covertree.bench.reps", 5)
bench_seconds <- getOption("covertree.bench.seconds", 60)
bench_dir <- getOption("covertree.bench.dir", ".")
bench_only <- getOption("covertree.bench.only")

has <- function(package) requireNamespace(package, quietly = TRUE)

version_of <- function(package) as.character(utils::packageVersion(package))

# Runs the sides in turn, A B C A B C ..., after one untimed run of the fast
# ones; returns a data frame of seconds, and each side's last result.
interleave <- function(sides, reps = bench_reps, seconds = bench_seconds) {
  times <- lapply(sides, function(side) numeric())
  results <- lapply(sides, function(side) NULL)
  start <- proc.time()[["elapsed"]]
  for (rep in seq_len(reps)) {
    for (name in names(sides)) {
      gc(FALSE)
      took <- system.time(result <- sides[[name]](), gcFirst = FALSE)[["elapsed"]]
      times[[name]] <- c(times[[name]], took)
      results[name] <- list(result)
    }
    if (proc.time()[["elapsed"]] - start > seconds) break
  }
  list(times = times, results = results)
}

# The share of the neighbours that belong to the k nearest, for a sample of the
# queries: their distances are taken anew and compared with the k-th smallest of
# all. `self` leaves out the query's own row. Any k nearest will do among ties.
recall <- function(x, index, query = NULL, sample = 200) {
  m <- if (is.null(query)) nrow(x) else nrow(query)
  k <- ncol(index)
  rows <- unique(round(seq(1, m, length.out = min(sample, m))))
  hits <- vapply(rows, function(i) {
    q <- if (is.null(query)) x[i, ] else query[i, ]
    squared <- 0
    for (j in seq_len(ncol(x))) squared <- squared + (x[, j] - q[j])^2
    if (is.null(query)) squared[i] <- Inf
    kth <- sort(squared, partial = k)[k]
    found <- unique(index[i, ])
    sum(squared[found] <= kth)
  }, 0)
  sum(hits) / (length(rows) * k)
}

# A peer's k + 1 neighbours of its own points, the point itself among them, as
# ours: without it. Where duplicates crowded it out, without the last.
drop_self <- function(index) {
  k <- ncol(index) - 1
  place <- max.col(index == row(index), "first")
  place[index[cbind(seq_along(place), place)] != seq_along(place)] <- k + 1
  t(vapply(seq_along(place), function(i) index[i, -place[i]], integer(k)))
}

machine <- function() {
  cpu <- tryCatch({
    line <- grep("model name", readLines("/proc/cpuinfo"), value = TRUE)[1]
    trimws(sub(".*:", "", line))
  }, error = function(e) Sys.info()[["machine"]], warning = function(w) Sys.info()[["machine"]])
  info <- covertree_info()
  sprintf("%s, %d processors; %s; covertree %s, %s; %s", cpu, parallel::detectCores(),
          R.version.string, info$version, info$simd, format(Sys.Date()))
}

markdown <- function(table) {
  line <- function(cells) paste0("| ", paste(cells, collapse = " | "), " |")
  cells <- vapply(table, function(column) format(column, trim = TRUE), character(nrow(table)))
  cells <- matrix(cells, nrow(table))
  c(line(names(table)), line(rep("---", ncol(table))), apply(cells, 1, line))
}

write_results <- function(name, table, shown) {
  csv <- file.path(bench_dir, paste0(name, ".csv"))
  utils::write.csv(table, csv, row.names = FALSE)
  writeLines(c(markdown(shown), "", machine()), file.path(bench_dir, paste0(name, ".md")))
  cat(sprintf("%s: results in %s.csv, .md, .png\n", name, file.path(bench_dir, name)))
}

open_plot <- function(name, width = 1600, height = 1000) {
  type <- if (capabilities("cairo")) "cairo" else getOption("bitmapType")
  grDevices::png(file.path(bench_dir, paste0(name, ".png")), width, height, res = 160, type = type)
}
