#include "cli/agent.h"

#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/bus_names.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "cli/language.h"
#include "cli/output.h"
#include "cli/progress.h"

#define MATCH                                                                                      \
        "type='signal',sender='" SU_BUS_NAME "',interface='org.freedesktop.DBus.Properties',"      \
        "path_namespace='" SU_BUS_JOB_PATH "'"
#define MATCH_OWNER                                                                                \
        "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"            \
        "member='NameOwnerChanged',arg0='" SU_BUS_NAME "'"
/* A person may have to find a password. */
#define CALL_TIMEOUT_US (UINT64_C(180) * 1000000)

struct work {
        sd_bus *bus;
        char *job; /* its path; NULL before it is known */
        struct su_progress progress;
        char *step;
        bool over; /* it has ended, or the agent has */
        bool cancelled;
};

static void work_done(struct work *work)
{
        su_progress_end(&work->progress);
        free(work->job);
        free(work->step);
        sd_bus_flush_close_unref(work->bus);
}

static int on_owner_changed(sd_bus_message *signal, void *userdata, sd_bus_error *bus_error)
{
        struct work *work = userdata;
        const char *name;
        const char *old;
        const char *new;

        (void)bus_error;
        if (sd_bus_message_read(signal, "sss", &name, &old, &new) >= 0 && !new[0])
                work->over = true;
        return 0;
}

static int get_text(const struct work *work, const char *property, char **ret)
{
        return sd_bus_get_property_string(work->bus, SU_BUS_NAME, work->job, SU_BUS_JOB, property,
                                          NULL, ret);
}

static int get_number(const struct work *work, const char *property, uint64_t *ret)
{
        return sd_bus_get_property_trivial(work->bus, SU_BUS_NAME, work->job, SU_BUS_JOB, property,
                                           NULL, 't', ret);
}

static void show_step(struct work *work, const char *step, uint64_t done, uint64_t total)
{
        if (!work->step || strcmp(work->step, step) != 0) {
                free(work->step);
                work->step = strdup(step);
                (void)su_progress_tell(&work->progress, step, 0, total);
        }
        if (done > 0)
                (void)su_progress_tell(&work->progress, step, done, total);
}

/* However much of it changed: where the job stands now. */
static void look(struct work *work)
{
        su_auto_free char *state = NULL;
        su_auto_free char *step = NULL;
        uint64_t done;
        uint64_t total;

        if (get_text(work, "State", &state) < 0 || strcmp(state, "running") != 0)
                work->over = true;
        else if (get_text(work, "Step", &step) >= 0 && step[0] &&
                 get_number(work, "Done", &done) >= 0 && get_number(work, "Total", &total) >= 0)
                show_step(work, step, done, total);
}

static int on_job_changed(sd_bus_message *signal, void *userdata, sd_bus_error *bus_error)
{
        bool *changed = userdata;

        (void)signal;
        (void)bus_error;
        *changed = true;
        return 0;
}

static int wait_for_end(struct work *work, bool *changed, struct su_error *err)
{
        while (!work->over) {
                int r = sd_bus_process(work->bus, NULL);

                if (r == 0 && *changed) {
                        *changed = false;
                        look(work);
                        continue;
                }
                if (r == 0)
                        r = sd_bus_wait(work->bus, UINT64_MAX);
                if (r < 0 && r != -EINTR)
                        return su_fail_errno(err, r, "lost the agent");
                if (su_interrupted() && !work->cancelled) {
                        work->cancelled = true;
                        (void)sd_bus_call_method_async(work->bus, NULL, SU_BUS_NAME, work->job,
                                                       SU_BUS_JOB, "Cancel", NULL, NULL, NULL);
                }
        }
        return 0;
}

static int read_error(const char *name, const char *message, struct su_error *err)
{
        if (strncmp(name, SU_BUS_ERROR_PREFIX, strlen(SU_BUS_ERROR_PREFIX)) == 0)
                name += strlen(SU_BUS_ERROR_PREFIX);
        return su_fail(err, su_error_from_name(name), "%s", message);
}

static int output(const struct su_arguments *arguments, const char *result, const char *report,
                  struct su_error *err)
{
        json_t *document;
        int r;

        if (!arguments->json) {
                (void)fputs(report, stdout);
                return 0;
        }
        r = su_json_parse(result, strlen(result), &document, err);
        return r < 0 ? r : su_output_json(document, err);
}

static int report_end(const struct work *work, const struct su_arguments *arguments,
                      struct su_error *err)
{
        su_auto_free char *error = NULL;
        su_auto_free char *message = NULL;
        su_auto_free char *result = NULL;
        su_auto_free char *report = NULL;

        if (get_text(work, "Error", &error) < 0 || get_text(work, "Message", &message) < 0 ||
            get_text(work, "Result", &result) < 0 || get_text(work, "Report", &report) < 0)
                return su_fail(err, SU_ERROR_SYSTEM,
                               "the agent ended before it could say what came of it: see 'suture "
                               "history'");
        return error[0] ? read_error(error, message, err) : output(arguments, result, report, err);
}

