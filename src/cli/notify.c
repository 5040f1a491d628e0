/* The verb notify: what needs a person, on the screen of who is there (Desktop Notifications
 * Specification 1.2). Run in a person's session, by suture-notify.path. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/bus_names.h"
#include "base/file.h"
#include "base/text.h"
#include "base/translate.h"
#include "cli/click.h"
#include "cli/language.h"
#include "cli/output.h"
#include "cli/verbs.h"

#define AGENT SU_BUS_NAME, SU_BUS_PATH, SU_BUS_MANAGER
#define NOTIFICATIONS                                                                              \
        "org.freedesktop.Notifications", "/org/freedesktop/Notifications",                         \
                "org.freedesktop.Notifications", "Notify"
#define SHOWN_MAX 65536

/* What may interrupt somebody who is at something else. Of what comes in numbers that change, like
 * who waits for a restart, once is enough. */
static const struct kind {
        const char *name;
        bool once;
        uint8_t urgency; /* 1: normal, 2: stays until it is closed */
        const char *summary;
} kinds[] = {
        {"conflict", false, 2, N_("Security improvements cannot be put in place")},
        {"inactive", true, 2, N_("A security improvement is not in place")},
        {"recalled", false, 2, N_("A security improvement was recalled")},
        {"taken-back", false, 2, N_("A security improvement was taken back")},
        {"quarantined", false, 2, N_("A security improvement failed here")},
        {"boot-fell-back", false, 2, N_("This system started without its security improvement")},
        {"restart", true, 1, N_("A restart finishes a security improvement")},
        {"overdue", true, 1, N_("A restart is overdue")},
};

struct notice {
        const struct kind *kind;
        char *message;
};

struct notices {
        struct notice *items;
        size_t n;
};

static void notices_done(struct notices *notices)
{
        for (size_t i = 0; i < notices->n; i++)
                free(notices->items[i].message);
        free(notices->items);
}

static const struct kind *find_kind(const char *name)
{
        for (size_t i = 0; i < SU_ELEMENTS(kinds); i++)
                if (strcmp(kinds[i].name, name) == 0)
                        return &kinds[i];
        return NULL;
}

static int add_notice(struct notices *notices, const char *name, const char *message)
{
        const struct kind *kind = find_kind(name);
        struct notice *items;

        if (!kind)
                return 0;
        items = reallocarray(notices->items, notices->n + 1, sizeof *notices->items);
        if (!items)
                return -ENOMEM;
        notices->items = items;
        items[notices->n] = (struct notice){kind, strdup(message)};
        return items[notices->n++].message ? 0 : -ENOMEM;
}

static int read_notices(sd_bus_message *answer, struct notices *ret)
{
        const char *kind;
        const char *message;
        int r = sd_bus_message_enter_container(answer, 'a', "(ss)");

        while (r >= 0 && (r = sd_bus_message_read(answer, "(ss)", &kind, &message)) > 0)
                r = add_notice(ret, kind, message);
        return r;
}

/* The same of the document that the agent has in other languages than its own. */
static int read_status(sd_bus_message *answer, struct notices *ret)
{
        su_auto_json json_t *document = NULL;
        const json_t *attention;
        const char *text;
        int r = sd_bus_message_read(answer, "s", &text);

        if (r >= 0)
                r = su_json_parse(text, strlen(text), &document, NULL);
        attention = json_object_get(document, "attention");
        for (size_t i = 0; i < json_array_size(attention) && r >= 0; i++) {
                const json_t *item = json_array_get(attention, i);
                const char *kind = json_string_value(json_object_get(item, "kind"));
                const char *message = json_string_value(json_object_get(item, "message"));

                r = kind && message ? add_notice(ret, kind, message) : -EBADMSG;
        }
        return r;
}

static int ask_agent(struct notices *ret, struct su_error *err)
{
        sd_bus_message *answer = NULL;
        sd_bus_error error = SD_BUS_ERROR_NULL;
        char language[SU_LANGUAGE_SIZE];
        sd_bus *bus = NULL;
        int r;

        su_language_name(language);
        r = sd_bus_open_system(&bus);
        if (r >= 0 && language[0])
                r = sd_bus_call_method(bus, AGENT, "GetStatusIn", &error, &answer, "s", language);
        else if (r >= 0)
                r = sd_bus_get_property(bus, AGENT, "Attention", &error, &answer, "a(ss)");
        if (r >= 0)
                r = language[0] ? read_status(answer, ret) : read_notices(answer, ret);
        if (r < 0)
                r = error.message ? su_fail(err, SU_ERROR_SYSTEM, "cannot ask the agent: %s",
                                            error.message)
                                  : su_fail_errno(err, r, "cannot ask the agent");
        else
                r = 0;
        sd_bus_message_unref(answer);
        sd_bus_error_free(&error);
        sd_bus_flush_close_unref(bus);
        return r;
}

