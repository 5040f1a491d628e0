/* What a worker that was taken over writes into its channel. The first byte says in pieces of which
 * size it comes. */
#include <string.h>

#include "base/printable.h"
#include "fuzz.h"
#include "sandbox/message.h"

static void check_progress(const struct su_message *message)
{
        uint64_t done, total;

        if (su_message_get_progress(message, &done, &total, NULL) >= 0)
                fuzz_check(message->kind == SU_MESSAGE_PROGRESS && done <= total);
}

static void check_error(const struct su_message *message)
{
        char before[SU_ERROR_MESSAGE_MAX];
        struct su_error error = {0};
        int r = su_message_get_error(message, &error);

        fuzz_check(r < 0 && r == -error.errnum && error.code != SU_OK && error.message[0] != '\0');
        fuzz_check(su_error_exit_status(error.code) > 0);
        memcpy(before, error.message, sizeof before);
        su_make_printable(error.message);
        fuzz_check(strcmp(before, error.message) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        su_auto_inbox struct su_inbox *inbox = NULL;
        size_t piece = size > 0 ? data[0] + 1U : 1;
        struct su_message message;
        int r = 0;

        fuzz_check(su_inbox_new(&inbox, NULL) >= 0);
        for (size_t at = 1; at < size && r >= 0;) {
                size_t left = size - at;
                size_t n = su_inbox_put(inbox, data + at, left < piece ? left : piece);

                fuzz_check(n > 0); /* all that is whole was taken out: there is room */
                at += n;
                while ((r = su_inbox_take(inbox, &message, NULL)) > 0) {
                        fuzz_check(message.size <= SU_MESSAGE_MAX);
                        check_progress(&message);
                        check_error(&message);
                }
        }
        return 0;
}
