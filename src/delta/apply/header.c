#include "delta/apply/header.h"

#include <stdlib.h>
#include <string.h>

#include "base/reader.h"

#define VARINT_MAX 10

_Static_assert(SU_DELTA_METHODS == 4, "two bits tell the method, and all of them are known");

static uint64_t get_varint(struct su_reader *reader)
{
        uint64_t value = 0;

        for (unsigned shift = 0; shift < 63; shift += 7) {
                uint8_t byte = su_reader_u8(reader);

                value |= (uint64_t)(byte & 0x7f) << shift;
                if (!(byte & 0x80))
                        return value;
        }
        reader->failed = true;
        return 0;
}

static void get_bytes(struct su_reader *reader, void *to, size_t size)
{
        const void *bytes = su_reader_bytes(reader, size);

        if (bytes)
                memcpy(to, bytes, size);
}

static size_t put_varint(uint8_t *to, uint64_t value)
{
        size_t n = 0;

        for (; value >= 0x80; value >>= 7)
                to[n++] = (uint8_t)(value | 0x80);
        to[n++] = (uint8_t)value;
        return n;
}

/* A source's size is told from the target's: mostly they are alike. */
static uint64_t fold(uint64_t difference)
{
        return difference << 1 ^ (uint64_t)((int64_t)difference >> 63);
}

static uint64_t unfold(uint64_t folded)
{
        return folded >> 1 ^ (0 - (folded & 1));
}

int su_delta_header_new(size_t n_sources, struct su_delta_header *ret, struct su_error *err)
{
        su_auto_delta_header struct su_delta_header header = {.n_sources = n_sources};

        header.source_sizes = calloc(n_sources + 1, sizeof *header.source_sizes);
        header.name_checks = calloc(n_sources + 1, sizeof *header.name_checks);
        if (!header.source_sizes || !header.name_checks)
                return su_fail_oom(err);
        *ret = header;
        header.source_sizes = NULL;
        header.name_checks = NULL;
        return 0;
}

static int parse_sources(struct su_reader *reader, struct su_delta_header *header,
                         struct su_error *err)
{
        uint64_t bytes = 0;

        for (size_t i = 0; i < header->n_sources; i++) {
                header->source_sizes[i] = header->target_size + unfold(get_varint(reader));
                if (!su_reader_ok(reader))
                        break;
                if (header->source_sizes[i] > SU_DELTA_SOURCE_BYTES_MAX - bytes)
                        return su_fail(err, SU_ERROR_DELTA, "the delta's sources are too large");
                bytes += header->source_sizes[i];
                if (header->n_sources > 1)
                        get_bytes(reader, header->name_checks[i], SU_DELTA_NAME_CHECK_SIZE);
        }
        if (header->n_sources > 0)
                get_bytes(reader, header->source_check, SU_DELTA_SOURCE_CHECK_SIZE);
        return 0;
}

int su_delta_header_parse(const uint8_t *data, size_t size, struct su_delta_header *ret,
                          struct su_error *err)
{
        su_auto_delta_header struct su_delta_header header = {0};
        struct su_reader reader;
        uint64_t counts, target_size;
        int r;

        if (size < SU_DELTA_MAGIC_SIZE || memcmp(data, SU_DELTA_MAGIC, SU_DELTA_MAGIC_SIZE) != 0) {
                if (size >= SU_DELTA_MAGIC_SIZE &&
                    memcmp(data, SU_DELTA_MAGIC, SU_DELTA_MAGIC_SIZE - 1) == 0)
                        return su_fail(err, SU_ERROR_DELTA, "this version of deltas is not known");
                return su_fail(err, SU_ERROR_DELTA, "this is not a delta file");
        }
        su_reader_init(&reader, data, size);
        su_reader_skip(&reader, SU_DELTA_MAGIC_SIZE);
        counts = get_varint(&reader);
        target_size = get_varint(&reader);
        if (counts / 4 > SU_DELTA_SOURCES_MAX)
                return su_fail(err, SU_ERROR_DELTA, "the delta names too many sources");
        if (target_size > SU_DELTA_TARGET_BYTES_MAX)
                return su_fail(err, SU_ERROR_DELTA, "the delta's target is too large");
        r = su_delta_header_new((size_t)(counts / 4), &header, err);
        if (r < 0)
                return r;
        header.method = (enum su_delta_method)(counts % 4);
        header.target_size = target_size;
        r = parse_sources(&reader, &header, err);
        if (r < 0)
                return r;
        get_bytes(&reader, header.target.bytes, SU_SHA256_SIZE);
        if (!su_reader_ok(&reader))
                return su_fail(err, SU_ERROR_DELTA, "the delta ends too early");
        header.size = reader.position;
        *ret = header;
        header = (struct su_delta_header){0};
        return 0;
}

void su_delta_header_done(struct su_delta_header *header)
{
        free(header->source_sizes);
        free(header->name_checks);
        *header = (struct su_delta_header){0};
}

int su_delta_header_format(const struct su_delta_header *header, uint8_t **ret, size_t *ret_size,
                           struct su_error *err)
{
        size_t n = header->n_sources, at = 0;
        uint8_t *data = malloc(SU_DELTA_MAGIC_SIZE + 2 * VARINT_MAX + SU_DELTA_SOURCE_CHECK_SIZE +
                               SU_SHA256_SIZE + n * (VARINT_MAX + SU_DELTA_NAME_CHECK_SIZE));

        if (!data)
                return su_fail_oom(err);
        for (; at < SU_DELTA_MAGIC_SIZE; at++)
                data[at] = (uint8_t)SU_DELTA_MAGIC[at];
        at += put_varint(data + at, (uint64_t)n * 4 + header->method);
        at += put_varint(data + at, header->target_size);
        for (size_t i = 0; i < n; i++) {
                at += put_varint(data + at, fold(header->source_sizes[i] - header->target_size));
                if (n > 1) {
                        memcpy(data + at, header->name_checks[i], SU_DELTA_NAME_CHECK_SIZE);
                        at += SU_DELTA_NAME_CHECK_SIZE;
                }
        }
        if (n > 0) {
                memcpy(data + at, header->source_check, SU_DELTA_SOURCE_CHECK_SIZE);
                at += SU_DELTA_SOURCE_CHECK_SIZE;
        }
        memcpy(data + at, header->target.bytes, SU_SHA256_SIZE);
        *ret_size = at + SU_SHA256_SIZE;
        *ret = data;
        return 0;
}

int su_delta_source_check(const struct su_sha256 *digests, size_t n,
                          uint8_t ret[SU_DELTA_SOURCE_CHECK_SIZE], struct su_error *err)
{
        struct su_sha256 all;

        if (n == 0) {
                memset(ret, 0, SU_DELTA_SOURCE_CHECK_SIZE);
                return 0;
        }
        if (n == 1) {
                all = digests[0];
        } else {
                int r = su_sha256_of(digests, n * sizeof *digests, &all, err);

                if (r < 0)
                        return r;
        }
        memcpy(ret, all.bytes, SU_DELTA_SOURCE_CHECK_SIZE);
        return 0;
}
