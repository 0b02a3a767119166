# A result that is too large is an error before it is allocated.

threads_before <- covertree_threads(1)

pair_points <- function(n, d = 2, seed = 301) uniform_points(n, d, seed)

# Writes the files of a simulated system.
system_of <- function(...) {
  root <- tempfile("system")
  files <- list(...)
  for (path in names(files)) {
    dir.create(dirname(file.path(root, path)), recursive = TRUE, showWarnings = FALSE)
    writeLines(files[[path]], file.path(root, path))
  }
  root
}

# Returns how often code determines the available memory.
times_asked <- function(code) {
  asked <- 0
  count <- as.call(list(function() asked <<- asked + 1))
  suppressMessages(trace("memory_available", count, where = asNamespace("covertree"), print = FALSE))
  on.exit(suppressMessages(untrace("memory_available", where = asNamespace("covertree"))))
  force(code)
  asked
}

test_that("max_pairs must be one number", {
  tree <- cover_tree(pair_points(20))
  near <- knn_query(tree, k = 2)
  wrong <- list(NA, -1, "a", c(1, 2), NaN, -Inf, TRUE, numeric(), factor(3), list(3))
  expect_complaints_for(wrong, radius_query(tree, radius = 0.1, max_pairs = value))
  expect_complaints_for(wrong[1:2], knn_query(tree, k = 2, max_pairs = value))
  expect_complaints_for(wrong[3:4], recall_of(tree, near, max_pairs = value))
  expect_complaints_for(wrong[3:4], vecchia_neighbors(pair_points(20), 2, max_pairs = value))
})

test_that("a result that is too large is refused in words", {
  tree <- cover_tree(pair_points(20))
  near <- knn_query(tree, k = 2)
  expect_complaints(
    knn_query(tree, k = 3, max_pairs = 59),
    knn_query(tree, matrix(0, 3, 2), k = 30, max_pairs = 89),
    knn_query(tree, k = 3, max_pairs = 0),
    knn_query(cover_tree(cbind(1)), k = 1e6, max_pairs = 10),
    recall_of(tree, near, max_pairs = 39),
    vecchia_neighbors(pair_points(20), 19, max_pairs = 379.5),
    radius_query(tree, radius = 1, max_pairs = 7),
    radius_query(tree, matrix(0.5, 2, 2), radius = 1, max_pairs = 0)
  )
  expect_identical(knn_query(tree, k = 3, max_pairs = 60), knn_query(tree, k = 3))
  expect_identical(recall_of(tree, near, max_pairs = 40), recall_of(tree, near, max_pairs = Inf))
  expect_identical(vecchia_neighbors(pair_points(20), 4, max_pairs = 80),
                   vecchia_neighbors(pair_points(20), 4))
})

test_that("no machine is asked for terabytes", {
  tree <- cover_tree(pair_points(5e4, 3))
  within_seconds(60, {
    expect_error(radius_query(tree, radius = 2),
                 "at most [0-9,]+ pairs \\(.*\\): got about 2,500,000,000 pairs \\(30 GB\\)")
    expect_error(knn_query(tree, k = .Machine$integer.max), paste(
      "at most [0-9,]+ pairs \\(half of the available memory\\): got 107,374,182,350,000 pairs",
      "\\(1.3 PB\\); use a smaller k \\(the tree has 50,000 points\\) or fewer"
    ))
    expect_error(knn_query(tree, matrix(0, 1e5, 3), k = 5e7), "60 TB")
    residual <- cover_tree(pair_points(1000), metric = residual_correlation(kernel_rbf()))
    expect_error(knn_query(residual, k = .Machine$integer.max), "26 TB")
    expect_error(knn_query(residual, k = .Machine$integer.max, recall = 0.9), "26 TB")
  })
})

