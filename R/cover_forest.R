#' Divide points into trees that different processes search
#'
#' Divides points into *shards*, builds a cover tree for each, and returns an index over all of
#' them. [knn_query()] and [radius_query()] take it in place of a tree and give the same result as
#' for one tree over all points, bit for bit. The points need never be together in one process:
#' neither when the shards are built nor when they are searched.
#'
#' @param source The points: a numeric matrix or a data frame; or a function of i = 1, 2, ... that
#'   returns the i-th chunk of the points as a matrix or data frame, and `NULL` after the last; or
#'   the paths of one or more files: `.csv` files of numbers with column names in the first line, of
#'   which 250,000 lines are read at a time, or `.parquet` files, each of which is one chunk, and
#'   for which the package \pkg{nanoparquet} must be installed. Chunks are read twice (three times
#'   with [metric_periodic()]) and must be the same each time. The rows are numbered in the order of
#'   the chunks.
#' @param shards The number of shards: a whole number of at least 1. A shard without points is left
#'   out.
#' @param metric The distance: one of the [metrics] by coordinates. A residual correlation, a
#'   [metric_function()] and [metric_gower()] are not permitted, because their distances need more
#'   than the points of one shard.
#' @param path The directory for the files of the shards, which is created if it does not exist. All
#'   processes that take part must be able to read and write it. `NULL`: a temporary directory of
#'   this session, which is removed at its end.
#' @param sample The size of the sample of points that determines the shards: it has between `sample`
#'   and 2 `sample` points, if there are so many.
#' @param leaf_size See [cover_tree()].
#' @param threads The number of threads of each process; `NULL`: its default ([covertree_threads()])
#'   divided by the number of workers.
#' @param max_open The largest number of shards that a process keeps in memory, at least 1. A
#'   process that is asked for another one reads its file, and forgets the one that it has not used
#'   for longest.
#'
#' @return An object of class `covertree_shards`, with methods for `print()`, `summary()` (the
#'   boxes, sizes and files of the shards), `length()`, `dim()` and `dimnames()`. It does not
#'   contain the points. It can be saved and used in another session as long as the files exist. A
#'   shard has two files: its tree, as [write_tree()] writes it, and the row numbers. Their names
#'   begin with a random name of the forest, so that a directory can have the files of several
#'   forests.
#'
#' @section How the points are divided:
#' The sample is ordered along a Hilbert curve through the bounding box of all points
#' ([hilbert_order()]), and the curve is divided into ranges with equal numbers of sampled points.
#' The points of a range are a shard. The forest keeps the bounding box of each shard, up to 128
#' smaller boxes that contain its points, the smallest row number and the number of points.
#'
#' @section How queries are answered:
#' First, each query searches one shard: an own point searches the shard that contains it, another
#' point the shard with the nearest box. The distance of the k-th neighbor found there bounds the
#' distance of all neighbors. Then the query searches the other shards that have a box within this
#' distance, with this distance as `max_distance`. The results are merged by (distance, row). A
#' search within a radius searches the shards with a box within the radius. With `predecessor =
#' TRUE`, a query searches only shards whose smallest row is below its row. `epsilon` and `budget`
#' are not available.
#'
#' @section Other functions:
#' [knn_graph()], [knn_predict()] and [saveRDS()] accept a forest. [as_neighbors()] and
#' [knn_stats()] accept its results. All other functions of a tree stop, such as [recall_of()],
#' [validate_tree()] and the functions that change or return points. The tree of shard i is a file:
#' `read_tree(paste0(summary(forest)$file[i], ".tree"))` opens it, with its own row numbers.
#'
#' @section Workers:
#' The shards are built and searched
#' \itemize{
#'   \item by the daemons of \pkg{mirai}, if that package is loaded and daemons are connected
#'     (`mirai::daemons()`): on this machine, by SSH, or by the scheduler of a cluster;
#'   \item otherwise by the plan of \pkg{future}, if that package is loaded and the plan is not
#'     sequential;
#'   \item otherwise in this process, one shard after the other.
#' }
#' Any worker can serve any shard, because a shard is a file; a worker keeps the shards in memory
#' that it has opened. If a worker dies, its tasks are given to another one, up to three times. If
#' no worker can answer, the call stops and names the shard: no result lacks a part of the points.
#' All workers must have the same version of this package; another version is an error.
#'
#' @section Errors:
#' Stops if `source` is not as described, returns other columns or other numbers of rows in another
#' chunk or pass, has a value that is not finite, or has no row; if a `.csv` file has numbers in its
#' first line, or text below (the message names the line and the column); if `metric` is not permitted; if
#' `shards`, `path`, `sample`, `leaf_size`, `threads` or `max_open` is not as described; and if a
#' shard cannot be built.
#'
#' @section Cost:
#' Time: two passes over the source in this process, each O(n d), and the builds of the trees by the
#' workers. Memory: in this process a chunk, the sample, and 16 d bytes for each of the 128 boxes of
#' a shard; in a worker the points of a shard, twice while it is built, and `max_open` shards while
#' it answers, with their prefix trees after a search of predecessors (see [knn_query()]). Processes
#' of one machine share the memory of a tree that several processes have opened. On the disk: the
#' files, about 14 d + 10 bytes for each point, and 8 d + 8 bytes for each point while they are
#' divided, unless `source` is a matrix. Queries: see `vignette("forest")`.
#'
#' @seealso [cover_tree()] for points that fit into one process.
#'
#' @examples
#' x <- as.matrix(quakes[, 1:3])
#' forest <- cover_forest(x, shards = 4)
#' forest
#' identical(knn_query(forest, k = 3), knn_query(cover_tree(x), k = 3))
#'
#' # A function that returns one chunk at a time.
#' chunk <- function(i) if (i <= 10) x[(100 * i - 99):(100 * i), ]
#' knn_query(cover_forest(chunk, shards = 4), query = x[1:2, ], k = 2)
#' @export
cover_forest <- function(source, shards = 8, metric = "euclidean", path = NULL, sample = 10000,
                         leaf_size = NULL, threads = NULL, max_open = Inf) {
  if (missing(source)) fail("source must be points, a function or a file: got nothing")
  metric <- check_forest_metric(metric)
  settings <- list(leaf_size = if (!is.null(leaf_size)) check_count(leaf_size, "leaf_size"),
                   threads = check_threads(threads),
                   max_open = if (identical(max_open, Inf)) Inf else check_count(max_open, "max_open"))
  shards <- check_count(shards, "shards")
  sample <- check_count(sample, "sample")
  points <- open_source(source, metric)
  on.exit(close_source(points))
  survey <- survey_source(points, metric, max(sample, 8 * shards))
  check_extent(rbind(survey$lower, survey$upper), "source", sqrt(length(survey$lower)))
  curve <- divide_curve(survey, min(shards, survey$n))
  directory <- check_directory(path)
  id <- basename(tempfile("forest-"))
  place <- function(s) list(number = s, file = file.path(directory, sprintf("%s-%d", id, s)), id = id)
  tasks <- if (is.matrix(source) || is.data.frame(source)) {
    memory_tasks(points, survey, metric, curve)
  } else {
    # The files are removed when all shards have been built, or one could not be.
    spool <- file.path(directory, paste0("points-", id))
    on.exit(unlink(spool, recursive = TRUE), add = TRUE)
    file_tasks(points, survey, metric, curve, spool)
  }
  places <- lapply(seq_along(tasks), place)
  tasks <- Map(function(task, shard) {
    c(list(do = "build", shard = shard, metric = metric, fit = survey$fit, names = survey$names, n = survey$n), task,
      settings["leaf_size"], settings["threads"])
  }, tasks, places)
  outermost <- begin_progress("cover_forest")
  on.exit(end_progress(outermost), add = TRUE)
  built <- run_tasks(tasks, function(task) sprintf("shard %d", task$shard$number))
  new_shards(built, places, survey, metric, settings)
}

