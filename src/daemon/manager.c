#include "daemon/manager.h"

#include <string.h>

#include "base/bus_names.h"
#include "base/own.h"
#include "daemon/authorize.h"
#include "daemon/auto.h"
#include "daemon/look.h"
#include "daemon/options.h"
#include "daemon/query.h"
#include "daemon/reply.h"
#include "daemon/status.h"
#include "daemon/update.h"

/* Jobs that are over are kept so long; and nobody may have more than that asked at once. */
#define OLD_JOBS_MAX 16
#define ASKED_MAX 32

struct su_manager {
        sd_bus *bus;
        sd_bus_slot *slot;
        const char *const *program;
        void (*ready)(void *userdata);
        void *userdata;
        struct su_look *look;
        struct su_update *update;
        struct su_queries queries;
        struct su_job *jobs; /* the newest first */
        uint32_t last_id;
        size_t asked; /* how often polkit was asked without an answer yet */
        sd_bus_track *subscribers;
};

static struct su_job *find_running(const struct su_manager *manager)
{
        struct su_job *job = manager->jobs;

        while (job && !su_job_is_running(job))
                job = job->next;
        return job;
}

/* ---- jobs ------------------------------------------------------------------------------------ */

static void on_job_finished(void *userdata, struct su_job *job)
{
        struct su_manager *manager = userdata;

        (void)sd_bus_emit_signal(manager->bus, SU_BUS_PATH, SU_BUS_MANAGER, "JobRemoved", "uoss",
                                 job->id, job->path, job->order.kind, job->error);
        (void)sd_bus_emit_properties_changed(manager->bus, SU_BUS_PATH, SU_BUS_MANAGER, "Job",
                                             NULL);
        su_update_job_finished(manager->update, job);
        su_look_again(manager->look);
}

/* The oldest, which are the last. */
static void forget_old_jobs(struct su_manager *manager)
{
        struct su_job **place = &manager->jobs;

        for (size_t n = 0; *place && n < OLD_JOBS_MAX; n++)
                place = &(*place)->next;
        while (*place) {
                struct su_job *job = *place;

                *place = job->next;
                su_job_free(job);
        }
}

static int cancel_job(struct su_manager *manager, sd_bus_message *call, struct su_job *job);

static int on_job_cancel(void *userdata, struct su_job *job, sd_bus_message *call)
{
        return cancel_job(userdata, call, job);
}

static int add_job(void *userdata, const struct su_order *order, struct su_job **ret,
                   struct su_error *err)
{
        struct su_manager *manager = userdata;
        const struct su_job *running = find_running(manager);
        struct su_job *job = NULL;
        int r;

        if (running)
                return su_fail(err, SU_ERROR_BUSY, "another job is at work: %s (%s)",
                               running->order.kind, running->path);
        r = su_job_new(manager->bus, manager->last_id + 1, order, &job, err);
        if (r < 0)
                return r;
        job->finished = on_job_finished;
        job->cancel = on_job_cancel;
        job->userdata = manager;
        r = su_job_start(job, manager->program, err);
        if (r < 0) {
                su_job_free(job);
                return r;
        }
        manager->last_id++;
        job->next = manager->jobs;
        manager->jobs = job;
        forget_old_jobs(manager);
        (void)sd_bus_emit_signal(manager->bus, SU_BUS_PATH, SU_BUS_MANAGER, "JobNew", "uos",
                                 job->id, job->path, job->order.kind);
        (void)sd_bus_emit_properties_changed(manager->bus, SU_BUS_PATH, SU_BUS_MANAGER, "Job",
                                             NULL);
        *ret = job;
        return 0;
}

/* ---- what needs to be allowed ---------------------------------------------------------------- */

/* A method call, and what it leads to once polkit agrees. */
struct request {
        struct su_manager *manager;
        sd_bus_message *call;
        struct su_order order;
        uint32_t job; /* to be cancelled */
        int (*perform)(const struct request *request, struct su_error *err);
};

static int perform_job(const struct request *request, struct su_error *err)
{
        struct su_job *job;
        int r = add_job(request->manager, &request->order, &job, err);

        return r < 0 ? r : sd_bus_reply_method_return(request->call, "o", job->path);
}

