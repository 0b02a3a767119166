# The README's table of searches: at most 10 rows, taken from the CSV files of knn.R, zdtree.R, vecchia.R
# and rows.R, among them the row in which covertree is ahead by least, or behind. Measures nothing.

source(system.file("benchmarks/common.R", package = "covertree"))

results <- function(name) if (file.exists(csv_of(name))) utils::read.csv(csv_of(name), check.names = FALSE)

rows_of <- function(name, column, value) {
  table <- results(name)
  table[table[[column]] == value, ]
}

labels <- c(
  n32k_d3_k10 = "n 32,768, d 3: 10 neighbors of each point",
  n1m_d3 = "n 1,000,000, d 3: 10 neighbors of each point",
  n50k_d32 = "n 50,000, d 32: 10 neighbors of each point",
  n50k_sub5 = "n 50,000, d 64, near a 5-dim subspace: the same, queries only",
  radius_100k_d3 = "n 100,000, d 3: all points within 0.04 of each point",
  neighbors = "n 100,000, d 2: 30 nearest predecessors of each point",
  RBF = "residual correlation, RBF: 50 neighbors of 1,024 rows of 32,768",
  n1m_d3_calls = "n 1,000,000, d 3: 1,000 calls with one query each",
  zd_d3_k1 = "n 1,000,000, d 3: the nearest neighbor of each point"
)

multiples <- function(ratio) sprintf(ifelse(ratio < 1.5, "%.2fx", "%.1fx"), ratio)

# `peers`: data frame of name, seconds and recall, and of the time of covertree that is compared, `ours`, if
# it is not the time on one thread.
row_of <- function(workload, one, two, recall, peers, machine, text = NA) {
  if (is.null(peers$ours)) peers$ours <- rep(one, nrow(peers))
  data.frame(
    workload = if (workload %in% names(labels)) labels[[workload]] else text,
    `1 thread, s` = figures(one), `2 threads, s` = figures(two),
    recall = shares(recall),
    `other packages (recall)` =
      if (nrow(peers) == 0) "-" else
        toString(sprintf("%s %s%s", peers$name, multiples(peers$seconds / peers$ours),
                         ifelse(is.na(peers$recall), "", sprintf(" (%s)", shares(peers$recall))))),
    machine = machine, check.names = FALSE
  )
}

knn_row <- function(workload) {
  part <- rows_of("knn", "workload", workload)
  side <- function(name) part[part$side == name, ]
  peers <- part[!startsWith(part$side, "covertree"), ]
  one <- side("covertree, 1 thread")
  two <- side("covertree, 2 threads")
  row_of(workload, one$median, two$median, min(one$recall, two$recall),
         data.frame(name = peers$side, seconds = peers$median, recall = peers$recall), part$machine[1], part$text[1])
}

# The zd-tree also runs on two threads. That time is compared with the time of covertree on two.
zdtree_row <- function(workload) {
  part <- rows_of("zdtree", "workload", workload)
  side <- function(name) part[part$side == name, ]
  one <- side("covertree, 1 thread")
  two <- side("covertree, 2 threads")
  peers <- rbind(side("zd-tree, 1 thread"), side("zd-tree, 2 threads"))
  row_of(workload, one$median, two$median, min(one$recall, two$recall),
         data.frame(name = c("zd-tree", "both on 2 threads: zd-tree"), seconds = peers$median, recall = peers$recall,
                    ours = c(one$median, two$median)), part$machine[1], part$text[1])
}

vecchia_row <- function(workload) {
  part <- rows_of("vecchia", "workload", workload)
  side <- function(name) part[part$side == name, ]
  peers <- part[!startsWith(part$side, "covertree"), ]
  two <- side("covertree")
  row_of(workload, side("covertree, 1 thread")$seconds, two$seconds, two$recall,
         data.frame(name = peers$side, seconds = peers$seconds, recall = peers$recall), part$machine[1])
}

rows_row <- function(workload) {
  part <- rows_of("rows", "metric", workload)
  part <- part[part$search == "recall 0.999", ]
  side <- function(threads) part[part$threads == threads, ]
  row_of(workload, side(1)$seconds, side(2)$seconds, min(part$recall),
         data.frame(name = character(), seconds = numeric(), recall = numeric()), part$machine[1])
}

make_row <- list(knn = knn_row, zdtree = zdtree_row, vecchia = vecchia_row, rows = rows_row)
measured <- function(script, workload) {
  table <- results(script)
  !is.null(table) && workload %in% table[[if (script == "rows") "metric" else "workload"]]
}

# Returns the workloads of knn.R and zdtree.R with the least time of another package on the same number
# of threads, as a multiple of the time of covertree.
least_ahead <- function() {
  ratios <- do.call(rbind, lapply(c("knn", "zdtree"), function(script) {
    table <- results(script)
    if (is.null(table)) return(NULL)
    threads <- ifelse(grepl("2 threads", table$side), 2, 1)
    is_ours <- startsWith(table$side, "covertree")
    ours <- table[is_ours, ]
    at <- match(paste(table$workload, threads), paste(ours$workload, threads[is_ours]))
    data.frame(script = script, workload = table$workload, ratio = table$median / ours$median[at])[!is_ours, ]
  }))
  ratios[which.min(ratios$ratio), c("script", "workload")]
}

shown <- unique(rbind(summary_workloads, least_ahead()))
all <- do.call(rbind, Map(function(script, workload) {
  if (measured(script, workload)) make_row[[script]](workload)
}, shown$script, shown$workload))
stopifnot(nrow(all) <= 10)
write_table("summary", all[names(all) != "machine"], all$machine)
cat(readLines(file.path(bench_dir, "summary.md")), sep = "\n")
