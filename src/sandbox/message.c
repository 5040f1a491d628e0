#include "sandbox/message.h"

#include <string.h>

#include "base/file.h"

struct head {
        uint32_t kind;
        uint32_t size;
};

struct su_inbox {
        size_t begin; /* of what was not taken yet */
        size_t end;
        uint8_t data[SU_MESSAGE_PIECE_MAX];
};

_Static_assert(sizeof(struct head) + SU_MESSAGE_MAX == SU_MESSAGE_PIECE_MAX, "a whole message");

int su_message_format(uint32_t kind, const void *data, size_t size,
                      uint8_t ret[SU_MESSAGE_PIECE_MAX], size_t *ret_size, struct su_error *err)
{
        const struct head head = {kind, (uint32_t)size};

        if (size > SU_MESSAGE_MAX)
                return su_fail(err, SU_ERROR_TOO_LARGE, "a message of %zu bytes is too large",
                               size);
        memcpy(ret, &head, sizeof head);
        if (size > 0)
                memcpy(ret + sizeof head, data, size);
        *ret_size = sizeof head + size;
        return 0;
}

int su_message_send(int fd, uint32_t kind, const void *data, size_t size, struct su_error *err)
{
        uint8_t piece[SU_MESSAGE_PIECE_MAX];
        size_t piece_size;
        int r;

        r = su_message_format(kind, data, size, piece, &piece_size, err);
        return r < 0 ? r : su_write_all(fd, piece, piece_size, "a worker's channel", err);
}

int su_message_send_progress(int fd, uint64_t done, uint64_t total, struct su_error *err)
{
        const uint64_t numbers[] = {done, total};

        return su_message_send(fd, SU_MESSAGE_PROGRESS, numbers, sizeof numbers, err);
}

int su_message_send_error(int fd, const struct su_error *what, struct su_error *err)
{
        uint8_t data[2 * sizeof(uint32_t) + sizeof what->message];
        const uint32_t numbers[] = {(uint32_t)what->code, (uint32_t)what->errnum};
        const size_t size = strnlen(what->message, sizeof what->message - 1);

        memcpy(data, numbers, sizeof numbers);
        memcpy(data + sizeof numbers, what->message, size);
        return su_message_send(fd, SU_MESSAGE_ERROR, data, sizeof numbers + size, err);
}

static int refuse(const char *what, struct su_error *err)
{
        return su_fail(err, SU_ERROR_FORMAT, "a worker's %s is malformed", what);
}

int su_message_get_progress(const struct su_message *message, uint64_t *ret_done,
                            uint64_t *ret_total, struct su_error *err)
{
        uint64_t numbers[2];

        if (message->kind != SU_MESSAGE_PROGRESS || message->size != sizeof numbers)
                return refuse("progress", err);
        memcpy(numbers, message->data, sizeof numbers);
        if (numbers[0] > numbers[1])
                return refuse("progress", err);
        *ret_done = numbers[0];
        *ret_total = numbers[1];
        return 0;
}

int su_message_get_error(const struct su_message *message, struct su_error *err)
{
        char text[SU_ERROR_MESSAGE_MAX];
        uint32_t numbers[2];
        size_t size;

        if (message->kind != SU_MESSAGE_ERROR || message->size < sizeof numbers)
                return refuse("error", err);
        memcpy(numbers, message->data, sizeof numbers);
        size = message->size - sizeof numbers;
        if (size >= sizeof text)
                return refuse("error", err);
        memcpy(text, message->data + sizeof numbers, size);
        text[size] = '\0';
        if (!text[0])
                return refuse("error", err);
        return su_negative(su_error_take_over(err, numbers[0], numbers[1], text));
}

int su_inbox_new(struct su_inbox **ret, struct su_error *err)
{
        struct su_inbox *inbox = malloc(sizeof *inbox);

        if (!inbox)
                return su_fail_oom(err);
        inbox->begin = inbox->end = 0;
        *ret = inbox;
        return 0;
}

void su_inbox_free(struct su_inbox *inbox)
{
        free(inbox);
}

int su_inbox_take(struct su_inbox *inbox, struct su_message *ret, struct su_error *err)
{
        struct head head;

        if (inbox->end - inbox->begin < sizeof head)
                return 0;
        memcpy(&head, inbox->data + inbox->begin, sizeof head);
        if (head.size > SU_MESSAGE_MAX)
                return refuse("message", err);
        if (inbox->end - inbox->begin - sizeof head < head.size)
                return 0;
        *ret = (struct su_message){head.kind, head.size, inbox->data + inbox->begin + sizeof head};
        inbox->begin += sizeof head + head.size;
        return 1;
}

/* What is left goes to the front: then one whole message has room. */
static size_t make_room(struct su_inbox *inbox)
{
        memmove(inbox->data, inbox->data + inbox->begin, inbox->end - inbox->begin);
        inbox->end -= inbox->begin;
        inbox->begin = 0;
        return sizeof inbox->data - inbox->end;
}

size_t su_inbox_put(struct su_inbox *inbox, const void *data, size_t size)
{
        size_t room = make_room(inbox);

        if (size > room)
                size = room;
        memcpy(inbox->data + inbox->end, data, size);
        inbox->end += size;
        return size;
}

int su_inbox_fill(struct su_inbox *inbox, int fd, struct su_error *err)
{
        size_t room = make_room(inbox);
        ssize_t n;

        do
                n = read(fd, inbox->data + inbox->end, room);
        while (n < 0 && errno == EINTR);
        if (n < 0 && errno != ECONNRESET)
                return su_fail_errno(err, errno, "cannot read from a worker's channel");
        if (n <= 0)
                return 0;
        inbox->end += (size_t)n;
        return 1;
}
