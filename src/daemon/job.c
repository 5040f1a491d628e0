#include "daemon/job.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bus_names.h"
#include "base/clock.h"
#include "base/text.h"

#define TELL_EVERY_US 100000

int su_order_add(struct su_order *order, struct su_error *err, const char *format, ...)
{
        size_t n = 0;
        va_list ap;
        int size;

        while (n < SU_JOB_ARGUMENTS_MAX && order->arguments[n][0])
                n++;
        if (n == SU_JOB_ARGUMENTS_MAX)
                return su_fail(err, SU_ERROR_USAGE, "too many options");
        va_start(ap, format);
        size = vsnprintf(order->arguments[n], SU_JOB_ARGUMENT_SIZE, format, ap);
        va_end(ap);
        if (size < 0 || size >= SU_JOB_ARGUMENT_SIZE)
                return su_fail(err, SU_ERROR_USAGE, "an option is too long");
        return 0;
}

static int get_text(sd_bus *bus, const char *path, const char *interface, const char *property,
                    sd_bus_message *reply, void *userdata, sd_bus_error *bus_error)
{
        const char *text = *(char **)userdata;

        (void)bus;
        (void)path;
        (void)interface;
        (void)property;
        (void)bus_error;
        return sd_bus_message_append(reply, "s", text ? text : "");
}

static int on_cancel(sd_bus_message *call, void *userdata, sd_bus_error *bus_error)
{
        struct su_job *job = userdata;

        (void)bus_error;
        return job->cancel(job->userdata, job, call);
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Id", "u", NULL, offsetof(struct su_job, id), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Kind", "s", get_text, offsetof(struct su_job, order.kind),
                        SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("State", "s", get_text, offsetof(struct su_job, state),
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Step", "s", get_text, offsetof(struct su_job, step),
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Done", "t", NULL, offsetof(struct su_job, done),
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Total", "t", NULL, offsetof(struct su_job, total),
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Error", "s", get_text, offsetof(struct su_job, error),
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Message", "s", get_text, offsetof(struct su_job, message),
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Result", "s", get_text, offsetof(struct su_job, result),
                        SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION),
        SD_BUS_PROPERTY("Report", "s", get_text, offsetof(struct su_job, report),
                        SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION),
        SD_BUS_METHOD("Cancel", NULL, NULL, on_cancel, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

int su_job_new(sd_bus *bus, uint32_t id, const struct su_order *order, struct su_job **ret,
               struct su_error *err)
{
        struct su_job *job = calloc(1, sizeof *job);
        int r;

        if (!job)
                return su_fail_oom(err);
        job->bus = sd_bus_ref(bus);
        job->id = id;
        job->order = *order;
        job->state = "running";
        r = su_format(&job->path, err, "%s/%u", SU_BUS_JOB_PATH, (unsigned)id);
        if (r >= 0) {
                r = sd_bus_add_object_vtable(bus, &job->slot, job->path, SU_BUS_JOB, vtable, job);
                if (r < 0)
                        r = su_fail_errno(err, r, "cannot show job %u on the bus", (unsigned)id);
        }
        if (r < 0) {
                su_job_free(job);
                return r;
        }
        *ret = job;
        return 0;
}

static void set_text(char **place, const char *text)
{
        free(*place);
        *place = strdup(text);
}

static void on_progress(void *userdata, const char *step, uint64_t done, uint64_t total)
{
        struct su_job *job = userdata;

        const uint64_t now = su_monotonic_us();

        job->done = done;
        job->total = total;
        if (job->step && strcmp(job->step, step) == 0 && now < job->told_us + TELL_EVERY_US)
                return;
        set_text(&job->step, step);
        job->told_us = now;
        (void)sd_bus_emit_properties_changed(job->bus, job->path, SU_BUS_JOB, "Step", "Done",
                                             "Total", NULL);
}

static void on_finished(void *userdata, const struct su_outcome *outcome)
{
        struct su_job *job = userdata;
        const bool failed = outcome->result == NULL;
        size_t size;

        job->state = failed ? "failed" : "done";
        set_text(&job->error, failed ? outcome->error_name : "");
        set_text(&job->message, failed ? outcome->error.message : "");
        set_text(&job->report, outcome->text);
        job->document = json_incref(outcome->result);
        if (!failed)
                (void)su_json_compact(outcome->result, &job->result, &size, NULL);
        (void)sd_bus_emit_properties_changed(job->bus, job->path, SU_BUS_JOB, "State", "Error",
                                             "Message", "Result", "Report", NULL);
        su_run_free(su_take(job->run));
        job->finished(job->userdata, job);
}

int su_job_start(struct su_job *job, const char *const *program, struct su_error *err)
{
        const struct su_run_listener listener = {on_progress, on_finished, job};
        const char *arguments[SU_JOB_ARGUMENTS_MAX + 1] = {NULL};

        for (size_t i = 0; i < SU_JOB_ARGUMENTS_MAX && job->order.arguments[i][0]; i++)
                arguments[i] = job->order.arguments[i];
        return su_run_start(sd_bus_get_event(job->bus), program, arguments, job->order.language,
                            &listener, &job->run, err);
}

void su_job_cancel(struct su_job *job)
{
        if (job->run)
                su_run_cancel(job->run);
}

void su_job_free(struct su_job *job)
{
        if (!job)
                return;
        su_run_free(job->run);
        sd_bus_slot_unref(job->slot);
        sd_bus_unref(job->bus);
        json_decref(job->document);
        free(job->path);
        free(job->step);
        free(job->error);
        free(job->message);
        free(job->result);
        free(job->report);
        free(job);
}
