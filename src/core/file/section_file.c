/* section_file.c: see section_file.h.
 *
 * Numbers of the head are put together from bytes, so that the code is the same on all machines.
 */
#include "core/file/section_file.h"
#include "core/util/checksum.h"

#include <string.h>

/* Places in the prologue and in an entry of the table. */
enum { AT_ORDER = 8, AT_VERSION = 12, AT_SIZE = 16, AT_SECTIONS = 24, AT_PAGE = 28, AT_SUM = 32 };
enum { AT_TYPE = 40, AT_OFFSET = 48, AT_COUNT = 56, AT_CHECKSUM = 64 };

static const uint32_t ORDER = 0x01020304, REVERSED = 0x04030201;
static const unsigned char magic[8] = {0x89, 'C', 'V', 'T', '\r', '\n', 0x1a, '\n'};

static void put(unsigned char *to, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (unsigned char)(value >> 8 * i);
}

static uint64_t get(const unsigned char *from, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint64_t)from[i] << 8 * i;
    return value;
}

static uint32_t get32(const unsigned char *from)
{
    return (uint32_t)get(from, 4);
}

static uint64_t whole_pages(uint64_t bytes)
{
    return (bytes + CT_FILE_PAGE - 1) / CT_FILE_PAGE * CT_FILE_PAGE;
}

size_t ct_section_value_size(int type)
{
    switch (type) {
    case CT_SECTION_BYTES:
        return 1;
    case CT_SECTION_INT32:
    case CT_SECTION_FLOAT32:
        return 4;
    case CT_SECTION_FLOAT64:
        return 8;
    default:
        return 0;
    }
}

uint64_t ct_section_checksum(const void *values, enum ct_section_type type, uint64_t count)
{
    switch (ct_section_value_size(type)) {
    case 8:
        return ct_checksum_doubles(values, (size_t)count, 0);
    case 4:
        return ct_checksum_ints(values, (size_t)count, 0);
    default:
        return ct_checksum_bytes(values, (size_t)count, 0);
    }
}

int ct_is_little_endian(void)
{
    const uint32_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return first;
}

void ct_swap_bytes(void *values, enum ct_section_type type, uint64_t count)
{
    size_t size = ct_section_value_size(type);
    unsigned char *value = values;
    for (uint64_t i = 0; i < count; i++, value += size)
        for (size_t a = 0, b = size - 1; a < b; a++, b--) {
            unsigned char keep = value[a];
            value[a] = value[b];
            value[b] = keep;
        }
}

uint64_t ct_file_head_size(int sections)
{
    return whole_pages(CT_FILE_PROLOGUE + (uint64_t)sections * CT_FILE_ENTRY);
}

uint64_t ct_place_sections(struct ct_section *section, int sections)
{
    uint64_t next = ct_file_head_size(sections);
    for (int i = 0; i < sections; i++) {
        section[i].offset = next;
        next = whole_pages(next + section[i].count * ct_section_value_size(section[i].type));
    }
    return next;
}

/* The checksum of prologue and table; the field for it counts as zeros. */
static uint64_t head_checksum(const unsigned char *head, int sections)
{
    unsigned char prologue[CT_FILE_PROLOGUE];
    memcpy(prologue, head, sizeof prologue);
    memset(prologue + AT_SUM, 0, 8);
    uint64_t sum = ct_checksum_bytes((const char *)prologue, sizeof prologue, 0);
    return ct_checksum_bytes((const char *)head + CT_FILE_PROLOGUE,
                             (size_t)sections * CT_FILE_ENTRY, sum);
}

