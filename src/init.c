/* init.c: the routines for .Call(), and the initialization of the package.
 *
 * A routine is declared, registered with the number of its arguments, and found by R as an
 * object of the same name in the namespace.
 */
#include "glue/mapped_vector.h"
#include "glue/threads.h"

#include <R_ext/Rdynload.h>
#include <R_ext/Visibility.h>

SEXP r_tree_build(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP r_tree_from_arrays(SEXP, SEXP);
SEXP r_tree_from_file(SEXP, SEXP);
SEXP r_tree_arrays(SEXP);
SEXP r_check_format(SEXP);
SEXP r_tree_validate(SEXP, SEXP);
SEXP r_prefix_trees(SEXP);
SEXP r_knn(SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP r_few_knn(SEXP, SEXP, SEXP, SEXP);
SEXP r_metric_distance(SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP r_simd_levels(void);
SEXP r_inducing_factor(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP r_residual_values(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP r_nearest_shard(SEXP, SEXP, SEXP, SEXP);
SEXP r_near_shards(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP r_merge_neighbors(SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP r_radius_count(SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP r_metric_radius_count(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP r_residual_exact(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP r_residual_costs(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP r_residual_distance(SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP r_pair_squares(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP r_pair_distances(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP r_pair_nearest(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP r_v_stride(SEXP);
SEXP r_quantized_stride(SEXP);
SEXP r_residual_quantize(SEXP, SEXP, SEXP);
SEXP r_residual_approx(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP r_radius(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP r_parts_knn(SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP r_parts_rows(SEXP);
SEXP r_parts_points(SEXP, SEXP);
SEXP r_parts_find(SEXP, SEXP);
SEXP r_metric_build(SEXP, SEXP, SEXP, SEXP);
SEXP r_metric_knn(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP r_metric_radius(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP r_scan_knn(SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP r_scan_count(SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP r_scan_radius(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP r_windows_memory(void);
SEXP r_seal(SEXP);
SEXP r_progress(SEXP, SEXP);
SEXP r_seal_is_fresh(SEXP, SEXP);
SEXP r_seal_sums(SEXP);
SEXP r_seal_from_sums(SEXP, SEXP, SEXP);
SEXP r_seal_check(SEXP, SEXP);
SEXP r_path_kind(SEXP);
SEXP r_sync_folder(SEXP);
SEXP r_write_output(SEXP, SEXP);
SEXP r_csv_lines(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP r_file_write(SEXP, SEXP, SEXP);
SEXP r_file_open(SEXP, SEXP);
SEXP r_file_close(SEXP);
SEXP r_file_section(SEXP, SEXP, SEXP, SEXP);
SEXP r_file_verify(SEXP);
SEXP r_is_mapped(SEXP);
SEXP r_first_nonfinite(SEXP);
SEXP r_column_range(SEXP);
SEXP r_hilbert_order(SEXP, SEXP);
SEXP r_centroid(SEXP);
SEXP r_order_maximin(SEXP, SEXP, SEXP, SEXP);
SEXP r_threads_get(SEXP);
SEXP r_threads_set(SEXP);
SEXP r_has_openmp(void);
SEXP r_threads_forked(SEXP);
SEXP r_region_seconds(SEXP);

#define ROUTINE(name) #name, (DL_FUNC)&name

static const R_CallMethodDef routines[] = {
    {ROUTINE(r_tree_build), 6},
    {ROUTINE(r_tree_from_arrays), 2},
    {ROUTINE(r_tree_from_file), 2},
    {ROUTINE(r_tree_arrays), 1},
    {ROUTINE(r_check_format), 1},
    {ROUTINE(r_tree_validate), 2},
    {ROUTINE(r_prefix_trees), 1},
    {ROUTINE(r_knn), 5},
    {ROUTINE(r_few_knn), 4},
    {ROUTINE(r_radius), 9},
    {ROUTINE(r_metric_distance), 5},
    {ROUTINE(r_parts_knn), 5},
    {ROUTINE(r_parts_rows), 1},
    {ROUTINE(r_parts_points), 2},
    {ROUTINE(r_parts_find), 2},
    {ROUTINE(r_metric_build), 4},
    {ROUTINE(r_metric_knn), 6},
    {ROUTINE(r_metric_radius), 7},
    {ROUTINE(r_scan_knn), 5},
    {ROUTINE(r_scan_count), 5},
    {ROUTINE(r_scan_radius), 7},
    {ROUTINE(r_windows_memory), 0},
    {ROUTINE(r_seal), 1},
    {ROUTINE(r_progress), 2},
    {ROUTINE(r_seal_is_fresh), 2},
    {ROUTINE(r_seal_check), 2},
    {ROUTINE(r_seal_sums), 1},
    {ROUTINE(r_seal_from_sums), 3},
    {ROUTINE(r_path_kind), 1},
    {ROUTINE(r_sync_folder), 1},
    {ROUTINE(r_write_output), 2},
    {ROUTINE(r_csv_lines), 6},
    {ROUTINE(r_file_write), 3},
    {ROUTINE(r_file_open), 2},
    {ROUTINE(r_file_close), 1},
    {ROUTINE(r_file_section), 4},
    {ROUTINE(r_file_verify), 1},
    {ROUTINE(r_is_mapped), 1},
    {ROUTINE(r_simd_levels), 0},
    {ROUTINE(r_first_nonfinite), 1},
    {ROUTINE(r_column_range), 1},
    {ROUTINE(r_hilbert_order), 2},
    {ROUTINE(r_centroid), 1},
    {ROUTINE(r_order_maximin), 4},
    {ROUTINE(r_threads_get), 1},
    {ROUTINE(r_threads_set), 1},
    {ROUTINE(r_has_openmp), 0},
    {ROUTINE(r_threads_forked), 1},
    {ROUTINE(r_region_seconds), 1},
    {ROUTINE(r_inducing_factor), 6},
    {ROUTINE(r_residual_values), 9},
    {ROUTINE(r_nearest_shard), 4},
    {ROUTINE(r_near_shards), 6},
    {ROUTINE(r_merge_neighbors), 5},
    {ROUTINE(r_radius_count), 5},
    {ROUTINE(r_metric_radius_count), 6},
    {ROUTINE(r_residual_exact), 6},
    {ROUTINE(r_residual_costs), 6},
    {ROUTINE(r_residual_approx), 9},
    {ROUTINE(r_residual_quantize), 3},
    {ROUTINE(r_residual_distance), 5},
    {ROUTINE(r_pair_squares), 6},
    {ROUTINE(r_pair_distances), 6},
    {ROUTINE(r_pair_nearest), 6},
    {ROUTINE(r_v_stride), 1},
    {ROUTINE(r_quantized_stride), 1},
    {NULL, NULL, 0},
};

/* Refuses to load on 32-bit x86 without SSE2, which the core needs (util/float.h). */
static void require_sse2(void)
{
#if defined(__i386__) && defined(__GNUC__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("sse2"))
        Rf_error(
            "covertree needs a processor with SSE2, for arithmetic that is the same everywhere");
#endif
}

/* Called by R when the package is loaded. */
void attribute_visible R_init_covertree(DllInfo *dll)
{
    require_sse2();
    R_registerRoutines(dll, NULL, routines, NULL, NULL);
    R_useDynamicSymbols(dll, FALSE);
    R_forceSymbols(dll, TRUE);
    r_threads_load();
    r_mapped_load(dll);
}
