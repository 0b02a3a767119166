#' Ocean temperatures from Argo floats
#'
#' Positions, times and water temperatures at three pressures of 32,436 profiles that Argo floats
#' measured in January, February and March 2016. The positions are dense along the paths of the
#' floats, and there are none on land. The data therefore test neighbor search on unevenly
#' distributed points on a sphere.
#'
#' @format A data frame with 32,436 rows, one per profile, and 6 columns:
#' \describe{
#'   \item{longitude}{\[degrees east\] from 20 to 380, so that the Pacific, the Atlantic and the
#'     Indian Ocean are each in one piece}
#'   \item{latitude}{\[degrees north\] from -65 to 65}
#'   \item{time}{\[days\] since 1 January 2016, 00:00}
#'   \item{temperature_100, temperature_150, temperature_200}{\[degrees Celsius\] temperature at a
#'     pressure of 100, 150 and 200 dbar, which corresponds to a depth of about as many meters}
#' }
#'
#' @section License:
#' These data were collected and made freely available by the International Argo Program and the
#' national programs that contribute to it. The Argo Program is part of the Global Ocean Observing
#' System. The program makes its data available without restriction, and asks for this
#' acknowledgement and the DOI below. \pkg{GpGp}, from which the table is taken, is under the MIT
#' license, copyright 2018 Joseph Guinness.
#'
#' @source The data set `argo2016` of the package \pkg{GpGp} 1.0.0, which names Mikael Kuusela as
#'   its source. Here the columns have longer names, and `time` counts from the beginning of 2016.
#'   The values are unchanged.
#'
#' @references
#' Argo (2000). Argo float data and metadata from Global Data Assembly Center (Argo GDAC). SEANOE.
#' \doi{10.17882/42182}
#'
#' Kuusela, M. and Stein, M. L. (2018). Locally stationary spatio-temporal interpolation of Argo
#' profiling float data. *Proceedings of the Royal Society A*, 474, 20180400.
#' \doi{10.1098/rspa.2018.0400}
#'
#' @examples
#' # Points on the unit sphere. The distances are lengths of chords, in units of the
#' # radius of the sphere.
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
#' # The five profiles nearest to each of the first three, and the great-circle
#' # distances [km].
#' near <- knn_query(tree, rows = 1:3, k = 5)
#' near$index
#' round(6371 * 2 * asin(near$distance / 2), 1)
"argo"
