#include <stdlib.h>
#include <zstd.h>

#include "delta/apply/decode.h"

struct su_unpacker {
        ZSTD_DCtx *context;
        ZSTD_inBuffer in;
        size_t hint; /* 0: the frame is complete */
};

static int refuse(size_t code, struct su_error *err)
{
        return su_fail(err, SU_ERROR_DELTA, "the delta is damaged: %s", ZSTD_getErrorName(code));
}

/* The magic that the file lacks. */
static int feed_magic(struct su_unpacker *unpacker, struct su_error *err)
{
        static const uint8_t magic[] = {0x28, 0xb5, 0x2f, 0xfd};
        ZSTD_inBuffer in = {magic, sizeof magic, 0};
        ZSTD_outBuffer out = {NULL, 0, 0};

        unpacker->hint = ZSTD_decompressStream(unpacker->context, &out, &in);
        return ZSTD_isError(unpacker->hint) ? refuse(unpacker->hint, err) : 0;
}

int su_unpacker_new(const uint8_t *data, size_t size, int window_log, const uint8_t *prefix,
                    size_t prefix_size, struct su_unpacker **ret, struct su_error *err)
{
        su_auto_unpacker struct su_unpacker *unpacker = calloc(1, sizeof *unpacker);
        int r;

        if (!unpacker)
                return su_fail_oom(err);
        unpacker->context = ZSTD_createDCtx();
        if (!unpacker->context)
                return su_fail_oom(err);
        if (ZSTD_isError(
                    ZSTD_DCtx_setParameter(unpacker->context, ZSTD_d_windowLogMax, window_log)) ||
            (prefix_size &&
             ZSTD_isError(ZSTD_DCtx_refPrefix(unpacker->context, prefix, prefix_size))))
                return su_fail(err, SU_ERROR_SYSTEM, "libzstd refuses the decoder's parameters");
        unpacker->in = (ZSTD_inBuffer){data, size, 0};
        r = feed_magic(unpacker, err);
        if (r < 0)
                return r;
        *ret = su_take(unpacker);
        return 0;
}

void su_unpacker_free(struct su_unpacker *unpacker)
{
        if (!unpacker)
                return;
        (void)ZSTD_freeDCtx(unpacker->context);
        free(unpacker);
}

int su_unpacker_read(struct su_unpacker *unpacker, uint8_t *to, size_t size, size_t *ret_size,
                     struct su_error *err)
{
        ZSTD_outBuffer out = {to, size, 0};

        while (out.pos < size && unpacker->hint != 0) {
                size_t before_in = unpacker->in.pos, before_out = out.pos;

                unpacker->hint = ZSTD_decompressStream(unpacker->context, &out, &unpacker->in);
                if (ZSTD_isError(unpacker->hint))
                        return refuse(unpacker->hint, err);
                if (unpacker->hint != 0 && unpacker->in.pos == before_in && out.pos == before_out)
                        return su_fail(err, SU_ERROR_DELTA, "the delta ends too early");
        }
        *ret_size = out.pos;
        return 0;
}

int su_unpacker_finish(struct su_unpacker *unpacker, struct su_error *err)
{
        uint8_t beyond;
        size_t n = 0;
        int r;

        r = su_unpacker_read(unpacker, &beyond, 1, &n, err);
        if (r < 0)
                return r;
        if (n > 0)
                return su_fail(err, SU_ERROR_DELTA, "the delta yields more than it declares");
        if (unpacker->in.pos < unpacker->in.size)
                return su_fail(err, SU_ERROR_DELTA, "bytes follow the end of the delta");
        return 0;
}
