#include "publish/store/repository.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "trust/meta.h"

enum su_role su_role_type(const char *name)
{
        for (enum su_role role = 0; role < SU_ROLES; role++)
                if (strcmp(name, su_role_name(role)) == 0)
                        return role;
        return SU_ROLE_TARGETS;
}

int su_role_file(const char *role, int64_t version, char **ret, struct su_error *err)
{
        if (strcmp(role, su_role_name(SU_ROLE_TIMESTAMP)) == 0)
                return su_format(ret, err, "%s.json", role);
        return su_format(ret, err, "%lld.%s.json", (long long)version, role);
}

bool su_role_file_parse(const char *file, int64_t *ret_version, const char **ret_role,
                        size_t *ret_role_size)
{
        char *end;
        long long version;

        if (file[0] < '1' || file[0] > '9' || !su_ends_with(file, ".json"))
                return false;
        errno = 0;
        version = strtoll(file, &end, 10);
        if (errno != 0 || *end != '.' || strlen(end) <= strlen("..json"))
                return false;
        *ret_version = version;
        *ret_role = end + 1;
        *ret_role_size = strlen(end + 1) - strlen(".json");
        return true;
}

static int read_metadata(const struct su_workspace *workspace, const char *directory,
                         const char *file, const char *role, struct su_metadata *ret,
                         struct su_error *err)
{
        su_auto_free char *path = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_format(&path, err, "%s/%s", directory, file);
        if (r >= 0)
                r = su_file_read(workspace->fd, path, SU_METADATA_FILE_MAX, &text, &size, err);
        if (r >= 0)
                r = su_metadata_parse(su_role_type(role), role, text, size, ret, err);
        return r;
}

