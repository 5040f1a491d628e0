#include "restart/units.h"

#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-login.h>

#include "base/clock.h"
#include "base/text.h"
#include "restart/check.h"

#define RESTART_TIMEOUT_US (UINT64_C(120) * 1000000)

static int find_owner(void *userdata, pid_t pid, struct su_owner *ret, struct su_error *err)
{
        struct su_owner owner = {0};

        (void)userdata;
        (void)err;
        (void)sd_pid_get_unit(pid, &owner.unit);
        (void)sd_pid_get_user_unit(pid, &owner.user_unit);
        (void)sd_pid_get_session(pid, &owner.session);
        *ret = owner;
        return 0;
}

#define UNIT_INTERFACE "org.freedesktop.systemd1.Unit"
#define MANAGER                                                                                    \
        "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"

/* One job that was asked for. */
struct job {
        const struct su_unit_job *wanted;
        char **after; /* units that come before it, when they are in the batch */
        char *path;   /* D-Bus object; NULL before systemd answered, and once it is done */
        char *result; /* "done", "failed", "timeout", or why systemd refused; NULL: not yet */
};

struct batch {
        struct job *jobs;
        size_t n;
};

static void batch_done(struct batch *batch)
{
        for (size_t i = 0; i < batch->n; i++) {
                for (char **unit = batch->jobs[i].after; unit && *unit; unit++)
                        free(*unit);
                free(batch->jobs[i].after);
                free(batch->jobs[i].path);
                free(batch->jobs[i].result);
        }
        free(batch->jobs);
}

static int on_job_removed(sd_bus_message *message, void *userdata, sd_bus_error *bus_error)
{
        struct batch *batch = userdata;
        const char *path;
        const char *unit;
        const char *result;
        uint32_t id;

        (void)bus_error;
        if (sd_bus_message_read(message, "uoss", &id, &path, &unit, &result) < 0)
                return 0;
        for (size_t i = 0; i < batch->n; i++)
                if (batch->jobs[i].path && strcmp(batch->jobs[i].path, path) == 0) {
                        su_free_p(&batch->jobs[i].path);
                        batch->jobs[i].result = strdup(result);
                }
        return 0;
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *bus_error)
{
        const sd_bus_error *refusal = sd_bus_message_get_error(reply);
        struct job *job = userdata;
        const char *path;

        (void)bus_error;
        if (refusal)
                job->result = strdup(refusal->message ? refusal->message : refusal->name);
        else if (sd_bus_message_read(reply, "o", &path) >= 0)
                job->path = strdup(path);
        else
                job->result = strdup("a malformed answer");
        return 0;
}

/* Asked for without waiting for the answer: all jobs are in systemd's queue before it runs the
 * first, so that it brings them into the order of their dependencies and joins what belongs
 * together. */
static int ask_for_job(sd_bus *bus, struct job *job, struct su_error *err)
{
        const char *unit = job->wanted->unit;
        int r;

        /* Our restarts are no crashes: they must not count against the unit's start limit. */
        r = sd_bus_call_method_async(bus, NULL, MANAGER, "ResetFailedUnit", NULL, NULL, "s", unit);
        if (r >= 0)
                r = sd_bus_call_method_async(bus, NULL, MANAGER,
                                             job->wanted->reload ? "ReloadOrRestartUnit"
                                                                 : "RestartUnit",
                                             on_answer, job, "ss", unit, "replace");
        return r < 0 ? su_fail_errno(err, r, "cannot ask systemd about '%s'", unit) : 0;
}

static bool is_finished(const struct batch *batch)
{
        for (size_t i = 0; i < batch->n; i++)
                if (!batch->jobs[i].result)
                        return false;
        return true;
}

