/* test_checksum.c: XXH64 of bytes, against published values; of doubles and ints, that it
 * is that of their bytes, lowest first; that any change of any bit changes it. */
#include "check.h"
#include "clouds.h"
#include "core/util/checksum.h"

#include <string.h>

static void check_published(void)
{
    static const struct {
        const char *text;
        uint64_t sum;
    } known[] = {
        {"", 0xef46db3751d8e999},
        {"a", 0xd24ec4f1a98c6e5b},
        {"as", 0x1c330fb2d66be179},
        {"asd", 0x631c37ce72a97393},
        {"asdf", 0x415872f599cea71e},
        {"abc", 0x44bc2cf5ad770999},
        {"Call me Ishmael. Some years ago--never mind how long precisely-", 0x02a2e85470d6fd96},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        check_about("text \"%s\"", known[i].text);
        CHECK(ct_checksum_bytes(known[i].text, strlen(known[i].text), 0) == known[i].sum);
    }
}

static void put_bytes(uint64_t value, size_t size, char *to)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (char)(value >> 8 * i & 255);
}

enum { MOST = 70 };

static void check_values(void)
{
    double number[MOST];
    int whole[MOST];
    char bytes[8 * MOST];
    for (int i = 0; i < MOST; i++) {
        number[i] = random_uniform() - 0.5;
        whole[i] = random_below(1 << 30) * (i % 2 ? -1 : 1);
    }
    for (size_t count = 0; count <= MOST; count++) {
        check_about("%d values", (int)count);
        for (size_t i = 0; i < count; i++) {
            uint64_t word;
            memcpy(&word, number + i, sizeof word);
            put_bytes(word, 8, bytes + 8 * i);
        }
        CHECK(ct_checksum_doubles(number, count, count) ==
              ct_checksum_bytes(bytes, 8 * count, count));
        for (size_t i = 0; i < count; i++)
            put_bytes((uint32_t)whole[i], 4, bytes + 4 * i);
        CHECK(ct_checksum_ints(whole, count, 5) == ct_checksum_bytes(bytes, 4 * count, 5));
        CHECK(ct_checksum_ints(whole, count, 5) != ct_checksum_ints(whole, count, 6));
    }
}

static void check_flips(void)
{
    double number[MOST] = {0};
    for (size_t count = 1; count <= MOST; count += 3) {
        uint64_t sum = ct_checksum_doubles(number, count, 0), word;
        int same = 0;
        for (size_t i = 0; i < count; i++)
            for (int bit = 0; bit < 64; bit++) {
                double before = number[i];
                memcpy(&word, number + i, sizeof word);
                word ^= (uint64_t)1 << bit;
                memcpy(number + i, &word, sizeof word);
                same += ct_checksum_doubles(number, count, 0) == sum;
                number[i] = before;
            }
        for (size_t i = 0; i + 1 < count; i++) {
            number[i] = number[i + 1] = -0.0;
            same += ct_checksum_doubles(number, count, 0) == sum;
            number[i] = number[i + 1] = 0;
        }
        check_about("bits of %d doubles", (int)count);
        CHECK(same == 0);
    }
}

int main(void)
{
    check_published();
    check_values();
    check_flips();
    return check_done("checksum");
}