test_that("radius_query() allows exactly max_pairs, and gives the same answer then", {
  x <- pair_points(3000)
  tree <- cover_tree(x)
  for (query in list(NULL, x[c(5:1, 100:2000), ] + 1e-3)) for (radius in c(0, 0.02, 0.3, 2)) {
    all <- radius_query(tree, query, radius, max_pairs = Inf)
    pairs <- sum(all$count)
    expect_identical(radius_query(tree, query, radius), all)
    for (threads in 1:3) {
      expect_identical(radius_query(tree, query, radius, threads = threads, max_pairs = pairs), all)
      if (pairs == 0) next
      expect_error(radius_query(tree, query, radius, threads = threads, max_pairs = pairs - 1),
                   sprintf("more than %s pairs", format(pairs - 1, big.mark = ",", scientific = FALSE)))
    }
  }
})

# With more than 5 million pairs, counting stops, and continues after the limit is known.
test_that("a large result is the same, whether a limit was looked up or not", {
  x <- pair_points(6000, seed = 302)
  tree <- cover_tree(x)
  for (query in list(NULL, x[6000:1, ])) for (threads in 1:2) {
    ask <- function(...) radius_query(tree, query, 0.35, threads = threads, ...)
    found <- ask()
    pairs <- sum(found$count)
    expect_gt(pairs, 6e6)
    expect_identical(ask(max_pairs = pairs), found)
    expect_error(ask(max_pairs = pairs - 1), "more than")
  }
})

test_that("a sample tells early about how many pairs there are", {
  tree <- cover_tree(pair_points(1e5))
  within_seconds(30, for (query in list(NULL, pair_points(1e5, seed = 303))) for (threads in 1:2) {
    expect_error(radius_query(tree, query, 2, threads = threads, max_pairs = 2e8),
                 "at most 200,000,000 pairs \\(max_pairs\\): got about 10,000,000,000 pairs \\(120 GB\\)")
  })
  expect_error(radius_query(tree, radius = 0.1, max_pairs = 1e6), "about 2[89][0-9],000,000 pairs \\(3.[45] GB\\)")
})

test_that("a few queries with many neighbors do not make the sample refuse", {
  for (clump in c(50, 300, 2000)) {
    x <- rbind(uniform_points(20000, 2, seed = clump), 0.5 + 1e-9 * pair_points(clump))
    tree <- cover_tree(x)
    count <- radius_query(tree, radius = 1e-4)$count
    expect_identical(radius_query(tree, radius = 1e-4, max_pairs = sum(count))$count, count)
  }
})

# All queries of the sample have the same count, so the standard error is 0.
test_that("a limit that is just enough is not refused for an estimate just above it", {
  pairs <- rep(uniform_points(20000, 1, seed = 304), 2)
  tree <- cover_tree(cbind(c(pairs, 10, 20, 30)))
  count <- radius_query(tree, radius = 0)$count
  expect_identical(sum(count), 40000L)
  expect_identical(radius_query(tree, radius = 0, max_pairs = 40000)$count, count)
  expect_error(radius_query(tree, radius = 0, max_pairs = 39999), "more than 39,999 pairs")
  expect_error(radius_query(tree, radius = 0, max_pairs = 20000), "about 40,000 pairs")
})

test_that("a small call does not ask for the memory, and a large one does", {
  tree <- cover_tree(pair_points(3000))
  expect_identical(times_asked({
    knn_query(tree, k = 1000)
    radius_query(tree, radius = 0.2)
    vecchia_neighbors(pair_points(3000), 10)
    knn_query(tree, k = 2000, max_pairs = 1e9)
  }), 0)
  expect_identical(times_asked(radius_query(tree, radius = 2)), 1)
  expect_identical(times_asked(knn_query(tree, k = 2000)), 1)
})

test_that("the default is half of the available memory", {
  expect_identical(covertree:::default_pairs(available = 24e9), 1e9)
  expect_identical(covertree:::default_pairs(other = 2e9, available = 28e9), 1e9)
  expect_identical(covertree:::default_pairs(available = 0), 5e6)
  expect_lte(covertree:::radius_limit(10), .Machine$integer.max)
  expect_gt(covertree:::memory_available(), 1e6)
})

