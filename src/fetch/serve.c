#include "fetch/serve.h"

#include <sys/socket.h>

#include "base/clock.h"
#include "base/text.h"
#include "fetch/answer.h"
#include "fetch/opening.h"
#include "fetch/transfer.h"

#define TELL_EVERY_US 100000
/* A thread that resolves a name has a stack, and libc an arena for it. */
#define MEMORY_MAX (UINT64_C(1) << 30)
/* Of the processor, for all that one operation fetches. */
#define CPU_MAX_S 3600

/* It writes no file at all: what it receives goes through the channel. */
const struct su_worker_options su_fetcher = {
        .name = "fetcher",
        .kind = SU_WORKER_FETCHES,
        .memory_max = MEMORY_MAX,
        .cpu_max_s = CPU_MAX_S,
};

struct service {
        int channel_fd;
        const struct su_fetch_options *options;
        struct su_inbox *inbox;
        struct su_transfer *transfer; /* after the first request */
        const struct su_request *request;
        uint64_t told_us;
        bool is_deaf; /* nobody listens any more */
};

static int send_data(void *userdata, const void *data, size_t size, struct su_error *err)
{
        struct service *service = userdata;
        int r = su_answer_send_data(service->channel_fd, data, size, err);

        service->is_deaf |= r < 0;
        return r;
}

static int send_restart(void *userdata, struct su_error *err)
{
        struct service *service = userdata;
        int r = su_message_send(service->channel_fd, SU_ANSWER_RESTART, NULL, 0, err);

        service->is_deaf |= r < 0;
        return r;
}

/* Who asked has closed its end, and still takes what it was sent: it waits for us to leave. */
static bool is_left(const struct service *service)
{
        char byte;

        return recv(service->channel_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static int send_progress(void *userdata, uint64_t done, struct su_error *err)
{
        struct service *service = userdata;
        uint64_t now = su_monotonic_us();
        int r;

        if (now < service->told_us + TELL_EVERY_US)
                return 0;
        service->told_us = now;
        if (is_left(service)) {
                service->is_deaf = true;
                return su_fail(err, SU_ERROR_CANCELLED, "nobody waits for it any more");
        }
        r = su_message_send_progress(service->channel_fd, done, service->request->max, err);
        service->is_deaf |= r < 0;
        return r;
}

static int answer(struct service *service, const struct su_message *message, struct su_error *err)
{
        const struct su_sink sink = {send_data, send_restart, send_progress, service};
        struct su_request request;
        struct su_result result;
        int r;

        r = su_answer_parse_request(message, &request, err);
        if (r >= 0 && !service->transfer)
                r = su_transfer_new(service->options, &service->transfer, err);
        if (r < 0)
                return r;
        service->request = &request;
        r = su_transfer_run(service->transfer, &request, &sink, &result, err);
        if (r < 0)
                return r;
        r = su_answer_send_end(service->channel_fd, &result, err);
        service->is_deaf |= r < 0;
        free(result.etag);
        return r;
}

/* 1: `ret` is the next message; 0: there is none any more. */
static int await_message(const struct service *service, struct su_message *ret)
{
        int r;

        while ((r = su_inbox_take(service->inbox, ret, NULL)) == 0)
                if (su_inbox_fill(service->inbox, service->channel_fd, NULL) <= 0)
                        return 0;
        return r;
}

static void serve(struct service *service)
{
        struct su_message message;
        struct su_error error = {0};

        while (!service->is_deaf && await_message(service, &message) > 0)
                if (answer(service, &message, &error) < 0 && !service->is_deaf)
                        service->is_deaf =
                                su_message_send_error(service->channel_fd, &error, NULL) < 0;
        su_transfer_free(service->transfer);
}

void su_serve(int channel_fd, void *userdata)
{
        su_auto_inbox struct su_inbox *inbox = NULL;
        struct service service = {.channel_fd = channel_fd, .options = userdata};
        struct su_error error = {0};

        if (su_inbox_new(&inbox, &error) < 0) {
                (void)su_message_send_error(channel_fd, &error, NULL);
                return;
        }
        service.inbox = inbox;
        serve(&service);
}

/* What the message points to does not outlast it. */
struct told {
        struct su_fetch_options options;
        char *base_url;
        char *proxy;
};

static void told_done(struct told *told)
{
        free(told->base_url);
        free(told->proxy);
}

static int take_opening(const struct su_message *message, struct told *ret, struct su_error *err)
{
        int r;

        r = su_opening_parse(message, &ret->options, err);
        if (r >= 0)
                r = su_strdup(ret->options.base_url, &ret->base_url, err);
        if (r >= 0 && ret->options.proxy)
                r = su_strdup(ret->options.proxy, &ret->proxy, err);
        ret->options.base_url = ret->base_url;
        ret->options.proxy = ret->proxy;
        return r;
}

void su_serve_told(int channel_fd)
{
        su_auto_inbox struct su_inbox *inbox = NULL;
        su_auto(told_done) struct told told = {0};
        struct service service = {.channel_fd = channel_fd, .options = &told.options};
        struct su_message message;
        struct su_error error = {0};
        int r;

        r = su_inbox_new(&inbox, &error);
        service.inbox = inbox;
        if (r >= 0) {
                if (await_message(&service, &message) <= 0)
                        return;
                r = take_opening(&message, &told, &error);
        }
        if (r >= 0)
                serve(&service);
        else
                (void)su_message_send_error(channel_fd, &error, NULL);
}
