/* The order in which a new state gets to the store. It is that of publishing.c, which proves it:
 *
 *     objects, targets, tiles, versioned metadata    nobody knows of them yet
 *     pages, the log's checkpoint                    for people and auditors; devices read neither
 *     for each new root: the timestamp that went out before it, then the root
 *     timestamp.json                                 with it everything is in force
 *
 * Each group is there in whole before the next one begins. A store replaces an object in one step,
 * and whoever reads after that reads the new one. So wherever an upload ends, devices find the
 * state before, or the new one; the next upload goes on where it ended, whatever public/ has
 * become.
 *
 * The timestamp before a root is not in public/ any more: the publisher keeps it in roots/. Where
 * it is not there, or has expired, or the store has a newer one, the root goes out without it, and
 * a device that comes in between is refused once, as publishing.c says of lost keys. */
#include "publish/upload/upload.h"

#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "publish/store/repository.h"
#include "publish/upload/client.h"
#include "publish/upload/survey.h"
#include "json/json.h"

#define TIMESTAMP "metadata/timestamp.json"
#define CHANGING_SIZE_MAX (64 * 1024 * 1024)

struct upload {
        const struct su_workspace *workspace;
        const struct su_s3_place *place;
        const struct su_upload_options *options;
        struct su_upload_counts *counts;
        struct su_s3 *s3;
        int public_fd;
        struct su_survey here, there;
        int64_t version; /* of the timestamp in the store; 0: there is none */
};

static void upload_done(struct upload *upload)
{
        su_s3_free(upload->s3);
        su_survey_done(&upload->here);
        su_survey_done(&upload->there);
        su_close_fd(&upload->public_fd);
}

static void tell(const struct upload *upload, const char *verb, const struct su_survey_file *file,
                 const char *cache)
{
        if (upload->options->told)
                upload->options->told(upload->options->userdata, verb, file->path, file->size,
                                      cache);
}

static struct su_s3_request put_of(const struct upload *upload, const struct su_survey_file *file)
{
        return (struct su_s3_request){
                .method = SU_S3_PUT,
                .path = file->path,
                .dir_fd = upload->public_fd,
                .file = file->path,
                .type = su_kind_content_type(file->path),
                .cache = su_kind_cache_control(file->kind),
        };
}

static int put_one(struct upload *upload, const struct su_survey_file *file, struct su_error *err)
{
        const struct su_s3_request request = put_of(upload, file);

        upload->counts->sent++;
        upload->counts->bytes += file->size;
        tell(upload, "put", file, request.cache);
        return upload->options->only_show ? 0 : su_s3_ask(upload->s3, &request, NULL, err);
}

/* What never changes is the same when it has the same name and size. */
static bool is_there(const struct upload *upload, const struct su_survey_file *file)
{
        const struct su_survey_file *other = su_survey_find(&upload->there, file->path);

        return other && other->size == file->size;
}

/* An object's name is its digest; one that rotted on this disk is not passed on. */
static bool digest_of(const struct su_survey_file *file, struct su_sha256 *ret)
{
        return file->kind == SU_KIND_OBJECT &&
               su_hex_decode(strrchr(file->path, '/') + 1, ret->bytes, sizeof ret->bytes);
}

static int put_group(struct upload *upload, enum su_kind kind, struct su_error *err)
{
        su_auto_free struct su_s3_request *requests = calloc(upload->here.n + 1, sizeof *requests);
        su_auto_free struct su_sha256 *digests = calloc(upload->here.n + 1, sizeof *digests);
        size_t n = 0;

        if (!requests || !digests)
                return su_fail_oom(err);
        for (size_t i = 0; i < upload->here.n; i++) {
                const struct su_survey_file *file = &upload->here.files[i];

                if (file->kind != kind)
                        continue;
                if (is_there(upload, file)) {
                        upload->counts->same++;
                        continue;
                }
                requests[n] = put_of(upload, file);
                if (digest_of(file, &digests[n]))
                        requests[n].digest = &digests[n];
                tell(upload, "put", file, requests[n].cache);
                upload->counts->bytes += file->size;
                n++;
        }
        upload->counts->sent += n;
        return n == 0 || upload->options->only_show
                       ? 0
                       : su_s3_ask_all(upload->s3, requests, n, upload->options->parallel, err);
}

/* What changes is the same when it has the same bytes. */
static int put_changing(struct upload *upload, const struct su_survey_file *file,
                        struct su_error *err)
{
        const struct su_s3_request request = {.method = SU_S3_GET, .path = file->path};
        struct su_s3_reply reply = {0};
        su_auto_free char *theirs = NULL;
        su_auto_free char *ours = NULL;
        size_t size;
        int r;

