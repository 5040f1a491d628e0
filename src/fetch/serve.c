#include "fetch/serve.h"

#include "base/clock.h"
#include "fetch/answer.h"
#include "fetch/transfer.h"

#define TELL_EVERY_US 100000

struct service {
        int channel_fd;
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

static int send_progress(void *userdata, uint64_t done, struct su_error *err)
{
        struct service *service = userdata;
        uint64_t now = su_monotonic_us();
        int r;

        if (now < service->told_us + TELL_EVERY_US)
                return 0;
        service->told_us = now;
        r = su_message_send_progress(service->channel_fd, done, service->request->max, err);
        service->is_deaf |= r < 0;
        return r;
}

static int answer(struct service *service, const struct su_fetch_options *options,
                  const struct su_message *message, struct su_error *err)
{
        const struct su_sink sink = {send_data, send_restart, send_progress, service};
        struct su_request request;
        struct su_result result;
        int r;

        r = su_answer_parse_request(message, &request, err);
        if (r >= 0 && !service->transfer)
                r = su_transfer_new(options, &service->transfer, err);
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

/* 1: `ret` is the next request; 0: there is none any more. */
static int await_request(const struct service *service, struct su_inbox *inbox,
                         struct su_message *ret)
{
        int r;

        while ((r = su_inbox_take(inbox, ret, NULL)) == 0)
                if (su_inbox_fill(inbox, service->channel_fd, NULL) <= 0)
                        return 0;
        return r;
}

void su_serve(int channel_fd, void *userdata)
{
        su_auto_inbox struct su_inbox *inbox = NULL;
        struct service service = {.channel_fd = channel_fd};
        struct su_message message;
        struct su_error error = {0};

        if (su_inbox_new(&inbox, &error) < 0)
                (void)su_message_send_error(channel_fd, &error, NULL);
        while (inbox && !service.is_deaf && await_request(&service, inbox, &message) > 0)
                if (answer(&service, userdata, &message, &error) < 0 && !service.is_deaf)
                        service.is_deaf = su_message_send_error(channel_fd, &error, NULL) < 0;
        su_transfer_free(service.transfer);
}
