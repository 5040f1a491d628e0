#include "device/units.h"

#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-login.h>

#include "base/clock.h"
#include "base/text.h"

#define RESTART_TIMEOUT_US (UINT64_C(120) * 1000000)

void su_owner_done(struct su_owner *owner)
{
        free(owner->unit);
        free(owner->user_unit);
        free(owner->session);
        *owner = (struct su_owner){0};
}

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

/* One restart that was asked for. */
struct job {
        char *path;   /* D-Bus object; NULL once it is done */
        char *result; /* "done", "failed", "timeout", ... */
};

struct batch {
        const char *const *units;
        struct job *jobs;
        size_t n;
};

static void batch_done(struct batch *batch)
{
        for (size_t i = 0; i < batch->n; i++) {
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

static int bus_call(sd_bus *bus, const char *method, sd_bus_message **ret_reply,
                    struct su_error *err, const char *types, ...)
{
        sd_bus_error bus_error = SD_BUS_ERROR_NULL;
        va_list ap;
        int r;

        va_start(ap, types);
        r = sd_bus_call_methodv(bus, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                                "org.freedesktop.systemd1.Manager", method, &bus_error, ret_reply,
                                types, ap);
        va_end(ap);
        if (r < 0)
                (void)su_fail(err, SU_ERROR_RESTART, "systemd refuses %s: %s", method,
                              bus_error.message ? bus_error.message : strerror(-r));
        sd_bus_error_free(&bus_error);
        return r;
}

static int begin_restart(sd_bus *bus, const char *unit, struct job *job, struct su_error *err)
{
        sd_bus_message *reply = NULL;
        const char *path;
        int r;

        /* Our restarts are no crashes: they must not count against the unit's start limit. */
        (void)bus_call(bus, "ResetFailedUnit", NULL, NULL, "s", unit);
        r = bus_call(bus, "RestartUnit", &reply, err, "ss", unit, "replace");
        if (r < 0)
                return su_fail_prefix(err, r, "unit '%s'", unit);
        r = sd_bus_message_read(reply, "o", &path);
        if (r >= 0)
                r = su_strdup(path, &job->path, err);
        else
                r = su_fail(err, SU_ERROR_RESTART, "systemd's answer is malformed");
        sd_bus_message_unref(reply);
        return r;
}

static bool is_finished(const struct batch *batch)
{
        for (size_t i = 0; i < batch->n; i++)
                if (batch->jobs[i].path)
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
        for (size_t i = 0; i < batch->n; i++) {
                const char *result = batch->jobs[i].result ? batch->jobs[i].result : "unknown";

                if (strcmp(result, "done") != 0)
                        (void)fprintf(out, "%s%s (%s)", failures++ ? ", " : "", batch->units[i],
                                      result);
        }
        if (fclose(out) != 0)
                return su_fail_oom(err);
        if (failures > 0)
                return su_fail(err, SU_ERROR_RESTART, "did not come back: %s", text);
        return 0;
}

static int restart_on(sd_bus *bus, struct batch *batch, struct su_error *err)
{
        int r;

        r = sd_bus_match_signal(bus, NULL, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                                "org.freedesktop.systemd1.Manager", "JobRemoved", on_job_removed,
                                batch);
        if (r < 0)
                return su_fail_errno(err, r, "cannot listen to systemd");
        r = bus_call(bus, "Subscribe", NULL, err, NULL);
        for (size_t i = 0; i < batch->n && r >= 0; i++)
                r = begin_restart(bus, batch->units[i], &batch->jobs[i], err);
        if (r >= 0)
                r = wait_for_jobs(bus, batch, err);
        if (r >= 0)
                r = name_failures(batch, err);
        return r;
}

static int restart(void *userdata, const char *const *units, size_t n_units, struct su_error *err)
{
        su_auto(batch_done) struct batch batch = {.units = units, .n = n_units};
        sd_bus *bus = NULL;
        int r;

        (void)userdata;
        batch.jobs = calloc(n_units + 1, sizeof *batch.jobs);
        if (!batch.jobs)
                return su_fail_oom(err);
        r = sd_bus_open_system(&bus);
        if (r < 0)
                return su_fail_errno(err, r, "cannot connect to the system bus");
        r = restart_on(bus, &batch, err);
        sd_bus_flush_close_unref(bus);
        return r;
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
        r = sd_bus_open_system(&bus);
        if (r < 0)
                return su_fail_errno(err, r, "cannot connect to the system bus");
        r = sd_bus_call_method(bus, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                               "org.freedesktop.systemd1.Manager", "Reexecute", NULL, NULL, NULL);
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
        .restart = restart,
        .reexecute = reexecute,
};

static int find_no_owner(void *userdata, pid_t pid, struct su_owner *ret, struct su_error *err)
{
        (void)userdata;
        (void)pid;
        (void)err;
        *ret = (struct su_owner){0};
        return 0;
}

static int restart_nothing(void *userdata, const char *const *units, size_t n_units,
                           struct su_error *err)
{
        (void)userdata;
        (void)units;
        if (n_units == 0)
                return 0;
        return su_fail(err, SU_ERROR_RESTART, "no service manager runs in this tree");
}

static int reexecute_nothing(void *userdata, struct su_error *err)
{
        (void)userdata;
        return su_fail(err, SU_ERROR_RESTART, "no service manager runs in this tree");
}

const struct su_units su_units_none = {
        .find_owner = find_no_owner,
        .restart = restart_nothing,
        .reexecute = reexecute_nothing,
};