static void on_update_begun(void *userdata, const struct su_job *job,
                            const struct su_error *failure)
{
        su_auto_bus_message sd_bus_message *call = userdata;

        if (job)
                (void)sd_bus_reply_method_return(call, "o", job->path);
        else
                (void)su_reply_failure(call, failure);
}

static int perform_update(const struct request *request, struct su_error *err)
{
        int r;

        sd_bus_message_ref(request->call);
        r = su_update_ask(request->manager->update, on_update_begun, request->call, err);
        if (r < 0)
                sd_bus_message_unref(request->call);
        return r;
}

static int ask_program(const struct request *request, bool has_result, struct su_error *err)
{
        const char *arguments[SU_JOB_ARGUMENTS_MAX + 1] = {NULL};

        for (size_t i = 0; i < SU_JOB_ARGUMENTS_MAX && request->order.arguments[i][0]; i++)
                arguments[i] = request->order.arguments[i];
        return su_query_start(&request->manager->queries, request->manager->program, arguments,
                              request->order.language, request->call, has_result, err);
}

static int perform_query(const struct request *request, struct su_error *err)
{
        return ask_program(request, true, err);
}

static int perform_setting(const struct request *request, struct su_error *err)
{
        return ask_program(request, false, err);
}

static int perform_cancel(const struct request *request, struct su_error *err)
{
        struct su_job *job = find_running(request->manager);

        if (!job || job->id != request->job)
                return su_fail(err, SU_ERROR_NOT_FOUND, "the job is over");
        su_job_cancel(job);
        return sd_bus_reply_method_return(request->call, "");
}

static void on_authorized(void *userdata, const struct su_error *refusal)
{
        struct request *request = userdata;
        struct su_error error = *refusal;

        request->manager->asked--;
        if (error.code == SU_OK)
                (void)request->perform(request, &error);
        if (error.code != SU_OK)
                (void)su_reply_failure(request->call, &error);
        sd_bus_message_unref(request->call);
        free(request);
}

static int ask_for(const struct request *wanted)
{
        struct request *request = malloc(sizeof *request);
        struct su_error error = {0};

        if (!request)
                return -ENOMEM;
        if (wanted->manager->asked >= ASKED_MAX) {
                free(request);
                (void)su_fail(&error, SU_ERROR_BUSY, "too many wait for polkit's answer");
                return su_reply_failure(wanted->call, &error);
        }
        *request = *wanted;
        sd_bus_message_ref(request->call);
        request->manager->asked++;
        if (su_authorize(request->call, request->order.action, on_authorized, request, &error) < 0)
                on_authorized(request, &error);
        return 1;
}

static int cancel_job(struct su_manager *manager, sd_bus_message *call, struct su_job *job)
{
        const struct request request = {.manager = manager,
                                        .call = call,
                                        .order = job->order,
                                        .job = job->id,
                                        .perform = perform_cancel};

        if (!su_job_is_running(job))
                return su_reply_error(call, "NotFound", "the job is over");
        return ask_for(&request);
}

/* ---- methods --------------------------------------------------------------------------------- */

struct method {
        const char *name; /* on the bus */
        int (*perform)(const struct request *request, struct su_error *err);
        const char *kind;   /* of the job that it begins; NULL: it begins none */
        const char *action; /* NULL: everybody may */
        const char *arguments[4];
};

static const struct method methods[] = {
        {"Check", perform_job, "check", SU_ACTION_CHECK, {"check"}},
        {"Install", perform_job, "install", SU_ACTION_INSTALL, {"install"}},
        {"Remove", perform_job, "remove", SU_ACTION_REMOVE, {"remove"}},
        {"Restart", perform_job, "restart", SU_ACTION_INSTALL, {"restart"}},
        {"Watch", perform_job, "watch", SU_ACTION_INSTALL, {"watch"}},
        {"Update", perform_update, "update", SU_ACTION_INSTALL, {NULL}},
        {"SetAutomatic", perform_setting, NULL, SU_ACTION_CONFIGURE, {"automatic"}},
        {"Plan", perform_query, NULL, SU_ACTION_CHECK, {"install", "--dry-run", "--json"}},
        {"GetStatus", perform_query, NULL, NULL, {"status", "--json"}},
        {"GetStatusIn", perform_query, NULL, NULL, {"status", "--json"}},
        {"GetExposure", perform_query, NULL, NULL, {"exposure", "--json"}},
        {"GetHistory", perform_query, NULL, NULL, {"history", "--json"}},
};

