#include "delta/apply/apply.h"

#include <string.h>
#include <sys/mman.h>
#include <zstd.h>

#include "base/file.h"
#include "base/reader.h"
#include "delta/apply/format.h"

#define HEAD_SIZE (SU_DELTA_MAGIC_SIZE + 2 + 2 + 4)
#define MODULE_SIZE (8 + SU_SHA256_SIZE)

static void read_module(struct su_reader *reader, struct su_delta_module *ret)
{
        const void *digest;

        ret->size = su_reader_le64(reader);
        digest = su_reader_bytes(reader, SU_SHA256_SIZE);
        if (digest)
                memcpy(ret->sha256.bytes, digest, SU_SHA256_SIZE);
}

static int read_head(int patch_fd, void *data, size_t size, uint64_t offset, struct su_error *err)
{
        int r;

        r = su_read_exact_at(patch_fd, data, size, offset, "delta", err);
        if (r == -ENODATA)
                return su_fail(err, SU_ERROR_DELTA, "the delta ends too early");
        return r;
}

static int read_modules(int patch_fd, struct su_delta_header *header, struct su_error *err)
{
        size_t size = (1 + header->n_sources) * MODULE_SIZE;
        su_auto_free uint8_t *table = malloc(size);
        struct su_reader reader;
        int r;

        header->sources = calloc(header->n_sources + 1, sizeof *header->sources);
        if (!table || !header->sources)
                return su_fail_oom(err);
        r = read_head(patch_fd, table, size, HEAD_SIZE, err);
        if (r < 0)
                return r;
        su_reader_init(&reader, table, size);
        read_module(&reader, &header->target);
        if (header->target.size > SU_DELTA_TARGET_BYTES_MAX)
                return su_fail(err, SU_ERROR_DELTA, "the delta's target is too large");
        for (size_t i = 0; i < header->n_sources; i++) {
                read_module(&reader, &header->sources[i]);
                if (header->sources[i].size > SU_DELTA_SOURCE_BYTES_MAX - header->source_bytes)
                        return su_fail(err, SU_ERROR_DELTA, "the delta's sources are too large");
                header->source_bytes += header->sources[i].size;
        }
        header->body_offset = HEAD_SIZE + size;
        return 0;
}

int su_delta_header_read(int patch_fd, struct su_delta_header *ret, struct su_error *err)
{
        su_auto_delta_header struct su_delta_header header = {0};
        uint8_t head[HEAD_SIZE];
        struct su_reader reader;
        const void *magic;
        unsigned version;
        int r;

        r = read_head(patch_fd, head, sizeof head, 0, err);
        if (r < 0)
                return r;
        su_reader_init(&reader, head, sizeof head);
        magic = su_reader_bytes(&reader, SU_DELTA_MAGIC_SIZE);
        if (memcmp(magic, SU_DELTA_MAGIC, SU_DELTA_MAGIC_SIZE) != 0)
                return su_fail(err, SU_ERROR_DELTA, "this is not a delta file");
        version = su_reader_le16(&reader);
        if (version != SU_DELTA_VERSION)
                return su_fail(err, SU_ERROR_DELTA, "delta version %u is not known", version);
        header.method = su_reader_le16(&reader);
        header.n_sources = su_reader_le32(&reader);
        if (header.n_sources > SU_DELTA_SOURCES_MAX)
                return su_fail(err, SU_ERROR_DELTA, "the delta names too many sources");
        r = read_modules(patch_fd, &header, err);
        if (r < 0)
                return r;
        *ret = header;
        header = (struct su_delta_header){0};
        return 0;
}

void su_delta_header_done(struct su_delta_header *header)
{
        free(header->sources);
        *header = (struct su_delta_header){0};
}

struct mapping {
        uint8_t *data;
        size_t size;
};

static void mapping_done(struct mapping *mapping)
{
        if (mapping->data)
                (void)munmap(mapping->data, mapping->size);
}

/* Private memory, not a shared mapping of the files: a file that is cut while it is mapped would
 * end the process, and one that changes would be used after it was checked. */
