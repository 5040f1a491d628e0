#include "publish/draft/results.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/file.h"
#include "base/text.h"
#include "delta/apply/apply.h"

#define RESULT_TYPE "suture-delta-result"
#define RESULT_VERSION 1
#define RECORD_SIZE_MAX 4096

int su_results_open(const char *workspace, const char *path, int *ret_fd, struct su_error *err)
{
        su_auto_close int workspace_fd = -EBADF;
        int r;

        if (path) {
                if (mkdir(path, 0755) < 0 && errno != EEXIST)
                        return su_fail_errno(err, errno, "cannot make '%s'", path);
                return su_dir_open(path, ret_fd, err);
        }
        r = su_dir_open(workspace, &workspace_fd, err);
        return r < 0 ? r : su_dir_make(workspace_fd, "deltas", 0755, ret_fd, err);
}

/* Of one process on one machine, whoever else does the same job. */
int su_results_temporary(const struct su_job *job, pid_t pid, const char *what, char **ret,
                         struct su_error *err)
{
        char hex[SU_SHA256_HEX_SIZE];
        struct utsname machine;

        if (uname(&machine) < 0)
                return su_fail_errno(err, errno, "cannot ask for the name of this machine");
        su_hex_encode(job->key.bytes, SU_SHA256_SIZE, hex);
        return su_format(ret, err, ".%s.%.64s.%ld.%s", hex, machine.nodename, (long)pid, what);
}

void su_results_forget(int store_fd, const struct su_job *job, pid_t pid)
{
        static const char *const whats[] = {SU_RESULT_DELTA, SU_RESULT_IMAGE, SU_RESULT_RECORD};

        for (size_t i = 0; i < SU_ELEMENTS(whats); i++) {
                su_auto_free char *name = NULL;

                if (su_results_temporary(job, pid, whats[i], &name, NULL) >= 0)
                        (void)unlinkat(store_fd, name, 0);
        }
}

static void record_name(const struct su_job *job, char ret[SU_SHA256_HEX_SIZE + 5])
{
        su_hex_encode(job->key.bytes, SU_SHA256_SIZE, ret);
        (void)memcpy(ret + SU_SHA256_HEX_SIZE - 1, ".json", sizeof ".json");
}

static int parse_record(const char *text, size_t size, struct su_result *ret, struct su_error *err)
{
        su_auto_json json_t *document = NULL;
        json_t *object;
        int64_t bytes;
        int r;

        r = su_json_parse(text, size, &document, err);
        if (r >= 0)
                r = su_json_expect_type(document, RESULT_TYPE, RESULT_VERSION, err);
        if (r >= 0)
                r = su_json_find_object(document, "object", &object, err);
        if (r < 0)
                return r;
        *ret = (struct su_result){.is_none = !object};
        if (!object)
                return 0;
        r = su_json_get_integer(object, "size", 0, INT64_MAX, &bytes, err);
        if (r < 0)
                return r;
        ret->object.size = (uint64_t)bytes;
        return su_json_get_hex(object, "sha256", ret->object.sha256.bytes, SU_SHA256_SIZE, err);
}

static int read_record(int store_fd, const struct su_job *job, struct su_result *ret,
                       struct su_error *err)
{
        char name[SU_SHA256_HEX_SIZE + 5];
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        record_name(job, name);
        if (faccessat(store_fd, name, F_OK, 0) < 0 && errno == ENOENT)
                return -ENOENT;
        r = su_file_read(store_fd, name, RECORD_SIZE_MAX, &text, &size, err);
        if (r >= 0)
                r = parse_record(text, size, ret, err);
        return r < 0 ? su_fail(err, SU_ERROR_DIGEST, "the record %s of a delta is damaged", name)
                     : 0;
}

/* What the head of the delta says that it is made from, and what it makes. */
static int check_head(int fd, const struct su_job *job, struct su_error *err)
{
        su_auto_delta_header struct su_delta_header header = {0};
        uint8_t wanted[SU_DELTA_SOURCE_CHECK_SIZE] = {0};
        su_auto_free struct su_sha256 *digests = calloc(job->n_sources + 1, sizeof *digests);
        int r;

        if (!digests)
                return su_fail_oom(err);
        for (size_t i = 0; i < job->n_sources; i++)
                digests[i] = job->sources[i].sha256;
        r = su_delta_header_read(fd, &header, err);
        if (r >= 0 && job->n_sources > 0)
                r = su_delta_source_check(digests, job->n_sources, wanted, err);
        if (r < 0)
                return r;
        if (header.target_size != job->target.size ||
            !su_sha256_equal(&header.target, &job->target_sha256) ||
            header.n_sources != job->n_sources ||
            memcmp(header.source_check, wanted, sizeof wanted) != 0)
                return su_fail(err, SU_ERROR_DIGEST, "it is the delta of something else");
        return 0;
}

