# Checks of arguments. Each function returns the value in the form that the C code reads, or stops
# with a message of the form "x must be EXPECTED: got ACTUAL, PLACE". The message begins with the
# argument as the user wrote it. The place (a row and column, or an element) is given where the
# value is a part of the argument.

fail <- function(...) stop(sprintf(...), call. = FALSE)

# Returns the value of `code`. An error in it names the argument of which the value is a part.
within_argument <- function(argument, code) {
  tryCatch(code, error = function(e) fail("%s is not valid: %s", argument, conditionMessage(e)))
}

# Returns the value of `code`. In the message of an error, or about columns in another order,
# replaces the name of the argument `from` by `to`, the name that the user wrote; `end` is appended
# to an error.
naming <- function(from, to, code, end = "") {
  to <- gsub("\\", "\\\\", to, fixed = TRUE)
  argument <- sprintf("\\b%s(?= must| has the columns| and the tree|\\$|\\[|,|\\))", from)
  renamed <- function(condition) gsub(argument, to, conditionMessage(condition), perl = TRUE)
  tryCatch(withCallingHandlers(code, covertree_reordered = function(m) {
    m$message <- renamed(m)
    message(m)
    invokeRestart("muffleMessage")
  }), error = function(e) fail("%s%s", renamed(e), end))
}

# Stops unless a list has elements of these names, each once. `kind`: what the argument must be.
check_parts <- function(parts, names, argument, kind) {
  if (length(parts) != length(names) || !setequal(names(parts), names)) {
    fail("%s must have the elements of %s, %s: got %s", argument, kind, quoted(names),
         if (is.null(names(parts))) "none" else quoted(names(parts)))
  }
}

# Describes a value for a message, in a few words: the value itself if it is a single number, string
# or flag, otherwise its class or type and its size. A long string is shortened.
describe <- function(value) {
  if (is.null(value)) return("NULL")
  if (is_integer64(value)) return("an integer64 (convert it with as.double())")
  if (is.object(value) || !is.atomic(value)) return(with_article(class(value)[1]))
  type <- with_article(typeof(value))
  if (length(dim(value)) == 2) return(paste(type, "matrix"))
  if (!is.null(dim(value))) return(paste(type, "array of", paste(dim(value), collapse = " x ")))
  if (length(value) != 1) return(sprintf("%s vector of length %d", type, length(value)))
  if (is.character(value)) return(encodeString(shortened(value), quote = "\""))
  text <- format(value, digits = 7)
  differs <- is.numeric(value) && is.finite(value) && as.numeric(text) != value
  if (differs) format(value, digits = 15) else text
}

shortened <- function(text, most = 60) {
  if (is.na(text) || nchar(text, "bytes") <= most) text else paste0(strtrim(text, most), "...")
}

# The names of the arguments of a function for a message.
argument_names <- function(f) {
  names <- names(formals(args(f)))
  if (length(names) == 0) "no arguments" else paste(names, collapse = ", ")
}

# Whether a function can be called with `count` arguments.
takes_arguments <- function(f, count) {
  if (is.null(args(f))) return(TRUE)
  names <- names(formals(args(f)))
  "..." %in% names || length(names) >= count
}

with_article <- function(noun) {
  if (noun == "data.frame") noun <- "data frame"
  paste(if (grepl("^([aeiouAEIOU]|sf)", noun)) "an" else "a", noun)
}

# Whether a value has 64-bit integers of the package bit64. R stores their bits as doubles, so code
# that ignores the class reads wrong numbers.
is_integer64 <- function(value) inherits(value, "integer64")

is_numeric <- function(value) is.numeric(value) && !is_integer64(value)

is_number <- function(value) is_numeric(value) && length(value) == 1

check_count <- function(value, what, most = .Machine$integer.max) {
  if (missing(value)) fail("%s must be one whole number of at least 1: got nothing", what)
  whole <- is_number(value) && is.finite(value) && value == trunc(value)
  if (!whole || value < 1) {
    fail("%s must be one whole number of at least 1: got %s", what, describe(value))
  }
  if (value > most) fail("%s must be at most %.0f: got %s", what, most, describe(value))
  as.integer(value)
}

check_radius <- function(radius) {
  if (!is_number(radius) || !is.finite(radius) || radius < 0) {
    fail("radius must be one finite number of at least 0: got %s", describe(radius))
  }
  if (radius > widest) fail("radius must be at most %g: got %s", widest, describe(radius))
  as.double(radius)
}

check_flag <- function(value, what) {
  if (!is.logical(value) || length(value) != 1 || is.na(value)) {
    fail("%s must be TRUE or FALSE: got %s", what, describe(value))
  }
  as.logical(value)
}

