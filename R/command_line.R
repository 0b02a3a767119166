# The program exec/covertree: its options, its help and its work. R/command_line_files.R reads and
# writes its files.

#' Find neighbors from the command line
#'
#' The program `covertree` finds the nearest neighbors of the points in a file, from a shell or a
#' script, without any R code. `covertree --help` prints the sections below.
#'
#' The program is in the folder of the installed package. On Linux and macOS, this line in a shell
#' makes it a command for a user whose `PATH` contains `~/.local/bin`:
#'
#' \preformatted{ln -s "$(Rscript -e 'cat(system.file("exec", "covertree", package = "covertree"))')" ~/.local/bin/}
#'
#' On all systems, including Windows, `Rscript` runs it by its path: \verb{Rscript
#' PATH/covertree/exec/covertree points.csv}. It uses the package that it is a part of.
#'
#' @section Files of any size:
#' Queries are read, answered and written in chunks of `--chunk` rows, also if the queries are the
#' points of the tree. So a .csv file of queries, and the output, can be larger than the memory. The
#' points of the tree must fit into memory, or be in a saved tree, which the system reads page by
#' page ([read_tree()]). A .parquet file is read as a whole. The output file gets its name when it is
#' complete; until then, it has a temporary name in the same folder. A failure therefore leaves an
#' old file unchanged. An output to a full disk is an error.
#'
#' @eval command_page()
#' @section Errors:
#' A message on the standard error states the file, the line and the column of a wrong value. The
#' program stops at a value that is not a finite number, a line with another number of values than
#' the first line, a file without column names, missing columns, and a file that cannot be read or
#' written. Blank lines are skipped.
#'
#' @section Cost:
#' That of [cover_tree()], or of [read_tree()] for a saved tree, and of [knn_query()] or
#' [radius_query()]; in addition about 1 microsecond for each value that is read, and about 1
#' microsecond for each neighbor that is written. Memory: about 150 bytes for each neighbor of
#' a chunk, and for a .csv file of points, the lines of a chunk of 250,000 lines and two copies of the
#' coordinates. `--radius` without `--k` can find many points for each query; a smaller `--chunk` then
#' limits the memory.
#'
#' @seealso [cover_tree()], [knn_query()] and [radius_query()] in R; [write_tree()]
#' @name covertree_cli
#' @aliases command_line
NULL

# An option: its name, the word for its value in the help (NULL: it has none), its value from a
# string, and its description. A condition that read() signals is an error of usage.
new_option <- function(name, value, read, text) list(name = name, value = value, read = read, text = text)

# Returns the number that a string contains, or the string.
read_number <- function(text) {
  value <- suppressWarnings(as.numeric(text))
  if (is.na(value)) text else value
}

count_option <- function(name, text) {
  new_option(name, "NUMBER", function(value) check_count(read_number(value), paste0("--", name)), text)
}

text_option <- function(name, value, text) new_option(name, value, identity, text)

choice_option <- function(name, choices, text) {
  new_option(name, "NAME", function(value) check_choice(value, choices, paste0("--", name)), text)
}

flag_option <- function(name, text) new_option(name, NULL, NULL, text)

read_radius <- function(text) naming("radius", "--radius", check_radius(read_number(text)))

read_columns <- function(text) {
  names <- trimws(strsplit(text, ",", fixed = TRUE)[[1]])
  if (length(names) == 0 || !all(nzchar(names)) || anyDuplicated(names)) {
    fail("--columns must be different names of columns, with commas between them: got %s", describe(text))
  }
  names
}

command_metrics <- function() c(metric_names, "great_circle")

