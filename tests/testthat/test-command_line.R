# The program exec/covertree: the work and the messages in this process, and the output, full disks
# and pipes in other processes.

# Runs the program in this process. Returns list(status, messages).
command <- function(...) {
  status <- NULL
  messages <- capture.output(status <- command_status(c(...)), type = "message")
  list(status = status, messages = messages)
}

# Creates a folder with files of points for the rest of a test, and makes it the working directory.
local_files <- function(frame = parent.frame()) {
  folder <- tempfile("command")
  dir.create(folder)
  old <- setwd(folder)
  do.call(on.exit, list(bquote({
    setwd(.(old))
    unlink(.(folder), recursive = TRUE)
  }), add = TRUE), envir = frame)
  x <- points_of_command()
  write.csv(x, "points.csv", row.names = FALSE)
  write.csv(queries_of_command()[3:1], "queries.csv", row.names = FALSE)
}

points_of_command <- function() round(data.frame(a = sin(1:400), b = cos(3 * (1:400)), c = (1:400) %% 7), 6)

queries_of_command <- function() round(points_of_command()[1:50, ] + 0.25, 6)

# The neighbors of each row of `query` by brute force, as the rows of an output. `own`: whether a row
# is not its own neighbor.
pairs_by_hand <- function(x, query, k = Inf, radius = Inf, own = FALSE) {
  lists <- lapply(seq_len(nrow(query)), function(i) {
    sum <- 0
    for (j in seq_along(x)) sum <- sum + (x[[j]] - query[[j]][i])^2
    distance <- sqrt(sum)
    if (own) distance[i] <- Inf
    rows <- order(distance)
    rows <- rows[distance[rows] <= radius & is.finite(distance[rows])]
    rows <- rows[seq_len(min(k, length(rows)))]
    data.frame(query = rep(i, length(rows)), neighbor = rows, rank = seq_along(rows), distance = distance[rows])
  })
  do.call(rbind, lists)
}

expect_output <- function(path, expected) {
  found <- if (is_parquet(path)) as.data.frame(nanoparquet::read_parquet(path)) else read.csv(path)
  expect_equal(found, expected, tolerance = 0, ignore_attr = TRUE)
}

test_that("the neighbors of points and of queries are those of brute force, for any chunk", {
  local_files()
  x <- points_of_command()
  query <- queries_of_command()
  expect_identical(command("points.csv", "--k", "3", "--out", "own.csv"),
                   list(status = 0L, messages = character()))
  expect_output("own.csv", pairs_by_hand(x, x, 3, own = TRUE))
  command("points.csv", "--k=4", "--query", "queries.csv", "--out", "found.csv")
  expect_output("found.csv", pairs_by_hand(x, query, 4))
  for (chunk in c("1", "7", "50")) {
    done <- command("points.csv", "--k=4", "--query=queries.csv", "--out=part.csv", "--chunk", chunk)
    expect_identical(done$status, 0L)
    expect_identical(readLines("part.csv"), readLines("found.csv"))
  }
  command("points.csv", "--radius", "0.4", "--query", "queries.csv", "--out", "near.csv", "--chunk", "9")
  expect_output("near.csv", pairs_by_hand(x, query, radius = 0.4))
  command("points.csv", "--radius", "0.4", "--k", "2", "--out", "near.csv")
  expect_output("near.csv", pairs_by_hand(x, x, 2, 0.4, own = TRUE))
  command("points.csv", "--radius", "1e-9", "--query", "queries.csv", "--out", "near.csv")
  expect_identical(readLines("near.csv"), "query,neighbor,rank,distance")
  expect_identical(sort(list.files(all.files = TRUE, no.. = TRUE)),
                   c("found.csv", "near.csv", "own.csv", "part.csv", "points.csv", "queries.csv"))
})

