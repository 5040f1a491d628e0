#include "support.h"

#include <string.h>

#include "json/json.h"

static int parse(const char *text, size_t size, struct su_error *err)
{
        su_auto_json json_t *value = NULL;

        return su_json_parse(text, size, &value, err);
}

static void test_strict(void **state)
{
        static const char *const bad[] = {
                "",
                " ",
                "{",
                "[",
                "nul",
                "{\"a\":1,}",
                "[1,]",
                "{'a':1}",
                "{\"a\":1}}",
                "[] []",
                "{\"a\":1,\"a\":2}",
                "{\"b\":{\"a\":1,\"a\":1}}",
                "[1.0]",
                "[1e3]",
                "{\"a\":[-0.5]}",
                "[9223372036854775808]",
                "[01]",
                "[+1]",
                "[NaN]",
                "[\"\\u0000\"]",
                "[\"\t\"]",
                "[\"\xff\"]",
                "[\"\xc0\xaf\"]",
                "[\"\xed\xa0\x80\"]",
                "[\"\\ud800\"]",
                "// x\n[]",
                "\xef\xbb\xbf[]",
        };
        static const char *const good[] = {
                "[]",
                "{}",
                " {\"a\" : [1, -2, true, false, null, \"\\n\"]} ",
                "[9223372036854775807, -9223372036854775808]",
                "{\"a\":{\"a\":1}}",
                "[\"\xc3\xa9\"]",
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(bad); i++) {
                struct su_error err = {0};

                assert_fails(parse(bad[i], strlen(bad[i]), &err), err, FORMAT);
        }
        for (size_t i = 0; i < SU_ELEMENTS(good); i++) {
                struct su_error err = {0};

                assert_ok(parse(good[i], strlen(good[i]), &err), err);
        }
}

static void test_bytes_after_a_nul(void **state)
{
        struct su_error err = {0};

        (void)state;
        assert_fails(parse("[]\0", 3, &err), err, FORMAT);
        assert_true(parse("[", 1, NULL) < 0);
}

static void test_depth(void **state)
{
        char text[2 * (SU_JSON_DEPTH_MAX + 1) + 1];
        static const char brackets_in_text[] =
                "[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[\"]";
        su_auto_free char *million = malloc(1000000);
        struct su_error err = {0};

        (void)state;
        assert_non_null(million);
        for (size_t depth = SU_JSON_DEPTH_MAX; depth <= SU_JSON_DEPTH_MAX + 1; depth++) {
                memset(text, '[', depth);
                memset(text + depth, ']', depth);
                if (depth > SU_JSON_DEPTH_MAX)
                        assert_fails_with(parse(text, 2 * depth, &err), err, FORMAT, "deep");
                else
                        assert_ok(parse(text, 2 * depth, &err), err);
        }
        assert_ok(parse(brackets_in_text, strlen(brackets_in_text), &err), err);
        memset(million, '[', 1000000);
        assert_fails(parse(million, 1000000, &err), err, FORMAT);
}

static void test_output_only_on_success(void **state)
{
        json_t *value = (json_t *)state;

        assert_true(su_json_parse("{", 1, &value, NULL) < 0);
        assert_ptr_equal(value, state);
}

static void test_canonical(void **state)
{
        static const char text[] =
                " { \"b\" : [ 1 , true , null , { } ] , \"a\" : \"q\\\"\\\\\\n\","
                " \"\xc3\xa9\" : -5, \"Z\" : [ ], \"aa\": false } ";
        su_auto_json json_t *value = NULL;
        su_auto_json json_t *real = json_pack("[f]", 1.5);
        su_auto_free char *canonical = NULL;
        struct su_error err = {0};
        size_t size = 77;

        (void)state;
        assert_ok(su_json_parse(text, strlen(text), &value, &err), err);
        assert_fails(su_json_canonical(real, &canonical, &size, &err), err, FORMAT);
        assert_null(canonical);
        assert_int_equal(size, 77);
        assert_ok(su_json_canonical(value, &canonical, &size, &err), err);
        /* Only '"' and '\' are escaped; names in the order of their bytes. */
        assert_string_equal(canonical, "{\"Z\":[],\"a\":\"q\\\"\\\\\n\",\"aa\":false,"
                                       "\"b\":[1,true,null,{}],\"\xc3\xa9\":-5}");
        assert_int_equal(size, strlen(canonical));
}

