# write_tree() and read_tree(): the same answers from a file, for all metrics, mapped and read; every
# damaged, foreign or truncated file is refused; a failure to write leaves the old file.

small <- function(n = 400, d = 3) with_seed(71, matrix(round(rnorm(n * d), 2), n, d))

trees_of_all_metrics <- function() {
  x <- small()
  colnames(x) <- c("a", "b", "h\u00f6he")
  frame <- data.frame(x = x[, 1], f = factor(rep(letters[1:4], 100)), o = ordered(rep(1:5, 80)), l = x[, 2] > 0)
  long <- small(700, 2)
  scaled <- scale(small())
  list(
    euclidean = cover_tree(x, leaf_size = 8), rows = cover_tree(`rownames<-`(small(), seq_len(400))),
    single = cover_tree(matrix(1, 1, 1)), duplicates = cover_tree(rbind(long, long), leaf_size = 3),
    natural = cover_tree(x, layout = "natural"), manhattan = cover_tree(x, "manhattan"),
    maximum = cover_tree(x, "maximum"), minkowski = cover_tree(x, metric_minkowski(3)),
    cosine = cover_tree(x, "cosine"), angular = cover_tree(x, "angular"),
    great_circle = cover_tree(cbind(x[, 1:2] * 20, t = x[, 3]), metric_great_circle(unit = "mi", scale = 2)),
    scaled = cover_tree(x, metric_scaled("manhattan", c(a = 1, b = 2, "h\u00f6he" = 3))),
    mahalanobis = cover_tree(scaled, metric_mahalanobis(cov(scaled))),
    gower = cover_tree(frame, metric_gower()), frame = cover_tree(rbind(frame, frame), metric_gower(c(1, 2, 0, 1))),
    residual = cover_tree(x, residual_correlation(kernel_matern52(1.2, c(1, 2, 3)), 20, nugget = 0.1)),
    plain = cover_tree(x, residual_correlation(kernel_rbf(), NULL)),
    factors = cover_tree(small(), residual_correlation(kernel_rbf(), v = small(), p = seq_len(400) / 9))
  )
}

answers <- function(tree) {
  k <- min(5, length(tree) - 1)
  own <- list(as.matrix(tree), dim(tree), dimnames(tree), format(tree), tree_arrays(tree))
  if (k > 0) own <- c(own, list(knn_query(tree, k = k), knn_query(tree, k = k, predecessor = TRUE)))
  if (k > 0 && is.null(tree$metric)) {
    query <- as.data.frame(if (is.null(tree$space$x)) as.matrix(tree) else tree$space$x)[1:7, , drop = FALSE]
    own <- c(own, list(knn_query(tree, query, k = k), radius_query(tree, radius = 0.5, rows = 1:50)))
  }
  own
}

is_mapped <- function(tree) {
  vectors <- Filter(is.numeric, tree_arrays(tree)[array_names_of_numbers])
  all(vapply(vectors, function(vector) .Call(covertree:::r_is_mapped, vector), NA))
}
array_names_of_numbers <- c("points", "row", "center", "parent", "first_child", "next_sibling", "subtree_begin",
                            "subtree_end", "level", "min_row", "radius", "lower", "upper")

can_map <- .Platform$OS.type == "unix" && .Platform$endian == "little"

new_file <- function(tree = cover_tree(small(), leaf_size = 8), frame = parent.frame()) {
  path <- tempfile(fileext = ".tree")
  do.call(on.exit, list(bquote(unlink(.(path))), add = TRUE), envir = frame)
  write_tree(tree, path)
  path
}

test_that("a tree with any metric has the same answers from a file, mapped or read", {
  trees <- trees_of_all_metrics()
  path <- tempfile()
  on.exit(unlink(path))
  for (name in names(trees)) {
    right <- answers(trees[[name]])
    write_tree(trees[[name]], path)
    for (map in c(TRUE, FALSE)) {
      tree <- read_tree(path, verify = map && name > "m", map = map)
      expect(identical(answers(tree), right), paste(name, "differs"))
      expect(is_mapped(tree) == (map && can_map), paste(name, "is mapped:", !map))
      expect_true(isTRUE(all.equal(tree, trees[[name]])))
    }
    expect(identical(answers(unserialize(serialize(tree, NULL))), right), paste(name, "saved"))
    expect(identical(answers(unserialize(serialize(read_tree(path), NULL))), right), paste(name, "saved unused"))
  }
})

