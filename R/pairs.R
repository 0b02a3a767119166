# The limit on the number of pairs (a query and a neighbor) of a result. It is derived from the
# available memory, which is only determined if a result is large, before its allocation.

PAIR <- 12 # bytes of an index and a distance
FEW_PAIRS <- 5e6 # always allowed, so that small calls do not determine the memory
UNKNOWN_MEMORY <- 8e9 # bytes, if the system does not report its memory

check_max_pairs <- function(max_pairs) {
  if (is.null(max_pairs)) return(NULL)
  if (!is_number(max_pairs) || is.na(max_pairs) || max_pairs < 0) {
    fail("max_pairs must be NULL or one number of at least 0, or Inf, not %s", describe(max_pairs))
  }
  as.double(max_pairs)
}

# The result may use half of the available memory, less `other` bytes that the call also needs.
default_pairs <- function(other = 0, available = memory_available()) {
  max(FEW_PAIRS, floor((available / 2 - other) / PAIR))
}

# Stops if a result of `queries` times k pairs is too large. n, the number of points, is only
# evaluated if needed.
check_pairs <- function(queries, k, n, threads, max_pairs, smaller = "a smaller k",
                        fewer = " or fewer queries") {
  pairs <- as.double(queries) * k
  if (pairs <= min(FEW_PAIRS, max_pairs)) return(invisible())
  limit <- max_pairs
  if (is.null(limit)) limit <- default_pairs(search_bytes(queries, min(k, n), threads))
  if (pairs <= limit) return(invisible())
  if (k > n) smaller <- sprintf("%s (the tree has %s point%s)", smaller, big_number(n), plural(n))
  refuse_pairs(big_number(pairs), pairs, limit, max_pairs, paste0(smaller, fewer))
}

# Besides the result, each thread needs memory for 1.5 k candidates of up to 8 queries.
search_bytes <- function(queries, k, threads) {
  if (is.null(threads)) threads <- covertree_threads()
  30 * k * min(queries, 8 * threads)
}

# For radius_query() after counting: `found` is c(pairs, limit, whether pairs is an estimate); pairs
# is NA if counting stopped at the limit.
refuse_counted <- function(found, max_pairs) {
  pairs <- found[1]
  if (is.na(pairs)) pairs <- found[2] else if (found[3]) pairs <- signif(pairs, 3)
  kind <- if (is.na(found[1])) "more than " else if (found[3]) "about " else ""
  refuse_pairs(paste0(kind, big_number(pairs)), pairs, found[2], max_pairs,
               "a smaller radius or fewer queries")
}

# The bytes of a result of radius_query() besides its pairs: for each query, elements of two lists and
# of two integer vectors; for each distinct query, two vectors. Repeated queries share their vectors.
radius_bytes <- function(queries, distinct) 24 * queries + 128 * distinct

# sum(count) must be an integer. `other` are the bytes besides the pairs.
radius_limit <- function(other) min(default_pairs(other), .Machine$integer.max)

# Stops if a result of radius_query() is too large even without pairs.
check_queries <- function(queries, distinct, max_pairs, available = memory_available()) {
  bytes <- radius_bytes(queries, distinct)
  if (bytes <= PAIR * FEW_PAIRS || identical(max_pairs, Inf)) return(invisible())
  if (bytes <= available / 2) return(invisible())
  fail(paste("the result would have %s queries (%s even without pairs), above half of the available",
             "memory: use fewer queries, or set max_pairs = Inf"),
       big_number(queries), big_bytes(bytes))
}

refuse_pairs <- function(number, pairs, limit, max_pairs, advice) {
  why <- if (!is.null(max_pairs)) "max_pairs"
         else if (limit == .Machine$integer.max) "the largest integer"
         else "half of the available memory"
  limit <- if (pairs > limit) sprintf("above the limit of %s", big_number(limit)) else "the limit"
  fail("the result would have %s pairs (%s), %s (%s): use %s, or set max_pairs", number,
       big_bytes(PAIR * pairs), limit, why, advice)
}

big_number <- function(value) format(value, big.mark = ",", scientific = FALSE, digits = 15)

big_bytes <- function(bytes) {
  power <- max(0, min(5, floor(log10(bytes) / 3)))
  paste(format(bytes / 1000^power, digits = if (bytes < 1000^power * 100) 2 else 3),
        c("bytes", "kB", "MB", "GB", "TB", "PB")[power + 1])
}

# ---- available memory ------------------------------------------------------------------

# Available memory without swap [bytes]: the minimum over the system and the control groups of the
# process.
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

# From the output of vm_stat: free pages, and pages whose contents can be read again.
mac_memory <- function(lines) {
  page <- as_number(sub(".*page size of ([0-9]+) bytes.*", "\\1", lines[1]))
  kinds <- c("Pages free:", "Pages inactive:", "Pages speculative:", "Pages purgeable:")
  page * sum(vapply(kinds, field_of, 0, lines = lines), na.rm = TRUE)
}

# A control group (cgroup, version 1 or 2) and each of its parents may have a limit. Cached files
# count as used memory, but the system releases them on demand.
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

# The number after a name at the beginning of a line; NA if there is none.
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
