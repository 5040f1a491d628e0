#include "device/holder.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/printable.h"

#define STAT_SIZE_MAX 4096
#define ANCESTORS_MAX 32

/* What /proc/PID/stat says: "PID (NAME) STATE PPID ...", the start time being field 22. The name
 * may have anything in it; the last ')' ends it. */
struct process {
        struct su_holder holder;
        pid_t parent;
        bool ended; /* and waits to be waited for */
};

static bool parse(char *text, struct process *ret)
{
        char *begin = strchr(text, '(');
        char *end = strrchr(text, ')');
        uint64_t started;
        char status;
        int parent;

        if (!begin || !end || end < begin ||
            sscanf(end + 1,
                   " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
                   "%*d %*d %" SCNu64,
                   &status, &parent, &started) != 3)
                return false;
        *end = '\0';
        ret->parent = parent;
        ret->ended = status == 'Z' || status == 'X';
        ret->holder.started = started;
        (void)snprintf(ret->holder.name, sizeof ret->holder.name, "%.15s", begin + 1);
        su_make_printable_ascii(ret->holder.name);
        return true;
}

static int look_at(pid_t pid, struct process *ret, struct su_error *err)
{
        su_auto_free char *text = NULL;
        char path[32];
        int r;

        (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
        *ret = (struct process){.holder.pid = pid};
        r = su_file_read(AT_FDCWD, path, STAT_SIZE_MAX, &text, NULL, err);
        if (r >= 0 && !parse(text, ret))
                return su_fail(err, SU_ERROR_FORMAT, "'%s' is malformed", path);
        return r;
}

static bool is_shell(const struct su_holder *holder)
{
        static const char *const shells[] = {"sh", "dash", "bash", "busybox"};

        for (size_t i = 0; i < SU_ELEMENTS(shells); i++)
                if (strcmp(shells[i], holder->name) == 0)
                        return true;
        return false;
}

static bool is_gone(int r)
{
        return r == -ENOENT || r == -ESRCH;
}

/* apt calls its hooks from a copy of itself, which ends with them: the original is meant. */
static int find_original(const struct process *process, struct su_holder *ret, struct su_error *err)
{
        struct su_holder holder = process->holder;
        struct process parent = *process;

        for (int i = 0; i < ANCESTORS_MAX && parent.parent > 0; i++) {
                int r = look_at(parent.parent, &parent, err);

                if (r < 0 && !is_gone(r))
                        return r;
                if (r < 0 || strcmp(parent.holder.name, holder.name) != 0)
                        break;
                holder = parent.holder;
        }
        *ret = holder;
        return 0;
}

/* holder.pid 0: nobody but shells up to init, or to the border of a PID namespace. */
static int find_caller(struct su_holder *ret, struct su_error *err)
{
        struct process process = {.parent = getppid()};

        *ret = (struct su_holder){0};
        for (int i = 0; i < ANCESTORS_MAX && process.parent > 0; i++) {
                int r = look_at(process.parent, &process, err);

                if (r < 0)
                        return su_fail_prefix(err, r, "the process that called this program");
                if (!is_shell(&process.holder))
                        return find_original(&process, ret, err);
        }
        return 0;
}

int su_holder_find(struct su_holder *ret, struct su_error *err)
{
        int r = find_caller(ret, err);

        if (r >= 0 && ret->pid == 0)
                return su_fail(err, SU_ERROR_SYSTEM,
                               "cannot find the process that called this program");
        return r;
}

int su_holder_is_alive(const struct su_holder *holder, bool *ret, struct su_error *err)
{
        struct process process = {0};
        int r = -ESRCH;

        if (holder->pid > 0)
                r = look_at(holder->pid, &process, err);
        if (r < 0 && !is_gone(r))
                return r;
        *ret = r >= 0 && !process.ended && process.holder.started == holder->started;
        return 0;
}

int su_holder_called_us(const struct su_holder *holder, bool *ret, struct su_error *err)
{
        struct su_holder caller;
        int r = find_caller(&caller, err);

        if (r >= 0)
                *ret = caller.pid > 0 && caller.pid == holder->pid &&
                       caller.started == holder->started;
        return r;
}