test_that("a saved tree gives the same output, and its columns are found by name", {
  local_files()
  x <- points_of_command()
  expect_identical(command("points.csv", "--save", "points.ctree")$status, 0L)
  expect_identical(dim(read_tree("points.ctree")), c(400L, 3L))
  query <- queries_of_command()
  write.csv(data.frame(name = "q", query[c(2, 3, 1)]), "more.csv", row.names = FALSE)
  for (file in c("queries.csv", "more.csv")) {
    expect_identical(command("points.ctree", "--query", file, "--k", "2", "--out", "found.csv")$status, 0L)
    expect_output("found.csv", pairs_by_hand(x, query, 2))
  }
  command("points.csv", "--columns", "c,a", "--query", "more.csv", "--k", "2", "--out", "found.csv")
  expect_output("found.csv", pairs_by_hand(x[c("c", "a")], query[c("c", "a")], 2))
  # Columns of other names are taken in their order.
  write.csv(setNames(query, c("u", "v", "w")), "other.csv", row.names = FALSE)
  command("points.ctree", "--columns", "u,v,w", "--query", "other.csv", "--k", "2", "--out", "found.csv")
  expect_output("found.csv", pairs_by_hand(x, query, 2))
  # A name that a tree does not need decides nothing: the file is known by its first bytes.
  file.copy("points.ctree", "tree")
  expect_identical(command("tree", "--query", "queries.csv", "--k", "2", "--out", "again.csv")$status, 0L)
  expect_output("again.csv", pairs_by_hand(x, query, 2))
})

test_that("files without names, with quotation marks, blank lines, a byte order mark and CRLF are read", {
  local_files()
  x <- points_of_command()
  write.table(x, "bare.csv", sep = ",", row.names = FALSE, col.names = FALSE)
  expect_identical(command("bare.csv", "--no-header", "--k", "1", "--out", "found.csv")$status, 0L)
  expect_output("found.csv", pairs_by_hand(x, x, 1, own = TRUE))
  command("bare.csv", "--no-header", "--columns", "V3,V1", "--query", "bare.csv", "--k", "2", "--out", "found.csv")
  expect_output("found.csv", pairs_by_hand(x[c(3, 1)], x[c(3, 1)], 2))
  writeLines(c("gr\xf6\xdfe,b", "1,2", "1,5"), "latin1.csv", useBytes = TRUE)
  expect_identical(command("latin1.csv", "--k", "1", "--out", "found.csv"), list(status = 0L, messages = character()))
  expect_equal(read.csv("found.csv")$distance, c(3, 3))
  lines <- c("\xef\xbb\xbf\"a\",b,c", apply(x, 1, function(row) sprintf("\"%s\", %s,%s", row[1], row[2], row[3])))
  connection <- gzfile("windows.csv.gz", "wb")
  writeLines(append(lines, "", 5), connection, sep = "\r\n", useBytes = TRUE)
  close(connection)
  expect_identical(command("windows.csv.gz", "--k", "1", "--out", "found.csv")$status, 0L)
  expect_output("found.csv", pairs_by_hand(x, x, 1, own = TRUE))
})

test_that("metrics are those of cover_tree()", {
  local_files()
  places <- round(data.frame(id = 1:30, lat = 70 * sin(1:30), lon = 170 * cos(5 * (1:30))), 4)
  write.csv(places, "places.csv", row.names = FALSE)
  write.csv(setNames(places[1:5, 3:2], c("longitude", "latitude")), "to.csv", row.names = FALSE)
  tree <- cover_tree(places[3:2], metric = metric_great_circle(unit = "mi"))
  sphere <- c("places.csv", "--columns", "lon,lat", "--metric", "great_circle", "--unit", "mi", "--k", "3")
  command(sphere, "--out", "found.csv")
  expect_output("found.csv", as.data.frame(knn_query(tree, k = 3)))
  command(sphere, "--query", "to.csv", "--out", "found.csv")
  expect_output("found.csv", as.data.frame(suppressMessages(knn_query(tree, places[1:5, 3:2], k = 3))))
  for (metric in c("manhattan", "chebyshev", "cosine")) {
    command("points.csv", "--metric", metric, "--k", "3", "--out", "found.csv", "--threads", "1")
    expect_output("found.csv", as.data.frame(knn_query(cover_tree(points_of_command(), metric = metric), k = 3)))
  }
})

