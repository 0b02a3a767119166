# How far from the exact Gaussian process are a plain Vecchia and a VIF approximation, with
# Euclidean neighbors and with neighbors by residual correlation? Regions of two data sets, small
# enough for dense matrices, with parameters that GpGp estimated on the same data.
#
#   Rscript -e 'source(system.file("benchmarks/vif.R", package = "covertree"))'
#
# Writes vif.csv, vif.md (Kullback-Leibler divergence) and vif_loglik.md (log-likelihood of the
# data minus the exact one). Needs GpGp.

source(system.file("benchmarks/common.R", package = "covertree"))

neighbors <- c(5, 10, 20, 30)
inducing <- c(100, 400)

on_sphere <- function(degrees) {
  turns <- as.matrix(degrees) / 180
  cbind(cospi(turns[, 2]) * cospi(turns[, 1]), cospi(turns[, 2]) * sinpi(turns[, 1]), sinpi(turns[, 2]))
}

# The fitted model of some data, in maximin order: z, the points on the sphere (and the time)
# divided by their ranges; y, the data minus the fitted mean; variance; nugget.
fitted_model <- function(value, trend, location, kind) {
  place <- cbind(on_sphere(location[, 1:2]), location[, -(1:2)])
  near <- vecchia_neighbors(place, max(neighbors))
  o <- near$order
  fit <- GpGp::fit_model(value[o], location[o, ], trend[o, ], covfun_name = kind, NNarray = near$NNarray,
                         reorder = FALSE, m_seq = c(10, max(neighbors)), silent = TRUE)
  ranges <- fit$covparms[-c(1, length(fit$covparms))]
  z <- unname(sweep(place, 2, ranges[c(1, 1, 1, seq_along(ranges)[-1])], "/"))
  o <- order_maximin(z)[seq_len(size(nrow(z)))]
  list(z = z[o, ], y = (value - drop(trend %*% fit$betahat))[o], variance = fit$covparms[1],
       nugget = prod(fit$covparms[c(1, length(fit$covparms))]))
}

regions <- list(
  "Argo, North Atlantic" = function() {
    some <- argo[argo$longitude >= 290 & argo$longitude < 340 & argo$latitude >= 20 & argo$latitude < 60, ]
    fitted_model(some$temperature_100, cbind(1, some$latitude, some$latitude^2),
                 as.matrix(some[, c("longitude", "latitude", "time")]), "exponential_spheretime")
  },
  "jason3, South Pacific" = function() {
    data(jason3, package = "GpGp", envir = environment())
    some <- jason3[jason3$lon >= 180 & jason3$lon < 240 & jason3$lat >= -30 & jason3$lat < 10, ]
    fitted_model(some$windspeed, matrix(1, nrow(some)), as.matrix(some[, c("lon", "lat")]), "exponential_sphere")
  }
)

# B and D of Vecchia's approximation S^-1 = B' D^-1 B: row i of B is 1 at i and minus the weights of
# the neighbors of i in its conditional mean, which has the variance d[i].
vecchia_factors <- function(S, NNarray) {
  B <- diag(nrow(S))
  d <- diag(S)
  for (i in seq_len(nrow(S))[-1]) {
    j <- NNarray[i, -1]
    j <- j[!is.na(j)]
    weights <- solve(S[j, j], S[j, i])
    B[i, j] <- -weights
    d[i] <- S[i, i] - sum(weights * S[j, i])
  }
  list(B = B, d = d)
}

log_det <- function(S) 2 * sum(log(diag(chol(S))))

