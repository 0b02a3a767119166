#' Write a tree to a file and open it
#'
#' `write_tree()` writes a tree to a file. `read_tree()` opens the file in about a millisecond,
#' independent of its size: the file is mapped into memory, and the system reads the pages that a
#' search needs. All R processes of a machine that open the same file share one copy in memory.
#'
#' @param tree A tree from [cover_tree()] or [insert_points()] with any metric except a
#'   [metric_function()]. The kernel of a [residual_correlation()] must not be a [kernel_custom()].
#'   The reason is that a file has only data and no R function; use [saveRDS()] for such trees.
#' @param path The name of the file. An existing file is replaced.
#' @param verify `TRUE` to check all sections against their checksums when the file is opened. This
#'   reads the whole file.
#' @param map `FALSE` to read the file into the memory of this process instead of mapping it. All
#'   arrays are then checked against their checksums. Files are always read on systems that cannot
#'   map files, such as Windows, or that are not little-endian.
#'
#' @return `write_tree()` returns the path, invisibly. `read_tree()` returns a `cover_tree`, with
#'   the same results of all functions as the tree that was written, for any `verify` and `map`. The
#'   file contains the arrays, the copy of the points in single precision that searches use, the
#'   names, the coordinate reference system of points of \pkg{sf}, and the metric with its data,
#'   such as the factors of a residual correlation. It does not contain the results of calibrations
#'   (see [knn_query()]) and the prefix trees.
#'
#' @section Replacing a file:
#' `write_tree()` writes to a temporary name in the same folder (`.NAME-....part`), waits until the
#' data are on the disk, and renames the file. If R or the machine stops before the rename, or the
#' disk is full, the old file is unchanged. A process that has opened the old file keeps the old
#' tree, even after the file is removed. If `path` is a link, the file to which it leads is
#' replaced.
#' @section Checks:
#' `read_tree()` stops if the file is not from `write_tree()`, is truncated, or comes from a later
#' version, and if the head or the description does not match its checksum. The head and the
#' description are read, not mapped.
#'
#' The first use of the tree checks every property on which the memory safety of searches depends:
#' the arrays of nodes match their checksums, links form a tree, rows are a permutation, and points
#' are finite. The factors of a residual correlation are also checked against their checksums. This
#' check does not always detect a changed coordinate: results are then wrong, but R does not crash.
#' `verify = TRUE` detects every accidental change. Checksums do not protect against intended
#' changes: open only files from a source that you trust.
#'
#' While a tree is in use, no other program may change its file in place. If a program does, results
#' are undefined. If a program truncates the file, the system may end the R process with the signal
#' SIGBUS. `write_tree()` does neither. Use `map = FALSE` for a file that other programs may change,
#' and for a network drive that may disappear.
#'
#' @section Vectors of a mapped tree:
#' The vectors from [tree_arrays()] are in the mapped file. They behave as other vectors: an
#' assignment changes a copy, and [saveRDS()] writes the values, so that the saved tree does not
#' need the file. If C code writes into such a vector, the system makes a copy of the page for this
#' process, and the file does not change.
#'
#' @section Layout of the file:
#' A file has a head and sections. The head and each section begin at a multiple of 4096 bytes. All
#' numbers are little-endian. The head begins with 64 bytes:
#' \itemize{
#'   \item the magic bytes 89 43 56 54 0d 0a 1a 0a;
#'   \item the byte order 0x01020304 and the version of the layout, 1 \[two int32\];
#'   \item the size of the file in bytes \[int64\];
#'   \item the number of sections, and 4096 \[two int32\];
#'   \item the checksum of the head \[int64\], which is computed with 0 in its place;
#'   \item zeros.
#' }
#'
#' An entry of 80 bytes follows for each section:
#' \itemize{
#'   \item the name in ASCII \[40 bytes\];
#'   \item the type (1 bytes, 2 int32, 3 float32, 4 float64), and 0 \[two int32\];
#'   \item the offset, the number of values, the checksum, and 0 \[four int64\].
#' }
#'
#' Checksums are XXH64 with seed 0. The checksum of the head is the checksum of the entries, with
#' the checksum of the first 64 bytes as seed.
#'
#' The first section, `description`, contains the small values: settings, names, the metric, and the
#' numbers of the sections with the vectors. `R/file_values.R` in the sources documents its bytes.
#' The sections `arrays/NAME` are the vectors of [tree_arrays()], matrices by column. `tiles/points`
#' has the coordinates in single precision, for each tile of up to 16 points 16 values of each
#' coordinate. `tiles/lower` and `tiles/upper` are the bounds of the tiles, and `tiles/node_lower`
#' and `tiles/node_upper` the bounds of the nodes, by column with padding. The other sections are
#' long vectors of the metric.
#'
#' @section Errors:
#' `write_tree()` stops if `tree` is not a tree, is damaged, or has a metric that is an R function;
#' if `path` is not a string, names something that is not a file, or is in a folder that does not
#' exist; and if the system cannot write the file, with the message of the system. `read_tree()`
#' stops if `path` is not the name of a file that can be read and was written by `write_tree()`; if
#' the file is damaged (see above); and if `verify` or `map` is not `TRUE` or `FALSE`.
#'
#' @section Cost:
#' `write_tree()`: time to compute the checksums of the data and to write the data; constant memory.
#' The file contains the arrays and the copy in single precision (see [cover_tree()]), about 46
#' bytes for a point in 3 dimensions. `read_tree()`: constant time, except for the names of rows and
#' columns. The first use reads the arrays once, from the disk if they are not in memory; it takes
#' about 0.05 seconds of computing time for 10 million points in 3 dimensions, and about three times
#' as much with `verify = TRUE`. A tree in use needs additional memory of about 1% of the file.
#'
#' @seealso [saveRDS()] also saves trees with R functions; [cover_forest()] divides points into
#'   several files.
#'
#' @examples
#' path <- tempfile(fileext = ".tree")
#' tree <- cover_tree(as.matrix(quakes[, 1:3]))
#' write_tree(tree, path)
#' again <- read_tree(path)
#' identical(knn_query(again, k = 3), knn_query(tree, k = 3))
#' unlink(path)
#' @export
write_tree <- function(tree, path) {
  check_tree(tree)
  refuse_functions(tree)
  path <- check_new_file(path)
  into <- new_sections()
  into$sections[[1]] <- describe_file(tree, into)
  write_sections(path, into)
  invisible(path)
}

