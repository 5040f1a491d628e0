#include "support.h"

#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "fetch/fetch.h"
#include "fetch/serve.h"
#include "server.h"
#include "service.h"

static int setup(void **state)
{
        static struct server server;

        (void)unsetenv("http_proxy");
        (void)unsetenv("all_proxy");
        (void)unsetenv("ALL_PROXY");
        server_start(&server);
        *state = &server;
        return 0;
}

static int teardown(void **state)
{
        server_stop(*state);
        return 0;
}

/* All is the same when a worker does it, be it of a service. */
static bool is_confined;
static struct service service;
static const char *socket_path;

static int setup_confined(void **state)
{
        is_confined = true;
        return setup(state);
}

static int teardown_confined(void **state)
{
        is_confined = false;
        return teardown(state);
}

static void fetch_for(int fd)
{
        if (su_worker_become(&su_fetcher, fd, NULL) >= 0)
                su_serve_told(fd);
}

static int setup_service(void **state)
{
        service_start(&service, fetch_for);
        socket_path = service.path;
        return setup_confined(state);
}

static int teardown_service(void **state)
{
        socket_path = NULL;
        service_stop(&service);
        return teardown_confined(state);
}

static struct su_fetch *http(void **state)
{
        const struct server *server = *state;
        struct su_fetch *fetch = NULL;
        struct su_error err = {0};
        char url[64];
        const struct su_fetch_options options = {
                .base_url = url, .is_confined = is_confined, .socket_path = socket_path};

