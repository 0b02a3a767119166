# How much memory do R processes need that open one tree from a file? Rscript shared_memory.R [N] [PROCESSES]
#
# Writes a tree of N points in 3 dimensions (1e6), and opens it in several processes (4). Each process
# answers k-NN queries of 20,000 points spread over the tree. While all of them wait, the script reads
# what the kernel of Linux tells about each:
#   resident  memory in use, shared or not
#   share     the same, where memory of p processes counts 1/p for each
#   map       the part of `share` in the mapped file
#   private   memory that no other process has
# A second table is for trees that each process reads into its own memory.

library(covertree)

# [MiB] of a process, by the kernel.
memory_of <- function(pid) {
  rollup <- readLines(sprintf("/proc/%d/smaps_rollup", pid))
  maps <- readLines(sprintf("/proc/%d/smaps", pid))
  kib <- function(lines, name) sum(as.numeric(gsub("[^0-9]", "", grep(paste0("^", name, ":"), lines, value = TRUE))))
  heads <- grepl("^[0-9a-f]+-[0-9a-f]+ ", maps)
  ours <- grepl("[.]covertree$", maps[heads])[cumsum(heads)]
  c(resident = kib(rollup, "Rss"), share = kib(rollup, "Pss"), map = kib(maps[ours], "Pss"),
    private = kib(rollup, "Private_Clean") + kib(rollup, "Private_Dirty")) / 1024
}

child <- function(path, map, done, stop) {
  started <- proc.time()[["elapsed"]]
  tree <- read_tree(path, map = map)
  opened <- proc.time()[["elapsed"]]
  rows <- as.integer(seq(1, length(tree), length.out = min(20000, length(tree))))
  found <- knn_query(tree, k = 5, rows = rows, threads = 1)
  cat(Sys.getpid(), 1000 * (opened - started), proc.time()[["elapsed"]] - opened, sum(found$distance), file = done)
  while (file.exists(stop)) Sys.sleep(0.1)
}

measure <- function(path, map, processes) {
  stop <- tempfile()
  file.create(stop)
  done <- tempfile(rep("done", processes))
  script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])
  for (i in seq_len(processes)) {
    system2(file.path(R.home("bin"), "Rscript"), c(script, "--child", path, map, done[i], stop), wait = FALSE)
    while (!file.exists(done[i]) || file.size(done[i]) == 0) Sys.sleep(0.1)
  }
  told <- lapply(done, scan, quiet = TRUE)
  table <- t(vapply(told, function(one) c(open_ms = one[2], queries_s = one[3], memory_of(one[1])), numeric(6)))
  unlink(c(stop, done))
  if (length(unique(vapply(told, `[`, 0, 4))) != 1) stop("the processes have different results")
  round(table, 1)
}

arguments <- commandArgs(TRUE)
if (length(arguments) == 5 && arguments[1] == "--child") {
  child(arguments[2], as.logical(arguments[3]), arguments[4], arguments[5])
} else {
  n <- if (length(arguments) > 0) as.numeric(arguments[1]) else 1e6
  processes <- if (length(arguments) > 1) as.integer(arguments[2]) else 4L
  path <- tempfile(fileext = ".covertree")
  set.seed(1)
  write_tree(cover_tree(matrix(runif(3 * n), ncol = 3)), path)
  cat(sprintf("%.0f points, file of %.1f MiB, %d processes; memory in MiB\n", n, file.size(path) / 2^20, processes))
  for (map in c(TRUE, FALSE)) {
    cat(if (map) "\nmapped\n" else "\nread into memory\n")
    print(measure(path, map, processes))
  }
  unlink(path)
}
