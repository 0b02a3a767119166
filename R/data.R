#' Ocean temperatures from Argo floats
#'
#' Where and when 32,436 profiles of the Argo floats were taken in January,
#' February and March 2016, and the temperature of the water at three pressures.
#' The positions gather along the drift of the floats and leave the land empty,
#' which makes them a fair test of neighbor search on a sphere.
#'
#' @format A data frame with 32,436 rows, one per profile, and 6 columns:
#' \describe{
#'   \item{longitude}{degrees east, from 20 to 380: the cut runs through Africa,
#'     so that each ocean but the Southern one is in one piece}
#'   \item{latitude}{degrees north, from -65 to 65}
#'   \item{time}{days since 1 January 2016, 00:00}
#'   \item{temperature_100, temperature_150, temperature_200}{temperature in
#'     degrees Celsius at 100, 150 and 200 dbar, which is roughly the depth in
#'     meters}
#' }
#'
#' @section License:
#' These data were collected and made freely available by the International Argo
#' Program and the national programs that contribute to it. The Argo Program is
#' part of the Global Ocean Observing System. The program makes its data available
#' without restriction, and asks for this acknowledgement and the DOI below.
#' \pkg{GpGp}, from which the table is taken, is under the MIT license, copyright
#' 2018 Joseph Guinness.
#'
#' @source The data set `argo2016` of the package \pkg{GpGp} 1.0.0, which has it
#' from Mikael Kuusela. Here the columns have longer names and time counts from
#' 2016; the values are unchanged.
#'
#' @references
#' Argo (2000). Argo float data and metadata from Global Data Assembly Center
#' (Argo GDAC). SEANOE. \doi{10.17882/42182}
#'
#' Kuusela, M. and Stein, M. L. (2018). Locally stationary spatio-temporal
#' interpolation of Argo profiling float data. *Proceedings of the Royal Society
#' A*, 474, 20180400. \doi{10.1098/rspa.2018.0400}
#'
#' @examples
#' # Points on the unit sphere: distances are chords, in units of its radius.
#' longitude <- argo$longitude * pi / 180
#' latitude <- argo$latitude * pi / 180
#' xyz <- cbind(
#'   x = cos(latitude) * cos(longitude),
#'   y = cos(latitude) * sin(longitude),
#'   z = sin(latitude)
#' )
#' tree <- cover_tree(xyz)
#' tree
#'
#' # The five profiles nearest to each of the first three (which find themselves
#' # first), with the arcs between them in kilometers.
#' near <- knn_query(tree, xyz[1:3, ], k = 6)
#' near$index
#' round(6371 * 2 * asin(near$distance / 2), 1)
"argo"