test_that("a tree that has grown has the same answers from a file, and grows on", {
  for (metric in list("euclidean", "manhattan", "cosine")) {
    tree <- cover_tree(small(300), metric, leaf_size = 8)
    tree <- remove_points(insert_points(insert_points(tree, small(200) + 1), small(40) - 3), c(1:30, 310, 500))
    path <- new_file(tree)
    wait <- insert_points(tree, small(5))
    wait_path <- new_file(wait)
    for (map in c(TRUE, FALSE)) {
      read <- read_tree(path, verify = map, map = map)
      same <- function(a, b) {
        expect_identical(tree_rows(a), tree_rows(b))
        expect_identical(as.matrix(a), as.matrix(b))
        expect_identical(knn_query(a, k = 4), knn_query(b, k = 4))
        expect_identical(radius_query(a, radius = 0.5), radius_query(b, radius = 0.5))
      }
      same(read, tree)
      same(insert_points(read, small(9)), insert_points(tree, small(9)))
      same(remove_points(read_tree(path, map = map), 40:90), remove_points(tree, 40:90))
      same(compact(read_tree(path, map = map)), compact(tree))
      same(read_tree(wait_path, map = map), wait)
      same(unserialize(serialize(read_tree(wait_path, map = map), NULL)), wait)
    }
  }
})

test_that("names of any encoding are kept", {
  x <- small(4, 3)
  latin <- c("l\xe4nge", "a", "")
  Encoding(latin) <- c("latin1", "unknown", "unknown")
  bytes <- c("\xff\xfe", "b", "\u20ac")
  Encoding(bytes) <- c("bytes", "unknown", "UTF-8")
  for (names in list(latin, bytes, c(NA, "x", "\u4e2d\u6587"))) {
    dimnames(x) <- list(c("r 1", NA, "", "\u00e9"), names)
    expect_identical(dimnames(read_tree(new_file(cover_tree(x)))), dimnames(x))
  }
})

test_that("equal trees give equal files, also from a file", {
  tree <- cover_tree(small())
  bytes <- function(path) readBin(path, raw(), file.size(path))
  first <- new_file(tree)
  expect_identical(bytes(new_file(cover_tree(small(), threads = 2))), bytes(first))
  expect_identical(bytes(new_file(read_tree(first))), bytes(first))
  expect_identical(bytes(new_file(read_tree(first, map = FALSE))), bytes(first))
  saved <- serialize(tree, NULL)
  expect_identical(serialize(read_tree(first), NULL), saved)
})

test_that("a mapped tree needs its file no more, outlives gc(), and survives a fork", {
  tree <- cover_tree(small())
  right <- answers(tree)
  path <- new_file(tree)
  read <- read_tree(path)
  other <- read_tree(path)
  write_tree(cover_tree(small() + 1), path)
  if (can_map) unlink(path)
  vector <- tree_arrays(read)$points
  if (can_map) {
    child <- parallel::mcparallel(answers(read))
    expect_identical(parallel::mccollect(child)[[1]], right)
  }
  rm(read)
  for (i in 1:3) gc()
  junk <- lapply(1:100, function(i) runif(5000))
  expect_identical(answers(other), right)
  expect_identical(vector + 0, tree_arrays(tree)$points)
})

test_that("R code that changes vectors of a mapped tree changes copies", {
  path <- new_file()
  before <- readBin(path, raw(), file.size(path))
  tree <- read_tree(path)
  right <- answers(read_tree(path, map = FALSE))
  arrays <- tree_arrays(tree)
  for (name in array_names_of_numbers) arrays[[name]][] <- 0L
  arrays <- tree_arrays(tree)
  arrays$row[2:1] <- arrays$row[1:2]
  arrays$points[] <- sort(arrays$points)
  expect_identical(answers(tree), right)
  expect_identical(readBin(path, raw(), file.size(path)), before)
})

# ---- damage ---------------------------------------------------------------------------------------

little <- function(bytes) sum(as.numeric(bytes) * 256^(seq_along(bytes) - 1))