/* The version of the newest file of a role in a directory; 0: there is none. */
static int64_t newest_version(const struct su_workspace *workspace, const char *directory,
                              const char *role)
{
        int fd = openat(workspace->fd, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        su_auto_closedir DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
        const struct dirent *entry;
        int64_t newest = 0;

        while (dir && (entry = readdir(dir))) {
                const char *name;
                int64_t version;
                size_t size;

                if (su_role_file_parse(entry->d_name, &version, &name, &size) &&
                    size == strlen(role) && memcmp(name, role, size) == 0 && version > newest)
                        newest = version;
        }
        return newest;
}

static int read_newest(const struct su_workspace *workspace, const char *directory,
                       const char *role, struct su_metadata *ret, struct su_error *err)
{
        int64_t version = newest_version(workspace, directory, role);
        su_auto_free char *file = NULL;
        int r;

        if (version == 0)
                return su_fail(err, SU_ERROR_NOT_FOUND, "there is no metadata of role '%s' yet",
                               role);
        r = su_role_file(role, version, &file, err);
        return r < 0 ? r : read_metadata(workspace, directory, file, role, ret, err);
}

int su_repository_staged(const struct su_workspace *workspace, const char *role,
                         struct su_metadata *ret, struct su_error *err)
{
        return read_newest(workspace, workspace->staging, role, ret, err);
}

/* What is published of a role: the timestamp says which snapshot, that says which targets. */
static int read_published(const struct su_workspace *workspace, const char *role,
                          struct su_metadata *ret, struct su_error *err)
{
        enum su_role type = su_role_type(role);
        su_auto_metadata struct su_metadata above = {0};
        su_auto_free char *listed = NULL;
        su_auto_free char *file = NULL;
        struct su_meta_entry entry = {.version = 1};
        int r = 0;

        if (type == SU_ROLE_ROOT)
                return read_newest(workspace, "public/metadata", role, ret, err);
        if (type != SU_ROLE_TIMESTAMP) {
                r = read_published(workspace,
                                   su_role_name(type == SU_ROLE_SNAPSHOT ? SU_ROLE_TIMESTAMP
                                                                         : SU_ROLE_SNAPSHOT),
                                   &above, err);
                if (r >= 0)
                        r = su_format(&listed, err, "%s.json", role);
                if (r >= 0)
                        r = su_meta_entry_read(&above, listed, &entry, err);
        }
        if (r >= 0)
                r = su_role_file(role, entry.version, &file, err);
        if (r >= 0)
                r = read_metadata(workspace, "public/metadata", file, role, ret, err);
        return r;
}

int su_repository_metadata(const struct su_workspace *workspace, enum su_view view,
                           const char *role, struct su_metadata *ret, struct su_error *err)
{
        int r;

        if (view == SU_NEWEST) {
                r = su_repository_staged(workspace, role, ret, err);
                if (r != -ENOENT)
                        return r;
        }
        return read_published(workspace, role, ret, err);
}

/* DIR/SHA256.NAME below `directory`/targets. */
static int read_target_file(const struct su_workspace *workspace, const char *directory,
                            const char *path, const char *hex, char **ret_text, size_t *ret_size,
                            struct su_error *err)
{
        const char *slash = strrchr(path, '/');
        su_auto_free char *file = NULL;
        int r;

        r = su_format(&file, err, "%s/targets/%.*s/%s.%s", directory, (int)(slash - path), path,
                      hex, slash + 1);
        if (r < 0)
                return r;
        return su_file_read(workspace->fd, file, SU_METADATA_FILE_MAX, ret_text, ret_size, err);
}

/* A target of the role `baseline`. */
static int read_target(const struct su_workspace *workspace, enum su_view view,
                       const char *baseline, const char *path, char **ret_text, size_t *ret_size,
                       struct su_error *err)
{
        su_auto_metadata struct su_metadata metadata = {0};
        json_t *targets;
        json_t *entry;
        json_t *hashes;
        const char *hex;
        int r;

        r = su_repository_metadata(workspace, view, baseline, &metadata, err);
        if (r >= 0)
                r = su_json_get_object(metadata.signed_part, "targets", &targets, err);
        if (r < 0)
                return r;
        entry = json_object_get(targets, path);
        if (!entry)
                return su_fail(err, SU_ERROR_NOT_FOUND, "'%s' is not published", path);
        r = su_json_get_object(entry, "hashes", &hashes, err);
        if (r >= 0)
                r = su_json_get_string(hashes, "sha256", &hex, err);
        if (r < 0)
                return r;
        if (view == SU_NEWEST) {
                r = read_target_file(workspace, workspace->staging, path, hex, ret_text, ret_size,
                                     err);
                if (r != -ENOENT)
                        return r;
        }
        return read_target_file(workspace, "public", path, hex, ret_text, ret_size, err);
}

int su_repository_channel(const struct su_workspace *workspace, enum su_view view,
                          const char *baseline, struct su_channel *ret, struct su_error *err)
{
        su_auto_free char *path = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_channel_target(baseline, &path, err);
        if (r >= 0)
                r = read_target(workspace, view, baseline, path, &text, &size, err);
        if (r >= 0)
                r = su_channel_parse(text, size, ret, err);
        return r;
}

int su_repository_manifest(const struct su_workspace *workspace, enum su_view view,
                           const char *baseline, const struct su_level *level,
                           struct su_manifest *ret, struct su_error *err)
{
        su_auto_free char *path = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_manifest_target(baseline, level, &path, err);
        if (r >= 0)
                r = read_target(workspace, view, baseline, path, &text, &size, err);
        if (r >= 0)
                r = su_manifest_parse(text, size, ret, err);
        return r;
}

bool su_repository_has_staged_level(const struct su_workspace *workspace, const char *baseline)
{
        su_auto_free char *path = NULL;

        return su_format(&path, NULL, "%s/targets/%s", workspace->staging, baseline) >= 0 &&
               faccessat(workspace->fd, path, F_OK, 0) == 0;
}

int su_repository_add_object(const struct su_workspace *workspace, int from_fd,
                             const struct su_object *object, struct su_error *err)
{
        char hex[SU_SHA256_HEX_SIZE];
        su_auto_close int dir_fd = -EBADF;
        su_auto_close int in_fd = -EBADF;
        su_auto_close int out_fd = -EBADF;
        su_auto_free char *directory = NULL;
        int r;

        su_hex_encode(object->sha256.bytes, sizeof object->sha256.bytes, hex);
        r = su_format(&directory, err, "public/objects/%.2s", hex);
        if (r >= 0)
                r = su_dir_make(workspace->fd, directory, 0755, &dir_fd, err);
        if (r < 0)
                return r;
        if (faccessat(dir_fd, hex, F_OK, 0) == 0)
                return 0;
        in_fd = openat(from_fd, hex, O_RDONLY | O_CLOEXEC);
        if (in_fd < 0)
                return su_fail_errno(err, errno, "cannot open object %s", hex);
        out_fd = openat(dir_fd, "partial", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (out_fd < 0)
                return su_fail_errno(err, errno, "cannot create object %s", hex);
        r = su_copy_all(in_fd, out_fd, hex, err);
        if (r >= 0)
                r = su_file_publish(dir_fd, out_fd, "partial", hex, err);
        return r;
}
