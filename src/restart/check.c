#include "restart/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <systemd/sd-bus.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "improvement/health.h"

#define MANAGER                                                                                    \
        "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"
#define TIMEOUT_US (UINT64_C(10) * 1000000)
/* systemd kills what takes too long; should it not even say so, nobody waits for it. */
#define PATIENCE_US (TIMEOUT_US + UINT64_C(10) * 1000000)
#define WORDS_MAX (SU_HEALTH_COMMAND_MAX / 2)
#define ERRORS_MAX 65536

struct check {
        sd_bus *bus;
        char *job;
        char *result; /* of the job; NULL: it is not done */
        int error_fd; /* what it writes to standard error */
        uint64_t began_us;
};

static void check_done(struct check *check)
{
        sd_bus_flush_close_unref(check->bus);
        free(check->job);
        free(check->result);
        su_close_fd(&check->error_fd);
}

static int append_command(sd_bus_message *message, const char *command)
{
        su_auto_free char *copy = strdup(command);
        char *words[WORDS_MAX + 1] = {NULL};
        char *rest = NULL;
        size_t n = 0;
        int r;

        if (!copy)
                return -ENOMEM;
        for (char *word = strtok_r(copy, " \t", &rest); word && n < WORDS_MAX;
             word = strtok_r(NULL, " \t", &rest))
                words[n++] = word;
        if (n == 0)
                return -EINVAL;
        r = sd_bus_message_open_container(message, 'r', "sv");
        if (r >= 0)
                r = sd_bus_message_append(message, "s", "ExecStart");
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'v', "a(sasb)");
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'a', "(sasb)");
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'r', "sasb");
        if (r >= 0)
                r = sd_bus_message_append(message, "s", words[0]);
        if (r >= 0)
                r = sd_bus_message_append_strv(message, words);
        if (r >= 0)
                r = sd_bus_message_append(message, "b", 0);
        for (int i = 0; i < 4 && r >= 0; i++)
                r = sd_bus_message_close_container(message);
        return r;
}

static int append_properties(sd_bus_message *message, const struct check *check,
                             const char *command)
{
        int r;

        r = sd_bus_message_open_container(message, 'a', "(sv)");
        if (r >= 0)
                r = sd_bus_message_append(
                        message, "(sv)(sv)(sv)(sv)(sv)(sv)(sv)", "Description", "s",
                        "Health check of a background security improvement", "Type", "s", "oneshot",
                        "CollectMode", "s", "inactive-or-failed", "TimeoutStartUSec", "t",
                        TIMEOUT_US, "TimeoutStopUSec", "t", UINT64_C(1000000), "StandardOutput",
                        "s", "null", "StandardErrorFileDescriptor", "h", check->error_fd);
        if (r >= 0)
                r = append_command(message, command);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

static int start(struct check *check, const char *command)
{
        sd_bus_message *message = NULL;
        sd_bus_message *answer = NULL;
        char unit[64];
        const char *job;
        int r;

        (void)snprintf(unit, sizeof unit, "suture-check-%d-%" PRIu64 ".service", (int)getpid(),
                       check->began_us);
        r = sd_bus_message_new_method_call(check->bus, &message, MANAGER, "StartTransientUnit");
        if (r >= 0)
                r = sd_bus_message_append(message, "ss", unit, "fail");
        if (r >= 0)
                r = append_properties(message, check, command);
        if (r >= 0)
                r = sd_bus_message_append(message, "a(sa(sv))", 0);
        if (r >= 0)
                r = sd_bus_call(check->bus, message, 0, NULL, &answer);
        if (r >= 0)
                r = sd_bus_message_read(answer, "o", &job);
        if (r >= 0) {
                check->job = strdup(job);
                r = check->job ? 0 : -ENOMEM;
        }
        sd_bus_message_unref(message);
        sd_bus_message_unref(answer);
        return r;
}

static int on_job_removed(sd_bus_message *message, void *userdata, sd_bus_error *bus_error)
{
        struct check *check = userdata;
        const char *path;
        const char *unit;
        const char *result;
        uint32_t id;

        (void)bus_error;
        if (sd_bus_message_read(message, "uoss", &id, &path, &unit, &result) >= 0 && check->job &&
            strcmp(path, check->job) == 0 && !check->result)
                check->result = strdup(result);
        return 0;
}

static int wait_for_end(struct check *check)
{
        while (!check->result) {
                int r = sd_bus_process(check->bus, NULL);

                if (r == 0)
                        r = sd_bus_wait(check->bus, 1000000);
                if (r < 0 && r != -EINTR)
                        return r;
                if (su_monotonic_us() > check->began_us + PATIENCE_US)
                        return -ETIMEDOUT;
        }
        return 0;
}

static int judge(const struct check *check, const char *command, struct su_error *err)
{
        su_auto_free char *text = NULL;
        int r;

        if (strcmp(check->result, "done") == 0)
                return 0;
        if (su_monotonic_us() >= check->began_us + TIMEOUT_US)
                return su_fail(err, SU_ERROR_SYSTEM, "'%s' did not end within %d s", command,
                               (int)(TIMEOUT_US / 1000000));
        (void)lseek(check->error_fd, 0, SEEK_SET);
        r = su_file_read_fd(check->error_fd, "standard error", ERRORS_MAX, &text, NULL, err);
        if (r < 0)
                return r;
        return su_fail(err, SU_ERROR_SYSTEM, "'%s' failed%s%s", command, text[0] ? ": " : "",
                       su_last_line(text));
}

int su_check_run(const char *command, struct su_error *err)
{
        su_auto(check_done) struct check check = {.error_fd = -EBADF,
                                                  .began_us = su_monotonic_us()};
        int r;

        check.error_fd = memfd_create("stderr", MFD_CLOEXEC);
        if (check.error_fd < 0)
                return su_fail_errno(err, errno, "cannot create a memory file");
        r = sd_bus_open_system(&check.bus);
        if (r >= 0)
                r = sd_bus_call_method(check.bus, MANAGER, "Subscribe", NULL, NULL, NULL);
        if (r >= 0)
                r = sd_bus_match_signal(check.bus, NULL, MANAGER, "JobRemoved", on_job_removed,
                                        &check);
        if (r >= 0)
                r = start(&check, command);
        if (r >= 0)
                r = wait_for_end(&check);
        return r < 0 ? su_fail_errno(err, r, "cannot run the check '%s'", command)
                     : judge(&check, command, err);
}
