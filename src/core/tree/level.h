/* level.h: levels and their cover radii.
 *
 * cover(l) = 2^(l/4): four levels to the octave, the same numbers on every
 * machine because only exact constants and powers of two enter.
 */
#ifndef COVERTREE_TREE_LEVEL_H
#define COVERTREE_TREE_LEVEL_H

double ct_cover_radius(int level); /* 0 for CT_NO_LEVEL */
int ct_cover_level(double radius); /* the least level that covers it; CT_NO_LEVEL for 0 */

#endif
