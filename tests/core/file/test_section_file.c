/* test_section_file.c: the head of a file is read as it was written; every changed bit, every end
 * within the head and any other bytes are refused; whatever is accepted lies within the file. */
#include "check.h"
#include "clouds.h"
#include "core/file/section_file.h"
#include "core/util/checksum.h"
#include "host.h"

#include <stdio.h>
#include <string.h>

enum { SECTIONS = 60, HEAD = 8192 };

static void fill(struct ct_section *section, int count)
{
    memset(section, 0, (size_t)count * sizeof *section);
    for (int i = 0; i < count; i++) {
        snprintf(section[i].name, CT_SECTION_NAME, "arrays/number %d", i);
        section[i].type = (enum ct_section_type)(1 + i % 4);
        section[i].count = (uint64_t)(i % 7 ? random_below(3000) : 0);
        section[i].checksum = random_bits();
    }
}

static enum ct_file_error read_all(const unsigned char *head, size_t size,
                                   struct ct_file_info *info, struct ct_section *section)
{
    enum ct_file_error error = ct_read_file_info(head, size, info);
    if (error != CT_FILE_OK)
        return error;
    if (info->head_size > size || info->sections > SECTIONS)
        return CT_FILE_TOO_SHORT;
    return ct_read_file_table(head, info, section);
}

/* Sections begin at pages, one after the other, without a gap of a page. */
static void check_places(const struct ct_section *section, int count, uint64_t size)
{
    uint64_t next = ct_file_head_size(count);
    int wrong = 0;
    for (int i = 0; i < count; i++) {
        uint64_t end =
            section[i].offset + section[i].count * ct_section_value_size(section[i].type);
        wrong += section[i].offset != next || next % CT_FILE_PAGE != 0;
        next = (end + CT_FILE_PAGE - 1) / CT_FILE_PAGE * CT_FILE_PAGE;
    }
    CHECK(wrong == 0 && size == next);
}

static void check_round_trip(int count)
{
    struct ct_section section[SECTIONS], back[SECTIONS];
    struct ct_file_info info;
    unsigned char head[HEAD];
    check_about("%d sections", count);
    fill(section, count);
    uint64_t size = ct_place_sections(section, count);
    check_places(section, count, size);
    CHECK(ct_file_head_size(count) <= HEAD);
    ct_write_file_head(section, count, head);
    CHECK(read_all(head, HEAD, &info, back) == CT_FILE_OK);
    CHECK(info.sections == count && info.file_size == size && info.version == CT_FILE_VERSION &&
          info.head_size == ct_file_head_size(count));
    for (int i = 0; i < count; i++)
        CHECK(strcmp(back[i].name, section[i].name) == 0 && back[i].type == section[i].type &&
              back[i].offset == section[i].offset && back[i].count == section[i].count &&
              back[i].checksum == section[i].checksum);
}

static void check_changes(int count)
{
    struct ct_section section[SECTIONS], back[SECTIONS];
    struct ct_file_info info;
    unsigned char head[HEAD];
    size_t used = CT_FILE_PROLOGUE + (size_t)count * CT_FILE_ENTRY;
    int missed = 0;
    fill(section, count);
    ct_place_sections(section, count);
    ct_write_file_head(section, count, head);
    for (size_t at = 0; at < used; at++)
        for (int bit = 0; bit < 8; bit++) {
            head[at] ^= (unsigned char)(1 << bit);
            missed += read_all(head, HEAD, &info, back) == CT_FILE_OK;
            head[at] ^= (unsigned char)(1 << bit);
        }
    check_about("changed bits of %d sections", count);
    CHECK(missed == 0);
    missed = 0;
    for (size_t size = 0; size < ct_file_head_size(count); size++)
        missed += read_all(head, size, &info, back) != CT_FILE_TOO_SHORT;
    check_about("ends within the head of %d sections", count);
    CHECK(missed == 0);
}

static enum ct_file_error error_with(size_t at, const char *bytes, size_t count)
{
    struct ct_section section[1], back[1];
    struct ct_file_info info;
    unsigned char head[HEAD];
    fill(section, 1);
    ct_place_sections(section, 1);
    ct_write_file_head(section, 1, head);
    memcpy(head + at, bytes, count);
    return read_all(head, HEAD, &info, back);
}

