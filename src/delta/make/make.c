#include "delta/make/make.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <zstd.h>

#include "base/file.h"
#include "delta/apply/apply.h"
#include "delta/apply/format.h"

#define FAST_LEVEL 6

struct bytes {
        uint8_t *data;
        size_t size;
};

static void bytes_done(struct bytes *bytes)
{
        free(bytes->data);
}

static void cctx_free_p(ZSTD_CCtx **context)
{
        (void)ZSTD_freeCCtx(*context);
}

static int append_file(int fd, const char *name, struct bytes *to, struct su_delta_module *ret,
                       struct su_error *err)
{
        struct stat st;
        uint8_t *larger;
        int r;

        if (fstat(fd, &st) < 0)
                return su_fail_errno(err, errno, "cannot look at '%s'", name);
        if ((uint64_t)st.st_size > SU_DELTA_TARGET_BYTES_MAX - to->size)
                return su_fail(err, SU_ERROR_TOO_LARGE, "'%s' is too large for a delta", name);
        larger = realloc(to->data, to->size + (size_t)st.st_size + 1);
        if (!larger)
                return su_fail_oom(err);
        to->data = larger;
        r = su_read_exact_at(fd, to->data + to->size, (size_t)st.st_size, 0, name, err);
        if (r < 0)
                return r;
        ret->size = (uint64_t)st.st_size;
        r = su_sha256_of(to->data + to->size, ret->size, &ret->sha256, err);
        if (r < 0)
                return r;
        to->size += ret->size;
        return 0;
}

static void put_little_endian(uint8_t **to, uint64_t value, size_t width)
{
        for (size_t i = 0; i < width; i++)
                *(*to)++ = (uint8_t)(value >> (8 * i));
}

static void put_module(uint8_t **to, const struct su_delta_module *module)
{
        put_little_endian(to, module->size, 8);
        memcpy(*to, module->sha256.bytes, SU_SHA256_SIZE);
        *to += SU_SHA256_SIZE;
}

static int write_head(int patch_fd, const struct su_delta_module *target,
                      const struct su_delta_module *sources, size_t n_sources, struct su_error *err)
{
        size_t size = SU_DELTA_MAGIC_SIZE + 8 + (1 + n_sources) * (8 + SU_SHA256_SIZE);
        su_auto_free uint8_t *head = malloc(size);
        uint8_t *to = head;

        if (!head)
                return su_fail_oom(err);
        memcpy(to, SU_DELTA_MAGIC, SU_DELTA_MAGIC_SIZE);
        to += SU_DELTA_MAGIC_SIZE;
        put_little_endian(&to, SU_DELTA_VERSION, 2);
        put_little_endian(&to, SU_DELTA_METHOD_ZSTD_PREFIX, 2);
        put_little_endian(&to, n_sources, 4);
        put_module(&to, target);
        for (size_t i = 0; i < n_sources; i++)
                put_module(&to, &sources[i]);
        return su_write_all(patch_fd, head, size, "delta", err);
}

static int compress_against(const struct bytes *prefix, const struct bytes *target,
                            enum su_delta_effort effort, struct bytes *ret, struct su_error *err)
{
        su_auto(cctx_free_p) ZSTD_CCtx *context = ZSTD_createCCtx();
        const struct {
                ZSTD_cParameter parameter;
                int value;
        } parameters[] = {
                {ZSTD_c_compressionLevel, effort == SU_DELTA_BEST ? ZSTD_maxCLevel() : FAST_LEVEL},
                {ZSTD_c_windowLog, su_delta_window_log(prefix->size + target->size)},
                {ZSTD_c_enableLongDistanceMatching, 1},
                {ZSTD_c_targetLength, effort == SU_DELTA_BEST ? 4096 : 0},
                {ZSTD_c_checksumFlag, 0},
                {ZSTD_c_contentSizeFlag, 1},
        };
        size_t bound = ZSTD_compressBound(target->size);
        size_t n;

        ret->data = malloc(bound);
        if (!context || !ret->data)
                return su_fail_oom(err);
        for (size_t i = 0; i < SU_ELEMENTS(parameters); i++)
                if (ZSTD_isError(ZSTD_CCtx_setParameter(context, parameters[i].parameter,
                                                        parameters[i].value)))
                        return su_fail(err, SU_ERROR_SYSTEM,
                                       "libzstd refuses the encoder's parameters");
        if (ZSTD_isError(ZSTD_CCtx_refPrefix(context, prefix->data, prefix->size)))
                return su_fail(err, SU_ERROR_SYSTEM, "libzstd refuses the sources");
        n = ZSTD_compress2(context, ret->data, bound, target->data, target->size);
        if (ZSTD_isError(n))
                return su_fail(err, SU_ERROR_SYSTEM, "libzstd cannot encode: %s",
                               ZSTD_getErrorName(n));
        ret->size = n;
        return 0;
}

/* apply() compares the digest of what it yields, so its success is the proof. */
static int verify(int patch_fd, const int *source_fds, const char *const *source_names,
                  size_t n_sources, struct su_error *err)
{
        su_auto_close int scratch_fd = memfd_create("suture-verify", MFD_CLOEXEC);
        int r;

        if (scratch_fd < 0)
                return su_fail_errno(err, errno, "cannot create a memory file");
        r = su_delta_apply(patch_fd, source_fds, source_names, n_sources, scratch_fd, NULL, NULL,
                           err);
        if (r < 0)
                return su_fail_prefix(err, r, "the new delta does not decode");
        return 0;
}

int su_delta_make(const int *source_fds, const char *const *source_names, size_t n_sources,
                  int target_fd, int patch_fd, enum su_delta_effort effort, struct su_error *err)
{
        su_auto_free struct su_delta_module *modules = calloc(n_sources + 1, sizeof *modules);
        su_auto(bytes_done) struct bytes prefix = {0};
        su_auto(bytes_done) struct bytes target = {0};
        su_auto(bytes_done) struct bytes body = {0};
        struct su_delta_module target_module;
        int r;

        if (!modules)
                return su_fail_oom(err);
        if (n_sources > SU_DELTA_SOURCES_MAX)
                return su_fail(err, SU_ERROR_TOO_LARGE, "too many sources for one delta");
        for (size_t i = 0; i < n_sources; i++) {
                r = append_file(source_fds[i], source_names[i], &prefix, &modules[i], err);
                if (r < 0)
                        return r;
        }
        if (prefix.size > SU_DELTA_SOURCE_BYTES_MAX)
                return su_fail(err, SU_ERROR_TOO_LARGE, "the sources are too large for one delta");
        r = append_file(target_fd, "target", &target, &target_module, err);
        if (r >= 0)
                r = compress_against(&prefix, &target, effort, &body, err);
        if (r >= 0)
                r = write_head(patch_fd, &target_module, modules, n_sources, err);
        if (r >= 0)
                r = su_write_all(patch_fd, body.data, body.size, "delta", err);
        if (r >= 0)
                r = verify(patch_fd, source_fds, source_names, n_sources, err);
        return r;
}