static const struct method *find_method(const char *name)
{
        size_t i = 0;

        while (strcmp(methods[i].name, name) != 0)
                i++;
        return &methods[i];
}

static int read_order(const struct method *method, sd_bus_message *call, struct su_order *order,
                      struct su_error *err)
{
        int r = 0;

        order->kind = method->kind;
        order->action = method->action;
        for (size_t i = 0; i < SU_ELEMENTS(method->arguments) && method->arguments[i] && r >= 0;
             i++)
                r = su_order_add(order, err, "%s", method->arguments[i]);
        if (r < 0)
                return r;
        /* What only looks may be wanted in a language, and takes nothing else. */
        if (method->perform == perform_query && sd_bus_message_has_signature(call, "s"))
                return su_options_read_language(call, order, err);
        return su_options_read(call, order, err);
}

static int on_method(sd_bus_message *call, void *userdata, sd_bus_error *bus_error)
{
        const struct method *method = find_method(sd_bus_message_get_member(call));
        struct request request = {.manager = userdata, .call = call, .perform = method->perform};
        struct su_error error = {0};

        (void)bus_error;
        if (read_order(method, call, &request.order, &error) < 0)
                return su_reply_failure(call, &error);
        if (method->action)
                return ask_for(&request);
        return request.perform(&request, &error) < 0 ? su_reply_failure(call, &error) : 1;
}

static int on_subscribe(sd_bus_message *call, void *userdata, sd_bus_error *bus_error)
{
        struct su_manager *manager = userdata;
        int r = sd_bus_track_add_sender(manager->subscribers, call);

        (void)bus_error;
        return r < 0 ? r : sd_bus_reply_method_return(call, "");
}

static int on_unsubscribe(sd_bus_message *call, void *userdata, sd_bus_error *bus_error)
{
        struct su_manager *manager = userdata;
        int r = sd_bus_track_remove_sender(manager->subscribers, call);

        (void)bus_error;
        return r < 0 ? r : sd_bus_reply_method_return(call, "");
}

/* ---- properties ------------------------------------------------------------------------------ */

static int get_status(sd_bus *bus, const char *path, const char *interface, const char *property,
                      sd_bus_message *reply, void *userdata, sd_bus_error *bus_error)
{
        const struct su_manager *manager = userdata;

        (void)bus;
        (void)path;
        (void)interface;
        (void)bus_error;
        return su_status_append(su_look_document(manager->look), property, reply);
}

/* "/" when none is at work. */
static int get_job(sd_bus *bus, const char *path, const char *interface, const char *property,
                   sd_bus_message *reply, void *userdata, sd_bus_error *bus_error)
{
        const struct su_job *job = find_running(userdata);

        (void)bus;
        (void)path;
        (void)interface;
        (void)property;
        (void)bus_error;
        return sd_bus_message_append(reply, "o", job ? job->path : "/");
}

#define STATUS(name, type)                                                                         \
        SD_BUS_PROPERTY(name, type, get_status, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)
#define JOB_METHOD(name)                                                                           \
        SD_BUS_METHOD_WITH_ARGS(name, SD_BUS_NO_ARGS, SD_BUS_RESULT("o", job), on_method,          \
                                SD_BUS_VTABLE_UNPRIVILEGED)
#define JOB_METHOD_WITH_OPTIONS(name)                                                              \
        SD_BUS_METHOD_WITH_ARGS(name, SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("o", job),      \
                                on_method, SD_BUS_VTABLE_UNPRIVILEGED)
