#include "support.h"

#include <string.h>

#include "base/text.h"
#include "image/seal.h"

/* Computed once by `fsverity digest --compact` (fsverity-utils 1.5). */
#define SEAL_OF_NOTHING "3d248ca542a24fc62d1c43b916eae5016878e2533c88238480b26128a1f1af95"
#define SEAL_OF_DATA "19ad477a0df7ca89471233c29d4234ada4226f8c0df44973656f4b1329628522"
#define SEAL_OF_PAGE "a2a808ddaced77f0b6b3068f47b14b5a1fb3fc43674993ab11b8e7e6f2d089e2"
#define SEAL_OF_BIG "7aa6bcaba629142c1eb539bb84fa2b7cc0daa41340ec94d99b60edf20a7ccd09"

static void assert_seal(const void *data, size_t size, const char *wanted)
{
        su_auto_close int fd = memory_file_of(data, size);
        char hex[SU_SHA256_HEX_SIZE];
        struct su_sha256 seal;
        struct su_error err = {0};

        assert_int_equal(lseek(fd, 1, SEEK_SET), 1); /* the position does not matter */
        assert_ok(su_seal_compute(fd, "image", &seal, &err), err);
        su_hex_encode(seal.bytes, sizeof seal.bytes, hex);
        assert_string_equal(hex, wanted);
        assert_int_equal(lseek(fd, 0, SEEK_CUR), 1);
}

static void test_known_seals(void **state)
{
        static uint8_t page[4096];
        static uint8_t big[600000]; /* two levels of the Merkle tree */

        (void)state;
        memset(page, 'a', sizeof page);
        for (size_t i = 0; i < sizeof big; i++)
                big[i] = (uint8_t)((i * 7 + 3) % 251);
        assert_seal("", 0, SEAL_OF_NOTHING);
        assert_seal("data", 4, SEAL_OF_DATA);
        assert_seal(page, sizeof page, SEAL_OF_PAGE);
        assert_seal(big, sizeof big, SEAL_OF_BIG);
}

static void test_verify(void **state)
{
        su_auto_close int fd = memory_file_of_text("data");
        su_auto_close int other_fd = memory_file_of_text("dats");
        struct su_sha256 expected;
        struct su_error err = {0};

        (void)state;
        assert_true(su_hex_decode(SEAL_OF_DATA, expected.bytes, sizeof expected.bytes));
        assert_ok(su_seal_verify(fd, "an-image", &expected, &err), err);
        assert_fails_with(su_seal_verify(other_fd, "an-image", &expected, &err), err, SEAL,
                          "an-image");
        assert_true(su_seal_verify(other_fd, "an-image", &expected, NULL) < 0);
}

static void test_unreadable(void **state)
{
        struct su_sha256 seal = {{77}};
        struct su_error err = {0};

        (void)state;
        assert_fails_with(su_seal_compute(-EBADF, "an-image", &seal, &err), err, SYSTEM,
                          "an-image");
        assert_int_equal(seal.bytes[0], 77);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_known_seals),
                cmocka_unit_test(test_verify),
                cmocka_unit_test(test_unreadable),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
