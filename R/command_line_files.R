# Files of the program exec/covertree: points and queries, read chunk by chunk, and neighbors, written
# chunk by chunk.

READ_LINES <- 250000 # the lines that are read at a time if all points are needed
WRITE_LINES <- 100000 # the lines that are written at a time

is_parquet <- function(path) !is.null(path) && grepl("[.](parquet|pq)$", path, ignore.case = TRUE)

# Whether a file is a saved tree, by its name or its first bytes (src/core/file/section_file.h).
is_tree_file <- function(path) {
  if (grepl("[.]ctree$", path, ignore.case = TRUE)) return(TRUE)
  if (path == "-" || .Call(r_path_kind, path.expand(path)) != 1) return(FALSE)
  first <- tryCatch(suppressWarnings(readBin(path, "raw", 4)), error = function(e) raw())
  identical(first, as.raw(c(0x89, 0x43, 0x56, 0x54)))
}

# ---- reading ----------------------------------------------------------------------------------------

# Opens a file of points. Returns list(label, read, close): the file in words for messages; a
# function of a number of rows whose value is a matrix of at most this number of rows, or NULL after
# the last row; a function that closes the file. `what`: the file in the words of the user.
# `columns`: the names of the columns to read, or NULL for all. `tree`: the tree of which the points
# are queries.
open_rows <- function(path, what, given, columns, tree = NULL) {
  check_input(path, what)
  open <- if (is_parquet(path)) open_parquet else open_csv
  open(path, if (path == "-") "standard input" else quoted(path), !is.null(given[["no-header"]]), columns, tree)
}

check_input <- function(path, what) {
  if (is.null(path) || path == "-") return(invisible())
  kind <- .Call(r_path_kind, path.expand(path))
  if (kind == 0) fail("%s must be a file that exists: got %s", what, quoted(path))
  if (kind == 2) fail("%s must be a file: got a folder, %s", what, quoted(path))
}

# Returns the columns of the tree that a file of queries must have, or NULL for all of its columns.
query_columns <- function(tree, given) {
  if (given$is_tree && !is.null(given$columns)) return(given$columns)
  dimnames(tree)[[2]]
}

# Returns the numbers of the columns to read of a file with these names, in the order of `columns`. Queries
# without a line of names are matched by position if the tree has other names.
choose_columns <- function(names, columns, tree, label, no_header = FALSE) {
  if (no_header && !is.null(tree) && !all(columns %in% names)) columns <- NULL
  if (is.null(columns)) return(seq_along(names))
  own <- names
  if (identical(tree$space$metric$kind, "great_circle") && !all(columns %in% names)) {
    own <- sphere_names(names)
    columns <- sphere_names(columns)
  }
  absent <- setdiff(columns, own)
  if (length(absent) > 0) fail("%s must have the columns %s: got %s", label, quoted(columns), quoted(names))
  twice <- intersect(columns, own[duplicated(own)])
  if (length(twice) > 0) fail("%s must have one column %s: got several", label, quoted(twice[1]))
  match(columns, own)
}

# Returns the names for the columns that are read. Queries get the names of the tree if these do not
# occur, so that their columns are matched by position.
name_columns <- function(names, tree) {
  own <- if (!is.null(tree)) dimnames(tree)[[2]]
  if (length(own) == length(names) && !any(sphere_names(own) %in% sphere_names(names))) own else names
}

# Opens a connection. An error states the reason of the system.
open_text <- function(path, label) {
  reason <- "no reason is known"
  tryCatch(
    withCallingHandlers(file(if (path == "-") "stdin" else path, "r"), warning = function(w) {
      reason <<- sub("^.*: ", "", conditionMessage(w))
      invokeRestart("muffleWarning")
    }),
    error = function(e) fail("%s must be a file that can be read: got \"%s\"", label, reason)
  )
}

# Opens a .csv file. Lines are read as text first, so that messages can name a line.
open_csv <- function(path, label, no_header, columns, tree, advice = "; choose columns with --columns") {
  connection <- open_text(path, label)
  opened <- TRUE
  close_file <- function() {
    if (opened) close(connection)
    opened <<- FALSE
  }
  done <- FALSE
  on.exit(if (!done) close_file())
  pending <- readLines(connection, 1, warn = FALSE)
  names <- header_of(pending, no_header, label, "add a line of names, or use --no-header")
  lines <- if (no_header) 0 else 1
  if (!no_header) pending <- NULL
  at <- choose_columns(names, columns, tree, label, no_header)
  kept <- name_columns(names[at], tree)
  read <- function(size) {
    text <- readLines(connection, size - length(pending), warn = FALSE, skipNul = TRUE)
    text <- c(pending, text)
    pending <<- NULL
    if (length(text) == 0) return(NULL)
    points <- parse_lines(text, names, at, lines, label, advice)
    lines <<- lines + length(text)
    if (nrow(points) == 0) return(read(size))
    colnames(points) <- kept
    points
  }
  done <- TRUE
  list(label = label, read = read, close = close_file)
}

