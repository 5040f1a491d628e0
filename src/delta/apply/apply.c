#include "delta/apply/apply.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/file.h"
#include "delta/apply/decode.h"
#include "delta/apply/space.h"

struct mapping {
        uint8_t *data;
        size_t size;
};

static void mapping_done(struct mapping *mapping)
{
        if (mapping->data)
                (void)munmap(mapping->data, mapping->size);
}

static int map_patch(int fd, struct mapping *ret, struct su_error *err)
{
        struct stat st;
        void *data;

        if (fstat(fd, &st) < 0)
                return su_fail_errno(err, errno, "cannot look at the delta");
        if (st.st_size <= 0)
                return su_fail(err, SU_ERROR_DELTA, "the delta is empty");
        data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED)
                return su_fail_errno(err, errno, "cannot map the delta");
        *ret = (struct mapping){data, (size_t)st.st_size};
        return 0;
}

int su_delta_header_read(int patch_fd, struct su_delta_header *ret, struct su_error *err)
{
        su_auto(mapping_done) struct mapping patch = {0};
        int r = map_patch(patch_fd, &patch, err);

        return r < 0 ? r : su_delta_header_parse(patch.data, patch.size, ret, err);
}

static int check_sizes(const struct su_delta_header *header, const struct su_space *space,
                       const char *const *names, struct su_error *err)
{
        if (header->n_sources != space->n)
                return su_fail(err, SU_ERROR_DELTA, "the delta wants %zu sources, not %zu",
                               header->n_sources, space->n);
        for (size_t i = 0; i < space->n; i++)
                if (space->sizes[i] != header->source_sizes[i])
                        return su_fail(err, SU_ERROR_BASELINE, "'%s' is %s than the delta expects",
                                       names[i],
                                       space->sizes[i] < header->source_sizes[i] ? "shorter"
                                                                                 : "longer");
        return 0;
}

static int check_sources(const struct su_delta_header *header, const struct su_space *space,
                         const char *const *names, struct su_error *err)
{
        su_auto_free struct su_sha256 *digests = calloc(space->n + 1, sizeof *digests);
        uint8_t check[SU_DELTA_SOURCE_CHECK_SIZE];
        int r = check_sizes(header, space, names, err);

        if (!digests)
                return su_fail_oom(err);
        for (size_t i = 0; i < space->n && r >= 0; i++) {
                r = su_sha256_of(space->data + space->offsets[i], space->sizes[i], &digests[i],
                                 err);
                if (r >= 0 && space->n > 1 &&
                    memcmp(digests[i].bytes, header->name_checks[i], SU_DELTA_NAME_CHECK_SIZE) != 0)
                        return su_fail(err, SU_ERROR_BASELINE,
                                       "'%s' is not the file the delta expects", names[i]);
        }
        if (r >= 0)
                r = su_delta_source_check(digests, space->n, check, err);
        if (r >= 0 && memcmp(check, header->source_check, sizeof check) != 0)
                return su_fail(err, SU_ERROR_BASELINE, "'%s' is not the file the delta expects",
                               space->n == 1 ? names[0] : "one of the sources");
        return r;
}

static int check_target(struct su_delta_sink *sink, const struct su_delta_header *header,
                        struct su_error *err)
{
        struct su_sha256 digest;
        int r;

        if (sink->written != header->target_size)
                return su_fail(err, SU_ERROR_DELTA, "the delta yields less than it declares");
        r = su_sha256_stream_finish(sink->hash, &digest, err);
        if (r < 0)
                return r;
        if (!su_sha256_equal(&digest, &header->target))
                return su_fail(err, SU_ERROR_DELTA,
                               "the delta yields other bytes than it declares");
        return 0;
}

struct sources {
        const int *fds;
        const char *const *names;
        size_t n;
};

static int apply_to(int patch_fd, const struct sources *sources, struct su_delta_sink *sink,
                    struct su_delta_account *account, struct su_error *err)
{
        su_auto_delta_header struct su_delta_header header = {0};
        su_auto_sha256_stream struct su_sha256_stream *hash = NULL;
        su_auto(mapping_done) struct mapping patch = {0};
        su_auto_space struct su_space space = {0};
        struct su_delta_job job;
        int r;

        r = map_patch(patch_fd, &patch, err);
        if (r >= 0)
                r = su_delta_header_parse(patch.data, patch.size, &header, err);
        if (r >= 0)
                r = su_space_map(sources->fds, sources->names, sources->n, &space, err);
        if (r >= 0)
                r = check_sources(&header, &space, sources->names, err);
        if (r >= 0)
                r = su_sha256_stream_new(&hash, err);
        if (r < 0)
                return r;
        sink->hash = hash;
        sink->expected = header.target_size;
        job = (struct su_delta_job){.header = &header,
                                    .space = &space,
                                    .body = patch.data + header.size,
                                    .body_size = patch.size - header.size,
                                    .sink = sink,
                                    .account = account};
        if (account)
                *account = (struct su_delta_account){.head = header.size};
        r = su_delta_decode(&job, err);
        return r < 0 ? r : check_target(sink, &header, err);
}

int su_delta_apply(int patch_fd, const int *source_fds, const char *const *source_names,
                   size_t n_sources, int target_fd, su_delta_progress progress, void *userdata,
                   struct su_error *err)
{
        struct su_delta_sink sink = {.fd = target_fd, .progress = progress, .userdata = userdata};

        return apply_to(patch_fd, &(struct sources){source_fds, source_names, n_sources}, &sink,
                        NULL, err);
}

int su_delta_inspect(int patch_fd, const int *source_fds, const char *const *source_names,
                     size_t n_sources, struct su_delta_account *ret, struct su_error *err)
{
        struct su_delta_sink sink = {.fd = -EBADF};

        return apply_to(patch_fd, &(struct sources){source_fds, source_names, n_sources}, &sink,
                        ret, err);
}