check_choice <- function(value, choices, what) {
  if (identical(value, choices)) return(choices[1])
  if (!is.character(value) || length(value) != 1 || !value %in% choices) {
    listed <- paste0("\"", choices, "\"", collapse = ", ")
    fail("%s must be one of %s: got %s", what, listed, describe(value))
  }
  choices[match(value, choices)]
}

check_threads <- function(threads) {
  if (is.null(threads)) NULL else check_count(threads, "threads")
}

# Returns the options of a search as a list, from which src/glue/query.c reads them by name.
# `control` is the value of check_control(), `exclusion` of check_exclusion(); knn_query() sets
# `max_distance`, the search `limits` (limits_for()), and a search in a shard `max_row`, the largest
# row that each foreign query can find.
search_options <- function(control = knn_control(), threads = NULL, predecessor = FALSE, epsilon = 0,
                           budget = NULL, metric = NULL, exclusion = NULL) {
  list(search = match(control$search, search_modes) - 1L,
       block_size = if (is.null(control$block_size)) 0L else control$block_size,
       simd = simd_level(), threads = check_threads(threads), stats = control$stats,
       progress = control$progress, predecessor = check_flag(predecessor, "predecessor"),
       epsilon = epsilon, budget = budget, metric = metric, max_distance = NULL, max_row = NULL,
       self = isTRUE(exclusion$self), limits = NULL, exclusion = exclusion)
}

# Returns the number of queries: the elements of `rows`, the rows of `query`, or the n points of the
# tree. Neither reads nor copies the elements, so that the size of a result is known first.
count_queries <- function(query, rows, n) {
  if (is.null(rows)) return(if (is.null(query)) n else NROW(query))
  if (!is.null(query)) {
    fail("query must be NULL if rows is given, because rows are row numbers of the tree: got %s",
         describe(query))
  }
  untyped <- is.logical(rows) && length(rows) == 0
  if (!(is_numeric(rows) || untyped) || is.object(rows) || !is.null(dim(rows))) {
    fail("rows must be NULL or a vector of row numbers of the tree's points: got %s%s", describe(rows),
         if (is.logical(rows) && length(rows) > 1) " (use which())" else "")
  }
  if (length(rows) > .Machine$integer.max) {
    fail("rows must have at most %d elements: got %.0f", .Machine$integer.max, length(rows))
  }
  length(rows)
}

# Returns NULL, or row numbers of the tree's n points, in any order and with repetitions.
check_rows <- function(rows, n, is = "the number of points") {
  if (is.null(rows)) return(NULL)
  wrong <- which(!is.finite(rows) | rows < 1 | rows > n | rows != trunc(rows))
  if (length(wrong) > 0) {
    fail("rows must be whole numbers from 1 to %.0f, %s: element %d is %s", n, is, wrong[1],
         format(rows[wrong[1]], digits = 15))
  }
  # A forest can have more than 2^31 - 1 rows.
  if (n <= .Machine$integer.max) as.integer(rows) else as.double(rows)
}

check_share <- function(value, what) {
  if (!is_number(value) || is.na(value) || value <= 0 || value > 1) {
    fail("%s must be one number above 0 and at most 1: got %s", what, describe(value))
  }
  as.double(value)
}

# Returns the pointer of a tree, or NULL for a tree without one pointer: a grown tree, or a tree by
# an R function. Checks the arrays first, because in a tree of an earlier version all other elements
# may differ, too.
check_tree <- function(tree) {
  if (missing(tree)) fail("tree must be a cover_tree, made by cover_tree(): got nothing")
  if (is_shards(tree)) refuse_forest()
  if (!inherits(tree, "cover_tree")) {
    fail("tree must be a cover_tree, made by cover_tree(): got %s", describe(tree))
  }
  if (is_function_tree(tree)) return(check_function_tree(tree))
  if (is_grown_tree(tree)) return(check_grown_tree(tree))
  parts <- if (is.list(tree)) unclass(tree)
  pointer <- parts[["pointer", exact = TRUE]]
  if (typeof(pointer) != "externalptr") {
    fail("tree is damaged: the pointer to its arrays is missing; build it again with cover_tree()")
  }
  .Call(r_tree_arrays, pointer)
  known <- c("pointer", "cache", "metric", "space")
  if (length(parts) > 3 || anyDuplicated(names(parts)) || !all(names(parts) %in% known) ||
      !all(known[1:2] %in% names(parts))) {
    fail(paste("tree must have the elements %s and, with a metric, \"metric\" or \"space\": got %s; it was",
               "edited, or built by another version of covertree; build it again with cover_tree()"),
         quoted(known[1:2]), quoted(names(parts)))
  }
  check_kept_metric(parts[["metric", exact = TRUE]])
  check_space(parts[["space", exact = TRUE]], pointer)
  pointer
}

