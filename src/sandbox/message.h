/* What a worker and who started it say to each other: a kind, a size, and so many bytes.
 *
 * Numbers are in the machine's own order: both ends are on it, and of one version. A worker may
 * have been taken over, so nothing that it says is believed before it was looked at: a message has
 * at most SU_MESSAGE_MAX bytes, and an error is one of ours with a text that is cut and made
 * printable. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"

#define SU_MESSAGE_MAX 32768

/* The kinds that all workers have; their own begin at SU_MESSAGE_OWN. */
enum su_message_kind {
        SU_MESSAGE_ERROR,    /* struct su_error, encoded */
        SU_MESSAGE_PROGRESS, /* two numbers: done, total */
        SU_MESSAGE_DONE,
        SU_MESSAGE_OWN = 16,
};

struct su_message {
        uint32_t kind;
        size_t size;
        const uint8_t *data; /* in the inbox: until more is taken from it */
};

/* What is sent of it: at most SU_MESSAGE_PIECE_MAX bytes. */
#define SU_MESSAGE_PIECE_MAX (SU_MESSAGE_MAX + 8)
int su_message_format(uint32_t kind, const void *data, size_t size,
                      uint8_t ret[SU_MESSAGE_PIECE_MAX], size_t *ret_size, struct su_error *err);
int su_message_send(int fd, uint32_t kind, const void *data, size_t size, struct su_error *err);
int su_message_send_progress(int fd, uint64_t done, uint64_t total, struct su_error *err);
int su_message_send_error(int fd, const struct su_error *what, struct su_error *err);

/* FORMAT when it is not well-formed. */
int su_message_get_progress(const struct su_message *message, uint64_t *ret_done,
                            uint64_t *ret_total, struct su_error *err);
/* Fails with the error that it tells, or FORMAT. Never 0. */
int su_message_get_error(const struct su_message *message, struct su_error *err);

/* Bytes that came in; whole messages out. */
struct su_inbox;
int su_inbox_new(struct su_inbox **ret, struct su_error *err);
void su_inbox_free(struct su_inbox *inbox);

/* 1: `ret` is the next message; 0: it is not all there yet. FORMAT when it would be too large. */
int su_inbox_take(struct su_inbox *inbox, struct su_message *ret, struct su_error *err);
/* Read once. What su_inbox_take() gave is no longer there. 1: there was something; 0: the other end
 * was closed. No descriptor comes in this way. */
int su_inbox_fill(struct su_inbox *inbox, int fd, struct su_error *err);
/* Take over bytes as if they had been read; as many as there is room for, which is returned. */
size_t su_inbox_put(struct su_inbox *inbox, const void *data, size_t size);

static inline void su_inbox_free_p(struct su_inbox **inbox)
{
        su_inbox_free(*inbox);
}
#define su_auto_inbox su_auto(su_inbox_free_p)