test_that("parquet files are read, and written in chunks", {
  skip_if_not_installed("nanoparquet")
  local_files()
  x <- points_of_command()
  nanoparquet::write_parquet(cbind(name = "p", x), "points.parquet")
  done <- command("points.parquet", "--columns", "a,b,c", "--k", "3", "--chunk", "150", "--out", "found.parquet")
  expect_identical(done, list(status = 0L, messages = character()))
  expect_output("found.parquet", pairs_by_hand(x, x, 3, own = TRUE))
  command("points.csv", "--query", "points.parquet", "--radius", "1e-9", "--format", "parquet", "--out", "near")
  expect_identical(as.data.frame(nanoparquet::read_parquet("near"))$distance, numeric(400))
  command("points.csv", "--radius", "1e-9", "--out", "none.parquet")
  expect_identical(dim(nanoparquet::read_parquet("none.parquet")), c(0L, 4L))
  complaint <- command("points.parquet")
  expect_identical(complaint, list(status = 1L, messages = paste(
    "covertree: \"points.parquet\" must have numbers: column \"name\" is a character vector of length 400; choose columns",
    "with --columns")))
})

test_that("errors of usage have the status 2, and other errors 1; both say what is wrong and where", {
  local_files()
  x <- points_of_command()
  writeLines(character(), "empty.csv")
  writeLines("a,b,c", "none.csv")
  writeLines(c("a;b", "1;2"), "semicolon.csv")
  writeLines(c("a,b", "1,2", "3"), "short.csv")
  writeLines(c("a,b", "1,2", "3,\"4"), "open.csv")
  writeLines(c("a,b", "1,2", "", "NA,4"), "missing.csv")
  writeLines(c("a,b", "1,2", "", "3,Inf"), "infinite.csv")
  writeLines(c("1,2", "3,4"), "bare.csv")
  writeLines(c("a,a", "3,4"), "twice.csv")
  write.csv(cbind(x, name = "p"), "text.csv", row.names = FALSE)
  write.csv(x[1:2], "two.csv", row.names = FALSE)
  writeLines(c("lon,lat", "10,50", "10,95"), "far.csv")
  writeLines("no tree", "damaged.ctree")
  dir.create("folder")
  command("points.csv", "--save", "points.ctree")
  lines <- function(words) {
    done <- command(strsplit(words, " ")[[1]])
    expect(done$status > 0, paste("no error from", words))
    c(paste("$ covertree", words), paste0("  ", done$messages), paste0("  status ", done$status))
  }
  calls <- c("", "points.csv more.csv", "points.csv --neighbors 3", "points.csv --k", "points.csv --k --query q.csv",
             "points.csv --k=", "points.csv --k 0", "points.csv --k 2.5", "points.csv --k three", "points.csv --k 1 --k 2",
             "points.csv --radius -1", "points.csv --metric euclid", "points.csv --unit m",
             "points.csv --metric great_circle --unit feet", "points.csv --columns a,a", "points.csv --threads 0",
             "points.csv --format xlsx", "points.csv --format parquet", "points.csv --progress=yes",
             "points.csv --out points.csv", "points.csv --save x --out ./x", "- --query -",
             "points.ctree --metric manhattan", "points.ctree --save other.ctree")
  data <- c("nothing.csv", "folder", "empty.csv", "none.csv", "semicolon.csv", "short.csv", "open.csv", "missing.csv",
            "infinite.csv", "bare.csv", "text.csv", "points.csv --columns a,z", "twice.csv --columns a",
            "points.csv --query nothing.csv --out o.csv", "points.csv --query two.csv --out o.csv",
            "points.ctree --query text.csv --columns a,b,name --out o.csv", "points.csv --query bare.csv --out o.csv",
            "points.csv --query bare.csv --no-header --out o.csv", "points.ctree --query bare.csv --no-header --out o.csv",
            "damaged.ctree", "points.csv --out folder", "points.csv --out nowhere/o.csv",
            "points.csv --save nowhere/o.ctree", "far.csv --metric great_circle --out o.csv",
            "points.csv --metric jaccard --out o.csv")
  expect_snapshot(writeLines(unlist(lapply(calls, lines))))
  expect_snapshot(writeLines(unlist(lapply(data, lines))))
  expect_false(any(c("o.csv", "o.ctree", "x") %in% list.files()))
  expect_length(list.files(all.files = TRUE, pattern = "part$"), 0)
})

