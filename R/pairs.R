# Limits the number of pairs (a query and a neighbor) of a result, before the result is allocated.
# The default limit is derived from the available memory. The system is asked for its memory only if
# a result has more than FEW_PAIRS pairs.

PAIR <- 12 # [bytes] an index and a distance
# By a metric_function(), knn_query() also keeps the sorted lists (12 bytes) and the seeds (4 bytes)
# until the result is complete; radius_query() keeps pairs of 16 bytes, in vectors that double and
# are released together (up to 64 bytes), besides three vectors (16 bytes).
FUNCTION_PAIR <- 28 # [bytes]
FUNCTION_RADIUS_PAIR <- 80 # [bytes]
FEW_PAIRS <- 5e6 # [pairs] always permitted by default
UNKNOWN_MEMORY <- 8e9 # [bytes] assumed if the system does not report its memory

check_max_pairs <- function(max_pairs) {
  if (is.null(max_pairs)) return(NULL)
  if (!is_number(max_pairs) || is.na(max_pairs) || max_pairs < 0) {
    fail("max_pairs must be NULL or one number of at least 0, or Inf: got %s", describe(max_pairs))
  }
  as.double(max_pairs)
}

# Returns how many pairs of `pair` bytes fit into half of the available memory [bytes], without the
# `other` bytes that the call also needs; at least FEW_PAIRS.
default_pairs <- function(other = 0, available = memory_available(), pair = PAIR) {
  max(FEW_PAIRS, floor((available / 2 - other) / pair))
}

# Stops if a result of `queries` times k pairs exceeds the limit. `smaller` and `fewer` are advice
# for the message. `pair` is the memory of a pair during the call [bytes]. n, the number of points,
# is evaluated only if a result has more than FEW_PAIRS pairs or max_pairs is given.
check_pairs <- function(queries, k, n, threads, max_pairs, smaller = "a smaller k",
                        fewer = " or fewer queries", pair = PAIR) {
  pairs <- as.double(queries) * k
  if (pairs <= min(FEW_PAIRS, max_pairs)) return(invisible())
  limit <- max_pairs
  if (is.null(limit)) limit <- default_pairs(search_bytes(queries, min(k, n), threads), pair = pair)
  if (pairs <= limit) return(invisible())
  if (k > n) smaller <- sprintf("%s (the tree has %s point%s)", smaller, big_number(n), plural(n))
  refuse_pairs(big_number(pairs), pairs, limit, max_pairs, paste0(smaller, fewer), pair)
}

# Returns the memory of a search besides the result [bytes]: each thread buffers the candidates of
# at most 8 queries if k is large, 1.5 k for each query.
search_bytes <- function(queries, k, threads) {
  if (is.null(threads)) threads <- covertree_threads()
  30 * k * min(queries, 8 * threads)
}

# Stops a radius_query() whose count exceeds the limit. `found` is c(pairs, limit, whether pairs is
# an estimate); pairs is NA if counting stopped at the limit.
refuse_counted <- function(found, max_pairs, pair = PAIR) {
  pairs <- found[1]
  if (is.na(pairs)) pairs <- found[2] else if (found[3]) pairs <- signif(pairs, 3)
  kind <- if (is.na(found[1])) "more than " else if (found[3]) "about " else ""
  refuse_pairs(paste0(kind, big_number(pairs)), pairs, found[2], max_pairs,
               "a smaller radius or fewer queries", pair)
}

# Returns the size of a result of radius_query() without its pairs [bytes]: for each query, elements
# of two lists and of two integer vectors; for each distinct query, two vectors. Repeated queries
# share their vectors.
radius_bytes <- function(queries, distinct) 24 * queries + 128 * distinct

# Returns the default limit of radius_query() [pairs]; `other` is the size of the result without its
# pairs [bytes]. sum(count) must be an integer of R.
radius_limit <- function(other, pair = PAIR) min(default_pairs(other, pair = pair), .Machine$integer.max)

# Stops if a result of radius_query() without its pairs is too large.
check_queries <- function(queries, distinct, max_pairs, available = memory_available()) {
  bytes <- radius_bytes(queries, distinct)
  if (bytes <= PAIR * FEW_PAIRS || identical(max_pairs, Inf)) return(invisible())
  if (bytes <= available / 2) return(invisible())
  fail(paste("the result must fit into half of the available memory: got %s queries (%s without pairs);",
             "use fewer queries, or set max_pairs = Inf"), big_number(queries), big_bytes(bytes))
}

