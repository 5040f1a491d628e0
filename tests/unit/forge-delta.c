#include "forge-delta.h"

#include <stdlib.h>
#include <string.h>

#include "delta/elf/bytes.h"
#include "support.h"

void forge_init(struct forge *forge, enum su_delta_method method, const uint8_t *target,
                size_t target_size)
{
        *forge = (struct forge){.target = target};
        forge->head.method = method;
        forge->head.target_size = target_size;
        assert_true(su_sha256_of(target, target_size, &forge->head.target, NULL) >= 0);
}

void forge_add_source(struct forge *forge, const void *data, size_t size)
{
        size_t i = forge->head.n_sources++;
        struct su_sha256 digest;

        assert_true(i < FORGE_SOURCES_MAX);
        forge->fds[i] = memory_file_of(data, size);
        forge->sizes[i] = size;
        assert_true(su_sha256_of(data, size, &digest, NULL) >= 0);
        memcpy(forge->names[i], digest.bytes, SU_DELTA_NAME_CHECK_SIZE);
}

void forge_append(struct forge *forge, const void *data, size_t size)
{
        if (size == 0)
                return;
        forge->body = realloc(forge->body, forge->body_size + size);
        assert_non_null(forge->body);
        memcpy(forge->body + forge->body_size, data, size);
        forge->body_size += size;
}

static int discard(void *userdata, const uint8_t *data, size_t size, struct su_error *err)
{
        (void)userdata;
        (void)data;
        (void)size;
        (void)err;
        return 0;
}

static int code_part(const struct forge *forge, struct su_codec *codec,
                     const struct forge_part *forged, uint64_t left, uint64_t *next_source)
{
        struct su_delta_part part = forged->part;

        su_delta_part_code(su_codec_model(codec), &part, left, forge->sizes, forge->head.n_sources,
                           *next_source);
        if (part.kind == SU_PART_MODULE)
                *next_source = part.source + 1;
        if (!forged->coded.want && !forged->coded.n_operations)
                return 0;
        return su_codec_part(codec, &forged->coded, NULL);
}

void forge_code(struct forge *forge, uint64_t n_told, const struct forge_part *parts, size_t n)
{
        su_auto_coder struct su_coder coder = {0};
        su_auto_codec struct su_codec *codec = NULL;
        struct su_codec_sink sink = {.write = discard};
        uint64_t left = forge->head.target_size, next_source = 0;
        uint8_t length[4];

        su_coder_encode(&coder);
        assert_true(su_codec_new(&coder, &sink, &codec, NULL) >= 0);
        (void)su_delta_parts_code(su_codec_model(codec), n_told);
        for (size_t i = 0; i < n; i++) {
                if (code_part(forge, codec, &parts[i], left, &next_source) < 0)
                        break;
                left -= parts[i].part.size;
        }
        su_coder_finish(&coder);
        su_put32(length, (uint32_t)coder.output_size);
        if (forge->head.method == SU_DELTA_PACKED)
                forge_append(forge, length, sizeof length);
        forge_append(forge, coder.output, coder.output_size);
}

/* The digest of a source that is a memory file. */
static void digest_of(const struct forge *forge, size_t i, struct su_sha256 *ret)
{
        assert_true(su_sha256_of_fd(forge->fds[i], "source", ret, NULL, NULL) >= 0);
}

int forge_seal(struct forge *forge)
{
        struct su_sha256 digests[FORGE_SOURCES_MAX];
        su_auto_free uint8_t *head = NULL;
        su_auto_free uint8_t *all = NULL;
        size_t size;
        int fd;

        for (size_t i = 0; i < forge->head.n_sources; i++)
                digest_of(forge, i, &digests[i]);
        forge->head.source_sizes = forge->sizes;
        forge->head.name_checks = forge->names;
        assert_true(su_delta_source_check(digests, forge->head.n_sources, forge->head.source_check,
                                          NULL) >= 0);
        assert_true(su_delta_header_format(&forge->head, &head, &size, NULL) >= 0);
        all = malloc(size + forge->body_size + 1);
        assert_non_null(all);
        memcpy(all, head, size);
        if (forge->body_size)
                memcpy(all + size, forge->body, forge->body_size);
        fd = memory_file_of(all, size + forge->body_size);
        return fd;
}

void forge_done(struct forge *forge)
{
        for (size_t i = 0; i < forge->head.n_sources; i++)
                su_close_fd(&forge->fds[i]);
        free(forge->body);
        *forge = (struct forge){0};
}
