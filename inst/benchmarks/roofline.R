# What limits a search? First, what this machine can do at most with each resource: float arithmetic,
# caches, memory, new pages. Then, searches for k of all points in d columns, and what share of each
# resource they use.
#
#   Rscript -e 'source(system.file("benchmarks/roofline.R", package = "covertree"))'

source(system.file("benchmarks/common.R", package = "covertree"))

M <- 2^20

# The kernels of roofline.c: memory of a thread [bytes], and the unit of the table. `per`: units of
# the table for one unit of work, divided by the rate; otherwise the rate in 1e9 units/s.
resources <- data.frame(
  resource = c("read_l1", "read_l2", "read_l3", "read_memory", "multiply_add", "gather", "chase",
               "scatter_small", "scatter_middle", "scatter_large", "fault", "fault_large", "radix_pass"),
  kernel = c(rep("stream", 4), "multiply_add", "gather", "chase", rep("scatter", 3), "fault", "fault_large",
             "radix_pass"),
  bytes = c(M / 64, M / 2, 8 * M, 256 * M, 4096, 256 * M, 256 * M, M, 8 * M, 128 * M, 64 * M, 64 * M, 16 * M),
  text = c("read 16 KB again and again (L1 cache), GB/s", "read 512 KB again and again (L2 cache), GB/s",
           "read 8 MB again and again (L3 cache), GB/s", "read 256 MB (memory), GB/s",
           "float multiply-adds in registers, 10^9/s", "read random lines of 256 MB, ns per line",
           "the same, each address from the line before, ns per line",
           "write 8 bytes to random places of 1 MB, ns per write",
           "write 8 bytes to random places of 8 MB, ns per write",
           "write 8 bytes to random places of 128 MB, ns per write",
           "new memory in pages of 4 KB, ns per 4 KB", "new memory in large pages, ns per 4 KB",
           "sort pairs of a key and a row by 8 bits, ns per pair")
)
resources$is_rate <- grepl("/s$", resources$text)

# Returns what a thread, and two at the same time, can do at most.
measure_machine <- function() {
  load_compiled("roofline.c", "$(SHLIB_OPENMP_CFLAGS) -march=native", "$(SHLIB_OPENMP_CFLAGS)")
  rates <- vapply(1:2, function(threads) {
    vapply(seq_len(nrow(resources)), function(i) {
      .Call("roofline_rate", resources$kernel[i], threads, resources$bytes[i], 9)
    }, 0)
  }, numeric(nrow(resources)))
  data.frame(workload = "machine", resource = resources$resource, one = rates[, 1], two = rates[, 2])
}

workloads <- list(d2 = c(1e5, 2), d3 = c(1e5, 3), d8 = c(1e5, 8), d16 = c(5e4, 16), d32 = c(5e4, 32), d64 = c(5e4, 64))
neighbors <- c(1, 10, 100)

# Measures the build once for all k, and the search for each.
run <- function(name) {
  if (name == "machine") return(measure_machine())
  n <- size(workloads[[name]][1])
  d <- workloads[[name]][2]
  set.seed(42)
  x <- matrix(stats::rnorm(n * d), ncol = d)
  builds <- interleave(list(one = function() cover_tree(x, threads = 1), two = function() cover_tree(x, threads = 2)),
                       5, 4)
  built <- vapply(builds$times, stats::median, 0)
  tree <- builds$results$one
  do.call(rbind, lapply(neighbors, function(k) {
    search <- function(threads, stats = FALSE) {
      function() knn_query(tree, k = k, threads = threads, control = knn_control(stats = stats))
    }
    measured <- interleave(list(one = search(1), two = search(2), stats = search(1, TRUE)), 5, 6)
    seconds <- vapply(measured$times, stats::median, 0)
    stats <- knn_stats(measured$results$stats)
    # In a search with statistics: the part of the call outside of the search in C.
    outside <- measured$times$stats[length(measured$times$stats)] - stats$seconds[["elapsed"]]
    data.frame(workload = name, n = n, d = d, k = k, build_one = built[["one"]], build_two = built[["two"]],
               one = seconds[["one"]], two = seconds[["two"]], outside = outside, tiles = stats$tiles,
               boxes = stats$boxes, scans = stats$scans / (stats$scans + sum(stats$blocks)), t(stats$seconds))
  }))
}

machine_rows <- renew("roofline_machine", "workload", "machine", run)
all <- renew("roofline", "workload", names(workloads), run)

# The first table ------------------------------------------------------------------------------------

can <- function(resource, threads = 1) {
  machine_rows[machine_rows$resource == resource, if (threads == 1) "one" else "two"]
}
value_of <- function(i, threads) {
  rate <- can(resources$resource[i], threads) / 1e9
  if (resources$is_rate[i]) rate else 1 / rate
}
values <- outer(seq_len(nrow(resources)), 1:2, Vectorize(value_of))
write_table("roofline_machine", data.frame(
  resource = sub(", [^,]*$", "", resources$text), unit = sub("^.*, ", "", resources$text),
  `1 thread` = figures(values[, 1]), `2 threads together` = figures(values[, 2]), check.names = FALSE
), machine_rows$machine[1])

# The second table -----------------------------------------------------------------------------------

# A scan of a tile computes a difference and a multiply-add for each coordinate of 16 points; a scan by
# products, in 16 or more columns, only a multiply-add. A box of a tile takes two differences, two maxima
# and a multiply-add. All these instructions take the same time. Scans that end after the first
# coordinates count as whole ones.
points <- 16 * all$tiles / all$n
boxes <- all$boxes / all$n
instructions <- all$d * (points * ifelse(all$d >= 16, 1, 2) + 5 * boxes)
# A group of 8 queries that scans all tiles loads each of them once. Otherwise, as if each query loaded
# its tiles itself. A box has two floats for each coordinate.
bytes <- 4 * all$d * (points / ifelse(all$scans > 0.5, 8, 1) + 2 * boxes)

# The least time per query that a resource needs [s], on one thread.
arithmetic <- instructions / can("multiply_add")
tiles <- bytes / can("read_l2")
# A result has a row (4 bytes) and a distance (8 bytes) for each neighbor, in new memory.
results <- 12 * all$k / 4096 / can("fault")
share <- function(least, seconds) least * all$n / seconds
percent <- function(part) sprintf(ifelse(part < 0.1, "%.1f%%", "%.0f%%"), 100 * part)
of_one <- cbind(arithmetic = share(arithmetic, all$one), tiles = share(tiles, all$one),
                results = share(results, all$one))
nearest <- colnames(of_one)[max.col(of_one, "first")]
nearest[apply(of_one, 1, max) < 0.25] <- "-"
phases <- all[c("seed", "descent", "scan", "selection")]
phases <- phases / rowSums(phases)
microseconds <- function(seconds) figures(1e6 * seconds / all$n)
write_table("roofline", data.frame(
  d = all$d, k = all$k, `build, us` = microseconds(all$build_one), `search, us` = microseconds(all$one),
  `R, us` = figures(1e6 * pmax(all$outside, 0) / all$n, 1), points = figures(points), boxes = figures(boxes),
  arithmetic = percent(of_one[, "arithmetic"]), tiles = percent(of_one[, "tiles"]),
  results = percent(of_one[, "results"]), limit = nearest,
  scan = percent(phases$scan), selection = percent(phases$selection), `2 threads, us` = microseconds(all$two),
  check.names = FALSE
), all$machine)