        if (!is_there(upload, file))
                return put_one(upload, file, err);
        r = su_file_read(upload->public_fd, file->path, CHANGING_SIZE_MAX, &ours, &size, err);
        if (r >= 0)
                r = su_s3_ask(upload->s3, &request, &reply, err);
        if (r < 0)
                return r;
        theirs = reply.body;
        if (!theirs || reply.size != size || memcmp(theirs, ours, size) != 0)
                return put_one(upload, file, err);
        upload->counts->same++;
        return 0;
}

static int put_changing_group(struct upload *upload, enum su_kind kind, struct su_error *err)
{
        int r = 0;

        for (size_t i = 0; i < upload->here.n && r >= 0; i++)
                if (upload->here.files[i].kind == kind)
                        r = put_changing(upload, &upload->here.files[i], err);
        return r;
}

/* What a timestamp says. */
struct stamp {
        int64_t version;
        int64_t expires;
        int64_t snapshot;
};

static int read_stamp(const char *text, size_t size, struct stamp *ret, struct su_error *err)
{
        su_auto_json json_t *document = NULL;
        json_t *part;
        json_t *meta;
        json_t *snapshot;
        const char *expires;
        int r;

        r = su_json_parse(text, size, &document, err);
        if (r >= 0)
                r = su_json_get_object(document, "signed", &part, err);
        if (r >= 0)
                r = su_json_get_integer(part, "version", 1, INT64_MAX, &ret->version, err);
        if (r >= 0)
                r = su_json_get_string(part, "expires", &expires, err);
        if (r >= 0 && !su_time_parse(expires, &ret->expires))
                return su_fail(err, SU_ERROR_FORMAT, "field 'expires' is not a time");
        if (r >= 0)
                r = su_json_get_object(part, "meta", &meta, err);
        if (r >= 0)
                r = su_json_get_object(meta, "snapshot.json", &snapshot, err);
        if (r >= 0)
                r = su_json_get_integer(snapshot, "version", 1, INT64_MAX, &ret->snapshot, err);
        return r;
}

/* Whoever uploads a state that is older than what is there, say from a copy of the workspace, would
 * have every device refuse it. */
static int check_version(struct upload *upload, struct su_error *err)
{
        const struct su_s3_request request = {.method = SU_S3_GET, .path = TIMESTAMP};
        struct su_s3_reply reply = {0};
        su_auto_free char *theirs = NULL;
        su_auto_free char *ours = NULL;
        struct stamp here = {0};
        struct stamp there = {0};
        size_t size;
        int r;

        r = su_file_read(upload->public_fd, TIMESTAMP, CHANGING_SIZE_MAX, &ours, &size, err);
        if (r == -ENOENT)
                return su_fail(err, SU_ERROR_NOT_FOUND, "nothing is published yet");
        if (r >= 0)
                r = read_stamp(ours, size, &here, err);
        if (r >= 0)
                r = su_s3_ask(upload->s3, &request, &reply, err);
        if (r < 0)
                return r;
        theirs = reply.body;
        if (!theirs || read_stamp(theirs, reply.size, &there, NULL) < 0)
                return 0; /* no device takes that either */
        upload->version = there.version;
        if (upload->options->force || there.version < here.version ||
            (reply.size == size && memcmp(ours, theirs, size) == 0))
                return 0;
        return su_fail(err, SU_ERROR_ROLLBACK,
                       "the timestamp there has version %lld, and the one here %lld: devices would "
                       "refuse what is here%s",
                       (long long)there.version, (long long)here.version,
                       there.version == here.version ? ", which another workspace made" : "");
}

/* The timestamp that goes out before that root; version 0 when it cannot be used. */
static int find_before_root(struct upload *upload, int64_t root, char **ret_file, struct stamp *ret,
                            struct su_error *err)
{
        su_auto_free char *snapshot = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        *ret = (struct stamp){0};
        r = su_format(ret_file, err, SU_ROOTS "/%lld.timestamp.json", (long long)root);
        if (r < 0)
                return r;
        r = su_file_read(upload->workspace->fd, *ret_file, CHANGING_SIZE_MAX, &text, &size, NULL);
        if (r >= 0)
                r = read_stamp(text, size, ret, NULL);
        if (r < 0) {
                *ret = (struct stamp){0};
                return r == -ENOMEM ? su_fail_oom(err) : 0;
        }
        r = su_format(&snapshot, err, "metadata/%lld.snapshot.json", (long long)ret->snapshot);
        if (r < 0)
                return r;
        if (ret->expires <= su_now() || !su_survey_find(&upload->here, snapshot))
                ret->version = 0;
        return 0;
}