static int check_object(int fd, const struct su_job *job, const struct su_object *object,
                        struct su_error *err)
{
        char hex[SU_SHA256_HEX_SIZE];
        struct su_sha256 digest;
        uint64_t size;
        int r;

        su_hex_encode(object->sha256.bytes, SU_SHA256_SIZE, hex);
        r = su_sha256_of_fd(fd, hex, &digest, &size, err);
        if (r >= 0 && (size != object->size || !su_sha256_equal(&digest, &object->sha256)))
                r = su_fail(err, SU_ERROR_DIGEST, "its bytes are not those that were made");
        if (r >= 0)
                r = check_head(fd, job, err);
        return r < 0 ? su_fail_prefix(err, r, "delta %s", hex) : 0;
}

static int open_object(int store_fd, const struct su_object *object, int *ret_fd,
                       struct su_error *err)
{
        char hex[SU_SHA256_HEX_SIZE];
        int fd;

        su_hex_encode(object->sha256.bytes, SU_SHA256_SIZE, hex);
        fd = openat(store_fd, hex, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
                return su_fail(err, SU_ERROR_DIGEST, "delta %s: it is gone", hex);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot open delta %s", hex);
        *ret_fd = fd;
        return 0;
}

int su_results_find(int store_fd, const struct su_job *job, struct su_result *ret,
                    struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        int r;

        r = read_record(store_fd, job, ret, err);
        if (r < 0 || ret->is_none)
                return r;
        r = open_object(store_fd, &ret->object, &fd, err);
        return r < 0 ? r : check_object(fd, job, &ret->object, err);
}

/* The copy is what is looked at: nobody else writes to it. */
int su_results_take(int store_fd, const struct su_job *job, int objects_fd, struct su_result *ret,
                    struct su_error *err)
{
        char hex[SU_SHA256_HEX_SIZE];
        su_auto_close int from_fd = -EBADF;
        su_auto_close int to_fd = -EBADF;
        int r;

        r = read_record(store_fd, job, ret, err);
        if (r < 0 || ret->is_none)
                return r;
        r = open_object(store_fd, &ret->object, &from_fd, err);
        if (r < 0)
                return r;
        su_hex_encode(ret->object.sha256.bytes, SU_SHA256_SIZE, hex);
        to_fd = openat(objects_fd, "partial", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (to_fd < 0)
                return su_fail_errno(err, errno, "cannot copy delta %s", hex);
        r = su_copy_all(from_fd, to_fd, hex, err);
        if (r >= 0)
                r = check_object(to_fd, job, &ret->object, err);
        if (r < 0) {
                (void)unlinkat(objects_fd, "partial", 0);
                return r;
        }
        return su_file_publish(objects_fd, to_fd, "partial", hex, err);
}

static int write_record(int store_fd, const struct su_job *job, json_t *object,
                        struct su_error *err)
{
        char name[SU_SHA256_HEX_SIZE + 5];
        su_auto_json json_t *document = NULL;
        su_auto_free char *text = NULL;
        su_auto_free char *temporary = NULL;
        su_auto_close int fd = -EBADF;
        size_t size;
        int r;

        document = json_pack("{s:s, s:i, s:o?}", "type", RESULT_TYPE, "version", RESULT_VERSION,
                             "object", object);
        if (!document)
                return su_fail_oom(err);
        r = su_json_pretty(document, &text, &size, err);
        if (r < 0)
                return r;
        record_name(job, name);
        r = su_results_temporary(job, getpid(), SU_RESULT_RECORD, &temporary, err);
        if (r < 0)
                return r;
        fd = openat(store_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot create '%s'", temporary);
        r = su_write_all(fd, text, size, temporary, err);
        return r < 0 ? r : su_file_publish(store_fd, fd, temporary, name, err);
}

int su_results_put(int store_fd, const struct su_job *job, const char *temporary, int fd,
                   struct su_error *err)
{
        char hex[SU_SHA256_HEX_SIZE];
        struct su_object object;
        json_t *entry = NULL;
        int r;

        if (fd >= 0) {
                r = su_sha256_of_fd(fd, temporary, &object.sha256, &object.size, err);
                if (r >= 0)
                        r = check_object(fd, job, &object, err);
                if (r < 0)
                        return r;
                su_hex_encode(object.sha256.bytes, SU_SHA256_SIZE, hex);
                r = su_file_publish(store_fd, fd, temporary, hex, err);
                if (r < 0)
                        return r;
                entry = json_pack("{s:I, s:s}", "size", (json_int_t)object.size, "sha256", hex);
                if (!entry)
                        return su_fail_oom(err);
        }
        return write_record(store_fd, job, entry, err);
}
