#include "cli/attention.h"

#include <string.h>

#include "base/clock.h"
#include "base/translate.h"

static int add(struct su_attentions *attentions, struct su_error *err, const char *kind,
               const char *format, ...) __attribute__((format(printf, 4, 5)));

static int add(struct su_attentions *attentions, struct su_error *err, const char *kind,
               const char *format, ...)
{
        struct su_attention *larger =
                reallocarray(attentions->items, attentions->n_items + 1, sizeof *larger);
        char *message = NULL;
        va_list ap;
        int n;

        if (!larger)
                return su_fail_oom(err);
        attentions->items = larger;
        va_start(ap, format);
        n = vasprintf(&message, format, ap);
        va_end(ap);
        if (n < 0)
                return su_fail_oom(err);
        larger[attentions->n_items++] = (struct su_attention){kind, message};
        return 0;
}

static int find_conflict(const struct su_report *report, struct su_attentions *ret,
                         struct su_error *err)
{
        const struct su_error *conflict = &report->engine->conflict;

        return conflict->code == SU_OK
                       ? 0
                       : add(ret, err, "conflict", _("No improvement can be put in place: %s."),
                             conflict->message);
}

static int find_inactive(const struct su_report *report, struct su_attentions *ret,
                         struct su_error *err)
{
        const struct su_engine *engine = report->engine;

        if (strcmp(report->state, "inactive") != 0)
                return 0;
        return add(ret, err, "inactive",
                   _("Level (%s) is installed, but not on /usr since the system started: "
                     "'suture activate' puts it back."),
                   engine->state.level.name);
}

static int find_recall(const struct su_report *report, struct su_attentions *ret,
                       struct su_error *err)
{
        const struct su_check_record *check = &report->engine->state.check;
        const struct su_refused *recall = su_report_recall(report);
        bool stays;

        if (!recall)
                return 0;
        /* Its publisher allows nothing older, and has nothing newer yet. */
        stays = check->outcome && strcmp(check->outcome, "NotOffered") == 0;
        return add(ret, err, "recalled",
                   stays ? _("Level (%s) was recalled: %s. It stays until a newer one comes.")
                         : _("Level (%s) was recalled: %s. 'suture install' leaves it."),
                   recall->level.name, recall->reason);
}

/* How the history says that it was left; NULL: it does not. */
static const char *find_departure(const json_t *events, const struct su_level *level)
{
        for (size_t i = json_array_size(events); i-- > 0;) {
                const json_t *event = json_array_get(events, i);
                const char *from = json_string_value(json_object_get(event, "from"));
                const char *name = json_string_value(json_object_get(event, "event"));

                if (from && name && strcmp(from, level->name) == 0 &&
                    (strcmp(name, "take-back") == 0 || strcmp(name, "fall-back") == 0) &&
                    json_is_true(json_object_get(event, "changed")))
                        return name;
        }
        return NULL;
}

static int add_failed(const struct su_report *report, const struct su_refused *refused,
                      struct su_attentions *ret, struct su_error *err)
{
        const char *departure = find_departure(report->events, &refused->level);
        const char *level = refused->level.name;

        if (su_level_compare(&refused->level, &report->level) == 0)
                return add(ret, err, "quarantined",
                           _("Level (%s) failed, and is still in place: %s. 'suture watch' takes "
                             "it back."),
                           level, refused->reason);
        if (!departure)
                return add(ret, err, "quarantined", _("Level (%s) failed here: %s."), level,
                           refused->reason);
        if (strcmp(departure, "fall-back") == 0)
                return add(ret, err, "boot-fell-back",
                           _("Level (%s) is left off since a boot: %s."), level, refused->reason);
        return add(ret, err, "taken-back", _("Level (%s) was taken back: %s."), level,
                   refused->reason);
}

/* With a newer level on /usr, nothing is lacking any more. */
static int find_failed(const struct su_report *report, struct su_attentions *ret,
                       struct su_error *err)
{
        const struct su_refusals *quarantine = &report->engine->state.knowledge.quarantine;
        int r = 0;

        for (size_t i = quarantine->n_levels; i-- > 0 && r >= 0;)
                if (su_level_compare(&quarantine->levels[i].level, &report->level) >= 0)
                        r = add_failed(report, &quarantine->levels[i], ret, err);
        return r;
}

/* What Suture restarts itself needs nobody. */
static int add_who_runs_code(const char *needs, size_t n, struct su_attentions *ret,
                             struct su_error *err)
{
        if (strcmp(needs, "relaunch") == 0)
                return add(ret, err, "restart",
                           su_plural("%zu program still runs code that a security improvement "
                                     "replaced, until closed and opened again: 'suture exposure'.",
                                     "%zu programs still run code that a security improvement "
                                     "replaced, until closed and opened again: 'suture exposure'.",
                                     n),
                           n);
        if (strcmp(needs, "person") == 0)
                return add(ret, err, "restart",
                           su_plural("%zu program still runs code that a security improvement "
                                     "replaced, until restarted by a person: 'suture exposure'.",
                                     "%zu programs still run code that a security improvement "
                                     "replaced, until restarted by a person: 'suture exposure'.",
                                     n),
                           n);
        if (strcmp(needs, "soft-reboot") == 0)
                return add(
                        ret, err, "restart",
                        su_plural(
                                "%zu program still runs code that a security improvement replaced, "
                                "until user space is restarted: 'systemctl soft-reboot'.",
                                "%zu programs still run code that a security improvement replaced, "
                                "until user space is restarted: 'systemctl soft-reboot'.",
                                n),
                        n);
        if (strcmp(needs, "reboot") == 0)
                return add(ret, err, "restart",
                           su_plural("%zu program still runs code that a security improvement "
                                     "replaced, until this system is restarted.",
                                     "%zu programs still run code that a security improvement "
                                     "replaced, until this system is restarted.",
                                     n),
                           n);
        return 0;
}