command_options <- function() {
  list(
    text_option("query", "FILE", paste(
      "find the neighbors of the points in this file (.csv, .parquet, or - for standard input); without it,",
      "of the points of the tree, which are not their own neighbors")),
    count_option("k", "the number of neighbors of a query; 10 if neither --k nor --radius is given"),
    new_option("radius", "NUMBER", read_radius,
               "find the points within this distance of a query; with --k, the k nearest of them"),
    choice_option("metric", command_metrics(), paste(
      "the distance: euclidean (the default), manhattan, maximum (or chebyshev), cosine, angular, hamming,",
      "jaccard, or great_circle for longitude and latitude in degrees; a saved tree has its own metric")),
    choice_option("unit", names(earth_radius), paste(
      "the unit of great-circle distances: km (the default), m, mi, nmi, degrees or radians")),
    new_option("columns", "A,B,...", read_columns, paste(
      "use these columns of the file with the points; with a saved tree, of the file with the queries")),
    flag_option("no-header", "the first line of a .csv file has numbers; the columns are V1, V2, ..."),
    text_option("save", "FILE", paste(
      "save the tree, so that a later call reads it in place of the points; without --k, --radius, --query and",
      "--out, do nothing else")),
    text_option("out", "FILE", "write the neighbors to this file; without it, to standard output"),
    choice_option("format", c("csv", "parquet"), paste(
      "the format of the output; without it, parquet for a file named .parquet or .pq, otherwise csv")),
    count_option("chunk", paste(
      "answer this number of queries at a time; less takes less memory. The default depends on --k")),
    count_option("threads", "the number of threads; without it, as covertree_threads() describes"),
    flag_option("progress", "print the progress also if the standard error is not a terminal"),
    flag_option("version", "print the version"),
    flag_option("help", "print this help")
  )
}

# ---- help -------------------------------------------------------------------------------------------

# The texts that --help and the help page ?covertree_cli share.
command_inputs <- c(
  POINTS = paste("a file with a point in each line and a column for each coordinate, with column names in the",
                 "first line: .csv, also compressed, .parquet (which needs the package nanoparquet), or - for .csv",
                 "from standard input"),
  TREE = "a file that --save or write_tree() wrote")

command_output <- paste(
  "The output has the columns query, neighbor, rank and distance. query and neighbor are the numbers of",
  "rows, from 1. Each query has its neighbors in the order of their distance, with the ranks 1, 2, ...; equal",
  "distances are ordered by row. A query without neighbors has no line. Columns of queries and points are matched",
  "by name; further columns of queries are not used. Distances have 15 to 17 digits, as many as necessary to",
  "read the same number back.")

command_exits <- c("0" = "success, also if the reader of the output closed the pipe",
                   "1" = "an error in the data, or of the system", "2" = "an error in the options",
                   "130" = "an interrupt")

command_examples <- c(
  "covertree points.csv --k 10 --out neighbors.csv",
  "covertree places.csv --columns lon,lat --metric great_circle --radius 5",
  "covertree points.csv --save points.ctree",
  "covertree points.ctree --query queries.csv --k 1 --out nearest.parquet")

command_help <- function() {
  item <- function(name, text) c(paste0("  ", name), strwrap(text, 78, 6, 6))
  items <- function(texts) unlist(Map(item, names(texts), texts), use.names = FALSE)
  options <- command_options()
  texts <- lapply(options, `[[`, "text")
  names(texts) <- vapply(options, option_label, "")
  c("covertree: finds the exact nearest neighbors of the points in a file", "",
    "Usage:", "  covertree POINTS [options]", "  covertree TREE [options]", "",
    items(command_inputs), "", "Options:", items(texts), "", strwrap(command_output, 78), "",
    "Exit status:", items(command_exits), "", "Examples:", paste0("  ", command_examples))
}

option_label <- function(option) {
  paste0("--", option$name, if (!is.null(option$value)) paste0(" ", option$value))
}

# Sections of the help page ?covertree_cli, as lines of roxygen comments.
command_page <- function() {
  escape <- function(text) gsub("(--[a-z]+)", "\\\\code{\\1}", gsub("%", "\\\\%", text))
  items <- function(texts) c("\\describe{", sprintf("\\item{\\verb{%s}}{%s}", names(texts), escape(texts)), "}")
  options <- command_options()
  texts <- vapply(options, `[[`, "", "text")
  names(texts) <- vapply(options, option_label, "")
  c("@section Inputs:", items(command_inputs), "@section Options:", items(texts),
    "@section Output:", escape(command_output), "@section Exit status:", items(command_exits),
    "@section Examples of calls:", "\\preformatted{", command_examples, "}")
}

# ---- options ----------------------------------------------------------------------------------------

# Stops with an error of usage, which has the exit status 2.
usage <- function(...) stop(structure(class = c("covertree_usage", "error", "condition"),
                                      list(message = sprintf(...), call = NULL)))

