#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "delta/apply/format.h"
#include "delta/make/parts_make.h"

#define MAGIC_SIZE 4

static void cctx_free_p(ZSTD_CCtx **context)
{
        (void)ZSTD_freeCCtx(*context);
}

void su_bytes_done(struct su_bytes *bytes)
{
        free(bytes->data);
        *bytes = (struct su_bytes){0};
}

int su_bytes_add(struct su_bytes *bytes, const void *data, size_t size, struct su_error *err)
{
        if (size == 0)
                return 0;
        if (bytes->size + size > bytes->capacity) {
                size_t capacity = (bytes->size + size) * 2;
                uint8_t *larger = realloc(bytes->data, capacity);

                if (!larger)
                        return su_fail_oom(err);
                bytes->data = larger;
                bytes->capacity = capacity;
        }
        memcpy(bytes->data + bytes->size, data, size);
        bytes->size += size;
        return 0;
}

static int set_parameters(ZSTD_CCtx *context, int level, int window_log, bool has_prefix,
                          struct su_error *err)
{
        const struct {
                ZSTD_cParameter parameter;
                int value;
        } parameters[] = {
                {ZSTD_c_compressionLevel, level},
                {ZSTD_c_windowLog, window_log},
                {ZSTD_c_enableLongDistanceMatching, has_prefix},
                {ZSTD_c_targetLength, level > 19 ? 4096 : 0},
                {ZSTD_c_checksumFlag, 0},
                {ZSTD_c_contentSizeFlag, 0},
        };

        for (size_t i = 0; i < SU_ELEMENTS(parameters); i++)
                if (ZSTD_isError(ZSTD_CCtx_setParameter(context, parameters[i].parameter,
                                                        parameters[i].value)))
                        return su_fail(err, SU_ERROR_SYSTEM,
                                       "libzstd refuses the encoder's parameters");
        return 0;
}

int su_pack(const uint8_t *data, size_t size, const uint8_t *prefix, size_t prefix_size, int level,
            int window_log, struct su_bytes *ret, struct su_error *err)
{
        su_auto(cctx_free_p) ZSTD_CCtx *context = ZSTD_createCCtx();
        size_t bound = ZSTD_compressBound(size), n;
        su_auto_free uint8_t *packed = malloc(bound);
        int r;

        if (!context || !packed)
                return su_fail_oom(err);
        r = set_parameters(context, level, window_log, prefix_size > 0, err);
        if (r < 0)
                return r;
        if (prefix_size && ZSTD_isError(ZSTD_CCtx_refPrefix(context, prefix, prefix_size)))
                return su_fail(err, SU_ERROR_SYSTEM, "libzstd refuses the sources");
        n = ZSTD_compress2(context, packed, bound, data, size);
        if (ZSTD_isError(n))
                return su_fail(err, SU_ERROR_SYSTEM, "libzstd cannot encode: %s",
                               ZSTD_getErrorName(n));
        return su_bytes_add(ret, packed + MAGIC_SIZE, n - MAGIC_SIZE, err);
}