/* Devices of the former root must hear of it, and must not be refused meanwhile. Where there is no
 * timestamp there are no such devices. */
static int put_before_root(struct upload *upload, int64_t root, struct su_error *err)
{
        su_auto_free char *file = NULL;
        struct su_s3_request request = {
                .method = SU_S3_PUT,
                .path = TIMESTAMP,
                .dir_fd = upload->workspace->fd,
                .type = su_kind_content_type(TIMESTAMP),
                .cache = su_kind_cache_control(SU_KIND_TIMESTAMP),
        };
        const struct su_survey_file told = {.path = (char *)TIMESTAMP};
        struct stamp stamp;
        int r;

        r = find_before_root(upload, root, &file, &stamp, err);
        if (r < 0 || upload->version == 0 || stamp.version <= upload->version)
                return r;
        request.file = file;
        upload->counts->sent++;
        tell(upload, "put", &told, request.cache);
        r = upload->options->only_show ? 0 : su_s3_ask(upload->s3, &request, NULL, err);
        if (r >= 0)
                upload->version = stamp.version;
        return r;
}

static int by_version(const void *a, const void *b)
{
        const struct su_survey_file *const *x = a;
        const struct su_survey_file *const *y = b;
        int64_t i = su_kind_root_version((*x)->path);
        int64_t j = su_kind_root_version((*y)->path);

        return (i > j) - (i < j);
}

/* One after the other: a device goes from each root to the next. */
static int put_roots(struct upload *upload, struct su_error *err)
{
        su_auto_free const struct su_survey_file **roots =
                calloc(upload->here.n + 1, sizeof(struct su_survey_file *));
        size_t n = 0;
        int r = 0;

        if (!roots)
                return su_fail_oom(err);
        for (size_t i = 0; i < upload->here.n; i++) {
                const struct su_survey_file *file = &upload->here.files[i];

                if (file->kind != SU_KIND_ROOT)
                        continue;
                if (is_there(upload, file))
                        upload->counts->same++;
                else
                        roots[n++] = file;
        }
        if (n > 0)
                qsort((void *)roots, n, sizeof(struct su_survey_file *), by_version);
        for (size_t i = 0; i < n && r >= 0; i++) {
                r = put_before_root(upload, su_kind_root_version(roots[i]->path), err);
                if (r >= 0)
                        r = put_one(upload, roots[i], err);
        }
        return r;
}

/* After everything else: a device may still be at what was in force before. */
static int prune(struct upload *upload, struct su_error *err)
{
        for (size_t i = 0; i < upload->there.n; i++) {
                const struct su_survey_file *file = &upload->there.files[i];
                const struct su_s3_request request = {.method = SU_S3_DELETE, .path = file->path};
                int r = 0;

                if (su_survey_find(&upload->here, file->path))
                        continue;
                upload->counts->removed++;
                tell(upload, "remove", file, NULL);
                if (!upload->options->only_show)
                        r = su_s3_ask(upload->s3, &request, NULL, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int look(struct upload *upload, struct su_error *err)
{
        int r;

        r = su_dir_make(upload->workspace->fd, "public", 0755, &upload->public_fd, err);
        if (r >= 0)
                r = su_s3_new(upload->place, &upload->s3, err);
        if (r >= 0)
                r = su_survey_here(upload->public_fd, &upload->here, err);
        if (r >= 0)
                r = su_survey_there(upload->s3, upload->place->prefix, &upload->there, err);
        return r < 0 ? r : check_version(upload, err);
}

static int put_all(struct upload *upload, struct su_error *err)
{
        int r = 0;

        for (enum su_kind kind = SU_KIND_OBJECT; kind <= SU_KIND_METADATA && r >= 0; kind++)
                r = put_group(upload, kind, err);
        if (r >= 0)
                r = put_changing_group(upload, SU_KIND_PAGE, err);
        if (r >= 0)
                r = put_changing_group(upload, SU_KIND_CHECKPOINT, err);
        if (r >= 0)
                r = put_roots(upload, err);
        if (r >= 0)
                r = put_changing_group(upload, SU_KIND_TIMESTAMP, err);
        return r;
}

int su_upload_run(const struct su_workspace *workspace, const struct su_s3_place *place,
                  const struct su_upload_options *options, struct su_upload_counts *ret,
                  struct su_error *err)
{
        su_auto(upload_done) struct upload upload = {
                .workspace = workspace,
                .place = place,
                .options = options,
                .counts = ret,
                .public_fd = -EBADF,
        };
        int r;

        *ret = (struct su_upload_counts){0};
        r = look(&upload, err);
        if (r >= 0)
                r = put_all(&upload, err);
        if (r >= 0 && options->prune)
                r = prune(&upload, err);
        return r;
}