static int wait_for_jobs(sd_bus *bus, const struct batch *batch, struct su_error *err)
{
        uint64_t deadline = su_monotonic_us() + RESTART_TIMEOUT_US;

        while (!is_finished(batch)) {
                int r = sd_bus_process(bus, NULL);

                if (r == 0)
                        r = sd_bus_wait(bus, 1000000);
                if (r < 0 && r != -EINTR)
                        return su_fail_errno(err, r, "lost the connection to systemd");
                if (su_monotonic_us() > deadline)
                        return su_fail(err, SU_ERROR_RESTART,
                                       "systemd did not finish the restarts in time");
        }
        return 0;
}

static int name_failures(const struct batch *batch, struct su_error *err)
{
        su_auto_free char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        size_t failures = 0;

        if (!out)
                return su_fail_oom(err);
        for (size_t i = 0; i < batch->n; i++)
                if (strcmp(batch->jobs[i].result, "done") != 0)
                        (void)fprintf(out, "%s%s (%s)", failures++ ? ", " : "",
                                      batch->jobs[i].wanted->unit, batch->jobs[i].result);
        if (fclose(out) != 0)
                return su_fail_oom(err);
        if (failures > 0)
                return su_fail(err, SU_ERROR_RESTART, "did not come back: %s", text);
        return 0;
}

static int unit_path(const char *unit, char **ret, struct su_error *err)
{
        int r = sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, ret);

        return r < 0 ? su_fail_errno(err, r, "cannot name unit '%s'", unit) : 0;
}

static int read_after(sd_bus *bus, struct job *job, struct su_error *err)
{
        su_auto_free char *path = NULL;
        int r;

        r = unit_path(job->wanted->unit, &path, err);
        if (r < 0)
                return r;
        r = sd_bus_get_property_strv(bus, "org.freedesktop.systemd1", path,
                                     "org.freedesktop.systemd1.Unit", "After", NULL, &job->after);
        return r < 0 ? su_fail_errno(err, r, "cannot ask systemd about '%s'", job->wanted->unit)
                     : 0;
}

static bool comes_after(const struct job *job, const struct job *other)
{
        for (char **unit = job->after; unit && *unit; unit++)
                if (strcmp(*unit, other->wanted->unit) == 0)
                        return true;
        return false;
}

static bool waits_for_another(const struct batch *batch, size_t from, size_t candidate)
{
        for (size_t i = from; i < batch->n; i++)
                if (i != candidate && comes_after(&batch->jobs[candidate], &batch->jobs[i]))
                        return true;
        return false;
}

/* What others come after comes first. A circle, which systemd breaks as it likes, stays as it is.
 */
static void sort_by_dependency(struct batch *batch)
{
        for (size_t place = 0; place < batch->n; place++) {
                size_t next = place;

                while (next < batch->n && waits_for_another(batch, place, next))
                        next++;
                if (next < batch->n) {
                        struct job job = batch->jobs[next];

                        memmove(&batch->jobs[place + 1], &batch->jobs[place],
                                (next - place) * sizeof job);
                        batch->jobs[place] = job;
                }
        }
}

static int run_on(sd_bus *bus, struct batch *batch, struct su_error *err)
{
        int r;

        r = sd_bus_match_signal(bus, NULL, MANAGER, "JobRemoved", on_job_removed, batch);
        if (r >= 0)
                r = sd_bus_call_method(bus, MANAGER, "Subscribe", NULL, NULL, NULL);
        if (r < 0)
                return su_fail_errno(err, r, "cannot listen to systemd");
        for (size_t i = 0; i < batch->n && r >= 0; i++)
                r = read_after(bus, &batch->jobs[i], err);
        if (r < 0)
                return r;
        sort_by_dependency(batch);
        for (size_t i = 0; i < batch->n && r >= 0; i++)
                r = ask_for_job(bus, &batch->jobs[i], err);
        if (r >= 0)
                r = wait_for_jobs(bus, batch, err);
        if (r >= 0)
                r = name_failures(batch, err);
        return r;
}

static int open_bus(sd_bus **ret, struct su_error *err)
{
        int r = sd_bus_open_system(ret);

        return r < 0 ? su_fail_errno(err, r, "cannot connect to the system bus") : 0;
}