/* The canonical bytes where those are JSON. */
static void test_compact(void **state)
{
        su_auto_json json_t *value =
                json_pack("{s:[iis], s:s}", "b", 1, -2, "q\"\\\xc3\xa9/", "a", "");
        su_auto_json json_t *odd = json_pack("[s]", "a\n\x01");
        su_auto_free char *canonical = NULL;
        su_auto_free char *compact = NULL;
        su_auto_free char *odd_text = NULL;
        struct su_error err = {0};
        size_t size;

        (void)state;
        assert_ok(su_json_canonical(value, &canonical, &size, &err), err);
        assert_ok(su_json_compact(value, &compact, &size, &err), err);
        assert_string_equal(canonical, compact);
        assert_int_equal(size, strlen(compact));
        assert_ok(su_json_compact(odd, &odd_text, &size, &err), err);
        assert_ok(parse(odd_text, size, &err), err);
        assert_true(su_json_compact(NULL, &odd_text, &size, NULL) < 0);
}

static void test_pretty(void **state)
{
        su_auto_json json_t *value = json_pack("{s:i, s:[]}", "b", 1, "a");
        su_auto_free char *text = NULL;
        struct su_error err = {0};
        size_t size;

        (void)state;
        assert_ok(su_json_pretty(value, &text, &size, &err), err);
        assert_string_equal(text, "{\n  \"a\": [],\n  \"b\": 1\n}\n");
        assert_int_equal(size, strlen(text));
}

static unsigned allocations;
static unsigned failing_allocation;

static void *allocate(size_t size)
{
        return ++allocations == failing_allocation ? NULL : malloc(size);
}

/* Whole or not at all: what lacks a piece must never be stored. */
static int write_it(json_t *value, const char *whole, struct su_error *err)
{
        su_auto_free char *text = NULL;
        size_t size;
        int r = su_json_pretty(value, &text, &size, err);

        if (r >= 0)
                assert_string_equal(text, whole);
        return r;
}

/* Sound text is never said to be malformed. */
static int read_it(json_t *value, const char *whole, struct su_error *err)
{
        su_auto_json json_t *read = NULL;
        int r = su_json_parse(whole, strlen(whole), &read, err);

        if (r >= 0)
                assert_true(json_equal(read, value));
        return r;
}

static void fail_each_allocation(int (*work)(json_t *value, const char *whole,
                                             struct su_error *err),
                                 json_t *value, const char *whole)
{
        failing_allocation = 0;
        do {
                struct su_error err = {0};
                int r;

                failing_allocation++;
                allocations = 0;
                json_set_alloc_funcs(allocate, free);
                r = work(value, whole, &err);
                json_set_alloc_funcs(malloc, free);
                if (r < 0)
                        assert_int_equal(err.errnum, ENOMEM);
        } while (allocations >= failing_allocation);
        assert_true(failing_allocation > 1);
}

static void test_out_of_memory(void **state)
{
        su_auto_json json_t *value = json_object();
        su_auto_free char *whole = NULL;
        size_t size;

        (void)state;
        for (int i = 0; i < 100; i++) {
                char name[64];

                (void)snprintf(name, sizeof name, "a name for which a buffer has to grow %d", i);
                assert_int_equal(json_object_set_new(value, name, json_string(name)), 0);
        }
        assert_int_equal(su_json_pretty(value, &whole, &size, NULL), 0);
        fail_each_allocation(write_it, value, whole);
        fail_each_allocation(read_it, value, whole);
}