# The log-likelihood of y, and the divergence of the approximation N(0, V V' + (B' D^-1 B)^-1) from
# N(0, V V' + R). V may have no columns: plain Vecchia.
approximate <- function(y, V, R, NNarray, exact_log_det) {
  n <- length(y)
  factors <- vecchia_factors(R, NNarray)
  half <- factors$B / sqrt(factors$d)   # D^-1/2 B
  W <- half %*% V
  u <- half %*% y
  M <- diag(ncol(V)) + crossprod(W)
  log_det <- sum(log(factors$d)) + if (ncol(V) > 0) log_det(M) else 0
  quadratic <- sum(u^2) - if (ncol(V) > 0) sum(crossprod(W, u) * solve(M, crossprod(W, u))) else 0
  # The trace of the approximate precision times V V' + R.
  trace <- n
  if (ncol(V) > 0) {
    X <- crossprod(half, W)
    trace <- n + sum(W^2) - sum(diag(solve(M, crossprod(X, R %*% X) + crossprod(crossprod(W)))))
  }
  c(kl = (trace - n + log_det - exact_log_det) / 2,
    loglik = -(n * log(2 * pi) + log_det + quadratic) / 2)
}

# All approximations for one number of inducing points, which are the first points.
measure <- function(model, m) {
  n <- length(model$y)
  kernel <- kernel_exponential(model$variance)
  Sigma <- model$variance * exp(-as.matrix(stats::dist(model$z))) + diag(model$nugget, n)
  first <- seq_len(m)
  metric <- residual_correlation(kernel, model$z[first, ], nugget = model$nugget)
  plain <- residual_correlation(kernel, nugget = model$nugget)
  L <- chol(Sigma[first, first] - diag(model$nugget - metric$jitter, m))
  V <- t(backsolve(L, Sigma[first, ] - model$nugget * diag(n)[first, ], transpose = TRUE))
  R <- Sigma - tcrossprod(V)
  exact_log_det <- log_det(Sigma)
  exact <- -(n * log(2 * pi) + exact_log_det + sum(backsolve(chol(Sigma), model$y, transpose = TRUE)^2)) / 2
  sets <- list(euclidean = vecchia_neighbors(model$z, max(neighbors), "none"),
               residual = vecchia_neighbors(model$z, max(neighbors), "none", metric = metric, recall = 1))
  cases <- expand.grid(k = neighbors, by = names(sets), vif = c(FALSE, TRUE), stringsAsFactors = FALSE)
  found <- mapply(function(k, by, vif) {
    near <- list(order = seq_len(n), NNarray = sets[[by]]$NNarray[, seq_len(k + 1)])
    result <- if (vif) approximate(model$y, V, R, near$NNarray, exact_log_det)
      else approximate(model$y, V[, 0], Sigma, near$NNarray, exact_log_det)
    loglik <- vif_loglik(model$y, model$z, near, if (vif) metric else plain)
    stopifnot(isTRUE(all.equal(loglik, result[["loglik"]], tolerance = 1e-6)))
    result
  }, cases$k, cases$by, cases$vif)
  data.frame(n = n, inducing = m, neighbors = cases$k, model = ifelse(cases$vif, "VIF", "plain"), by = cases$by,
             kl = found["kl", ], loglik = found["loglik", ], exact_loglik = exact)
}

run <- function(name) {
  model <- regions[[name]]()
  table <- cbind(data = name, do.call(rbind, lapply(size(inducing), function(m) measure(model, m))))
  print(table, digits = 4)
  table
}
if (!has("GpGp")) bench_only <- "none"
all <- renew("vif", "data", names(regions), run)

# A column for each model and kind of neighbors.
columns <- function(value) {
  lines <- all[all$model == "plain" & all$by == "euclidean", ]
  column <- function(model, by) value[all$model == model & all$by == by]
  list(lines = lines, shown = data.frame(
    data = sprintf("%s, %s points", lines$data, format(lines$n, big.mark = ",")),
    `inducing points` = lines$inducing, neighbors = lines$neighbors,
    `Vecchia, Euclidean` = column("plain", "euclidean"), `Vecchia, residual` = column("plain", "residual"),
    `VIF, Euclidean` = column("VIF", "euclidean"), `VIF, residual` = column("VIF", "residual"),
    check.names = FALSE
  ))
}
for (name in c("vif", "vif_loglik")) {
  table <- columns(if (name == "vif") figures(all$kl) else sprintf("%.2f", all$loglik - all$exact_loglik))
  write_table(name, table$shown, table$lines$machine)
}