# The bytes of the description of a file: the version of the package, the kind of tree, and its
# elements.
describe_file <- function(tree, into) {
  version <- as.character(utils::packageVersion("covertree"))
  parts <- if (is_grown_tree(tree)) list(state = mget(state_names, envir = tree$state))
           else list(pointer = tree$pointer, metric = without_seal(tree$metric))
  parts["space"] <- list(without_seal(tree$space))
  parts["crs"] <- list(if (!is.null(attr(tree, "crs"))) unclass(attr(tree, "crs")))
  kind <- if (is_grown_tree(tree)) "grown_tree" else "cover_tree"
  c(encode_value(version, into, "package"), encode_value(kind, into, "kind"), encode_value(parts, into, ""))
}

# The tree of such a description.
tree_of_description <- function(from) {
  decode_value(from)
  kind <- decode_value(from)
  parts <- decode_value(from)
  names <- switch(kind, cover_tree = c("pointer", "metric", "space", "crs"),
                  grown_tree = c("state", "space", "crs"))
  if (!is.list(parts) || !identical(names(parts), names)) damaged_description()
  space <- with_seal(parts$space, function(state) state[c("metric", "fit", "code", "x")], TRUE)
  crs <- if (!is.null(parts$crs)) structure(parts$crs, class = "crs")
  if (kind == "grown_tree") return(grown_tree_of_file(parts$state, space, crs))
  if (typeof(parts$pointer) != "externalptr") damaged_description()
  new_cover_tree(parts$pointer, with_seal(parts$metric, state_parts, FALSE), space, crs)
}