void ct_write_file_head(const struct ct_section *section, int sections, unsigned char *head)
{
    uint64_t size = ct_file_head_size(sections);
    memset(head, 0, (size_t)size);
    memcpy(head, magic, sizeof magic);
    for (int i = 0; i < sections; i++) {
        const struct ct_section *s = &section[i];
        unsigned char *entry = head + CT_FILE_PROLOGUE + (size_t)i * CT_FILE_ENTRY;
        memcpy(entry, s->name, strlen(s->name));
        put(entry + AT_TYPE, s->type, 4);
        put(entry + AT_OFFSET, s->offset, 8);
        put(entry + AT_COUNT, s->count, 8);
        put(entry + AT_CHECKSUM, s->checksum, 8);
        size = whole_pages(s->offset + s->count * ct_section_value_size(s->type));
    }
    put(head + AT_ORDER, ORDER, 4);
    put(head + AT_VERSION, CT_FILE_VERSION, 4);
    put(head + AT_SIZE, size, 8);
    put(head + AT_SECTIONS, (uint64_t)sections, 4);
    put(head + AT_PAGE, CT_FILE_PAGE, 4);
    put(head + AT_SUM, head_checksum(head, sections), 8);
}

enum ct_file_error ct_read_file_info(const unsigned char *bytes, size_t size,
                                     struct ct_file_info *info)
{
    memset(info, 0, sizeof *info);
    if (size < CT_FILE_PROLOGUE)
        return size < sizeof magic || memcmp(bytes, magic, sizeof magic) == 0 ? CT_FILE_TOO_SHORT
                                                                              : CT_FILE_FOREIGN;
    if (memcmp(bytes, magic, sizeof magic) != 0)
        return CT_FILE_FOREIGN;
    if (get32(bytes + AT_ORDER) == REVERSED)
        return CT_FILE_BYTE_ORDER;
    info->version = get32(bytes + AT_VERSION);
    if (get32(bytes + AT_ORDER) != ORDER || info->version < 1)
        return CT_FILE_DAMAGED;
    if (info->version > CT_FILE_VERSION)
        return CT_FILE_NEWER;
    uint32_t sections = get32(bytes + AT_SECTIONS);
    info->file_size = get(bytes + AT_SIZE, 8);
    if (sections < 1 || sections > CT_FILE_SECTIONS || get32(bytes + AT_PAGE) != CT_FILE_PAGE)
        return CT_FILE_DAMAGED;
    info->sections = (int)sections;
    info->head_size = ct_file_head_size(info->sections);
    return info->file_size >= info->head_size && info->file_size % CT_FILE_PAGE == 0
               ? CT_FILE_OK
               : CT_FILE_DAMAGED;
}

/* Reads an entry of the table. Returns whether the section has a type and a name, begins at
 * *next, and lies within the file; moves *next past it. */
static int read_entry(const unsigned char *entry, uint64_t file_size, struct ct_section *s,
                      uint64_t *next)
{
    uint32_t type = get32(entry + AT_TYPE);
    uint64_t size = ct_section_value_size(type <= CT_SECTION_FLOAT64 ? (int)type : 0);
    if (size == 0 || entry[CT_SECTION_NAME - 1] != 0)
        return 0;
    memcpy(s->name, entry, CT_SECTION_NAME);
    s->type = (enum ct_section_type)type;
    s->offset = get(entry + AT_OFFSET, 8);
    s->count = get(entry + AT_COUNT, 8);
    s->checksum = get(entry + AT_CHECKSUM, 8);
    if (s->offset != *next || s->offset > file_size || s->count > (file_size - s->offset) / size)
        return 0;
    *next = whole_pages(s->offset + s->count * size);
    return 1;
}

enum ct_file_error ct_read_file_table(const unsigned char *head, const struct ct_file_info *info,
                                      struct ct_section *section)
{
    uint64_t next = info->head_size;
    if (get(head + AT_SUM, 8) != head_checksum(head, info->sections))
        return CT_FILE_DAMAGED;
    for (int i = 0; i < info->sections; i++)
        if (!read_entry(head + CT_FILE_PROLOGUE + (size_t)i * CT_FILE_ENTRY, info->file_size,
                        &section[i], &next))
            return CT_FILE_DAMAGED;
    return next == info->file_size ? CT_FILE_OK : CT_FILE_DAMAGED;
}
