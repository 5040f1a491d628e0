#include "cli/journal.h"

#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "base/text.h"
#include "cli/messages.h"
#include "cli/report.h"

#define FIELDS_MAX 16
#define TEXT_SIZE 2048
#define NAME_SIZE 32

static const struct {
        const char *id;
        int priority;
} messages[] = {
#define SU_MESSAGE_ROW(name, id, priority) [SU_MESSAGE_##name] = {id, priority},
        SU_MESSAGE_TABLE(SU_MESSAGE_ROW)
#undef SU_MESSAGE_ROW
};

struct entry {
        char *fields[FIELDS_MAX];
        size_t n_fields;
};

/* Where memory is short, a field is missing. */
static void add(struct entry *entry, const char *name, const char *value)
{
        if (!value || entry->n_fields == FIELDS_MAX)
                return;
        if (su_format(&entry->fields[entry->n_fields], NULL, "%s=%s", name, value) >= 0)
                entry->n_fields++;
}

static void add_number(struct entry *entry, const char *name, long long value)
{
        char text[24];

        (void)snprintf(text, sizeof text, "%lld", value);
        add(entry, name, text);
}

static const char *text_of(const json_t *event, const char *name)
{
        return json_string_value(json_object_get(event, name));
}

static bool is_ok(const json_t *event)
{
        const char *outcome = text_of(event, "outcome");

        return outcome && strcmp(outcome, "Ok") == 0;
}

static void add_event(struct entry *entry, const struct su_engine *engine, const json_t *event)
{
        static const struct {
                const char *field;
                const char *name;
        } fields[] = {
                {"SUTURE_EVENT", "event"},   {"SUTURE_FROM", "from"}, {"SUTURE_LEVEL", "to"},
                {"SUTURE_REASON", "reason"}, {"SUTURE_UNIT", "unit"}, {"SUTURE_NEEDS", "needs"},
        };
        const char *baseline = engine->os.baseline; /* not known while a package manager works */

        for (size_t i = 0; i < SU_ELEMENTS(fields); i++)
                add(entry, fields[i].field, text_of(event, fields[i].name));
        add(entry, "SUTURE_BASELINE", baseline ? baseline : engine->state.baseline);
        if (!is_ok(event))
                add(entry, "SUTURE_ERROR", text_of(event, "outcome"));
        if (json_object_get(event, "exposed_after"))
                add_number(entry, "SUTURE_EXPOSED",
                           json_integer_value(json_object_get(event, "exposed_after")));
}

static void send(struct entry *entry)
{
        struct iovec parts[FIELDS_MAX];

        for (size_t i = 0; i < entry->n_fields; i++)
                parts[i] = (struct iovec){entry->fields[i], strlen(entry->fields[i])};
        (void)sd_journal_sendv(parts, (int)entry->n_fields);
        for (size_t i = 0; i < entry->n_fields; i++)
                free(entry->fields[i]);
}

/* `component` may be NULL. */
static void tell(const struct su_engine *engine, const json_t *event, enum su_message message,
                 const char *component, const char *text)
{
        struct entry entry = {0};

        add(&entry, "MESSAGE", text);
        add(&entry, "MESSAGE_ID", messages[message].id);
        add_number(&entry, "PRIORITY", messages[message].priority);
        add(&entry, "SYSLOG_IDENTIFIER", "suture");
        add(&entry, "SUTURE_COMPONENT", component);
        add_event(&entry, engine, event);
        send(&entry);
}

/* Where a change led: "level (a)". */
static void name_place(const char *level, char ret[NAME_SIZE])
{
        if (level)
                (void)snprintf(ret, NAME_SIZE, "level (%s)", level);
        else
                (void)snprintf(ret, NAME_SIZE, "the baseline");
}

/* What was changed, in one sentence; false: nothing was. */
static bool describe_change(const json_t *event, enum su_message *ret, char text[TEXT_SIZE])
{
        const char *name = text_of(event, "event");
        const char *from = text_of(event, "from");
        const char *to = text_of(event, "to");
        const char *reason = text_of(event, "reason");
        char place[NAME_SIZE];

        if (!json_is_true(json_object_get(event, "changed")))
                return false;
        name_place(to, place);
        if (strcmp(name, "take-back") == 0) {
                *ret = SU_MESSAGE_TAKEN_BACK;
                (void)snprintf(text, TEXT_SIZE, "Level (%s) was taken back to %s: %s", from, place,
                               reason);
        } else if (strcmp(name, "remove") == 0) {
                *ret = SU_MESSAGE_REMOVED;
                (void)snprintf(text, TEXT_SIZE, "Level (%s) was removed", from);
        } else if (strcmp(name, "retire") == 0) {
                *ret = SU_MESSAGE_RETIRED;
                (void)snprintf(text, TEXT_SIZE, "Level (%s) is retired: %s", from, reason);
        } else if (strcmp(name, "fall-back") == 0) {
                *ret = SU_MESSAGE_FELL_BACK;
                (void)snprintf(text, TEXT_SIZE, "Level (%s) is left off at this boot: %s", from,
                               reason);
        } else if (strcmp(name, "install") == 0 && reason) {
                *ret = SU_MESSAGE_RECALLED_LEFT;
                (void)snprintf(text, TEXT_SIZE, "Level (%s), which was recalled, was left for %s",
                               from, place);
        } else if (strcmp(name, "install") == 0) {
                *ret = SU_MESSAGE_INSTALLED;
                (void)snprintf(text, TEXT_SIZE, "Level (%s) was installed", to);
        } else {
                return false;
        }
        return true;
}