static void test_typed_fields(void **state)
{
        su_auto_json json_t *object =
                json_pack("{s:s, s:i, s:[], s:{}, s:n, s:s, s:s}", "text", "x", "number", 5, "list",
                          "object", "null", "hex", "00ff", "bad_hex", "00fF");
        struct su_error err = {0};
        const char *text = NULL;
        json_t *value = NULL;
        int64_t number = 77;
        uint8_t bytes[2];

        (void)state;
        assert_ok(su_json_get_string(object, "text", &text, &err), err);
        assert_string_equal(text, "x");
        assert_ok(su_json_get_array(object, "list", &value, &err), err);
        assert_ok(su_json_get_object(object, "object", &value, &err), err);
        assert_ok(su_json_find_object(object, "nothing", &value, &err), err);
        assert_null(value);
        assert_ok(su_json_find_string(object, "null", &text, &err), err);
        assert_null(text);
        assert_ok(su_json_get_hex(object, "hex", bytes, 2, &err), err);
        assert_int_equal(bytes[1], 255);
        assert_fails_with(su_json_get_hex(object, "bad_hex", bytes, 2, &err), err, FORMAT, "hex");
        assert_fails(su_json_get_hex(object, "hex", bytes, 1, &err), err, FORMAT);
        assert_fails_with(su_json_get_string(object, "nothing", &text, &err), err, FORMAT,
                          "'nothing' is missing");
        assert_fails_with(su_json_get_string(object, "number", &text, &err), err, FORMAT,
                          "'number' is not a string");
        assert_fails(su_json_find_string(object, "number", &text, &err), err, FORMAT);
        assert_fails(su_json_get_array(object, "object", &value, &err), err, FORMAT);
        assert_fails(su_json_get_object(object, "list", &value, &err), err, FORMAT);
        assert_ok(su_json_get_integer(object, "number", 5, 5, &number, &err), err);
        assert_int_equal(number, 5);
        assert_fails_with(su_json_get_integer(object, "number", 6, 9, &number, &err), err, FORMAT,
                          "range");
        assert_fails(su_json_get_integer(object, "number", 0, 4, &number, &err), err, FORMAT);
        assert_fails(su_json_get_integer(object, "text", 0, 4, &number, NULL) == 0 ? 0 : -EBADMSG,
                     err, FORMAT);
}

static void test_document_head(void **state)
{
        su_auto_json json_t *object = json_pack("{s:s, s:i}", "type", "t", "version", 2);
        su_auto_json json_t *list = json_array();
        struct su_error err = {0};

        (void)state;
        assert_ok(su_json_expect_type(object, "t", 2, &err), err);
        assert_fails(su_json_expect_type(object, "u", 2, &err), err, FORMAT);
        assert_fails(su_json_expect_type(object, "t", 1, &err), err, UNSUPPORTED);
        assert_fails(su_json_expect_type(list, "t", 1, &err), err, FORMAT);
}

static void test_set_hex(void **state)
{
        su_auto_json json_t *object = json_object();

        (void)state;
        assert_int_equal(su_json_set_hex(object, "a", "\x01\xab", 2), 0);
        assert_string_equal(json_string_value(json_object_get(object, "a")), "01ab");
        assert_true(su_json_set_hex(NULL, "a", "\x01", 1) < 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_strict),        cmocka_unit_test(test_bytes_after_a_nul),
                cmocka_unit_test(test_depth),         cmocka_unit_test(test_output_only_on_success),
                cmocka_unit_test(test_canonical),     cmocka_unit_test(test_pretty),
                cmocka_unit_test(test_compact),       cmocka_unit_test(test_typed_fields),
                cmocka_unit_test(test_document_head), cmocka_unit_test(test_out_of_memory),
                cmocka_unit_test(test_set_hex),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
