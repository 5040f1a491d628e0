#include "support.h"

#include <string.h>

static void test_codes_are_distinct(void **state)
{
        (void)state;
        for (int a = SU_OK; a <= SU_ERROR_NOT_LOGGED; a++) {
                enum su_error_code code = (enum su_error_code)a;

                assert_in_range(su_error_exit_status(code), 0, 49);
                for (int b = SU_OK; b < a; b++) {
                        enum su_error_code other = (enum su_error_code)b;

                        assert_int_not_equal(su_error_exit_status(code),
                                             su_error_exit_status(other));
                        assert_string_not_equal(su_error_name(code), su_error_name(other));
                }
        }
        assert_int_equal(su_error_exit_status(SU_OK), 0);
        assert_int_equal(su_error_exit_status(SU_ERROR_SIGNATURE), 26);
        assert_string_equal(su_error_name(SU_ERROR_NOT_OFFERED), "NotOffered");
}

static void test_fail(void **state)
{
        struct su_error err = {0};

        (void)state;
        assert_int_equal(su_fail(&err, SU_ERROR_SPACE, "no room for %d", 5), -ENOSPC);
        assert_int_equal(err.code, SU_ERROR_SPACE);
        assert_int_equal(err.errnum, ENOSPC);
        assert_string_equal(err.message, "no room for 5");
        assert_int_equal(su_fail(NULL, SU_ERROR_SPACE, "nobody cares"), -ENOSPC);
}

static void test_fail_errno(void **state)
{
        static const struct {
                int errnum;
                enum su_error_code code;
        } cases[] = {
                {ENOSPC, SU_ERROR_SPACE},     {EDQUOT, SU_ERROR_SPACE},
                {EPERM, SU_ERROR_PERMISSION}, {EACCES, SU_ERROR_PERMISSION},
                {EROFS, SU_ERROR_PERMISSION}, {EIO, SU_ERROR_SYSTEM},
                {ENOENT, SU_ERROR_SYSTEM},
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++) {
                struct su_error err = {0};

                assert_int_equal(su_fail_errno(&err, cases[i].errnum, "x"), -cases[i].errnum);
                assert_int_equal(su_fail_errno(&err, -cases[i].errnum, "x"), -cases[i].errnum);
                assert_int_equal(err.code, cases[i].code);
                assert_contains(err.message, strerror(cases[i].errnum));
        }
        assert_int_equal(su_fail_errno(NULL, 0, "a lost errno still fails"), -EIO);
        assert_int_equal(su_fail_oom(NULL), -ENOMEM);
}

static void test_prefix(void **state)
{
        struct su_error err = {0};
        char full[SU_ERROR_MESSAGE_MAX + 10];

        (void)state;
        (void)su_fail(&err, SU_ERROR_FORMAT, "it is empty");
        assert_int_equal(su_fail_prefix(&err, -EBADMSG, "file '%s'", "a"), -EBADMSG);
        assert_string_equal(err.message, "file 'a': it is empty");
        assert_int_equal(err.code, SU_ERROR_FORMAT);
        assert_int_equal(su_fail_prefix(NULL, -EBADMSG, "x"), -EBADMSG);
        memset(full, 'x', sizeof full - 1);
        full[sizeof full - 1] = '\0';
        assert_int_equal(su_fail_prefix(&err, -EBADMSG, "%s", full), -EBADMSG);
        assert_string_equal(err.message, "file 'a': it is empty");
        for (int i = 0; i < 400; i++)
                (void)su_fail_prefix(&err, -EBADMSG, "again");
        assert_true(strlen(err.message) < SU_ERROR_MESSAGE_MAX);
}

/* Messages quote what a repository says before anyone checked its signature. */
static void test_messages_are_harmless(void **state)
{
        struct su_error err = {0};
        char many[SU_ERROR_MESSAGE_MAX + 10] = "";

        (void)state;
        (void)su_fail(&err, SU_ERROR_FORMAT, "type '%s'", "\x1b[2J\r\n\x7f\xc2\x9b");
        assert_string_equal(err.message, "type '?[2J????\?'");
        (void)su_fail(&err, SU_ERROR_FORMAT, "type '%s'", "caf\xc3\xa9 \xff");
        assert_string_equal(err.message, "type 'caf\xc3\xa9 ?'");
        (void)su_fail_errno(&err, EIO, "'%s'", "\x1b");
        assert_contains(err.message, "'?'");
        (void)su_fail_prefix(&err, -EIO, "'%s'", "\x1b");
        assert_contains(err.message, "'?': '?'");
        for (size_t i = 0; i + 2 < sizeof many; i += 2)
                memcpy(many + i, "\xc3\xa9", 2);
        (void)su_fail(&err, SU_ERROR_FORMAT, "%s", many); /* cut in the middle of a letter? */
        assert_int_equal(strlen(err.message), SU_ERROR_MESSAGE_MAX - 1);
        assert_int_not_equal((unsigned char)err.message[SU_ERROR_MESSAGE_MAX - 2], 0xc3);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_codes_are_distinct),
                cmocka_unit_test(test_fail),
                cmocka_unit_test(test_fail_errno),
                cmocka_unit_test(test_prefix),
                cmocka_unit_test(test_messages_are_harmless),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
