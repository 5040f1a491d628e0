#include "device/store.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "transparency/proof.h"

#define MANIFEST_SUFFIX ".json"
#define PROOF_SUFFIX ".tlog-proof"

static int save(int state_fd, const char *directory, const char *name, const char *text,
                size_t size, struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        int r;

        r = su_dir_make(state_fd, directory, 0755, &fd, err);
        if (r < 0)
                return r;
        return su_file_write(fd, name, text, size, 0644, err);
}

int su_store_manifest_name(const char *baseline, const struct su_level *level, char **ret,
                           struct su_error *err)
{
        return su_format(ret, err, "%s.%s" MANIFEST_SUFFIX, baseline, level->name);
}

int su_store_save_manifest(int state_fd, const char *baseline, const struct su_level *level,
                           const char *text, size_t size, struct su_error *err)
{
        su_auto_free char *name = NULL;
        int r;

        r = su_store_manifest_name(baseline, level, &name, err);
        if (r < 0)
                return r;
        return save(state_fd, "manifests", name, text, size, err);
}

int su_store_read_manifest(int state_fd, const char *baseline, const struct su_level *level,
                           char **ret_text, size_t *ret_size, struct su_error *err)
{
        su_auto_free char *name = NULL;
        su_auto_close int fd = -EBADF;
        int r;

        r = su_store_manifest_name(baseline, level, &name, err);
        if (r < 0)
                return r;
        fd = openat(state_fd, "manifests", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot open the stored manifests");
        r = su_file_read(fd, name, SU_MANIFEST_SIZE_MAX, ret_text, ret_size, err);
        if (r < 0)
                return su_fail_prefix(err, r, "stored manifest of %s (%s)", baseline, level->name);
        return 0;
}

int su_store_load_manifest(int state_fd, const char *baseline, const struct su_level *level,
                           struct su_manifest *ret, struct su_error *err)
{
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_store_read_manifest(state_fd, baseline, level, &text, &size, err);
        if (r < 0)
                return r;
        r = su_manifest_parse(text, size, ret, err);
        if (r < 0)
                return su_fail_prefix(err, r, "stored manifest of %s (%s)", baseline, level->name);
        return 0;
}

int su_store_proof_name(const char *baseline, const struct su_level *level, char **ret,
                        struct su_error *err)
{
        return su_format(ret, err, "%s.%s" PROOF_SUFFIX, baseline, level->name);
}

int su_store_save_proof(int state_fd, const char *baseline, const struct su_level *level,
                        const char *proof, struct su_error *err)
{
        su_auto_free char *name = NULL;
        int r;

        r = su_store_proof_name(baseline, level, &name, err);
        return r < 0 ? r : save(state_fd, "proofs", name, proof, strlen(proof), err);
}

int su_store_load_proof(int state_fd, const char *baseline, const struct su_level *level,
                        char **ret, struct su_error *err)
{
        su_auto_free char *name = NULL;
        su_auto_close int fd = -EBADF;
        size_t size;
        int r;

        r = su_store_proof_name(baseline, level, &name, err);
        if (r < 0)
                return r;
        fd = openat(state_fd, "proofs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot open the stored proofs");
        return su_file_read(fd, name, SU_LOG_PROOF_SIZE_MAX, ret, &size, err);
}

static int append_manifest(int state_fd, const char *baseline, const struct su_level *level,
                           struct su_manifest_list *list, struct su_error *err)
{
        struct su_manifest *larger =
                reallocarray(list->manifests, list->n_manifests + 1, sizeof *larger);
        int r;

        if (!larger)
                return su_fail_oom(err);
        list->manifests = larger;
        larger[list->n_manifests] = (struct su_manifest){0};
        r = su_store_load_manifest(state_fd, baseline, level, &larger[list->n_manifests], err);
        if (r >= 0)
                list->n_manifests++;
        return r;
}

/* "BASELINE.LEVEL" and a suffix; a baseline may have dots of its own. */
static bool parse_level_name(const char *name, const char *suffix, char **ret_baseline,
                             struct su_level *ret_level)
{
        su_auto_free char *baseline = NULL;
        char *dot;

        if (!su_ends_with(name, suffix))
                return false;
        baseline = strndup(name, strlen(name) - strlen(suffix));
        dot = baseline ? strrchr(baseline, '.') : NULL;
        if (!dot || !su_level_parse(dot + 1, ret_level))
                return false;
        *dot = '\0';
        if (!su_name_is_safe(baseline))
                return false;
        *ret_baseline = su_take(baseline);
        return true;
}

bool su_store_parse_manifest_name(const char *name, char **ret_baseline, struct su_level *ret_level)
{
        return parse_level_name(name, MANIFEST_SUFFIX, ret_baseline, ret_level);
}

bool su_store_parse_proof_name(const char *name, char **ret_baseline, struct su_level *ret_level)
{
        return parse_level_name(name, PROOF_SUFFIX, ret_baseline, ret_level);
}

static bool is_manifest_of(const char *name, const char *baseline, struct su_level *ret)
{
        su_auto_free char *whose = NULL;

        return su_store_parse_manifest_name(name, &whose, ret) && strcmp(whose, baseline) == 0;
}

/* NULL: there are none. */
static int open_manifests(int state_fd, DIR **ret, struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        DIR *dir;

        *ret = NULL;
        if (state_fd < 0)
                return 0;
        fd = openat(state_fd, "manifests", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
                return 0;
        dir = fd < 0 ? NULL : fdopendir(fd);
        if (!dir)
                return su_fail_errno(err, errno, "cannot list the stored manifests");
        (void)su_take_fd(&fd); /* it is the directory's */
        *ret = dir;
        return 0;
}

int su_store_load_manifests(int state_fd, const char *baseline, bool sound_only,
                            struct su_manifest_list *ret, struct su_error *err)
{
        su_auto_closedir DIR *dir = NULL;
        struct su_manifest_list list = {0};
        struct dirent *entry;
        int r;

        r = open_manifests(state_fd, &dir, err);
        while (r >= 0 && dir && (entry = readdir(dir))) {
                struct su_level level;

                if (is_manifest_of(entry->d_name, baseline, &level))
                        r = append_manifest(state_fd, baseline, &level, &list, err);
                if (sound_only && !su_is_want(r))
                        r = 0;
        }
        if (r < 0) {
                su_manifest_list_done(&list);
                return r;
        }
        *ret = list;
        return 0;
}

int su_store_newest_level(int state_fd, const char *baseline, struct su_level *ret,
                          struct su_error *err)
{
        su_auto_closedir DIR *dir = NULL;
        struct su_level newest = {0};
        struct dirent *entry;
        int r;

        r = open_manifests(state_fd, &dir, err);
        if (r < 0)
                return r;
        errno = 0;
        while (dir && (entry = readdir(dir))) {
                struct su_level level;

                if (is_manifest_of(entry->d_name, baseline, &level) &&
                    su_level_compare(&level, &newest) > 0)
                        newest = level;
                errno = 0;
        }
        if (dir && errno != 0)
                return su_fail_errno(err, errno, "cannot list the stored manifests");
        *ret = newest;
        return 0;
}