# The table of a file, read without the package: name, first byte (from 1) and number of bytes.
sections_of <- function(bytes) {
  count <- little(bytes[25:28])
  size <- c(1, 4, 4, 8)
  do.call(rbind, lapply(seq_len(count), function(i) {
    entry <- bytes[64 + 80 * (i - 1) + 1:80]
    name <- entry[1:40]
    data.frame(name = rawToChar(name[name != 0]), first = little(entry[49:56]) + 1,
               bytes = little(entry[57:64]) * size[little(entry[41:44])])
  }))
}

put_file <- function(bytes, path) writeBin(bytes, path)

refusal <- function(path, ...) {
  tryCatch({
    answers(read_tree(path, ...))
    ""
  }, error = conditionMessage)
}

test_that("a changed byte in any section is noticed, at once if asked, and never does harm", {
  path <- new_file(trees_of_all_metrics()$residual)
  bytes <- readBin(path, raw(), file.size(path))
  sections <- sections_of(bytes)
  expect_true(all(c("description", "arrays/points", "tiles/node_upper", "metric/code/points/v") %in% sections$name))
  for (i in which(sections$bytes > 0)) {
    at <- sections$first[i] + with_seed(i, sample(sections$bytes[i], 1)) - 1
    put_file(replace(bytes, at, xor(bytes[at], as.raw(16))), path)
    wanted <- sprintf("section `%s` does not match its checksum", sections$name[i])
    expect_match(refusal(path, verify = TRUE), wanted, fixed = TRUE)
    tile <- grepl("tiles/", sections$name[i])
    if (!tile) expect_match(refusal(path, map = FALSE), wanted, fixed = TRUE)
    found <- refusal(path)
    trusted <- tile || sections$name[i] == "arrays/points"
    expect(trusted || grepl("checksum|damaged", found), paste(sections$name[i], "is not noticed:", found))
  }
  put_file(bytes, path)
  expect_identical(refusal(path, verify = TRUE), "")
})

test_that("any changed byte of the head is refused at once", {
  path <- new_file()
  bytes <- readBin(path, raw(), file.size(path))
  for (at in c(1:40, with_seed(3, sample(64 + 80 * nrow(sections_of(bytes)), 60)))) {
    put_file(replace(bytes, at, xor(bytes[at], as.raw(4))), path)
    expect_match(refusal(path), "^path must be a file that write_tree\\(\\) wrote: got ")
  }
})

test_that("a file that ends at the bounds of any section is refused", {
  path <- new_file()
  bytes <- readBin(path, raw(), file.size(path))
  sections <- sections_of(bytes)
  ends <- c(1, 7, 8, 63, 64, 65, 4095, 4096, sections$first - 1, sections$first, sections$first + sections$bytes - 1)
  for (end in unique(ends[ends > 0 & ends < length(bytes)])) {
    put_file(bytes[seq_len(end)], path)
    expect_match(refusal(path), "^path must be a file that write_tree\\(\\) wrote: got .* (bytes of a file|head)")
  }
  put_file(c(bytes, raw(1)), path)
  expect_match(refusal(path), "bytes of a file")
})

test_that("descriptions that make no sense are refused, with a correct checksum too", {
  tree <- cover_tree(small(), "cosine")
  into <- covertree:::new_sections()
  good <- covertree:::describe_file(tree, into)
  path <- tempfile()
  on.exit(unlink(path))
  outcomes <- vapply(1:120, function(round) {
    into$sections[[1]] <- with_seed(round, {
      bad <- good
      at <- sample(length(bad), sample(3, 1))
      bad[at] <- as.raw(sample(0:255, length(at), TRUE))
      if (round %% 5 == 0) bad[seq_len(sample(length(bad), 1))] else bad
    })
    covertree:::write_sections(path, into)
    found <- tryCatch(read_tree(path), error = identity)
    if (inherits(found, "error")) return(conditionMessage(found))
    try(knn_query(found, k = 2), silent = TRUE)
    ""
  }, "")
  expect_true(all(outcomes == "" | grepl("^path must be a file|^tree array `|^the tree's arrays", outcomes)))
  expect_gt(mean(outcomes != ""), 0.3)
})