        (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/", server->port);
        assert_ok(su_fetch_new_with(&options, &fetch, &err), err);
        return fetch;
}

static int stop(void *userdata, uint64_t done, struct su_error *err)
{
        (void)done;
        ++*(int *)userdata;
        return su_fail(err, SU_ERROR_CANCELLED, "cancelled");
}

static void test_http(void **state)
{
        su_auto_fetch struct su_fetch *fetch = http(state);
        su_auto_free char *data = NULL;
        su_auto_free char *empty = NULL;
        struct su_error err = {0};
        size_t size;

        assert_ok(su_fetch_to_memory(fetch, "good", strlen(SERVER_TEXT), &data, &size, &err), err);
        assert_int_equal(size, strlen(SERVER_TEXT));
        assert_string_equal(data, SERVER_TEXT);
        assert_ok(su_fetch_to_memory(fetch, "empty", 5, &empty, &size, &err), err);
        assert_int_equal(size, 0);
        assert_string_equal(empty, "");
        assert_int_equal(su_fetch_totals(fetch).requests, 2);
        assert_int_equal(su_fetch_totals(fetch).bytes, strlen(SERVER_TEXT));
}

static void test_http_failures(void **state)
{
        static const struct {
                const char *path;
                enum su_error_code code;
                const char *part;
        } cases[] = {
                {"missing", SU_ERROR_NOT_FOUND, "missing"},
                {"gone", SU_ERROR_NOT_FOUND, "gone"},
                {"broken", SU_ERROR_UNREACHABLE, "500"},
                {"cut", SU_ERROR_TRUNCATED, "21 bytes"},
                {"silent", SU_ERROR_TRUNCATED, "silent"},
                {"endless", SU_ERROR_TOO_LARGE, "100"},
                {"loop", SU_ERROR_UNREACHABLE, "loop"},
                {"to-file", SU_ERROR_UNREACHABLE, "to-file"},
        };
        su_auto_fetch struct su_fetch *fetch = http(state);

        for (size_t i = 0; i < SU_ELEMENTS(cases); i++) {
                struct su_error err = {0};
                char *data = NULL;
                size_t size = 77;
                int r;

                r = su_fetch_to_memory(fetch, cases[i].path, 100, &data, &size, &err);
                check_fails(r, &err, cases[i].code, cases[i].path, __FILE__, __LINE__);
                assert_contains(err.message, cases[i].part);
                assert_null(data);
                assert_int_equal(size, 77);
        }
        assert_true(su_fetch_to_memory(fetch, "endless", 1, &(char *){NULL}, &(size_t){0}, NULL) <
                    0);
}

static void test_redirect(void **state)
{
        su_auto_fetch struct su_fetch *fetch = http(state);
        su_auto_free char *data = NULL;
        struct su_error err = {0};
        size_t size;

        assert_ok(su_fetch_to_memory(fetch, "moved", 100, &data, &size, &err), err);
        assert_string_equal(data, SERVER_TEXT);
}

/* By a name, which is looked up in a thread: what that needs is there. */
static void test_a_name(void **state)
{
        const struct server *server = *state;
        su_auto_fetch struct su_fetch *fetch = NULL;
        su_auto_free char *data = NULL;
        struct su_error err = {0};
        char url[64];
        const struct su_fetch_options options = {
                .base_url = url, .is_confined = is_confined, .socket_path = socket_path};
        size_t size;

        (void)snprintf(url, sizeof url, "http://localhost:%u/", server->port);
        assert_ok(su_fetch_new_with(&options, &fetch, &err), err);
        assert_ok(su_fetch_to_memory(fetch, "good", 100, &data, &size, &err), err);
        assert_string_equal(data, SERVER_TEXT);
        (void)snprintf(url, sizeof url, "http://nothing.invalid/");
        su_fetch_free(su_take(fetch));
        assert_ok(su_fetch_new_with(&options, &fetch, &err), err);
        assert_fails(su_fetch_to_memory(fetch, "good", 100, &data, &size, &err), err, UNREACHABLE);
}

/* Four seconds' worth, of which a good part may come at once: the rate is one over some time. */
static void test_a_rate(void **state)
{
        const struct server *server = *state;
        char url[64];
        const struct su_fetch_options options = {.base_url = url,
                                                 .max_rate = 1 << 19,
                                                 .is_confined = is_confined,
                                                 .socket_path = socket_path};
        su_auto_fetch struct su_fetch *fetch = NULL;
        struct su_error err = {0};
        uint64_t began = su_monotonic_us();
        char *data = NULL;
        size_t size;

        (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/", server->port);
        assert_ok(su_fetch_new_with(&options, &fetch, &err), err);
        assert_fails(su_fetch_to_memory(fetch, "endless", 1 << 21, &data, &size, &err), err,
                     TOO_LARGE);
        assert_in_range(su_monotonic_us() - began, 1500000, 20000000);
}

/* When it was ended, or rests, the next request is answered all the same. */
static void test_after_a_rest(void **state)
{
        su_auto_fetch struct su_fetch *fetch = http(state);
        struct su_error err = {0};
        int calls = 0;

        for (int i = 0; i < 3; i++) {
                su_auto_free char *data = NULL;
                char *none = NULL;
                size_t size;

                assert_ok(su_fetch_to_memory(fetch, "good", 100, &data, &size, &err), err);
                assert_string_equal(data, SERVER_TEXT);
                su_fetch_set_progress(fetch, stop, &calls);
                assert_fails(su_fetch_to_memory(fetch, "endless", 1 << 30, &none, &size, &err), err,
                             CANCELLED);
                su_fetch_set_progress(fetch, NULL, NULL);
                su_fetch_rest(fetch);
        }
}

static void fetch_answer_done(struct su_fetch_answer *answer)
{
        free(answer->data);
        free(answer->etag);
        *answer = (struct su_fetch_answer){0};
}

static void test_if_changed(void **state)
{
        su_auto_fetch struct su_fetch *fetch = http(state);
        su_auto(fetch_answer_done) struct su_fetch_answer answer = {0};
        su_auto_free char *data = NULL;
        struct su_error err = {0};
        size_t size;

        assert_ok(su_fetch_if_changed(fetch, "tagged", 100, NULL, &answer, &err), err);
        assert_string_equal(answer.data, SERVER_TEXT);
        assert_string_equal(answer.etag, "\"1\"");
        fetch_answer_done(&answer);
        assert_ok(su_fetch_if_changed(fetch, "tagged", 100, "W/\"1\"", &answer, &err), err);
        assert_null(answer.data);
        fetch_answer_done(&answer);
        assert_ok(su_fetch_to_memory(fetch, "tagged", 100, &data, &size, &err), err);
        assert_string_equal(data, SERVER_TEXT);
}

/* Whoever was in the middle once could keep a device from seeing anything new by such a name. */
static void test_names_that_would_hold_for_anything(void **state)
{
        static const char *const bad[] = {
                "*",       "W/*",    "1",         "\"1\", *",     "\"1\", \"2\"", "\"",
                "",        "W/",     "\"1",       "1\"",          "\"1\"x",       "\"a b\"",
                "w/\"1\"", " \"1\"", "\"1\"\r\n", "\"\r\nX: 1\"", "\"\x7f\"",     "\"\xc3\xa4\""};
        su_auto_fetch struct su_fetch *fetch = http(state);
        su_auto(fetch_answer_done) struct su_fetch_answer first = {0};
        struct su_error err = {0};

        assert_ok(su_fetch_if_changed(fetch, "starred", 100, NULL, &first, &err), err);
        assert_null(first.etag);
        for (size_t i = 0; i < SU_ELEMENTS(bad); i++) {
                su_auto(fetch_answer_done) struct su_fetch_answer answer = {0};

                assert_ok(su_fetch_if_changed(fetch, "tagged", 100, bad[i], &answer, &err), err);
                assert_string_equal(answer.data, SERVER_TEXT);
        }
}

static void test_to_fd(void **state)
{
        su_auto_fetch struct su_fetch *fetch = http(state);
        su_auto_close int fd = memory_file_of_text("");
        su_auto_close int rubbish_fd = memory_file_of_text("");
        const uint64_t size = strlen(SERVER_TEXT);
        char data[sizeof SERVER_TEXT] = "";
        struct su_error err = {0};

        assert_ok(su_fetch_to_fd(fetch, "good", size, fd, &err), err);
        assert_ok(su_read_exact_at(fd, data, size, 0, "fetched", &err), err);
        assert_string_equal(data, SERVER_TEXT);
        assert_fails(su_fetch_to_fd(fetch, "good", size + 1, rubbish_fd, &err), err, TRUNCATED);
        assert_fails(su_fetch_to_fd(fetch, "good", size - 1, rubbish_fd, &err), err, TOO_LARGE);
        assert_fails(su_fetch_to_fd(fetch, "cut", 2 * size, rubbish_fd, &err), err, TRUNCATED);
        assert_true(su_fetch_to_fd(fetch, "good", size - 1, rubbish_fd, NULL) < 0);
}

static void test_cancelled(void **state)
{
        su_auto_fetch struct su_fetch *fetch = http(state);
        struct su_error err = {0};
        char *data = NULL;
        size_t size;
        int calls = 0;

        su_fetch_set_progress(fetch, stop, &calls);
        assert_fails(su_fetch_to_memory(fetch, "endless", 1 << 30, &data, &size, &err), err,
                     CANCELLED);
        assert_true(calls > 0);
}

/* A port that was just in use and is no longer. */
static void test_connection_refused(void **state)
{
        struct server dead;
        void *dead_state = &dead;
        struct su_fetch *fetch;
        struct su_error err = {0};
        char *data = NULL;
        size_t size;

        (void)state;
        server_start(&dead);
        server_stop(&dead);
        fetch = http(&dead_state);
        assert_fails_with(su_fetch_to_memory(fetch, "good", 100, &data, &size, &err), err,
                          UNREACHABLE, "127.0.0.1");
        su_fetch_free(fetch);
        su_fetch_free(NULL);
}

static void test_directory(void **state)
{
        struct scratch *scratch = *state;
        su_auto_fetch struct su_fetch *fetch = NULL;
        su_auto_free char *data = NULL;
        struct su_error err = {0};
        char url[100];
        char *none = NULL;
        size_t size;

        write_text(scratch->fd, "sub/file", "content");
        (void)snprintf(url, sizeof url, "file://%s", scratch->path);
        assert_ok(su_fetch_new(url, &fetch, &err), err);
        assert_ok(su_fetch_to_memory(fetch, "sub/file", 7, &data, &size, &err), err);
        assert_string_equal(data, "content");
        assert_fails(su_fetch_to_memory(fetch, "sub/file", 6, &none, &size, &err), err, TOO_LARGE);
        assert_fails_with(su_fetch_to_memory(fetch, "sub/none", 9, &none, &size, &err), err,
                          NOT_FOUND, "sub/none");
}

static void test_no_directory(void **state)
{
        su_auto_fetch struct su_fetch *fetch = NULL;
        struct su_error err = {0};
        char *none = NULL;
        size_t size;

        (void)state;
        assert_ok(su_fetch_new("file:///var/tmp/suture-no-such-repository", &fetch, &err), err);
        assert_fails(su_fetch_to_memory(fetch, "x", 9, &none, &size, &err), err, UNREACHABLE);
}

static void test_bad_urls(void **state)
{
        static const char *const bad[] = {"",       "ftp://x", "file://host/x",
                                          "/srv/x", "HTTP",    "http:"};
        struct su_fetch *fetch = NULL;
        struct su_error err = {0};

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(bad); i++) {
                assert_fails(su_fetch_new(bad[i], &fetch, &err), err, CONFIG);
                assert_null(fetch);
        }
}

int main(void)
{
#define TEST(f)                                                                                    \
        cmocka_unit_test_setup_teardown(f, setup, teardown),                                       \
                (struct CMUnitTest){#f " in a worker", f, setup_confined, teardown_confined,       \
                                    NULL},                                                         \
                (struct CMUnitTest)                                                                \
        {                                                                                          \
#f " by a service", f, setup_service, teardown_service, NULL                       \
        }
        const struct CMUnitTest tests[] = {
                TEST(test_http),
                TEST(test_http_failures),
                TEST(test_redirect),
                TEST(test_a_name),
                TEST(test_after_a_rest),
                TEST(test_a_rate),
                TEST(test_if_changed),
                TEST(test_names_that_would_hold_for_anything),
                TEST(test_to_fd),
                TEST(test_cancelled),
                cmocka_unit_test(test_connection_refused),
                scratch_test(test_directory),
                cmocka_unit_test(test_no_directory),
                cmocka_unit_test(test_bad_urls),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
