# Searches that compare all pairs: by Gower distance with missing values, and by Hamming and Jaccard
# distance of many columns, where a comparison takes a few instructions.

scan_stats <- function(found, n, start) {
  queries <- nrow(found$index)
  structure(list(queries = queries, evaluations = as.double(queries) * n,
                 seconds = c(elapsed = proc.time()[["elapsed"]] - start)), class = "covertree_scan_stats")
}

#' @export
print.covertree_scan_stats <- function(x, ...) {
  cat(sprintf("<knn_stats: %s quer%s in %.3f s>\n%s distances, of all pairs\n", big_number(x$queries),
              if (x$queries == 1) "y" else "ies", x$seconds[["elapsed"]], big_number(x$evaluations)))
  invisible(x)
}

# Returns list(points, query) if a radius_query() compares all pairs, or NULL if it searches the
# tree.
radius_scan <- function(tree, query, queries, options) {
  if (is_scanned(tree)) {
    return(list(points = gower_values(tree$space$x, tree$space$fit), query = gower_query(query, tree)))
  }
  if (!is_binary(tree$space$metric) || !is.null(options$exclusion)) return(NULL)
  wide <- ncol(.Call(r_tree_arrays, tree$pointer)$points) > wide_sets && queries >= pilot_size
  if (options$search == 2L || (options$search == 0L && wide)) {
    list(points = bit_sets(tree), query = check_query(query, tree))
  }
}

# ---- sets of bits -----------------------------------------------------------------------------------

wide_sets <- 64 # a radius_query() in more columns compares all pairs
pilot_size <- 64 # queries of the pilot
pilot_share <- 16 # a call with less than this number of queries per query of the pilot has no pilot

is_binary <- function(metric) is_metric(metric) && metric$kind %in% c("hamming", "jaccard")

# The points of a tree, for src/core/search/bit_sets.h.
bit_sets <- function(tree) list(tree = tree$pointer, jaccard = tree$space$metric$kind == "jaccard")

# Whether a comparison of all pairs of sets is faster than a search of the tree. A pilot of queries
# counts the points that the tree does not exclude. For d columns, an evaluation in the tree takes d
# operations, and a comparison of bits takes about as long as 16 operations. `search(queries)`
# searches the tree.
prefers_bits <- function(tree, queries, options, search) {
  if (!is_binary(tree$space$metric) || options$search == 1L) return(FALSE)
  if (options$search == 2L) return(TRUE)
  if (length(queries) < pilot_share * pilot_size) return(FALSE)
  pilot <- search(queries[round(seq(1, length(queries), length.out = pilot_size))])
  size <- dim(.Call(r_tree_arrays, tree$pointer)$points)
  16 * pilot$stats$counts[["tiles"]] / (pilot_size * size[1]) * size[2] > 16
}