static int append_options(sd_bus_message *call, const char *verb,
                          const struct su_arguments *arguments)
{
        static const char *const when[] = {
                [SU_RESTART_WHEN_DUE] = "when-due",
                [SU_RESTART_NOW] = "now",
                [SU_RESTART_LATER] = "later",
                [SU_RESTART_TONIGHT] = "tonight",
        };
        char language[SU_LANGUAGE_SIZE];
        int r;

        su_language_name(language);
        if (strcmp(verb, "check") == 0 || strcmp(verb, "watch") == 0 || arguments->unattended)
                return 0;
        r = sd_bus_message_open_container(call, 'a', "{sv}");
        if (r >= 0 && arguments->when_given)
                r = sd_bus_message_append(call, "{sv}", "restart", "s", when[arguments->when]);
        if (r >= 0 && arguments->force)
                r = sd_bus_message_append(call, "{sv}", "force", "b", 1);
        if (r >= 0 && arguments->download_only)
                r = sd_bus_message_append(call, "{sv}", "download-only", "b", 1);
        if (r >= 0 && arguments->if_due)
                r = sd_bus_message_append(call, "{sv}", "if-due", "b", 1);
        if (r >= 0 && language[0])
                r = sd_bus_message_append(call, "{sv}", "language", "s", language);
        return r < 0 ? r : sd_bus_message_close_container(call);
}

static const char *find_method(const char *verb, const struct su_arguments *arguments)
{
        static const char *const methods[][2] = {{"check", "Check"},
                                                 {"install", "Install"},
                                                 {"remove", "Remove"},
                                                 {"restart", "Restart"},
                                                 {"watch", "Watch"}};

        for (size_t i = 0; i < SU_ELEMENTS(methods); i++)
                if (strcmp(methods[i][0], verb) == 0)
                        return arguments->unattended ? "Update" : methods[i][1];
        return NULL;
}

/* Nobody has the name, and nobody can be started to take it. */
static bool is_no_agent(const sd_bus_error *error)
{
        static const char *const names[] = {
                SD_BUS_ERROR_SERVICE_UNKNOWN,
                SD_BUS_ERROR_NAME_HAS_NO_OWNER,
                "org.freedesktop.systemd1.NoSuchUnit",
                "org.freedesktop.systemd1.UnitMasked",
        };

        for (size_t i = 0; i < SU_ELEMENTS(names); i++)
                if (sd_bus_error_has_name(error, names[i]))
                        return true;
        return false;
}

static int send_call(struct work *work, sd_bus_message *call, struct su_error *err)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *answer = NULL;
        const char *job;
        int r;

        r = sd_bus_call(work->bus, call, CALL_TIMEOUT_US, &error, &answer);
        if (r >= 0)
                r = sd_bus_message_read(answer, "o", &job);
        if (r >= 0)
                r = su_strdup(job, &work->job, err);
        else if (is_no_agent(&error))
                r = 0;
        else if (sd_bus_error_is_set(&error))
                r = read_error(error.name, error.message ? error.message : error.name, err);
        else
                r = su_fail_errno(err, r, "cannot ask the agent");
        sd_bus_message_unref(answer);
        sd_bus_error_free(&error);
        return r;
}

/* `work->job` stays NULL when there is no agent. */
static int begin(struct work *work, const char *verb, const struct su_arguments *arguments,
                 bool *changed, struct su_error *err)
{
        const char *method = find_method(verb, arguments);
        sd_bus_message *call = NULL;
        int r;

        r = sd_bus_add_match(work->bus, NULL, MATCH, on_job_changed, changed);
        if (r >= 0)
                r = sd_bus_add_match(work->bus, NULL, MATCH_OWNER, on_owner_changed, work);
        if (r >= 0)
                r = sd_bus_message_new_method_call(work->bus, &call, SU_BUS_NAME, SU_BUS_PATH,
                                                   SU_BUS_MANAGER, method);
        if (r >= 0)
                r = append_options(call, verb, arguments);
        if (r >= 0)
                r = sd_bus_message_set_allow_interactive_authorization(call, 1);
        if (r < 0)
                r = su_fail_errno(err, r, "cannot ask the agent");
        else
                r = send_call(work, call, err);
        sd_bus_message_unref(call);
        return r;
}

static int do_it(struct work *work, const char *verb, const struct su_arguments *arguments,
                 struct su_error *err)
{
        bool changed = true;
        int r;

        r = begin(work, verb, arguments, &changed, err);
        if (r < 0 || !work->job)
                return r;
        r = wait_for_end(work, &changed, err);
        su_progress_end(&work->progress);
        if (r >= 0)
                r = report_end(work, arguments, err);
        return r < 0 ? r : 1;
}

int su_agent_do(const char *verb, const struct su_arguments *arguments, struct su_error *err)
{
        struct work work = {.progress = su_progress_for(arguments)};
        int r;

        if (!find_method(verb, arguments) || sd_bus_open_system(&work.bus) < 0)
                return 0;
        su_interrupt_catch();
        r = do_it(&work, verb, arguments, err);
        work_done(&work);
        return r;
}