# Returns the names of the columns in the first line of a file. `advice`: what a user can do about a
# line of numbers. Numbers in quotation marks are names.
header_of <- function(line, no_header, label, advice) {
  if (length(line) == 0) {
    fail("%s must have %s in its first line: got an empty file", label, if (no_header) "numbers" else "column names")
  }
  line <- sub("^\xef\xbb\xbf", "", line, useBytes = TRUE)
  connection <- textConnection(line, encoding = "bytes")
  on.exit(close(connection))
  names <- suppressWarnings(scan(connection, "", sep = ",", quote = "\"", quiet = TRUE, strip.white = TRUE))
  if (no_header) return(paste0("V", seq_along(names)))
  if (length(names) == 0) fail("%s must have column names in its first line: got an empty line", label)
  if (!grepl("\"", line, fixed = TRUE, useBytes = TRUE) && all(!is.na(suppressWarnings(as.numeric(names))))) {
    fail("%s must have column names in its first line: got numbers, %s; %s", label,
         toString(names, width = 60), advice)
  }
  names
}

# Returns the columns `at` of lines as a matrix of finite numbers. `before`: the number of lines
# before these lines. `advice`: the end of a message about a text.
parse_lines <- function(lines, names, at, before, label, advice) {
  is_blank <- !grepl("[^[:space:]]", lines, useBytes = TRUE)
  numbers <- which(!is_blank)
  lines <- lines[numbers]
  values <- scan_columns(lines, length(names), at, 0)
  if (is.null(values)) values <- lapply(scan_texts(lines, names, at, before + numbers, label, advice), as.numeric)
  values <- matrix(unlist(values), length(lines), length(at))
  where <- .Call(r_first_nonfinite, values)
  if (!is.null(where)) {
    fail("%s must have finite numbers: line %.0f, column %s is %s", label, before + numbers[where[1]],
         quoted(names[at[where[2]]]), format(values[where[1], where[2]]))
  }
  values
}

# Returns the columns `at` of lines with `fields` values each as vectors of the type of `what`, or
# NULL if a line has another number of values, or values of another type.
scan_columns <- function(lines, fields, at, what) {
  types <- rep(list(NULL), fields)
  types[at] <- list(what)
  connection <- textConnection(lines, encoding = "bytes")
  on.exit(close(connection))
  values <- tryCatch(
    scan(connection, types, sep = ",", quote = "\"", multi.line = FALSE, quiet = TRUE, strip.white = TRUE,
         na.strings = if (is.character(what)) character() else "NA"),
    error = function(e) NULL, warning = function(w) NULL
  )
  if (all(lengths(values[at]) == length(lines))) values[at]
}

# The same as texts, each of which is a number or missing. Stops at the first line that is not.
# `numbers`: the numbers of the lines.
scan_texts <- function(lines, names, at, numbers, label, advice) {
  texts <- scan_columns(lines, length(names), at, "")
  if (is.null(texts)) refuse_fields(lines, names, numbers, label)
  is_number <- vapply(texts, function(text) {
    text %in% c("", "NA") | !is.na(suppressWarnings(as.numeric(text))) | text == "NaN"
  }, logical(length(lines)))
  wrong <- which(!matrix(is_number, length(lines)), arr.ind = TRUE)
  if (length(wrong) > 0) {
    wrong <- wrong[order(wrong[, 1], wrong[, 2])[1], ]
    fail("%s must have numbers: line %.0f, column %s is %s%s", label, numbers[wrong[1]], quoted(names[at[wrong[2]]]),
         quoted(texts[[wrong[2]]][wrong[1]]),
         if (length(names) == 1 && grepl("[;\t]", names)) "; separate columns by commas" else advice)
  }
  lapply(texts, function(text) replace(text, text %in% c("", "NA"), NA))
}

refuse_fields <- function(lines, names, numbers, label) {
  for (i in seq_along(lines)) {
    connection <- textConnection(lines[i], encoding = "bytes")
    fields <- utils::count.fields(connection, sep = ",", quote = "\"")
    close(connection)
    if (is.na(fields[1])) fail("%s must have closed quotation marks: line %.0f has an open one", label, numbers[i])
    if (fields[1] != length(names)) {
      fail("%s must have %d value%s in each line, one for each column name: line %.0f has %d", label, length(names),
           plural(length(names)), numbers[i], fields[1])
    }
  }
  fail("%s must have lines of values with commas between them: lines %.0f to %.0f cannot be read", label,
       numbers[1], numbers[length(numbers)])
}

# Opens a .parquet file: nanoparquet reads whole files.
open_parquet <- function(path, label, no_header, columns, tree) {
  need_package("nanoparquet", label)
  frame <- tryCatch(as.data.frame(nanoparquet::read_parquet(path)), error = function(e) {
    fail("%s must be a file that can be read: got \"%s\"", label, conditionMessage(e))
  })
  at <- choose_columns(names(frame), columns, tree, label)
  frame <- frame[at]
  kept <- name_columns(names(frame), tree)
  done <- 0
  read <- function(size) {
    if (done >= nrow(frame)) return(NULL)
    rows <- (done + 1):min(done + size, nrow(frame))
    done <<- done + length(rows)
    points <- parquet_points(frame[rows, , drop = FALSE], rows[1] - 1, label)
    colnames(points) <- kept
    points
  }
  list(label = label, read = read, close = function() NULL)
}