test_that("a failure leaves the old output", {
  local_files()
  writeLines("old", "found.csv")
  writeLines(c("a,b,c", "1,2,3", "1,2,x"), "late.csv")
  done <- command("points.csv", "--query", "late.csv", "--chunk", "1", "--out", "found.csv")
  expect_identical(done$messages, paste("covertree: \"late.csv\" must have numbers: line 3, column \"c\" is \"x\"; choose",
                                        "columns with --columns"))
  expect_identical(readLines("found.csv"), "old")
  expect_length(list.files(all.files = TRUE, pattern = "part$"), 0)
  skip_if_not(file.exists("/dev/full"))
  full <- csv_sink("/dev/full")
  expect_error(full$add(pairs_by_hand(points_of_command(), points_of_command()[1, ], 2)),
               "--out must be a place with space for the output", fixed = TRUE)
})

test_that("an unreadable file is an error of the system, with its reason", {
  skip_on_os("windows")
  local_files()
  Sys.chmod("points.csv", "000")
  skip_if(file.access("points.csv", 4) == 0)
  expect_identical(command("points.csv"), list(status = 1L, messages =
    "covertree: \"points.csv\" must be a file that can be read: got \"Permission denied\""))
})

test_that("the help lists every option, and the help page has the same texts", {
  help <- command_help()
  expect_lte(max(nchar(help)), 80)
  page <- paste(command_page(), collapse = "\n")
  for (option in command_options()) {
    expect_true(paste0("  ", option_label(option)) %in% help)
    expect_match(page, sprintf("\\verb{%s}", option_label(option)), fixed = TRUE)
  }
})

test_that("the script writes to standard output, and reports full disks; a closed pipe is no error", {
  skip_on_os("windows")
  local_files()
  local_env(c(R_TESTS = NA, R_LIBS = paste(.libPaths(), collapse = ":")))
  script <- system.file("exec", "covertree", package = "covertree")
  program <- paste(shQuote(file.path(R.home("bin"), "Rscript")), shQuote(script))
  shell <- function(...) {
    writeLines(gsub("covertree ", paste0(program, " "), c(...)), "run.sh")
    suppressWarnings(system2("sh", "run.sh", stdout = TRUE, stderr = TRUE))
  }
  expect_identical(shell("covertree --help"), command_help())
  command("points.csv", "--k", "2", "--out", "found.csv", "--query", "queries.csv")
  expect_identical(shell("covertree - --k 2 --query queries.csv < points.csv"), readLines("found.csv"))
  progress <- shell("covertree points.csv --k 2 --chunk 300 --progress > own.csv", "echo $?")
  expect_identical(progress, c("covertree: 300 of 400 queries", "covertree: 400 of 400 queries", "0"))
  expect_identical(shell("{ covertree points.csv --k 300 --chunk 20; echo status $? >&2; } | head -n 1"),
                   c("query,neighbor,rank,distance", "status 0"))
  expect_identical(attr(shell("covertree points.csv --k x"), "status"), 2L)
  skip_if_not(file.exists("/dev/full"))
  expect_identical(shell("covertree points.csv > /dev/full", "echo $?"),
                   c("covertree: the output must be a place that can be written to: got \"No space left on device\"", "1"))
})
