#include "exposure/exposure.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/printable.h"
#include "base/text.h"
#include "base/translate.h"
#include "exposure/procmap.h"

#define STATUS_SIZE_MAX (64 * 1024)
#define ANCESTORS_MAX 64

int su_old_code_add(struct su_old_code_set *set, const struct su_old_code *code,
                    struct su_error *err)
{
        struct su_old_code *larger = reallocarray(set->codes, set->n_codes + 1, sizeof *set->codes);

        if (!larger)
                return su_fail_oom(err);
        set->codes = larger;
        set->codes[set->n_codes++] = *code;
        return 0;
}

static int compare_ids(const struct su_build_id *a, const struct su_build_id *b)
{
        if (a->size != b->size)
                return a->size < b->size ? -1 : 1;
        return memcmp(a->bytes, b->bytes, a->size);
}

static int compare_codes(const void *a, const void *b)
{
        const struct su_old_code *left = a;
        const struct su_old_code *right = b;

        return compare_ids(&left->id, &right->id);
}

void su_old_code_sort(struct su_old_code_set *set)
{
        if (set->n_codes > 0)
                qsort(set->codes, set->n_codes, sizeof *set->codes, compare_codes);
}

void su_old_code_done(struct su_old_code_set *set)
{
        free(set->codes);
        *set = (struct su_old_code_set){0};
}

static const struct su_old_code *find_code(const struct su_old_code_set *set,
                                           const struct su_build_id *id)
{
        const struct su_old_code wanted = {.id = *id};

        if (set->n_codes == 0 || id->size == 0)
                return NULL;
        return bsearch(&wanted, set->codes, set->n_codes, sizeof *set->codes, compare_codes);
}

const char *su_exposed_why(const struct su_exposed_process *process)
{
        switch (process->place) {
        case SU_PLACE_OLD_VIEW:
                return _("has a private view of /usr that is still a former one");
        case SU_PLACE_SANDBOX:
                return _("has the old file mapped, in a sandbox that shows this system's /usr");
        case SU_PLACE_CHROOT:
                return _("runs in another tree, which has files of its own");
        case SU_PLACE_CONTAINER:
                return _("runs in a container, which has files of its own");
        case SU_PLACE_HERE:
                break;
        }
        return process->deleted ? _("has an old file mapped that was deleted or replaced since")
                                : _("was started before, and has the old file mapped");
}

int su_exposed_tell(const struct su_exposed_process *process, char **ret, struct su_error *err)
{
        switch (process->place) {
        case SU_PLACE_OLD_VIEW:
                return su_format(ret, err,
                                 _("%s has a private view of /usr that is still a former one"),
                                 process->command);
        case SU_PLACE_SANDBOX:
                return su_format(
                        ret, err,
                        _("%s has the old file mapped, in a sandbox that shows this system's /usr"),
                        process->command);
        case SU_PLACE_CHROOT:
                return su_format(ret, err, _("%s runs in another tree, which has files of its own"),
                                 process->command);
        case SU_PLACE_CONTAINER:
                return su_format(ret, err, _("%s runs in a container, which has files of its own"),
                                 process->command);
        case SU_PLACE_HERE:
                break;
        }
        return su_format(ret, err,
                         process->deleted
                                 ? _("%s has an old file mapped that was deleted or replaced since")
                                 : _("%s was started before, and has the old file mapped"),
                         process->command);
}

bool su_exposed_is_reached(const struct su_exposed_process *process)
{
        return su_place_is_reached(process->place);
}

static void process_done(struct su_exposed_process *process)
{
        su_owner_done(&process->owner);
        free(process->codes);
}

/* What a scan works with, and what it finds. */
struct scan {
        const struct su_old_code_set *set;
        const struct su_scan_options *options;
        struct su_tree_view view;
        struct su_procmap_cache cache;
        struct su_exposure exposure;
};

static void scan_done(struct scan *scan)
{
        su_tree_view_done(&scan->view);
        su_procmap_cache_done(&scan->cache);
        su_exposure_done(&scan->exposure);
}

/* What is collected while the mappings of one process go by. */
struct match {
        const struct su_old_code_set *set;
        int process_fd;
        struct su_exposed_process process;
};

static int note_mapping(void *userdata, const struct su_mapping *mapping, struct su_error *err)
{
        struct match *match = userdata;
        struct su_exposed_process *process = &match->process;
        const struct su_old_code *code = find_code(match->set, &mapping->id);
        const struct su_old_code **larger;

        if (!code)
                return 0;
        for (size_t i = 0; i < process->n_codes; i++)
                if (process->codes[i] == code)
                        return 0;
        larger = reallocarray(process->codes, process->n_codes + 1, sizeof *process->codes);
        if (!larger)
                return su_fail_oom(err);
        process->codes = larger;
        process->codes[process->n_codes++] = code;
        process->deleted |= su_mapping_is_deleted(match->process_fd, mapping);
        return 0;
}

static void read_command(int process_fd, char ret[SU_COMMAND_SIZE])
{
        su_auto_close int fd = openat(process_fd, "comm", O_RDONLY | O_CLOEXEC);
        ssize_t n = fd >= 0 ? read(fd, ret, SU_COMMAND_SIZE - 1) : 0;

        ret[n > 0 ? n : 0] = '\0';
        ret[strcspn(ret, "\n")] = '\0';
        su_make_printable_ascii(ret);
}

