#' Trees in files
#'
#' `write_tree()` writes a tree to a file. `read_tree()` opens such a file: it maps the file into
#' memory instead of reading it.
#'
#' @param tree A tree from [cover_tree()] with any metric but a [metric_function()] or a
#'   [kernel_custom()].
#' @param path The name of the file.
#' @export
write_tree <- function(tree, path) {
  check_tree(tree)
  refuse_functions(tree)
  path <- check_new_file(path)
  into <- new_sections()
  description <- list(package = as.character(utils::packageVersion("covertree")), value = tree)
  into$sections[[1]] <- encode_value(description, into, "")
  write_sections(path, into)
  invisible(path)
}

# Stops if the metric of a tree is an R function: a file has data only.
refuse_functions <- function(tree) {
  what <- if (is_function_tree(tree)) "a metric_function()"
          else if (!is.null(tree$metric) && is_custom(tree$metric$metric$kernel)) "a kernel_custom()"
  if (!is.null(what)) {
    fail("tree must have a metric of numbers alone, because a file keeps no R function: got %s; use saveRDS()",
         what)
  }
  if (!is.null(tree$metric)) check_state(tree$metric, dim(.Call(r_tree_arrays, tree$pointer)$points))
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
#' @param verify Whether to compare the checksums of all numbers when the file is opened.
#' @param map Whether to map the file; otherwise it is read into memory.
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
  value <- tryCatch(decode_value(from)$value, error = function(e) fail("%s", conditionMessage(e)))
  if (!inherits(value, "cover_tree")) damaged_description()
  if (verify) .Call(r_tree_arrays, check_tree(value))
  value
}