parquet_points <- function(frame, before, label) {
  is_plain <- vapply(frame, function(column) is.numeric(column) && !is.object(column), NA)
  if (!all(is_plain)) {
    j <- which(!is_plain)[1]
    fail("%s must have numbers: column %s is %s; choose columns with --columns", label, quoted(names(frame)[j]),
         describe(frame[[j]]))
  }
  points <- as.matrix(frame)
  storage.mode(points) <- "double"
  where <- .Call(r_first_nonfinite, points)
  if (!is.null(where)) {
    fail("%s must have finite numbers: row %.0f, column %s is %s", label, before + where[1],
         quoted(names(frame)[where[2]]), format(points[where[1], where[2]]))
  }
  points
}

# ---- writing ----------------------------------------------------------------------------------------

# Opens the output. Returns list(add, finish, discard): a function that appends a data frame of
# pairs; a function that completes the output; a function that removes an output that is not
# complete. A file gets its name in finish(), so that a failure leaves an old file.
open_sink <- function(given) {
  if (is.null(given$out)) return(output_sink())
  path <- naming("path", "--out", check_new_file(given$out))
  if (given$format == "parquet") need_package("nanoparquet", "--format parquet")
  temporary <- tempfile(paste0(".", basename(path), "-"), dirname(path), ".part")
  create <- tryCatch(suppressWarnings(file.create(temporary)), error = function(e) FALSE)
  if (!create) fail("--out must be a place that can be written to: got \"%s\"", path)
  sink <- if (given$format == "parquet") parquet_sink(temporary) else csv_sink(temporary)
  list(
    add = sink$add,
    finish = function() {
      sink$finish()
      if (!suppressWarnings(file.rename(temporary, path))) {
        fail("--out must be a file that can be replaced: got \"%s\"", path)
      }
      .Call(r_sync_folder, dirname(path))
    },
    discard = function() unlink(temporary)
  )
}

pair_names <- c("query", "neighbor", "rank", "distance")

bytes_of_lines <- function(lines) charToRaw(paste(c(lines, ""), collapse = "\n"))

# Appends bytes with use(bytes), after a first line with the names of the columns.
csv_writer <- function(use) {
  started <- FALSE
  begin <- function() if (!started) use(bytes_of_lines(paste(pair_names, collapse = ",")))
  list(add = function(pairs) {
    begin()
    started <<- TRUE
    query <- as.double(pairs$query)
    for (done in seq(0, by = WRITE_LINES, length.out = ceiling(nrow(pairs) / WRITE_LINES))) {
      use(.Call(r_csv_lines, query, pairs$neighbor, pairs$rank, pairs$distance, done,
                min(done + WRITE_LINES, nrow(pairs))))
    }
  }, finish = begin)
}

output_sink <- function() c(csv_writer(write_output), list(discard = function() NULL))

write_output_lines <- function(lines) write_output(bytes_of_lines(lines))

# Writes bytes to the standard output. Signals covertree_closed_pipe if nothing reads them.
write_output <- function(bytes) {
  done <- 0
  while (done < length(bytes)) {
    written <- .Call(r_write_output, bytes, done)
    if (is.character(written)) fail("the output must be a place that can be written to: got \"%s\"", written)
    if (written < 0) {
      stop(structure(class = c("covertree_closed_pipe", "error", "condition"),
                     list(message = "the reader of the output has closed the pipe", call = NULL)))
    }
    done <- done + written
  }
}

# Appends lines to a file. Its size shows whether the system wrote all bytes.
csv_sink <- function(path) {
  size <- 0
  append <- function(bytes) {
    connection <- file(path, "ab")
    on.exit(close(connection))
    writeBin(bytes, connection)
  }
  csv_writer(function(bytes) {
    suppressWarnings(append(bytes))
    size <<- size + length(bytes)
    if (!isTRUE(file.size(path) == size)) {
      fail("--out must be a place with space for the output: got a file that ends after %s of %s bytes",
           big_number(file.size(path)), big_number(size))
    }
  })
}

# Appends row groups to a .parquet file.
parquet_sink <- function(path) {
  rows <- 0
  none <- data.frame(query = numeric(), neighbor = integer(), rank = integer(), distance = numeric())
  write <- function(pairs) {
    pairs$query <- as.double(pairs$query)
    if (rows == 0) nanoparquet::write_parquet(pairs, path)
    else nanoparquet::append_parquet(pairs, path, options = nanoparquet::parquet_options(keep_row_groups = TRUE))
    rows <<- rows + nrow(pairs)
  }
  list(
    add = function(pairs) if (nrow(pairs) > 0) write(pairs),
    finish = function() {
      if (rows == 0) write(none)
      written <- tryCatch(nanoparquet::read_parquet_info(path)$num_rows, error = function(e) 0)
      if (written != rows) {
        fail("--out must be a place with space for the output: got a file with %s of %s rows", big_number(written),
             big_number(rows))
      }
    }
  )
}