# Checks the class and the parts of the metric of a tree; check_state() checks the values.
check_kept_metric <- function(state) {
  if (is.null(state)) return()
  if (!is.list(state) || !inherits(state$metric, "covertree_residual_correlation") ||
      !is.matrix(state$x)) {
    fail("tree's metric must be one that cover_tree(x, metric = ) or update_metric() set: got %s",
         describe(state))
  }
}

# Returns the points as a matrix of finite doubles with at least one column and, unless `empty`, at
# least one row. `what` is the name of the argument. Costs one pass over the values, and a copy if
# they are not a matrix of doubles.
check_points <- function(x, what = "x", empty = FALSE) {
  if (missing(x)) fail("%s must be a numeric matrix or a data frame of numeric columns: got nothing", what)
  if (is_sf(x)) {
    fail("%s must be a numeric matrix or a data frame of numeric columns: got %s; use sf::st_coordinates(%s)", what,
         describe(x), what)
  }
  x <- if (is.data.frame(x)) frame_points(x, what, empty) else matrix_points(x, what, empty)
  if (nrow(x) == 0 && !empty) fail("%s must have at least one row: got none", what)
  if (ncol(x) == 0) fail("%s must have at least one column: got none", what)
  if (!is.double(x)) storage.mode(x) <- "double" # copies even doubles
  where <- .Call(r_first_nonfinite, x)
  if (!is.null(where)) {
    fail("%s must be finite: row %d, column %d is %s", what, where[1], where[2],
         format(x[where[1], where[2]]))
  }
  x
}

# Returns the columns as a matrix. If `empty`, columns without rows may have the types that R gives
# to values without content: logical and, in a data frame, NULL.
frame_points <- function(x, what, empty) {
  untyped <- function(column) empty && nrow(x) == 0 && (is.null(column) || is.logical(column))
  for (j in seq_along(x)) {
    if (!untyped(x[[j]]) && (!is.numeric(x[[j]]) || is.object(x[[j]]) || !is.null(dim(x[[j]])))) {
      fail("%s must have numeric columns only: column %d (`%s`) is %s%s", what, j, names(x)[j],
           describe(x[[j]]), column_advice(x[[j]], what, names(x)[j]))
    }
  }
  as.matrix(x)
}

# Returns the end of a message about the column `name` of the argument `what`, which is not numeric:
# advice for the user.
column_advice <- function(value, what, name) {
  if (is_integer64(value)) return("")
  column <- paste0(code_of(what), "$", if (make.names(name) == name) name else sprintf("`%s`", name))
  kinds <- c(Date = "as.numeric(%s), in days", POSIXct = "as.numeric(%s), in seconds",
             POSIXlt = "as.numeric(as.POSIXct(%s)), in seconds", difftime = "as.numeric(%s, units = \"days\")",
             units = "units::drop_units(%s)")
  kind <- intersect(names(kinds), class(value))
  if (length(kind) > 0) return(paste0("; use ", sub("%s", column, kinds[[kind[1]]], fixed = TRUE)))
  if (is.factor(value)) return("; metric_gower() compares factors")
  if (inherits(value, "sfc")) return("; use sf::st_drop_geometry()")
  if (is.character(value)) return(sprintf("; use factor(%s) with metric_gower()", column))
  if (is.logical(value)) return(sprintf("; use as.numeric(%s), or metric_gower()", column))
  if (is.list(value)) return("; remove it, or make numeric columns of its elements")
  ""
}

# Returns an argument for the code in a message: its name, or x if it is given in words, such as "chunk
# 1 of source".
code_of <- function(what) if (grepl("^[A-Za-z.][A-Za-z0-9._$]*$", what)) what else "x"

# Returns the matrix without its class, because methods of a class for dim() or is.double() may hide
# the data.
matrix_points <- function(x, what, empty) {
  if (inherits(x, "dist")) {
    fail("%s must be points, one row per point: got distances; pass the points that dist() was given%s", what,
         if (what == "x") paste(", or with m <- as.matrix(x) use cover_tree(nrow(m), metric =",
                                "metric_function(function(i, js) m[i, js]))") else "")
  }
  if (inherits(x, "Matrix")) {
    fail("%s must be a base matrix, because all searches read dense points: got %s of %d x %d; as.matrix(%s) takes %s",
         what, with_article(class(x)[1]), nrow(x), ncol(x), code_of(what),
         format(structure(8 * nrow(x) * ncol(x), class = "object_size"), units = "auto"))
  }
  plain <- if (is.atomic(x)) unclass(x) else x
  if (is.null(dim(plain)) && is_numeric(x)) {
    fail(paste("%s must be a matrix with one row per point: got %s; use matrix(%s, ncol = 1) for points",
               "on a line, matrix(%s, nrow = 1) for one point"), what, describe(x), code_of(what), code_of(what))
  }
  untyped <- empty && is.logical(plain) && length(dim(plain)) == 2 && nrow(plain) == 0
  numeric <- (is.double(plain) || is.integer(plain)) && !is_integer64(x)
  if (length(dim(plain)) != 2 || !(numeric || untyped)) {
    fail("%s must be a numeric matrix or a data frame of numeric columns: got %s", what, describe(x))
  }
  plain
}

