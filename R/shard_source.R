# Sources of points for cover_forest(), which are read twice, one chunk at a time. The first pass
# counts the points, finds their range and draws a sample. The second pass assigns the points to
# shards.

SOURCE_CHUNK <- 250000 # the rows of a chunk of a .csv file

# Returns a function of the number of a chunk, from 1, whose value is a matrix or data frame, or
# NULL after the last chunk.
open_source <- function(source, metric) {
  if (is.function(source)) {
    if (!takes_arguments(source, 1)) {
      fail("source must be a function of the number of a chunk: got a function of no arguments")
    }
    return(source)
  }
  if (is.character(source)) return(file_source(source))
  points <- if (is.data.frame(source) && !is_sf(source)) source else check_metric_points(source, metric, "source")
  function(i) if (i == 1) points
}

# Reads several files one after the other.
file_source <- function(paths) {
  if (length(paths) == 0 || anyNA(paths)) fail("source must be paths of files: got %s", describe(paths))
  missing <- which(!file.exists(paths) | dir.exists(paths))
  if (length(missing) > 0) fail("source must be files that exist: element %d is \"%s\"", missing[1], paths[missing[1]])
  is_csv <- grepl("[.]csv$", paths, ignore.case = TRUE)
  wrong <- which(!is_csv & !grepl("[.](parquet|pq)$", paths, ignore.case = TRUE))
  if (length(wrong) > 0) {
    fail("source must be files named .csv or .parquet, or a function that returns chunks: element %d is \"%s\"",
         wrong[1], paths[wrong[1]])
  }
  readers <- Map(function(path, is_csv) if (is_csv) csv_source(path) else parquet_source(path), paths, is_csv)
  file <- chunk <- NULL
  read <- function(i) {
    if (i == 1) {
      file <<- 1
      chunk <<- 0
    }
    while (file <= length(readers)) {
      chunk <<- chunk + 1
      points <- readers[[file]](chunk)
      if (!is.null(points)) return(points)
      file <<- file + 1
      chunk <<- 0
    }
  }
  structure(read, close_files = function() for (reader in readers) close_source(reader))
}

# Closes the files that a source reads, after the last chunk or an error.
close_source <- function(source) {
  close_files <- attr(source, "close_files")
  if (is.function(close_files)) close_files()
}

# A file of numbers separated by commas, with column names in the first line. Numbers are read
# directly; if that fails, open_csv() reads the file again as text, and names the first wrong line.
csv_source <- function(path) {
  label <- sprintf("source \"%s\"", path)
  connection <- NULL
  names <- NULL
  close_file <- function() {
    if (!is.null(connection)) close(connection)
    connection <<- NULL
  }
  read <- function(i) {
    if (i == 1) {
      close_file()
      connection <<- open_text(path, label)
      names <<- header_of(readLines(connection, 1, warn = FALSE), FALSE, label, "add a line of names")
    }
    values <- tryCatch(
      scan(connection, 0, sep = ",", nlines = SOURCE_CHUNK, quiet = TRUE, quote = "\"", multi.line = FALSE),
      error = function(e) {
        close_file()
        refuse_csv(path, label)
      }
    )
    if (length(values) > 0 && length(values) %% length(names) == 0) {
      return(matrix(values, ncol = length(names), byrow = TRUE, dimnames = list(NULL, names)))
    }
    close_file()
    if (length(values) > 0) refuse_csv(path, label)
  }
  structure(read, close_files = close_file)
}

# Stops with a message about the first wrong line of a file that scan() cannot read.
refuse_csv <- function(path, label) {
  rows <- open_csv(path, label, FALSE, NULL, NULL, "")
  on.exit(rows$close())
  while (!is.null(rows$read(SOURCE_CHUNK))) NULL
  fail("%s must have only numbers after its first line, without quotation marks", label)
}

# The file is one chunk: nanoparquet reads whole files.
parquet_source <- function(path) {
  if (!requireNamespace("nanoparquet", quietly = TRUE)) {
    fail(paste("source must be .csv files or a function, because the package nanoparquet, which reads .parquet",
               "files, is not installed: got \"%s\""), path)
  }
  function(i) if (i == 1) as.data.frame(nanoparquet::read_parquet(path))
}

# Returns a chunk as a matrix of finite doubles with the columns of the first chunk, or NULL.
read_chunk <- function(source, metric, i, like = NULL) {
  chunk <- source(i)
  if (is.null(chunk)) return(NULL)
  what <- sprintf("chunk %d of source", i)
  chunk <- check_metric_points(chunk, metric, what)
  if (is.null(like)) return(chunk)
  if (ncol(chunk) != like$d) {
    fail("%s must have as many columns as the first, %d: got %d", what, like$d, ncol(chunk))
  }
  match_columns(chunk, like$names, what, "the first chunk")
}

# Calls use(chunk, first, i) for each chunk that has rows; `first` is the number of its first row.
for_chunks <- function(source, metric, use) {
  like <- NULL
  i <- 0
  rows <- 0
  repeat {
    i <- i + 1
    chunk <- read_chunk(source, metric, i, like)
    if (is.null(chunk)) return(list(n = rows, d = like$d, names = like$names))
    if (is.null(like)) like <- list(d = ncol(chunk), names = colnames(chunk))
    if (nrow(chunk) == 0) next
    use(chunk, rows + 1, i)
    rows <- rows + nrow(chunk)
  }
}