test_that("other files and wrong arguments are refused with a reason", {
  folder <- tempfile()
  dir.create(folder)
  owd <- setwd(folder)
  on.exit({
    setwd(owd)
    unlink(folder, recursive = TRUE)
  })
  write_tree(cover_tree(small()), "a.tree")
  bytes <- readBin("a.tree", raw(), file.size("a.tree"))
  file.create("empty.tree")
  writeLines(rep("a,b,c", 100), "table.csv")
  saveRDS(1:10, "a.rds")
  put_file(replace(bytes, 9:12, as.raw(1:4)), "big-endian.tree")
  put_file(replace(bytes, 13, as.raw(2)), "later.tree")
  dir.create("folder.tree")
  expect_complaints(
    read_tree(), read_tree(1), read_tree(c("a", "b")), read_tree(NA_character_), read_tree(""),
    read_tree("nothing.tree"), read_tree("folder.tree"), read_tree("empty.tree"), read_tree("table.csv"),
    read_tree("a.rds"), read_tree("big-endian.tree"), read_tree("later.tree"),
    read_tree("a.tree", verify = NA), read_tree("a.tree", map = "yes"),
    write_tree(cover_tree(small())), write_tree(1, "b.tree"), write_tree(cover_tree(small()), 7),
    write_tree(cover_tree(small()), "folder.tree"),
    write_tree(cover_tree(3, metric_function(function(i, js) abs(i - js), n = 3)), "b.tree"),
    write_tree(cover_tree(small(9), residual_correlation(kernel_custom(function(r) exp(-r)))), "b.tree")
  )
  expect_error(write_tree(cover_tree(small()), file.path("no", "b.tree")), "must be in a folder that exists")
  expect_setequal(list.files(all.files = TRUE, no.. = TRUE),
                  c("a.tree", "empty.tree", "table.csv", "a.rds", "big-endian.tree", "later.tree", "folder.tree"))
})

test_that("a link is followed, and a device is not replaced", {
  skip_on_os("windows")
  folder <- tempfile()
  dir.create(folder)
  on.exit(unlink(folder, recursive = TRUE))
  target <- file.path(folder, "target.tree")
  link <- file.path(folder, "link.tree")
  write_tree(cover_tree(small()), target)
  file.symlink(target, link)
  write_tree(cover_tree(small(50)), link)
  expect_identical(unname(Sys.readlink(link)), target)
  expect_length(read_tree(target), 50)
  expect_error(write_tree(cover_tree(small()), "/dev/null"), "path must be the name of a file: got a device or a pipe")
  expect_error(read_tree("/dev/null"), "got a device or a pipe")
})

test_that("without permission the reason is told", {
  skip_on_os("windows")
  path <- new_file()
  folder <- tempfile()
  dir.create(folder)
  on.exit({
    Sys.chmod(folder, "700")
    unlink(folder, recursive = TRUE)
  }, add = TRUE)
  Sys.chmod(path, "000")
  Sys.chmod(folder, "500")
  skip_if(file.access(path, 4) == 0, "this user may read every file")
  expect_error(read_tree(path), "can be read: got .*ermission denied")
  expect_error(write_tree(cover_tree(small()), file.path(folder, "a.tree")), "written to: got .*ermission denied")
})

# The limit of the size of a file stands for a full disk: both fail in the middle of a write.
test_that("a write that fails leaves the old file, and nothing else", {
  skip_on_os("windows")
  folder <- tempfile()
  dir.create(folder)
  on.exit(unlink(folder, recursive = TRUE))
  path <- file.path(folder, "a.tree")
  write_tree(cover_tree(small(50)), path)
  script <- file.path(folder, "write.R")
  writeLines(c(
    sprintf(".libPaths(%s)", deparse1(.libPaths())),
    "library(covertree)",
    "tree <- cover_tree(matrix(as.numeric(1:60000), ncol = 3))",
    sprintf("cat(tryCatch(write_tree(tree, %s), error = conditionMessage))", deparse1(path))
  ), script)
  command <- sprintf("ulimit -f 100; trap '' XFSZ; R_TESTS= %s --vanilla %s", shQuote(file.path(R.home("bin"), "Rscript")),
                     shQuote(script))
  said <- system2("sh", c("-c", shQuote(command)), stdout = TRUE, stderr = TRUE)
  expect_match(paste(said, collapse = " "), "path must be a place that can be written to: got \"File too large\"")
  expect_setequal(list.files(folder, all.files = TRUE, no.. = TRUE), c("a.tree", "write.R"))
  expect_length(read_tree(path, verify = TRUE), 50)
})
