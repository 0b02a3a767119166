# The recall of a sample of queries: its mean, an interval for the mean of all queries, and the mean
# of the worst queries.

# With fewer queries than this that miss a neighbor, the sample cannot tell how much a query may
# miss.
TELLING <- 10

# The part of the queries that counts as the worst.
WORST <- 0.01

# For each query, the share of its exact neighbors that were found. Distances are equal if their
# relative difference is at most `tolerance`.
recall_by_query <- function(found, exact, tolerance = 0) {
  queries <- nrow(exact$index)
  # A number for each pair of a query and a row.
  pair <- function(index) row(index) + queries * as.double(index)
  pairs <- c(pair(found$index))
  known <- match(pairs, pair(exact$index))
  distance <- found$distance
  distance[!is.na(known)] <- exact$distance[known[!is.na(known)]]
  distance[is.na(found$index) | duplicated(pairs)] <- NA
  share_found(near_enough(distance, exact, tolerance), exact)
}

# Which of the distances found [m x k] are those of nearest neighbors: all below the distance of the
# farthest exact neighbor, and as many that equal it as the exact neighbors have, those with the
# smallest `position` first.
near_enough <- function(distance, exact, tolerance = 0, position = col(distance)) {
  farthest <- farthest_of(exact)
  hit <- (distance <= farthest * (1 + tolerance)) & !is.na(distance)
  tied <- hit & distance >= farthest * (1 - tolerance)
  permitted <- rowSums(exact$distance >= farthest * (1 - tolerance), na.rm = TRUE)
  for (i in which(rowSums(tied) > permitted)) {
    places <- which(tied[i, ])
    hit[i, places[rank(position[i, places], ties.method = "first") > permitted[i]]] <- FALSE
  }
  hit
}

# The distance of the farthest exact neighbor of each query; NA without neighbors.
farthest_of <- function(exact) {
  exact$distance[cbind(seq_len(nrow(exact$index)), pmax(rowSums(!is.na(exact$index)), 1))]
}

# For each query, the number of entries of a result that are hits as a share of the exact neighbors;
# 1 for a query without neighbors.
share_found <- function(hit, exact) {
  there <- rowSums(!is.na(exact$index))
  share <- pmin(rowSums(hit, na.rm = TRUE), there) / pmax(there, 1)
  share[there == 0] <- 1
  share
}

# What a sample of shares tells about the recall of all queries, `queries` in number: the mean, the
# limits of an interval of this confidence, and the mean of the worst shares. `size`: see
# miss_size().
recall_interval <- function(share, queries, size = miss_size(1 - share), confidence = 0.95) {
  n <- length(share)
  if (n == 0) {
    return(c(estimate = NA_real_, lower = NA_real_, upper = NA_real_, worst = NA_real_))
  }
  loss <- 1 - share
  part <- if (n < queries) 1 - n / queries else 0
  c(loss_interval(mean(loss), part * loss_variance(loss, size) / n, part * size / n, confidence),
    worst = mean(worst_of(share)))
}

# The estimate of a recall, and the limits of an interval of this confidence, from the mean of a
# sample of losses, its variance, and what one more query that misses neighbors would add to it.
#
# The limits are those of Clopper and Pearson (1934) for a number of misses and of queries with the
# same mean and variance: Korn and Graubard (1998). In the upper limit of the loss, one more miss is
# as large as that of a query: Fay and Feuer (1997).
loss_interval <- function(loss, variance, unseen, confidence = 0.95) {
  tail <- (1 - confidence) / 2
  limit <- function(probability, loss, variance, more) {
    if (variance == 0) return(loss)
    count <- loss^2 / variance
    stats::qbeta(probability, count, max(loss / variance - count, 0) + more)
  }
  # Of a count: the variance of a share over (1 - share).
  variance <- if (loss < 1) variance / (1 - loss) else unseen
  upper <- limit(1 - tail, loss + unseen, variance + unseen^2, 1)
  lower <- limit(tail, loss, variance, 1)
  1 - c(estimate = loss, lower = min(max(upper, loss), 1), upper = min(lower, loss))
}

# The variance of the losses of queries. With fewer than TELLING queries that miss neighbors, it is
# that of queries that lose nothing or so much.
loss_variance <- function(loss, size) {
  mean <- mean(loss)
  if (sum(loss > 0) < TELLING) mean * (1 - mean) * size else max(0, mean(loss^2) - mean^2)
}

# How much a query loses that misses neighbors: their number, with this loss, has the mean and the
# variance of the losses. It is at least 0.5 if fewer than TELLING queries miss any, and 1 if
# none does.
miss_size <- function(loss) {
  mean <- mean(loss)
  if (mean == 0 || mean == 1) return(1)
  size <- (mean(loss^2) - mean^2) / (mean * (1 - mean))
  max(size, if (sum(loss > 0) < TELLING) 0.5)
}

# The shares of the worst queries.
worst_of <- function(share) {
  sort(share)[seq_len(ceiling(WORST * length(share)))]
}

# The standard error of the mean of the worst shares: that of these shares, and that of the quantile
# which bounds them.
worst_error <- function(worst) {
  spread <- mean((worst - mean(worst))^2)
  sqrt((spread + (1 - WORST) * (max(worst) - mean(worst))^2) / length(worst))
}
