#include "support.h"

#include <string.h>

#include "base/base64.h"

/* RFC 4648 section 10. */
static const struct {
        const char *bytes;
        const char *text;
} vectors[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
};

static void test_vectors(void **state)
{
        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(vectors); i++) {
                size_t n = strlen(vectors[i].bytes);
                uint8_t decoded[8];
                char text[16];
                size_t size;

                assert_int_equal(SU_BASE64_SIZE(n), strlen(vectors[i].text));
                su_base64_encode(vectors[i].bytes, n, text);
                assert_string_equal(text, vectors[i].text);
                assert_true(su_base64_decode(text, strlen(text), decoded, n, &size));
                assert_int_equal(size, n);
                assert_memory_equal(decoded, vectors[i].bytes, n);
                if (n > 0)
                        assert_false(su_base64_decode(text, strlen(text), decoded, n - 1, &size));
        }
}

static void test_all_bytes(void **state)
{
        uint8_t bytes[256];
        uint8_t decoded[256];
        char text[SU_BASE64_SIZE(256) + 1];
        size_t size;

        (void)state;
        for (size_t n = 0; n <= sizeof bytes; n++) {
                for (size_t i = 0; i < n; i++)
                        bytes[i] = (uint8_t)(i * 77 + n);
                su_base64_encode(bytes, n, text);
                assert_int_equal(strlen(text), SU_BASE64_SIZE(n));
                assert_true(su_base64_decode(text, strlen(text), decoded, sizeof decoded, &size));
                assert_int_equal(size, n);
                assert_memory_equal(decoded, bytes, n);
        }
}

static void test_refused(void **state)
{
        static const char *const wrong[] = {
                "Z",    "Zg",       "Zg=",    "Zm8",   "=",      "====",       "Z===",  "Zg==Zg==",
                "Zh==", "Zm9=",     "Zm9v\n", "Zm9 v", " Zm9v",  "Zm-_",       "Zm9v=", "Zm9v====",
                "Zg=a", "Zm9vZg=a", "\nZg=",  "Zm,v",  "Zm9v==", "Z\xc3\xa9v",
        };
        uint8_t decoded[16];
        size_t size;

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(wrong); i++)
                if (su_base64_decode(wrong[i], strlen(wrong[i]), decoded, sizeof decoded, &size))
                        fail_msg("'%s' is not canonical", wrong[i]);
        for (size_t n = 5; n < 8; n++)
                assert_false(su_base64_decode("Zm9vZm9v", n, decoded, sizeof decoded, &size));
        assert_false(su_base64_decode("Zm\0v", 4, decoded, sizeof decoded, &size));
}

/* Of all texts of four characters that differ in one from a canonical one, only that which encodes
 * what it decodes to is accepted. */
static void test_one_form(void **state)
{
        static const char *const canonical[] = {"Zg==", "Zm8=", "Zm9v"};

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(canonical); i++)
                for (size_t at = 0; at < 4; at++)
                        for (int c = 0; c < 256; c++) {
                                char text[5];
                                char again[5];
                                uint8_t decoded[3];
                                size_t size;

                                memcpy(text, canonical[i], sizeof text);
                                text[at] = (char)c;
                                if (!su_base64_decode(text, 4, decoded, sizeof decoded, &size))
                                        continue;
                                su_base64_encode(decoded, size, again);
                                assert_memory_equal(again, text, 4);
                        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_vectors),
                cmocka_unit_test(test_all_bytes),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_one_form),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