# Stops with a message about a result of `pairs` pairs of `pair` bytes; `number` is their number in
# words.
refuse_pairs <- function(number, pairs, limit, max_pairs, advice, pair = PAIR) {
  why <- if (!is.null(max_pairs)) "max_pairs"
         else if (limit == .Machine$integer.max) "the largest integer"
         else "half of the available memory"
  fail("the result must have at most %s pairs (%s): got %s pairs (%s); use %s, or set max_pairs",
       big_number(limit), why, number, big_bytes(pair * pairs), advice)
}

big_number <- function(value) format(value, big.mark = ",", scientific = FALSE, digits = 15)

big_bytes <- function(bytes) {
  power <- max(0, min(5, floor(log10(bytes) / 3)))
  paste(format(bytes / 1000^power, digits = if (bytes < 1000^power * 100) 2 else 3),
        c("bytes", "kB", "MB", "GB", "TB", "PB")[power + 1])
}

# ---- available memory ------------------------------------------------------------------

# Returns the available memory without swap [bytes]: the minimum over the system and the control
# groups of the process. `root` is another directory in tests.
memory_available <- function(root = "/") {
  bytes <- c(system_memory(root), group_memory(root))
  bytes <- bytes[!is.na(bytes)]
  if (length(bytes) == 0) UNKNOWN_MEMORY else max(0, min(bytes))
}

system_memory <- function(root) {
  lines <- read_lines(root, "proc/meminfo")
  if (length(lines) > 0) {
    kb <- c(field_of(lines, "MemAvailable:"), field_of(lines, "MemFree:"))
    return(1024 * kb[!is.na(kb)][1])
  }
  if (.Platform$OS.type == "windows") return(.Call(r_windows_memory))
  if (Sys.info()[["sysname"]] == "Darwin") return(mac_memory(try_command("vm_stat")))
  NA_real_
}

# Returns the available memory [bytes] from the output of vm_stat: free pages, and pages that the
# system can release because their contents can be read again.
mac_memory <- function(lines) {
  page <- as_number(sub(".*page size of ([0-9]+) bytes.*", "\\1", lines[1]))
  kinds <- c("Pages free:", "Pages inactive:", "Pages speculative:", "Pages purgeable:")
  page * sum(vapply(kinds, field_of, 0, lines = lines), na.rm = TRUE)
}

# Returns the memory that the control groups (cgroups, version 1 or 2) of the process leave [bytes];
# Inf without a limit. Each parent of a group may have a limit, too. Cached files count as used
# memory, but the system releases them on demand.
group_memory <- function(root) {
  lines <- strsplit(read_lines(root, "proc/self/cgroup"), ":", fixed = TRUE)
  bytes <- Inf
  for (line in lines[lengths(lines) == 3]) {
    first <- nzchar(line[2])
    if (first && !"memory" %in% strsplit(line[2], ",", fixed = TRUE)[[1]]) next
    names <- if (first) c("limit_in_bytes", "usage_in_bytes", "total_inactive_file")
             else c("max", "current", "inactive_file")
    for (base in if (first) "sys/fs/cgroup/memory" else c("sys/fs/cgroup", "sys/fs/cgroup/unified")) {
      for (group in groups_above(line[3])) {
        bytes <- min(bytes, free_in_group(root, paste0(base, group, "/memory."), names))
      }
    }
  }
  bytes
}

groups_above <- function(group) {
  parts <- strsplit(group, "/", fixed = TRUE)[[1]]
  parts <- parts[nzchar(parts)]
  c("", vapply(seq_along(parts), function(i) paste0("/", parts[seq_len(i)], collapse = ""), ""))
}

free_in_group <- function(root, prefix, names) {
  limit <- as_number(read_lines(root, paste0(prefix, names[1])))
  used <- as_number(read_lines(root, paste0(prefix, names[2])))
  if (is.na(limit) || is.na(used)) return(Inf)
  cached <- field_of(read_lines(root, paste0(prefix, "stat")), paste0(names[3], " "))
  max(0, limit - used + if (is.na(cached)) 0 else cached)
}

# Returns the number after a name at the beginning of a line, or NA if no line begins with the name.
field_of <- function(lines, name) {
  line <- lines[startsWith(lines, name)]
  as_number(sub("^[^0-9]*([0-9]+).*", "\\1", substring(line, nchar(name) + 1)))
}

as_number <- function(text) {
  if (length(text) == 0 || !grepl("^[0-9]+$", text[1])) NA_real_ else as.numeric(text[1])
}

read_lines <- function(root, path) {
  file <- file.path(root, path)
  if (!file.exists(file)) return(character())
  tryCatch(suppressWarnings(readLines(file, warn = FALSE)), error = function(e) character())
}

try_command <- function(command) {
  tryCatch(suppressWarnings(system2(command, stdout = TRUE, stderr = FALSE)),
           error = function(e) character())
}