/* With a default action, which a click on it invokes, where somebody tells of clicks. */
static int show(sd_bus *bus, const struct notice *notice, bool clickable, struct su_clicks *clicks)
{
        sd_bus_message *call = NULL;
        sd_bus_message *answer = NULL;
        uint32_t id;
        int r;

        r = sd_bus_message_new_method_call(bus, &call, NOTIFICATIONS);
        if (r >= 0)
                r = sd_bus_message_append(call, "susss", "suture", 0, "security-high",
                                          _(notice->kind->summary), notice->message);
        if (r >= 0)
                r = clickable ? sd_bus_message_append(call, "as", 2, "default", _("Show"))
                              : sd_bus_message_append(call, "as", 0);
        if (r >= 0)
                r = sd_bus_message_append(call, "a{sv}i", 2, "urgency", "y", notice->kind->urgency,
                                          "desktop-entry", "s", "org.suture.Settings", -1);
        if (r >= 0)
                r = sd_bus_call(bus, call, 0, NULL, &answer);
        if (r >= 0)
                r = sd_bus_message_read(answer, "u", &id);
        if (r >= 0 && clickable)
                su_clicks_add(clicks, id, notice->kind->name);
        sd_bus_message_unref(call);
        sd_bus_message_unref(answer);
        return r;
}

static const char *key_of(const struct notice *notice)
{
        return notice->kind->once ? notice->kind->name : notice->message;
}

/* What was shown in this session already, a line each. */
static bool was_shown(const char *shown, const struct notice *notice)
{
        const char *key = key_of(notice);
        const char *line = shown;
        size_t size = strlen(key);

        while (line) {
                if (strncmp(line, key, size) == 0 && (line[size] == '\n' || !line[size]))
                        return true;
                line = strchr(line, '\n');
                if (line)
                        line++;
        }
        return false;
}

static int remember(int dir_fd, const struct notices *notices, struct su_error *err)
{
        su_auto_free char *text = NULL;
        int r;

        r = su_strdup("", &text, err);
        for (size_t i = 0; i < notices->n && r >= 0; i++) {
                su_auto_free char *before = su_take(text);

                r = su_format(&text, err, "%s%s\n", before, key_of(&notices->items[i]));
        }
        return r < 0 ? r : su_file_write(dir_fd, "shown", text, strlen(text), 0600, err);
}

static int open_session_directory(int *ret_fd, struct su_error *err)
{
        const char *path = getenv("XDG_RUNTIME_DIR");
        su_auto_close int fd = -EBADF;
        int r;

        if (!path || path[0] != '/')
                return su_fail(err, SU_ERROR_USAGE,
                               "this is no session: XDG_RUNTIME_DIR is not set");
        r = su_dir_open(path, &fd, err);
        return r < 0 ? r : su_dir_make(fd, "suture", 0700, ret_fd, err);
}

struct session {
        int dir_fd;  /* of what was shown */
        sd_bus *bus; /* NULL: there was nothing to show yet */
        bool clickable;
        struct su_clicks clicks;
};

static void session_done(struct session *session)
{
        su_clicks_done(&session->clicks);
        sd_bus_flush_close_unref(session->bus);
        su_close_fd(&session->dir_fd);
}

static int connect_session(struct session *session)
{
        int r;

        if (session->bus)
                return 0;
        r = sd_bus_open_user(&session->bus);
        return r < 0 ? r : su_clicks_listen(&session->clicks, session->bus, &session->clickable);
}

static int show_new_ones(struct session *session, const struct notices *notices, const char *shown,
                         size_t *ret_n, struct su_error *err)
{
        int r = 0;

        for (size_t i = 0; i < notices->n && r >= 0; i++) {
                if (was_shown(shown, &notices->items[i]))
                        continue;
                r = connect_session(session);
                if (r >= 0)
                        r = show(session->bus, &notices->items[i], session->clickable,
                                 &session->clicks);
                if (r >= 0)
                        (*ret_n)++;
        }
        return r < 0 ? su_fail_errno(err, r, "cannot show a notification") : 0;
}

static int look_and_show(struct session *session, size_t *ret_n, struct su_error *err)
{
        su_auto(notices_done) struct notices notices = {0};
        su_auto_free char *shown = NULL;
        int r;

        r = ask_agent(&notices, err);
        if (r < 0)
                return r;
        (void)su_file_read(session->dir_fd, "shown", SHOWN_MAX, &shown, NULL, NULL);
        r = show_new_ones(session, &notices, shown, ret_n, err);
        return r < 0 ? r : remember(session->dir_fd, &notices, err);
}

/* The path unit, which runs this, sleeps as long as this waits: what is new is shown from here. */
static int wait_for_clicks(struct session *session, struct su_error *err)
{
        size_t n = 0;
        int r;

        while ((r = su_clicks_wait(&session->clicks, err)) > 0) {
                r = look_and_show(session, &n, err);
                if (r < 0)
                        break;
        }
        return r;
}

int su_verb_notify(const struct su_arguments *arguments, struct su_error *err)
{
        su_auto(session_done) struct session session = {.dir_fd = -EBADF};
        size_t n = 0;
        int r;

        r = open_session_directory(&session.dir_fd, err);
        if (r >= 0)
                r = su_clicks_open(&session.clicks, err);
        if (r >= 0)
                r = look_and_show(&session, &n, err);
        if (r >= 0 && arguments->json)
                r = su_output_json(json_pack("{s:I}", "shown", (json_int_t)n), err);
        (void)fflush(stdout);
        return r < 0 ? r : wait_for_clicks(&session, err);
}