# Tasks to build the shards of points in memory.
memory_tasks <- function(source, survey, metric, curve) {
  x <- read_chunk(source, metric, 1)
  shard <- deal_points(coordinates_of(metric, survey$fit, x, "source"), curve)
  parts <- split(seq_len(nrow(x)), shard)
  lapply(unname(parts), function(rows) list(x = x[rows, , drop = FALSE], rows = rows))
}

# Tasks to build the shards of points in files, which this function writes.
file_tasks <- function(source, survey, metric, curve, spool) {
  if (!dir.create(spool)) fail("path must be a directory that can be written: %s cannot be created", spool)
  count <- spool_source(source, survey, metric, curve, spool)
  lapply(which(count > 0), function(s) {
    list(spool = list(directory = spool, shard = s, count = count[s], d = survey$d))
  })
}

check_forest_metric <- function(metric) {
  metric <- check_metric(metric)
  if (is_residual(metric) || is_function_metric(metric) || is_gower(metric)) {
    fail("metric must be one by coordinates, whose distances do not depend on other points: got %s",
         if (is_gower(metric)) paste("the", metric_label(metric)) else describe(metric))
  }
  metric
}

check_directory <- function(path) {
  if (is.null(path)) path <- tempfile("forest-")
  if (!is.character(path) || length(path) != 1 || is.na(path)) {
    fail("path must be NULL or one directory: got %s", describe(path))
  }
  if (!dir.exists(path) && !dir.create(path, showWarnings = FALSE)) {
    fail("path must be a directory that can be written: got \"%s\"", path)
  }
  normalizePath(path)
}

