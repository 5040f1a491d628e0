/* suture-publish baseline: record an OS tree. */
#include <fcntl.h>
#include <stdio.h>

#include "base/file.h"
#include "base/text.h"
#include "improvement/baseline.h"
#include "inventory/os.h"
#include "inventory/tree.h"
#include "publish/signing/compose.h"
#include "publish/tool/session.h"
#include "publish/tool/verbs.h"
#include "publish/tool/waiting.h"

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

/* Its targets are delegated to a key of its own, which is made unless there is one of its name. */
static int delegate(struct su_publisher *publisher, const char *name, struct su_error *err)
{
        su_auto_key_choice struct su_key_choice choice = {.threshold = 1};
        su_auto_json json_t *targets = NULL;
        struct su_key *key = su_keyring_named(&publisher->keyring, name);
        int r = 0;

        if (!key)
                r = su_keyring_make(&publisher->keyring, name, SU_KEY_ED25519, true, &key, err);
        if (r >= 0)
                r = su_key_choice_add(&choice, key, err);
        if (r >= 0)
                r = su_staging_next(&publisher->workspace, "targets", &targets, err);
        if (r >= 0)
                r = su_compose_delegate(targets, name, &choice, err);
        return r < 0 ? r : su_staging_put(publisher, "targets", targets, SU_SIGN_STRICT, err);
}

/* A baseline that is recorded again stays what it is for devices. */
static int enter(struct su_publisher *publisher, const char *name, struct su_error *err)
{
        su_auto_published struct su_published published = {0};
        su_auto_authority struct su_authority present = {0};
        int r;

        r = su_authority_read(&publisher->workspace, SU_NEWEST, name, &present, err);
        if (r != -ENOENT)
                return r;
        r = su_staging_begin(&publisher->workspace, err);
        if (r >= 0)
                r = delegate(publisher, name, err);
        if (r >= 0)
                r = su_waiting_finish(publisher, false, &published, err);
        return r;
}

static void report(const struct recorder *recorder)
{
        (void)printf("Recorded baseline %s (%s): %zu files below /usr and /opt.\n",
                     recorder->baseline.name, recorder->baseline.os_name,
                     recorder->baseline.n_files);
        if (recorder->n_strange > 0)
                (void)printf("%zu files have names that no manifest can carry; they cannot be "
                             "fixed by an improvement.\n",
                             recorder->n_strange);
}

static int record(const char *tree, struct recorder *recorder, struct su_error *err)
{
        su_auto_os struct su_os os = {0};
        su_auto_close int root_fd = -EBADF;
        int r;

        r = su_dir_open(tree, &root_fd, err);
        if (r >= 0)
                r = su_os_read(root_fd, &os, err);
        if (r >= 0)
                r = name_baseline(&os, &recorder->baseline, err);
        if (r >= 0)
                r = su_tree_walk(root_fd, "usr", "/usr", SU_TREE_ALL, record_file, recorder, err);
        if (r >= 0)
                r = su_tree_walk(root_fd, "opt", "/opt", SU_TREE_ALL, record_file, recorder, err);
        if (r < 0)
                return r;
        su_baseline_sort(&recorder->baseline);
        return 0;
}

int su_verb_baseline(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_publisher struct su_publisher publisher = SU_PUBLISHER_EMPTY;
        su_auto(recorder_done) struct recorder recorder = {0};
        int r;

        if (!arguments->tree)
                return su_fail(err, SU_ERROR_USAGE, "say which OS tree with --tree");
        r = su_publisher_open(arguments, SU_WORKSPACE_CHANGE, &publisher, err);
        if (r >= 0)
                r = record(arguments->tree, &recorder, err);
        if (r >= 0)
                r = su_workspace_save_baseline(&publisher.workspace, &recorder.baseline, err);
        if (r >= 0)
                r = enter(&publisher, recorder.baseline.name, err);
        if (r < 0)
                return r;
        report(&recorder);
        return su_waiting_print(&publisher, err);
}
