# The largest distance of a neighbor, for knn_query().

# Returns the largest distance of a neighbor for each of `queries` queries, or NULL for no limit.
check_max_distance <- function(max_distance, queries) {
  if (!is_numeric(max_distance) || !is.null(dim(max_distance)) || !length(max_distance) %in% c(1, queries)) {
    fail("max_distance must be one number of at least 0, or one for each of the %s quer%s: got %s",
         big_number(queries), if (queries == 1) "y" else "ies", describe(max_distance))
  }
  wrong <- which(is.na(max_distance) | max_distance < 0)
  if (length(wrong) > 0) {
    fail("max_distance must be at least 0: %s%s",
         if (length(max_distance) > 1) sprintf("element %d is ", wrong[1]) else "got ",
         format(max_distance[wrong[1]], digits = 15))
  }
  if (all(max_distance == Inf)) NULL else rep_len(as.double(max_distance), queries)
}

# Stops if a search with a largest distance would be approximate: the limit excludes points from the
# beginning of a search, and the recall of a search that then stops early is unknown.
check_exact_for <- function(approximates, epsilon, budget) {
  given <- c("recall below 1", "epsilon above 0", "a budget")[c(approximates, epsilon > 0, !is.null(budget))]
  if (length(given) > 0) fail("max_distance must be Inf with %s, because it needs an exact search", given[1])
}

# The limits of the queries `distinct`, given the limits of `rows`. A row that occurs several times
# in `rows` gets the largest of its limits.
limits_of <- function(max_distance, rows, distinct) {
  if (is.null(rows)) return(max_distance)
  if (!anyDuplicated(rows)) return(max_distance[match(distinct, rows)])
  by_row <- order(rows, max_distance)
  max_distance[by_row[!duplicated(rows[by_row], fromLast = TRUE)]]
}

# Removes the neighbors beyond the limit of each query. Such neighbors occur if a row occurs several
# times, and in searches without limits, such as by distance in space.
drop_farther <- function(result, max_distance) {
  farther <- which(result$distance > max_distance)
  result$index[farther] <- NA
  result$distance[farther] <- NA
  result
}
