#' Write a tree to a file and open it
#'
#' `write_tree()` writes a tree to a file. `read_tree()` opens the file in about a millisecond,
#' whatever its size: it maps the file into memory, and the system reads the parts that a search
#' needs. All R processes of a machine that open the same file share one copy of it in memory.
#'
#' @param tree A tree from [cover_tree()] or [insert_points()] with any metric but a [metric_function()]. The kernel of a
#'   [residual_correlation()] must not be a [kernel_custom()]. A file has data only, no R function; use
#'   [saveRDS()] for such trees.
#' @param path The name of the file. An existing file is replaced.
#' @param verify `TRUE` to compare the checksums of all sections with their values when the file is
#'   opened. This reads the whole file.
#' @param map `FALSE` to read the file into the memory of this process instead of mapping it. The
#'   checksums of all arrays are then compared in any case. Where the system cannot map files, as on
#'   Windows, or is not little-endian, files are always read.
#'
#' @return `write_tree()` returns the path, invisibly. `read_tree()` returns a `cover_tree`. The results
#'   of all functions are those of the tree that was written, for any `verify` and `map`. The file
#'   has the arrays, the copy of the points in single precision that searches use, the names, the coordinate
#'   reference system of points of \pkg{sf}, and the metric with its data, such as the factors of a residual
#'   correlation. The results of calibrations (see
#'   [knn_query()]) and the prefix trees are not in the file.
#'
#' @section Replacing a file:
#' `write_tree()` writes to a temporary name in the same folder (`.NAME-....part`), waits until the data
#' are on the disk, and renames the file. If R or the machine stops before the rename, or the disk is
#' full, the old file is whole. A process that has the old file open keeps the old tree, even after the
#' file is removed. A link is followed, so the file to which it leads is replaced.
#'
#' @section What is checked:
#' `read_tree()` refuses a file that is not from `write_tree()`, is truncated, comes from a later
#' version, or whose head or description does not match its checksum. These are read, not mapped.
#'
#' The first use of the tree checks what the memory safety of searches depends on: the checksums of
#' the arrays of nodes, that links form a tree, that rows are a permutation, and that points are finite.
#' With a residual correlation, its factors are compared with their checksums as well. A changed
#' coordinate is not always noticed: then results are wrong, but R does not crash. `verify = TRUE`
#' notices every accidental change. Checksums do not protect against intent: open only files from a
#' source that you trust.
#'
#' While a tree is in use, no other program may change its file in place. If one does, results
#' are undefined. If one truncates the file, the system may end the R process when the missing part is
#' used, with the signal SIGBUS. `write_tree()` does neither. Use `map = FALSE` for a file that other
#' programs may change, and for a network drive that may disappear.
#'
#' @section Vectors of a mapped tree:
#' The vectors from [tree_arrays()] lie in the mapped file. They behave as other vectors: R changes
#' a copy, and [saveRDS()] writes their values, so that the saved tree needs no file. Where R code
#' written in C writes into such a vector nevertheless, the system makes a copy of the page for this
#' process; the file does not change.
#'
#' @section Layout of the file:
#' A file has a head and sections. Each begins at a multiple of 4096 bytes. All numbers are
#' little-endian. The head has 64 bytes: the magic bytes 89 43 56 54 0d 0a 1a 0a; as 32-bit integers
#' the byte order 0x01020304 and the version of the layout, 1; as a 64-bit integer the size of the file;
#' as 32-bit integers the number of sections and 4096; as a 64-bit integer the checksum of the head, in
#' which it counts as 0; zeros. An entry of 80 bytes follows for each section: the name in ASCII \[40
#' bytes\]; as 32-bit integers the type (1 bytes, 2 int32, 3 float32, 4 float64) and 0; as 64-bit
#' integers the offset, the number of values, the checksum and 0. Checksums are XXH64 with seed 0;
#' the checksum of the head is that of the entries with the checksum of the first 64 bytes as seed.
#'
#' The first section, `description`, has the small parts: settings, names, the metric, and the numbers
#' of the sections of the vectors. `R/file_values.R` in the sources documents its bytes. The
#' sections `arrays/NAME` are the vectors of [tree_arrays()], matrices by column. `tiles/points` has the
#' coordinates in single precision, for each tile of up to 16 points 16 values of each coordinate.
#' `tiles/lower` and `tiles/upper` are the bounds of the tiles, `tiles/node_lower` and
#' `tiles/node_upper` those of the nodes, by column with padding. Other sections are long vectors of
#' the metric.
#'
#' @section Errors:
#' `write_tree()` stops if `tree` is not a tree, is damaged, or has a metric that is an R function; if
#' `path` is not a string, is a folder or another thing that is not a file, or is in a folder that does
#' not exist; and if the system cannot write the file, with the message of the system. `read_tree()`
#' stops if `path` is not the name of a file that can be read and was written by `write_tree()`; if the
#' file is damaged (see above); and if `verify` or `map` is not `TRUE` or `FALSE`.
#'
#' @section Cost:
#' `write_tree()`: time to compute checksums of the data and to write them, constant memory. The size
#' of the file is that of the arrays and of the copy in single precision ([cover_tree()]), about 46 bytes
#' for a point in 3 dimensions. `read_tree()`: time proportional to the names of rows and columns, else
#' constant. The first use reads the
#' arrays once, from the disk if they are not in memory: about 0.05 seconds of computing time for 10
#' million points in 3 dimensions. `verify = TRUE`: about three times as much. A tree in use needs
#' memory of its own of about 1% of the file.
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

# The description of a file: the version of the package, the kind of object, and its parts.
describe_file <- function(tree, into) {
  version <- as.character(utils::packageVersion("covertree"))
  parts <- if (is_grown_tree(tree)) list(forest = mget(forest_names, envir = tree$forest))
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
                  grown_tree = c("forest", "space", "crs"))
  if (!is.list(parts) || !identical(names(parts), names)) damaged_description()
  space <- with_seal(parts$space, function(state) state[c("metric", "fit", "code", "x")], TRUE)
  crs <- if (!is.null(parts$crs)) structure(parts$crs, class = "crs")
  if (kind == "grown_tree") return(grown_tree_of_file(parts$forest, space, crs))
  if (typeof(parts$pointer) != "externalptr") damaged_description()
  new_cover_tree(parts$pointer, with_seal(parts$metric, state_parts, FALSE), space, crs)
}

grown_tree_of_file <- function(forest, space, crs) {
  known <- is.list(forest) && identical(names(forest), forest_names) && is.list(forest$parts) &&
    all(vapply(forest$parts, function(part) is.list(part) && typeof(part$pointer) == "externalptr", NA))
  if (!known) damaged_description()
  grown_tree(forest, space, crs)
}

# A seal is an external pointer: its checksums are written in its place.
without_seal <- function(state) {
  if (is.null(state)) return(NULL)
  state$seal <- .Call(r_seal_sums, state$seal)
  state
}

# The state of a metric with a seal. `sealed`: a function that returns what it covers. `fresh`: whether
# it counts as checked; otherwise its first use compares the checksums.
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
  if (kind == 3) fail("path must be the name of a file: got something else, \"%s\"", path)
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
  if (kind != 1) {
    fail("path must be a file that write_tree() wrote: got %s, \"%s\"",
         c("a name without a file", "", "a folder", "something else")[kind + 1], path)
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