# The forest, from what build_shard() returns for each shard.
new_shards <- function(built, places, survey, metric, settings) {
  bind <- function(name) do.call(rbind, lapply(built, `[[`, name))
  count <- vapply(built, `[[`, 0, "count")
  if (sum(count) != survey$n) fail("internal error: the shards have %.0f rows, not %.0f", sum(count), survey$n)
  shards <- Map(function(place, one) c(place, list(count = one$count, smallest = one$smallest)), places, built)
  boxes <- list(lower = bind("lower"), upper = bind("upper"),
                begin = as.integer(cumsum(c(0, vapply(built, function(one) nrow(one$box_lower), 0L)))),
                box_lower = bind("box_lower"), box_upper = bind("box_upper"))
  structure(
    list(shards = shards, boxes = boxes, n = if (survey$n <= .Machine$integer.max) as.integer(survey$n) else survey$n, d = survey$d, names = survey$names, metric = metric,
         fit = survey$fit, code = if (!is.null(metric)) search_code(metric, ncol(boxes$lower), survey$fit),
         threads = settings$threads, max_open = settings$max_open),
    class = "covertree_shards"
  )
}

is_shards <- function(tree) !missing(tree) && inherits(tree, "covertree_shards")

check_shards <- function(forest) {
  known <- c("shards", "boxes", "n", "d", "names", "metric", "fit", "code", "threads", "max_open")
  parts <- unclass(forest)
  sound <- is.list(parts) && identical(names(parts), known) && tryCatch({
    sum(vapply(parts$shards, function(shard) as.double(shard$count), 0)) == parts$n &&
      identical(dim(parts$boxes$lower), dim(parts$boxes$upper)) && nrow(parts$boxes$lower) == length(parts$shards) &&
      is_number(parts$d)
  }, error = function(e) FALSE)
  if (!isTRUE(sound)) {
    fail("tree must have the elements that cover_forest() gave it: it was edited, or built by another version of covertree")
  }
}

#' @export
length.covertree_shards <- function(x) unclass(x)$n

#' @export
dim.covertree_shards <- function(x) c(unclass(x)$n, unclass(x)$d)

#' @export
dimnames.covertree_shards <- function(x) if (!is.null(unclass(x)$names)) list(NULL, unclass(x)$names)

#' @export
format.covertree_shards <- function(x, ...) {
  check_shards(x)
  parts <- unclass(x)
  sprintf("<cover_forest: %s point%s in %d dimension%s, in %d shard%s%s>", big_number(parts$n), plural(parts$n),
          parts$d, plural(parts$d), length(parts$shards), plural(length(parts$shards)),
          if (!is.null(parts$metric)) paste0(", by ", metric_label(parts$metric)) else "")
}

#' @export
print.covertree_shards <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}

#' @export
str.covertree_shards <- function(object, ...) cat(format(object), "\n", sep = "")

#' @method all.equal covertree_shards
#' @export
all.equal.covertree_shards <- function(target, current, ...) all.equal(unclass(target), unclass(current), ...)

#' @export
summary.covertree_shards <- function(object, ...) {
  check_shards(object)
  parts <- unclass(object)
  value <- function(name) vapply(parts$shards, function(shard) as.double(shard[[name]]), 0)
  data.frame(shard = seq_along(parts$shards), points = value("count"), smallest_row = value("smallest"),
             boxes = diff(parts$boxes$begin), file = vapply(parts$shards, `[[`, "", "file"))
}

#' @export
as.matrix.covertree_shards <- function(x, ...) {
  fail("tree must be one tree: got a forest, whose points are in the files of %d shards; read_tree() opens one of them",
       length(unclass(x)$shards))
}