grown_tree_of_file <- function(state, space, crs) {
  known <- is.list(state) && identical(names(state), state_names) && is.list(state$parts) &&
    all(vapply(state$parts, function(part) is.list(part) && typeof(part$pointer) == "externalptr", NA))
  if (!known) damaged_description()
  grown_tree(state, space, crs)
}

# Replaces the seal, which is an external pointer, by its checksums.
without_seal <- function(state) {
  if (is.null(state)) return(NULL)
  state$seal <- .Call(r_seal_sums, state$seal)
  state
}

# Replaces checksums by a seal in the state of a metric. `sealed`: a function that returns the
# sealed values. `fresh`: whether the values count as checked; otherwise their first use compares
# the checksums.
with_seal <- function(state, sealed, fresh) {
  if (is.null(state)) return(NULL)
  if (!is.list(state) || !is.character(state$seal)) damaged_description()
  state$seal <- .Call(r_seal_from_sums, state$seal, sealed(state), fresh)
  state
}

# Stops if the metric of a tree is an R function: a file has data only.
refuse_functions <- function(tree) {
  what <- if (is_function_tree(tree)) "a metric_function()"
          else if (!is.null(tree$metric) && is_custom(tree$metric$metric$kernel)) "a kernel_custom()"
  if (!is.null(what)) {
    fail("tree must have a metric of numbers alone, because a file keeps no R function: got %s; use saveRDS()",
         what)
  }
  if (!is_grown_tree(tree) && !is.null(tree$metric)) check_state(tree$metric, dim(.Call(r_tree_arrays, tree$pointer)$points))
}

# The path with links resolved, so that the file is replaced, not the link.
check_new_file <- function(path) {
  path <- check_path(path)
  kind <- .Call(r_path_kind, path)
  if (kind == 2) fail("path must be the name of a file: got a folder, \"%s\"", path)
  if (kind == 3) fail("path must be the name of a file: got a device or a pipe, \"%s\"", path)
  path <- normalizePath(path, mustWork = FALSE)
  if (.Call(r_path_kind, dirname(path)) != 2) {
    fail("path must be in a folder that exists: got \"%s\"", path)
  }
  path
}

check_path <- function(path) {
  if (missing(path)) fail("path must be the name of a file: got nothing")
  if (!is.character(path) || length(path) != 1 || is.na(path) || !nzchar(path)) {
    fail("path must be the name of a file: got %s", describe(path))
  }
  path.expand(path)
}

# Writes to a temporary name in the same folder and renames: a failure leaves the old file.
write_sections <- function(path, into) {
  temporary <- tempfile(paste0(".", basename(path), "-"), dirname(path), ".part")
  on.exit(unlink(temporary))
  wrong <- .Call(r_file_write, temporary, into$sections, into$names)
  if (is.null(wrong) && !suppressWarnings(file.rename(temporary, path))) wrong <- "the file cannot be replaced"
  if (!is.null(wrong)) fail("path must be a place that can be written to: got \"%s\" for \"%s\"", wrong, path)
  .Call(r_sync_folder, dirname(path))
}

#' @rdname write_tree
#' @export
read_tree <- function(path, verify = FALSE, map = TRUE) {
  path <- check_path(path)
  verify <- check_flag(verify, "verify")
  map <- check_flag(map, "map")
  kind <- .Call(r_path_kind, path)
  if (kind == 0) fail("path must be a file that exists: got \"%s\"", path)
  if (kind != 1) {
    fail("path must be a file that write_tree() wrote: got %s, \"%s\"",
         if (kind == 2) "a folder" else "a device or a pipe", path)
  }
  file <- .Call(r_file_open, path, map)
  on.exit(.Call(r_file_close, file))
  if (verify) .Call(r_file_verify, file)
  from <- new_decoder(.Call(r_file_section, file, 1L, raw(), NULL), file)
  tree <- tryCatch(tree_of_description(from), error = function(e) {
    if (is.null(conditionCall(e))) stop(e) else damaged_description()
  })
  if (verify) check_tree(tree)
  tree
}