# Limits within which squared distances of d columns neither overflow nor all underflow to 0: for
# the largest distance, and for the range of the widest column.
widest <- 1e153
narrowest <- 1e-145

# `extent` [2 x d]: the minimum and the maximum of each column. A range of 0 is permitted: then all
# points coincide. `factor`: the largest distance in units of the range of the widest column.
check_extent <- function(extent, what, factor = sqrt(ncol(extent))) {
  range <- extent[2, ] - extent[1, ]
  j <- which.max(range)
  actual <- sprintf("column %d has %g to %g", j, extent[1, j], extent[2, j])
  if (range[j] * factor > widest) {
    fail("%s must have columns with ranges of at most %.3g, so that squared distances are finite: %s", what,
         widest / factor, actual)
  }
  if (range[j] > 0 && range[j] < narrowest) {
    fail(paste("%s must have a column with a range of at least %g, so that squared distances are not",
               "rounded to 0: %s (the widest)"), what, narrowest, actual)
  }
}

# Returns the column names of a tree's points, or NULL if they have none.
column_names <- function(arrays) {
  if (!are_dimnames(arrays$dimnames, dim(arrays$points))) {
    fail("tree array `dimnames` must be NULL or the dimnames of a matrix of the tree's size: got %s",
         describe(arrays$dimnames))
  }
  arrays$dimnames[[2]]
}

# Returns the points with their columns in the order of `names`. `what` is the name of the argument,
# `whose` describes the owner of `names`; both are for messages. If the points or `names` have no
# names, columns are matched by position.
match_columns <- function(points, names, what, whose) {
  own <- colnames(points)
  unnamed <- !any(nzchar(own)) || !any(nzchar(names))
  if (unnamed || identical(own, names)) return(points)
  if (anyDuplicated(own) || anyDuplicated(names) || !setequal(own, names)) {
    fail(paste("%s must have the columns of %s, %s: got %s; rename them, or remove the names to match",
               "columns by position"), what, whose, quoted(names), quoted(own))
  }
  told <- sprintf("%s has the columns of %s in another order: matched by name\n", what, whose)
  message(structure(class = c("covertree_reordered", "message", "condition"),
                    list(message = told, call = NULL)))
  points[, match(names, own), drop = FALSE]
}

quoted <- function(names) {
  if (length(names) == 0) return("none")
  shown <- encodeString(utils::head(names, 8), quote = "\"")
  toString(c(shown, if (length(names) > 8) sprintf("... (%d)", length(names))))
}

# Returns the query points as a matrix of doubles with the columns in the order of the tree's, or
# NULL for the tree's own points. For a tree with a metric, these are its coordinates. `what` is the
# name of the argument.
check_query <- function(query, tree, what = "query") {
  if (is.null(query) && what == "query") return(NULL)
  if (!is.null(tree$space)) return(query_coordinates(query, tree, what))
  columns <- dim(tree)[2]
  query <- check_points(query, what, empty = TRUE)
  if (ncol(query) != columns) {
    fail("%s must have as many columns as the tree, %d: got %d", what, columns, ncol(query))
  }
  query <- match_columns(query, dimnames(tree)[[2]], what, "the tree")
  if (nrow(query) == 0) return(query)
  both <- join_extents(.Call(r_column_range, query), tree_extent(tree))
  check_extent(both, paste(what, "and the tree's points together"))
  query
}

# The smallest and the largest coordinates of the tree's points [2 x d].
tree_extent <- function(tree) {
  if (is_grown_tree(tree)) return(tree$state$extent)
  arrays <- .Call(r_tree_arrays, tree$pointer)
  rbind(arrays$lower[1, ], arrays$upper[1, ])
}

# The extent of two sets of points together: the smallest and the largest coordinates [2 x d].
join_extents <- function(one, other) {
  rbind(pmin(one[1, ], other[1, ]), pmax(one[2, ], other[2, ]))
}

# Stops unless a package is installed. for_what: the argument that needs it.
need_package <- function(package, for_what) {
  if (!requireNamespace(package, quietly = TRUE)) {
    fail("%s needs the package %s, which is not installed", for_what, package)
  }
}