#define QUERY(name)                                                                                \
        SD_BUS_METHOD_WITH_ARGS(name, SD_BUS_NO_ARGS, SD_BUS_RESULT("s", document), on_method,     \
                                SD_BUS_VTABLE_UNPRIVILEGED)

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        STATUS("Baseline", "s"),
        STATUS("OperatingSystem", "s"),
        STATUS("Version", "s"),
        STATUS("Level", "s"),
        STATUS("State", "s"),
        STATUS("Staged", "s"),
        STATUS("Automatic", "s"),
        STATUS("AutomaticManaged", "b"),
        STATUS("LastCheck", "(ssss)"),
        STATUS("Exposed", "u"),
        STATUS("ExposureKnown", "b"),
        STATUS("Needs", "s"),
        STATUS("Waits", "as"),
        STATUS("Attention", "a(ss)"),
        STATUS("Repository", "s"),
        SD_BUS_PROPERTY("Job", "o", get_job, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        JOB_METHOD("Check"),
        JOB_METHOD_WITH_OPTIONS("Install"),
        JOB_METHOD_WITH_OPTIONS("Remove"),
        JOB_METHOD_WITH_OPTIONS("Restart"),
        JOB_METHOD("Watch"),
        JOB_METHOD("Update"),
        SD_BUS_METHOD_WITH_ARGS("SetAutomatic", SD_BUS_ARGS("s", level), SD_BUS_NO_RESULT,
                                on_method, SD_BUS_VTABLE_UNPRIVILEGED),
        QUERY("Plan"),
        QUERY("GetStatus"),
        SD_BUS_METHOD_WITH_ARGS("GetStatusIn", SD_BUS_ARGS("s", language),
                                SD_BUS_RESULT("s", document), on_method,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        QUERY("GetExposure"),
        QUERY("GetHistory"),
        SD_BUS_METHOD("Subscribe", NULL, NULL, on_subscribe, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Unsubscribe", NULL, NULL, on_unsubscribe, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_SIGNAL_WITH_ARGS("JobNew", SD_BUS_ARGS("u", id, "o", job, "s", kind), 0),
        SD_BUS_SIGNAL_WITH_ARGS("JobRemoved", SD_BUS_ARGS("u", id, "o", job, "s", kind, "s", error),
                                0),
        SD_BUS_VTABLE_END,
};

/* ---- the whole ------------------------------------------------------------------------------- */

static void on_looked(void *userdata, const json_t *before, const json_t *after)
{
        struct su_manager *manager = userdata;
        const char *changed[SU_STATUS_PROPERTIES_MAX + 1];
        void (*ready)(void *userdata) = manager->ready;

        manager->ready = NULL;
        su_status_compare(before, after, changed);
        if (ready)
                ready(manager->userdata);
        else if (changed[0])
                (void)sd_bus_emit_properties_changed_strv(manager->bus, SU_BUS_PATH, SU_BUS_MANAGER,
                                                          (char **)changed);
}

static void on_configured(void *userdata)
{
        const struct su_manager *manager = userdata;

        su_look_again(manager->look);
}

static int set_up(struct su_manager *manager, struct su_error *err)
{
        int r;

        r = sd_bus_add_object_vtable(manager->bus, &manager->slot, SU_BUS_PATH, SU_BUS_MANAGER,
                                     vtable, manager);
        if (r >= 0)
                r = sd_bus_track_new(manager->bus, &manager->subscribers, NULL, NULL);
        if (r < 0)
                return su_fail_errno(err, r, "cannot show the agent on the bus");
        manager->queries.changed = on_configured;
        manager->queries.userdata = manager;
        r = su_update_new(manager->bus, add_job, manager, &manager->update, err);
        return r < 0 ? r
                     : su_look_new(sd_bus_get_event(manager->bus), manager->program, on_looked,
                                   manager, &manager->look, err);
}

int su_manager_new(sd_bus *bus, const char *const *program, void (*ready)(void *userdata),
                   void *userdata, struct su_manager **ret, struct su_error *err)
{
        struct su_manager *manager = calloc(1, sizeof *manager);
        int r;

        if (!manager)
                return su_fail_oom(err);
        manager->bus = sd_bus_ref(bus);
        manager->program = program;
        manager->ready = ready;
        manager->userdata = userdata;
        r = set_up(manager, err);
        if (r < 0) {
                su_manager_free(manager);
                return r;
        }
        *ret = manager;
        return 0;
}

bool su_manager_is_busy(const struct su_manager *manager)
{
        return find_running(manager) || manager->queries.first || manager->asked > 0 ||
               su_update_is_waiting(manager->update) || su_look_is_busy(manager->look) ||
               sd_bus_track_count(manager->subscribers) > 0;
}

void su_manager_free(struct su_manager *manager)
{
        if (!manager)
                return;
        su_queries_done(&manager->queries);
        while (manager->jobs) {
                struct su_job *job = manager->jobs;

                manager->jobs = job->next;
                su_job_free(job);
        }
        su_update_free(manager->update);
        su_look_free(manager->look);
        sd_bus_track_unref(manager->subscribers);
        sd_bus_slot_unref(manager->slot);
        sd_bus_unref(manager->bus);
        free(manager);
}