# The first pass. Returns list(n, d, names, fit, lower, upper, sample): the number of points, the
# range of their coordinates by the metric, and a sample of `size` to 2 `size` points with
# equidistant row numbers. The sample has every `stride`-th row; if it gets larger than 2 `size`,
# stride doubles.
survey_source <- function(source, metric, size) {
  kept <- list()
  kept_rows <- list()
  stride <- 1
  lower <- upper <- NULL
  fit <- fit_periods(source, metric)
  thin <- function() {
    while (sum(lengths(kept_rows)) > 2 * size) {
      stride <<- 2 * stride
      for (i in seq_along(kept)) {
        stays <- (kept_rows[[i]] - 1) %% stride == 0
        kept[[i]] <<- kept[[i]][stays, , drop = FALSE]
        kept_rows[[i]] <<- kept_rows[[i]][stays]
      }
    }
  }
  about <- for_chunks(source, metric, function(chunk, first, i) {
    if (is.null(fit)) fit <<- fit_metric_of(metric, chunk)
    z <- coordinates_of(metric, fit, chunk, sprintf("chunk %d of source", i))
    extent <- .Call(r_column_range, z)
    lower <<- pmin(extent[1, ], if (is.null(lower)) Inf else lower)
    upper <<- pmax(extent[2, ], if (is.null(upper)) -Inf else upper)
    at <- seq(1 + (1 - first) %% stride, by = stride, length.out = ceiling((nrow(z) - (1 - first) %% stride) / stride))
    kept[[length(kept) + 1]] <<- z[at, , drop = FALSE]
    kept_rows[[length(kept_rows) + 1]] <<- first + at - 1
    thin()
  })
  if (about$n == 0) fail("source must have at least one row: got none")
  c(about, list(fit = fit, lower = lower, upper = upper, sample = unname(do.call(rbind, kept))))
}

# The coordinates of points by a metric; see metric_space().
coordinates_of <- function(metric, fit, x, what) {
  if (is.null(metric)) unname(x) else unname(metric_coordinates(metric, fit, x, what))
}

fit_metric_of <- function(metric, x) if (is.null(metric)) list() else fit_metric(metric, x)

# Returns the fit of a metric_periodic(), whose periods begin at the least values of all points;
# NULL for other metrics, which need only the columns of the first chunk.
fit_periods <- function(source, metric) {
  if (is.null(metric) || metric$kind != "periodic") return(NULL)
  extent <- NULL
  about <- for_chunks(source, metric, function(chunk, first, i) {
    extent <<- .Call(r_column_range, rbind(extent, .Call(r_column_range, chunk)))
  })
  if (is.null(extent)) return(NULL)
  colnames(extent) <- about$names
  fit_metric(metric, extent)
}

# Divides the Hilbert curve through the box of all points into `shards` ranges with about equal
# numbers of sampled points. Returns list(corners [2 x d], split [shards - 1 x d]): the box, and the
# first point of each range but the first.
divide_curve <- function(survey, shards) {
  sample <- survey$sample
  corners <- rbind(survey$lower, survey$upper)
  along <- .Call(r_hilbert_order, rbind(corners, sample), NULL)
  along <- along[along > 2] - 2L
  at <- ceiling(seq_len(shards - 1) * nrow(sample) / shards) + 1
  list(corners = corners, split = sample[along[pmin(at, nrow(sample))], , drop = FALSE])
}

# Returns the number of the range of the curve for each point of z. The corners make the curve the
# same for all chunks. A point in the same cell of the curve as the first point of a range belongs
# to this range.
deal_points <- function(z, curve) {
  fixed <- nrow(curve$corners) + nrow(curve$split)
  along <- .Call(r_hilbert_order, rbind(curve$corners, curve$split, z), NULL)
  begins <- along > 2 & along <= fixed
  range <- cumsum(begins) + 1L
  shard <- integer(nrow(z))
  is_point <- along > fixed
  shard[along[is_point] - fixed] <- range[is_point]
  shard
}

# The second pass: writes the points of each shard and their row numbers to files in `directory`,
# from which spooled_points() reads them. Returns the number of points of each shard.
spool_source <- function(source, survey, metric, curve, directory) {
  count <- numeric(nrow(curve$split) + 1)
  about <- for_chunks(source, metric, function(chunk, first, i) {
    z <- coordinates_of(metric, survey$fit, chunk, sprintf("chunk %d of source", i))
    shard <- deal_points(z, curve)
    for (s in unique(shard)) {
      at <- which(shard == s)
      append_doubles(t(chunk[at, , drop = FALSE]), spool_file(directory, s, "points"))
      append_doubles(first + at - 1, spool_file(directory, s, "rows"))
      count[s] <<- count[s] + length(at)
    }
  })
  if (!identical(about[c("n", "d", "names")], survey[c("n", "d", "names")])) {
    fail("source must return the same chunks each time: got %s rows, then %s", big_number(survey$n),
         big_number(about$n))
  }
  count
}

spool_file <- function(directory, shard, what) file.path(directory, sprintf("%s-%d.spool", what, shard))

append_doubles <- function(values, path) {
  connection <- file(path, "ab")
  on.exit(close(connection))
  writeBin(as.vector(values), connection)
}

# Reads list(x [count x d], rows) of a shard.
spooled_points <- function(spool) {
  read <- function(what, size) readBin(spool_file(spool$directory, spool$shard, what), "double", size)
  x <- matrix(read("points", spool$count * spool$d), ncol = spool$d, byrow = TRUE)
  rows <- read("rows", spool$count)
  if (length(x) != spool$count * spool$d || length(rows) != spool$count) {
    fail("the file %s must have %s points: it was changed", spool_file(spool$directory, spool$shard, "points"),
         big_number(spool$count))
  }
  list(x = x, rows = rows)
}
