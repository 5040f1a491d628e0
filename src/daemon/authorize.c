#include "daemon/authorize.h"

#include <stdlib.h>

#include "daemon/auto.h"

#define POLKIT                                                                                     \
        "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",                     \
                "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization"
#define ALLOW_USER_INTERACTION 1U
/* As long as a person may take to find the password. */
#define TIMEOUT_US (UINT64_C(120) * 1000000)

struct question {
        su_authorized authorized;
        void *userdata;
};

static int read_answer(sd_bus_message *answer, struct su_error *err)
{
        const sd_bus_error *failure = sd_bus_message_get_error(answer);
        int is_authorized;
        int is_challenge;

        if (failure)
                return su_fail(err, SU_ERROR_PERMISSION, "polkit cannot be asked: %s",
                               failure->message ? failure->message : failure->name);
        if (sd_bus_message_enter_container(answer, 'r', "bba{ss}") < 0 ||
            sd_bus_message_read(answer, "bb", &is_authorized, &is_challenge) < 0)
                return su_fail(err, SU_ERROR_PERMISSION, "polkit's answer is malformed");
        if (is_authorized)
                return 0;
        return su_fail(err, SU_ERROR_PERMISSION,
                       is_challenge ? "an administrator has to agree to this"
                                    : "polkit does not allow this");
}

static int on_answer(sd_bus_message *answer, void *userdata, sd_bus_error *bus_error)
{
        struct question question = *(struct question *)userdata;
        struct su_error refusal = {0};

        (void)bus_error;
        free(userdata);
        (void)read_answer(answer, &refusal);
        question.authorized(question.userdata, &refusal);
        return 0;
}

static int ask(sd_bus_message *call, const char *action, struct question *question)
{
        const int interactive = sd_bus_message_get_allow_interactive_authorization(call);
        su_auto_bus_message sd_bus_message *message = NULL;
        int r;

        r = sd_bus_message_new_method_call(sd_bus_message_get_bus(call), &message, POLKIT);
        if (r >= 0)
                r = sd_bus_message_append(message, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name",
                                          "s", sd_bus_message_get_sender(call), action, 0,
                                          interactive > 0 ? ALLOW_USER_INTERACTION : 0, "");
        if (r >= 0)
                r = sd_bus_call_async(sd_bus_message_get_bus(call), NULL, message, on_answer,
                                      question, TIMEOUT_US);
        return r;
}

static bool is_root(sd_bus_message *call)
{
        sd_bus_creds *creds = NULL;
        uid_t uid = UINT32_MAX;

        if (sd_bus_query_sender_creds(call, SD_BUS_CREDS_EUID, &creds) >= 0)
                (void)sd_bus_creds_get_euid(creds, &uid);
        sd_bus_creds_unref(creds);
        return uid == 0;
}

int su_authorize(sd_bus_message *call, const char *action, su_authorized authorized, void *userdata,
                 struct su_error *err)
{
        struct question *question;
        int r;

        if (is_root(call)) {
                authorized(userdata, &(struct su_error){0});
                return 0;
        }
        question = malloc(sizeof *question);
        if (!question)
                return su_fail_oom(err);
        *question = (struct question){authorized, userdata};
        r = ask(call, action, question);
        if (r >= 0)
                return 0;
        free(question);
        return su_fail_errno(err, r, "cannot ask polkit");
}
