/* seal.c: see seal.h.
 *
 * A seal is an external pointer that protects checksums of the values of a list. The address
 * of the pointer is not the address of anything: it is a hash of the addresses of the vectors
 * (the mark), and tells that these vectors were checked in this session. A seal from a file
 * has no address, and a list edited in R has vectors at other addresses; in both cases the
 * checksums are compared, once.
 */
#include "glue/seal.h"
#include "core/covertree.h"

#include <string.h>

enum { DEPTH = 8 }; /* levels of nested lists covered by checksums and marks */

/* Adds a string, in UTF-8: a file that is read in another locale may change the encoding. */
static uint64_t sum_text(SEXP text, uint64_t seed)
{
    const void *mark = vmaxget();
    const char *bytes = Rf_getCharCE(text) == CE_BYTES ? CHAR(text) : Rf_translateCharUTF8(text);
    seed = ct_checksum_bytes(bytes, strlen(bytes), seed);
    vmaxset(mark);
    return seed;
}

/* Adds the numbers of a vector; nothing for other types. */
static uint64_t sum_values(SEXP value, uint64_t seed)
{
    switch (TYPEOF(value)) {
    case REALSXP:
        return ct_checksum_doubles(REAL_RO(value), (size_t)XLENGTH(value), seed);
    case INTSXP:
        return ct_checksum_ints(INTEGER_RO(value), (size_t)XLENGTH(value), seed);
    case LGLSXP:
        return ct_checksum_ints(LOGICAL_RO(value), (size_t)XLENGTH(value), seed);
    default:
        return seed;
    }
}

/* Adds the strings of a character vector; nothing for other types. */
static uint64_t sum_strings(SEXP strings, uint64_t seed)
{
    for (R_xlen_t i = 0; TYPEOF(strings) == STRSXP && i < XLENGTH(strings); i++)
        seed = sum_text(STRING_ELT(strings, i), seed);
    return seed;
}

/* Adds type, dimensions and values. The names of a list count, because R finds elements by
 * name. */
static uint64_t checksum(SEXP value, int depth, uint64_t seed)
{
    SEXP dim = Rf_getAttrib(value, R_DimSymbol);
    int type = (int)TYPEOF(value);
    seed = ct_checksum_ints(&type, 1, seed);
    if (TYPEOF(dim) == INTSXP)
        seed = sum_values(dim, seed);
    if (type == STRSXP)
        return sum_strings(value, seed);
    if (type != VECSXP || depth == 0)
        return sum_values(value, seed);
    seed = sum_strings(Rf_getAttrib(value, R_NamesSymbol), seed);
    for (R_xlen_t i = 0; i < XLENGTH(value); i++)
        seed = checksum(VECTOR_ELT(value, i), depth - 1, seed);
    return seed;
}

/* Writes the checksum of a value to text [17] as a string; returns text. */
static const char *sum_of(SEXP value, char *text)
{
    uint64_t sum = checksum(value, DEPTH, 0);
    for (int i = 0; i < 16; i++)
        text[i] = "0123456789abcdef"[sum >> (60 - 4 * i) & 15];
    text[16] = 0;
    return text;
}

SEXP r_checksums(SEXP list)
{
    char text[17];
    SEXP sums = PROTECT(Rf_allocVector(STRSXP, XLENGTH(list)));
    for (R_xlen_t i = 0; i < XLENGTH(list); i++)
        SET_STRING_ELT(sums, i, Rf_mkChar(sum_of(VECTOR_ELT(list, i), text)));
    UNPROTECT(1);
    return sums;
}

int r_first_changed(SEXP list, int count, SEXP sums)
{
    char text[17];
    if (TYPEOF(sums) != STRSXP || XLENGTH(sums) != count)
        return count;
    for (int i = 0; i < count; i++)
        if (strcmp(CHAR(STRING_ELT(sums, i)), sum_of(VECTOR_ELT(list, i), text)) != 0)
            return i;
    return -1;
}

/* ---- seals ----------------------------------------------------------------- */

/* Returns a hash of the addresses of all vectors and names in a list and in nested lists. All of
 * these are marked as not mutable: R then changes a copy, at another address. */
static uintptr_t mark(SEXP list, int depth, uintptr_t from)
{
    for (R_xlen_t i = 0; i < XLENGTH(list); i++) {
        SEXP value = VECTOR_ELT(list, i);
        SEXP names = Rf_getAttrib(value, R_NamesSymbol);
        MARK_NOT_MUTABLE(value);
        MARK_NOT_MUTABLE(names);
        from = from * 1000003 + ((uintptr_t)names >> 3);
        from = TYPEOF(value) == VECSXP && depth > 0 ? mark(value, depth - 1, from * 31 + 1)
                                                    : from * 1000003 + ((uintptr_t)value >> 3);
    }
    return from;
}

/* The mark of a list, as the address of a seal; odd, hence never NULL. */
static void *mark_of(SEXP list)
{
    return (void *)(mark(list, DEPTH, 1) | 1);
}

/* Returns the seal of a list with valid values. */
SEXP r_seal(SEXP list)
{
    SEXP sums = PROTECT(r_checksums(list));
    SEXP seal = R_MakeExternalPtr(mark_of(list), R_NilValue, sums);
    UNPROTECT(1);
    return seal;
}

/* Returns the checksums of a seal, or NULL. */
SEXP r_seal_sums(SEXP seal)
{
    return TYPEOF(seal) == EXTPTRSXP ? R_ExternalPtrProtected(seal) : R_NilValue;
}

/* Returns a seal with these checksums. The list counts as checked if `fresh`. */
SEXP r_seal_from_sums(SEXP sums, SEXP list, SEXP fresh)
{
    return R_MakeExternalPtr(Rf_asLogical(fresh) ? mark_of(list) : NULL, R_NilValue, sums);
}

/* Whether the vectors of a list were sealed or checked in this session. */
SEXP r_seal_is_fresh(SEXP seal, SEXP list)
{
    return Rf_ScalarLogical(TYPEOF(seal) == EXTPTRSXP && R_ExternalPtrAddr(seal) == mark_of(list));
}

/* Compares checksums. Returns 0 if all values are the sealed values, and marks the vectors as
 * checked; else the number of the first value that differs; NA if there is no seal. */
SEXP r_seal_check(SEXP seal, SEXP list)
{
    SEXP sums = r_seal_sums(seal);
    int count = (int)XLENGTH(list), changed = r_first_changed(list, count, sums);
    if (changed < 0)
        R_SetExternalPtrAddr(seal, mark_of(list));
    return Rf_ScalarInteger(changed == count ? NA_INTEGER : changed + 1);
}
