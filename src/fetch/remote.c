#include "fetch/remote.h"

#include "base/clock.h"
#include "base/text.h"
#include "fetch/answer.h"
#include "fetch/opening.h"
#include "fetch/serve.h"
#include "sandbox/worker.h"

#define LOOK_EVERY_MS 200
/* The worker gives up by itself before. */
#define GRACE_S 60

struct su_remote {
        struct su_fetch_options options;
        char *base_url; /* what the options point to */
        char *proxy;
        char *socket_path;
        struct su_worker *worker; /* NULL: there is none */
};

int su_remote_new(const struct su_fetch_options *options, struct su_remote **ret,
                  struct su_error *err)
{
        su_auto_remote struct su_remote *remote = calloc(1, sizeof *remote);
        int r;

        if (!remote)
                return su_fail_oom(err);
        remote->options = *options;
        r = su_strdup(options->base_url, &remote->base_url, err);
        if (r < 0)
                return r;
        if (options->proxy)
                r = su_strdup(options->proxy, &remote->proxy, err);
        if (r >= 0 && options->socket_path)
                r = su_strdup(options->socket_path, &remote->socket_path, err);
        if (r < 0)
                return r;
        remote->options.base_url = remote->base_url;
        remote->options.proxy = remote->proxy;
        remote->options.socket_path = remote->socket_path;
        *ret = su_take(remote);
        return 0;
}

void su_remote_rest(struct su_remote *remote)
{
        su_worker_free(remote->worker);
        remote->worker = NULL;
}

void su_remote_free(struct su_remote *remote)
{
        if (!remote)
                return;
        su_remote_rest(remote);
        free(remote->base_url);
        free(remote->proxy);
        free(remote->socket_path);
        free(remote);
}

static int open_service(struct su_remote *remote, struct su_error *err)
{
        su_auto_worker struct su_worker *worker = NULL;
        su_auto_free uint8_t *data = NULL;
        size_t size;
        int r;

        r = su_opening_format(&remote->options, &data, &size, err);
        if (r >= 0)
                r = su_worker_connect(su_fetcher.name, remote->socket_path, &worker, err);
        if (r >= 0)
                r = su_worker_ask(worker, SU_ANSWER_OPENING, data, size, err);
        if (r < 0)
                return r;
        remote->worker = su_take(worker);
        return 0;
}

static int start(struct su_remote *remote, struct su_error *err)
{
        if (remote->worker)
                return 0;
        if (remote->socket_path)
                return open_service(remote, err);
        return su_worker_start(&su_fetcher, su_serve, &remote->options, &remote->worker, err);
}

static int ask(struct su_remote *remote, const struct su_request *request, struct su_error *err)
{
        su_auto_free uint8_t *data = NULL;
        size_t size;
        int r;

        r = su_answer_format_request(request, &data, &size, err);
        return r < 0 ? r : su_worker_ask(remote->worker, SU_ANSWER_REQUEST, data, size, err);
}

/* 1: it is answered; 0: not yet. */
static int step(struct su_remote *remote, struct su_answer *answer, const struct su_sink *sink,
                struct su_result *ret, bool *ret_is_told, struct su_error *err)
{
        struct su_message message;
        int r;

        r = su_worker_wait(remote->worker, LOOK_EVERY_MS, &message, err);
        /* An error that it tells is an answer, after which it waits for the next request. */
        *ret_is_told = r < 0 && su_worker_is_usable(remote->worker);
        if (r > 0) {
                r = su_answer_take(answer, &message, sink, ret, err);
                if (r != 0)
                        return r;
        }
        return r < 0 ? r : sink->progress(sink->userdata, su_answer_position(answer), err);
}

static int await_answer(struct su_remote *remote, const struct su_request *request,
                        const struct su_sink *sink, struct su_answer *answer, struct su_result *ret,
                        struct su_error *err)
{
        const unsigned patience_s = su_request_time_max_s(request) + GRACE_S;
        const uint64_t give_up_us = su_monotonic_us() + patience_s * UINT64_C(1000000);
        bool is_told = false;
        int r = 0;

        while (r == 0 && su_monotonic_us() < give_up_us)
                r = step(remote, answer, sink, ret, &is_told, err);
        if (r == 0)
                r = su_fail(err, SU_ERROR_WORKER, "the fetcher did not answer within %u s",
                            patience_s);
        if (r < 0 && !is_told)
                su_remote_rest(remote);
        return r < 0 ? r : 0;
}

int su_remote_run(struct su_remote *remote, const struct su_request *request,
                  const struct su_sink *sink, struct su_result *ret, struct su_error *err)
{
        struct su_answer answer = {.request = request};
        int r;

        *ret = (struct su_result){0};
        if (request->body)
                return su_fail(err, SU_ERROR_UNSUPPORTED, "a worker posts nothing");
        r = start(remote, err);
        if (r >= 0)
                r = ask(remote, request, err);
        if (r >= 0)
                r = await_answer(remote, request, sink, &answer, ret, err);
        ret->received = answer.received;
        if (r < 0 && remote->worker && !su_worker_is_usable(remote->worker))
                su_remote_rest(remote);
        return r;
}
