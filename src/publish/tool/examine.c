#include "publish/tool/examine.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "crypto/sha256.h"
#include "fetch/fetch.h"
#include "publish/store/repository.h"
#include "trust/client.h"

/* A device that lives for one look. */
struct visitor {
        char *directory; /* of its trusted metadata */
        int fd;
        struct su_fetch *metadata;
        struct su_fetch *targets;
        struct su_fetch *objects;
        struct su_trust *trust;
};

static void visitor_done(struct visitor *visitor)
{
        su_trust_free(visitor->trust);
        su_fetch_free(visitor->metadata);
        su_fetch_free(visitor->targets);
        su_fetch_free(visitor->objects);
        su_close_fd(&visitor->fd);
        if (visitor->directory)
                (void)su_remove_tree(AT_FDCWD, visitor->directory, NULL);
        free(visitor->directory);
}

static int get(void *userdata, enum su_repository_part part, const char *name, size_t max,
               char **ret_data, size_t *ret_size, struct su_error *err)
{
        const struct visitor *visitor = userdata;

        return su_fetch_to_memory(part == SU_PART_METADATA ? visitor->metadata : visitor->targets,
                                  name, max, ret_data, ret_size, err);
}

int su_examine_local_url(const struct su_workspace *workspace, char **ret, struct su_error *err)
{
        su_auto_free char *encoded = NULL;
        int r;

        r = su_percent_encode(workspace->path, "/", &encoded, err);
        return r < 0 ? r : su_format(ret, err, "file://%s/public", encoded);
}

static int make_directory(struct visitor *visitor, struct su_error *err)
{
        const char *parent = getenv("TMPDIR");
        su_auto_free char *path = NULL;
        int r;

        r = su_format(&path, err, "%s/suture-check.XXXXXX", parent ? parent : "/tmp");
        if (r < 0)
                return r;
        if (!mkdtemp(path))
                return su_fail_errno(err, errno, "cannot make a directory in '%s'",
                                     parent ? parent : "/tmp");
        visitor->directory = su_take(path);
        return su_dir_open(visitor->directory, &visitor->fd, err);
}

static int open_part(const char *url, const char *part, struct su_fetch **ret, struct su_error *err)
{
        su_auto_free char *base = NULL;
        int r;

        r = su_format(&base, err, "%s/%s", url, part);
        return r < 0 ? r : su_fetch_new(base, ret, err);
}

static int open_visitor(struct visitor *visitor, const char *url, struct su_error *err)
{
        int r;

        r = make_directory(visitor, err);
        if (r >= 0)
                r = open_part(url, "metadata", &visitor->metadata, err);
        if (r >= 0)
                r = open_part(url, "targets", &visitor->targets, err);
        if (r >= 0)
                r = su_fetch_new(url, &visitor->objects, err);
        return r;
}

static int refresh(int dir_fd, const char *root, struct visitor *visitor, struct su_error *err)
{
        const struct su_transport transport = {.get = get, .userdata = visitor};
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_file_read(dir_fd, root, SU_METADATA_FILE_MAX, &text, &size, err);
        if (r == -ENOENT)
                return su_fail(err, SU_ERROR_NOT_FOUND,
                               "nothing is published yet: there is no '%s'", root);
        if (r >= 0)
                r = su_trust_init(visitor->fd, text, size, err);
        if (r >= 0)
                r = su_trust_open(visitor->fd, &visitor->trust, err);
        return r < 0 ? r : su_trust_refresh(visitor->trust, &transport, su_now(), err);
}

/* What the visitor trusts of a role by now; -ENOENT when it did not come that far. */
static int read_trusted(const struct visitor *visitor, const char *role, struct su_metadata *ret,
                        struct su_error *err)
{
        su_auto_free char *encoded = NULL;
        su_auto_free char *file = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_percent_encode(role, "", &encoded, err);
        if (r >= 0)
                r = su_format(&file, err, "%s.json", encoded);
        if (r >= 0)
                r = su_file_read(visitor->fd, file, SU_METADATA_FILE_MAX, &text, &size, err);
        if (r >= 0)
                r = su_metadata_parse(su_role_type(role), role, text, size, ret, err);
        return r;
}

static int note_role(const struct visitor *visitor, const char *role, json_t *found,
                     struct su_error *err)
{
        su_auto_metadata struct su_metadata metadata = {0};
        const char *expires;
        int r;

        r = read_trusted(visitor, role, &metadata, NULL);
        if (r < 0)
                return 0; /* the reason is told by who wanted it */
        expires = json_string_value(json_object_get(metadata.signed_part, "expires"));
        if (json_array_append_new(json_object_get(found, "roles"),
                                  json_pack("{s:s, s:I, s:s}", "role", role, "version",
                                            (json_int_t)metadata.version, "expires", expires)) < 0)
                return su_fail_oom(err);
        return 0;
}