static int add_who_uses_data(const char *needs, size_t n, struct su_attentions *ret,
                             struct su_error *err)
{
        if (strcmp(needs, "person") == 0)
                return add(ret, err, "restart",
                           su_plural("%zu unit still uses data that was replaced, until restarted "
                                     "by a person: 'suture exposure'.",
                                     "%zu units still use data that was replaced, until restarted "
                                     "by a person: 'suture exposure'.",
                                     n),
                           n);
        if (strcmp(needs, "soft-reboot") == 0)
                return add(ret, err, "restart",
                           su_plural("%zu unit still uses data that was replaced, until user space "
                                     "is restarted: 'systemctl soft-reboot'.",
                                     "%zu units still use data that was replaced, until user space "
                                     "is restarted: 'systemctl soft-reboot'.",
                                     n),
                           n);
        if (strcmp(needs, "reboot") == 0)
                return add(ret, err, "restart",
                           su_plural("%zu unit still uses data that was replaced, until this "
                                     "system is restarted.",
                                     "%zu units still use data that was replaced, until this "
                                     "system is restarted.",
                                     n),
                           n);
        return 0;
}

static int find_restart(const struct su_report *report, struct su_attentions *ret,
                        struct su_error *err)
{
        const struct su_survey *survey = &report->review.survey;
        const size_t n_programs = su_exposure_count(&survey->exposure);
        const char *needs = su_plan_needs(&survey->plan);

        if (!su_report_is_waiting(report))
                return 0;
        return n_programs > 0 ? add_who_runs_code(needs, n_programs, ret, err)
                              : add_who_uses_data(needs, survey->stale.n_units, ret, err);
}

/* Policy wants it said; what Suture restarts itself then needs nobody. */
static int find_overdue(const struct su_report *report, struct su_attentions *ret,
                        struct su_error *err)
{
        const struct su_restart_policy *policy = &report->engine->config.restart;
        const bool own = su_plan_count_own(&report->review.survey.plan) > 0;
        const int64_t since = report->engine->state.waiting_since;
        char due[SU_TIME_TEXT_SIZE];

        if (!su_report_is_waiting(report) || (own && policy->restart_overdue) ||
            !su_restart_is_overdue(policy, since, su_now()))
                return 0;
        su_time_format(since + policy->deadline, due);
        return add(ret, err, "overdue",
                   own ? _("Restarts are overdue since %s: 'suture restart' does them.")
                       : _("Restarts are overdue since %s."),
                   due);
}

/* A network that is away comes back by itself; this does not. */
static int find_failed_check(const struct su_report *report, struct su_attentions *ret,
                             struct su_error *err)
{
        const struct su_check_record *check = &report->engine->state.check;

        if (check->at == 0 || !check->outcome || !check->message)
                return 0;
        if (su_report_is_refusal(check->outcome))
                return add(ret, err, "failed-check", _("What the repository said was refused: %s."),
                           check->message);
        if (strcmp(check->outcome, su_error_name(SU_ERROR_CONFIG)) == 0)
                return add(ret, err, "failed-check", _("The repository cannot be asked: %s."),
                           check->message);
        return 0;
}

int su_attention_find(const struct su_report *report, struct su_attentions *ret,
                      struct su_error *err)
{
        static int (*const finders[])(const struct su_report *, struct su_attentions *,
                                      struct su_error *) = {
                find_conflict, find_inactive, find_recall,       find_failed,
                find_restart,  find_overdue,  find_failed_check,
        };
        su_auto_attentions struct su_attentions found = {0};
        int r;

        for (size_t i = 0; i < SU_ELEMENTS(finders); i++) {
                r = finders[i](report, &found, err);
                if (r < 0)
                        return r;
        }
        *ret = found;
        found = (struct su_attentions){0};
        return 0;
}

void su_attentions_done(struct su_attentions *attentions)
{
        for (size_t i = 0; i < attentions->n_items; i++)
                free(attentions->items[i].message);
        free(attentions->items);
        *attentions = (struct su_attentions){0};
}

json_t *su_attentions_to_json(const struct su_attentions *attentions)
{
        su_auto_json json_t *array = json_array();

        for (size_t i = 0; i < attentions->n_items; i++)
                if (json_array_append_new(array,
                                          json_pack("{s:s, s:s}", "kind", attentions->items[i].kind,
                                                    "message", attentions->items[i].message)) < 0)
                        return NULL;
        return su_take(array);
}
