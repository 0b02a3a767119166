# R values as bytes for a file of a tree, and back: NULL, vectors, lists, their attributes, and the
# arrays of trees. The code is R code, so damaged bytes cannot corrupt memory. A value that is code
# (a function, an environment) is refused. src/core/file/section_file.h describes the layout of the
# sections.
#
#   value      type [1 byte], form [1 byte], length [double], content, attributes
#   type       0 NULL, 1 logical, 2 integer, 3 double, 4 character, 5 list, 6 arrays of a tree, 7 raw
#   form       0 values follow; 1 the values are a section, whose number [int32] follows
#   content    logical, integer: int32 each (NA: -2^31); double: double each
#              character: bytes of each string [int32 each; -1 for NA], encoding of each [1 byte each:
#              0 UTF-8 or ASCII, 1 bytes of unknown encoding], then all bytes
#              list: the values, one after the other
#              arrays: a list
#              raw: the bytes
#   attributes 1 byte; if it is 1, two values follow: the names, and a list of the attributes
# All numbers are little-endian.

value_types <- c("NULL", "logical", "integer", "double", "character", "list", "externalptr", "raw")

# Vectors of at least this number of values are sections of their own; shorter vectors are in the
# description.
section_length <- 512

max_depth <- 16

# Classes that a value in a file may have.
file_classes <- c("data.frame", "factor", "ordered", "covertree_metric", "covertree_residual_correlation",
                  "covertree_kernel")

# ---- writing ------------------------------------------------------------------------------------

# Collects sections while values are encoded. Section 1 is the description. Each entry of `sections`
# is a vector, or list(pointer of a tree, number of an array of its tiles).
new_sections <- function() list2env(list(sections = list(NULL), names = "description"), parent = emptyenv())

# Adds a section. Returns its number.
add_section <- function(into, section, name) {
  into$sections[[length(into$sections) + 1]] <- section
  into$names[length(into$sections)] <- section_name(name)
  length(into$sections)
}

# A name of at most 39 printable ASCII characters. No code reads the names of sections.
section_name <- function(name) {
  name <- gsub("[^ -~]", "?", enc2utf8(name), useBytes = TRUE)
  size <- nchar(name, "bytes")
  if (size > 39) substr(name, size - 38, size) else name
}

put_ints <- function(value) writeBin(as.integer(value), raw(), size = 4, endian = "little")
put_doubles <- function(value) writeBin(as.double(value), raw(), size = 8, endian = "little")

# Returns the bytes of a value. `name`: its path in the tree, for the names of sections.
encode_value <- function(value, into, name) {
  type <- match(typeof(value), value_types) - 1L
  if (is.na(type)) fail("tree must have parts that are data: got %s in `%s`", describe(value), name)
  if (value_types[type + 1] == "externalptr") return(encode_arrays(value, into, sub("/?pointer$", "", name)))
  section <- type %in% c(1:3, 7) && length(value) >= section_length
  c(as.raw(c(type, section)), put_doubles(length(value)),
    if (section) put_ints(add_section(into, value, name)) else encode_content(value, type, into, name),
    encode_attributes(value, into, name))
}

encode_content <- function(value, type, into, name) {
  switch(value_types[type + 1],
    "NULL" = raw(),
    logical = , integer = put_ints(value),
    double = put_doubles(value),
    character = encode_strings(value),
    list = encode_elements(value, into, name),
    raw = value
  )
}

encode_elements <- function(value, into, name) {
  value <- unclass(value)
  labels <- if (is.null(names(value))) seq_along(value) else names(value)
  path <- function(i) if (nzchar(name)) paste0(name, "/", labels[i]) else labels[i]
  unlist(lapply(seq_along(value), function(i) encode_value(value[[i]], into, path(i))))
}

encode_strings <- function(value) {
  bytes <- Encoding(value) == "bytes"
  value[!bytes] <- enc2utf8(value[!bytes])
  missing <- is.na(value)
  size <- ifelse(missing, -1L, nchar(value, "bytes"))
  c(put_ints(size), as.raw(bytes), bytes_of_strings(value[!missing], any(bytes)))
}

# The bytes of all strings. Pastes a million strings at a time; one by one if the encoding of a
# string is unknown.
bytes_of_strings <- function(value, one_by_one) {
  if (one_by_one) return(unlist(lapply(value, charToRaw)))
  parts <- split(value, (seq_along(value) - 1) %/% 1e6)
  unlist(lapply(parts, function(part) charToRaw(paste(part, collapse = ""))), use.names = FALSE)
}

# The bytes of the attributes. Automatic row names keep their short form.
encode_attributes <- function(value, into, name) {
  kept <- attributes(value)
  if (is.data.frame(value)) kept$row.names <- .row_names_info(value, 0L)
  kept <- Filter(is_data, kept)
  if (length(kept) == 0) return(as.raw(0))
  c(as.raw(1), encode_value(names(kept), into, name), encode_value(unname(kept), into, paste0(name, "/attributes")))
}

# Whether an attribute can be written.
is_data <- function(value) {
  if (is.list(value)) return(all(vapply(unclass(value), is_data, NA)))
  typeof(value) %in% setdiff(value_types, "externalptr")
}