test_that("available memory is that of the system within the limits of control groups", {
  memory <- function(...) covertree:::memory_available(system_of(...))
  meminfo <- c("MemTotal:       24684084 kB", "MemFree:        1000000 kB", "MemAvailable:   2000000 kB")
  expect_identical(memory("proc/meminfo" = meminfo), 2000000 * 1024)
  expect_identical(memory("proc/meminfo" = meminfo[1:2]), 1000000 * 1024)
  two <- function(...) memory("proc/meminfo" = meminfo, "proc/self/cgroup" = "0::/user/job", ...)
  expect_identical(two(), 2000000 * 1024)
  expect_identical(two("sys/fs/cgroup/memory.max" = "max", "sys/fs/cgroup/memory.current" = "5"),
                   2000000 * 1024)
  expect_identical(two("sys/fs/cgroup/memory.max" = "1000", "sys/fs/cgroup/memory.current" = "400"), 600)
  expect_identical(two("sys/fs/cgroup/user/memory.max" = "1000",
                       "sys/fs/cgroup/user/memory.current" = "900",
                       "sys/fs/cgroup/user/memory.stat" = c("anon 1", "inactive_file 50", "file 3"),
                       "sys/fs/cgroup/user/job/memory.max" = "800",
                       "sys/fs/cgroup/user/job/memory.current" = "10"), 150)
  expect_identical(two("sys/fs/cgroup/user/job/memory.max" = "80",
                       "sys/fs/cgroup/user/job/memory.current" = "100"), 0)
  one <- function(...) {
    memory("proc/meminfo" = meminfo, "proc/self/cgroup" = c("3:cpu,cpuacct:/a", "4:memory:/job", "0::/"), ...)
  }
  expect_identical(one("sys/fs/cgroup/memory/memory.limit_in_bytes" = "9223372036854771712",
                       "sys/fs/cgroup/memory/memory.usage_in_bytes" = "5"), 2000000 * 1024)
  expect_identical(one("sys/fs/cgroup/memory/job/memory.limit_in_bytes" = "1000",
                       "sys/fs/cgroup/memory/job/memory.usage_in_bytes" = "700",
                       "sys/fs/cgroup/memory/job/memory.stat" = c("inactive_file 9", "total_inactive_file 20")),
                   320)
  for (broken in list("", "?", c("MemAvailable: lots", "0::"), "MemAvailable:")) {
    expect_gte(memory("proc/meminfo" = broken, "proc/self/cgroup" = broken), 0)
  }
  expect_identical(covertree:::mac_memory(c(
    "Mach Virtual Memory Statistics: (page size of 16384 bytes)", "Pages free:                  1000.",
    "Pages active:                9999.", "Pages inactive:               200.",
    "Pages speculative:             30.", "Pages purgeable:                4."
  )), 1234 * 16384)
  expect_identical(covertree:::mac_memory(character()), NA_real_)
})

covertree_threads(threads_before)

# The memory that the function `name` (as Rprofmem() has it) allocates itself in vectors of at least 100 kB
# [bytes]; all are held until it returns.
large_vectors <- function(name, code) {
  file <- tempfile()
  on.exit(unlink(file))
  utils::Rprofmem(file, threshold = 1e5)
  force(code)
  utils::Rprofmem(NULL)
  lines <- grep(paste0('^[0-9]+ :"', name, '"'), readLines(file), value = TRUE)
  sum(as.numeric(sub(" .*", "", lines)))
}

test_that("a search by a function takes the memory for each pair that limits assume", {
  skip_if_not(capabilities("profmem"))
  at <- as.double(seq_len(2000))
  tree <- cover_tree(2000, metric = metric_function(function(i, js) abs(at[js] - at[i])))
  k <- 700
  used <- large_vectors("<Anonymous>", knn_query(tree, k = k))
  expect_gt(used / (2000 * k), 0.98 * covertree:::FUNCTION_PAIR)
  expect_lt(used / (2000 * k), 1.02 * covertree:::FUNCTION_PAIR)
  used <- large_vectors("function_radius", near <- radius_query(tree, radius = 400))
  expect_gt(used / sum(near$count), 0.5 * covertree:::FUNCTION_RADIUS_PAIR)
  expect_lt(used / sum(near$count), 1.02 * covertree:::FUNCTION_RADIUS_PAIR)
})
