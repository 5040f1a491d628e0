#include "device/exposure.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/printable.h"
#include "base/text.h"
#include "device/procmap.h"

int su_old_code_add(struct su_old_code_set *set, const struct su_build_id *id,
                    const char *component, const char *path, struct su_error *err)
{
        struct su_old_code *larger = reallocarray(set->codes, set->n_codes + 1, sizeof *set->codes);

        if (!larger)
                return su_fail_oom(err);
        set->codes = larger;
        set->codes[set->n_codes++] = (struct su_old_code){*id, component, path};
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

/* What is collected while the mappings of one process go by. */
struct match {
        const struct su_old_code_set *set;
        struct su_exposed_process process;
};

static int note_mapping(void *userdata, const struct su_build_id *id, struct su_error *err)
{
        struct match *match = userdata;
        struct su_exposed_process *process = &match->process;
        const struct su_old_code *code = find_code(match->set, id);
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

static bool has_root(int process_fd, const struct stat *root)
{
        struct stat st;

        return fstatat(process_fd, "root", &st, 0) == 0 && st.st_dev == root->st_dev &&
               st.st_ino == root->st_ino;
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

static int scan_process(int proc_fd, const char *name, const struct stat *root,
                        const struct su_old_code_set *set, const struct su_scan_options *options,
                        struct su_exposure *exposure, struct su_error *err)
{
        su_auto_close int process_fd = openat(proc_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct match match = {.set = set};
        int r;

        if (process_fd < 0)
                return 0; /* it ended */
        match.process.pid = (pid_t)atoi(name);
        r = su_procmap_walk(process_fd, options && options->never_query, note_mapping, &match, err);
        if (r >= 0 && match.process.n_codes > 0) {
                read_command(process_fd, match.process.command);
                match.process.elsewhere = !has_root(process_fd, root);
                r = append_process(exposure, &match.process, err);
        }
        free(match.process.codes);
        if (r < 0)
                return su_fail_prefix(err, r, "process %s", name);
        exposure->n_scanned++;
        return 0;
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

int su_exposure_scan(const char *root, const struct su_old_code_set *set,
                     const struct su_scan_options *options, struct su_exposure *ret,
                     struct su_error *err)
{
        su_auto_exposure struct su_exposure exposure = {0};
        su_auto_closedir DIR *proc = opendir("/proc");
        struct dirent *entry;
        struct stat root_stat;

        if (!proc)
                return su_fail_errno(err, errno, "cannot list /proc");
        if (stat(root, &root_stat) < 0)
                return su_fail_errno(err, errno, "cannot look at '%s'", root);
        while ((entry = readdir(proc))) {
                int r;

                if (!is_pid(entry->d_name) || atoi(entry->d_name) == getpid())
                        continue;
                r = scan_process(dirfd(proc), entry->d_name, &root_stat, set, options, &exposure,
                                 err);
                if (r < 0)
                        return r;
        }
        if (exposure.n_processes > 0)
                qsort(exposure.processes, exposure.n_processes, sizeof *exposure.processes,
                      compare_processes);
        *ret = exposure;
        exposure = (struct su_exposure){0};
        return 0;
}

void su_exposure_done(struct su_exposure *exposure)
{
        for (size_t i = 0; i < exposure->n_processes; i++)
                free(exposure->processes[i].codes);
        free(exposure->processes);
        *exposure = (struct su_exposure){0};
}

size_t su_exposure_count(const struct su_exposure *exposure)
{
        size_t count = 0;

        for (size_t i = 0; i < exposure->n_processes; i++)
                count += !exposure->processes[i].elsewhere;
        return count;
}
