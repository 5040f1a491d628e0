/* What is said to a worker that fetches, and what it answers: a request; then, in this order, as
 * many SU_ANSWER_DATA and SU_MESSAGE_PROGRESS as there are, and SU_ANSWER_END or SU_MESSAGE_ERROR.
 *
 * The worker may have been taken over. What it says is bounded by what it was asked for. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "fetch/request.h"
#include "sandbox/message.h"

enum su_answer_kind {
        SU_ANSWER_REQUEST = SU_MESSAGE_OWN,
        SU_ANSWER_DATA,
        SU_ANSWER_END,     /* received, status, entity tag */
        SU_ANSWER_RESTART, /* before any data: it is all of it, not only the rest */
        SU_ANSWER_OPENING, /* before any request, to one of a service (opening.h) */
};

/* TOO_LARGE when path and entity tag are no such ones. The caller frees. */
int su_answer_format_request(const struct su_request *request, uint8_t **ret, size_t *ret_size,
                             struct su_error *err);
/* What it points to is in `message`. */
int su_answer_parse_request(const struct su_message *message, struct su_request *ret,
                            struct su_error *err);

int su_answer_send_data(int fd, const void *data, size_t size, struct su_error *err);
int su_answer_send_end(int fd, const struct su_result *result, struct su_error *err);

/* One answer, as far as it has come. */
struct su_answer {
        const struct su_request *request;
        uint64_t received; /* counted here, whatever it says */
        bool is_anew;      /* what was here before does not count */
};

/* How much there is of the file by now. */
uint64_t su_answer_position(const struct su_answer *answer);
/* 1: that was the end of it, and `ret` is written; 0: there is more to come. Data goes to `sink`,
 * whose failure is returned. FORMAT when it is no answer to the request. */
int su_answer_take(struct su_answer *answer, const struct su_message *message,
                   const struct su_sink *sink, struct su_result *ret, struct su_error *err);