/* A number out of /proc/PID/status, where the process's own words are escaped; -1: it ended. */
static int64_t read_status(int proc_fd, pid_t pid, const char *field)
{
        su_auto_free char *text = NULL;
        char path[32];
        char *found;
        long long number;

        (void)snprintf(path, sizeof path, "%d/status", (int)pid);
        if (su_file_read(proc_fd, path, STATUS_SIZE_MAX, &text, NULL, NULL) < 0)
                return -1;
        found = strstr(text, field);
        return found && sscanf(found + strlen(field), "%lld", &number) == 1 ? number : -1;
}

static int append_process(struct su_exposure *exposure, struct su_exposed_process *process,
                          struct su_error *err)
{
        struct su_exposed_process *larger = reallocarray(
                exposure->processes, exposure->n_processes + 1, sizeof *exposure->processes);

        if (!larger)
                return su_fail_oom(err);
        exposure->processes = larger;
        exposure->processes[exposure->n_processes++] = *process;
        *process = (struct su_exposed_process){0};
        return 0;
}

static int describe(struct scan *scan, int proc_fd, struct match *match, struct su_error *err)
{
        struct su_exposed_process *process = &match->process;
        int64_t uid = read_status(proc_fd, process->pid, "\nUid:\t");

        process->uid = uid >= 0 ? (uid_t)uid : 0;
        read_command(match->process_fd, process->command);
        return su_place_find(&scan->view, match->process_fd, process->codes[0]->path,
                             &process->place, err);
}

static int scan_process(struct scan *scan, int proc_fd, const char *name, struct su_error *err)
{
        bool never_query = scan->options && scan->options->never_query;
        su_auto_close int process_fd = openat(proc_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct match match = {.set = scan->set, .process_fd = process_fd};
        int r;

        if (process_fd < 0)
                return 0; /* it ended */
        match.process.pid = match.process.leader = (pid_t)atoi(name);
        r = su_procmap_walk(process_fd, never_query, &scan->cache, note_mapping, &match, err);
        if (r >= 0 && match.process.n_codes > 0) {
                r = describe(scan, proc_fd, &match, err);
                if (r >= 0)
                        r = append_process(&scan->exposure, &match.process, err);
        }
        process_done(&match.process);
        if (r < 0)
                return su_fail_prefix(err, r, "process %s", name);
        scan->exposure.n_scanned++;
        return 0;
}

static const struct su_exposed_process *find_process(const struct su_exposure *exposure, pid_t pid)
{
        for (size_t i = 0; i < exposure->n_processes; i++)
                if (exposure->processes[i].pid == pid)
                        return &exposure->processes[i];
        return NULL;
}

/* The uppermost exposed process of this tree among those that started `process`: with it goes what
 * it started. PID 1 starts everything, and leads nobody. */
static pid_t find_leader(const struct su_exposure *exposure, int proc_fd,
                         const struct su_exposed_process *process)
{
        pid_t leader = process->pid;
        int64_t parent = process->pid;

        for (int i = 0; i < ANCESTORS_MAX; i++) {
                const struct su_exposed_process *found;

                parent = read_status(proc_fd, (pid_t)parent, "\nPPid:\t");
                if (parent <= 1)
                        break;
                found = find_process(exposure, (pid_t)parent);
                if (found && found->place == SU_PLACE_HERE && found->uid == process->uid)
                        leader = found->pid;
        }
        return leader;
}

static bool is_pid(const char *name)
{
        return name[0] != '\0' && strspn(name, "0123456789") == strlen(name);
}

static int compare_processes(const void *a, const void *b)
{
        const struct su_exposed_process *left = a;
        const struct su_exposed_process *right = b;

        return (left->pid > right->pid) - (left->pid < right->pid);
}

static int scan_all(struct scan *scan, DIR *proc, struct su_error *err)
{
        struct su_exposure *exposure = &scan->exposure;
        struct dirent *entry;

        while ((entry = readdir(proc))) {
                int r;

                if (!is_pid(entry->d_name) || atoi(entry->d_name) == getpid())
                        continue;
                r = scan_process(scan, dirfd(proc), entry->d_name, err);
                if (r < 0)
                        return r;
        }
        if (exposure->n_processes > 0)
                qsort(exposure->processes, exposure->n_processes, sizeof *exposure->processes,
                      compare_processes);
        for (size_t i = 0; i < exposure->n_processes; i++)
                exposure->processes[i].leader =
                        find_leader(exposure, dirfd(proc), &exposure->processes[i]);
        return 0;
}

int su_exposure_scan(const char *root, const struct su_old_code_set *set,
                     const struct su_scan_options *options, struct su_exposure *ret,
                     struct su_error *err)
{
        su_auto(scan_done) struct scan scan = {.set = set, .options = options};
        su_auto_closedir DIR *proc = opendir("/proc");
        int r;

        if (!proc)
                return su_fail_errno(err, errno, "cannot list /proc");
        r = su_tree_view_make(root, &scan.view, err);
        scan.cache.trusted = scan.view.usr.st_dev;
        if (r >= 0)
                r = scan_all(&scan, proc, err);
        if (r < 0)
                return r;
        scan.exposure.n_unread = scan.cache.n_unread;
        *ret = scan.exposure;
        scan.exposure = (struct su_exposure){0};
        return 0;
}

void su_exposure_done(struct su_exposure *exposure)
{
        for (size_t i = 0; i < exposure->n_processes; i++)
                process_done(&exposure->processes[i]);
        free(exposure->processes);
        *exposure = (struct su_exposure){0};
}

size_t su_exposure_count(const struct su_exposure *exposure)
{
        size_t count = 0;

        for (size_t i = 0; i < exposure->n_processes; i++)
                count += su_exposed_is_reached(&exposure->processes[i]);
        return count;
}
