#include "fetch/answer.h"

#include <string.h>

struct request_head {
        uint64_t max;
        uint64_t offset;
        uint32_t is_exact;
        uint32_t path_size; /* the entity tag follows it; "" for none */
};

struct end_head {
        uint64_t received;
        uint32_t status;
        uint32_t etag_size;
};

static int refuse(struct su_error *err)
{
        return su_fail(err, SU_ERROR_FORMAT, "the fetcher's answer is malformed");
}

int su_answer_format_request(const struct su_request *request, uint8_t **ret, size_t *ret_size,
                             struct su_error *err)
{
        const char *etag = request->etag ? request->etag : "";
        const size_t path_size = strlen(request->path) + 1, etag_size = strlen(etag) + 1;
        struct request_head head = {
                .max = request->max, .offset = request->offset, .is_exact = request->is_exact};
        const size_t size = sizeof head + path_size + etag_size;
        uint8_t *data;

        if (size > SU_MESSAGE_MAX)
                return su_fail(err, SU_ERROR_TOO_LARGE, "the name of '%.100s' is too long",
                               request->path);
        data = malloc(size);
        if (!data)
                return su_fail_oom(err);
        head.path_size = (uint32_t)path_size;
        memcpy(data, &head, sizeof head);
        memcpy(data + sizeof head, request->path, path_size);
        memcpy(data + sizeof head + path_size, etag, etag_size);
        *ret = data;
        *ret_size = size;
        return 0;
}

int su_answer_parse_request(const struct su_message *message, struct su_request *ret,
                            struct su_error *err)
{
        struct request_head head;
        const char *path = (const char *)message->data + sizeof head;
        size_t left;

        if (message->kind != SU_ANSWER_REQUEST || message->size < sizeof head)
                return refuse(err);
        memcpy(&head, message->data, sizeof head);
        left = message->size - sizeof head;
        if (head.path_size == 0 || head.path_size >= left || path[head.path_size - 1] != '\0' ||
            path[left - 1] != '\0' || head.offset > head.max)
                return refuse(err);
        *ret = (struct su_request){.path = path,
                                   .max = head.max,
                                   .offset = head.offset,
                                   .is_exact = head.is_exact != 0,
                                   .etag = path[head.path_size] ? path + head.path_size : NULL};
        return 0;
}

int su_answer_send_data(int fd, const void *data, size_t size, struct su_error *err)
{
        const uint8_t *from = data;
        int r = 0;

        while (size > 0 && r >= 0) {
                size_t n = size < SU_MESSAGE_MAX ? size : SU_MESSAGE_MAX;

                r = su_message_send(fd, SU_ANSWER_DATA, from, n, err);
                from += n;
                size -= n;
        }
        return r;
}

/* An entity tag that does not fit is none: then the next question has no condition. */
int su_answer_send_end(int fd, const struct su_result *result, struct su_error *err)
{
        uint8_t data[SU_MESSAGE_MAX];
        struct end_head head = {.received = result->received, .status = (uint32_t)result->status};
        const size_t size = result->etag ? strlen(result->etag) : 0;

        if (size <= sizeof data - sizeof head)
                head.etag_size = (uint32_t)size;
        memcpy(data, &head, sizeof head);
        if (head.etag_size > 0)
                memcpy(data + sizeof head, result->etag, head.etag_size);
        return su_message_send(fd, SU_ANSWER_END, data, sizeof head + head.etag_size, err);
}

uint64_t su_answer_position(const struct su_answer *answer)
{
        return (answer->is_anew ? 0 : answer->request->offset) + answer->received;
}

static int take_data(struct su_answer *answer, const struct su_message *message,
                     const struct su_sink *sink, struct su_error *err)
{
        if (message->size == 0 || message->size > answer->request->max - su_answer_position(answer))
                return refuse(err);
        answer->received += message->size;
        return sink->write(sink->userdata, message->data, message->size, err);
}

static int take_restart(struct su_answer *answer, const struct su_sink *sink, struct su_error *err)
{
        if (answer->request->offset == 0 || answer->is_anew || answer->received > 0)
                return refuse(err);
        answer->is_anew = true;
        return sink->restart(sink->userdata, err);
}

static int take_progress(const struct su_answer *answer, const struct su_message *message,
                         struct su_error *err)
{
        uint64_t done, total;
        int r;

        r = su_message_get_progress(message, &done, &total, err);
        if (r >= 0 && done > answer->request->max)
                r = refuse(err);
        return r;
}

/* Only the answers that there are: all of it, the rest of it, or that it has not changed. */
static bool is_status(const struct su_answer *answer, uint32_t status)
{
        const struct su_request *request = answer->request;

        switch (status) {
        case 200:
                return true;
        case 206:
                return request->offset > 0 && !answer->is_anew;
        case 304:
                return request->etag && answer->received == 0;
        default:
                return false;
        }
}

static int take_end(const struct su_answer *answer, const struct su_message *message,
                    struct su_result *ret, struct su_error *err)
{
        struct end_head head;
        char *etag = NULL;

        if (message->size < sizeof head)
                return refuse(err);
        memcpy(&head, message->data, sizeof head);
        if (head.received != answer->received || head.etag_size != message->size - sizeof head ||
            !is_status(answer, head.status))
                return refuse(err);
        if (head.etag_size > 0) {
                etag = strndup((const char *)message->data + sizeof head, head.etag_size);
                if (!etag)
                        return su_fail_oom(err);
        }
        if (etag && !su_is_entity_tag(etag)) {
                free(etag);
                return refuse(err);
        }
        *ret = (struct su_result){head.received, (long)head.status, etag};
        return 1;
}

int su_answer_take(struct su_answer *answer, const struct su_message *message,
                   const struct su_sink *sink, struct su_result *ret, struct su_error *err)
{
        switch (message->kind) {
        case SU_ANSWER_DATA:
                return take_data(answer, message, sink, err);
        case SU_ANSWER_RESTART:
                return take_restart(answer, sink, err);
        case SU_MESSAGE_PROGRESS:
                return take_progress(answer, message, err);
        case SU_ANSWER_END:
                return take_end(answer, message, ret, err);
        default:
                return refuse(err);
        }
}