static int check_object(const struct visitor *visitor, const struct su_object *object,
                        struct su_error *err)
{
        su_auto_close int fd = openat(visitor->fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        su_auto_free char *path = NULL;
        struct su_sha256 digest;
        int r;

        if (fd < 0)
                return su_fail_errno(err, errno, "cannot make a temporary file");
        r = su_object_path(object, &path, err);
        if (r >= 0)
                r = su_fetch_to_fd(visitor->objects, path, object->size, fd, err);
        if (r >= 0)
                r = su_sha256_of_fd(fd, path, &digest, NULL, err);
        if (r >= 0 && !su_sha256_equal(&digest, &object->sha256))
                r = su_fail(err, SU_ERROR_DIGEST,
                            "'%s' is damaged: its SHA-256 is not the signed "
                            "one",
                            path);
        return r;
}

static int check_objects(const struct visitor *visitor, const struct su_manifest *manifest,
                         uint64_t *ret_n, uint64_t *ret_bytes, struct su_error *err)
{
        *ret_n = 0;
        *ret_bytes = 0;
        for (size_t i = 0; i < manifest->n_components; i++)
                for (size_t j = 0; j < manifest->components[i].n_deltas; j++) {
                        const struct su_object *object = &manifest->components[i].deltas[j].object;
                        int r = check_object(visitor, object, err);

                        if (r < 0)
                                return r;
                        *ret_n += 1;
                        *ret_bytes += object->size;
                }
        return 0;
}

static int get_manifest(const struct visitor *visitor, const char *baseline,
                        const struct su_level *level, struct su_manifest *ret, struct su_error *err)
{
        su_auto_free char *path = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_manifest_target(baseline, level, &path, err);
        if (r >= 0)
                r = su_trust_get(visitor->trust, path, SU_MANIFEST_SIZE_MAX, &text, &size, err);
        return r < 0 ? r : su_manifest_parse(text, size, ret, err);
}

/* Leaves `ret` empty when nobody signs a channel for the baseline: nothing is released yet. */
static int get_channel(const struct visitor *visitor, const char *baseline, struct su_channel *ret,
                       struct su_error *err)
{
        su_auto_free char *path = NULL;
        su_auto_free char *text = NULL;
        struct su_target target;
        size_t size;
        int r;

        r = su_channel_target(baseline, &path, err);
        if (r >= 0)
                r = su_trust_find(visitor->trust, path, &target, err);
        if (r <= 0)
                return r;
        r = su_trust_get(visitor->trust, path, SU_CHANNEL_SIZE_MAX, &text, &size, err);
        return r < 0 ? r : su_channel_parse(text, size, ret, err);
}

static int examine_baseline(const struct visitor *visitor, const char *baseline, bool with_objects,
                            json_t *found, struct su_error *err)
{
        su_auto_manifest struct su_manifest manifest = {0};
        su_auto_channel struct su_channel channel = {0};
        uint64_t n = 0;
        uint64_t bytes = 0;
        const char *level;
        int r;

        r = get_channel(visitor, baseline, &channel, err);
        if (r < 0)
                return su_fail_prefix(err, r, "%s", baseline);
        level = channel.current.name[0] ? channel.current.name : NULL;
        r = level ? get_manifest(visitor, baseline, &channel.current, &manifest, err) : 0;
        if (r >= 0 && level && with_objects)
                r = check_objects(visitor, &manifest, &n, &bytes, err);
        if (r >= 0)
                r = note_role(visitor, baseline, found, err);
        if (r < 0)
                return su_fail_prefix(err, r, "%s", baseline);
        if (json_array_append_new(json_object_get(found, "baselines"),
                                  json_pack("{s:s, s:s?, s:I, s:I}", "name", baseline, "level",
                                            level, "objects", (json_int_t)n, "bytes",
                                            (json_int_t)bytes)) < 0)
                return su_fail_oom(err);
        return 0;
}

static int examine_baselines(const struct visitor *visitor, bool with_objects, json_t *found,
                             struct su_error *err)
{
        su_auto_delegations struct su_delegations delegations = {0};
        su_auto_metadata struct su_metadata targets = {0};
        int r;

        r = read_trusted(visitor, "targets", &targets, err);
        if (r >= 0)
                r = su_delegations_read(&targets, &delegations, err);
        for (size_t i = 0; i < delegations.n_roles && r >= 0; i++)
                r = examine_baseline(visitor, delegations.roles[i].name, with_objects, found, err);
        return r;
}

int su_examine(const struct su_workspace *workspace, const char *root, const char *url,
               bool with_objects, json_t *ret, struct su_error *err)
{
        su_auto(visitor_done) struct visitor visitor = {.fd = -EBADF};
        int noted = 0;
        int r;

        if (json_object_set_new(ret, "roles", json_array()) < 0 ||
            json_object_set_new(ret, "baselines", json_array()) < 0)
                return su_fail_oom(err);
        r = open_visitor(&visitor, url, err);
        if (r >= 0)
                r = refresh(workspace->fd, root, &visitor, err);
        for (enum su_role role = 0; role < SU_ROLES && visitor.fd >= 0 && noted >= 0; role++)
                noted = note_role(&visitor, su_role_name(role), ret, r < 0 ? NULL : err);
        if (r >= 0)
                r = noted;
        if (r >= 0)
                r = examine_baselines(&visitor, with_objects, ret, err);
        return r;
}

int su_examine_manifest(const char *root, const char *url, const char *baseline,
                        const struct su_level *level, struct su_manifest *ret, struct su_error *err)
{
        su_auto(visitor_done) struct visitor visitor = {.fd = -EBADF};
        int r;

        r = open_visitor(&visitor, url, err);
        if (r >= 0)
                r = refresh(AT_FDCWD, root, &visitor, err);
        return r < 0 ? r : get_manifest(&visitor, baseline, level, ret, err);
}