# Returns the options as a list, with the input as `input`.
parse_command <- function(arguments) {
  options <- command_options()
  names(options) <- vapply(options, `[[`, "", "name")
  given <- list()
  i <- 0
  while (i < length(arguments)) {
    i <- i + 1
    word <- arguments[i]
    if (!startsWith(word, "-") || word == "-") {
      if (!is.null(given$input)) {
        usage("there must be one file with points, or one with a tree: got \"%s\" and \"%s\"", given$input, word)
      }
      given$input <- word
      next
    }
    name <- sub("^--?([^=]*).*$", "\\1", word)
    option <- options[[name]]
    if (is.null(option)) usage("%s is not an option", sub("=.*", "", word))
    if (!is.null(given[[name]])) usage("--%s must be given once", name)
    value <- if (grepl("=", word)) sub("^[^=]*=", "", word)
    if (is.null(option$value)) {
      if (!is.null(value)) usage("--%s must have no value: got \"%s\"", name, value)
      given[[name]] <- TRUE
      next
    }
    if (is.null(value)) {
      i <- i + 1
      if (i > length(arguments) || startsWith(arguments[i], "--")) {
        usage("--%s must be followed by %s: got %s", name, option$value,
              if (i > length(arguments)) "nothing" else arguments[i])
      }
      value <- arguments[i]
    }
    if (!nzchar(value)) usage("--%s must be followed by %s: got an empty word", name, option$value)
    given[[name]] <- tryCatch(option$read(value), error = function(e) usage("%s", conditionMessage(e)))
  }
  given
}

# Stops if options contradict each other. Returns them with those that follow from others.
complete_command <- function(given) {
  if (is.null(given$input)) usage("a file with points or with a tree must be given")
  given$is_tree <- is_tree_file(given$input)
  given$searches <- is.null(given$save) || any(c("query", "k", "radius", "out") %in% names(given))
  if (given$is_tree) {
    for (name in intersect(c("metric", "unit", "save"), names(given))) {
      usage("--%s needs a file with points: got a saved tree, \"%s\"", name, given$input)
    }
  }
  if (!is.null(given$unit) && !identical(given$metric, "great_circle")) {
    usage("--unit needs --metric great_circle: got %s",
          if (is.null(given$metric)) "no --metric" else paste("--metric", given$metric))
  }
  if (identical(given$query, "-") && given$input == "-") {
    usage("standard input must be read once: got - for the points and for --query")
  }
  if (is.null(given$k) && is.null(given$radius)) given$k <- 10L
  if (is.null(given$format)) given$format <- if (is_parquet(given$out)) "parquet" else "csv"
  if (given$format == "parquet" && is.null(given$out)) usage("--format parquet needs --out FILE")
  if (is.null(given$chunk)) given$chunk <- if (is.null(given$k)) 1e4 else max(1000, min(1e5, 2e6 %/% given$k))
  check_outputs(given)
  given
}

# Stops if two files that are written are the same, or one is read, too.
check_outputs <- function(given) {
  full <- function(path) {
    if (file.exists(path)) return(normalizePath(path))
    file.path(normalizePath(dirname(path), mustWork = FALSE), basename(path))
  }
  same <- function(a, b) !is.null(a) && !is.null(b) && full(a) == full(b)
  for (output in c("out", "save")) {
    for (other in setdiff(c("input", "query", "save"), output)) {
      if (same(given[[output]], given[[other]])) {
        usage("--%s must be another file than %s: got \"%s\"", output,
              if (other == "input") "the input" else paste0("--", other), given[[output]])
      }
    }
  }
}

# ---- work -------------------------------------------------------------------------------------------

# Runs the program. Returns its exit status. exec/covertree calls it.
command_status <- function(arguments) {
  tell <- function(...) cat("covertree: ", sprintf(...), "\n", sep = "", file = stderr())
  code <- function() {
    given <- parse_command(arguments)
    if (!is.null(given$help)) write_output_lines(command_help())
    else if (!is.null(given$version)) write_output_lines(paste("covertree", utils::packageVersion("covertree")))
    else answer_command(complete_command(given))
    0L
  }
  tryCatch(
    withCallingHandlers(code(), covertree_reordered = function(m) invokeRestart("muffleMessage"),
                        warning = function(w) {
                          tell("warning: %s", conditionMessage(w))
                          invokeRestart("muffleWarning")
                        }),
    covertree_closed_pipe = function(e) 0L,
    covertree_usage = function(e) {
      tell("%s\nThe options are listed by covertree --help", conditionMessage(e))
      2L
    },
    interrupt = function(e) {
      tell("interrupted")
      130L
    },
    error = function(e) {
      tell("%s", conditionMessage(e))
      1L
    }
  )
}