# The bytes of the arrays of a tree: the settings with the checksums, the numbers of the sections of
# vectors and tiles, and the sizes n, d, nodes.
encode_arrays <- function(pointer, into, name) {
  at <- function(part) if (nzchar(name)) paste0(name, "/", part) else part
  arrays <- .Call(r_tree_arrays, pointer)
  vectors <- array_names[seq_len(match("format", array_names) - 1)]
  sections <- c(
    vapply(vectors, function(vector) add_section(into, arrays[[vector]], at(paste0("arrays/", vector))), 0L),
    vapply(seq_along(tile_arrays), function(i) {
      add_section(into, list(pointer, i), at(paste0("tiles/", tile_arrays[i])))
    }, 0L)
  )
  parts <- list(settings = arrays[-seq_along(vectors)], sections = unname(sections),
                sizes = c(dim(arrays$points), length(arrays$center)))
  c(as.raw(c(6, 0)), put_doubles(0), encode_value(parts, into, name))
}

tile_arrays <- c("points", "lower", "upper", "node_lower", "node_upper")

# ---- reading ------------------------------------------------------------------------------------

# The state of reading: the bytes, the position in them, and the handle of the file with the
# sections.
new_decoder <- function(bytes, file) {
  list2env(list(bytes = bytes, at = 0, file = file), parent = emptyenv())
}

damaged_description <- function() {
  fail("path must be a file that write_tree() wrote: got one whose description is damaged")
}

# Returns the next `count` bytes.
take <- function(from, count) {
  if (is.na(count) || count < 0 || count > length(from$bytes) - from$at) damaged_description()
  from$at <- from$at + count
  from$bytes[from$at - count + seq_len(count)]
}

take_ints <- function(from, count) readBin(take(from, 4 * count), "integer", count, 4, endian = "little")
take_doubles <- function(from, count) readBin(take(from, 8 * count), "double", count, 8, endian = "little")

decode_value <- function(from, depth = 0) {
  head <- as.integer(take(from, 2))
  length <- take_doubles(from, 1)
  if (head[1] >= length(value_types) || depth > max_depth || is.na(length) || length < 0) damaged_description()
  type <- value_types[head[1] + 1]
  if (type == "externalptr") return(decode_arrays(decode_value(from, depth + 1), from$file))
  if (head[2] == 1) {
    number <- take_ints(from, 1)
    return(decode_section(from, type, length, number, decode_attributes(from, depth)))
  }
  value <- switch(type,
    "NULL" = NULL,
    logical = as.logical(take_ints(from, length)),
    integer = take_ints(from, length),
    double = take_doubles(from, length),
    character = decode_strings(from, length),
    list = decode_list(from, length, depth),
    raw = take(from, length)
  )
  attributes <- decode_attributes(from, depth)
  if (length(attributes) > 0) attributes(value) <- attributes
  value
}

# Each element takes at least 10 bytes.
decode_list <- function(from, length, depth) {
  if (length > length(from$bytes) / 10) damaged_description()
  value <- vector("list", length)
  for (i in seq_len(length)) value[i] <- list(decode_value(from, depth + 1))
  value
}

decode_strings <- function(from, length) {
  size <- take_ints(from, length)
  bytes <- take(from, length) == 1
  missing <- size == -1
  value <- rep(NA_character_, length)
  if (any(is.na(size) | size < -1)) damaged_description()
  all <- take(from, sum(as.double(size[!missing])))
  value[!missing] <- readChar(all, size[!missing], useBytes = TRUE)
  Encoding(value) <- ifelse(bytes, "bytes", "UTF-8")
  value
}

decode_attributes <- function(from, depth) {
  if (take(from, 1) == 0) return(NULL)
  names <- decode_value(from, depth + 1)
  values <- decode_value(from, depth + 1)
  known <- is.character(names) && is.list(values) && length(names) == length(values) && !anyNA(names)
  if (!known) damaged_description()
  attributes <- stats::setNames(values, names)
  if (!all(attributes$class %in% file_classes)) damaged_description()
  attributes
}

# A vector in a section. Logical values are stored as integers.
decode_section <- function(from, type, length, number, attributes) {
  like <- switch(type, logical = , integer = 0L, double = 0, raw = raw(), damaged_description())
  value <- .Call(r_file_section, from$file, number, like, if (type == "logical") NULL else attributes)
  if (length(value) != length) damaged_description()
  if (type != "logical") return(value)
  value <- as.logical(value)
  attributes(value) <- attributes
  value
}

# Returns a pointer to a tree.
decode_arrays <- function(parts, file) {
  vectors <- array_names[seq_len(match("format", array_names) - 1)]
  known <- is.list(parts) && identical(names(parts), c("settings", "sections", "sizes")) &&
    is.list(parts$settings) && is.integer(parts$sections) && is.integer(parts$sizes) &&
    length(parts$sections) == length(vectors) + length(tile_arrays) && length(parts$sizes) == 3 &&
    !anyNA(parts$sizes)
  if (!known) damaged_description()
  arrays <- lapply(seq_along(vectors), function(i) {
    .Call(r_file_section, file, parts$sections[i], array_like(vectors[i]), array_dim(vectors[i], parts$sizes))
  })
  .Call(r_tree_from_file, c(stats::setNames(arrays, vectors), parts$settings), list(file, parts$sections))
}

# A value of the type of an array, and its attributes. sizes: n, d, nodes.
array_like <- function(name) if (name %in% c("points", "radius", "lower", "upper")) 0 else 0L

array_dim <- function(name, sizes) {
  switch(name, points = list(dim = sizes[1:2]), lower = , upper = list(dim = sizes[3:2]))
}