static int run(void *userdata, const struct su_unit_job *jobs, size_t n_jobs, struct su_error *err)
{
        su_auto(batch_done) struct batch batch = {0};
        sd_bus *bus = NULL;
        int r;

        (void)userdata;
        batch.jobs = calloc(n_jobs + 1, sizeof *batch.jobs);
        if (!batch.jobs)
                return su_fail_oom(err);
        batch.n = n_jobs;
        for (size_t i = 0; i < n_jobs; i++)
                batch.jobs[i].wanted = &jobs[i];
        r = open_bus(&bus, err);
        if (r < 0)
                return r;
        r = run_on(bus, &batch, err);
        sd_bus_flush_close_unref(bus);
        return r;
}

static int read_active_since(sd_bus *bus, const char *unit, uint64_t *ret, struct su_error *err)
{
        su_auto_free char *path = NULL;
        su_auto_free char *state = NULL;
        int r;

        *ret = 0;
        r = unit_path(unit, &path, err);
        if (r < 0)
                return r;
        r = sd_bus_get_property_string(bus, "org.freedesktop.systemd1", path, UNIT_INTERFACE,
                                       "ActiveState", NULL, &state);
        if (r >= 0 && strcmp(state, "active") == 0)
                r = sd_bus_get_property_trivial(bus, "org.freedesktop.systemd1", path,
                                                UNIT_INTERFACE, "StateChangeTimestampMonotonic",
                                                NULL, 't', ret);
        return r < 0 ? su_fail_errno(err, r, "cannot ask systemd about '%s'", unit) : 0;
}

static int active_since(void *userdata, const char *unit, uint64_t *ret, struct su_error *err)
{
        sd_bus *bus = NULL;
        int r;

        (void)userdata;
        r = open_bus(&bus, err);
        if (r < 0)
                return r;
        r = read_active_since(bus, unit, ret, err);
        sd_bus_flush_close_unref(bus);
        return r;
}

static int read_condition(sd_bus *bus, const char *path, struct su_unit_condition *condition)
{
        su_auto_free char *active = NULL;
        su_auto_free char *sub = NULL;
        uint64_t since = 0;
        uint32_t restarts = 0;
        int r;

        r = sd_bus_get_property_string(bus, "org.freedesktop.systemd1", path, UNIT_INTERFACE,
                                       "ActiveState", NULL, &active);
        if (r >= 0)
                r = sd_bus_get_property_string(bus, "org.freedesktop.systemd1", path,
                                               UNIT_INTERFACE, "SubState", NULL, &sub);
        if (r >= 0)
                r = sd_bus_get_property_trivial(bus, "org.freedesktop.systemd1", path,
                                                UNIT_INTERFACE, "ActiveEnterTimestampMonotonic",
                                                NULL, 't', &since);
        if (r < 0)
                return r;
        /* Only services have it. */
        (void)sd_bus_get_property_trivial(bus, "org.freedesktop.systemd1", path,
                                          "org.freedesktop.systemd1.Service", "NRestarts", NULL,
                                          'u', &restarts);
        condition->failed = strcmp(active, "failed") == 0;
        condition->restarting = strncmp(sub, "auto-restart", strlen("auto-restart")) == 0;
        condition->restarts = restarts;
        if (strcmp(active, "active") == 0 || strcmp(active, "reloading") == 0)
                condition->active_us = su_monotonic_us() - since;
        return 0;
}

static int condition(void *userdata, const char *unit, struct su_unit_condition *ret,
                     struct su_error *err)
{
        struct su_unit_condition condition = {0};
        su_auto_free char *path = NULL;
        sd_bus *bus = NULL;
        int r;

        (void)userdata;
        r = unit_path(unit, &path, err);
        if (r >= 0)
                r = open_bus(&bus, err);
        if (r < 0)
                return r;
        r = read_condition(bus, path, &condition);
        sd_bus_flush_close_unref(bus);
        if (r < 0)
                return su_fail_errno(err, r, "cannot ask systemd about '%s'", unit);
        *ret = condition;
        return 0;
}

