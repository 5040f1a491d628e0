#include "delta/make/make.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/file.h"
#include "delta/apply/apply.h"
#include "delta/apply/space.h"
#include "delta/make/parts_make.h"

#define FAST_LEVEL 6
#define ESTIMATE_LEVEL 3
/* The best level makes of what the estimate is at least so much, in percent. */
#define BEST_OF_ESTIMATE 40

struct target {
        uint8_t *data; /* with eight bytes more */
        uint64_t size;
};

static void target_done(struct target *target)
{
        if (target->data)
                (void)munmap(target->data, target->size + 4096);
}

static int map_target(int fd, struct target *ret, struct su_error *err)
{
        struct stat st;
        void *data;

        if (fstat(fd, &st) < 0)
                return su_fail_errno(err, errno, "cannot look at the target");
        if (!S_ISREG(st.st_mode))
                return su_fail(err, SU_ERROR_USAGE, "the target is no regular file");
        if ((uint64_t)st.st_size > SU_DELTA_TARGET_BYTES_MAX)
                return su_fail(err, SU_ERROR_TOO_LARGE, "the target is too large for a delta");
        data = mmap(NULL, (size_t)st.st_size + 4096, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (data == MAP_FAILED)
                return su_fail_oom(err);
        *ret = (struct target){data, (uint64_t)st.st_size};
        if (ret->size > 0 &&
            mmap(data, ret->size, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) == MAP_FAILED)
                return su_fail_errno(err, errno, "cannot map the target");
        return 0;
}

static int make_header(const struct su_space *space, const struct target *target,
                       struct su_delta_header *ret, struct su_error *err)
{
        su_auto_free struct su_sha256 *digests = calloc(space->n + 1, sizeof *digests);
        int r;

        if (!digests)
                return su_fail_oom(err);
        r = su_delta_header_new(space->n, ret, err);
        for (size_t i = 0; i < space->n && r >= 0; i++) {
                ret->source_sizes[i] = space->sizes[i];
                r = su_sha256_of(space->data + space->offsets[i], space->sizes[i], &digests[i],
                                 err);
                memcpy(ret->name_checks[i], digests[i].bytes, SU_DELTA_NAME_CHECK_SIZE);
        }
        if (r >= 0)
                r = su_delta_source_check(digests, space->n, ret->source_check, err);
        if (r >= 0)
                r = su_sha256_of(target->data, target->size, &ret->target, err);
        ret->target_size = target->size;
        return r;
}

struct body {
        enum su_delta_method method;
        struct su_bytes bytes;
};

static void body_done(struct body *body)
{
        su_bytes_done(&body->bytes);
}

/* Take `other` when it is smaller. */
static void keep_smaller(struct body *body, enum su_delta_method method, struct su_bytes *other)
{
        if (other->size < body->bytes.size) {
                struct su_bytes larger = body->bytes;

                body->method = method;
                body->bytes = *other;
                *other = larger;
        }
}

static int try_zstd(const struct su_space *space, const struct target *target, int level,
                    struct body *body, struct su_error *err)
{
        su_auto_bytes struct su_bytes packed = {0};
        int r;

        r = su_pack(target->data, target->size, space->data, space->size, level,
                    su_delta_window_log(space->size + target->size), &packed, err);
        if (r >= 0)
                keep_smaller(body, SU_DELTA_ZSTD, &packed);
        return r;
}

/* zstd's best level is slow: it is asked only when it may win. */
static int try_all(const struct su_space *space, const struct target *target, struct body *body,
                   struct su_error *err)
{
        su_auto_bytes struct su_bytes parts = {0};
        su_auto_bytes struct su_bytes estimate = {0};
        struct su_error refused = {0};
        enum su_delta_method method;
        int r;

        r = su_parts_make(space, target->data, target->size, &method, &parts, &refused);
        if (r < 0 && refused.code != SU_ERROR_TOO_LARGE)
                return su_fail(err, refused.code, "%s", refused.message);
        if (r >= 0)
                keep_smaller(body, method, &parts);
        r = su_pack(target->data, target->size, space->data, space->size, ESTIMATE_LEVEL,
                    su_delta_window_log(space->size + target->size), &estimate, err);
        if (r < 0 || estimate.size / 100 * BEST_OF_ESTIMATE > body->bytes.size)
                return r;
        return try_zstd(space, target, ZSTD_maxCLevel(), body, err);
}

static int make_body(const struct su_space *space, const struct target *target,
                     enum su_delta_effort effort, struct body *ret, struct su_error *err)
{
        int r;

        ret->method = SU_DELTA_STORED;
        r = su_bytes_add(&ret->bytes, target->data, target->size, err);
        if (r < 0)
                return r;
        if (effort == SU_DELTA_FAST)
                return try_zstd(space, target, FAST_LEVEL, ret, err);
        if (space->n == 0)
                return try_zstd(space, target, ZSTD_maxCLevel(), ret, err);
        return try_all(space, target, ret, err);
}

/* It compares the digest of what it yields, so its success is the proof. */
static int verify(int patch_fd, const int *source_fds, const char *const *source_names,
                  size_t n_sources, struct su_error *err)
{
        struct su_delta_account account;
        int r = su_delta_inspect(patch_fd, source_fds, source_names, n_sources, &account, err);

        if (r < 0)
                return su_fail_prefix(err, r, "the new delta does not decode");
        return 0;
}

static int write_patch(int patch_fd, struct su_delta_header *header, const struct body *body,
                       struct su_error *err)
{
        su_auto_free uint8_t *head = NULL;
        size_t size;
        int r;

        header->method = body->method;
        r = su_delta_header_format(header, &head, &size, err);
        if (r >= 0)
                r = su_write_all(patch_fd, head, size, "delta", err);
        if (r >= 0)
                r = su_write_all(patch_fd, body->bytes.data, body->bytes.size, "delta", err);
        return r;
}

static bool is_in_parts(const struct body *body)
{
        return body->method == SU_DELTA_PARTS || body->method == SU_DELTA_PACKED;
}

/* A decoder refuses parts that take more work than it allows, and a file may be so odd that the two
 * sides disagree: then zstd tells it. */
static int make_without_parts(const struct su_space *space, const struct target *target,
                              int patch_fd, struct body *body, struct su_error *err)
{
        body->method = SU_DELTA_STORED;
        body->bytes.size = 0;
        if (ftruncate(patch_fd, 0) < 0 || lseek(patch_fd, 0, SEEK_SET) < 0)
                return su_fail_errno(err, errno, "cannot write the delta anew");
        if (su_bytes_add(&body->bytes, target->data, target->size, err) < 0)
                return su_fail_oom(err);
        return try_zstd(space, target, ZSTD_maxCLevel(), body, err);
}

int su_delta_make(const int *source_fds, const char *const *source_names, size_t n_sources,
                  int target_fd, int patch_fd, enum su_delta_effort effort, struct su_error *err)
{
        su_auto_delta_header struct su_delta_header header = {0};
        su_auto(target_done) struct target target = {0};
        su_auto(body_done) struct body body = {0};
        su_auto_space struct su_space space = {0};
        struct su_error failed = {0};
        int r;

        r = su_space_map(source_fds, source_names, n_sources, &space, err);
        if (r >= 0)
                r = map_target(target_fd, &target, err);
        if (r >= 0)
                r = make_header(&space, &target, &header, err);
        if (r >= 0)
                r = make_body(&space, &target, effort, &body, err);
        if (r >= 0)
                r = write_patch(patch_fd, &header, &body, err);
        if (r < 0)
                return r;
        r = verify(patch_fd, source_fds, source_names, n_sources, &failed);
        if (r >= 0)
                return 0;
        if (failed.code != SU_ERROR_DELTA || !is_in_parts(&body))
                return su_fail(err, failed.code, "%s", failed.message);
        r = make_without_parts(&space, &target, patch_fd, &body, err);
        if (r >= 0)
                r = write_patch(patch_fd, &header, &body, err);
        return r < 0 ? r : verify(patch_fd, source_fds, source_names, n_sources, err);
}