static int mapping_new(size_t size, struct mapping *ret, struct su_error *err)
{
        void *data = mmap(NULL, size ? size : 1, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (data == MAP_FAILED)
                return su_fail_oom(err);
        *ret = (struct mapping){.data = data, .size = size ? size : 1};
        return 0;
}

static int load_source(int fd, const char *name, const struct su_delta_module *expected,
                       uint8_t *to, struct su_error *err)
{
        struct su_sha256 digest;
        uint8_t beyond;
        int r;

        r = su_read_exact_at(fd, to, expected->size, 0, name, err);
        if (r == -ENODATA)
                return su_fail(err, SU_ERROR_BASELINE, "'%s' is shorter than the delta expects",
                               name);
        if (r < 0)
                return r;
        if (pread(fd, &beyond, 1, (off_t)expected->size) == 1)
                return su_fail(err, SU_ERROR_BASELINE, "'%s' is longer than the delta expects",
                               name);
        r = su_sha256_of(to, expected->size, &digest, err);
        if (r < 0)
                return r;
        if (!su_sha256_equal(&digest, &expected->sha256))
                return su_fail(err, SU_ERROR_BASELINE, "'%s' is not the file the delta expects",
                               name);
        return 0;
}

static int load_sources(const struct su_delta_header *header, const int *fds,
                        const char *const *names, struct mapping *ret, struct su_error *err)
{
        uint8_t *to;
        int r;

        r = mapping_new(header->source_bytes, ret, err);
        if (r < 0)
                return r;
        to = ret->data;
        for (size_t i = 0; i < header->n_sources; i++) {
                r = load_source(fds[i], names[i], &header->sources[i], to, err);
                if (r < 0)
                        return r;
                to += header->sources[i].size;
        }
        return 0;
}

/* Where decoded bytes go: counted, hashed, written. */
struct sink {
        int fd;
        uint64_t expected;
        uint64_t written;
        struct su_sha256_stream *hash;
};

static int sink_write(struct sink *sink, const void *data, size_t size, struct su_error *err)
{
        int r;

        if (size > sink->expected - sink->written)
                return su_fail(err, SU_ERROR_DELTA, "the delta yields more than it declares");
        r = su_sha256_stream_update(sink->hash, data, size, err);
        if (r >= 0)
                r = su_write_all(sink->fd, data, size, "target", err);
        if (r >= 0)
                sink->written += size;
        return r;
}

static void dctx_free_p(ZSTD_DCtx **context)
{
        (void)ZSTD_freeDCtx(*context);
}

/* The window, for which the decoder asks memory, is bounded by what the head declares. */
static int decoder_new(const struct mapping *prefix, const struct su_delta_header *header,
                       ZSTD_DCtx **ret, struct su_error *err)
{
        su_auto(dctx_free_p) ZSTD_DCtx *context = ZSTD_createDCtx();

        if (!context)
                return su_fail_oom(err);
        if (ZSTD_isError(ZSTD_DCtx_setParameter(
                    context, ZSTD_d_windowLogMax,
                    su_delta_window_log(header->source_bytes + header->target.size))) ||
            ZSTD_isError(ZSTD_DCtx_refPrefix(context, prefix->data, header->source_bytes)))
                return su_fail(err, SU_ERROR_SYSTEM, "libzstd refuses the decoder's parameters");
        *ret = su_take(context);
        return 0;
}

/* One zstd frame, from `patch_fd` at `offset` to its end, and nothing behind it. */
static int decode_frame(ZSTD_DCtx *context, int patch_fd, uint64_t offset, struct sink *sink,
                        su_delta_progress progress, void *userdata, struct su_error *err)
{
        static const size_t chunk = 128 * 1024;
        su_auto_free uint8_t *in_buffer = malloc(chunk);
        su_auto_free uint8_t *out_buffer = malloc(chunk);
        size_t hint = 1;

        if (!in_buffer || !out_buffer)
                return su_fail_oom(err);
        for (;;) {
                ssize_t n = pread(patch_fd, in_buffer, chunk, (off_t)offset);
                ZSTD_inBuffer in = {in_buffer, 0, 0};
                ZSTD_outBuffer out;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return su_fail_errno(err, errno, "cannot read the delta");
                if (n == 0)
                        break;
                in.size = (size_t)n;
                offset += (uint64_t)n;
                do {
                        int r;

                        if (hint == 0)
                                return su_fail(err, SU_ERROR_DELTA,
                                               "bytes follow the end of the delta");
                        out = (ZSTD_outBuffer){out_buffer, chunk, 0};
                        hint = ZSTD_decompressStream(context, &out, &in);
                        if (ZSTD_isError(hint))
                                return su_fail(err, SU_ERROR_DELTA, "the delta is damaged: %s",
                                               ZSTD_getErrorName(hint));
                        r = sink_write(sink, out_buffer, out.pos, err);
                        if (r < 0)
                                return r;
                        if (progress && progress(userdata, sink->written, sink->expected))
                                return su_fail(err, SU_ERROR_CANCELLED, "cancelled");
                } while (in.pos < in.size || (hint != 0 && out.pos == chunk));
        }
        if (hint != 0)
                return su_fail(err, SU_ERROR_DELTA, "the delta ends too early");
        return 0;
}

static int check_target(struct sink *sink, const struct su_delta_module *expected,
                        struct su_error *err)
{
        struct su_sha256 digest;
        int r;

        if (sink->written != expected->size)
                return su_fail(err, SU_ERROR_DELTA, "the delta yields less than it declares");
        r = su_sha256_stream_finish(sink->hash, &digest, err);
        if (r < 0)
                return r;
        if (!su_sha256_equal(&digest, &expected->sha256))
                return su_fail(err, SU_ERROR_DELTA,
                               "the delta yields other bytes than it declares");
        return 0;
}

int su_delta_apply(int patch_fd, const int *source_fds, const char *const *source_names,
                   size_t n_sources, int target_fd, su_delta_progress progress, void *userdata,
                   struct su_error *err)
{
        su_auto_delta_header struct su_delta_header header = {0};
        su_auto_sha256_stream struct su_sha256_stream *hash = NULL;
        su_auto(mapping_done) struct mapping prefix = {0};
        su_auto(dctx_free_p) ZSTD_DCtx *context = NULL;
        struct sink sink;
        int r;

        r = su_delta_header_read(patch_fd, &header, err);
        if (r < 0)
                return r;
        if (header.method != SU_DELTA_METHOD_ZSTD_PREFIX)
                return su_fail(err, SU_ERROR_DELTA, "delta method %u is not known", header.method);
        if (header.n_sources != n_sources)
                return su_fail(err, SU_ERROR_DELTA, "the delta wants %zu sources, not %zu",
                               header.n_sources, n_sources);
        r = load_sources(&header, source_fds, source_names, &prefix, err);
        if (r >= 0)
                r = decoder_new(&prefix, &header, &context, err);
        if (r >= 0)
                r = su_sha256_stream_new(&hash, err);
        if (r < 0)
                return r;
        sink = (struct sink){.fd = target_fd, .expected = header.target.size, .hash = hash};
        r = decode_frame(context, patch_fd, header.body_offset, &sink, progress, userdata, err);
        if (r < 0)
                return r;
        return check_target(&sink, &header.target, err);
}
