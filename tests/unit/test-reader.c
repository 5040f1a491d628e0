#include "support.h"

#include <string.h>

#include "base/reader.h"

static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0xff};

static void test_little_endian(void **state)
{
        struct su_reader reader;

        (void)state;
        su_reader_init(&reader, bytes, sizeof bytes);
        assert_int_equal(su_reader_u8(&reader), 0x01);
        assert_int_equal(su_reader_le16(&reader), 0x0302);
        assert_int_equal(su_reader_le32(&reader), 0x07060504);
        assert_true(su_reader_le64(&reader) == UINT64_C(0x0f0e0d0c0b0a0908));
        assert_int_equal(su_reader_left(&reader), 1);
        assert_int_equal(su_reader_u8(&reader), 0xff);
        assert_true(su_reader_ok(&reader));
        assert_int_equal(su_reader_left(&reader), 0);
}

static void test_failure_is_for_good(void **state)
{
        struct su_reader reader;

        (void)state;
        su_reader_init(&reader, bytes, 3);
        assert_int_equal(su_reader_le32(&reader), 0);
        assert_false(su_reader_ok(&reader));
        assert_int_equal(su_reader_left(&reader), 0);
        assert_int_equal(su_reader_u8(&reader), 0);
        assert_null(su_reader_bytes(&reader, 1));
}

static void test_bytes_and_skip(void **state)
{
        struct su_reader reader;

        (void)state;
        su_reader_init(&reader, bytes, sizeof bytes);
        su_reader_skip(&reader, 2);
        assert_ptr_equal(su_reader_bytes(&reader, 4), bytes + 2);
        assert_non_null(su_reader_bytes(&reader, 0));
        su_reader_skip(&reader, SIZE_MAX); /* no overflow of the position */
        assert_false(su_reader_ok(&reader));
        su_reader_init(&reader, NULL, 0);
        assert_int_equal(su_reader_left(&reader), 0);
        assert_int_equal(su_reader_u8(&reader), 0);
        assert_false(su_reader_ok(&reader));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_little_endian),
                cmocka_unit_test(test_failure_is_for_good),
                cmocka_unit_test(test_bytes_and_skip),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
