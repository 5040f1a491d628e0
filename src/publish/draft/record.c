#include "publish/draft/record.h"

#include <fcntl.h>

#include "base/file.h"
#include "base/text.h"
#include "inventory/os.h"
#include "inventory/tree.h"

struct recorder {
        struct su_baseline baseline;
        size_t capacity;
        size_t n_strange; /* names that no manifest could carry */
};

static void recorder_done(struct recorder *recorder)
{
        su_baseline_done(&recorder->baseline);
}

static int make_room(struct recorder *recorder, struct su_error *err)
{
        struct su_baseline *baseline = &recorder->baseline;
        size_t capacity = recorder->capacity ? recorder->capacity * 2 : 1024;
        struct su_baseline_file *larger;

        if (baseline->n_files < recorder->capacity)
                return 0;
        larger = reallocarray(baseline->files, capacity, sizeof *larger);
        if (!larger)
                return su_fail_oom(err);
        baseline->files = larger;
        recorder->capacity = capacity;
        return 0;
}

static int record_file(void *userdata, const struct su_tree_entry *entry, struct su_error *err)
{
        struct recorder *recorder = userdata;
        su_auto_close int fd = -EBADF;
        su_auto_free char *path = NULL;
        struct su_file_facts facts;
        int r;

        if (!S_ISREG(entry->st.st_mode))
                return 0;
        if (!su_path_is_normal(entry->path)) {
                recorder->n_strange++;
                return 0;
        }
        fd = openat(entry->dir_fd, entry->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot open '%s'", entry->path);
        r = su_file_facts_read(fd, entry->path, &facts, err);
        if (r >= 0)
                r = make_room(recorder, err);
        if (r >= 0)
                r = su_strdup(entry->path, &path, err);
        if (r < 0)
                return r;
        recorder->baseline.files[recorder->baseline.n_files++] = (struct su_baseline_file){
                .path = su_take(path), .mode = entry->st.st_mode & 07777, .facts = facts};
        return 0;
}

static int name_baseline(const struct su_os *os, struct su_baseline *baseline, struct su_error *err)
{
        int r;

        r = su_strdup(os->baseline, &baseline->name, err);
        if (r >= 0)
                r = su_strdup(os->architecture, &baseline->architecture, err);
        if (r >= 0)
                r = su_strdup(os->version, &baseline->version, err);
        if (r >= 0)
                r = su_strdup(os->name, &baseline->os_name, err);
        return r;
}

int su_baseline_record(int root_fd, struct su_baseline *ret, size_t *ret_n_strange,
                       struct su_error *err)
{
        su_auto(recorder_done) struct recorder recorder = {0};
        su_auto_os struct su_os os = {0};
        int r;

        r = su_os_read(root_fd, &os, err);
        if (r >= 0)
                r = name_baseline(&os, &recorder.baseline, err);
        if (r >= 0)
                r = su_tree_walk(root_fd, "usr", "/usr", SU_TREE_ALL, record_file, &recorder, err);
        if (r >= 0)
                r = su_tree_walk(root_fd, "opt", "/opt", SU_TREE_ALL, record_file, &recorder, err);
        if (r < 0)
                return r;
        su_baseline_sort(&recorder.baseline);
        *ret_n_strange = recorder.n_strange;
        *ret = recorder.baseline;
        recorder.baseline = (struct su_baseline){0};
        return 0;
}
