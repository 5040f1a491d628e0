/* A fetcher that is a service of its own, and may say anything, or nothing. */
#include "support.h"

#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "fetch/answer.h"
#include "fetch/fetch.h"
#include "fetch/opening.h"
#include "fetch/serve.h"
#include "service.h"

static const char url[] = "http://127.0.0.1:9/";

static struct su_fetch *fetch_by(const char *path)
{
        const struct su_fetch_options options = {
                .base_url = url, .is_confined = true, .socket_path = path};
        struct su_fetch *fetch;
        struct su_error err = {0};

        assert_ok(su_fetch_new_with(&options, &fetch, &err), err);
        return fetch;
}

static int ask(struct su_fetch *fetch, struct su_error *err)
{
        char *data = NULL;
        size_t size;
        int r = su_fetch_to_memory(fetch, "x", 100, &data, &size, err);

        free(data);
        return r;
}

/* What comes of one request to such a service. */
static int ask_one(void (*serve)(int fd), struct su_error *err)
{
        struct service service;
        su_auto_fetch struct su_fetch *fetch = NULL;
        int r;

        service_start(&service, serve);
        fetch = fetch_by(service.path);
        r = ask(fetch, err);
        service_stop(&service);
        return r;
}

static void test_there_is_none(void **state)
{
        static const char nobody[] = "/tmp/suture-service.nobody";
        char long_path[200];
        su_auto_fetch struct su_fetch *none = fetch_by(nobody);
        su_auto_fetch struct su_fetch *too_long = NULL;
        struct su_error err = {0};

        (void)state;
        assert_fails_with(ask(none, &err), err, WORKER, nobody);
        assert_contains(err.message, strerror(ENOENT));
        memset(long_path, 'a', sizeof long_path - 1);
        long_path[sizeof long_path - 1] = '\0';
        too_long = fetch_by(long_path);
        assert_fails_with(ask(too_long, &err), err, WORKER, "too long");
}

static void leave_at_once(int fd)
{
        (void)close(fd);
}

/* Takes what it is told, answers a part, and is gone. */
static void leave_in_the_middle(int fd)
{
        char told[4096];

        (void)recv(fd, told, sizeof told, 0);
        (void)su_answer_send_data(fd, "part", 4, NULL);
}

static void test_it_leaves(void **state)
{
        struct su_error err = {0};

        (void)state;
        assert_fails_with(ask_one(leave_at_once, &err), err, WORKER, "/tmp/suture-service.");
        assert_fails_with(ask_one(leave_in_the_middle, &err), err, WORKER,
                          "ended without a result");
}

static void talk_nonsense(int fd)
{
        (void)send(fd, "HTTP/1.1 200 OK\r\n\r\n", 19, 0);
}

static void send_too_much(int fd)
{
        char much[200] = {0};

        (void)su_answer_send_data(fd, much, sizeof much, NULL);
        (void)pause();
}

static void claim_success(int fd)
{
        const struct su_result result = {.received = 77, .status = 200};

        (void)su_answer_send_end(fd, &result, NULL);
}

static void test_it_is_not_believed(void **state)
{
        struct su_error err = {0};

        (void)state;
        assert_fails(ask_one(talk_nonsense, &err), err, FORMAT);
        assert_fails(ask_one(claim_success, &err), err, FORMAT);
}

/* It stays for ever, whoever wants it to leave: that is waited for, but not for ever. */
static void test_one_that_stays(void **state)
{
        struct su_error err = {0};
        const uint64_t began = su_monotonic_us();

        (void)state;
        assert_fails(ask_one(send_too_much, &err), err, FORMAT);
        assert_in_range(su_monotonic_us() - began, 4000000, 8000000);
}

static void stay_a_moment(int fd)
{
        char told[4096];

        while (read(fd, told, sizeof told) > 0)
                (void)su_message_send_error(
                        fd, &(struct su_error){.code = SU_ERROR_UNREACHABLE, .message = "no"},
                        NULL);
        (void)usleep(500000);
}