/* What went well without a change of /usr, or is only known by now. */
static bool describe_other(const json_t *event, enum su_message *ret, char text[TEXT_SIZE])
{
        const char *name = text_of(event, "event");
        const char *from = text_of(event, "from");
        const char *reason = text_of(event, "reason");

        if (!is_ok(event))
                return false;
        if (strcmp(name, "download") == 0) {
                *ret = SU_MESSAGE_STAGED;
                (void)snprintf(text, TEXT_SIZE, "Level (%s) is in the store", text_of(event, "to"));
        } else if (strcmp(name, "restart") == 0) {
                *ret = SU_MESSAGE_RESTARTED;
                (void)snprintf(text, TEXT_SIZE, "What still ran old code was restarted: %zu units",
                               json_array_size(json_object_get(event, "restarted")));
        } else if (strcmp(name, "quarantine") == 0) {
                *ret = SU_MESSAGE_QUARANTINED;
                (void)snprintf(text, TEXT_SIZE, "Level (%s) failed here: %s", from, reason);
        } else if (strcmp(name, "recall") == 0) {
                *ret = SU_MESSAGE_RECALLED;
                (void)snprintf(text, TEXT_SIZE, "Level (%s), which is on /usr, was recalled: %s%s",
                               from, reason,
                               json_is_true(json_object_get(event, "asks"))
                                       ? "; it waits for a person (suture install)"
                                       : "");
        } else {
                return false;
        }
        return true;
}

/* Answers, and what a person or a package manager interrupted, are no failures. */
static bool is_failure(const char *outcome)
{
        static const char *const others[] = {"Ok", "NotOffered", "Busy", "Cancelled"};

        for (size_t i = 0; i < SU_ELEMENTS(others); i++)
                if (!outcome || strcmp(outcome, others[i]) == 0)
                        return false;
        return true;
}

static void tell_failure(const struct su_engine *engine, const json_t *event)
{
        const char *outcome = text_of(event, "outcome");
        const char *name = text_of(event, "event");
        enum su_message message = SU_MESSAGE_CHANGE_FAILED;
        char text[TEXT_SIZE];

        if (!is_failure(outcome))
                return;
        if (strcmp(name, "check") == 0)
                message = su_report_is_refusal(outcome) ? SU_MESSAGE_TRUST_REFUSED
                                                        : SU_MESSAGE_CHECK_FAILED;
        (void)snprintf(text, sizeof text, "suture %s: %s: %s", name, outcome,
                       text_of(event, "message"));
        tell(engine, event, message, NULL, text);
}

static void tell_components(const struct su_engine *engine, const json_t *event)
{
        const char *component;
        json_t *fit;

        json_object_foreach (json_object_get(event, "components"), component, fit) {
                const bool missing = strcmp(json_string_value(fit), "missing") == 0;
                char text[TEXT_SIZE];

                if (strcmp(json_string_value(fit), "applies") == 0)
                        continue;
                (void)snprintf(text, sizeof text, "Component '%s' of level (%s) %s", component,
                               text_of(event, "from"),
                               missing ? "is left out: its image is damaged or gone"
                                       : "is no longer used: other packages have its files by now");
                tell(engine, event, missing ? SU_MESSAGE_LEFT_OUT : SU_MESSAGE_REPLACED, component,
                     text);
        }
}

/* Suture itself restarts what it may; the rest is up to people. */
static void tell_what_is_wanted(const struct su_engine *engine, const json_t *event)
{
        static const struct {
                const char *needs;
                const char *what;
        } wants[] = {
                {"relaunch", "its users close it and open it again"},
                {"person", "a person restarts it"},
                {"soft-reboot", "the user space is restarted"},
                {"reboot", "the system is restarted"},
        };
        const char *needs = text_of(event, "needs");
        char text[TEXT_SIZE];

        for (size_t i = 0; i < SU_ELEMENTS(wants); i++) {
                if (!needs || strcmp(needs, wants[i].needs) != 0)
                        continue;
                (void)snprintf(text, sizeof text,
                               "What still runs old code goes on with it until %s: %lld processes",
                               wants[i].what,
                               json_integer_value(json_object_get(event, "exposed_after")));
                tell(engine, event, SU_MESSAGE_RESTART_WANTED, NULL, text);
        }
}

void su_journal_tell(const struct su_engine *engine, const json_t *event)
{
        enum su_message message;
        char text[TEXT_SIZE];

        /* Another tree is not what the journal of this system is about. */
        if (strcmp(engine->root, "/") != 0)
                return;
        if (describe_change(event, &message, text) || describe_other(event, &message, text))
                tell(engine, event, message, NULL, text);
        tell_components(engine, event);
        tell_failure(engine, event);
        tell_what_is_wanted(engine, event);
}