static void check_reasons(void)
{
    check_about("reasons");
    CHECK(error_with(0, "\x1f\x8b", 2) == CT_FILE_FOREIGN);
    CHECK(error_with(4, "\n", 1) == CT_FILE_FOREIGN);
    CHECK(error_with(8, "\x01\x02\x03\x04", 4) == CT_FILE_BYTE_ORDER);
    CHECK(error_with(8, "\x01\x02\x04\x03", 4) == CT_FILE_DAMAGED);
    CHECK(error_with(12, "\x02", 1) == CT_FILE_NEWER);
    CHECK(error_with(12, "\x00", 1) == CT_FILE_DAMAGED);
    CHECK(error_with(24, "\x00", 1) == CT_FILE_DAMAGED);
    CHECK(error_with(24, "\xff\xff\xff\xff", 4) == CT_FILE_DAMAGED);
    CHECK(error_with(70, "x", 1) == CT_FILE_DAMAGED);
}

/* Writes the checksum of a changed head, so that only the checks of its content remain. */
static void sign(unsigned char *head, int count)
{
    memset(head + 32, 0, 8);
    uint64_t sum = ct_checksum_bytes((const char *)head, CT_FILE_PROLOGUE, 0);
    sum = ct_checksum_bytes((const char *)head + CT_FILE_PROLOGUE, (size_t)count * CT_FILE_ENTRY,
                            sum);
    for (int i = 0; i < 8; i++)
        head[32 + i] = (unsigned char)(sum >> 8 * i);
}

static void check_signed_changes(void)
{
    struct ct_section section[SECTIONS], back[SECTIONS];
    struct ct_file_info info;
    unsigned char head[HEAD], whole[HEAD];
    int accepted = 0, outside = 0, rounds = 20000;
    fill(section, 5);
    ct_place_sections(section, 5);
    ct_write_file_head(section, 5, whole);
    for (int round = 0; round < rounds; round++) {
        memcpy(head, whole, HEAD);
        for (int change = random_below(3); change >= 0; change--)
            head[8 + random_below(CT_FILE_PROLOGUE + 5 * CT_FILE_ENTRY - 8)] =
                (unsigned char)(random_below(4) ? random_below(256) : 255 * random_below(2));
        sign(head, 5);
        if (read_all(head, HEAD, &info, back) != CT_FILE_OK)
            continue;
        accepted++;
        for (int i = 0; i < info.sections; i++) {
            uint64_t size = ct_section_value_size(back[i].type);
            outside += size == 0 || back[i].offset % CT_FILE_PAGE != 0 ||
                       back[i].offset < info.head_size || back[i].offset > info.file_size ||
                       back[i].count > (info.file_size - back[i].offset) / size ||
                       memchr(back[i].name, 0, CT_SECTION_NAME) == NULL;
        }
    }
    check_about("%d of %d changed heads accepted", accepted, rounds);
    CHECK(accepted > 0 && outside == 0);
}

static void check_values(void)
{
    unsigned char value[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const unsigned char doubles[] = {8, 7, 6, 5, 4, 3, 2, 1},
                               ints[] = {5, 6, 7, 8, 1, 2, 3, 4};
    check_about("values");
    CHECK(ct_section_checksum(value, CT_SECTION_BYTES, 8) ==
          ct_checksum_bytes((const char *)value, 8, 0));
    if (ct_is_little_endian())
        CHECK(ct_section_checksum(value, CT_SECTION_FLOAT64, 1) ==
                  ct_section_checksum(value, CT_SECTION_BYTES, 8) &&
              ct_section_checksum(value, CT_SECTION_FLOAT32, 2) ==
                  ct_section_checksum(value, CT_SECTION_BYTES, 8));
    ct_swap_bytes(value, CT_SECTION_BYTES, 8);
    ct_swap_bytes(value, CT_SECTION_FLOAT64, 1);
    CHECK(memcmp(value, doubles, 8) == 0);
    ct_swap_bytes(value, CT_SECTION_INT32, 2);
    CHECK(memcmp(value, ints, 8) == 0);
    for (int type = -1; type < 7; type++)
        CHECK((ct_section_value_size(type) > 0) ==
              (type >= CT_SECTION_BYTES && type <= CT_SECTION_FLOAT64));
}

int main(void)
{
    check_round_trip(1);
    check_round_trip(50);
    check_round_trip(51);
    check_changes(1);
    check_changes(7);
    check_reasons();
    check_signed_changes();
    check_values();
    return check_done("section_file");
}