/* It maps what the program maps, and must be gone before it is looked who runs old code. */
static void test_a_rest_waits_until_it_is_gone(void **state)
{
        struct service service;
        su_auto_fetch struct su_fetch *fetch = NULL;
        struct su_error err = {0};
        uint64_t began;

        (void)state;
        service_start(&service, stay_a_moment);
        fetch = fetch_by(service.path);
        assert_fails_with(ask(fetch, &err), err, UNREACHABLE, "no");
        began = su_monotonic_us();
        su_fetch_rest(fetch);
        assert_in_range(su_monotonic_us() - began, 400000, 3000000);
        assert_fails_with(ask(fetch, &err), err, UNREACHABLE, "no");
        service_stop(&service);
}

static int parse(const void *data, size_t size, struct su_fetch_options *ret, struct su_error *err)
{
        const struct su_message message = {SU_ANSWER_OPENING, size, data};

        return su_opening_parse(&message, ret, err);
}

static void test_what_it_is_told(void **state)
{
        const struct su_fetch_options told = {
                .base_url = url, .proxy = "http://proxy", .max_rate = 7};
        const struct su_fetch_options plain = {.base_url = url};
        const struct su_fetch_options file = {.base_url = "file:///etc/"};
        struct su_fetch_options heard;
        su_auto_free uint8_t *data = NULL;
        su_auto_free uint8_t *less = NULL;
        su_auto_free uint8_t *elsewhere = NULL;
        struct su_error err = {0};
        size_t size;

        (void)state;
        assert_ok(su_opening_format(&told, &data, &size, &err), err);
        assert_ok(parse(data, size, &heard, &err), err);
        assert_string_equal(heard.base_url, url);
        assert_string_equal(heard.proxy, "http://proxy");
        assert_int_equal(heard.max_rate, 7);
        for (size_t cut = 0; cut < size; cut++)
                assert_true(parse(data, cut, &heard, NULL) < 0);
        data[0]++;
        assert_fails(parse(data, size, &heard, &err), err, UNSUPPORTED);
        assert_ok(su_opening_format(&plain, &less, &size, &err), err);
        assert_ok(parse(less, size, &heard, &err), err);
        assert_null(heard.proxy);
        assert_ok(su_opening_format(&file, &elsewhere, &size, &err), err);
        assert_fails_with(parse(elsewhere, size, &heard, &err), err, CONFIG, "file:///etc/");
}

static void test_what_cannot_be_told(void **state)
{
        char long_url[5000] = "http://";
        const struct su_fetch_options options = {.base_url = long_url};
        uint8_t *data = NULL;
        struct su_error err = {0};
        size_t size;

        (void)state;
        memset(long_url + strlen(long_url), 'a', sizeof long_url - strlen(long_url) - 1);
        assert_fails(su_opening_format(&options, &data, &size, &err), err, TOO_LARGE);
        assert_null(data);
}

/* Without being told first, it serves nobody. */
static void test_who_tells_nothing(void **state)
{
        static const struct su_request request = {.path = "x", .max = 100};
        su_auto_inbox struct su_inbox *inbox = NULL;
        su_auto_free uint8_t *data = NULL;
        struct su_message message;
        struct su_error err = {0};
        size_t size;
        int ends[2];

        (void)state;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        assert_ok(su_answer_format_request(&request, &data, &size, &err), err);
        assert_ok(su_message_send(ends[0], SU_ANSWER_REQUEST, data, size, &err), err);
        su_serve_told(ends[1]);
        (void)close(ends[1]);
        assert_ok(su_inbox_new(&inbox, &err), err);
        assert_int_equal(su_inbox_fill(inbox, ends[0], &err), 1);
        assert_int_equal(su_inbox_take(inbox, &message, &err), 1);
        assert_fails(su_message_get_error(&message, &err), err, FORMAT);
        (void)close(ends[0]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_there_is_none),
                cmocka_unit_test(test_it_leaves),
                cmocka_unit_test(test_it_is_not_believed),
                cmocka_unit_test(test_one_that_stays),
                cmocka_unit_test(test_a_rest_waits_until_it_is_gone),
                cmocka_unit_test(test_what_it_is_told),
                cmocka_unit_test(test_what_cannot_be_told),
                cmocka_unit_test(test_who_tells_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
