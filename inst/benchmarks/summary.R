# The README's table: at most 12 rows, taken from the CSV files of knn.R, vecchia.R and rows.R.
# Measures nothing.

source(system.file("benchmarks/common.R", package = "covertree"))

results <- function(name) if (file.exists(csv_of(name))) utils::read.csv(csv_of(name), check.names = FALSE)

rows_of <- function(name, column, value) {
  table <- results(name)
  table[table[[column]] == value, ]
}

labels <- c(
  n32k_d3_k10 = "n 32,768, d 3: 10 neighbors of each point",
  n1m_d3 = "n 1,000,000, d 3: 10 neighbors of each point",
  n32k_d3_other = "n 32,768, d 3: 50 neighbors of 1,024 other points, queries only",
  n100k_d8 = "n 100,000, d 8: 10 neighbors of each point",
  n50k_d32 = "n 50,000, d 32: 10 neighbors of each point",
  n50k_sub5 = "n 50,000, d 64, near a 5-dim subspace: 10 neighbors of each point, queries only",
  radius_100k_d3 = "n 100,000, d 3: all points within 0.04 of each point",
  build_1m_d3 = "n 1,000,000, d 3: index only",
  neighbors = "n 100,000, d 2: 30 nearest predecessors of each point",
  `Matern-5/2` = "residual correlation, Matern-5/2: 50 neighbors of 1,024 own points",
  RBF = "residual correlation, RBF: 50 neighbors of 1,024 own points"
)

# `peers`: data frame of name, seconds and recall.
row_of <- function(workload, one, two, per_second, recall, peers, machine) {
  data.frame(
    workload = labels[[workload]], `1 thread, s` = figures(one), `2 threads, s` = figures(two),
    `queries/s, 2 threads` = figures(per_second), recall = shares(recall),
    `other packages (recall)` =
      if (nrow(peers) == 0) "-" else
        toString(sprintf("%s %.1fx%s", peers$name, peers$seconds / one,
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
  row_of(workload, one$median, two$median, two$per_second, min(one$recall, two$recall),
         data.frame(name = peers$side, seconds = peers$median, recall = peers$recall), part$machine[1])
}

vecchia_row <- function(workload) {
  part <- rows_of("vecchia", "workload", workload)
  side <- function(name) part[part$side == name, ]
  peers <- part[!startsWith(part$side, "covertree"), ]
  two <- side("covertree")
  row_of(workload, side("covertree, 1 thread")$seconds, two$seconds, two$n / two$seconds, two$recall,
         data.frame(name = peers$side, seconds = peers$seconds, recall = peers$recall), part$machine[1])
}

rows_row <- function(workload) {
  part <- rows_of("rows", "metric", workload)
  part <- part[part$search == "recall 0.999", ]
  side <- function(threads) part[part$threads == threads, ]
  row_of(workload, side(1)$seconds, side(2)$seconds, side(2)$per_second, min(part$recall),
         data.frame(name = character(), seconds = numeric(), recall = numeric()), part$machine[1])
}

# The fastest published figure for the workload of the RBF row.
published_row <- function() {
  best <- results("published")
  best <- best[which.max(best$per_second), ]
  data.frame(workload = "the same, RBF, published elsewhere (see below)", `1 thread, s` = "-",
             `2 threads, s` = "-", `queries/s, 2 threads` = paste(figures(best$per_second), "(16 cores)"),
             recall = "not published", `other packages (recall)` = "-",
             machine = NA, check.names = FALSE)
}

make_row <- list(knn = knn_row, vecchia = vecchia_row, rows = rows_row)
measured <- function(script, workload) {
  table <- results(script)
  !is.null(table) && workload %in% table[[if (script == "rows") "metric" else "workload"]]
}
all <- do.call(rbind, Map(function(script, workload) {
  if (measured(script, workload)) make_row[[script]](workload)
}, summary_workloads$script, summary_workloads$workload))
if (measured("rows", "RBF")) all <- rbind(all, published_row())
stopifnot(nrow(all) <= 12)
write_table("summary", all[names(all) != "machine"], all$machine)
cat(readLines(file.path(bench_dir, "summary.md")), sep = "\n")
