#include "support.h"

#include <string.h>

#include "base/text.h"
#include "crypto/sha256.h"

#define OF_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define OF_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define OF_MILLION_A "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"

static void assert_digest(const struct su_sha256 *digest, const char *wanted)
{
        char hex[SU_SHA256_HEX_SIZE];

        su_hex_encode(digest->bytes, sizeof digest->bytes, hex);
        assert_string_equal(hex, wanted);
}

/* FIPS 180-4's examples. */
static void test_memory(void **state)
{
        struct su_sha256 digest;
        struct su_error err = {0};

        (void)state;
        assert_ok(su_sha256_of("", 0, &digest, &err), err);
        assert_digest(&digest, OF_NOTHING);
        assert_ok(su_sha256_of("abc", 3, &digest, &err), err);
        assert_digest(&digest, OF_ABC);
}

static void test_stream(void **state)
{
        su_auto_sha256_stream struct su_sha256_stream *stream = NULL;
        char part[1000];
        struct su_sha256 digest;
        struct su_error err = {0};

        (void)state;
        memset(part, 'a', sizeof part);
        assert_ok(su_sha256_stream_new(&stream, &err), err);
        for (int i = 0; i < 1000; i++)
                assert_ok(su_sha256_stream_update(stream, part, sizeof part, &err), err);
        assert_ok(su_sha256_stream_finish(stream, &digest, &err), err);
        assert_digest(&digest, OF_MILLION_A);
        su_sha256_stream_free(NULL);
}

static void test_file(void **state)
{
        su_auto_free char *data = malloc(1000000);
        su_auto_close int fd = -EBADF;
        struct su_sha256 digest;
        struct su_error err = {0};
        uint64_t size = 77;

        (void)state;
        assert_non_null(data);
        memset(data, 'a', 1000000);
        fd = memory_file_of(data, 1000000);
        assert_int_equal(lseek(fd, 5, SEEK_SET), 5);
        assert_ok(su_sha256_of_fd(fd, "file", &digest, &size, &err), err);
        assert_digest(&digest, OF_MILLION_A);
        assert_int_equal(size, 1000000);
        assert_int_equal(lseek(fd, 0, SEEK_CUR), 5);
        assert_ok(su_sha256_of_fd(fd, "file", &digest, NULL, &err), err);
        size = 77;
        assert_fails_with(su_sha256_of_fd(-EBADF, "file", &digest, &size, &err), err, SYSTEM,
                          "'file'");
        assert_int_equal(size, 77);
        assert_digest(&digest, OF_MILLION_A);
}

static void test_equal(void **state)
{
        struct su_sha256 a = {{1}};
        struct su_sha256 b = {{1}};

        (void)state;
        assert_true(su_sha256_equal(&a, &b));
        b.bytes[31] = 1;
        assert_false(su_sha256_equal(&a, &b));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_memory),
                cmocka_unit_test(test_stream),
                cmocka_unit_test(test_file),
                cmocka_unit_test(test_equal),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