static int check(void *userdata, const char *command, struct su_error *err)
{
        (void)userdata;
        return su_check_run(command, err);
}

static bool can_soft_reboot(void *userdata)
{
        su_auto_free char *version = NULL;
        sd_bus *bus = NULL;

        (void)userdata;
        if (open_bus(&bus, NULL) < 0)
                return false;
        (void)sd_bus_get_property_string(bus, MANAGER, "Version", NULL, &version);
        sd_bus_flush_close_unref(bus);
        return version && atoi(version) >= 254;
}

static int ping(struct su_error *err)
{
        sd_bus *bus = NULL;
        int r;

        r = sd_bus_open_system(&bus);
        if (r >= 0)
                r = sd_bus_call_method(bus, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                                       "org.freedesktop.DBus.Peer", "Ping", NULL, NULL, NULL);
        sd_bus_flush_close_unref(bus);
        if (r < 0)
                return su_fail_errno(err, r,
                                     "the service manager does not answer after its "
                                     "re-execution");
        return 0;
}

/* The manager never answers this call: it goes off the bus and comes back. */
static int reexecute(void *userdata, struct su_error *err)
{
        uint64_t deadline = su_monotonic_us() + RESTART_TIMEOUT_US;
        sd_bus *bus = NULL;
        int r;

        (void)userdata;
        r = open_bus(&bus, err);
        if (r < 0)
                return r;
        r = sd_bus_call_method(bus, MANAGER, "Reexecute", NULL, NULL, NULL);
        sd_bus_flush_close_unref(bus);
        if (r == -EACCES || r == -EPERM)
                return su_fail(err, SU_ERROR_RESTART, "systemd refuses to execute itself anew");
        do {
                r = ping(err);
                if (r < 0)
                        (void)usleep(20000);
        } while (r < 0 && su_monotonic_us() < deadline);
        return r;
}

const struct su_units su_units_systemd = {
        .find_owner = find_owner,
        .run = run,
        .reexecute = reexecute,
        .active_since = active_since,
        .condition = condition,
        .check = check,
        .can_soft_reboot = can_soft_reboot,
};

static int find_no_owner(void *userdata, pid_t pid, struct su_owner *ret, struct su_error *err)
{
        (void)userdata;
        (void)pid;
        (void)err;
        *ret = (struct su_owner){0};
        return 0;
}

static int run_nothing(void *userdata, const struct su_unit_job *jobs, size_t n_jobs,
                       struct su_error *err)
{
        (void)userdata;
        (void)jobs;
        if (n_jobs == 0)
                return 0;
        return su_fail(err, SU_ERROR_RESTART, "no service manager runs in this tree");
}

static int reexecute_nothing(void *userdata, struct su_error *err)
{
        (void)userdata;
        return su_fail(err, SU_ERROR_RESTART, "no service manager runs in this tree");
}

static int active_never(void *userdata, const char *unit, uint64_t *ret, struct su_error *err)
{
        (void)userdata;
        (void)unit;
        (void)err;
        *ret = 0;
        return 0;
}

static int condition_fine(void *userdata, const char *unit, struct su_unit_condition *ret,
                          struct su_error *err)
{
        (void)userdata;
        (void)unit;
        (void)err;
        *ret = (struct su_unit_condition){0};
        return 0;
}

static int check_nothing(void *userdata, const char *command, struct su_error *err)
{
        (void)userdata;
        (void)command;
        (void)err;
        return 0;
}

static bool never(void *userdata)
{
        (void)userdata;
        return false;
}

const struct su_units su_units_none = {
        .find_owner = find_no_owner,
        .run = run_nothing,
        .reexecute = reexecute_nothing,
        .active_since = active_never,
        .condition = condition_fine,
        .check = check_nothing,
        .can_soft_reboot = never,
};