answer_command <- function(given) {
  # All files are checked first, so that errors come before a tree is built.
  check_input(given$query, "--query")
  if (!is.null(given$save)) naming("path", "--save", check_new_file(given$save))
  sink <- if (given$searches) open_sink(given)
  on.exit(if (given$searches) sink$discard())
  tree <- if (given$is_tree) naming("path", "the input", read_tree(given$input)) else tree_of_command(given)
  if (!is.null(given$save)) naming("path", "--save", write_tree(tree, given$save))
  if (!given$searches) return(invisible())
  tell <- progress_teller(given)
  if (is.null(given$query)) answer_own(tree, given, sink, tell) else answer_file(tree, given, sink, tell)
  tell()
  sink$finish()
}

tree_of_command <- function(given) {
  points <- open_rows(given$input, "the input", given, given$columns)
  on.exit(points$close())
  chunks <- list()
  while (!is.null(chunk <- points$read(READ_LINES))) chunks[[length(chunks) + 1]] <- chunk
  if (length(chunks) == 0) fail("%s must have at least one point: got none", points$label)
  metric <- if (is.null(given$metric)) "euclidean" else given$metric
  if (metric == "great_circle") metric <- metric_great_circle(unit = if (is.null(given$unit)) "km" else given$unit)
  naming("x", points$label, cover_tree(do.call(rbind, chunks), metric = metric, threads = given$threads))
}

# Answers all points of the tree, in chunks of rows.
answer_own <- function(tree, given, sink, tell) {
  rows <- tree_rows(tree)
  for (first in seq(1, by = given$chunk, length.out = ceiling(length(rows) / given$chunk))) {
    asked <- rows[first:min(first + given$chunk - 1, length(rows))]
    sink$add(command_pairs(search_command(tree, NULL, asked, given), asked))
    tell(min(first + given$chunk - 1, length(rows)), length(rows))
  }
}

# Answers the points of a file, chunk by chunk.
answer_file <- function(tree, given, sink, tell) {
  queries <- open_rows(given$query, "--query", given, query_columns(tree, given), tree)
  on.exit(queries$close())
  done <- 0
  while (!is.null(query <- queries$read(given$chunk))) {
    found <- naming("query", queries$label, search_command(tree, query, NULL, given))
    sink$add(command_pairs(found, done + seq_len(nrow(query))))
    done <- done + nrow(query)
    tell(done)
  }
}

search_command <- function(tree, query, rows, given) {
  control <- knn_control(progress = FALSE)
  if (is.null(given$k)) {
    return(radius_query(tree, query, given$radius, rows = rows, threads = given$threads, control = control))
  }
  limit <- if (is.null(given$radius)) Inf else given$radius
  knn_query(tree, query, given$k, rows = rows, max_distance = limit, threads = given$threads, control = control)
}

# Returns the pairs of a result as a data frame, ordered by query and rank. `queries`: the numbers
# of the queries.
command_pairs <- function(found, queries) {
  if (is.list(found$index)) {
    return(data.frame(query = rep(queries, found$count), neighbor = as.integer(unlist(found$index)),
                      rank = sequence(found$count), distance = as.double(unlist(found$distance))))
  }
  attr(found, "rows") <- NULL
  pairs <- as.data.frame(found)
  pairs$query <- queries[pairs$query]
  pairs
}

# Returns a function of the number of answered queries and of all queries, which prints them. A call
# without arguments ends the line of a terminal.
progress_teller <- function(given) {
  terminal <- isatty(stderr())
  if (!terminal && is.null(given$progress)) return(function(done, all) NULL)
  function(done = NULL, all = NULL) {
    of_all <- if (!is.null(all)) paste(" of", big_number(all))
    line <- if (!is.null(done)) c(if (terminal) "\r", "covertree: ", big_number(done), of_all, " queries")
    cat(line, if (terminal == is.null(done)) "\n", sep = "", file = stderr())
  }
}
