/* level.h: the levels of a tree and their cover radii.
 *
 * The cover radius of level l is 2^(l/4): four levels to a factor of 2. The values are the
 * same on every machine, because they are products of constants and powers of two. Both
 * functions take constant time.
 */
#ifndef COVERTREE_TREE_LEVEL_H
#define COVERTREE_TREE_LEVEL_H

/* Returns the cover radius of a level; 0 for CT_NO_LEVEL. */
double ct_cover_radius(int level);

/* Returns the least level whose cover radius is at least `radius`, which is finite and not
 * negative; CT_NO_LEVEL for 0. */
int ct_cover_level(double radius);

#endif
