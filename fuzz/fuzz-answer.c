/* What a fetcher that was taken over answers. The first byte says what it was asked for; requests
 * are read, too, and what comes before them. */
#include <string.h>

#include "fetch/answer.h"
#include "fetch/opening.h"
#include "fuzz.h"

#define WANTED_MAX 1000

#define OFFSET 300

struct collected {
        uint64_t bytes;  /* this time */
        uint64_t before; /* what is here already */
        bool ended;
};

static int collect(void *userdata, const void *data, size_t size, struct su_error *err)
{
        struct collected *collected = userdata;

        fuzz_check(data && size > 0 && !collected->ended);
        collected->bytes += size;
        fuzz_check(collected->before + collected->bytes <= WANTED_MAX);
        return size == 13 ? su_fail(err, SU_ERROR_SPACE, "no room") : 0;
}

static int restart(void *userdata, struct su_error *err)
{
        struct collected *collected = userdata;

        (void)err;
        fuzz_check(collected->bytes == 0 && collected->before > 0);
        collected->before = 0;
        return 0;
}

static void check_end(const struct su_request *request, const struct su_result *result,
                      const struct collected *collected)
{
        fuzz_check(result->received == collected->bytes);
        fuzz_check(result->status == 200 || (result->status == 304 && request->etag) ||
                   (result->status == 206 && collected->before > 0));
        fuzz_check(!result->etag || su_is_entity_tag(result->etag));
}

static void check_request(const struct su_message *message)
{
        struct su_request request;
        uint8_t *again;
        size_t size;

        if (su_answer_parse_request(message, &request, NULL) < 0)
                return;
        fuzz_check(su_answer_format_request(&request, &again, &size, NULL) >= 0);
        fuzz_check(size <= message->size);
        free(again);
}

static void check_opening(const struct su_message *message)
{
        struct su_fetch_options options;
        uint8_t *again;
        size_t size;

        if (su_opening_parse(message, &options, NULL) < 0)
                return;
        fuzz_check(strncmp(options.base_url, "http", 4) == 0 && !options.socket_path);
        fuzz_check(su_opening_format(&options, &again, &size, NULL) >= 0);
        fuzz_check(size == message->size);
        free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct collected collected = {.before = size > 0 && (data[0] & 2) ? OFFSET : 0};
        const struct su_request request = {.path = "targets/x",
                                           .max = WANTED_MAX,
                                           .offset = collected.before,
                                           .etag = size > 0 && (data[0] & 1) ? "\"1\"" : NULL};
        const struct su_sink sink = {.write = collect, .restart = restart, .userdata = &collected};
        struct su_answer answer = {.request = &request};
        su_auto_inbox struct su_inbox *inbox = NULL;
        struct su_message message;

        if (size == 0)
                return 0;
        fuzz_check(su_inbox_new(&inbox, NULL) >= 0);
        (void)su_inbox_put(inbox, data + 1, size - 1);
        while (su_inbox_take(inbox, &message, NULL) > 0) {
                struct su_result result = {0};
                int r = su_answer_take(&answer, &message, &sink, &result, NULL);

                check_request(&message);
                check_opening(&message);
                if (r > 0)
                        check_end(&request, &result, &collected);
                free(result.etag);
                if (r != 0)
                        break;
        }
        return 0;
}
